-- What failed, what was delivered again and what a broker gave up on is found from its own side, not by asking every event.
CREATE INDEX settlement_refused ON settlement(acknowledgement) WHERE acknowledgement IN (2, 3);
CREATE INDEX delivery_again ON delivery(delivered) WHERE delivered > 1;
CREATE INDEX advisory_kind ON advisory(kind, stream, stream_sequence) WHERE stream_sequence IS NOT NULL;
-- Everything that is counted of a destination, without reading its publications.
CREATE INDEX message_destination ON message(destination, system, time, event, stream);

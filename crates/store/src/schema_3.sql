-- Ids that join what no trace context joins, hashed: correlation ids of spans and of messages, and the causes that messages
-- name.
CREATE TABLE trace_carries(hash INTEGER NOT NULL, trace BLOB NOT NULL, PRIMARY KEY(hash, trace)) STRICT, WITHOUT ROWID;
CREATE TABLE message_carries(hash INTEGER NOT NULL, message INTEGER NOT NULL, PRIMARY KEY(hash, message)) STRICT, WITHOUT ROWID;
CREATE INDEX message_carries_message ON message_carries(message);

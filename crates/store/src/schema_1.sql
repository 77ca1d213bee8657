CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Spans (kind 0) and log records (kind 1), packed. No row per span: a chunk says which traces it holds.
CREATE TABLE chunk(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, items INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX chunk_kind ON chunk(kind, id, items, first, last);
-- Bloom filter over every whole value and span id in the chunk.
CREATE TABLE chunk_filter(chunk INTEGER PRIMARY KEY, kind INTEGER NOT NULL, bits BLOB NOT NULL) STRICT;
CREATE TABLE trace_chunk(trace BLOB NOT NULL, kind INTEGER NOT NULL, chunk INTEGER NOT NULL, first INTEGER NOT NULL,
    items INTEGER NOT NULL, PRIMARY KEY(trace, kind, chunk)) STRICT, WITHOUT ROWID;
CREATE TABLE log_hash(hash INTEGER PRIMARY KEY) STRICT;

-- What correlation looks up from the other side: links into another trace, spans by topic and message id (hashed).
CREATE TABLE span_link(trace BLOB NOT NULL, span INTEGER NOT NULL, from_trace BLOB NOT NULL,
    PRIMARY KEY(trace, span, from_trace)) STRICT, WITHOUT ROWID;
CREATE TABLE span_message(hash INTEGER NOT NULL, trace BLOB NOT NULL, PRIMARY KEY(hash, trace)) STRICT, WITHOUT ROWID;
CREATE TABLE trace_join(child_trace BLOB NOT NULL, child_span BLOB NOT NULL, parent_trace BLOB NOT NULL,
    parent_span BLOB NOT NULL, how TEXT NOT NULL,
    PRIMARY KEY(child_trace, child_span, parent_trace, parent_span, how)) STRICT, WITHOUT ROWID;
CREATE INDEX trace_join_parent ON trace_join(parent_trace);
CREATE TABLE unmatched(key TEXT PRIMARY KEY, count INTEGER NOT NULL, source TEXT NOT NULL, topic TEXT NOT NULL,
    at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Figures of the map. live = rows of the finest level; a series without any was taken back entirely.
CREATE TABLE series(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, c TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, live INTEGER NOT NULL, UNIQUE(kind, a, b, c)) STRICT;
CREATE TABLE rollup(level INTEGER NOT NULL, bucket INTEGER NOT NULL, series INTEGER NOT NULL, count INTEGER NOT NULL,
    errors INTEGER NOT NULL, sketch BLOB NOT NULL, PRIMARY KEY(level, bucket, series)) STRICT, WITHOUT ROWID;

-- One row per publication; event = id of the first publication of the same event.
CREATE TABLE message(id INTEGER PRIMARY KEY, event INTEGER NOT NULL, system TEXT NOT NULL, destination TEXT NOT NULL,
    time INTEGER NOT NULL, stream TEXT, sequence INTEGER, plain_time INTEGER, event_id TEXT, source TEXT, type TEXT,
    key TEXT, hop_trace BLOB, hop_span INTEGER, origin_trace BLOB, origin_span INTEGER, content INTEGER NOT NULL,
    head BLOB NOT NULL) STRICT;
CREATE TABLE message_body(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE message_filter(block INTEGER PRIMARY KEY, bits BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX message_sequence ON message(stream, sequence, destination) WHERE sequence IS NOT NULL;
CREATE INDEX message_content ON message(content, time);
CREATE INDEX message_event_id ON message(event_id, destination) WHERE event_id IS NOT NULL;
CREATE INDEX message_event ON message(event);
CREATE INDEX message_time ON message(time, id);
CREATE INDEX message_hop ON message(hop_trace, hop_span) WHERE hop_trace IS NOT NULL;
CREATE INDEX message_origin ON message(origin_trace) WHERE origin_trace IS NOT NULL;

-- seen = 0: only acknowledgements told of this delivery.
CREATE TABLE delivery(stream TEXT NOT NULL, consumer TEXT NOT NULL, consumer_sequence INTEGER NOT NULL,
    seen INTEGER NOT NULL, system TEXT NOT NULL, destination TEXT, stream_sequence INTEGER NOT NULL,
    delivered INTEGER NOT NULL, time INTEGER NOT NULL, event_id TEXT,
    PRIMARY KEY(stream, consumer, consumer_sequence)) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_message ON delivery(stream, stream_sequence);
CREATE INDEX delivery_event ON delivery(event_id, destination) WHERE event_id IS NOT NULL;
CREATE INDEX delivery_time ON delivery(time);
CREATE TABLE settlement(stream TEXT NOT NULL, consumer TEXT NOT NULL, consumer_sequence INTEGER NOT NULL,
    time INTEGER NOT NULL, acknowledgement INTEGER NOT NULL, stream_sequence INTEGER NOT NULL, delivered INTEGER NOT NULL,
    PRIMARY KEY(stream, consumer, consumer_sequence, time, acknowledgement)) STRICT, WITHOUT ROWID;
CREATE TABLE advisory(hash INTEGER PRIMARY KEY, kind TEXT NOT NULL, stream TEXT, stream_sequence INTEGER,
    time INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX advisory_message ON advisory(stream, stream_sequence) WHERE stream_sequence IS NOT NULL;

-- In the order written: trace ids are random, and a commit that spreads its rows over the whole table writes the whole table.
CREATE TABLE journey(row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, start INTEGER NOT NULL, state INTEGER NOT NULL,
    response INTEGER, settled INTEGER, retries INTEGER NOT NULL, dead_lettered INTEGER NOT NULL, root INTEGER NOT NULL,
    body BLOB NOT NULL) STRICT;
CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE INDEX journey_start ON journey(start, id, state, response, settled, retries, dead_lettered, root);
-- What a journey began with, each once: lists tell noise and operations apart without reading summaries.
CREATE TABLE journey_root(id INTEGER PRIMARY KEY, service TEXT NOT NULL, operation TEXT NOT NULL,
    UNIQUE(service, operation)) STRICT;
-- The trace that names a journey belongs to it without a row here.
CREATE TABLE journey_member(trace BLOB NOT NULL, journey BLOB NOT NULL, PRIMARY KEY(trace, journey)) STRICT, WITHOUT ROWID;
CREATE INDEX journey_traces ON journey_member(journey);

CREATE TABLE rejected(id INTEGER PRIMARY KEY, time INTEGER, source TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL,
    count INTEGER NOT NULL) STRICT;

-- What a journey began with, each once: lists tell noise and operations apart without reading summaries.
CREATE TABLE journey_root(id INTEGER PRIMARY KEY, service TEXT NOT NULL, operation TEXT NOT NULL,
    UNIQUE(service, operation)) STRICT;
ALTER TABLE journey ADD COLUMN root INTEGER;
DROP INDEX journey_start;
CREATE INDEX journey_start ON journey(start, id, state, response, settled, retries, dead_lettered, root);

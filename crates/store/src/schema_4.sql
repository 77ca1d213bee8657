-- Traces whose figures are closed: spans of them that start by then are neither counted nor taken back, though the spans they were
-- made of may have expired. In eras, so that the oldest can be let go without an index.
CREATE TABLE closed_trace(era INTEGER NOT NULL, hash INTEGER NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY(era, hash)) STRICT, WITHOUT ROWID;
-- Journeys of a kind that expired: what a journey lacks is still told by all that ever were.
ALTER TABLE journey_kind ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;

-- What a journey published and who handled it, each combination once; how many journeys of a root have it. An effect that
-- nearly all journeys of a root have and one has not is missing there.
ALTER TABLE journey ADD COLUMN shape INTEGER;
CREATE TABLE journey_shape(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE journey_kind(root INTEGER NOT NULL, shape INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY(root, shape)) STRICT, WITHOUT ROWID;
DROP INDEX journey_start;
CREATE INDEX journey_start ON journey(start, id, state, response, settled, retries, dead_lettered, root, shape);
CREATE TRIGGER journey_comes AFTER INSERT ON journey WHEN new.shape IS NOT NULL BEGIN
    INSERT INTO journey_kind(root, shape, count) VALUES(new.root, new.shape, 1)
        ON CONFLICT(root, shape) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER journey_goes AFTER DELETE ON journey WHEN old.shape IS NOT NULL BEGIN
    UPDATE journey_kind SET count = count - 1 WHERE root = old.root AND shape = old.shape;
END;
CREATE TRIGGER journey_turns AFTER UPDATE ON journey WHEN old.root IS NOT new.root OR old.shape IS NOT new.shape BEGIN
    UPDATE journey_kind SET count = count - 1 WHERE root = old.root AND shape = old.shape;
    INSERT INTO journey_kind(root, shape, count) SELECT new.root, new.shape, 1 WHERE new.shape IS NOT NULL
        ON CONFLICT(root, shape) DO UPDATE SET count = count + 1;
END;

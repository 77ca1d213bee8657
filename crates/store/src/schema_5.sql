-- Which values chunks (parts 0 and 1) and blocks of publications (parts 2) may hold: one row each, until some of them are put
-- together slice by slice. The tables of filters before stay for what older versions wrote.
CREATE TABLE value_filter(parts INTEGER NOT NULL, part INTEGER NOT NULL, bits BLOB NOT NULL, PRIMARY KEY(parts, part))
    STRICT, WITHOUT ROWID;
CREATE TABLE value_slice(parts INTEGER NOT NULL, slice INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    bits BLOB NOT NULL, PRIMARY KEY(parts, slice, first)) STRICT, WITHOUT ROWID;

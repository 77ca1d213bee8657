-- live = rows of all levels: figures of long ago have no rows of the finest one any more. A series without any keeps its 0.
UPDATE series SET live = r.n FROM (SELECT series, count(*) AS n FROM rollup GROUP BY series) r WHERE series.id = r.series;

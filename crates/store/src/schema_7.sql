-- live = rows of all levels: figures of long ago have no rows of the finest one any more.
UPDATE series SET live = coalesce((SELECT n FROM (SELECT series AS s, count(*) AS n FROM rollup GROUP BY series) WHERE s = series.id), 0);

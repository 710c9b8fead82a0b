-- One row per market and date of `compared_rows` with tracks that were on its chart of the date before: how many, and how far
-- they moved.
SELECT a.market, a.date, COUNT(*) AS tracks, CAST(SUM(ABS(a.rank - b.rank)) AS BIGINT) AS ranks
FROM compared_rows AS a
JOIN compared_rows AS b ON b.market = a.market AND b.track = a.track AND b.turn = a.turn - 1
GROUP BY a.market, a.date

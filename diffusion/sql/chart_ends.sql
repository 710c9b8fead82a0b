-- One row per market (with Global) and date of one chart: its last position, and the streams on it, each a number of single
-- precision. Ids of one identity are one track, with the best of their positions. The chart is the parameter.
WITH joined AS (
    SELECT identity FROM identities GROUP BY identity HAVING COUNT(*) > 1
),
placed AS (
    SELECT
        o.date,
        o.market,
        o.track,
        ROW_NUMBER() OVER (PARTITION BY o.date, o.market, i.identity ORDER BY o.rank, o.track) AS turn
    FROM observations AS o
    JOIN identities AS i ON i.track = o.track
    JOIN joined AS j ON j.identity = i.identity
    WHERE o.chart = $chart
),
again AS (
    SELECT date, market, track FROM placed WHERE turn > 1
)
SELECT
    o.date,
    o.market,
    MAX(o.rank) AS last_rank,
    -- Spark leaves out a step from a whole number to single precision, not one from double to single
    COALESCE(SUM(CAST(CAST(CAST(o.streams AS DOUBLE) AS REAL) AS DOUBLE)), 0.0) AS streams
FROM observations AS o
LEFT JOIN again AS a ON a.date = o.date AND a.market = o.market AND a.track = o.track
WHERE o.chart = $chart AND a.track IS NULL
GROUP BY o.date, o.market

-- One row per market and date on which the chart was observed.
WITH days AS (
    SELECT
        market,
        chart,
        date,
        COUNT(*) AS depth,
        SUM(CAST(track AS BIGINT)) AS track_sum,
        SUM(CAST(track AS BIGINT) * rank) AS place_sum
    FROM observations
    WHERE chart = $chart AND market <> 'Global'
    GROUP BY market, chart, date
),
ordered AS (
    SELECT
        market,
        chart,
        date,
        depth,
        track_sum,
        place_sum,
        LAG(date) OVER (PARTITION BY market, chart ORDER BY date) AS previous,
        LAG(depth) OVER (PARTITION BY market, chart ORDER BY date) AS previous_depth,
        LAG(track_sum) OVER (PARTITION BY market, chart ORDER BY date) AS previous_track_sum,
        LAG(place_sum) OVER (PARTITION BY market, chart ORDER BY date) AS previous_place_sum
    FROM days
),
-- charts with the same sums as the one before; their rows are compared below
alike AS (
    SELECT market, chart, date, previous
    FROM ordered
    WHERE depth = previous_depth AND track_sum = previous_track_sum AND place_sum = previous_place_sum
),
sides AS (
    SELECT market, chart, date, date AS side FROM alike
    UNION ALL
    SELECT market, chart, date, previous FROM alike
),
same AS (
    SELECT s.market, s.date, o.track, o.rank
    FROM observations AS o
    JOIN sides AS s ON s.market = o.market AND s.chart = o.chart AND s.side = o.date
    GROUP BY s.market, s.date, o.track, o.rank
    HAVING COUNT(*) = 2
),
repeated AS (
    SELECT market, date, COUNT(*) AS same FROM same GROUP BY market, date
)
SELECT
    o.market,
    o.chart,
    o.date,
    o.depth,
    o.previous,
    CAST(1 + SUM(CASE WHEN DATEDIFF('day', o.previous, o.date) > $long_gap THEN 1 ELSE 0 END)
        OVER (PARTITION BY o.market, o.chart ORDER BY o.date ROWS UNBOUNDED PRECEDING) AS BIGINT) AS span,
    COALESCE(r.same = o.depth, FALSE) AS stale
FROM ordered AS o
LEFT JOIN repeated AS r ON r.market = o.market AND r.date = o.date

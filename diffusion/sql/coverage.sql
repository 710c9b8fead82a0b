-- One row per market and date on which the chart was observed.
WITH days AS (
    SELECT market, chart, date, COUNT(*) AS depth
    FROM chart_rows
    WHERE chart = $chart
    GROUP BY market, chart, date
),
ordered AS (
    SELECT
        market,
        chart,
        date,
        depth,
        LAG(date) OVER (PARTITION BY market, chart ORDER BY date) AS previous,
        LAG(depth) OVER (PARTITION BY market, chart ORDER BY date) AS previous_depth
    FROM days
),
repeated AS (
    SELECT o.market, o.date, COUNT(*) AS same
    FROM ordered AS o
    JOIN chart_rows AS now ON now.market = o.market AND now.chart = o.chart AND now.date = o.date
    JOIN chart_rows AS before
        ON before.market = o.market AND before.chart = o.chart AND before.date = o.previous
        AND before.track_id = now.track_id AND before.rank = now.rank
    GROUP BY o.market, o.date
)
SELECT
    o.market,
    o.chart,
    o.date,
    o.depth,
    o.previous,
    CAST(1 + SUM(CASE WHEN o.date - o.previous > $long_gap THEN 1 ELSE 0 END)
        OVER (PARTITION BY o.market, o.chart ORDER BY o.date ROWS UNBOUNDED PRECEDING) AS BIGINT) AS span,
    COALESCE(r.same = o.depth AND r.same = o.previous_depth, FALSE) AS stale
FROM ordered AS o
LEFT JOIN repeated AS r ON r.market = o.market AND r.date = o.date

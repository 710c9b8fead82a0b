-- One row per chart and market (with Global): dates, cadence, depth, and how many charts have holes, which is more than
-- $hole_percent per cent of the ranks down to their deepest missing.
WITH ordered AS (
    SELECT *, LAG(date) OVER (PARTITION BY chart, market ORDER BY date) AS previous
    FROM chart_depths
),
steps AS (
    SELECT chart, market, DATEDIFF('day', previous, date) AS days, COUNT(*) AS times
    FROM ordered
    WHERE previous IS NOT NULL
    GROUP BY chart, market, DATEDIFF('day', previous, date)
),
usual AS (
    SELECT chart, market, days, ROW_NUMBER() OVER (PARTITION BY chart, market ORDER BY times DESC, days) AS turn
    FROM steps
)
SELECT
    o.chart,
    o.market,
    MIN(o.date) AS first_date,
    MAX(o.date) AS last_date,
    COUNT(*) AS dates,
    MAX(u.days) AS cadence,
    MAX(DATEDIFF('day', o.previous, o.date)) AS longest_step,
    CAST(SUM(o.chart_rows) AS BIGINT) AS chart_rows,
    MEDIAN(o.deepest_rank) AS depth_median,
    CAST(MAX(o.deepest_rank) AS BIGINT) AS depth_most,
    CAST(SUM(o.missing) AS BIGINT) AS missing,
    CAST(SUM(CASE WHEN 100 * o.missing > $hole_percent * o.deepest_rank THEN 1 ELSE 0 END) AS BIGINT) AS with_holes,
    CAST(SUM(CASE WHEN o.best_rank > 1 THEN 1 ELSE 0 END) AS BIGINT) AS without_first
FROM ordered AS o
LEFT JOIN usual AS u ON u.chart = o.chart AND u.market = o.market AND u.turn = 1
GROUP BY o.chart, o.market

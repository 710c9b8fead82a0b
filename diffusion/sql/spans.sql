-- One row per stretch of a market's coverage without a long gap.
SELECT
    market,
    chart,
    span,
    MIN(date) AS first_date,
    MAX(date) AS last_date,
    COUNT(*) AS dates,
    MIN(depth) AS depth_least,
    MEDIAN(depth) AS depth_median,
    CAST(SUM(CASE WHEN stale THEN 1 ELSE 0 END) AS BIGINT) AS stale
FROM coverage
GROUP BY market, chart, span

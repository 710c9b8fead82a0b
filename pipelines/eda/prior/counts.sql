-- One row per market (with Global), chart and year: rows and sum of streams.
SELECT
    market,
    chart,
    CAST(EXTRACT(YEAR FROM date) AS BIGINT) AS year,
    COUNT(*) AS chart_rows,
    CAST(SUM(streams) AS BIGINT) AS streams
FROM observations
GROUP BY market, chart, EXTRACT(YEAR FROM date)
ORDER BY market, chart, year

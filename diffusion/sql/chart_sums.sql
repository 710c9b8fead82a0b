-- One row per market and date of one chart: sums of whole numbers, which are the same in any order. The chart is the
-- parameter.
WITH logs AS (
    SELECT
        market,
        date,
        CASE WHEN streams > 0 THEN streams END AS streams,
        CASE WHEN streams > 0 THEN CAST(FLOOR(4342.944819032518 * LN(streams)) AS BIGINT) END AS log,
        CASE WHEN streams > 0 THEN CAST(FLOOR(4342.944819032518 * LN(rank)) AS BIGINT) END AS log_rank
    FROM observations
    WHERE chart = $chart AND market <> 'Global'
)
SELECT
    market,
    date,
    COUNT(*) AS chart_rows,
    COUNT(streams) AS streamed_rows,
    CAST(COALESCE(SUM(streams), 0) AS BIGINT) AS streams,
    CAST(COALESCE(SUM(log), 0) AS BIGINT) AS log,
    CAST(COALESCE(SUM(log_rank), 0) AS BIGINT) AS log_rank
FROM logs
GROUP BY market, date

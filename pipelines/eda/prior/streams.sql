-- One row: quantiles of the streams of all rows of the Top 200 of markets.
SELECT
    QUANTILE_CONT(streams, 0.5) AS p50,
    QUANTILE_CONT(streams, 0.9) AS p90,
    QUANTILE_CONT(streams, 0.95) AS p95,
    QUANTILE_CONT(streams, 0.99) AS p99,
    QUANTILE_CONT(streams, 0.999) AS p99_9,
    CAST(MAX(streams) AS DOUBLE) AS most
FROM observations
WHERE chart = 'top200' AND market <> 'Global'

-- One row per market and date on which the chart was observed: its rows and their streams together, without Global.
SELECT
    market,
    date,
    COUNT(*) AS depth,
    COUNT(streams) AS with_streams,
    CAST(SUM(streams) AS BIGINT) AS streams
FROM observations
WHERE chart = $chart AND market <> 'Global'
GROUP BY market, date

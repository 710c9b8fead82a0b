-- One row per market of the Top 200: mean and median streams of its rows.
SELECT market, AVG(streams) AS mean_streams, MEDIAN(streams) AS median_streams
FROM observations
WHERE chart = 'top200' AND market <> 'Global'
GROUP BY market
ORDER BY market

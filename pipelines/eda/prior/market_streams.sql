-- One row per market of the Top 200: mean streams of its rows.
SELECT market, AVG(streams) AS mean_streams
FROM observations
WHERE chart = 'top200' AND market <> 'Global'
GROUP BY market
ORDER BY market

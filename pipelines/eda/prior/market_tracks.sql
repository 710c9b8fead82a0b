-- One row per market (with Global): tracks ever on one of its charts.
SELECT market, COUNT(DISTINCT track) AS tracks
FROM observations
GROUP BY market
ORDER BY market

-- One row per number of streams, in the United States and elsewhere: rows of the Top 200 of markets with that number.
SELECT market = 'US' AS american, streams, COUNT(*) AS chart_rows
FROM observations
WHERE chart = 'top200' AND market <> 'Global' AND streams IS NOT NULL
GROUP BY market = 'US', streams
ORDER BY streams, american

-- One row per market and chart of the observations, Global among them.
SELECT market, chart, COUNT(*) AS source_rows
FROM observations
GROUP BY market, chart

-- One row per market and chart of the observations, including Global.
SELECT market, chart, COUNT(*) AS source_rows
FROM observations
GROUP BY market, chart

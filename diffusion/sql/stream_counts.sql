-- One row per number of streams on the chart of some market. The chart is the parameter.
SELECT streams, COUNT(*) AS chart_rows
FROM observations
WHERE chart = $chart AND market <> 'Global' AND streams IS NOT NULL
GROUP BY streams

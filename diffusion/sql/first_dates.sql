-- One row per track on one chart: its first date there, Global included. The chart is the parameter.
SELECT track, MIN(date) AS first_date
FROM observations
WHERE chart = $chart
GROUP BY track

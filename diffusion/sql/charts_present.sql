-- One row per chart of the source.
SELECT chart, COUNT(*) AS chart_rows, COUNT(DISTINCT market) AS markets, COUNT(DISTINCT track) AS tracks,
    MIN(date) AS first_date, MAX(date) AS last_date
FROM observations
WHERE market <> 'Global'
GROUP BY chart

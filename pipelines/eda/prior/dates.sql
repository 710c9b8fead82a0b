-- One row: observed dates, first and last, of all charts and markets.
SELECT COUNT(DISTINCT date) AS dates, MIN(date) AS first_date, MAX(date) AS last_date
FROM observations

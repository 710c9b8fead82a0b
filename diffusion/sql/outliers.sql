-- One row per reading whose streams exceed the bound of its chart, market and year.
SELECT r.place
FROM readings AS r
JOIN stream_bounds AS b ON b.chart = r.chart AND b.market = r.market AND b.year = EXTRACT(YEAR FROM r.date)
WHERE r.reason IS NULL AND r.streams > b.bound

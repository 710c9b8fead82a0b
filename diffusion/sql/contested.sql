-- One row per rank that several tracks claim on one chart: none of them can be believed.
SELECT chart, market, date, rank, COUNT(*) AS claims
FROM placings
GROUP BY chart, market, date, rank
HAVING COUNT(*) > 1

-- One row per track on one market's chart on one date, in order of chart, market, date, rank and track. Sorting is by
-- codes, which have the order of their names and sort faster.
SELECT r.track, t.track_id, m.market, r.date, c.chart, r.rank, r.streams, r.trend
FROM readings AS r
JOIN track_codes AS t ON t.track = r.track
JOIN market_codes AS m ON m.code = r.market
JOIN chart_codes AS c ON c.code = r.chart
LEFT JOIN verdicts AS v ON v.place = r.place
WHERE r.reason IS NULL AND v.place IS NULL
ORDER BY r.chart, r.market, r.date, r.rank, r.track

-- One row per date and pair of markets whose charts of `compared_rows` have tracks in common: how many. Each track is joined
-- with itself, once for every pair of its markets on the date.
SELECT a.date, a.market, b.market AS other, COUNT(*) AS tracks
FROM compared_rows AS a
JOIN compared_rows AS b ON b.date = a.date AND b.track = a.track
WHERE a.market < b.market
GROUP BY a.date, a.market, b.market

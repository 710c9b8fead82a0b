-- One row per track, market, date and chart: its best rank there, and how many source rows said so.
SELECT chart, market, date, track_id, MIN(rank) AS rank, MAX(streams) AS streams, COUNT(*) AS copies
FROM readings
WHERE reason IS NULL AND NOT aggregate
GROUP BY chart, market, date, track_id

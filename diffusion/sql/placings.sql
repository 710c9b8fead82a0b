-- One row per track, market, date and chart: its best rank there with the streams of that row, and how many rows said so.
WITH ordered AS (
    SELECT
        chart,
        market,
        date,
        track_id,
        rank,
        streams,
        ROW_NUMBER() OVER (
            PARTITION BY chart, market, date, track_id ORDER BY rank, COALESCE(streams, -1) DESC) AS place,
        COUNT(*) OVER (PARTITION BY chart, market, date, track_id) AS copies
    FROM readings
    WHERE reason IS NULL AND NOT aggregate
)
SELECT chart, market, date, track_id, rank, streams, copies
FROM ordered
WHERE place = 1

-- One row per track id: its known code, or the next code in order of first appearance.
WITH firsts AS (
    SELECT track_id, MIN(place) AS place FROM id_texts WHERE track_id IS NOT NULL GROUP BY track_id
)
SELECT track_id, track
FROM known_tracks
UNION ALL
SELECT
    f.track_id,
    CAST((SELECT COUNT(*) FROM known_tracks) + ROW_NUMBER() OVER (ORDER BY f.place, f.track_id) - 1 AS INTEGER) AS track
FROM firsts AS f
LEFT JOIN known_tracks AS k ON k.track_id = f.track_id
WHERE k.track_id IS NULL

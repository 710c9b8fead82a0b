-- One row per track: its recording, which is the smallest track id with the same key; a track without key is its own.
WITH firsts AS (
    SELECT k.key, MIN(t.track_id) AS recording
    FROM recording_keys AS k
    JOIN tracks AS t ON t.track = k.track
    GROUP BY k.key
)
SELECT t.track, t.track_id, COALESCE(f.recording, t.track_id) AS recording
FROM tracks AS t
LEFT JOIN recording_keys AS k ON k.track = t.track
LEFT JOIN firsts AS f ON f.key = k.key

-- One row per track: its recording, which is the smallest track id with the same key; a track without key is its own.
-- Tracks with the same credits all count under the smallest of their keys.
WITH leads AS (
    SELECT credits, MIN(key) AS key
    FROM recording_keys
    WHERE credits IS NOT NULL
    GROUP BY credits
),
keys AS (
    SELECT k.track, COALESCE(l.key, k.key) AS key
    FROM recording_keys AS k
    LEFT JOIN leads AS l ON l.credits = k.credits
),
firsts AS (
    SELECT k.key, MIN(t.track_id) AS recording
    FROM keys AS k
    JOIN tracks AS t ON t.track = k.track
    GROUP BY k.key
)
SELECT t.track, t.track_id, COALESCE(f.recording, t.track_id) AS recording
FROM tracks AS t
LEFT JOIN keys AS k ON k.track = t.track
LEFT JOIN firsts AS f ON f.key = k.key

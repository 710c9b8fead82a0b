-- One row per track: its day 0.
WITH firsts AS (
    SELECT track_id, MIN(entry) AS debut, COUNT(*) AS markets FROM entries GROUP BY track_id
)
SELECT
    f.track_id,
    f.debut,
    COUNT(*) AS footprint,
    MIN(CASE WHEN e.left_censored THEN 1 ELSE 0 END) = 1 AS left_censored,
    MIN(f.markets) AS markets
FROM firsts AS f
JOIN entries AS e ON e.track_id = f.track_id AND e.entry = f.debut
GROUP BY f.track_id, f.debut

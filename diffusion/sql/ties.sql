-- One row per ordered pair of markets: tracks with a timed entry into both of which neither order was observed.
WITH timed AS (
    SELECT e.track_id, e.market, e.entry, e.last_without
    FROM entries AS e
    JOIN debuts AS d ON d.track_id = e.track_id
    WHERE NOT d.left_censored AND NOT e.left_censored
)
SELECT a.market AS source, b.market AS target, COUNT(*) AS joint
FROM timed AS a
JOIN timed AS b ON b.track_id = a.track_id AND b.market <> a.market
WHERE NOT COALESCE(a.entry <= b.last_without, FALSE) AND NOT COALESCE(b.entry <= a.last_without, FALSE)
GROUP BY a.market, b.market

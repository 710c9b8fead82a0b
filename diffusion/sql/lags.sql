-- One row per ordered pair of markets and number of days: exposed tracks whose follow-up ended then.
-- Exposed: debut and entry into the source timed, the target in coverage and past its washout on that day, the track
-- not yet there, its order observed, and its own entry into the target, if any, not left-censored.
-- All tracks of a source and day are followed alike but for the few that ever enter the target: those are corrected.
WITH timed AS (
    SELECT e.track_id, e.market, e.entry
    FROM entries AS e
    JOIN debuts AS d ON d.track_id = e.track_id
    WHERE NOT d.left_censored AND NOT e.left_censored
),
starts AS (
    SELECT market, entry, COUNT(*) AS tracks FROM timed GROUP BY market, entry
),
arrivals AS (
    SELECT
        a.market AS source,
        b.market AS target,
        a.entry,
        b.entry AS arrival,
        LEAST(s.last_date, a.entry + $window) AS follow_up,
        COALESCE(a.entry < b.entry AND a.entry <= b.last_without AND NOT b.left_censored, FALSE) AS exposed
    FROM timed AS a
    JOIN entries AS b ON b.track_id = a.track_id AND b.market <> a.market
    JOIN spans AS s ON s.market = b.market AND s.first_date + $washout <= a.entry AND a.entry <= s.last_date
),
counts AS (
    SELECT
        a.market AS source,
        s.market AS target,
        LEAST(s.last_date, a.entry + $window) - a.entry AS days,
        0 AS entered,
        a.tracks AS censored
    FROM starts AS a
    JOIN spans AS s ON s.market <> a.market AND s.first_date + $washout <= a.entry AND a.entry <= s.last_date
    UNION ALL
    SELECT source, target, follow_up - entry, 0, -1 FROM arrivals WHERE NOT exposed OR arrival <= follow_up
    UNION ALL
    SELECT source, target, arrival - entry, 1, 0 FROM arrivals WHERE exposed AND arrival <= follow_up
)
SELECT
    source,
    target,
    days,
    CAST(SUM(entered) AS BIGINT) AS entered,
    CAST(SUM(censored) AS BIGINT) AS censored
FROM counts
GROUP BY source, target, days
HAVING SUM(entered) + SUM(censored) > 0

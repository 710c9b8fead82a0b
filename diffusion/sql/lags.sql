-- One row per ordered pair of markets and number of days: exposed tracks whose follow-up ended then.
-- Exposed: debut and entry into the source timed, the target in coverage and past its washout on that day, the track
-- not yet there, its order observed, and its own entry into the target, if any, not left-censored.
WITH timed AS (
    SELECT e.track_id, e.market, e.entry
    FROM entries AS e
    JOIN debuts AS d ON d.track_id = e.track_id
    WHERE NOT d.left_censored AND NOT e.left_censored
),
followed AS (
    SELECT
        a.market AS source,
        s.market AS target,
        a.entry,
        b.entry AS arrival,
        LEAST(s.last_date, a.entry + $window) AS follow_up
    FROM timed AS a
    JOIN spans AS s ON s.market <> a.market AND s.first_date + $washout <= a.entry AND a.entry <= s.last_date
    LEFT JOIN entries AS b ON b.track_id = a.track_id AND b.market = s.market
    WHERE b.entry IS NULL OR (a.entry < b.entry AND a.entry <= b.last_without AND NOT b.left_censored)
)
SELECT
    source,
    target,
    CASE WHEN arrival <= follow_up THEN arrival ELSE follow_up END - entry AS days,
    CAST(SUM(CASE WHEN arrival <= follow_up THEN 1 ELSE 0 END) AS BIGINT) AS entered,
    CAST(SUM(CASE WHEN arrival <= follow_up THEN 0 ELSE 1 END) AS BIGINT) AS censored
FROM followed
GROUP BY source, target, CASE WHEN arrival <= follow_up THEN arrival ELSE follow_up END - entry

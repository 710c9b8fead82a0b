-- One row per track and market outside its footprint: how long it was at risk, and whether it entered.
-- The clock starts on day 0, or when the market's washout ends; it stops at the entry, at the end of coverage or a
-- long gap, or at the horizon. Where coverage has several stretches, the first in which the track can be at risk counts.
WITH opens AS (
    SELECT d.track_id, d.debut, d.footprint, s.market, MIN(s.first_date) AS first_date
    FROM debuts AS d
    JOIN spans AS s
        ON s.last_date > d.debut
        AND s.first_date + $washout <= s.last_date
        AND s.first_date + $washout <= d.debut + $horizon
    WHERE NOT d.left_censored
    GROUP BY d.track_id, d.debut, d.footprint, s.market
),
clocks AS (
    SELECT
        o.track_id,
        o.debut,
        o.footprint,
        o.market,
        -- the day before the first day at risk
        GREATEST(o.debut, o.first_date + ($washout - 1)) AS start,
        LEAST(s.last_date, o.debut + $horizon) AS follow_up,
        e.entry
    FROM opens AS o
    JOIN spans AS s ON s.market = o.market AND s.first_date = o.first_date
    LEFT JOIN entries AS e ON e.track_id = o.track_id AND e.market = o.market
    LEFT JOIN withheld AS u ON u.track_id = o.track_id AND u.market = o.market
    WHERE u.track_id IS NULL
)
SELECT
    track_id,
    market,
    debut,
    footprint,
    start - debut AS start,
    CASE WHEN entry <= follow_up THEN entry ELSE follow_up END - debut AS days,
    COALESCE(entry <= follow_up, FALSE) AS entered
FROM clocks
WHERE entry IS NULL OR entry > start

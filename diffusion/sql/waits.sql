-- One row per track and market outside its footprint: how long it was at risk, and whether it entered.
-- The clock starts on day 0, or when the market's washout ends; it stops at the entry, at the end of coverage or a
-- long gap, or at the horizon. Where coverage has several stretches, the first in which the track can be at risk counts.
WITH opens AS (
    SELECT d.track_id, d.debut, d.footprint, s.market, MIN(s.first_date) AS first_date
    FROM debuts AS d
    JOIN spans AS s
        ON s.last_date > d.debut
        AND DATEDIFF('day', s.first_date, s.last_date) >= $washout
        AND DATEDIFF('day', d.debut, s.first_date) <= $horizon - $washout
    WHERE NOT d.left_censored
    GROUP BY d.track_id, d.debut, d.footprint, s.market
),
clocks AS (
    SELECT
        o.track_id,
        o.debut,
        o.footprint,
        o.market,
        -- days after the debut, start the one before the first at risk
        GREATEST(0, DATEDIFF('day', o.debut, o.first_date) + $washout - 1) AS start,
        LEAST(DATEDIFF('day', o.debut, s.last_date), $horizon) AS follow_up,
        DATEDIFF('day', o.debut, e.entry) AS entry
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
    start,
    CASE WHEN entry <= follow_up THEN entry ELSE follow_up END AS days,
    COALESCE(entry <= follow_up, FALSE) AS entered
FROM clocks
WHERE entry IS NULL OR entry > start

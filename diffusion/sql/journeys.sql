-- One row per track and market in the order of entry; markets entered on one date share a step.
SELECT
    e.track_id,
    CAST(DENSE_RANK() OVER (PARTITION BY e.track_id ORDER BY e.entry) AS BIGINT) AS step,
    e.market,
    e.entry,
    e.last_without,
    DATEDIFF('day', d.debut, e.entry) AS days,
    e.rank,
    e.left_censored
FROM entries AS e
JOIN debuts AS d ON d.track_id = e.track_id

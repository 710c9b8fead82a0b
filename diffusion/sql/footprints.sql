-- One row per track and market entered on the track's day 0.
SELECT e.track_id, e.market, d.debut, e.left_censored
FROM debuts AS d
JOIN entries AS e ON e.track_id = d.track_id AND e.entry = d.debut

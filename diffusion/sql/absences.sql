-- One row per track and absence from every market's chart for $periods periods or longer. `periods` has the dates. Ids of
-- one identity are one track.
WITH own AS (
    SELECT DISTINCT track, date FROM observations WHERE chart = $chart AND market <> 'Global'
),
-- where ids share a date, only the last of these rows has a later date to come back on
followed AS (
    SELECT i.identity AS track, o.date, LEAD(o.date) OVER (PARTITION BY i.identity ORDER BY o.date) AS back_on
    FROM own AS o
    JOIN identities AS i ON i.track = o.track
),
away AS (
    SELECT track, date, back_on FROM followed WHERE back_on IS NULL OR DATEDIFF('day', date, back_on) > $periods
)
SELECT t.track_id, a.date AS last_on, n.date AS left_on, a.back_on
FROM away AS a
JOIN periods AS p ON p.date = a.date
JOIN periods AS n ON n.periods = p.periods + $periods AND n.counts
JOIN tracks AS t ON t.track = a.track
WHERE a.back_on IS NULL OR n.date < a.back_on

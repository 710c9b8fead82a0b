-- One row per track and market whose chart has it on one of the dates of `asked_dates`, with its best rank there. Ids of one
-- identity are one track.
SELECT o.market, o.date, i.identity AS track, MIN(o.rank) AS rank
FROM observations AS o
JOIN asked_dates AS d ON d.date = o.date
JOIN identities AS i ON i.track = o.track
WHERE o.chart = $chart AND o.market <> 'Global'
GROUP BY o.market, o.date, i.identity

-- One row per market and date of `asked_dates` with a chart: its tracks. Ids of one identity are one track.
SELECT o.market, o.date, COUNT(DISTINCT i.identity) AS depth
FROM observations AS o
JOIN asked_dates AS d ON d.date = o.date
JOIN identities AS i ON i.track = o.track
WHERE o.chart = $chart AND o.market <> 'Global'
GROUP BY o.market, o.date

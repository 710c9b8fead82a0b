-- One row per track id and market of one chart: its first date there and its best rank. The chart is the parameter.
SELECT t.track_id, o.market, MIN(o.date) AS first_date, MIN(o.rank) AS best_rank
FROM observations AS o
JOIN tracks AS t ON t.track = o.track
WHERE o.chart = $chart AND o.market <> 'Global'
GROUP BY t.track_id, o.market

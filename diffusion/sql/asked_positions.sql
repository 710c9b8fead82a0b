-- One row per track on one market's chart, with Global as a market, on one of the dates asked for of this track:
-- `asked_days` has them. The chart is the parameter.
SELECT o.date, o.market, o.track, o.rank, o.streams
FROM observations AS o
JOIN asked_days AS a ON a.track = o.track AND a.date = o.date
WHERE o.chart = $chart

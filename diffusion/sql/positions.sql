-- One row per track on one market's chart on one date, with Global as a market. The chart is the parameter.
SELECT date, market, track, rank, streams
FROM observations
WHERE chart = $chart

-- One row per track on one market's chart on one date, with Global as a market; chart and first date (text) are parameters.
SELECT date, market, track, rank, streams
FROM observations
WHERE chart = $chart AND date >= CAST($since AS DATE)

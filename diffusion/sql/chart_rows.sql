-- One row per track on one market's chart on one date, without Global.
SELECT chart, market, date, track_id, rank, streams
FROM observations
WHERE market <> 'Global'

-- One row per track on one market's chart on one date.
SELECT p.chart, p.market, p.date, p.track_id, p.rank, p.streams
FROM placings AS p
LEFT JOIN contested AS c
    ON c.chart = p.chart AND c.market = p.market AND c.date = p.date AND c.rank = p.rank
WHERE c.rank IS NULL

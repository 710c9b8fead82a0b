-- One row per track and market: the track's first event there. `firsts` has the dates.
WITH starts AS (
    SELECT i.track AS member, f.track, f.market, f.entry
    FROM firsts AS f
    JOIN identities AS i ON i.identity = f.track
),
placed AS (
    SELECT
        s.track,
        s.market,
        o.chart,
        s.entry,
        o.rank,
        o.streams,
        ROW_NUMBER() OVER (PARTITION BY s.track, s.market ORDER BY o.rank, o.track) AS turn
    FROM observations AS o
    JOIN starts AS s ON s.member = o.track AND s.market = o.market AND s.entry = o.date
    WHERE o.chart = $chart
)
SELECT
    t.track_id,
    p.market,
    p.chart,
    p.entry,
    c.previous AS last_without,
    p.rank,
    p.streams,
    DATEDIFF('day', s.first_date, p.entry) < $washout AS left_censored
FROM placed AS p
JOIN tracks AS t ON t.track = p.track
JOIN coverage AS c ON c.market = p.market AND c.chart = p.chart AND c.date = p.entry
JOIN spans AS s ON s.market = p.market AND s.chart = p.chart AND s.span = c.span
WHERE p.turn = 1

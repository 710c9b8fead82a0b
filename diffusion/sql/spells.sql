-- One row per track, market and spell: a stay at rank ≤ $top on observed charts in a row, without a long gap. Ids of one
-- identity are one track.
WITH periods AS (
    SELECT
        market,
        date,
        span,
        -- observed charts in a row have numbers in a row; a long gap leaves one out
        ROW_NUMBER() OVER (PARTITION BY market ORDER BY date) + span AS period
    FROM coverage
),
ends AS (
    SELECT span, market, MIN(period) AS first_period, MAX(period) AS last_period FROM periods GROUP BY span, market
),
numbered AS (
    SELECT
        i.identity AS track,
        o.market,
        p.span,
        p.period,
        -- constant while the track stays; ids of one recording share a chart
        p.period - DENSE_RANK() OVER (PARTITION BY i.identity, o.market ORDER BY p.period) AS stay,
        o.rank,
        o.streams
    FROM observations AS o
    JOIN identities AS i ON i.track = o.track
    JOIN periods AS p ON p.market = o.market AND p.date = o.date
    WHERE o.chart = $chart AND o.rank <= $top AND o.market <> 'Global'
),
stays AS (
    SELECT
        track,
        market,
        MIN(span) AS span,
        MIN(period) AS began,
        MAX(period) AS ended,
        MIN(rank) AS best_rank,
        -- rank and chart in one number: the best rank, and its first and last chart
        MIN(CAST(rank AS BIGINT) * 1000000 + period) AS best_first,
        MIN(CAST(rank AS BIGINT) * 1000000 - period) AS best_last,
        CASE WHEN COUNT(*) = COUNT(streams) THEN CAST(SUM(streams) AS BIGINT) END AS streams
    FROM numbered
    GROUP BY track, market, stay
),
dated AS (
    SELECT
        s.track,
        s.market,
        CAST(ROW_NUMBER() OVER (PARTITION BY s.track, s.market ORDER BY s.began) AS BIGINT) AS spell,
        f.date AS first_date,
        l.date AS last_date,
        s.ended - s.began + 1 AS charts,
        s.best_rank,
        b.date AS best_on,
        u.date AS best_until,
        s.streams,
        s.began = e.first_period AS left_censored,
        s.ended = e.last_period AS right_censored,
        LAG(s.span) OVER (PARTITION BY s.track, s.market ORDER BY s.began) = s.span AS followed,
        LAG(l.date) OVER (PARTITION BY s.track, s.market ORDER BY s.began) AS last_before
    FROM stays AS s
    JOIN ends AS e ON e.market = s.market AND e.span = s.span
    JOIN periods AS f ON f.market = s.market AND f.period = s.began
    JOIN periods AS l ON l.market = s.market AND l.period = s.ended
    JOIN periods AS b ON b.market = s.market AND b.period = s.best_first - CAST(s.best_rank AS BIGINT) * 1000000
    JOIN periods AS u ON u.market = s.market AND u.period = CAST(s.best_rank AS BIGINT) * 1000000 - s.best_last
)
SELECT
    t.track_id,
    d.market,
    d.spell,
    d.first_date,
    d.last_date,
    d.charts,
    d.best_rank,
    d.best_on,
    d.best_until,
    d.streams,
    d.left_censored,
    d.right_censored,
    CASE WHEN d.followed THEN DATEDIFF('day', d.last_before, d.first_date) END AS away
FROM dated AS d
JOIN tracks AS t ON t.track = d.track

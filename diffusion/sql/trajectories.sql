-- One row per track and market: the track's spells there put together. `spells` has them.
WITH summed AS (
    SELECT
        track_id,
        market,
        MIN(first_date) AS entry,
        MAX(last_date) AS last_date,
        COUNT(*) AS spells,
        COUNT(away) AS returns,
        CAST(SUM(charts) AS BIGINT) AS charts,
        MIN(best_rank) AS best_rank,
        CASE WHEN COUNT(*) = COUNT(streams) THEN CAST(SUM(streams) AS BIGINT) END AS streams,
        MIN(CASE WHEN spell = 2 THEN away END) AS away
    FROM spells
    GROUP BY track_id, market
),
best AS (
    SELECT s.track_id, s.market, MIN(s.best_on) AS best_on, MAX(s.best_until) AS best_until
    FROM spells AS s
    JOIN summed AS m ON m.track_id = s.track_id AND m.market = s.market AND m.best_rank = s.best_rank
    GROUP BY s.track_id, s.market
)
SELECT
    m.track_id,
    m.market,
    m.entry,
    DATEDIFF('day', c.first_date, m.entry) < $washout AS left_censored,
    m.charts,
    m.best_rank,
    b.best_on,
    b.best_until,
    DATEDIFF('day', m.entry, b.best_on) AS days_to_best,
    m.last_date,
    l.right_censored,
    m.spells,
    m.returns,
    f.charts AS first_charts,
    f.last_date AS first_until,
    NOT f.right_censored AS first_ended,
    m.away,
    DATEDIFF('day', f.last_date, c.last_date) AS followed,
    m.charts = 1 AS one_chart,
    m.streams
FROM summed AS m
JOIN best AS b ON b.track_id = m.track_id AND b.market = m.market
JOIN spells AS f ON f.track_id = m.track_id AND f.market = m.market AND f.spell = 1
JOIN spells AS l ON l.track_id = m.track_id AND l.market = m.market AND l.spell = m.spells
JOIN spans AS c ON c.market = m.market AND c.first_date <= m.entry AND c.last_date >= m.entry

-- One row per point that trajectories are aligned at, number of charts from it, measure and class of its value: how many
-- trajectories were there then. They are those with a timed entry whose $charts charts after the entry, or on both sides
-- of the best rank, were all observed without a long gap. `trajectories` has them.
WITH periods AS (
    SELECT market, date, span, ROW_NUMBER() OVER (PARTITION BY market ORDER BY date) AS period
    FROM coverage
),
ends AS (
    SELECT market, span, MIN(period) AS first_period, MAX(period) AS last_period FROM periods GROUP BY market, span
),
points AS (
    SELECT 'entry' AS aligned, track_id, market, entry AS point, 0 AS back
    FROM trajectories
    WHERE NOT left_censored
    UNION ALL
    SELECT 'best rank', track_id, market, best_on, $charts
    FROM trajectories
    WHERE NOT left_censored
),
followed AS (
    SELECT q.aligned, t.track, q.market, p.period AS point, p.period - q.back AS from_period
    FROM points AS q
    JOIN tracks AS t ON t.track_id = q.track_id
    JOIN periods AS p ON p.market = q.market AND p.date = q.point
    JOIN ends AS e ON e.market = p.market AND e.span = p.span
    WHERE p.period - q.back >= e.first_period AND p.period + $charts <= e.last_period
),
numbers AS (
    SELECT aligned, COUNT(*) AS followed FROM followed GROUP BY aligned
),
placed AS (
    SELECT
        f.aligned,
        f.track,
        f.market,
        p.period - f.point AS charts,
        MIN(o.rank) AS rank,
        CASE WHEN COUNT(*) = COUNT(o.streams) THEN CAST(SUM(o.streams) AS BIGINT) END AS streams
    FROM observations AS o
    JOIN identities AS i ON i.track = o.track
    JOIN periods AS p ON p.market = o.market AND p.date = o.date
    JOIN followed AS f ON f.track = i.identity AND f.market = o.market
    WHERE o.chart = $chart AND o.rank <= $top AND p.period >= f.from_period AND p.period <= f.point + $charts
    GROUP BY f.aligned, f.track, f.market, f.point, p.period
),
highest AS (
    SELECT
        aligned,
        charts,
        rank,
        streams,
        MAX(streams) OVER (PARTITION BY aligned, track, market) AS most
    FROM placed
),
valued AS (
    SELECT aligned, charts, 'rank' AS measure, CAST(rank AS BIGINT) AS value FROM highest
    UNION ALL
    SELECT
        aligned,
        charts,
        'streams',
        -- hundredths of a power of ten
        CAST(FLOOR(43.42944819032518 * (LN(streams) - LN(most))) AS BIGINT)
    FROM highest
    WHERE streams > 0
)
SELECT v.aligned, CAST(v.charts AS BIGINT) AS charts, v.measure, v.value, COUNT(*) AS trajectories, MAX(n.followed) AS followed
FROM valued AS v
JOIN numbers AS n ON n.aligned = v.aligned
GROUP BY v.aligned, v.charts, v.measure, v.value

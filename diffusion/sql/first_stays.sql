-- One row per track and market: the date on which the track had first stayed at rank ≤ $top for $min_periods observed
-- charts in a row, without a long gap: the last of these charts. Ids of one identity are one track.
WITH periods AS (
    SELECT market, chart, date, span, ROW_NUMBER() OVER (PARTITION BY market, chart ORDER BY date) AS period
    FROM coverage
),
placed AS (
    SELECT DISTINCT i.identity AS track, o.market, o.chart, o.date
    FROM observations AS o
    JOIN identities AS i ON i.track = o.track
    WHERE o.chart = $chart AND o.rank <= $top AND o.market <> 'Global'
),
numbered AS (
    SELECT
        p.track,
        p.market,
        c.span,
        c.period,
        -- constant while the track stays on the chart
        c.period - ROW_NUMBER() OVER (PARTITION BY p.track, p.market, c.span ORDER BY p.date) AS stay
    FROM placed AS p
    JOIN periods AS c ON c.market = p.market AND c.chart = p.chart AND c.date = p.date
),
stays AS (
    SELECT track, market, MIN(period) + $min_periods - 1 AS period
    FROM numbered
    GROUP BY track, market, span, stay
    HAVING COUNT(*) >= $min_periods
),
firsts AS (
    SELECT track, market, MIN(period) AS period FROM stays GROUP BY track, market
)
SELECT f.track, f.market, p.date AS entry
FROM firsts AS f
JOIN periods AS p ON p.market = f.market AND p.period = f.period

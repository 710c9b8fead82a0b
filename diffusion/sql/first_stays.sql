-- One row per track and market: the first date of a stay at rank ≤ $top for $min_periods observed charts in a row,
-- without a long gap. Ids of one identity are one track.
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
        p.date,
        c.span,
        -- constant while the track stays on the chart
        c.period - ROW_NUMBER() OVER (PARTITION BY p.track, p.market, c.span ORDER BY p.date) AS stay
    FROM placed AS p
    JOIN periods AS c ON c.market = p.market AND c.chart = p.chart AND c.date = p.date
),
stays AS (
    SELECT track, market, MIN(date) AS began
    FROM numbered
    GROUP BY track, market, span, stay
    HAVING COUNT(*) >= $min_periods
)
SELECT track, market, MIN(began) AS entry
FROM stays
GROUP BY track, market

-- One row per track and market: the first of $min_periods charts in a row, as observed and without a long gap, on which
-- it stood at rank ≤ $top, ids of one identity taken together.
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
        -- constant while a track stays on the chart from one observed date to the next
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

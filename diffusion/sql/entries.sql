-- One row per track and market: the track's first event there.
-- An event begins with the first of $min_periods charts in a row, as observed and without a long gap, at rank ≤ $top.
WITH periods AS (
    SELECT market, chart, date, previous, span, ROW_NUMBER() OVER (PARTITION BY market, chart ORDER BY date) AS period
    FROM coverage
),
placed AS (
    SELECT i.identity AS track_id, r.market, r.chart, r.date, MIN(r.rank) AS rank
    FROM chart_rows AS r
    JOIN identities AS i ON i.track_id = r.track_id
    WHERE r.chart = $chart AND r.rank <= $top
    GROUP BY i.identity, r.market, r.chart, r.date
),
numbered AS (
    SELECT
        p.track_id,
        p.market,
        p.chart,
        p.date,
        c.span,
        -- constant while a track stays on the chart from one observed date to the next
        c.period - ROW_NUMBER() OVER (PARTITION BY p.track_id, p.market, p.chart, c.span ORDER BY p.date) AS stay
    FROM placed AS p
    JOIN periods AS c ON c.market = p.market AND c.chart = p.chart AND c.date = p.date
),
stays AS (
    SELECT track_id, market, chart, MIN(date) AS began
    FROM numbered
    GROUP BY track_id, market, chart, span, stay
    HAVING COUNT(*) >= $min_periods
),
firsts AS (
    SELECT track_id, market, chart, MIN(began) AS entry FROM stays GROUP BY track_id, market, chart
)
SELECT
    f.track_id,
    f.market,
    f.chart,
    f.entry,
    c.previous AS last_without,
    p.rank,
    r.streams,
    f.entry < s.first_date + $washout AS left_censored
FROM firsts AS f
JOIN placed AS p ON p.track_id = f.track_id AND p.market = f.market AND p.chart = f.chart AND p.date = f.entry
JOIN chart_rows AS r ON r.market = p.market AND r.chart = p.chart AND r.date = p.date AND r.rank = p.rank
JOIN periods AS c ON c.market = f.market AND c.chart = f.chart AND c.date = f.entry
JOIN spans AS s ON s.market = f.market AND s.chart = f.chart AND s.span = c.span

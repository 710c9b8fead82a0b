-- One row per track of one chart, Global included, with rows on the dates of `asked_dates`: how many, and where they begin.
-- The chart is the parameter.
WITH own AS (
    SELECT o.track, o.date, o.market
    FROM observations AS o
    JOIN asked_dates AS d ON d.date = o.date
    WHERE o.chart = $chart
),
firsts AS (
    SELECT track, MIN(date) AS first_date, COUNT(*) AS chart_rows FROM own GROUP BY track
)
SELECT f.track, f.first_date, MIN(o.market) AS first_market, f.chart_rows
FROM firsts AS f
JOIN own AS o ON o.track = f.track AND o.date = f.first_date
GROUP BY f.track, f.first_date, f.chart_rows

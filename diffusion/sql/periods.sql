-- One row per date on which some market's chart was observed. The dates on which more than half of the markets in
-- coverage were observed are the periods of the chart.
WITH dates AS (
    SELECT date, COUNT(*) AS observed FROM coverage GROUP BY date
),
counted AS (
    SELECT d.date, d.observed, COUNT(*) AS covered
    FROM dates AS d
    JOIN spans AS s ON s.first_date <= d.date AND s.last_date >= d.date
    GROUP BY d.date, d.observed
)
SELECT
    date,
    observed,
    covered,
    2 * observed > covered AS counts,
    CAST(SUM(CASE WHEN 2 * observed > covered THEN 1 ELSE 0 END) OVER (ORDER BY date ROWS UNBOUNDED PRECEDING)
        AS BIGINT) AS periods
FROM counted

-- One row per file: its span. Breaks of more than $break_days days divide the dates; the part with most rows counts.
WITH days AS (
    SELECT source, date, SUM(source_rows) AS source_rows
    FROM date_texts
    WHERE date IS NOT NULL
    GROUP BY source, date
),
steps AS (
    SELECT source, date, source_rows, LAG(date) OVER (PARTITION BY source ORDER BY date) AS previous
    FROM days
),
stretches AS (
    SELECT
        source,
        date,
        source_rows,
        SUM(CASE WHEN DATEDIFF('day', previous, date) > $break_days THEN 1 ELSE 0 END)
            OVER (PARTITION BY source ORDER BY date ROWS UNBOUNDED PRECEDING) AS stretch
    FROM steps
),
sizes AS (
    SELECT source, stretch, SUM(source_rows) AS source_rows, MIN(date) AS first_date, MAX(date) AS last_date
    FROM stretches
    GROUP BY source, stretch
),
best AS (
    SELECT source, first_date, last_date, ROW_NUMBER() OVER (PARTITION BY source ORDER BY source_rows DESC, stretch) AS place
    FROM sizes
)
SELECT source, first_date, last_date
FROM best
WHERE place = 1

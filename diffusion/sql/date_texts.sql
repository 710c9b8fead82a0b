-- One row per file and text of a date, with the date; null where the text is ambiguous.
-- The pattern $day reads YYYY-MM-DD, YYYY/MM/DD and YYYYMMDD, also with a time. The date of a weekly chart
-- is its last day; a week that ends on its first day is a snapshot of that day.
WITH texts AS (
    SELECT file, date, week_start, week_end, COUNT(*) AS source_rows
    FROM source_rows
    GROUP BY file, date, week_start, week_end
),
all_texts AS (
    SELECT
        f.source,
        CASE WHEN t.week_start IS NULL THEN t.date
            ELSE COALESCE(t.date, '') || '|' || t.week_start || '|' || COALESCE(t.week_end, '') END AS day_text,
        t.source_rows
    FROM texts AS t
    JOIN files AS f ON f.file = t.file
    UNION ALL
    SELECT source, day_text, 0 FROM misplaced_rows
),
parts AS (
    SELECT
        source,
        day_text,
        SUM(source_rows) AS source_rows,
        TRIM(REGEXP_EXTRACT(day_text, '^[^|]*')) AS date_text,
        TRIM(REGEXP_EXTRACT(day_text, '^[^|]*[|]([^|]*)', 1)) AS start_text,
        TRIM(REGEXP_EXTRACT(day_text, '^[^|]*[|][^|]*[|]([^\n]*)\z', 1)) AS end_text
    FROM all_texts
    WHERE day_text IS NOT NULL
    GROUP BY source, day_text
),
plain AS (
    SELECT
        source,
        day_text,
        source_rows,
        REPLACE(REPLACE(REGEXP_EXTRACT(date_text, $day, 1), '/', ''), '-', '') AS day,
        REPLACE(REPLACE(REGEXP_EXTRACT(start_text, $day, 1), '/', ''), '-', '') AS first_day,
        SUBSTR(start_text, 1, 10) = SUBSTR(end_text, 1, 10) AS one_day_week
    FROM parts
),
days AS (
    SELECT
        source,
        day_text,
        source_rows,
        one_day_week,
        TRY_CAST(SUBSTR(day, 1, 4) || '-' || SUBSTR(day, 5, 2) || '-' || SUBSTR(day, 7, 2) AS DATE) AS day,
        TRY_CAST(SUBSTR(first_day, 1, 4) || '-' || SUBSTR(first_day, 5, 2) || '-' || SUBSTR(first_day, 7, 2) AS DATE)
            AS first_day
    FROM plain
)
SELECT
    source,
    day_text,
    CAST(source_rows AS BIGINT) AS source_rows,
    COALESCE(day, CASE WHEN one_day_week THEN first_day ELSE CAST(first_day + INTERVAL 6 DAY AS DATE) END) AS date
FROM days

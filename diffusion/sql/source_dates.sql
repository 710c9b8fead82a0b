-- One row per file and text of a chart's date: the date, or date, first and last day of the week, divided by |.
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
)
SELECT source, day_text, CAST(SUM(source_rows) AS BIGINT) AS source_rows
FROM all_texts
WHERE day_text IS NOT NULL
GROUP BY source, day_text

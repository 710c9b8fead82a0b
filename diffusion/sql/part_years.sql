-- One row per Parquet file of RAW, source file and year; year 0 for rows whose date cannot be read.
WITH texts AS (
    SELECT part, file, date, week_start, week_end
    FROM source_rows
    GROUP BY part, file, date, week_start, week_end
),
spelled AS (
    SELECT
        t.part,
        f.source,
        CASE WHEN t.week_start IS NULL THEN t.date
            ELSE COALESCE(t.date, '') || '|' || t.week_start || '|' || COALESCE(t.week_end, '') END AS day_text
    FROM texts AS t
    JOIN files AS f ON f.file = t.file
    UNION ALL
    SELECT s.part, m.source, m.day_text
    FROM source_rows AS s
    JOIN files AS f ON f.file = s.file
    JOIN misplaced_rows AS m ON m.place = f.source * 1099511627776 + s.line
)
SELECT DISTINCT s.part, f.file, CAST(COALESCE(EXTRACT(YEAR FROM d.date), 0) AS BIGINT) AS year
FROM spelled AS s
JOIN files AS f ON f.source = s.source
LEFT JOIN days AS d ON d.source = s.source AND d.day_text = s.day_text

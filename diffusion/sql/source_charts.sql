-- One row per chart name in the source, in lower case; rows with shifted fields are left out.
WITH names AS (
    SELECT f.chart AS named_otherwise, s.chart, COUNT(*) AS source_rows
    FROM source_rows AS s
    JOIN files AS f ON f.file = s.file
    GROUP BY f.chart, s.chart
    UNION ALL
    SELECT f.chart, m.chart_before, -COUNT(*)
    FROM misplaced_rows AS m
    JOIN files AS f ON f.source = m.source
    GROUP BY f.chart, m.chart_before
),
plain AS (
    SELECT
        COALESCE(NULLIF(NULLIF(NULLIF(NULLIF(LOWER(TRIM(chart)), ''), 'nan'), 'none'), 'null'), named_otherwise) AS chart,
        source_rows
    FROM names
)
SELECT chart, CAST(SUM(source_rows) AS BIGINT) AS source_rows
FROM plain
GROUP BY chart
HAVING SUM(source_rows) > 0

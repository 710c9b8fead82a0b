-- One row per text of a rank in the source.
WITH texts AS (
    SELECT rank, COUNT(*) AS source_rows FROM source_rows GROUP BY rank
    UNION ALL
    SELECT rank, 0 FROM misplaced_rows
)
SELECT rank AS rank_text, CAST(SUM(source_rows) AS BIGINT) AS source_rows
FROM texts
WHERE rank IS NOT NULL
GROUP BY rank

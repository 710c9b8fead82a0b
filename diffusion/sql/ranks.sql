-- One row per text of a rank in the source, where the rank is a whole number from 1.
WITH texts AS (
    SELECT rank FROM source_rows GROUP BY rank
    UNION
    SELECT rank FROM misplaced_rows
),
numbers AS (
    SELECT rank AS rank_text, TRY_CAST(TRIM(rank) AS DOUBLE) AS number FROM texts
)
SELECT rank_text, CAST(FLOOR(number) AS INTEGER) AS rank
FROM numbers
WHERE number BETWEEN 1 AND 1000000 AND number = FLOOR(number)

-- One row per file with marks in its numbers of streams: how many have dots, or commas, that can only part thousands,
-- and how many have a fraction behind one.
WITH marked AS (
    SELECT f.source, TRIM(s.streams) AS streams
    FROM source_rows AS s
    JOIN files AS f ON f.file = s.file
    WHERE s.streams LIKE '%.%' OR s.streams LIKE '%,%'
),
forms AS (
    SELECT
        source,
        CASE WHEN streams LIKE '%.0' THEN 0
            WHEN REGEXP_MATCHES(streams, $dots) THEN 1
            WHEN REGEXP_MATCHES(streams, $one_dot) AND streams NOT LIKE '%.000' THEN 1
            ELSE 0 END AS dot_group,
        CASE WHEN REGEXP_MATCHES(streams, $dot_fraction) AND NOT REGEXP_MATCHES(streams, $one_dot) THEN 1
            ELSE 0 END AS dot_fraction,
        CASE WHEN streams NOT LIKE '%,%' THEN 0
            WHEN REGEXP_MATCHES(streams, $commas) THEN 1
            WHEN REGEXP_MATCHES(streams, $one_comma) AND streams NOT LIKE '%,000' THEN 1
            ELSE 0 END AS comma_group,
        CASE WHEN streams NOT LIKE '%,%' THEN 0
            WHEN REGEXP_MATCHES(streams, $comma_fraction) AND NOT REGEXP_MATCHES(streams, $one_comma) THEN 1
            ELSE 0 END AS comma_fraction
    FROM marked
)
SELECT
    source,
    CAST(SUM(dot_group) AS BIGINT) AS dot_groups,
    CAST(SUM(dot_fraction) AS BIGINT) AS dot_fractions,
    CAST(SUM(comma_group) AS BIGINT) AS comma_groups,
    CAST(SUM(comma_fraction) AS BIGINT) AS comma_fractions
FROM forms
GROUP BY source

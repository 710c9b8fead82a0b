-- One row per source: the most line ends within one of its fields, where a quote that closes too late shows.
SELECT COALESCE(MAX(LENGTH(field) - LENGTH(REPLACE(field, CHR(10), ''))), 0) AS line_ends
FROM (
    SELECT title AS field FROM source_rows
    UNION ALL
    SELECT artist FROM source_rows
    UNION ALL
    SELECT url FROM source_rows
    UNION ALL
    SELECT market FROM source_rows
    UNION ALL
    SELECT date FROM source_rows
    UNION ALL
    SELECT rank FROM source_rows
    UNION ALL
    SELECT track_id FROM source_rows
    UNION ALL
    SELECT streams FROM source_rows
    UNION ALL
    SELECT available_markets FROM source_rows
) AS fields

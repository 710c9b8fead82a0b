-- One row per file of the source.
SELECT file, COUNT(*) AS source_rows
FROM source_rows
GROUP BY file

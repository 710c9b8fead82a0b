-- One row per market name of the source.
SELECT TRIM(market) AS name, COUNT(*) AS source_rows
FROM source_rows
WHERE TRIM(market) <> ''
GROUP BY TRIM(market)

-- One row per market name of the source.
SELECT TRIM(market) AS name, COUNT(*) AS source_rows
FROM source_rows
WHERE LOWER(TRIM(market)) NOT IN ('', 'nan', 'none', 'null', '<na>')
GROUP BY TRIM(market)

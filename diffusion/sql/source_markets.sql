-- One row per market name in the source; rows with shifted fields are left out.
WITH names AS (
    SELECT market, COUNT(*) AS source_rows FROM source_rows GROUP BY market
    UNION ALL
    SELECT market_before, -COUNT(*) FROM misplaced_rows GROUP BY market_before
)
SELECT TRIM(market) AS name, CAST(SUM(source_rows) AS BIGINT) AS source_rows
FROM names
WHERE LOWER(TRIM(market)) NOT IN ('', 'nan', 'none', 'null', '<na>')
GROUP BY TRIM(market)
HAVING SUM(source_rows) > 0

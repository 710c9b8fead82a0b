-- One row per source: how many charts it has, and how many of them have a rank 0.
WITH charts AS (
    SELECT
        r.market_text,
        r.day_text,
        r.chart_text,
        MAX(CASE WHEN k.rank = 0 THEN 1 ELSE 0 END) AS zero
    FROM identified_rows AS r
    JOIN ranks AS k ON k.rank_text = r.rank
    GROUP BY r.market_text, r.day_text, r.chart_text
)
SELECT COUNT(*) AS charts, CAST(SUM(zero) AS BIGINT) AS zero_charts
FROM charts

-- One row per reading that shares its rank on one chart with another track: none of them is trusted.
-- Ranks are set as bits, fifty to a number: with fewer bits than rows, some rank occurs twice.
WITH crowded AS (
    SELECT chart, market, date, FLOOR(rank / 50) AS fifty
    FROM readings
    WHERE reason IS NULL
    GROUP BY chart, market, date, FLOOR(rank / 50)
    HAVING COUNT(*) > BIT_COUNT(BIT_OR(CAST(1 AS BIGINT) << CAST(rank % 50 AS INTEGER)))
),
claims AS (
    SELECT r.place, r.chart, r.market, r.date, r.rank
    FROM readings AS r
    JOIN crowded AS c
        ON c.chart = r.chart AND c.market = r.market AND c.date = r.date AND c.fifty = FLOOR(r.rank / 50)
    LEFT JOIN outliers AS o ON o.place = r.place
    LEFT JOIN repeats AS a ON a.place = r.place
    WHERE r.reason IS NULL AND o.place IS NULL AND a.place IS NULL
),
counted AS (
    SELECT place, COUNT(*) OVER (PARTITION BY chart, market, date, rank) AS claims
    FROM claims
)
SELECT place
FROM counted
WHERE claims > 1

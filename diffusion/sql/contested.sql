-- One row per reading that shares its rank on one chart with another track, and whether this is a tie: with n tracks on
-- a rank, the next n - 1 ranks are left out, and a later one is there. Otherwise none of the tracks is trusted.
-- Ranks are set as bits, fifty to a number: with fewer bits than rows, some rank occurs twice.
WITH crowded AS (
    SELECT DISTINCT chart, market, date
    FROM (
        SELECT chart, market, date
        FROM readings
        WHERE reason IS NULL
        GROUP BY chart, market, date, FLOOR(rank / 50)
        HAVING COUNT(*) > BIT_COUNT(BIT_OR(CAST(1 AS BIGINT) << CAST(rank % 50 AS INTEGER)))
    ) AS fifties
),
-- all rows of these charts with a rank: one that is not trusted still shows that its rank is not left out
placed AS (
    SELECT
        r.place,
        r.chart,
        r.market,
        r.date,
        r.rank,
        CASE WHEN r.reason IS NULL AND o.place IS NULL AND a.place IS NULL THEN 1 ELSE 0 END AS claim
    FROM readings AS r
    JOIN crowded AS c ON c.chart = r.chart AND c.market = r.market AND c.date = r.date
    LEFT JOIN outliers AS o ON o.place = r.place
    LEFT JOIN repeats AS a ON a.place = r.place
    WHERE r.rank IS NOT NULL
),
taken AS (
    SELECT
        chart,
        market,
        date,
        rank,
        SUM(claim) AS claims,
        LEAD(rank) OVER (PARTITION BY chart, market, date ORDER BY rank) AS next_rank
    FROM placed
    GROUP BY chart, market, date, rank
)
SELECT p.place, COALESCE(t.next_rank >= t.rank + t.claims, FALSE) AS tie
FROM placed AS p
JOIN taken AS t ON t.chart = p.chart AND t.market = p.market AND t.date = p.date AND t.rank = p.rank
WHERE p.claim = 1 AND t.claims > 1

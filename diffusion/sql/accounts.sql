-- One row per file and outcome of its rows; the outcomes add up to all rows read.
WITH counted AS (
    SELECT
        r.source,
        r.market,
        r.reason,
        v.outcome,
        r.repaired,
        COALESCE(t.tie, FALSE) AS tied,
        COUNT(*) AS source_rows
    FROM readings AS r
    LEFT JOIN verdicts AS v ON v.place = r.place
    LEFT JOIN contested AS t ON t.place = r.place
    GROUP BY r.source, r.market, r.reason, v.outcome, r.repaired, COALESCE(t.tie, FALSE)
)
SELECT
    f.file,
    COALESCE(c.reason, c.outcome, 'kept') AS outcome,
    CAST(SUM(c.source_rows) AS BIGINT) AS source_rows,
    CAST(SUM(CASE WHEN c.repaired AND c.outcome IS NULL THEN c.source_rows ELSE 0 END) AS BIGINT) AS repaired_rows,
    CAST(SUM(CASE WHEN c.tied THEN c.source_rows ELSE 0 END) AS BIGINT) AS tied_rows,
    CAST(SUM(CASE WHEN m.market = 'Global' THEN c.source_rows ELSE 0 END) AS BIGINT) AS global_rows
FROM counted AS c
JOIN files AS f ON f.source = c.source
LEFT JOIN market_codes AS m ON m.code = c.market
GROUP BY f.file, COALESCE(c.reason, c.outcome, 'kept')

-- One row per track and market whose licence list is known and leaves the market out.
-- A list without any code, such as '[]', says nothing; lists that differ between rows of one track are added up.
WITH listed AS (
    SELECT
        i.identity AS track_id,
        CASE WHEN REGEXP_MATCHES(t.available_markets, '[A-Z]{2}') THEN t.available_markets END AS licence
    FROM tracks AS t
    JOIN identities AS i ON i.track_id = t.track_id
),
known AS (
    SELECT track_id FROM listed GROUP BY track_id HAVING COUNT(*) = COUNT(licence)
),
markets AS (
    SELECT DISTINCT market FROM coverage
)
SELECT l.track_id, m.market
FROM known AS k
JOIN listed AS l ON l.track_id = k.track_id
CROSS JOIN markets AS m
GROUP BY l.track_id, m.market
HAVING MAX(CASE WHEN REGEXP_MATCHES(l.licence, '(^|[^A-Z])' || m.market || '([^A-Z]|$)') THEN 1 ELSE 0 END) = 0

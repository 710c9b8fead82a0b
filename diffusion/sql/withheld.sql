-- One row per track and market whose licence list is known and leaves the market out.
-- An identity's list is known where every id's is; lists that differ between its ids are added up.
WITH listed AS (
    SELECT DISTINCT track FROM availability
),
known AS (
    SELECT i.identity
    FROM identities AS i
    LEFT JOIN listed AS l ON l.track = i.track
    GROUP BY i.identity
    HAVING COUNT(*) = COUNT(l.track)
),
licensed AS (
    SELECT DISTINCT i.identity, a.market
    FROM availability AS a
    JOIN identities AS i ON i.track = a.track
),
markets AS (
    SELECT DISTINCT market FROM coverage
)
SELECT t.track_id, m.market
FROM known AS k
CROSS JOIN markets AS m
JOIN tracks AS t ON t.track = k.identity
LEFT JOIN licensed AS l ON l.identity = k.identity AND l.market = m.market
WHERE l.identity IS NULL

-- One row per track and market, where the track's licence list is known and does not name the market.
-- The list of an identity is known when those of all its ids are; it is the union of theirs. Most lists name every
-- market: the other lists are found by counting, and only they are compared market by market.
WITH markets AS (
    SELECT DISTINCT market FROM coverage
),
listed AS (
    SELECT a.track, COUNT(m.market) AS markets
    FROM availability AS a
    LEFT JOIN markets AS m ON m.market = a.market
    GROUP BY a.track
),
known AS (
    SELECT i.identity
    FROM identities AS i
    LEFT JOIN listed AS l ON l.track = i.track
    GROUP BY i.identity
    HAVING COUNT(*) = COUNT(l.track) AND MAX(l.markets) < (SELECT COUNT(*) FROM markets)
),
members AS (
    SELECT i.track, i.identity
    FROM identities AS i
    JOIN known AS k ON k.identity = i.identity
),
licensed AS (
    SELECT DISTINCT i.identity, a.market
    FROM availability AS a
    JOIN members AS i ON i.track = a.track
)
SELECT t.track_id, m.market
FROM known AS k
CROSS JOIN markets AS m
JOIN tracks AS t ON t.track = k.identity
LEFT JOIN licensed AS l ON l.identity = k.identity AND l.market = m.market
WHERE l.identity IS NULL

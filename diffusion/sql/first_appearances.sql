-- One row per track and market: the first date at rank ≤ $top. Ids of one identity are one track.
WITH own AS (
    SELECT track, market, MIN(date) AS entry
    FROM observations
    WHERE chart = $chart AND rank <= $top AND market <> 'Global'
    GROUP BY track, market
)
SELECT i.identity AS track, o.market, MIN(o.entry) AS entry
FROM own AS o
JOIN identities AS i ON i.track = o.track
GROUP BY i.identity, o.market

-- One row per track on one of the charts of `compared_charts`, with its best rank there. Ids of one identity are one track.
WITH dates AS (
    SELECT DISTINCT date FROM compared_charts
),
placed AS (
    SELECT o.market, o.date, i.identity AS track, MIN(o.rank) AS rank
    FROM observations AS o
    JOIN dates AS d ON d.date = o.date
    JOIN identities AS i ON i.track = o.track
    WHERE o.chart = $chart AND o.market <> 'Global'
    GROUP BY o.market, o.date, i.identity
)
SELECT p.market, p.date, c.turn, p.track, p.rank
FROM placed AS p
JOIN compared_charts AS c ON c.market = p.market AND c.date = p.date

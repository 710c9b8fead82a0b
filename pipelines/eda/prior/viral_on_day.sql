-- One row per track that is on a Viral 50 on its first date on the Top 200, in the markets that the earlier study models.
WITH debuts AS (
    SELECT track, MIN(date) AS debut
    FROM observations
    WHERE chart = 'top200' AND market NOT IN ('Global', 'KR', 'RU', 'UA', 'LU', 'EG', 'MA', 'SA')
    GROUP BY track
)
SELECT DISTINCT o.track
FROM observations AS o
JOIN debuts AS d ON d.track = o.track AND d.debut = o.date
WHERE o.chart = 'viral50' AND o.market NOT IN ('Global', 'KR', 'RU', 'UA', 'LU', 'EG', 'MA', 'SA')
ORDER BY o.track

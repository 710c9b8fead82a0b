-- One row per string of credited artists on the Top 200 of markets: rows, tracks and markets.
SELECT
    t.artist,
    COUNT(*) AS chart_rows,
    COUNT(DISTINCT o.track) AS tracks,
    COUNT(DISTINCT o.market) AS markets
FROM observations AS o
JOIN tracks AS t ON t.track = o.track
WHERE o.chart = 'top200' AND o.market <> 'Global' AND t.artist IS NOT NULL
GROUP BY t.artist
ORDER BY t.artist

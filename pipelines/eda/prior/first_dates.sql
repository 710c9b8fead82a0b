-- One row per chart, track and market (without Global): first date, the rank on it, and number of dates.
SELECT chart, track, market, MIN(date) AS entry, ARG_MIN(rank, date) AS rank, COUNT(*) AS dates
FROM observations
WHERE market <> 'Global' AND chart IN ('top200', 'viral50')
GROUP BY chart, track, market
ORDER BY chart, track, market

-- One row per track and market that the track's list of licences names. Any text with pairs of capitals is a list.
WITH listed AS (
    SELECT
        track,
        track_id,
        -- only pairs of capitals are left, separated by one blank
        TRIM(REGEXP_REPLACE(REGEXP_REPLACE(available_markets, '[0-9A-Za-z]{3,}|\b[0-9A-Za-z]\b', ' ', 'g'), '[^A-Z]+', ' ', 'g'))
            AS codes
    FROM track_fields
    WHERE REGEXP_MATCHES(available_markets, '[A-Z]{2}')
)
SELECT DISTINCT l.track, l.track_id, SUBSTR(l.codes, 3 * n.number - 2, 2) AS market
FROM listed AS l
JOIN numbers AS n ON 3 * n.number <= LENGTH(l.codes) + 1
UNION ALL
SELECT k.track, k.track_id, k.market
FROM known_availability AS k
LEFT JOIN track_fields AS f ON f.track = k.track
WHERE f.track IS NULL

-- One row per track id of the source: one spelling of its title and artist, the same whatever the order of the rows.
SELECT
    track_id,
    MIN(NULLIF(TRIM(title), '')) AS title,
    MIN(NULLIF(TRIM(artist), '')) AS artist,
    STRING_AGG(DISTINCT NULLIF(TRIM(available_markets), ''), ' ' ORDER BY NULLIF(TRIM(available_markets), ''))
        AS available_markets
FROM identified_rows
WHERE track_id IS NOT NULL
GROUP BY track_id

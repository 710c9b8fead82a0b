-- One row per source row, with the track id taken from the url where the source gives none.
SELECT
    market,
    date,
    week_start,
    week_end,
    chart,
    rank,
    streams,
    title,
    artist,
    available_markets,
    CASE WHEN LOWER(TRIM(COALESCE(track_id, ''))) IN ('', 'nan', 'none', 'null', '<na>')
        THEN NULLIF(REGEXP_EXTRACT(url, 'track[/:]([^/?#[:space:]]+)', 1), '')
        ELSE TRIM(track_id) END AS track_id
FROM source_rows

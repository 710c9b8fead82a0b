-- One row per source row: its fields, and the texts of its date and its track id.
-- Rows with shifted fields have the fields that could be repaired.
SELECT
    p.source,
    p.place,
    p.market_text,
    CASE WHEN p.week_start IS NULL THEN p.date
        ELSE COALESCE(p.date, '') || '|' || p.week_start || '|' || COALESCE(p.week_end, '') END AS day_text,
    p.chart_text,
    p.rank,
    p.streams,
    p.streams_number,
    p.trend_text,
    p.title,
    p.artist,
    p.album,
    p.release_date,
    p.explicit,
    p.duration_ms,
    p.popularity,
    p.available_markets,
    p.af_danceability,
    p.af_energy,
    p.af_key,
    p.af_loudness,
    p.af_mode,
    p.af_speechiness,
    p.af_acousticness,
    p.af_instrumentalness,
    p.af_liveness,
    p.af_valence,
    p.af_tempo,
    p.af_time_signature,
    -- the id where it is too long for a word such as 'null'; else the link; else title and artist if there is neither;
    -- else both
    CASE
        WHEN LENGTH(p.track_id) > 6 THEN p.track_id
        WHEN p.track_id IS NULL AND (p.url LIKE '%track/%' OR p.url LIKE '%track:%') THEN p.url
        WHEN LOWER(COALESCE(TRIM(p.track_id), '')) IN ('', 'nan', 'none', 'null', '<na>')
            AND LOWER(COALESCE(TRIM(p.url), '')) IN ('', 'nan', 'none', 'null', '<na>')
            THEN '|||' || COALESCE(p.title, '') || '|||' || COALESCE(p.artist, '')
        ELSE '|' || COALESCE(p.track_id, '') || '|' || COALESCE(p.url, '')
    END AS id_text,
    NULL AS fault,
    FALSE AS repaired
FROM placed_rows AS p
LEFT JOIN misplaced_rows AS m ON m.place = p.place
WHERE m.place IS NULL
UNION ALL
SELECT
    source,
    place,
    market_text,
    day_text,
    chart_text,
    rank,
    streams,
    TRY_CAST(streams AS DOUBLE),
    trend_text,
    NULL,
    artist,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    link,
    fault,
    fault IS NULL
FROM misplaced_rows

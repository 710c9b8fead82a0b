-- One row per track whose fields are read from this source: those of its first row with a title, else its first row.
WITH firsts AS (
    SELECT
        c.track,
        c.track_id,
        COALESCE(MIN(i.titled_place), MIN(i.place)) AS place
    FROM id_texts AS i
    JOIN track_codes AS c ON c.track_id = i.track_id
    LEFT JOIN known_tracks AS k ON k.track = c.track
    GROUP BY c.track, c.track_id
    HAVING MAX(CASE WHEN k.track IS NULL THEN 1 ELSE 0 END) = 1
        OR (MAX(CASE WHEN k.title IS NULL THEN 1 ELSE 0 END) = 1 AND MIN(i.titled_place) IS NOT NULL)
)
SELECT
    f.track,
    f.track_id,
    CASE WHEN LOWER(TRIM(r.title)) NOT IN ('', 'nan', 'none', 'null', '<na>') THEN TRIM(r.title) END AS title,
    CASE WHEN LOWER(TRIM(r.artist)) NOT IN ('', 'nan', 'none', 'null', '<na>') THEN TRIM(r.artist) END AS artist,
    CASE WHEN LOWER(TRIM(r.album)) NOT IN ('', 'nan', 'none', 'null', '<na>') THEN TRIM(r.album) END AS album,
    TRIM(r.release_date) AS release_text,
    LOWER(TRIM(r.explicit)) AS explicit_text,
    TRY_CAST(r.duration_ms AS DOUBLE) AS duration_ms,
    TRY_CAST(r.popularity AS DOUBLE) AS popularity,
    TRY_CAST(CASE WHEN LOWER(r.af_danceability) NOT LIKE '%n%' THEN r.af_danceability END AS DOUBLE)
        AS af_danceability,
    TRY_CAST(CASE WHEN LOWER(r.af_energy) NOT LIKE '%n%' THEN r.af_energy END AS DOUBLE)
        AS af_energy,
    TRY_CAST(CASE WHEN LOWER(r.af_key) NOT LIKE '%n%' THEN r.af_key END AS DOUBLE)
        AS af_key,
    TRY_CAST(CASE WHEN LOWER(r.af_loudness) NOT LIKE '%n%' THEN r.af_loudness END AS DOUBLE)
        AS af_loudness,
    TRY_CAST(CASE WHEN LOWER(r.af_mode) NOT LIKE '%n%' THEN r.af_mode END AS DOUBLE)
        AS af_mode,
    TRY_CAST(CASE WHEN LOWER(r.af_speechiness) NOT LIKE '%n%' THEN r.af_speechiness END AS DOUBLE)
        AS af_speechiness,
    TRY_CAST(CASE WHEN LOWER(r.af_acousticness) NOT LIKE '%n%' THEN r.af_acousticness END AS DOUBLE)
        AS af_acousticness,
    TRY_CAST(CASE WHEN LOWER(r.af_instrumentalness) NOT LIKE '%n%' THEN r.af_instrumentalness END AS DOUBLE)
        AS af_instrumentalness,
    TRY_CAST(CASE WHEN LOWER(r.af_liveness) NOT LIKE '%n%' THEN r.af_liveness END AS DOUBLE)
        AS af_liveness,
    TRY_CAST(CASE WHEN LOWER(r.af_valence) NOT LIKE '%n%' THEN r.af_valence END AS DOUBLE)
        AS af_valence,
    TRY_CAST(CASE WHEN LOWER(r.af_tempo) NOT LIKE '%n%' THEN r.af_tempo END AS DOUBLE)
        AS af_tempo,
    TRY_CAST(CASE WHEN LOWER(r.af_time_signature) NOT LIKE '%n%' THEN r.af_time_signature END AS DOUBLE)
        AS af_time_signature,
    r.available_markets
FROM identified_rows AS r
JOIN firsts AS f ON f.place = r.place

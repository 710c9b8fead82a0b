-- One row per track: its fields. Known fields are kept; a known track without title takes the fields of this source.
WITH debuts AS (
    SELECT track, MIN(date) AS debut FROM observations GROUP BY track
),
typed AS (
    SELECT
        track,
        track_id,
        title,
        artist,
        album,
        CASE
            WHEN REGEXP_MATCHES(release_text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN TRY_CAST(SUBSTR(release_text, 1, 10) AS DATE)
            WHEN REGEXP_MATCHES(release_text, '^[0-9]{4}-[0-9]{2}\z') THEN TRY_CAST(release_text || '-01' AS DATE)
            WHEN REGEXP_MATCHES(release_text, '^[0-9]{4}([.]0*)?\z') AND release_text NOT LIKE '0000%'
                THEN TRY_CAST(SUBSTR(release_text, 1, 4) || '-01-01' AS DATE)
        END AS release_date,
        CASE
            WHEN REGEXP_MATCHES(release_text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN 'day'
            WHEN REGEXP_MATCHES(release_text, '^[0-9]{4}-[0-9]{2}\z') THEN 'month'
            ELSE 'year'
        END AS precision,
        CASE WHEN explicit_text IN ('true', '1', '1.0') THEN TRUE WHEN explicit_text IN ('false', '0', '0.0') THEN FALSE
        END AS explicit,
        CASE WHEN duration_ms BETWEEN 0 AND 1e12 AND duration_ms = FLOOR(duration_ms)
            THEN CAST(FLOOR(duration_ms) AS BIGINT) END AS duration_ms,
        CASE WHEN popularity BETWEEN 0 AND 1e6 AND popularity = FLOOR(popularity)
            THEN CAST(FLOOR(popularity) AS INTEGER) END AS popularity,
        af_danceability,
        af_energy,
        af_key,
        af_loudness,
        af_mode,
        af_speechiness,
        af_acousticness,
        af_instrumentalness,
        af_liveness,
        af_valence,
        af_tempo,
        af_time_signature
    FROM track_fields
),
told AS (
    SELECT
        track,
        track_id,
        title,
        artist,
        album,
        release_date,
        CASE WHEN release_date IS NOT NULL THEN precision END AS release_precision,
        explicit,
        duration_ms,
        popularity,
        af_danceability,
        af_energy,
        af_key,
        af_loudness,
        af_mode,
        af_speechiness,
        af_acousticness,
        af_instrumentalness,
        af_liveness,
        af_valence,
        af_tempo,
        af_time_signature
    FROM typed
    UNION ALL
    SELECT
        k.track,
        k.track_id,
        k.title,
        k.artist,
        k.album,
        k.release_date,
        k.release_precision,
        k.explicit,
        k.duration_ms,
        k.popularity,
        k.af_danceability,
        k.af_energy,
        k.af_key,
        k.af_loudness,
        k.af_mode,
        k.af_speechiness,
        k.af_acousticness,
        k.af_instrumentalness,
        k.af_liveness,
        k.af_valence,
        k.af_tempo,
        k.af_time_signature
    FROM known_tracks AS k
    LEFT JOIN track_fields AS f ON f.track = k.track
    WHERE f.track IS NULL
)
SELECT
    t.track,
    t.track_id,
    t.title,
    t.artist,
    t.album,
    t.release_date,
    t.release_precision,
    t.explicit,
    t.duration_ms,
    t.popularity,
    t.af_danceability,
    t.af_energy,
    t.af_key,
    t.af_loudness,
    t.af_mode,
    t.af_speechiness,
    t.af_acousticness,
    t.af_instrumentalness,
    t.af_liveness,
    t.af_valence,
    t.af_tempo,
    t.af_time_signature,
    COALESCE(t.duration_ms = 0, FALSE) AS zero_duration,
    COALESCE(t.af_tempo = 0, FALSE) AS zero_tempo,
    COALESCE(t.release_date > d.debut, FALSE) AS release_after_debut
FROM told AS t
LEFT JOIN debuts AS d ON d.track = t.track

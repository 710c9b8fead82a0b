-- One row per chart, market (with Global) and year: how many of its rows lack each column (_missing), and how many of these
-- are of dates on which no row of the chart has it (_absent).
WITH licensed AS (
    SELECT DISTINCT track FROM availability
),
-- of each date: its rows, and how many have the column
dates AS (
    SELECT
        o.chart,
        o.market,
        o.date,
        COUNT(*) AS chart_rows,
        COUNT(o.streams) AS streams,
        COUNT(o.trend) AS trend,
        COUNT(t.title) AS title,
        COUNT(t.artist) AS artist,
        COUNT(t.album) AS album,
        COUNT(t.release_date) AS release_date,
        COUNT(t.explicit) AS explicit,
        COUNT(t.duration_ms) AS duration_ms,
        COUNT(t.popularity) AS popularity,
        COUNT(
            COALESCE(
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
                t.af_time_signature
            )
        ) AS audio,
        COUNT(l.track) AS licences
    FROM observations AS o
    JOIN tracks AS t ON t.track = o.track
    LEFT JOIN licensed AS l ON l.track = o.track
    GROUP BY o.chart, o.market, o.date
)
SELECT
    chart,
    market,
    CAST(EXTRACT(YEAR FROM date) AS BIGINT) AS year,
    CAST(SUM(chart_rows) AS BIGINT) AS chart_rows,
    CAST(SUM(chart_rows - streams) AS BIGINT) AS streams_missing,
    CAST(SUM(CASE WHEN streams = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS streams_absent,
    CAST(SUM(chart_rows - trend) AS BIGINT) AS trend_missing,
    CAST(SUM(CASE WHEN trend = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS trend_absent,
    CAST(SUM(chart_rows - title) AS BIGINT) AS title_missing,
    CAST(SUM(CASE WHEN title = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS title_absent,
    CAST(SUM(chart_rows - artist) AS BIGINT) AS artist_missing,
    CAST(SUM(CASE WHEN artist = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS artist_absent,
    CAST(SUM(chart_rows - album) AS BIGINT) AS album_missing,
    CAST(SUM(CASE WHEN album = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS album_absent,
    CAST(SUM(chart_rows - release_date) AS BIGINT) AS release_date_missing,
    CAST(SUM(CASE WHEN release_date = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS release_date_absent,
    CAST(SUM(chart_rows - explicit) AS BIGINT) AS explicit_missing,
    CAST(SUM(CASE WHEN explicit = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS explicit_absent,
    CAST(SUM(chart_rows - duration_ms) AS BIGINT) AS duration_ms_missing,
    CAST(SUM(CASE WHEN duration_ms = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS duration_ms_absent,
    CAST(SUM(chart_rows - popularity) AS BIGINT) AS popularity_missing,
    CAST(SUM(CASE WHEN popularity = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS popularity_absent,
    CAST(SUM(chart_rows - audio) AS BIGINT) AS audio_missing,
    CAST(SUM(CASE WHEN audio = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS audio_absent,
    CAST(SUM(chart_rows - licences) AS BIGINT) AS licences_missing,
    CAST(SUM(CASE WHEN licences = 0 THEN chart_rows ELSE 0 END) AS BIGINT) AS licences_absent
FROM dates
GROUP BY chart, market, EXTRACT(YEAR FROM date)

-- One row: means of audio features over the rows of the Top 200 of markets, and correlations with log streams.
SELECT
    AVG(t.af_danceability) AS mean_danceability,
    AVG(t.af_energy) AS mean_energy,
    AVG(t.af_valence) AS mean_valence,
    AVG(t.af_tempo) AS mean_tempo,
    AVG(t.af_acousticness) AS mean_acousticness,
    AVG(t.af_speechiness) AS mean_speechiness,
    AVG(t.af_instrumentalness) AS mean_instrumentalness,
    AVG(t.af_liveness) AS mean_liveness,
    AVG(t.af_loudness) AS mean_loudness,
    AVG(t.af_mode) AS mean_mode,
    CORR(CASE WHEN o.streams > 0 THEN LN(o.streams) END, o.rank) AS log_streams_rank,
    CORR(CASE WHEN o.streams > 0 THEN LN(o.streams) END, t.af_speechiness) AS log_streams_speechiness,
    CORR(CASE WHEN o.streams > 0 THEN LN(o.streams) END, t.popularity) AS log_streams_popularity
FROM observations AS o
JOIN tracks AS t ON t.track = o.track
WHERE o.chart = 'top200' AND o.market <> 'Global'

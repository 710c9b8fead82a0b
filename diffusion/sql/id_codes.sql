-- One row per way the source says a track id, with the track's code.
SELECT i.id_text, t.track
FROM id_texts AS i
JOIN track_codes AS t ON t.track_id = i.track_id

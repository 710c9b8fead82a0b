-- One row per text of a track id in the source, with the track's code.
SELECT i.id_text, t.track
FROM id_texts AS i
JOIN track_codes AS t ON t.track_id = i.track_id

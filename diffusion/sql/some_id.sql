-- One row per source, if any of its rows has an id or a link of a track.
SELECT 1 AS rows_with_id
FROM identified_rows
WHERE id_text NOT LIKE '|||%'
LIMIT 1

-- One row per text of a track id in the source: the id, its first place, and its first place with a title.
WITH texts AS (
    SELECT
        id_text,
        MIN(place) AS place,
        MIN(CASE WHEN LOWER(TRIM(title)) NOT IN ('', 'nan', 'none', 'null', '<na>') THEN place END) AS titled_place
    FROM identified_rows
    WHERE id_text IS NOT NULL
    GROUP BY id_text
),
parts AS (
    SELECT
        id_text,
        place,
        titled_place,
        TRIM(CASE WHEN id_text LIKE '|%|%' THEN REGEXP_EXTRACT(id_text, '^[|]([^|]*)[|]', 1)
            WHEN NOT REGEXP_MATCHES(id_text, 'track[/:]') THEN id_text END) AS own,
        NULLIF(REGEXP_EXTRACT(id_text, 'track[/:]([^/?# \t\n\x0B\f\r]+)', 1), '') AS linked
    FROM texts
)
SELECT
    id_text,
    CASE WHEN LOWER(COALESCE(own, '')) IN ('', 'nan', 'none', 'null', '<na>') THEN linked ELSE own END AS track_id,
    place,
    titled_place
FROM parts

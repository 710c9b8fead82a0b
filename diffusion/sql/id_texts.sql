-- One row per text of a track id in the source: the id, its first place, and its first place with a title.
-- A text with title and artist has the id that it was given (title_ids), if any.
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
            WHEN NOT REGEXP_MATCHES(id_text, $link) THEN id_text END) AS own,
        COALESCE(
            NULLIF(REGEXP_EXTRACT(id_text, $link, 1), ''),
            NULLIF(REGEXP_EXTRACT(REGEXP_EXTRACT(id_text, '^[|][^|]*[|]([^|]*)\z', 1), $bare_id, 1), '')
        ) AS linked
    FROM texts
    WHERE id_text NOT LIKE '|||%'
)
SELECT
    id_text,
    CASE WHEN LOWER(COALESCE(own, '')) IN ('', 'nan', 'none', 'null', '<na>') THEN linked ELSE own END AS track_id,
    place,
    titled_place
FROM parts
UNION ALL
SELECT t.id_text, i.track_id, t.place, t.titled_place
FROM texts AS t
LEFT JOIN title_ids AS i ON i.id_text = t.id_text
WHERE t.id_text LIKE '|||%'

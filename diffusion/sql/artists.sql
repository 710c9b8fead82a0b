-- One row per artist credited for a track, in the order of the credits; "A, B" makes two rows.
WITH credited AS (
    SELECT track, track_id, artist, 1 + (LENGTH(artist) - LENGTH(REPLACE(artist, ', ', ''))) / 2 AS credits
    FROM tracks
    WHERE artist IS NOT NULL
),
split AS (
    SELECT c.track, c.track_id, n.number AS position, TRIM(SPLIT_PART(c.artist, ', ', n.number)) AS artist
    FROM credited AS c
    JOIN numbers AS n ON n.number <= c.credits
)
SELECT track, track_id, CAST(position AS INTEGER) AS position, artist
FROM split
WHERE artist <> ''

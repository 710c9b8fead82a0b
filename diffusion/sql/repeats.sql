-- One row per reading of a track that is on the same chart at the same or a better rank too.
WITH twice AS (
    SELECT chart, market, date, track
    FROM readings
    WHERE reason IS NULL
    GROUP BY chart, market, date, track
    HAVING COUNT(*) > 1
),
rivals AS (
    SELECT
        r.place,
        r.rank,
        COALESCE(r.streams, -1) AS streams,
        ROW_NUMBER() OVER (
            PARTITION BY r.chart, r.market, r.date, r.track ORDER BY r.rank, COALESCE(r.streams, -1) DESC, r.place) AS turn,
        FIRST_VALUE(r.rank) OVER (
            PARTITION BY r.chart, r.market, r.date, r.track ORDER BY r.rank, COALESCE(r.streams, -1) DESC, r.place
        ) AS best_rank,
        FIRST_VALUE(COALESCE(r.streams, -1)) OVER (
            PARTITION BY r.chart, r.market, r.date, r.track ORDER BY r.rank, COALESCE(r.streams, -1) DESC, r.place
        ) AS best_streams
    FROM readings AS r
    JOIN twice AS t ON t.chart = r.chart AND t.market = r.market AND t.date = r.date AND t.track = r.track
    LEFT JOIN outliers AS o ON o.place = r.place
    WHERE r.reason IS NULL AND o.place IS NULL
)
SELECT place, rank = best_rank AND streams = best_streams AS copy
FROM rivals
WHERE turn > 1

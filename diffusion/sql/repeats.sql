-- One row per reading of a track that is on the same chart at the same or a better rank too.
-- Days are set as bits, a month to a number: with fewer bits than rows, some day occurs twice.
WITH months AS (
    SELECT chart, market, track, EXTRACT(YEAR FROM date) AS year, EXTRACT(MONTH FROM date) AS month
    FROM readings
    WHERE reason IS NULL
    GROUP BY chart, market, track, EXTRACT(YEAR FROM date), EXTRACT(MONTH FROM date)
    HAVING COUNT(*) > BIT_COUNT(BIT_OR(CAST(1 AS BIGINT) << CAST(EXTRACT(DAY FROM date) AS INTEGER)))
),
twice AS (
    SELECT r.chart, r.market, r.date, r.track
    FROM readings AS r
    JOIN months AS m
        ON m.chart = r.chart AND m.market = r.market AND m.track = r.track
        AND m.year = EXTRACT(YEAR FROM r.date) AND m.month = EXTRACT(MONTH FROM r.date)
    WHERE r.reason IS NULL
    GROUP BY r.chart, r.market, r.date, r.track
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

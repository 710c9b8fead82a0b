-- One row per market, footprint size, language match, start, end and outcome: how many waits are alike in all of them.
WITH known AS (
    SELECT DISTINCT source AS market FROM pairs
),
spoken AS (
    SELECT DISTINCT f.track_id, p.target AS market
    FROM footprints AS f
    JOIN pairs AS p ON p.source = f.market
    WHERE p.common_language = 1
),
foreign_to_us AS (
    SELECT DISTINCT f.track_id
    FROM footprints AS f
    LEFT JOIN known AS k ON k.market = f.market
    WHERE k.market IS NULL
),
described AS (
    SELECT
        w.market,
        w.footprint,
        CASE
            WHEN s.market IS NOT NULL THEN TRUE
            WHEN k.market IS NOT NULL AND n.track_id IS NULL THEN FALSE
        END AS language_match,
        w.start,
        w.days,
        w.entered
    FROM waits AS w
    LEFT JOIN known AS k ON k.market = w.market
    LEFT JOIN spoken AS s ON s.track_id = w.track_id AND s.market = w.market
    LEFT JOIN foreign_to_us AS n ON n.track_id = w.track_id
)
SELECT market, footprint, language_match, start, days, entered, COUNT(*) AS waits
FROM described
GROUP BY market, footprint, language_match, start, days, entered

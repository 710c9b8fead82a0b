-- One row per reason why rows are set aside or lines are damaged: how many, and the first of them.
WITH aside AS (
    SELECT reason, COUNT(*) AS source_rows, MIN(place) AS place
    FROM set_aside
    GROUP BY reason
),
damaged AS (
    SELECT
        reason,
        file,
        line,
        row,
        COUNT(*) OVER (PARTITION BY reason) AS source_rows,
        ROW_NUMBER() OVER (PARTITION BY reason ORDER BY file, line) AS turn
    FROM damaged_rows
)
SELECT
    a.reason,
    a.source_rows,
    f.file,
    a.place - f.source * 1099511627776 AS line,
    r.market_text AS market,
    r.day_text AS date,
    r.rank,
    r.id_text AS track,
    r.streams,
    NULL AS row
FROM aside AS a
JOIN identified_rows AS r ON r.place = a.place
JOIN files AS f ON f.source = r.source
UNION ALL
SELECT reason, source_rows, file, line, NULL, NULL, NULL, NULL, NULL, row
FROM damaged
WHERE turn = 1

-- One row per thing that became of source rows, and how many: together they are all that was read.
SELECT 'kept' AS outcome, COUNT(*) AS source_rows FROM chart_rows
UNION ALL
SELECT 'duplicate', CAST(COALESCE(SUM(copies - 1), 0) AS BIGINT) FROM placings
UNION ALL
SELECT 'aggregate', COUNT(*) FROM readings WHERE reason IS NULL AND aggregate
UNION ALL
SELECT 'two tracks on one rank', CAST(COALESCE(SUM(claims), 0) AS BIGINT) FROM contested
UNION ALL
SELECT reason, COUNT(*) FROM readings WHERE reason IS NOT NULL GROUP BY reason
UNION ALL
SELECT 'streams unreadable', COUNT(*) FROM readings WHERE reason IS NULL AND streams_unreadable

-- One row per reason for which lines of the source are damaged.
SELECT reason, COUNT(*) AS lines
FROM damaged_rows
GROUP BY reason

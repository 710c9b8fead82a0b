-- One row per source row set aside: its file and line, the reason, and the row as it was.
SELECT f.file, s.line, a.reason, s.row
FROM raw_rows AS s
JOIN files AS f ON f.file = s.file
JOIN set_aside AS a ON a.place = f.source * 1099511627776 + s.line

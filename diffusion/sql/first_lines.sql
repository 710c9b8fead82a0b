-- One row per file whose rows have the text $text as their date or rank: the first line with it.
SELECT f.file, MIN(r.place) - f.source * 1099511627776 AS line
FROM identified_rows AS r
JOIN files AS f ON f.source = r.source
WHERE r.day_text = $text OR r.rank = $text
GROUP BY f.file, f.source

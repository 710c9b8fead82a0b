-- One row per file and readable text of a date: the date, and whether it is outside the file's span.
SELECT t.source, t.day_text, t.date, t.date NOT BETWEEN s.first_date AND s.last_date AS outside
FROM date_texts AS t
JOIN file_spans AS s ON s.source = t.source
WHERE t.date IS NOT NULL

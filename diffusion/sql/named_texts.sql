-- One row per text of title and artist of rows that have neither id nor link.
SELECT id_text
FROM identified_rows
WHERE id_text LIKE '|||%'
GROUP BY id_text

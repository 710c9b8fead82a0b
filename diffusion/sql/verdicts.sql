-- One row per readable row that is not kept, with the reason.
SELECT place, 'streams beyond the bound' AS outcome FROM outliers
UNION ALL
SELECT place, CASE WHEN copy THEN 'duplicate' ELSE 'same track again, at another rank or with other streams' END
FROM repeats
UNION ALL
SELECT place, 'two tracks on one rank' FROM contested WHERE NOT tie

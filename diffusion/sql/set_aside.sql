-- One row per source row that is neither kept nor a duplicate, with the reason.
SELECT place, outcome AS reason
FROM outcomes
WHERE outcome <> 'kept' AND outcome <> 'duplicate'

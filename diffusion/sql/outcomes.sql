-- One row per source row dated in the years asked for, and what became of it.
SELECT r.place, r.source, r.market, r.repaired, COALESCE(r.reason, v.outcome, 'kept') AS outcome
FROM readings AS r
LEFT JOIN verdicts AS v ON v.place = r.place

-- One row per source row of the years asked for, with its outcome.
SELECT r.place, r.source, r.market, r.repaired, COALESCE(r.reason, v.outcome, 'kept') AS outcome
FROM readings AS r
LEFT JOIN verdicts AS v ON v.place = r.place

-- One row per chart, market (with Global) and date: how deep the chart is, and how many of the ranks down to there are
-- missing. Tied tracks leave ranks out, which are not missing: rows are counted, not ranks.
SELECT
    chart,
    market,
    date,
    COUNT(*) AS chart_rows,
    MIN(rank) AS best_rank,
    MAX(rank) AS deepest_rank,
    GREATEST(CAST(MAX(rank) AS BIGINT) - COUNT(*), 0) AS missing
FROM observations
GROUP BY chart, market, date

-- One row per track on the chart of some market: sums of whole numbers over its rows, which are the same in any order.
-- `levels` has the means of every chart. The chart is the parameter.
WITH logs AS (
    SELECT
        o.track,
        CASE WHEN o.streams > 0 THEN CAST(o.rank AS BIGINT) END AS rank,
        CASE WHEN o.streams > 0 THEN CAST(FLOOR(4342.944819032518 * LN(o.streams)) AS BIGINT) END AS log,
        CASE WHEN o.streams > 0 THEN CAST(FLOOR(4342.944819032518 * LN(o.rank)) AS BIGINT) END AS log_rank,
        l.log AS log_level,
        l.log_rank AS log_rank_level
    FROM observations AS o
    JOIN levels AS l ON l.market = o.market AND l.date = o.date
    WHERE o.chart = $chart AND o.market <> 'Global'
),
centred AS (
    SELECT track, rank, log, log_rank, log - log_level AS above, log_rank - log_rank_level AS lower FROM logs
)
SELECT
    track,
    COUNT(*) AS chart_rows,
    COUNT(log) AS streamed_rows,
    CAST(COALESCE(SUM(log), 0) AS BIGINT) AS log,
    CAST(COALESCE(SUM(log * log), 0) AS BIGINT) AS log_log,
    CAST(COALESCE(SUM(above), 0) AS BIGINT) AS above,
    CAST(COALESCE(SUM(above * above), 0) AS BIGINT) AS above_above,
    CAST(COALESCE(SUM(rank), 0) AS BIGINT) AS rank,
    CAST(COALESCE(SUM(rank * rank), 0) AS BIGINT) AS rank_rank,
    CAST(COALESCE(SUM(rank * log), 0) AS BIGINT) AS rank_log,
    CAST(COALESCE(SUM(rank * above), 0) AS BIGINT) AS rank_above,
    CAST(COALESCE(SUM(log_rank), 0) AS BIGINT) AS log_rank,
    CAST(COALESCE(SUM(log_rank * log_rank), 0) AS BIGINT) AS log_rank_log_rank,
    CAST(COALESCE(SUM(log_rank * log), 0) AS BIGINT) AS log_rank_log,
    CAST(COALESCE(SUM(log_rank * above), 0) AS BIGINT) AS log_rank_above,
    CAST(COALESCE(SUM(lower * lower), 0) AS BIGINT) AS lower_lower,
    CAST(COALESCE(SUM(lower * above), 0) AS BIGINT) AS lower_above
FROM centred
GROUP BY track

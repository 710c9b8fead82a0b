-- One row per chart, market and year with streams: the largest number of streams that is accepted.
-- The bound is the median of log streams plus 10 × max(0.5, 1.4826 × MAD), both medians of counts in bins of 0.01.
WITH bins AS (
    SELECT
        chart,
        market,
        CAST(EXTRACT(YEAR FROM date) AS BIGINT) AS year,
        CAST(FLOOR(100 * LN(CASE WHEN streams < 1 THEN 1 ELSE streams END)) AS BIGINT) AS bin,
        COUNT(*) AS source_rows
    FROM readings
    WHERE reason IS NULL AND streams IS NOT NULL
    GROUP BY 1, 2, 3, 4
),
summed AS (
    SELECT
        chart,
        market,
        year,
        bin,
        SUM(source_rows) OVER (PARTITION BY chart, market, year ORDER BY bin ROWS UNBOUNDED PRECEDING) AS below,
        SUM(source_rows) OVER (PARTITION BY chart, market, year) AS total
    FROM bins
),
medians AS (
    SELECT chart, market, year, MIN(bin) AS median
    FROM summed
    WHERE 2 * below >= total
    GROUP BY chart, market, year
),
deviations AS (
    SELECT b.chart, b.market, b.year, m.median, ABS(b.bin - m.median) AS deviation, SUM(b.source_rows) AS source_rows
    FROM bins AS b
    JOIN medians AS m ON m.chart = b.chart AND m.market = b.market AND m.year = b.year
    GROUP BY 1, 2, 3, 4, 5
),
spread AS (
    SELECT
        chart,
        market,
        year,
        median,
        deviation,
        SUM(source_rows) OVER (PARTITION BY chart, market, year ORDER BY deviation ROWS UNBOUNDED PRECEDING) AS below,
        SUM(source_rows) OVER (PARTITION BY chart, market, year) AS total
    FROM deviations
),
widths AS (
    SELECT chart, market, year, median, MIN(deviation) AS mad
    FROM spread
    WHERE 2 * below >= total
    GROUP BY chart, market, year, median
)
SELECT
    chart,
    market,
    year,
    CAST(FLOOR(EXP(LEAST(34.0, 0.01 * median + 10 * GREATEST(0.5, 1.4826 * 0.01 * mad)))) AS BIGINT) AS bound
FROM widths

-- One row per source row, trimmed, with its place in the order of files and lines.
SELECT
    s.*,
    COALESCE(s.chart_name, f.chart) AS chart_text,
    f.source,
    f.source * 1099511627776 + s.line AS place
FROM (
    SELECT
        *,
        COALESCE(TRIM(market), '') AS market_text,
        NULLIF(NULLIF(NULLIF(NULLIF(LOWER(TRIM(chart)), ''), 'nan'), 'none'), 'null') AS chart_name,
        NULLIF(NULLIF(NULLIF(NULLIF(UPPER(TRIM(trend)), ''), 'NAN'), 'NONE'), 'NULL') AS trend_text,
        TRY_CAST(streams AS DOUBLE) AS streams_number
    FROM source_rows
) AS s
JOIN files AS f ON f.file = s.file

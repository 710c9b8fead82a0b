-- One row per source row with fields in wrong columns: a repeated header, or a track's link in a wrong column.
-- Two shifts can be repaired: streams and link one column early, and all fields one column early without a title.
-- Headers and links are looked for apart, so that of most rows only rank and link are read.
WITH astray AS (
    SELECT *
    FROM placed_rows
    WHERE LOWER(TRIM(rank)) IN ('rank', 'position')
    UNION ALL
    SELECT *
    FROM placed_rows
    WHERE COALESCE(LOWER(TRIM(rank)) NOT IN ('rank', 'position'), TRUE)
        AND COALESCE(url NOT LIKE '%track/%' AND url NOT LIKE '%track:%', TRUE)
        AND (
            artist LIKE '%spotify%track%' OR title LIKE '%spotify%track%' OR market LIKE '%spotify%track%'
            OR rank LIKE '%spotify%track%' OR date LIKE '%spotify%track%' OR chart LIKE '%spotify%track%'
            OR trend LIKE '%spotify%track%' OR streams LIKE '%spotify%track%'
        )
),
told AS (
    SELECT
        *,
        CASE
            WHEN LOWER(TRIM(rank)) IN ('rank', 'position') THEN 'header repeated'
            WHEN artist NOT LIKE '%spotify%track%' OR NOT REGEXP_MATCHES(TRIM(title), '^[0-9]+([.]0*)?\z') THEN 'other'
            WHEN COALESCE(TRIM(streams), '') = '' AND COALESCE(TRIM(url), '') = '' THEN 'streams in title'
            WHEN REGEXP_MATCHES(TRIM(rank), '^[0-9]{4}[-/]?[0-9]{2}[-/]?[0-9]{2}') THEN 'title lost'
            ELSE 'other'
        END AS shift,
        CASE WHEN week_start IS NULL THEN date
            ELSE COALESCE(date, '') || '|' || week_start || '|' || COALESCE(week_end, '') END AS day_text
    FROM astray
)
SELECT
    place,
    source,
    market AS market_before,
    chart AS chart_before,
    CASE WHEN shift = 'title lost' THEN TRIM(url) ELSE market_text END AS market_text,
    CASE WHEN shift = 'title lost' THEN rank ELSE day_text END AS day_text,
    CASE WHEN shift = 'title lost' THEN LOWER(TRIM(market)) ELSE chart_text END AS chart_text,
    CASE WHEN shift = 'title lost' THEN title ELSE rank END AS rank,
    CASE WHEN shift = 'title lost' THEN trend WHEN shift = 'streams in title' THEN title ELSE streams END AS streams,
    CASE WHEN shift = 'title lost' THEN UPPER(TRIM(chart)) ELSE trend_text END AS trend_text,
    CASE WHEN shift = 'title lost' THEN date END AS artist,
    CASE WHEN shift IN ('title lost', 'streams in title') THEN artist END AS link,
    CASE shift WHEN 'header repeated' THEN shift WHEN 'other' THEN 'fields shifted' END AS fault
FROM told

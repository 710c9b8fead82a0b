-- One row per source row: its typed values, and why it is set aside where one of them cannot be read.
WITH trimmed AS (
    SELECT
        TRIM(market) AS name,
        CASE WHEN LOWER(TRIM(COALESCE(chart, ''))) IN ('', 'nan', 'none', 'null', '<na>')
            THEN $chart ELSE LOWER(TRIM(chart)) END AS chart,
        TRIM(date) AS date_text,
        TRIM(week_start) AS week_start_text,
        TRIM(week_end) AS week_end_text,
        track_id,
        TRY_CAST(TRIM(rank) AS DOUBLE) AS rank_number,
        TRY_CAST(TRIM(streams) AS DOUBLE) AS streams_number,
        LOWER(TRIM(streams)) NOT IN ('', 'nan', 'none', 'null', '<na>') AS has_streams
    FROM identified_rows
),
typed AS (
    SELECT
        name,
        chart,
        CASE WHEN REGEXP_MATCHES(date_text, '^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}([ T][0-9:.+Z-]*)?$')
            THEN TRY_CAST(SUBSTR(date_text, 1, 10) AS DATE) END AS date_read,
        CASE WHEN REGEXP_MATCHES(week_start_text, '^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}([ T][0-9:.+Z-]*)?$')
            THEN TRY_CAST(SUBSTR(week_start_text, 1, 10) AS DATE) END AS week_start,
        SUBSTR(week_start_text, 1, 10) = SUBSTR(week_end_text, 1, 10) AS one_day_week,
        track_id,
        CASE WHEN rank_number BETWEEN 1 AND 1000000 AND rank_number = FLOOR(rank_number)
            THEN CAST(rank_number AS INTEGER) END AS rank,
        CASE WHEN streams_number BETWEEN 0 AND 1e15 AND streams_number = FLOOR(streams_number)
            THEN CAST(streams_number AS BIGINT) END AS streams,
        has_streams
    FROM trimmed
),
dated AS (
    SELECT
        t.chart,
        m.market,
        COALESCE(m.aggregate, FALSE) AS aggregate,
        -- a weekly chart is dated by its last day; a week that ends when it starts is a snapshot of that day
        COALESCE(t.date_read, CASE WHEN t.one_day_week THEN t.week_start ELSE t.week_start + 6 END) AS date,
        t.track_id,
        t.rank,
        t.streams,
        COALESCE(t.has_streams, FALSE) AND t.streams IS NULL AS streams_unreadable
    FROM typed AS t
    LEFT JOIN market_names AS m ON m.name = t.name
)
SELECT
    chart,
    market,
    date,
    track_id,
    rank,
    streams,
    aggregate,
    streams_unreadable,
    CASE
        WHEN market IS NULL AND NOT aggregate THEN 'no market'
        WHEN date IS NULL THEN 'unreadable date'
        WHEN rank IS NULL THEN 'rank is not a whole number from 1'
        WHEN track_id IS NULL THEN 'no track id'
    END AS reason
FROM dated

-- One row per source row of the years asked for (0: without date): its values as numbers and codes, and the reason why
-- the row is set aside, if it is. What marks in streams stand for is judged per file (stream_marks).
WITH texts AS (
    SELECT
        r.place,
        r.source,
        r.repaired,
        r.fault,
        m.code AS market,
        m.name IS NOT NULL AND m.code IS NULL AS market_unknown,
        d.date,
        COALESCE(d.outside, FALSE) AS outside,
        c.code AS chart,
        c.deepest,
        t.track,
        k.rank,
        r.streams,
        r.streams_number,
        s.dot_groups,
        s.comma_groups,
        r.trend_text AS trend
    FROM identified_rows AS r
    LEFT JOIN id_codes AS t ON t.id_text = r.id_text
    LEFT JOIN ranks AS k ON k.rank_text = r.rank
    LEFT JOIN days AS d ON d.source = r.source AND d.day_text = r.day_text
    LEFT JOIN market_names AS m ON m.name = r.market_text
    LEFT JOIN chart_codes AS c ON c.chart = r.chart_text
    LEFT JOIN stream_marks AS s ON s.source = r.source
    WHERE COALESCE(EXTRACT(YEAR FROM d.date), 0) BETWEEN $first_year AND $last_year
),
typed AS (
    SELECT
        place,
        source,
        repaired,
        fault,
        market,
        market_unknown,
        date,
        outside,
        chart,
        deepest,
        track,
        CASE WHEN rank > 0 THEN rank END AS rank,
        CASE
            WHEN streams_number IS NOT NULL AND (streams NOT LIKE '%.%' OR streams LIKE '%.0') THEN streams_number
            WHEN streams IS NULL THEN NULL
            WHEN REGEXP_MATCHES(TRIM(streams), $commas) OR (comma_groups AND REGEXP_MATCHES(TRIM(streams), $one_comma))
                THEN TRY_CAST(REPLACE(SPLIT_PART(TRIM(streams), '.', 1), ',', '') AS DOUBLE)
            WHEN REGEXP_MATCHES(TRIM(streams), $dots) OR (dot_groups AND REGEXP_MATCHES(TRIM(streams), $one_dot))
                THEN TRY_CAST(REPLACE(SPLIT_PART(TRIM(streams), ',', 1), '.', '') AS DOUBLE)
            WHEN REGEXP_MATCHES(TRIM(streams), $one_dot) THEN NULL
            WHEN REGEXP_MATCHES(TRIM(streams), $spaced)
                THEN TRY_CAST(REGEXP_REPLACE(SPLIT_PART(SPLIT_PART(streams, '.', 1), ',', 1), '[^0-9+-]', '', 'g')
                    AS DOUBLE)
            WHEN REGEXP_MATCHES(TRIM(streams), $zero_fraction)
                THEN TRY_CAST(SPLIT_PART(TRIM(streams), ',', 1) AS DOUBLE)
            WHEN REGEXP_MATCHES(TRIM(streams), $short)
                THEN FLOOR(0.5 + TRY_CAST(REPLACE(REGEXP_REPLACE(streams, '[^0-9,.+-]', '', 'g'), ',', '.') AS DOUBLE)
                    * CASE WHEN UPPER(streams) LIKE '%K%' THEN 1e3 WHEN UPPER(streams) LIKE '%M%' THEN 1e6 ELSE 1e9 END)
            WHEN REGEXP_MATCHES(TRIM(streams), $plain) THEN TRY_CAST(TRIM(streams) AS DOUBLE)
        END AS streams_number,
        LOWER(streams) AS streams_text,
        trend
    FROM texts
),
numbered AS (
    SELECT
        place,
        source,
        repaired,
        fault,
        market,
        market_unknown,
        date,
        outside,
        chart,
        deepest,
        track,
        rank,
        CASE WHEN streams_number BETWEEN 0 AND 1e15 AND streams_number = FLOOR(streams_number)
            THEN CAST(FLOOR(streams_number) AS BIGINT) END AS streams,
        CASE WHEN streams_number BETWEEN 0 AND 1e15 AND streams_number = FLOOR(streams_number) THEN FALSE
            WHEN streams_text IS NULL THEN FALSE
            ELSE NOT REGEXP_MATCHES(streams_text, '^[ \t\n\x0B\f\r]*(nan|none|null|<na>)?[ \t\n\x0B\f\r]*\z')
        END AS streams_unreadable,
        COALESCE(streams_number < 0, FALSE) AS streams_negative,
        trend
    FROM typed
),
judged AS (
    SELECT
        *,
        CASE
            WHEN fault IS NOT NULL THEN fault
            WHEN market_unknown THEN 'unknown market'
            WHEN market IS NULL THEN 'no market'
            WHEN date IS NULL THEN 'unreadable date'
            WHEN outside THEN 'date outside the file''s span'
            WHEN rank IS NULL THEN 'rank is not a whole number from 1'
            WHEN rank > deepest THEN 'rank beyond the chart''s depth'
            WHEN track IS NULL THEN 'no track id'
            WHEN streams_negative THEN 'negative streams'
            WHEN streams_unreadable THEN 'unreadable streams'
        END AS flaw
    FROM numbered
)
SELECT
    place,
    source,
    market,
    date,
    chart,
    track,
    rank,
    streams,
    trend,
    repaired AND flaw IS NULL AND chart IS NOT NULL AS repaired,
    CASE WHEN repaired AND (flaw IS NOT NULL OR chart IS NULL) THEN 'fields shifted' ELSE flaw END AS reason
FROM judged

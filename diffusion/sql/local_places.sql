-- One row per market and date of `compared_rows` with places that artists of the market hold: how many. An artist is of a market
-- while it has at least half of the artist's places on the charts of this date and the $before dates before it.
-- `track_artists` has the artists.
WITH places AS (
    SELECT r.market, r.date, r.turn, t.artist, COUNT(*) AS held
    FROM compared_rows AS r
    JOIN track_artists AS t ON t.track = r.track
    GROUP BY r.market, r.date, r.turn, t.artist
),
everywhere AS (
    SELECT turn, artist, SUM(held) AS held FROM places GROUP BY turn, artist
),
recent AS (
    SELECT
        turn,
        artist,
        SUM(held) OVER (
            PARTITION BY artist ORDER BY turn RANGE BETWEEN $before PRECEDING AND CURRENT ROW
        ) AS held
    FROM everywhere
),
own AS (
    SELECT
        market,
        date,
        turn,
        artist,
        held,
        SUM(held) OVER (
            PARTITION BY artist, market ORDER BY turn RANGE BETWEEN $before PRECEDING AND CURRENT ROW
        ) AS recently
    FROM places
)
SELECT o.market, o.date, CAST(SUM(o.held) AS BIGINT) AS places
FROM own AS o
JOIN recent AS r ON r.artist = o.artist AND r.turn = o.turn
WHERE 2 * o.recently >= r.held
GROUP BY o.market, o.date

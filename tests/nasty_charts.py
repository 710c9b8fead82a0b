"""Rows of charts with what texts may hold: blanks of Unicode, other digits, control characters, forms of numbers."""

from random import Random
from typing import Any

from tests.conftest import steady

LINK = "https://open.spotify.com/track/"
BLANKS = ("", " ", "\t", "\u00a0", "\u2009", "\u3000", "\u200b", "\ufeff", "\n", "\r\n", "\x0b", "\x1f", "\x00", "\x85")
NONE = ("nan", "NaN", "None", "NULL", "null", "<NA>", "", " ", None)
NUMBERS = (
    "1.0", "1,234", "1.234", "1,234,567", "1.234.567", "12,34", "0,0", "5.", ".5", "1e3", "1E+03", "1e-05",
    "-3", "+7",
    "1_000", "1d", "2f", "0x1F", "inf", "-Infinity", "NaN", "1e400", "99.1K", "2,5M", "1.2b", "1 234", "1\u00a0234",
    "1\u202f234", "1'234", "1’234", "\u0661\u0662", "١٢٣", "１２", "9" * 12, "9" * 25, "1.000", "1,000",
    "3.000.0", "4.0 ",
    " 8", "\t9", "\u00a010", "1 000.0", "007", "1e15", "1e16", "253019.0", "1.50", "5%", "−5", "true", "1..2",
    "1,2,3",
)  # fmt: skip
DATES = (
    "2021-01-09", "2021/01/10", "20210111", "2021-01-12 00:00:00", "2021-01-13T00:00:00.000Z", " 2021-01-14 ",
    "2021-01-15\u00a0", "2021-02-30", "2021-1-5", "2021", "1999-01-01", "0000-01-01", "9999-12-31", "2021-01-١٢",
    "16 Jan 2021", "January 17, 2021", "week 2",
)  # fmt: skip
RANKS = (
    "1.0",
    "#2",
    "No. 3",
    "4.",
    " 5.0 ",
    "6th",
    "7.5",
    "first",
    "0",
    "-1",
    "1e1",
    "٣",
    "2000",
    "3\u00a0",
    "+4",
    "rank",
)
LETTERS = (
    "İstanbul", "ΟΔΟΣ", "straße", "ﬁne", "ǅ", "ŉ", "Éé", "日本", "e\u0301", "\U0001f600", "a\x00b", "a\nb", 'a "b", c',
    "ı", "K", "ſ", "ᾳ", "ß", "'", "\\", "\\d", "$1", "%", "_", "a|b|c", "|||", "A, B", "A,B", ", A", "A, , B",
    "ẞ", "ա",
)  # fmt: skip
MARKETS = (
    "us",
    "US",
    " us ",
    "United States",
    "se\u00a0",
    "Sweden",
    "se\t",
    "Global",
    "GLOBAL",
    "Atlantis",
    "İstanbul",
    "u\x00s",
)
CHARTS = ("top200", "TOP200", " top200 ", "viral50", "VIRAL50 ", "top200\u00a0", "İ50", "ΟΔΟΣ")
IDS = (
    "x", "y", "nan", "  ", "37i9dQZF1DXcBWIGoYBM5M", " 37i9dQZF1DXcBWIGoYBM5M ", "spotify:track:abc",
    "long-id-1", "long-id-1 ",
    "long-id-1\u00a0", "a|b|c|d", "|||", "İİİİİİİ", "id with  blanks",
)  # fmt: skip
LINKS = (
    f"{LINK}x", f"{LINK}x?si=1", "spotify:track:zz", f"{LINK}a b", f"{LINK}a\u00a0b", f"{LINK}a\x85b", f"{LINK}é#t",
    "track/",
    f"{LINK}\nq", "https://youtu.be/abc&t=1", "https://music.apple.com/album?i=77&v=2",
    " 37i9dQZF1DXcBWIGoYBM5M ", "x|y",
)  # fmt: skip
RELEASES = (
    "2021-01-01", "2021-01", "2021", "2021.0", "0000", "0000-01-01", "2021-13-01", "2021-01-01T00:00:00Z",
    "2021-01-01\n",
    "2021\n", "٢٠٢١", "9999-12-31", "2020-02-29", "2021-02-29", "2021-1-1", " 2021", "1", "20211",
)  # fmt: skip
LISTS = (
    "['SE', 'US']",
    "SE,US",
    "SE US",
    "SEUS",
    "S E",
    "1SE",
    "éSE US",
    "SEéUS",
    "_SE",
    "SE_US",
    "se",
    "ÅÄ SE",
    "SE\nUS",
    "A SE B US1",
)
TRENDS = ("SAME_POSITION", " move_up ", "ı", "İ", "new", "ǆ", "é", "ς")
FLAGS = ("true", "TRUE", "1", "1.0", "False", "0.0", "yes", " true ")
CELLS: dict[str, tuple[str | None, ...]] = {
    "title": (*LETTERS, *NONE, *BLANKS, "12", "12.0"),
    "rank": (*RANKS, *NUMBERS[:10], *NONE),
    "date": (*DATES, *NONE),
    "artist": (*LETTERS, *NONE, *BLANKS, f"{LINK}abc"),
    "url": (*LINKS, *NONE),
    "region": (*MARKETS, *NONE),
    "chart": (*CHARTS, *NONE),
    "trend": (*TRENDS, *NONE),
    "streams": (*NUMBERS, *NONE, *BLANKS),
    "track_id": (*IDS, *NONE),
    "album": (*LETTERS, *BLANKS),
    "popularity": (*NUMBERS, *NONE),
    "duration_ms": (*NUMBERS, *NONE),
    "explicit": (*FLAGS, *NONE),
    "release_date": (*RELEASES, *NONE),
    "available_markets": (*LISTS, *NONE),
    "af_danceability": (*NUMBERS, *NONE),
    "af_tempo": (*NUMBERS, *NONE),
}
"""Column → values that it may have."""

PLENTY = steady(60, {"us": {"x": 30, "y": 31}, "se": {"x": 35}, "Global": {"x": 29}})


def nasty_rows(seed: int, number: int) -> list[dict[str, Any]]:
    """Return plain rows, and so many in which up to three cells have values from `CELLS`; every value occurs.

    Half of these rows are of a track of their own, so that its fields are read.
    """
    random = Random(seed)
    blank: dict[str, Any] = dict.fromkeys(CELLS)
    plain = [blank | row for row in PLENTY for _ in range(2)]
    changes = [{column: value} for column, values in CELLS.items() for value in values for _ in range(2)]
    for _ in range(number):
        columns = random.sample(sorted(CELLS), random.randint(1, 3))
        changes.append({column: random.choice(CELLS[column]) for column in columns})
    own = [
        {"url": f"{LINK}own{at}", "rank": str(random.randint(3, 190))} if at % 2 else {} for at in range(len(changes))
    ]
    return plain + [random.choice(plain) | track | change for track, change in zip(own, changes, strict=True)]

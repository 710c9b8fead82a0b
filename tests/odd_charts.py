"""Small charts as cleaned tables, drawn at random: text, numbers and dates that files rarely have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from diffusion.contracts import AVAILABILITY, OBSERVATIONS, TRACKS
from diffusion.contracts.star import ANY_RANK
from diffusion.engine import Engine
from diffusion.recordings import Identity

TEXTS = (
    "a",
    "A",
    "Å",
    "A\u030a",
    "å",
    "ß",
    "ﬀ",
    "z",
    "é",
    "e\u0301",
    "中",
    "😀",
    "\U00010000",
    "\uffee",
    "א",
    "a b",
    "a'b",
)
"""Ids of tracks and markets: combining characters, characters beyond the first plane, and what sorts between them."""

MARKETS = (("SE",), ("SE", "Global"), ("SE", "NO", "Global"), ("Å", "A\u030a", "😀", "\uffee", "Global"))
DATES = (
    [date(2021, 1, 1) + timedelta(number) for number in range(12)],
    [date(2021, 1, 1) + timedelta(7 * number) for number in range(8)],
    [date(2020, 2, 28), date(2020, 2, 29), date(2020, 3, 1), date(2020, 12, 31), date(2021, 1, 1)],
    [date(1, 1, 1), date(1582, 10, 4), date(1582, 10, 15), date(1969, 12, 31), date(1970, 1, 1), date(9999, 12, 31)],
)
STREAMS = ([None], [0, 1, 2], [None, 0, 7, 1000, 10**15], [10, 100, 1000, 10**4, 10**5, 10**6, 10**9, 10**12])


@dataclass(frozen=True)
class OddCharts:
    """Tables of one example, the rules for its events, and the values of relations' parameters."""

    tables: dict[str, pa.Table]
    identity: Identity
    rules: dict[str, object]

    def put(self, engine: Engine) -> None:
        """Give the tables to an engine."""
        for name, table in self.tables.items():
            engine.register(name, table)


RULES = st.fixed_dictionaries(
    {
        "top": st.sampled_from([ANY_RANK, ANY_RANK, 2, 0]),
        "min_periods": st.sampled_from([1, 2]),
        "washout": st.sampled_from([0, 3, 10**6]),
        "long_gap": st.sampled_from([2, 28]),
        "periods": st.sampled_from([1, 3]),
        "charts": st.sampled_from([1, 2]),
    }
)
"""With a top of 0 there is no event, with a washout of 10⁶ days all are censored."""


@st.composite
def odd_charts(draw: st.DrawFn) -> OddCharts:
    """Draw a chart and a second one beside it: ties, gaps, repeated rows, one market or several."""
    random = Random(draw(st.integers(0, 2**32 - 1)))
    ids = random.sample(TEXTS, draw(st.sampled_from([1, 5, 12])))
    markets, dates = draw(st.sampled_from(MARKETS)), draw(st.sampled_from(DATES))
    streams = draw(st.sampled_from(STREAMS))
    rows = [
        {"chart": chart, "market": market, "date": day, **row}
        for chart in ("top200", "é")
        for market in markets
        for day in dates
        if random.random() < 0.8 or day == dates[0]
        for row in _ranked(random, ids, streams)
    ]
    rows += random.sample(rows, min(len(rows), draw(st.integers(0, 2))))
    return OddCharts(
        {"observations": _table(rows, OBSERVATIONS.schema), **_tracks(random, ids, markets)},
        draw(st.sampled_from(["track", "recording"])),
        draw(RULES),
    )


def _ranked(random: Random, ids: Sequence[str], streams: Sequence[int | None]) -> list[dict[str, Any]]:
    """Return rows of one chart, some ranks shared and some left out."""
    there = random.sample(range(len(ids)), random.randint(1, min(len(ids), 6)))
    ranks = sorted(random.choice([1, 2, 3, 4, 5, 6, 200]) for _ in there)
    return [
        {"track": track, "track_id": ids[track], "rank": rank, "streams": random.choice(streams), "trend": None}
        for track, rank in zip(there, ranks, strict=True)
    ]


def _tracks(random: Random, ids: Sequence[str], markets: Sequence[str]) -> dict[str, pa.Table]:
    """Return the tables of tracks and licences; some tracks share title and artist, some have none."""
    tracks = [
        {
            "track": number,
            "track_id": track_id,
            "title": random.choice(["Été", "E\u0301te\u0301", "Fever", None]),
            "artist": random.choice(["A", "A, B", "B & A", None]),
            "release_date": random.choice([None, date(2021, 1, 3)]),
            "zero_duration": False,
            "zero_tempo": False,
            "release_after_debut": False,
        }
        for number, track_id in enumerate(ids)
    ]
    licences = [
        {"track": number, "track_id": ids[number], "market": market}
        for number in range(len(ids))
        if random.random() < 0.7
        for market in markets
        if random.random() < 0.7
    ]
    return {"tracks": _table(tracks, TRACKS.schema), "availability": _table(licences, AVAILABILITY.schema)}


def _table(rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.table({field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in schema})

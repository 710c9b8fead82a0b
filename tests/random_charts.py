"""Random and small charts for the tests of relations: as source files and as bare entries."""

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import diffusion
from diffusion import contracts
from tests import twins
from tests.twins import Row

DAY_0 = date(2021, 1, 1)
NAMES = {"SE": "Sweden", "FI": "FINLAND", "US": "usa", "XA": "Simulated XA"}
"""Finland shares a language with Sweden, the United States with neither; XA is not in the pair table."""

RATE_TOLERANCE = 1e-12
"""Both sides multiply at most eight factors, in the same order of days."""

LIFELINES_TOLERANCE = 1e-9
"""lifelines adds logarithms where the twin multiplies."""

THOROUGH = "THOROUGH" in os.environ
"""Whether the twins look at all their examples, as `make test-slow` asks for, or at the first of them."""

EXAMPLES = settings(
    max_examples=60 if THOROUGH else 40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def examples(most: int) -> settings:
    """Return settings for a twin that is slow: so many examples, or the first quarter of them."""
    return settings(EXAMPLES, max_examples=most if THOROUGH else -(-most // 4))


COMMON_LANGUAGE = {
    (pair.source, pair.target): bool(pair.common_language)
    for pair in diffusion.pair_table().dropna(subset="common_language").itertuples()
}


def day(number: int) -> date:
    """Return the date `number` days after the first of January 2021."""
    return DAY_0 + timedelta(number)


# ── random charts ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Rules:
    """Settings of one example."""

    top: int | None
    min_periods: int
    washout: int
    identity: str
    window: int
    horizon: int

    @property
    def event(self) -> dict[str, Any]:
        """The parameters of `Charts.entries`."""
        return {
            "top": self.top,
            "min_periods": self.min_periods,
            "washout": self.washout,
            "identity": self.identity,
        }


RULES = st.builds(
    Rules,
    top=st.sampled_from([None, None, 1, 2, 4]),
    min_periods=st.sampled_from([1, 1, 2, 3, 9]),
    washout=st.sampled_from([0, 1, 3, 7, 7, 14, 28, 200]),
    identity=st.sampled_from(["track", "recording"]),
    window=st.sampled_from([1, 7, 7, 14, 30, 60, 120]),
    horizon=st.sampled_from([1, 7, 30, 60, 180]),
)


@st.composite
def calendars(draw: st.DrawFn) -> dict[str, list[int]]:
    """Draw the observed days of one to four markets: daily, weekly or irregular, with launches, gaps and ends."""
    cadence = draw(st.sampled_from(["daily", "weekly", "irregular"]))
    if cadence == "irregular":
        steps = draw(st.lists(st.sampled_from([1, 2, 3, 5, 7, 10]), min_size=12, max_size=24))
    else:
        steps = [1 if cadence == "daily" else 7] * draw(st.integers(12, 24 if cadence == "daily" else 17))
    for at in draw(st.lists(st.integers(0, len(steps) - 1), max_size=1)):
        steps[at] = draw(st.sampled_from([28, 28, 29, 14]))
    grid = [number for number in accumulate(steps, initial=0) if number <= 140]
    observed = {}
    for market in draw(st.sampled_from([["SE"], *[["SE", "US"], ["SE", "FI", "US"], ["SE", "FI", "US", "XA"]] * 2])):
        launch = draw(st.sampled_from([0, 0, 0, 1, 4, 8]))
        end = draw(st.sampled_from([None, None, -1, -4]))
        stride = draw(st.sampled_from([1, 1, 1, 2, 3]))
        hole = draw(st.sampled_from([0, 0, 0, 5, 28, 40])), draw(st.integers(1, 60))
        lost = set(range(hole[1], sum(hole))) | draw(st.sets(st.sampled_from(grid), max_size=2))
        observed[market] = [number for number in grid[launch:end:stride] if number not in lost] or grid[-1:]
    return observed


def all_days(observed: Mapping[str, Sequence[int]]) -> list[int]:
    """Return every day on which some market was observed."""
    return sorted({number for numbers in observed.values() for number in numbers})


LAGS = [None, 0, 0, 1, 2, 5, 7, 7, 10, 14, 14, 30]
"""Days from a track's first day to the first on which a market might see it; None for never."""

TITLES = ["Été", "E\u0301TE\u0301", "Ete", "Été (feat. Ö)", "Ｅté", "Fever", "FEVER [ft. B]", "Fever - 2011 Remaster"]
ARTISTS = ["A", "a, B", "Ａ", "B & A", "Ö x a", "o feat. A", None]
LICENCES = [None, "['SE', 'US']", "['US']", '["FI"]', "['SE','FI','US','XA']"]

FLAWS: list[Row | None] = [
    None,
    {},
    {"streams": None},
    {"streams": "60"},
    {"rank": "1", "streams": "60"},
    {"rank": "9", "streams": "900"},
    {"rank": "10"},
    {"track_id": "t8", "title": "Solo", "artist": "A", "available_markets": None},
    {"track_id": "t9", "title": None, "artist": None, "available_markets": None, "rank": "1"},
    {"market": "Global"},
    {"market": None},
    {"market": " "},
    {"date": "2021-02-30"},
    {"date": None},
    {"rank": "0"},
    {"rank": "-1"},
    {"rank": "1.5"},
    {"rank": "first"},
    {"rank": None},
    {"track_id": None},
    {"track_id": None, "streams": "many"},
    {"rank": "201"},
    {"streams": "-5"},
    {"market": "Simulated XA", "rank": "11", "streams": "many"},
    {"market": "Simulated XA", "rank": "12.0", "streams": "7.0"},
]
"""What a copy of a row says otherwise; None takes the row away."""


@st.composite
def stays(draw: st.DrawFn, observed: Mapping[str, list[int]]) -> dict[str, set[int]]:
    """Draw on which observed days of each market one track is on the chart: never, for a spell, or with a re-entry."""
    base = draw(st.sampled_from(all_days(observed)[:12]))
    table = {}
    for market, numbers in observed.items():
        lag = draw(st.sampled_from(LAGS))
        later = [number for number in numbers if lag is not None and number >= base + lag]
        length, absence = draw(st.integers(1, 8)), draw(st.sampled_from([0, 0, 1, 4]))
        table[market] = set(later[:length]) | set(later[length + absence : length + absence + absence])
    return table


@st.composite
def sources(draw: st.DrawFn) -> list[Row]:
    """Draw rows of a chart file: of `top200`, sometimes of a second chart, with flaws that must be accounted for."""
    rows: list[Row] = []
    titles = draw(st.sampled_from([TITLES, [*TITLES[5:], "Fever - Live", None]]))
    tracks = [
        {
            "track_id": f"t{number}",
            "title": draw(st.sampled_from(titles)),
            "artist": draw(st.sampled_from(ARTISTS)),
            "available_markets": draw(st.sampled_from(LICENCES)),
        }
        for number in range(draw(st.sampled_from([1, 6, 7, 8])))
    ]
    for chart in draw(st.sampled_from([["top200"], ["top200"], ["top200", "viral50"]])):
        observed = draw(calendars())
        on_chart = [draw(stays(observed)) for _ in tracks]
        for market, numbers in observed.items():
            turn = draw(st.integers(0, 3))
            for at, number in enumerate(numbers):
                there = [t for t, own in zip(tracks, on_chart, strict=True) if number in own[market]] or tracks[:1]
                start = at * turn % len(there)
                for rank, track in enumerate(there[start:] + there[:start], 1):
                    streams = None if chart == "viral50" else f"{(rank + at) * 37 % 101}" + ".0" * (at % 2)
                    place = {"market": NAMES[market], "chart": chart, "date": str(day(number)), "rank": str(rank)}
                    rows.append({**track, **place, "streams": streams})
    for flaw in draw(st.lists(st.sampled_from(FLAWS), max_size=6)):
        at = draw(st.integers(0, len(rows) - 1))
        if flaw is not None:
            rows.append({**rows[at], **flaw})
        elif len(rows) > 1:
            del rows[at]
    return rows


@st.composite
def tied_sources(draw: st.DrawFn) -> list[Row]:
    """Draw rows of a chart file in which some rows share their rank with the row above."""
    rows: list[Row] = draw(sources())
    for at in draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=3)):
        rank = twins.whole_number(rows[at]["rank"])
        if rank is not None and rank > 1:
            rows[at] = {**rows[at], "rank": str(rank - 1)}
    return rows


def market_of(name: str) -> str:
    """Return the code of a name in the random charts."""
    return {**{name: code for code, name in NAMES.items()}, "Global": "Global", "Norway": "NO"}[name]


def padding(rows: Sequence[Row]) -> list[Row]:
    """Return rows of a chart of its own where rows are set aside, so that something is kept."""
    _, outcomes = twins.chart_rows(rows, market_of)
    wrong = sum(outcomes[reason] for reason in (*twins.SET_ASIDE, twins.TIED))
    plain = {"market": "Norway", "chart": "padding", "date": "2021-01-01", "streams": None, "available_markets": None}
    return [
        {**plain, "track_id": f"p{number}", "title": None, "artist": None, "rank": str(number)}
        for number in range(1, 4 if wrong else 1)
    ]


def write(rows: Sequence[Row], file: Path) -> None:
    """Write source rows as a file in the Kaggle layout, the track id as a link in CSV."""
    table = [
        {
            "title": row["title"],
            "rank": row["rank"],
            "date": row["date"],
            "artist": row["artist"],
            "track_id": row["track_id"],
            "region": row["market"],
            "chart": row["chart"],
            "streams": row["streams"],
            "available_markets": row["available_markets"],
        }
        for row in rows
    ]
    if file.suffix == ".parquet":
        names = list(table[0])
        pq.write_table(pa.table({n: pa.array([row[n] for row in table], pa.string()) for n in names}), file)
        return
    for row in table:
        track_id = row.pop("track_id")
        row["url"] = track_id and f"https://open.spotify.com/track/{track_id}"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


@contextmanager
def opened(
    rows: Sequence[Row], kind: str = "parquet", accept: Sequence[str] = ("holes", "set-aside")
) -> Iterator[diffusion.Charts]:
    """Write source rows to a file and open it; random charts may have holes, and rows that are set aside or tied."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"charts.{kind}"
        write(rows, file)
        with diffusion.open_charts(file, accept=accept) as charts:
            yield charts


# ── random entries ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Study:
    """Entries without charts, as a bare frame would bring them, and what they are conditional on."""

    observed: Mapping[str, Sequence[int]]
    entries: Sequence[Row]
    washout: int

    @property
    def coverage(self) -> list[Row]:
        """The calendar's rows; nothing here depends on depths or ranks."""
        rows = [
            {"market": market, "chart": "top200", "date": day(number), "track_id": "t", "rank": 1}
            for market, numbers in self.observed.items()
            for number in numbers
        ]
        return twins.coverage(rows)

    @property
    def spans(self) -> list[Row]:
        """The stretches of the calendar."""
        return twins.spans(self.coverage)

    def open(self) -> diffusion.Entries:
        """Return the entries as users make them."""
        calendar = diffusion.Calendar(pa.Table.from_pylist(self.coverage, schema=contracts.COVERAGE.schema))
        frame = pd.DataFrame(self.entries, columns=contracts.ENTRIES.names)
        nobody = pd.DataFrame({"track_id": [], "artist": []}, dtype="string")
        return diffusion.Entries.from_frame(frame, calendar=calendar, washout=self.washout, tracks=nobody)


def study(
    observed: Mapping[str, Sequence[int]], entered: Mapping[str, Mapping[str, int]], *, washout: int = 0
) -> Study:
    """Return entries on given days: track → market → number of the day, which must have been observed there."""
    bare = Study(observed, [], washout)
    table = []
    for track_id, own in sorted(entered.items()):
        for market, number in sorted(own.items()):
            (seen,) = (row for row in bare.coverage if row["market"] == market and row["date"] == day(number))
            (span,) = (row for row in bare.spans if (row["market"], row["span"]) == (market, seen["span"]))
            table.append(
                {
                    "track_id": track_id,
                    "market": market,
                    "chart": "top200",
                    "entry": day(number),
                    "last_without": seen["previous"],
                    "rank": 1 + number % 3,
                    "streams": None,
                    "left_censored": day(number) < span["first_date"] + timedelta(washout),
                }
            )
    return Study(observed, table, washout)


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Draw entries of one to eight tracks on the observed days of a random calendar."""
    observed = draw(calendars())
    washout = draw(st.sampled_from([0, 0, 0, 1, 3, 7, 14, 28, 200]))
    entered = {}
    for number in range(draw(st.sampled_from([1, 6, 7, 8]))):
        base = draw(st.sampled_from(all_days(observed)[:12]))
        own = {}
        for market, numbers in observed.items():
            lag = draw(st.sampled_from(LAGS))
            later = [n for n in numbers if lag is not None and n >= base + lag]
            if later:
                own[market] = later[0]
        entered[f"t{number}"] = own or {market: numbers[-1] for market, numbers in observed.items()}
    return study(observed, entered, washout=washout)

"""The SQL relations against their plain-Python twins, on random charts and on small ones worked by hand."""

import csv
import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

import diffusion
from diffusion import schema
from tests import twins
from tests.twins import Row

DAY_0 = date(2021, 1, 1)
NAMES = {"SE": "Sweden", "FI": "FINLAND", "US": "usa", "MT": "Malta"}
"""Finland shares a language with Sweden, the United States with neither; Malta is not in the pair table."""

RATE_TOLERANCE = 1e-12
"""Both sides multiply at most eight factors, in the same order of days."""

LIFELINES_TOLERANCE = 1e-9
"""lifelines adds logarithms where the twin multiplies."""

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

COMMON_LANGUAGE = {
    (pair.source, pair.target): bool(pair.common_language) for pair in diffusion.pair_table().itertuples()
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
    for market in draw(st.sampled_from([["SE"], *[["SE", "US"], ["SE", "FI", "US"], ["SE", "FI", "US", "MT"]] * 2])):
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
ARTISTS = ["A", "a, B", "Ａ", "B, A", "Ö", None]
LICENCES = [None, "['SE', 'US']", "['US']", '["FI"]', "['SE','FI','US','MT']"]

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
    {"market": "Malta", "rank": "11", "streams": "many"},
    {"market": "Malta", "rank": "12.0", "streams": "7.0"},
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


def market_of(name: str) -> str:
    """Return the code of a name in the random charts."""
    return {**{name: code for code, name in NAMES.items()}, "Global": "Global", "Norway": "NO"}[name]


def padding(rows: Sequence[Row]) -> list[Row]:
    """Return rows of a chart of its own, so many that those set aside stay below the limit of one in a hundred."""
    _, outcomes = twins.chart_rows(rows, market_of)
    wrong = sum(outcomes[reason] for reason in twins.SET_ASIDE)
    plain = {"market": "Norway", "chart": "padding", "date": "2021-01-01", "streams": None, "available_markets": None}
    return [
        {**plain, "track_id": f"p{number}", "title": None, "artist": None, "rank": str(number)}
        for number in range(1, 100 * wrong + 1)
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
def opened(rows: Sequence[Row], kind: str = "parquet") -> Iterator[diffusion.Charts]:
    """Write source rows to a file and open it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"charts.{kind}"
        write(rows, file)
        with diffusion.open_charts(file) as charts:
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
        calendar = diffusion.Calendar(pa.Table.from_pylist(self.coverage, schema=schema.COVERAGE.schema))
        frame = pd.DataFrame(self.entries, columns=schema.ENTRIES.names)
        return diffusion.Entries.from_frame(frame, calendar=calendar, washout=self.washout)


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


# ── the comparison ───────────────────────────────────────────────────────────────────────────────────────────────────


def agree(table: pa.Table, twin: Sequence[Row], contract: schema.Contract) -> None:
    """Assert that a relation's rows are the twin's, in the same order."""
    assert table.schema.names == contract.names
    assert table.to_pylist() == [{name: row[name] for name in contract.names} for row in twin]


def agree_on_events(entries: diffusion.Entries, table: Sequence[Row], spans: Sequence[Row], rules: Rules) -> None:
    """Assert that everything made from entries is what the twins make of them."""
    washout, window, horizon = rules.washout, rules.window, rules.horizon
    unlicensed = [(row["track_id"], row["market"]) for row in entries.withheld.to_pylist()]
    waiting = twins.waits(table, spans, unlicensed, washout=washout, horizon=horizon)
    there = twins.footprints(table)
    agree(entries.debuts(), twins.debuts(table), schema.DEBUTS)
    agree(entries.footprints(), there, schema.FOOTPRINTS)
    agree(entries.journeys(), twins.journeys(table), schema.JOURNEYS)
    agree(entries.waits(horizon=horizon), waiting, schema.WAITS)
    agree(entries.lags(window=window), twins.lags(table, spans, washout=washout, window=window), schema.LAGS)
    agree(entries.ties(), twins.ties(table), schema.TIES)
    counted = entries.wait_counts(horizon=horizon).to_pylist()
    alike = twins.wait_counts(waiting, there, COMMON_LANGUAGE)
    assert {tuple(row[name] for name in schema.WAIT_COUNTS.key): row["waits"] for row in counted} == alike
    agree_on_transitions(
        diffusion.transitions(entries, window=window),
        twins.transitions(table, spans, washout=washout, window=window),
    )


def agree_on_transitions(table: pa.Table, twin: Sequence[Row]) -> None:
    """Assert that counts are equal, and rates and quantiles equal but for rounding."""
    names = schema.TRANSITIONS.names
    assert table.schema.names == names
    rows = table.to_pylist()
    assert [[row[name] for name in names[:5]] for row in rows] == [[row[name] for name in names[:5]] for row in twin]
    for row, other in zip(rows, twin, strict=True):
        for name in names[5:]:
            assert (row[name] is None) == (other[name] is None), (row, other)
            assert row[name] is None or math.isclose(row[name], other[name], rel_tol=0, abs_tol=RATE_TOLERANCE)


def agree_on_source(rows: Sequence[Row], kind: str) -> None:
    """Assert that a file's rows are cleaned and accounted for as the twin does it."""
    twin, outcomes = twins.chart_rows(rows, market_of)
    with opened(rows, kind) as charts:
        agree(charts._engine.fetch("chart_rows"), twin, schema.CHART_ROWS)
        agree(charts._engine.fetch("source_markets"), twins.source_markets(rows), schema.SOURCE_MARKETS)
        agree(charts._engine.fetch("charts_present"), twins.charts_present(twin), schema.CHARTS_PRESENT)
        agree(charts.tracks(), twins.tracks(rows), schema.TRACKS)
        accounts = charts._engine.fetch("accounts").to_pydict()
        account = charts.account
    counted = dict(zip(accounts["outcome"], accounts["source_rows"], strict=True))
    assert {outcome: n for outcome, n in counted.items() if n} == dict(outcomes)
    assert account.read == len(rows)
    assert account.read == account.kept + account.duplicates + account.aggregate + sum(account.set_aside.values())
    assert account.set_aside == {reason: outcomes[reason] for reason in twins.SET_ASIDE if outcomes[reason]}
    assert (account.kept, account.duplicates) == (outcomes["kept"], outcomes["duplicate"])
    assert (account.aggregate, account.streams_unreadable) == (outcomes["aggregate"], outcomes["streams unreadable"])


@EXAMPLES
@given(rows=sources())
def test_source_rows_are_cleaned_and_accounted_for(rows: list[Row]) -> None:
    agree_on_source(rows + padding(rows), "parquet")


@settings(EXAMPLES, max_examples=20)
@given(rows=sources())
def test_rows_of_csv_files_are_cleaned_and_accounted_for(rows: list[Row]) -> None:
    agree_on_source(rows + padding(rows), "csv")


@settings(EXAMPLES, max_examples=20)
@given(rows=sources())
def test_a_source_with_too_much_set_aside_is_refused(rows: list[Row]) -> None:
    twin, outcomes = twins.chart_rows(rows, market_of)
    wrong = sum(outcomes[reason] for reason in twins.SET_ASIDE)
    assume(twin and 100 * wrong > len(rows))
    with pytest.raises(diffusion.DataSaysNoError, match="had to be set aside"), opened(rows):
        pass


@settings(EXAMPLES, max_examples=40)
@given(rows=sources(), rules=RULES)
def test_events_of_charts_are_what_the_twins_say(rows: list[Row], rules: Rules) -> None:
    rows = rows + padding(rows)
    every, _ = twins.chart_rows(rows, market_of)
    own = [row for row in every if row["chart"] == "top200"]
    assume(own)
    covered, tracks = twins.coverage(own), twins.tracks(rows)
    spans = twins.spans(covered)
    stands_for = twins.identities(tracks, rules.identity)
    table = twins.entries(own, stands_for, top=rules.top, min_periods=rules.min_periods, washout=rules.washout)
    with opened(rows) as charts:
        agree(charts.calendar().coverage, covered, schema.COVERAGE)
        agree(charts.calendar().spans, spans, schema.SPANS)
        if not table:
            with pytest.raises(diffusion.DataSaysNoError, match="no track has an event"):
                charts.entries(**rules.event)
            return
        entries = charts.entries(**rules.event)
    agree(entries.table, table, schema.ENTRIES)
    agree(entries.withheld, twins.withheld(tracks, stands_for, sorted({row["market"] for row in own})), schema.WITHHELD)
    agree_on_events(entries, table, spans, rules)


@settings(EXAMPLES, max_examples=50)
@given(drawn=studies(), rules=RULES)
def test_events_of_a_bare_frame_are_what_the_twins_say(drawn: Study, rules: Rules) -> None:
    agree_on_events(drawn.open(), drawn.entries, drawn.spans, replace(rules, washout=drawn.washout))


@settings(EXAMPLES, max_examples=100)
@given(drawn=studies(), window=st.sampled_from([7, 30, 60]))
def test_kaplan_meier_of_the_twin_is_that_of_lifelines(drawn: Study, window: int) -> None:
    followed = twins.exposures(drawn.entries, drawn.spans, washout=drawn.washout, window=window)
    for exposed in followed.values():
        lengths, arrived = zip(*exposed, strict=True)
        # lifelines takes an event on day 0 for one before it; there are none
        fitted = KaplanMeierFitter().fit(lengths, arrived)
        assert twins.kaplan_meier(exposed) == pytest.approx(1 - fitted.predict(window), rel=0, abs=LIFELINES_TOLERANCE)


# ── do the random charts reach what matters? ─────────────────────────────────────────────────────────────────────────

REACHED = settings(EXAMPLES, max_examples=300, phases=[Phase.generate])


def facts_of_events(table: Sequence[Row], spans: Sequence[Row], rules: Rules) -> Iterator[str]:
    """Yield what an example puts to the test."""
    washout, window = rules.washout, rules.window
    followed = twins.exposures(table, spans, washout=washout, window=window)
    waiting = twins.waits(table, spans, washout=washout, horizon=rules.horizon)
    pairs = twins.transitions(table, spans, washout=washout, window=window)
    debuts = {row["track_id"]: row for row in twins.debuts(table)}
    first_spans = {row["market"]: row for row in reversed(spans)}
    if len(first_spans) == 1:
        yield "one market"
    if len(spans) > len(first_spans):
        yield "a long gap"
    if all(row["left_censored"] for row in table):
        yield "all left-censored"
    for row in table:
        if row["left_censored"] and row["entry"] > debuts[row["track_id"]]["debut"]:
            yield "a left-censored later entry"
        if not row["left_censored"] and row["last_without"] is None:
            yield "a timed entry without a date before"
    for wait in waiting:
        yield "a wait that ends with entry" if wait["entered"] else "a censored wait"
        if wait["start"] > 0:
            yield "a delayed wait"
        if wait["entered"] and wait["days"] == wait["start"] + 1 and wait["start"] > 0:
            yield "an entry on the day the washout ends"
        if wait["debut"] > first_spans[wait["market"]]["last_date"]:
            yield "a wait after a long gap"
        own = [r for r in table if (r["track_id"], r["market"]) == (wait["track_id"], wait["market"])]
        if own and not wait["entered"]:
            yield "an entry after the end of a wait"
    for row in pairs:
        if row["tracks"]:
            yield "a transition"
        if row["tracks"] > 1 and row["lag_q25"] < row["lag_q75"]:
            yield "lags that differ"
        if row["joint"]:
            yield "a tie"
        if row["rate"] is None:
            yield "nobody exposed"
        elif not math.isclose(row["rate"], row["tracks"] / row["exposed"]):
            yield "a rate under censoring"
    for exposed in followed.values():
        for days, entered in exposed:
            if entered and days == window:
                yield "an arrival on the last day of the window"
            if not entered and days == 0:
                yield "an entry into the source on the last day of the target"
    for track_id, own in twins.by_track(table).items():
        debut = debuts[track_id]
        if debut["left_censored"] and any(not row["left_censored"] for row in own.values()):
            yield "a timed entry after a left-censored debut"
        if not debut["left_censored"] and any(row["left_censored"] for row in own.values()):
            yield "a left-censored entry of a timed track"
    for own in twins.timed_journeys(table):
        for one in own.values():
            for other in own.values():
                if one["entry"] < other["entry"] and twins.is_tie(one, other):
                    yield "a tie on different dates"


EVENT_FACTS = {
    "one market",
    "a long gap",
    "all left-censored",
    "a left-censored later entry",
    "a left-censored entry of a timed track",
    "a timed entry after a left-censored debut",
    "a timed entry without a date before",
    "a wait that ends with entry",
    "a censored wait",
    "a delayed wait",
    "an entry on the day the washout ends",
    "a wait after a long gap",
    "an entry after the end of a wait",
    "a transition",
    "lags that differ",
    "a tie",
    "nobody exposed",
    "a rate under censoring",
    "an arrival on the last day of the window",
    "an entry into the source on the last day of the target",
    "a tie on different dates",
}


def facts_of_source(rows: Sequence[Row], rules: Rules) -> Iterator[str]:
    """Yield what an example puts to the test before it comes to entries."""
    every, outcomes = twins.chart_rows(rows, market_of)
    yield from outcomes
    own = [row for row in every if row["chart"] == "top200"]
    if len(own) < len(every):
        yield "several charts"
    covered, tracks = twins.coverage(own), twins.tracks(rows)
    if any(row["stale"] for row in covered):
        yield "a stale chart"
    gaps = {(row["date"] - row["previous"]).days for row in covered if row["previous"]}
    if 28 in gaps:
        yield "a gap of 28 days"
    if 29 in gaps:
        yield "a gap of 29 days"
    stands_for = twins.identities(tracks, rules.identity)
    table = twins.entries(own, stands_for, top=rules.top, min_periods=rules.min_periods, washout=rules.washout)
    if not table:
        yield "no event"
    plain = {(r["track_id"], r["market"]): r["entry"] for r in twins.entries(own, stands_for, washout=0)}
    if any(row["entry"] > plain[row["track_id"], row["market"]] for row in table):
        yield "an event after the first appearance"
    if len(table) < len(plain):
        yield "an appearance without event"
    places = Counter((stands_for[row["track_id"]], row["market"], row["date"]) for row in own)
    if any(places[row["track_id"], row["market"], row["entry"]] > 1 for row in table):
        yield "two ids of a recording on the chart of its entry"
    spans = twins.spans(covered)
    withheld = {(r["track_id"], r["market"]) for r in twins.withheld(tracks, stands_for, {r["market"] for r in own})}
    open_to_all = twins.waits(table, spans, washout=rules.washout, horizon=rules.horizon)
    for wait in open_to_all:
        if (wait["track_id"], wait["market"]) in withheld:
            yield "an entry where the track is unlicensed" if wait["entered"] else "a wait that a licence rules out"
    apart = twins.withheld(tracks, {track: track for track in stands_for}, {row["market"] for row in own})
    if any((stands_for[row["track_id"]], row["market"]) not in withheld for row in apart):
        yield "a recording licensed by one of its ids"


SOURCE_FACTS = {
    "kept",
    "duplicate",
    "aggregate",
    "streams unreadable",
    *twins.SET_ASIDE,
    "several charts",
    "a stale chart",
    "a gap of 28 days",
    "a gap of 29 days",
    "no event",
    "an event after the first appearance",
    "an appearance without event",
    "two ids of a recording on the chart of its entry",
    "an entry where the track is unlicensed",
    "a wait that a licence rules out",
    "a recording licensed by one of its ids",
}


def test_random_entries_reach_every_rule() -> None:
    seen: Counter[str] = Counter()

    @REACHED
    @given(drawn=studies(), rules=RULES)
    def look(drawn: Study, rules: Rules) -> None:
        seen.update(set(facts_of_events(drawn.entries, drawn.spans, replace(rules, washout=drawn.washout))))

    look()
    assert {fact for fact in EVENT_FACTS if not seen[fact]} == set(), seen


def test_random_charts_reach_every_rule() -> None:
    seen: Counter[str] = Counter()

    @REACHED
    @given(rows=sources(), rules=RULES)
    def look(rows: list[Row], rules: Rules) -> None:
        seen.update(set(facts_of_source(rows, rules)))

    look()
    assert {fact for fact in SOURCE_FACTS if not seen[fact]} == set(), seen


# ── cases worked by hand ─────────────────────────────────────────────────────────────────────────────────────────────

WEEKS = list(range(0, 141, 7))
"""Twenty-one weekly charts, the first on day 0 and the last on day 140."""


def waits_of(entries: diffusion.Entries, *, horizon: int = 180) -> dict[tuple[str, str], tuple[int, int, bool]]:
    """Return (track, market) → start, days, entered."""
    rows = entries.waits(horizon=horizon).to_pylist()
    return {(row["track_id"], row["market"]): (row["start"], row["days"], row["entered"]) for row in rows}


def pair(entries: diffusion.Entries, source: str, target: str, *, window: int = 60) -> Row:
    """Return one row of the transitions."""
    rows = diffusion.transitions(entries, window=window).to_pylist()
    return next(row for row in rows if (row["source"], row["target"]) == (source, target))


def counts(row: Row) -> tuple[int, int, int]:
    """Return tracks, joint and exposed of a pair."""
    return row["tracks"], row["joint"], row["exposed"]


def test_a_market_that_launches_later_starts_the_clock_when_its_washout_ends() -> None:
    # Sweden since day 0, the United States since day 70: washed out on day 98. The debut is on day 35.
    entries = study({"SE": WEEKS, "US": WEEKS[10:]}, {"t": {"SE": 35, "US": 105}}, washout=28).open()
    # at risk from day 98, the 63rd after the debut; the entry comes on the 70th
    assert waits_of(entries) == {("t", "US"): (62, 70, True)}
    # on the day of the entry into Sweden the United States were not observed
    assert counts(pair(entries, "SE", "US", window=120)) == (0, 0, 0)


def test_the_first_entry_on_the_day_the_washout_ends_is_timed() -> None:
    observed = {"SE": WEEKS, "US": WEEKS[10:]}
    early = study(observed, {"t": {"SE": 35, "US": 91}}, washout=28).open()
    assert [row["left_censored"] for row in early.table.to_pylist()] == [False, True]
    assert waits_of(early) == {}  # in the washout: the market is out of the track's risk set
    timed = study(observed, {"t": {"SE": 35, "US": 98}}, washout=28).open()
    assert [row["left_censored"] for row in timed.table.to_pylist()] == [False, False]
    assert waits_of(timed) == {("t", "US"): (62, 63, True)}  # the first day at risk is the 63rd


def test_charts_time_an_entry_on_the_day_the_washout_ends() -> None:
    def rows(first: int) -> list[Row]:
        blank = {"title": "T", "artist": "A", "available_markets": None, "streams": None, "chart": "top200"}
        return [
            {**blank, "market": "Sweden", "date": str(day(number)), "rank": str(rank), "track_id": track_id}
            for number in range(40)
            for rank, track_id in ((1, "always"), (2, "new"))
            if track_id == "always" or number >= first
        ]

    for first, left_censored in ((27, True), (28, False)):
        with opened(rows(first)) as charts:
            _, new = charts.entries(washout=28).table.to_pylist()
        assert (new["entry"], new["last_without"]) == (day(first), day(first - 1))
        assert new["left_censored"] is left_censored


def test_an_order_that_the_calendar_hides_is_a_tie() -> None:
    # Sweden is entered on day 10; the United States, observed on days 5 and 12, on day 12: it may have been day 6
    observed = {"SE": list(range(30)), "US": [0, 5, 12, 20]}
    hidden = study(observed, {"t": {"SE": 10, "US": 12}}).open()
    assert hidden.ties().to_pylist() == [
        {"source": "SE", "target": "US", "joint": 1},
        {"source": "US", "target": "SE", "joint": 1},
    ]
    assert counts(pair(hidden, "SE", "US")) == (0, 1, 0)
    assert counts(pair(hidden, "US", "SE")) == (0, 1, 0)
    assert pair(hidden, "SE", "US")["rate"] is None
    # one day more and the order shows: entered on day 5, seen without it in the United States on that day
    shown = study(observed, {"t": {"SE": 5, "US": 12}}).open()
    assert shown.ties().num_rows == 0
    assert counts(pair(shown, "SE", "US")) == (1, 0, 1)
    assert counts(pair(shown, "US", "SE")) == (0, 0, 0)


def test_a_tie_stays_a_tie_however_far_apart_its_dates_are() -> None:
    # 27 days without a chart: a short gap, bridged, but the order inside it is not known
    entries = study({"SE": list(range(60)), "US": [0, 10, 37, 50]}, {"t": {"SE": 11, "US": 37}}).open()
    assert counts(pair(entries, "SE", "US", window=7)) == (0, 1, 0)


def test_a_long_gap_ends_waits_and_follow_up_and_begins_a_new_washout() -> None:
    # the United States: days 0 … 49 and, 29 days later, 78 … 120
    observed = {"SE": list(range(121)), "US": [*range(50), *range(78, 121)]}
    late = study(observed, {"t": {"SE": 40, "US": 100}}, washout=14)
    assert [(row["span"], row["first_date"], row["last_date"]) for row in late.spans[1:]] == [
        (1, day(0), day(49)),
        (2, day(78), day(120)),
    ]
    assert waits_of(late.open()) == {("t", "US"): (0, 9, False)}  # censored on day 49
    assert counts(pair(late.open(), "SE", "US")) == (0, 0, 1)
    assert pair(late.open(), "SE", "US")["rate"] == 0
    # an entry in the new washout has no true date: nobody is exposed
    washed = study(observed, {"t": {"SE": 40, "US": 91}}, washout=14)
    assert [row["left_censored"] for row in washed.entries] == [False, True]
    assert counts(pair(washed.open(), "SE", "US")) == (0, 0, 0)
    # a debut in the gap or in the new washout: at risk from day 92 on, the 32nd after the debut
    for debut, start in ((60, 31), (85, 6), (91, 0), (95, 0)):
        entries = study(observed, {"t": {"SE": debut, "US": 100}}, washout=14).open()
        assert waits_of(entries) == {("t", "US"): (start, 100 - debut, True)}


def test_a_gap_of_28_days_is_bridged_and_one_of_29_is_long() -> None:
    for gap, spans in ((28, 1), (29, 2)):
        charts = study({"SE": [0, 1, 1 + gap, 2 + gap]}, {"t": {"SE": 1 + gap}}, washout=1)
        calendar = charts.open().calendar
        assert calendar.spans.num_rows == spans == len(charts.spans)
        assert charts.entries[0]["left_censored"] is (spans == 2)


def test_the_window_and_the_horizon_include_their_bound() -> None:
    daily = list(range(90))
    entries = study({"SE": daily, "US": daily}, {"t": {"SE": 10, "US": 40}}).open()
    assert counts(pair(entries, "SE", "US", window=30)) == (1, 0, 1)
    assert counts(pair(entries, "SE", "US", window=29)) == (0, 0, 1)
    assert waits_of(entries, horizon=30) == {("t", "US"): (0, 30, True)}
    assert waits_of(entries, horizon=29) == {("t", "US"): (0, 29, False)}


def test_a_wait_takes_a_day_past_the_washout_and_within_the_horizon() -> None:
    # the United States are washed out on day 28, 18 days after the debut, if they are observed so long
    for last, horizon, waits in (
        (60, 18, {("t", "US"): (17, 18, False)}),
        (60, 17, {}),
        (28, 60, {("t", "US"): (17, 18, False)}),
        (27, 60, {}),
    ):
        entries = study({"SE": list(range(-30, 90)), "US": list(range(last + 1))}, {"t": {"SE": 10}}, washout=28).open()
        assert waits_of(entries, horizon=horizon) == waits


def test_a_stretch_shorter_than_the_washout_is_passed_over() -> None:
    # the United States: days 0 … 20, then 60 … 120, washed out on day 88, the 78th after the debut
    observed = {"SE": list(range(-30, 121)), "US": [*range(21), *range(60, 121)]}
    assert waits_of(study(observed, {"t": {"SE": 10, "US": 100}}, washout=28).open()) == {("t", "US"): (77, 90, True)}
    assert waits_of(study(observed, {"t": {"SE": 10, "US": 15}}, washout=28).open()) == {}


def test_a_footprint_with_one_market_in_washout_is_timed_and_that_market_is_no_sender() -> None:
    observed = {"SE": list(range(100)), "US": list(range(30, 100)), "FI": list(range(100))}
    entries = study(observed, {"t": {"SE": 40, "US": 40, "FI": 60}}, washout=28).open()
    (debut,) = entries.debuts().to_pylist()
    assert (debut["footprint"], debut["left_censored"], debut["markets"]) == (2, False, 3)
    assert [(row["market"], row["left_censored"]) for row in entries.footprints().to_pylist()] == [
        ("SE", False),
        ("US", True),
    ]
    assert counts(pair(entries, "SE", "FI")) == (1, 0, 1)
    assert counts(pair(entries, "US", "FI")) == (0, 0, 0)
    assert counts(pair(entries, "SE", "US")) == (0, 0, 0)  # no tie: one of the entries is not timed
    assert waits_of(entries) == {("t", "FI"): (0, 20, True)}


def test_a_track_whose_debut_is_left_censored_takes_no_part() -> None:
    daily = list(range(100))
    observed = dict.fromkeys(("SE", "US", "FI", "MT"), daily)  # nobody sees the track in Malta
    entries = study(observed, {"t": {"SE": 10, "US": 50, "FI": 50}}, washout=28).open()
    assert [row["left_censored"] for row in entries.debuts().to_pylist()] == [True]
    assert entries.waits().num_rows == entries.lags(window=60).num_rows == entries.ties().num_rows == 0
    assert {counts(row) for row in diffusion.transitions(entries).to_pylist()} == {(0, 0, 0)}


def test_a_left_censored_entry_takes_the_market_out_of_the_exposed() -> None:
    # the United States end on day 69 and come back on day 100; one track enters before, one in the new washout
    observed = {"SE": list(range(140)), "US": [*range(70), *range(100, 140)]}
    entered = {"in time": {"SE": 40, "US": 60}, "washed": {"SE": 40, "US": 110}, "never": {"SE": 40}}
    entries = study(observed, entered, washout=28).open()
    assert counts(pair(entries, "SE", "US")) == (1, 0, 2)
    assert waits_of(entries)["washed", "US"] == (0, 29, False)  # its wait was over on day 69


def test_the_rate_is_kaplan_meier_where_follow_up_ends_early() -> None:
    # The United States end on day 60. Followed for days: 10 (entered), 20 (censored), 30 (entered), 40 (censored).
    # Survival: 3/4 after day 10, then 1/2 of it after day 30, when two are left.
    observed = {"SE": list(range(100)), "US": list(range(61))}
    entered = {"a": {"SE": 40, "US": 50}, "b": {"SE": 40}, "c": {"SE": 20, "US": 50}, "d": {"SE": 20}}
    row = pair(study(observed, entered).open(), "SE", "US")
    assert counts(row) == (2, 0, 4)
    assert row["rate"] == pytest.approx(1 - 3 / 4 * 1 / 2, rel=0, abs=RATE_TOLERANCE)
    assert (row["lag_q25"], row["lag_median"], row["lag_q75"]) == (15, 20, 25)
    # with every follow-up complete it is the share
    complete = pair(study({**observed, "US": list(range(101))}, entered).open(), "SE", "US")
    assert (complete["rate"], counts(complete)) == (0.5, (2, 0, 4))


def test_the_day_of_the_debut_in_a_market_on_its_last_day_is_exposed_for_no_day() -> None:
    entries = study({"SE": list(range(100)), "US": list(range(61))}, {"t": {"SE": 60}}).open()
    assert entries.lags(window=60).to_pylist() == [
        {"source": "SE", "target": "US", "days": 0, "entered": 0, "censored": 1}
    ]
    assert waits_of(entries) == {}


def test_a_language_is_shared_not_shared_or_not_known() -> None:
    daily = list(range(60))
    observed = dict.fromkeys(("SE", "FI", "US", "MT"), daily)
    entered = {"one": {"SE": 10}, "two": {"SE": 10, "MT": 10}, "three": {"US": 10}}
    rows = study(observed, entered).open().wait_counts(horizon=30).to_pylist()
    matches = {(row["market"], row["footprint"], row["language_match"]): row["waits"] for row in rows}
    assert matches == {
        ("FI", 1, True): 1,  # of "one": Swedish
        ("FI", 1, False): 1,  # of "three"
        ("FI", 2, True): 1,  # of "two": Sweden settles it, whatever Malta speaks
        ("SE", 1, False): 1,
        ("US", 1, False): 1,
        ("US", 2, None): 1,  # Sweden does not share it, and of Malta nothing is known
        ("MT", 1, None): 2,
    }


def test_a_withheld_market_is_no_risk_whether_the_track_went_there_or_not() -> None:
    charts = study({"SE": list(range(40)), "US": list(range(40))}, {"a": {"SE": 9}, "b": {"SE": 9, "US": 19}})
    withheld = pa.table({"track_id": ["a", "b"], "market": ["US", "US"]})
    assert waits_of(replace(charts.open(), withheld=withheld)) == {}
    assert waits_of(charts.open()) == {("a", "US"): (0, 30, False), ("b", "US"): (0, 10, True)}


def test_a_journey_counts_dates_and_ties_share_a_step() -> None:
    daily = list(range(60))
    entries = study(dict.fromkeys(("SE", "FI", "US"), daily), {"t": {"SE": 30, "US": 30, "FI": 45}}).open()
    assert [(row["market"], row["step"], row["days"]) for row in entries.journeys().to_pylist()] == [
        ("FI", 2, 15),
        ("SE", 1, 0),
        ("US", 1, 0),
    ]


def chart_day(number: int, *track_ids: str | None) -> list[Row]:
    """Return one Swedish chart with the tracks in order of rank; None leaves a rank out."""
    blank = {"available_markets": None, "streams": None, "market": "Sweden", "chart": "top200"}
    place = {**blank, "date": str(day(number))}
    return [
        {**place, "rank": str(rank), "track_id": track_id, "title": track_id, "artist": "A"}
        for rank, track_id in enumerate(track_ids, 1)
        if track_id
    ]


def test_an_event_is_the_first_day_of_the_first_run_long_enough() -> None:
    # on the chart on days 1, 3, 4, in the top 1 on days 4, 5, 6; day 2 was observed, days 7 … 9 were not
    days = [chart_day(0, "x"), chart_day(1, "x", "t"), chart_day(2, "x"), chart_day(3, "x", "t")]
    days += [chart_day(number, "t", "x") for number in (4, 5, 6)] + [chart_day(10, "x")]
    rows = [row for rows in days for row in rows]

    def entry(**rules: int) -> list[tuple[date, date | None, int]]:
        with opened(rows) as charts:
            table = charts.entries(washout=0, **rules).table.to_pylist()
        return [(row["entry"], row["last_without"], row["rank"]) for row in table if row["track_id"] == "t"]

    assert entry() == [(day(1), day(0), 2)]
    assert entry(min_periods=2) == [(day(3), day(2), 2)]
    assert entry(top=1) == entry(top=1, min_periods=3) == [(day(4), day(3), 1)]
    assert entry(min_periods=5) == []


def test_a_run_bridges_a_short_gap_and_not_a_long_one() -> None:
    for gap, entered in ((28, day(1)), (29, day(1 + 29))):
        rows = chart_day(0, "x") + chart_day(1, "x", "t")
        rows += chart_day(1 + gap, "x", "t") + chart_day(2 + gap, "x", "t") + chart_day(3 + gap, "x")
        with opened(rows) as charts:
            (entry,) = charts.entries(min_periods=2, washout=0).table.filter(pc.field("track_id") == "t").to_pylist()
        assert entry["entry"] == entered


def test_a_stale_chart_equals_the_one_before_ranks_and_all() -> None:
    rows = chart_day(0, "a", "b") + chart_day(1, "a", "b") + chart_day(2, "b", "a") + chart_day(3, "b")
    rows += chart_day(5, "b") + chart_day(6, None, "b") + chart_day(7, "c", "b")
    with opened(rows) as charts:
        stale = charts.calendar().coverage.to_pydict()["stale"]
    assert stale == [False, True, False, False, True, False, False]


def test_ids_of_one_recording_enter_once_and_best_placed() -> None:
    rows = chart_day(0, "x") + chart_day(1, "x", "old") + chart_day(2, "x", "new", "old")
    titles = {"x": "X", "old": "Cafe\u0301 - 2011 Remaster", "new": "CAFÉ (feat. Ö)"}
    rows = [{**row, "title": titles[row["track_id"]]} for row in rows]
    with opened(rows) as charts:
        apart = charts.entries(washout=0).table.to_pylist()
        joined = charts.entries(washout=0, identity="recording").table.to_pylist()
    assert [(row["track_id"], row["entry"]) for row in apart] == [("new", day(2)), ("old", day(1)), ("x", day(0))]
    assert [(row["track_id"], row["entry"], row["rank"]) for row in joined] == [("new", day(1), 2), ("x", day(0), 1)]


def test_a_recording_enters_at_the_best_rank_of_its_ids() -> None:
    rows = [{**row, "title": "T"} for row in chart_day(0, "b", "a")]
    with opened(rows) as charts:
        (entry,) = charts.entries(identity="recording").table.to_pylist()
    assert (entry["track_id"], entry["rank"]) == ("a", 1)


def test_a_duplicate_brings_no_streams() -> None:
    better, worse = chart_day(0, "a", "a")
    with opened([{**better, "streams": "50"}, {**worse, "streams": "70"}]) as charts:
        (row,) = charts._engine.fetch("chart_rows").to_pylist()
    assert (row["rank"], row["streams"]) == (1, 50)


def test_the_streams_of_a_recording_are_those_of_its_best_placed_id() -> None:
    better, worse = chart_day(0, "a", "b")
    with opened([{**better, "title": "T", "streams": "50"}, {**worse, "title": "T", "streams": "70"}]) as charts:
        (entry,) = charts.entries(identity="recording").table.to_pylist()
    assert (entry["rank"], entry["streams"]) == (1, 50)


def test_a_recording_is_withheld_where_every_id_of_it_is() -> None:
    rows = chart_day(0, "a", "b", "c", "d")
    rows += [{**row, "market": "usa"} for row in chart_day(0, "c")]
    licences = {"a": "['US']", "b": "['US', 'FI']", "c": "['SE']", "d": None}
    rows = [{**row, "title": "T", "available_markets": licences[row["track_id"]]} for row in rows]

    def withheld(identity: diffusion.Identity, *alone: str) -> list[tuple[str, str]]:
        apart = [{**row, "title": row["track_id"] if row["track_id"] in alone else "T"} for row in rows]
        with opened(apart) as charts:
            table = charts.entries(identity=identity).withheld.to_pylist()
        return [(row["track_id"], row["market"]) for row in table]

    assert withheld("track") == [("a", "SE"), ("b", "SE"), ("c", "US")]
    assert withheld("recording", "c", "d") == [("a", "SE"), ("c", "US")]
    assert withheld("recording", "d") == []  # one id has Sweden, two have the United States
    assert withheld("recording", "b", "c") == [("b", "SE"), ("c", "US")]  # of one id of "a" nothing is known


def test_every_row_of_a_source_is_accounted_for() -> None:
    rows = [row for number in range(100) for row in chart_day(number, "a", "b", "c", "d", "e", "f")]
    first = rows[:6]
    rows += [
        first[0],  # the same again
        {**first[1], "rank": "7"},  # the same track at a worse rank
        {**first[5], "rank": "3"},  # … and at a better one, where "c" is: both "c" and "f" are set aside
        {**first[0], "market": "Global"},
        {**first[0], "market": None},
        {**first[0], "date": "yesterday"},
        {**first[0], "rank": "0"},
        {**first[0], "track_id": None},
        {**first[4], "date": "2021-06-01", "streams": "a lot"},
    ]
    with opened(rows) as charts:
        account = charts.account
        kept = [row["track_id"] for row in charts._engine.fetch("chart_rows").to_pylist() if row["date"] == day(0)]
    assert kept == ["a", "b", "d", "e"]
    assert (account.read, account.kept, account.duplicates, account.aggregate) == (609, 599, 3, 1)
    assert account.set_aside == {
        "no market": 1,
        "no track id": 1,
        "rank is not a whole number from 1": 1,
        "two tracks on one rank": 2,
        "unreadable date": 1,
    }
    assert account.streams_unreadable == 1


# ── contracts and their files ────────────────────────────────────────────────────────────────────────────────────────

SQL = {file.name.removesuffix(".sql"): file for file in resources.files("diffusion").joinpath("sql").iterdir()}


def test_every_contract_has_its_sql_and_every_sql_its_contract() -> None:
    names = [contract.name for contract in schema.RELATIONS]
    assert len(set(names)) == len(names)
    assert set(SQL) == set(names) | set(schema.STEPS)
    assert not set(names) & set(schema.STEPS)


@pytest.mark.parametrize("name", sorted(SQL))
def test_a_relation_is_one_select_that_says_what_a_row_is(name: str) -> None:
    text = SQL[name].read_text(encoding="utf-8")
    code = re.sub(r"--[^\n]*|'[^']*'", "", text)
    assert re.match(r"-- One row per \w", text)
    assert re.match(r"\s*(SELECT|WITH)\b", code)
    assert not re.search(r"[{};]|\b(INSERT|CREATE|UPDATE|DELETE|COPY|ATTACH)\b", code)


@pytest.mark.parametrize("contract", [*schema.RELATIONS, schema.TRANSITIONS], ids=lambda contract: contract.name)
def test_a_contract_names_each_column_once_and_its_key_among_them(contract: schema.Contract) -> None:
    assert len(set(contract.names)) == len(contract.names)
    assert contract.key
    assert set(contract.key) <= set(contract.names)
    assert all(column.meaning for column in contract.columns)

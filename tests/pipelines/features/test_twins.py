"""Charts as arrays, observation points and counting features against their plain-Python twins."""

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import diffusion
from pipelines.features.artist import Artist
from pipelines.features.history import History
from pipelines.features.observations import Observations, Outcomes, timed_debuts
from pipelines.features.scene import EntryIndex, Scene
from pipelines.features.table import features
from pipelines.features.temporal import Temporal
from pipelines.features.track import Track
from pipelines.features.transitions import PRIOR, Transitions
from tests import twins, twins_features
from tests.random_charts import RULES, Rules, examples, opened, padding, sources
from tests.twins import Row

EPOCH = date(1970, 1, 1).toordinal()
SINGLE = 1e-5
"""Relative: features are of single precision."""

DOUBLE = 1e-12
"""Relative: both sides add the same counts in another order."""


def as_date(day: float) -> date:
    """Return the date of a number of days since 1970-01-01."""
    return date.fromordinal(EPOCH + int(day))


def drawn(rows: Sequence[Row], rules: Rules) -> tuple[History, twins_features.Charts]:
    """Return a history and its twin, of charts with an event; other charts are not looked at."""
    rows = [*rows, *padding(rows)]
    twin = twins_features.Charts.of(rows, rules)
    assume(twin.rows)
    assume(twin.entries())
    with opened(rows) as charts:
        return History.of(charts, charts.entries(**rules.event)), twin


def some_days(history: History) -> list[int]:
    """Return a third, two thirds and the last of the observed days."""
    days = np.unique(history.observed.day)
    return sorted({int(days[len(days) // 3]), int(days[2 * len(days) // 3]), int(days[-1])})


def agree_on_history(known: History, twin: twins_features.Charts) -> None:
    """Assert that what was known is what the twin makes of the rows by then."""
    firsts, ids = twin.firsts(), known.tracks["track_id"].to_numpy()
    markets = [*known.markets, twins_features.WORLD]
    assert list(ids) == list(firsts)
    assert list(map(as_date, known.first_seen)) == [track["seen"] for track in firsts.values()]
    for name in ("title", "artist"):
        told = known.tracks[name].astype(object)
        assert list(told.where(told.notna(), None)) == [track[name] for track in firsts.values()]
    rows = known.positions
    streams = [None if math.isnan(value) else int(value) for value in rows.streams]
    charted = sorted(zip(rows.day, rows.market, rows.track, rows.rank, streams, strict=True), key=lambda row: row[:3])
    found = sorted((as_date(day), markets[at], ids[track], rank, plays) for day, at, track, rank, plays in charted)
    first = as_date(known.first_day)
    assert found == [place for place in twin.positions() if place[0] >= first]
    entries = known.entries
    names = ["track_id", "market", "entry", "last_without", "rank", "left_censored"]
    made = known.as_entries().table.sort_by([("track_id", "ascending"), ("market", "ascending")])
    assert made.select(names).to_pylist() == [{name: row[name] for name in names} for row in twin.entries()]
    assert list(entries.timed) == list(~known.as_entries().table["left_censored"].to_numpy())
    covered = twin.coverage()
    opened = {(s["market"], s["span"]): s["first_date"] for s in twins.spans(covered)}
    observed = zip(known.observed.day, known.observed.market, known.observed.opened, known.observed.depth, strict=True)
    assert [(as_date(d), known.markets[m], as_date(o), depth) for d, m, o, depth in observed] == sorted(
        (row["date"], row["market"], opened[row["market"], row["span"]], row["depth"]) for row in covered
    )
    credits = twin.credits()
    assert [ids[track] for track in known.credits[0]] == [own for own, names in credits.items() for _ in names]
    named = [name for names in credits.values() for name in names]
    assert len({*zip(known.credits[1], named, strict=True)}) == len({*named}) == len({*known.credits[1]})
    first_named = {names[0]: code for code, names in zip(known.artist, credits.values(), strict=True)}
    assert all(first_named[names[0]] == code for code, names in zip(known.artist, credits.values(), strict=True))
    assert set(first_named.items()) <= {*zip(named, known.credits[1], strict=True)}
    pairs = {(ids[track], known.markets[market]) for track, market in known.withheld.T}
    assert pairs == {pair for pair in twin.withheld(known.markets) if pair[0] in firsts}


@examples(10)
@given(rows=sources(), rules=RULES)
def test_what_was_known_is_what_the_twin_makes_of_the_rows_by_then(rows: list[Row], rules: Rules) -> None:
    history, twin = drawn(rows, rules)
    agree_on_history(history, twin)
    for day in some_days(history):
        known = twin.until(as_date(day))
        agree_on_history(history.until(day), known)
        assert history.until(day).cadence == diffusion.Calendar(history.until(day).coverage).cadence
    timed = {row["track_id"] for row in twins.debuts(twin.entries()) if not row["left_censored"]}
    track, debut = timed_debuts(history)
    assert set(history.tracks["track_id"].iloc[track]) == timed
    assert {row["track_id"]: row["debut"] for row in twins.debuts(twin.entries()) if row["track_id"] in timed} == {
        history.tracks["track_id"].iloc[at]: as_date(day) for at, day in zip(track, debut, strict=True)
    }


@examples(10)
@given(rows=sources(), rules=RULES)
def test_scenes_candidates_and_outcomes_are_those_of_the_twin(rows: list[Row], rules: Rules) -> None:
    history, twin = drawn(rows, rules)
    ids, markets, horizon = list(history.tracks["track_id"]), history.markets, rules.horizon
    for day in some_days(history):
        then, known = as_date(day), twin.until(as_date(day))
        track = np.arange(len(history.until(day).tracks))
        scene = Scene.of(history.until(day), EntryIndex.of(history), day, track)
        observations = Observations.of(history, track, np.full(len(track), day, np.int32))
        outcomes = Outcomes.of(history, observations, horizon)
        assert [market for market, there in zip(markets, scene.open, strict=True) if there] == [
            market for market in markets if known.is_open(market, then)
        ]
        charts = {market: known.latest(market, then) for market in [*markets, twins_features.WORLD]}
        entered = known.entered()
        for at in track:
            own = ids[at]
            since = {m: (then - row["entry"]).days for m, row in entered[own].items()}
            assert {m: scene.since_entry[at, j] for j, m in enumerate(markets) if scene.entered[at, j]} == since
            assert scene.age[at] == max(since.values(), default=0)
            assert [m for j, m in enumerate(markets) if scene.footprint[at, j]] == [
                m for m in markets if since.get(m) == scene.age[at]
            ]
            placed = [charts[m].get(own, (None, None)) for m in [*markets, twins_features.WORLD]]
            ranks = [*scene.rank[at], scene.global_rank[at]]
            assert [None if math.isnan(rank) else rank for rank in ranks] == [rank for rank, _ in placed]
            plays = [None if math.isnan(value) else value for value in scene.streams[at]]
            assert plays == [streams for _, streams in placed[:-1]]
            free = twins_features.candidates(twin, own, then, markets)
            assert [m for j, m in enumerate(markets) if observations.candidates[at, j]] == free
            for j, market in enumerate(markets):
                days, followed = twins_features.outcome(twin, own, market, then, horizon)
                assert outcomes.entered[at, j] == (days is not None)
                assert outcomes.followed[at, j] == followed
                assert days is None or outcomes.days[at, j] == days


@examples(10)
@given(rows=sources(), rules=RULES, horizon=st.sampled_from([1, 7, 14, 30]))
def test_counting_features_are_those_of_the_twin(rows: list[Row], rules: Rules, horizon: int) -> None:
    history, twin = drawn(rows, rules)
    days, ids, markets = some_days(history), list(history.tracks["track_id"]), history.markets
    track = np.concatenate([np.arange(len(history.until(day).tracks)) for day in days])
    seen = np.repeat(days, [len(history.until(day).tracks) for day in days]).astype(np.int32)
    observations = Observations(track, seen, np.ones((len(track), len(markets)), np.bool_))
    table = features(history, observations, [Temporal(), Track(), Artist(horizon)])
    for row, (at, market) in enumerate(zip(table.observation, table.market, strict=True)):
        own, day = ids[observations.track[at]], as_date(observations.day[at])
        expected = twins_features.track_features(twin, own, day) if market == 0 else {}
        expected |= twins_features.artist_features(twin, own, markets[market], day)
        for name, value in expected.items():
            found = float(table.values[row, table.names.index(name)])
            assert found == pytest.approx(math.nan if value is None else value, rel=SINGLE, nan_ok=True), (
                name,
                own,
                day,
            )


@examples(10)
@given(rows=sources(), rules=RULES, horizon=st.sampled_from([1, 7, 14, 30]))
def test_transition_rates_are_those_of_the_twin(rows: list[Row], rules: Rules, horizon: int) -> None:
    history, twin = drawn(rows, rules)
    learned, last = Transitions(horizon), some_days(history)[-1]
    for day in map(int, np.unique(history.observed.day)):
        learned.advance(history.until(day), day)
    over = list(twins_features.windows(twin, as_date(last), horizon, history.markets))
    rates = twins_features.transition_rates(over, history.markets, PRIOR)
    m = range(len(history.markets))
    name = history.markets
    for b in m:
        assert learned.market_rates()[b] == pytest.approx(rates["market"][name[b],], rel=DOUBLE)
        for a in m:
            assert learned.rates()[a, b] == pytest.approx(rates["pair"][name[a], name[b]], rel=DOUBLE)
            assert learned.credit_rates()[a, b] == pytest.approx(rates["credit"][name[a], name[b]], rel=DOUBLE)

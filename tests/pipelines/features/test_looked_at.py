"""Features made from the rows that they look at are those made from all rows; longer charts do not make them more."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given

import diffusion
from diffusion import Charts, DataSaysNoError, Entries
from diffusion.simulation import Simulation, simulate
from pipelines.backtest import latest
from pipelines.backtest.latest import Latest
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.looked_at import looked_at, on_latest_charts
from pipelines.features.observations import Observations, debuts, recent_tracks, timed_debuts
from pipelines.features.rows import ChartEnds
from pipelines.features.table import features
from tests.random_charts import RULES, Rules, examples, opened, padding, sources
from tests.twins import Row

HORIZON = 14


def some(history: History, every: int, least: int) -> Observations:
    """Return some of the tracks known on every so many days up to the last, with all markets as candidates."""
    rng, debut, pairs = np.random.default_rng(5), debuts(history), []
    for day in np.unique(history.observed.day)[::-every]:
        known = np.flatnonzero(debut <= day)
        drawn = rng.choice(known, min(least, len(known)), replace=False)
        pairs.append(np.stack([drawn, np.full(len(drawn), day)]))
    track, day = np.concatenate(pairs, axis=1)
    return Observations(track, day.astype(np.int32), np.ones((len(track), len(history.markets)), np.bool_))


def agree(charts: Charts, entries: Entries, *, every: int, least: int) -> tuple[int, int]:
    """Assert that features of some rows are those of all; return the numbers of rows."""
    whole, bare = History.of(charts, entries), History.without_rows(charts, entries)
    assert not len(bare.positions.day)
    for name in ChartEnds.__slots__:
        assert np.array_equal(getattr(bare.ends, name), getattr(ChartEnds.of(whole.positions), name)), name
    points = some(whole, every, least)
    part = bare.with_rows(charts, looked_at(bare, points.track, points.day))
    expected, found = (features(history, points, families(HORIZON)) for history in (whole, part))
    differ = [
        name
        for at, name in enumerate(expected.names)
        if not np.array_equal(expected.values[:, at], found.values[:, at], equal_nan=True)
    ]
    assert differ == []
    return len(whole.positions.day), len(part.positions.day)


@pytest.mark.slow
@pytest.mark.parametrize("identity", ["track", "recording"])
def test_features_of_some_rows_are_those_of_all_rows(identity: diffusion.Identity) -> None:
    with diffusion.open_sample() as charts:
        rows, read = agree(charts, charts.entries(identity=identity, washout=7), every=9, least=20)
    assert read < rows / 4


@examples(12)
@given(rows=sources(), rules=RULES)
def test_features_of_random_charts_do_not_need_other_rows(rows: list[Row], rules: Rules) -> None:
    with opened([*rows, *padding(rows)]) as charts:
        try:
            entries = charts.entries(**rules.event)
        except (DataSaysNoError, diffusion.SettingError):
            assume(False)
        agree(charts, entries, every=3, least=6)


def test_tracks_on_the_latest_charts_are_found_in_their_rows_there() -> None:
    with diffusion.open_sample() as charts:
        entries = charts.entries(washout=7)
        whole, bare = History.of(charts, entries), History.without_rows(charts, entries)
        track, debut = timed_debuts(bare)
        recent = track[debut >= bare.last_day - HORIZON]
        part = bare.with_rows(charts, on_latest_charts(bare, recent))
    found = recent_tracks(whole, HORIZON)
    assert len(found)
    assert np.array_equal(recent_tracks(part, HORIZON), found)
    assert set(part.positions.track) <= set(recent)


def test_charts_end_where_they_end_whenever_their_tracks_were_first_seen() -> None:
    with diffusion.open_sample() as charts:
        whole = History.of(charts, charts.entries())
    day = int(np.unique(whole.observed.day)[40])
    later = whole.since(day)
    assert (ChartEnds.of(later.positions).rank < 20).any()  # of the new tracks alone
    chosen = later.ends.market < len(later.markets)
    assert later.ends.day.min() == day
    assert np.array_equal(later.ends.rank[chosen], later.observed.depth)


@pytest.mark.slow
def test_of_longer_charts_not_more_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in {"MOST_DATES": 80, "MOST_FITTED": 60, "MOST_TESTED": 40, "MOST_CURRENT": 20}.items():
        monkeypatch.setattr(latest, name, most)
    rows, read = [], []
    for days in (120, 360):
        place = tmp_path / str(days)
        simulate(Simulation(5 * days, 5, days, seed=3, density=0.5, depth=20), place, layout="star")
        with diffusion.open_charts(place / "charts") as charts:
            entries = charts.entries()
            rows.append(len(charts.positions()))
            read.append(len(Latest.of(charts, entries, 7).history.positions.day))
    assert rows[1] > 2.5 * rows[0]
    assert max(read) < 1.3 * min(read)
    assert max(read) < rows[0] / 2

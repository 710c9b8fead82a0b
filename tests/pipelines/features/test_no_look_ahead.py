"""Charts cut at a date give the features that whole charts give up to that date; odd charts give features too."""

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from diffusion import DataSaysNoError, open_charts
from pipelines.features.audit import Looked
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.observations import Observations, Outcomes
from pipelines.features.table import features
from tests.conftest import WriteCsv, kaggle_rows

TRACKS = 60
"""Tracks looked at on every date."""


def read(table: pa.Table, folder: Path, *, washout: int) -> History:
    """Return the history of a table that is written as a file and opened."""
    file = folder / "charts.parquet"
    pq.write_table(table, file)
    with open_charts(file) as charts:
        return History.of(charts, charts.entries(washout=washout))


def agree_as_of(whole: History, cut: History, day: int, horizon: int) -> None:
    """Assert that charts cut after a day are a prefix of the whole charts, and that features up to it are the same."""
    known = whole.until(day)
    kept = [known.markets.index(market) for market in cut.markets]
    renumbered = np.append(np.full(len(known.markets), -1), len(cut.markets))
    renumbered[kept] = np.arange(len(kept))
    assert cut.tracks["track_id"].tolist() == known.tracks["track_id"].tolist()
    for name in ("first_seen", "artist", "credits", "recording"):
        assert np.array_equal(getattr(cut, name), getattr(known, name)), name
    for name in ("positions", "entries", "observed"):
        for part in getattr(cut, name).__slots__:
            one, other = getattr(getattr(cut, name), part), getattr(getattr(known, name), part)
            other = renumbered[other] if part == "market" else other
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), (name, part)
    assert (cut.cadence, cut.first_day, cut.last_day) == (known.cadence, known.first_day, known.last_day)
    rng, days = np.random.default_rng(1), np.unique(known.observed.day)
    track, seen = [], []
    for each in [*days[len(days) // 3 :: 4].tolist(), day]:
        there = np.unique(known.entries.between(known.first_day, each).track)
        track.append(rng.choice(there, min(TRACKS, len(there)), replace=False).astype(np.int64))
        seen.append(np.full(len(track[-1]), each, np.int32))
    code, pair = np.unique(np.stack([np.concatenate(seen), np.concatenate(track)]), axis=1)
    points = Observations.of(whole, pair.astype(np.int64), code.astype(np.int32))
    looked = Looked.of(whole, lambda charts: families(horizon), points)
    assert len(looked.keys) > 1_000
    changed = looked.differs(looked.again(cut, lambda charts: families(horizon)))
    names = [feature.name for family in families(horizon) for feature in family.features]
    assert [name for name, number in zip(names, changed, strict=True) if number] == []


@pytest.mark.parametrize(("every", "horizon", "washout"), [(1, 14, 7), pytest.param(7, 28, 14, marks=pytest.mark.slow)])
def test_charts_cut_at_a_date_give_the_features_of_whole_charts(
    every: int, horizon: int, washout: int, tmp_path: Path
) -> None:
    with resources.as_file(resources.files("diffusion").joinpath("data", "top50_daily_2021.parquet")) as file:
        table = pq.read_table(file)
    dates = table["date"].cast(pa.date32()).cast(pa.int32())
    first, last = pc.min(dates).as_py(), pc.max(dates).as_py()
    markets = sorted(table["region"].unique().to_pylist())[:: 1 if every == 7 else 4]
    own = pc.equal(pc.subtract(dates, pc.multiply(pc.divide(pc.subtract(dates, first), every), every)), first)
    table = table.filter(pc.and_(own, pc.is_in(table["region"], pa.array([*markets, "Global"]))))
    # one market begins after the cut, so that the cut charts do not know of it
    cut = (first + last) // 2
    dates = table["date"].cast(pa.date32()).cast(pa.int32())
    table = table.filter(pc.or_(pc.not_equal(table["region"], markets[1]), pc.greater(dates, cut)))
    dates = table["date"].cast(pa.date32()).cast(pa.int32())
    known = table.filter(pc.less_equal(dates, cut))
    day = pc.max(known["date"].cast(pa.date32()).cast(pa.int32())).as_py()
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = read(table, tmp_path / "whole", washout=washout)
    agree_as_of(whole, read(known, tmp_path / "cut", washout=washout), day, horizon)


@pytest.mark.slow
def test_real_weekly_charts_cut_at_a_date_give_the_features_of_whole_charts(real_data: Path, tmp_path: Path) -> None:
    table = pq.read_table(real_data / "viral50-weekly-2017-2020" / "viral50_weekly.parquet")
    date = pc.strptime(table["week_start"], "%Y-%m-%d", "s") if pa.types.is_string(table["week_start"].type) else None
    dates = (table["week_start"] if date is None else date).cast(pa.date32()).cast(pa.int32())
    known = table.filter(pc.less_equal(dates, 17_500))
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    cut = read(known, tmp_path / "cut", washout=28)
    agree_as_of(read(table, tmp_path / "whole", washout=28), cut, cut.last_day, 56)


# ── odd charts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def some_rows(regions: Iterable[str], days: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return charts of ten tracks out of a slowly changing pool."""
    rng = np.random.default_rng(seed)
    charts = {
        (region, day): [f"t{number:03}" for number in rng.choice(np.arange(day // 2, day // 2 + 20), 10, replace=False)]
        for region in regions
        for day in range(days)
    }
    return kaggle_rows(charts)


def made(file: Path, horizon: int = 7) -> tuple[History, dict[str, np.ndarray[Any, Any]]]:
    """Return the history of a file, and name → values of all tracks on the last day in all markets."""
    with open_charts(file) as charts:
        history = History.of(charts, charts.entries(washout=0))
    track = np.arange(len(history.tracks))
    everywhere = np.ones((len(track), len(history.markets)), np.bool_)
    observations = Observations(track, np.full(len(track), history.last_day, np.int32), everywhere)
    table = features(history, observations, families(horizon))
    Outcomes.of(history, observations, horizon)
    Observations.of(history, track, observations.day)
    assert not np.isinf(table.values).any()
    return history, dict(zip(table.names, table.values.T, strict=True))


def test_charts_of_one_market(write_csv: WriteCsv) -> None:
    history, found = made(write_csv(some_rows(["Sweden"], 60)))
    assert history.markets == ("SE",)
    assert set(found["markets_entered"]) == {1}


def test_charts_of_one_date(write_csv: WriteCsv) -> None:
    history, found = made(write_csv(some_rows(["Sweden", "Norway", "Japan"], 1)))
    assert history.first_day == history.last_day
    assert set(found["age"]) == {0}


@pytest.mark.slow
def test_charts_without_and_with_global(write_csv: WriteCsv) -> None:
    rows = some_rows(["Sweden", "Norway"], 60)
    _, without = made(write_csv(rows, "without.csv"))
    assert np.isnan(without["global_rank_now"]).all()
    history, within = made(write_csv(rows + some_rows(["Global"], 60, seed=1), "within.csv"))
    assert np.nanmin(within["global_rank_now"]) == 1
    assert history.markets == ("NO", "SE")


def test_charts_without_artists_and_titles(write_csv: WriteCsv) -> None:
    rows = [{**row, "artist": "", "title": ""} for row in some_rows(["Sweden", "Norway"], 60)]
    _, found = made(write_csv(rows))
    assert set(found["artist_tracks"]) == {0}
    assert set(found["credited"]) == {1}


@pytest.mark.slow
def test_rows_that_stand_ten_times_count_once(write_csv: WriteCsv) -> None:
    rows = some_rows(["Sweden", "Norway", "Japan"], 60)
    _, once = made(write_csv(rows, "once.csv"))
    _, often = made(write_csv(rows * 10, "often.csv"))
    for name, values in once.items():
        assert np.array_equal(values, often[name], equal_nan=True), name


def test_points_that_no_chart_reaches_are_refused(write_csv: WriteCsv) -> None:
    history, _ = made(write_csv(some_rows(["Sweden", "Norway"], 20)))
    with pytest.raises(DataSaysNoError, match="the charts end less than 30 days after every debut asked for"):
        Observations.landmarks(history, (30,))
    one, market = np.zeros(1, np.int64), np.ones((1, 2), np.bool_)
    for number, day, strange in ((1, history.last_day + 1, 1), (0, history.last_day, 0)):
        points = Observations(one[:number], np.full(number, day, np.int32), market[:number])
        with pytest.raises(ValueError, match=f"{number} observations, {strange} of their days without any chart"):
            features(history, points, families(7))

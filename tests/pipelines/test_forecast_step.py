"""The step `forecast`: models tested on later tracks, forecasts for tracks on a chart, and what small charts lack."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import diffusion
from diffusion import DataSaysNoError, SettingError
from diffusion.simulation import Simulation, simulate
from pipelines.backtest import latest as latest_tracks
from pipelines.backtest.latest import Latest, latest_fold
from pipelines.features.history import History
from pipelines.folders.folder import Folder
from pipelines.models import boosting
from pipelines.models.baselines import MarketRates
from pipelines.progress import quiet
from pipelines.study.finished import open_study
from pipelines.study.run import Run, closing_lines
from pipelines.study.settings import Study
from pipelines.study.steps.forecast import NAMES
from tests.conftest import WriteCsv, steady

DAILY = Simulation(1_000, 6, 200, seed=5, density=0.5, depth=25)
"""Daily charts with some influence: enough entries for a model."""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("daily")
    simulate(DAILY, place, layout="star")
    return place / "charts"


@pytest.fixture(scope="module")
def history(simulated: Path) -> History:
    with diffusion.open_charts(simulated) as charts:
        return History.of(charts, charts.entries())


def latest(simulated: Path) -> Latest:
    with diffusion.open_charts(simulated) as charts:
        return Latest.of(charts, charts.entries(), 14)


@pytest.fixture(scope="module")
def tracks(simulated: Path) -> Latest:
    return latest(simulated)


def forecast(study: Study, place: Path) -> list[str]:
    """Make the step of a study into a folder; return the lines on screen."""
    with Folder(place) as folder:
        job = Run(study, folder)
        return closing_lines(folder, job.make(("forecast",), quiet), job.results)


@pytest.fixture(scope="module")
def made(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    place = tmp_path_factory.mktemp("made") / "out"
    return place, forecast(Study(str(simulated), window=14), place)


def test_a_study_has_scores_and_forecasts(made: tuple[Path, list[str]], history: History) -> None:
    place, lines = made
    results = open_study(place)
    notes, scores, found = results.notes("forecast"), results.table("forecast_scores"), results.table("forecasts")
    assert set(scores["model"]) == set(NAMES.values())
    assert notes["horizon"] == 14
    assert not notes["not_made"]
    assert set(found["market"]) <= set(history.markets)
    assert found["p_enter"].between(0, 1).all()
    assert (found["p_by_7"] <= found["p_enter"]).all()
    assert found[["p_by_14", "p_by_28"]].isna().all(axis=None)  # not within the horizon
    assert (found["as_of"] == pd.Timestamp(notes["as_of"])).all()
    assert found["as_of"].iloc[0] == pd.Timestamp(np.datetime64(history.last_day, "D"))
    assert (found.groupby("track_id").size() <= 10).all()
    firsts = found.drop_duplicates("track_id")["expected_entries"]
    assert firsts.is_monotonic_decreasing
    assert sum(line.startswith("forecast  ") for line in lines) == 4


def test_forecasts_are_of_markets_not_entered_and_of_tracks_on_a_chart(
    made: tuple[Path, list[str]], history: History
) -> None:
    found = open_study(made[0]).table("forecasts")
    ids = history.tracks["track_id"].to_numpy()
    entered = set(zip(ids[history.entries.track], np.array(history.markets)[history.entries.market], strict=True))
    assert not entered & set(zip(found["track_id"], found["market"], strict=True))
    last = history.positions.between(history.last_day, history.last_day)
    assert set(found["track_id"]) <= set(ids[last.track])
    counts = pd.Series(np.bincount(history.entries.track, minlength=len(ids)), ids)
    assert (counts[found["track_id"]].to_numpy() == found["entered"]).all()


@pytest.mark.parametrize(
    ("bounds", "said"),
    [((0.01, 0.2), "a gain is shown"), ((-0.1, 0.2), "no gain is shown"), ((-0.2, -0.1), "a loss is shown")],
)
def test_no_more_is_said_than_the_paired_interval_shows(
    made: tuple[Path, list[str]], bounds: tuple[float, float], said: str
) -> None:
    from pipelines.study.steps import forecast as step

    results = open_study(made[0])
    table = results.table("forecast_scores")
    table.loc[table["model"] == "default forecaster", ["gain_low", "gain_high"]] = bounds
    results.table = lambda name: table  # type: ignore[method-assign]
    assert said in step._said(results)


def test_the_report_and_the_figures_show_it(made: tuple[Path, list[str]]) -> None:
    place, lines = made
    html = " ".join((place / "report.html").read_text(encoding="utf-8").split())
    assert "<h2>Which markets next</h2>" in html
    assert "a gain is shown" in html or "no gain is shown" in html or "a loss is shown" in html
    assert "shown" in next(line for line in lines if line.startswith("forecast  "))
    assert {path.stem for path in (place / "figures").glob("*.png")} == {"forecast_scores", "forecast_calibration"}


def test_nothing_is_fitted_on_what_was_not_over_before_the_test(history: History, tracks: Latest) -> None:
    found = tracks
    train, test = found.examples.where(found.trained_on), found.examples.where(found.tested)
    assert train.day.max() + 14 < found.fold.first <= test.debut.min()
    assert test.day.max() + 14 <= history.last_day
    assert not set(train.track) & set(test.track)
    looked = pd.DataFrame({name: getattr(found.examples, name) for name in ("track", "day", "debut")}).drop_duplicates()
    assert not looked["track"].duplicated().any()
    age = set(looked["day"] - looked["debut"])
    assert found.points == (0, 1, 3, 7)
    assert {*found.points} <= age <= {*range(8)}  # on the last date of the charts by then


def test_the_horizon_is_shorter_where_charts_are_short(history: History) -> None:
    assert latest_fold(history, 40).horizon == 40
    assert latest_fold(history, 60).horizon == 42
    assert latest_fold(history.until(history.first_day + 28 + 4 * 17), 60).horizon == 14
    assert latest_fold(history.until(history.first_day + 28 + 4 * 3), 3).horizon == 3
    with pytest.raises(DataSaysNoError, match=r"charts go on for 27 days after the washout of 28 days; .* takes 28"):
        latest_fold(history.until(history.first_day + 28 + 27), 60)


@pytest.mark.slow
def test_large_charts_are_tested_on_the_latest_tracks(
    simulated: Path, tracks: Latest, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tracks
    monkeypatch.setattr(latest_tracks, "MOST_FITTED", 100)
    monkeypatch.setattr(latest_tracks, "MOST_TESTED", 50)
    part = latest(simulated)
    assert part.fold.last == whole.fold.last
    assert 50 <= len(np.unique(part.examples.track[part.tested])) < 80  # ties of one day come along
    assert part.fold.first > whole.fold.first
    assert len(np.unique(part.examples.track[part.trained_on])) < len(np.unique(whole.examples.track[whole.trained_on]))


def test_charts_since_a_day_have_the_tracks_first_seen_from_then_on(history: History) -> None:
    day = history.first_day + 60
    later, n = history.since(day), int((history.first_seen < day).sum())
    assert later.first_day == day
    assert list(later.tracks["track_id"]) == list(history.tracks["track_id"])[n:]
    assert later.positions.day.min() >= day
    kept = history.entries.track >= n
    assert (later.entries.track + n == history.entries.track[kept]).all()
    assert (later.entries.day == history.entries.day[kept]).all()
    assert (later.observed.datable < day + 28).any()  # coverage goes on, with its washout over
    assert later.coverage.num_rows == len(later.observed.day)
    assert not set(later.until(day + 30).entries.track) - set(range(len(later.until(day + 30).tracks)))


@pytest.mark.slow
def test_of_long_charts_the_latest_dates_are_used(simulated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest_tracks, "MOST_DATES", 120)
    part = latest(simulated)
    assert len(np.unique(part.history.observed.day)) == 120
    assert part.examples.debut.min() >= part.history.first_day + 28


def test_a_market_without_entries_has_a_bound_above_zero(tracks: Latest) -> None:
    examples = tracks.examples
    other = examples.market != examples.market[examples.entered][0]
    days = np.where(other, examples.days, np.nan).astype(np.float32)
    emptied = replace(tracks, examples=replace(examples, entered=examples.entered & other, days=days))
    train, test = emptied.examples.where(emptied.trained_on), emptied.examples.where(emptied.tested)
    _, table = emptied.compared({"market_rate": MarketRates().fit(train).predict(test)})
    empty = table[(table["kind"] == "market") & (table["entries"] == 0)]
    assert len(empty) == 1
    assert empty["low"].item() == 0
    assert 0 < empty["high"].item() < 1


@pytest.mark.slow
def test_without_lightgbm_the_simple_models_are_scored(
    simulated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise SettingError("LightGBM cannot be loaded (no libgomp)")

    monkeypatch.setattr(boosting, "_lightgbm", missing)
    lines = forecast(Study(str(simulated), window=14), tmp_path / "out")
    assert "not made  model 'default': LightGBM cannot be loaded (no libgomp)" in lines
    assert "not made  forecasts: LightGBM cannot be loaded (no libgomp)" in lines
    results = open_study(tmp_path / "out")
    assert set(results.table("forecast_scores")["model"]) == {*NAMES.values()} - {"default forecaster"}
    assert not results.holds("forecasts")


SILENT = {"United States": {"x": 40, "y": 50, "z": 75}, "Sweden": {"w": 60}}
"""Tracks that stay where they are."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("days", "entries", "message"),
    [
        (20, SILENT, "charts go on for 0 days after the washout of 28 days"),
        (90, SILENT, "of 1 earlier track none entered another market within 14 days"),
        (90, {"Sweden": {"x": 40, "y": 50}}, "no track with a known debut could enter another market"),
        (90, {"Sweden": {}, "Norway": {}}, "no track has a timed debut"),
    ],
    ids=["short", "no entry", "one market", "no debut"],
)
def test_what_odd_charts_lack_is_named(
    write_csv: WriteCsv, tmp_path: Path, days: int, entries: dict[str, dict[str, int]], message: str
) -> None:
    lines = forecast(Study(str(write_csv(steady(days, entries)))), tmp_path / "out")
    gaps = [line for line in lines if line.startswith("not made")]
    assert message in gaps[0]
    assert gaps[1] == "not made  forecasts: models could not be tested"
    assert not any(line.startswith("forecast  ") for line in lines)

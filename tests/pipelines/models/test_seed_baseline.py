"""Chart rows as regression targets, the seed baseline, and the command that writes it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from diffusion import Charts, DataSaysNoError, open_charts
from pipelines.commands.main import cli, run_command
from pipelines.features.history import History
from pipelines.features.same_market import SameMarket
from pipelines.features.temporal import Temporal
from pipelines.models.seed_baseline import SeedBaseline, seed_baseline
from pipelines.models.seed_columns import AUDIO, SeedColumns
from pipelines.models.targets import ChartRows, dates_before, with_features
from tests.conftest import WriteCsv, kaggle_rows

NONE = 0.02
"""R² that a model without information does not pass on these rows."""


@pytest.fixture(scope="module")
def charts(weekly: Path) -> Charts:
    return open_charts(weekly)


@pytest.fixture(scope="module")
def history(charts: Charts) -> History:
    return History.of(charts, charts.entries())


def test_rows_have_their_target_and_the_chart_date_before(history: History) -> None:
    rows = ChartRows.of(history)
    table = history.positions
    assert len(rows) == (table.market < len(history.markets)).sum()
    assert rows.log_streams == pytest.approx(np.log(table.streams[table.market < len(history.markets)]))
    before = dates_before(history, rows)
    dates = sorted(set(history.observed.day.tolist()))
    entries = zip(history.entries.day, history.entries.track, strict=True)
    debut = {track: day for day, track in sorted(entries, reverse=True)}
    for at in np.random.default_rng(0).integers(0, len(rows), 300):
        earlier = [day for day in dates if day < rows.day[at]]
        known = bool(earlier) and debut[rows.track[at]] <= earlier[-1]
        assert before[at] == (earlier[-1] if known else -1)


def test_features_are_those_of_the_chart_before_and_never_of_the_row(history: History) -> None:
    rows = ChartRows.of(history)
    rows = rows.where(dates_before(history, rows) >= 0).of_some_tracks(3_000, 0)
    described, values = with_features(history, rows, [Temporal(), SameMarket()])
    found = pd.DataFrame(values, columns=[feature.name for feature in described])
    table = history.positions
    place = {(day, market, track): (rank, streams) for day, market, track, rank, streams in
             zip(table.day, table.market, table.track, table.rank, table.streams, strict=True)}  # fmt: skip
    before = dates_before(history, rows)
    for at in np.random.default_rng(1).integers(0, len(rows), 300):
        rank, streams = place.get((before[at], rows.market[at], rows.track[at]), (np.nan, np.nan))
        assert found["rank_here"][at] == pytest.approx(rank, nan_ok=True)
        assert found["log_streams_here"][at] == pytest.approx(np.log(streams), nan_ok=True, rel=1e-5)
    poisoned = replace(table, rank=np.where(table.day == rows.day[-1], 999, table.rank).astype(np.int32))
    last = rows.where(rows.day == rows.day[-1])
    assert np.array_equal(
        with_features(replace(history, positions=poisoned), last, [Temporal(), SameMarket()])[1],
        values[rows.day == rows.day[-1]],
        equal_nan=True,
    )


def test_drawn_tracks_stay_whole(history: History) -> None:
    rows = ChartRows.of(history)
    some = rows.of_some_tracks(len(rows) // 3, 0)
    assert 0.5 * len(rows) / 3 < len(some) <= len(rows) / 3
    counts = np.bincount(rows.track)
    assert (
        np.bincount(some.track, minlength=len(counts))
        == np.where(np.isin(np.arange(len(counts)), some.track), counts, 0)
    ).all()
    assert len(rows.drawn(100, 0)) == 100
    assert len(rows.drawn(10**9, 0)) == len(rows)


def test_the_columns_are_those_of_the_prior_study(history: History, charts: Charts) -> None:
    rows = ChartRows.of(history)
    found = SeedColumns.of(history, charts.arrow("tracks"), rows)
    assert found.left_out == {"chart": "always 'top200'"}
    assert [*found.frame] == [*AUDIO, "explicit", "continent"]
    described = charts.tracks().set_index("track_id")
    ids = history.tracks["track_id"].to_numpy()[rows.track[:50]]
    assert found.frame["af_tempo"][:50].tolist() == pytest.approx(described.loc[ids, "af_tempo"].tolist(), nan_ok=True)


@pytest.fixture(scope="module")
def found(history: History, charts: Charts) -> SeedBaseline:
    return seed_baseline(history, charts.arrow("tracks"), [Temporal()], rows=4_000)


def test_the_seed_baseline_is_what_scikit_learn_says_of_the_same_rows(
    found: SeedBaseline, history: History, charts: Charts
) -> None:
    """The prior study's steps, done anew: rows without a missing value, a random quarter tested, five folds."""
    rows = ChartRows.of(history).drawn(4_000, 42)
    seed = SeedColumns.of(history, charts.arrow("tracks"), rows)
    complete = seed.complete().to_numpy()
    wide = pd.get_dummies(seed.frame[complete], columns=["explicit", "continent"], drop_first=True).astype(float)
    halves = train_test_split(wide, rows.log_streams[complete], test_size=0.25, random_state=42)
    theirs = make_pipeline(StandardScaler(), LinearRegression()).fit(halves[0], halves[2])
    cv = cross_val_score(theirs, halves[0], halves[2], cv=5, scoring="r2")
    ours = found.scores.query("features == 'seed' and split == 'random' and model == 'linear'").iloc[0]
    assert ours["r2"] == pytest.approx(r2_score(halves[3], theirs.predict(halves[1])))
    assert (ours["cv_r2"], ours["cv_r2_sd"]) == pytest.approx((cv.mean(), cv.std()))
    assert ours["train_rows"] == len(halves[0])


def test_audio_that_says_nothing_explains_nothing(found: SeedBaseline) -> None:
    audio = found.scores.query("features == 'audio' and split == 'artists' and chosen")
    assert (audio["r2"] < NONE).all()
    assert (audio["r2_low"] < 0).all()
    later = found.scores.query("split == 'later' and chosen").groupby("features")["r2"].max()
    assert later["last chart"] > later["market"] > later["seed"]
    gains = found.gains.set_index(["features", "reference"])
    assert gains.loc[("last chart", "market"), "low"] > 0


def test_a_target_that_was_dealt_at_random_is_not_predicted(history: History, charts: Charts) -> None:
    """In a silent world nothing is known in advance: no set of columns has an R² above chance on later days."""
    table = history.positions
    streams = np.random.default_rng(5).permutation(table.streams)
    silent = replace(history, positions=replace(table, streams=streams))
    scores = seed_baseline(silent, charts.arrow("tracks"), [Temporal()], rows=4_000).scores
    assert (scores.loc[scores["chosen"] & (scores["split"] == "later"), "r2"] < NONE).all()
    assert (scores.loc[scores["chosen"], "r2"] < 2 * NONE).all()


def test_the_command_writes_tables_figures_and_words_once(
    weekly: Path, regressed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = pd.read_parquet(regressed / "seed_baseline.parquet")
    assert scores.equals(pd.read_csv(regressed / "seed_baseline.csv", float_precision="round_trip"))
    assert set(scores["features"]) == {"seed", "audio", "market", "last chart", "without last chart", "ours"}
    assert (scores[scores["chosen"]].groupby(["rows", "split", "features"]).size() == 5).all()
    gains = pd.read_parquet(regressed / "feature_gains.parquet")
    assert ((gains["low"] < gains["r2_gain"]) & (gains["r2_gain"] < gains["high"])).all()
    coefficients = pd.read_parquet(regressed / "regression_coefficients.parquet")
    assert {"af_tempo", "rank_here", "market_rate"} <= set(coefficients["term"])
    assert (regressed / "coefficient_paths_ours.svg").is_file()
    before = {path: path.stat().st_mtime_ns for path in regressed.glob("*.parquet")}
    cli.main(["regress", str(weekly), "--out", str(regressed), "--rows", "3000"], standalone_mode=False)
    said = capsys.readouterr().out
    assert said == (regressed / "regress.txt").read_text()
    assert "explain R²" in said and "left out  chart: always 'top200'" in said
    assert before == {path: path.stat().st_mtime_ns for path in regressed.glob("*.parquet")}


def test_charts_without_streams_have_a_rank(charts: Charts, history: History, tmp_path: Path) -> None:
    silent = replace(
        history, positions=replace(history.positions, streams=np.full_like(history.positions.streams, np.nan))
    )
    with pytest.raises(DataSaysNoError, match="--target rank"):
        seed_baseline(silent, charts.arrow("tracks"), [Temporal()])
    scores = seed_baseline(silent, charts.arrow("tracks"), [Temporal()], target="rank", rows=1_500).scores
    assert scores.query("features == 'last chart'")["r2"].max() > 0.5


def test_short_charts_get_one_line(write_csv: WriteCsv, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = kaggle_rows({(market, day): ["a", "b", f"c{day}"] for market in ("Sweden", "Norway") for day in range(4)})
    assert run_command(["regress", str(write_csv(rows)), "--out", str(tmp_path / "out")]) == 1
    assert "too short" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

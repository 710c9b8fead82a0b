"""The backtest of models on later times: folds, the table of all models, and going on where a run stopped."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from diffusion import DataSaysNoError, SettingError, open_charts
from pipelines.backtest.comparison import Backtest, summary_lines, write_backtest
from pipelines.backtest.contenders import DEFAULT
from pipelines.backtest.held_out import HeldOut
from pipelines.backtest.jobs import Jobs
from pipelines.backtest.metrics import METRICS, metrics
from pipelines.backtest.panel import Panel, Plan
from pipelines.backtest.report import Wanted
from pipelines.backtest.splits import rolling_folds
from pipelines.commands.main import cli
from pipelines.features.history import History
from pipelines.models.examples import Forecast
from tests.pipelines.backtest.worlds import HORIZON, spread_charts

PLAN = Plan(HORIZON, folds=2, sample=180, threads=1)
WANTED = Wanted(("random", "market_rate", "credits", "graph", DEFAULT), replicates=50)


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spread_charts(tmp_path_factory.mktemp("world") / "charts.parquet", seed=4, weeks=44)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spread_charts(tmp_path_factory.mktemp("few") / "charts.parquet", seed=5, weeks=30, debuts=4)


@pytest.fixture(scope="module")
def history(charts: Path) -> History:
    with open_charts(charts) as opened:
        return History.of(opened, opened.entries())


@pytest.fixture(scope="module")
def made(charts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Backtest]:
    place = tmp_path_factory.mktemp("backtest")
    with open_charts(charts) as opened:
        return place, write_backtest(opened, place, PLAN, WANTED)


# -- folds ------------------------------------------------------------------------------------------------------------


def test_training_windows_are_over_before_the_test_begins(history: History) -> None:
    panel = Panel.of(history, replace(PLAN, sample=None))
    rows = panel.examples
    assert [fold.number for fold in panel.folds] == [1, 2]
    assert panel.folds[0].last < panel.folds[1].first
    for fold in panel.folds:
        train, test = panel.train(fold), rows.where(fold.test(rows.debut))
        assert (train.day + HORIZON).max() < fold.first
        assert test.debut.min() >= fold.first
        assert not set(train.track) & set(test.track)
        assert set(panel.point[fold.test(rows.debut)]) == {0, 7, 14, 28}
        assert (test.day + HORIZON <= history.last_day).all()
    assert ((rows.day - rows.debut) == panel.point).all()


def test_charts_that_are_too_short_are_refused(history: History) -> None:
    with pytest.raises(DataSaysNoError, match=r"charts cover .* days, too few .* shorter --horizon or fewer --folds"):
        rolling_folds(history, 120, points=(0, 28))
    with pytest.raises(SettingError, match="folds: 0"):
        rolling_folds(history, 28, folds=0)
    with pytest.raises(SettingError, match="sample: 0"):
        Panel.of(history, replace(PLAN, sample=0))


# -- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_all_models_stand_in_one_table(made: tuple[Path, Backtest]) -> None:
    scores = made[1].tables["backtest_scores"]
    assert WANTED.models is not None
    assert len(scores) == 3 * 4 * len(WANTED.models) * len(METRICS)
    assert set(scores["fold"]) == {"1", "2", "all"}
    known = scores[(scores["fold"] == "all") & (scores["point"] == 0)].set_index(["model", "metric"])
    value = known["value"].unstack()  # noqa: PD010
    assert value.loc["credits", "pooled_recall@5"] > value.loc["random", "pooled_recall@5"] + 0.1
    assert set(known["baseline"]) == {"credits"}
    assert (known.loc["credits", "gain"].dropna() == 0).all()
    gain = value.loc["graph", "ndcg@5"] - value.loc["credits", "ndcg@5"]
    assert known.loc[("graph", "ndcg@5"), "gain"] == pytest.approx(gain)
    bounded = known.dropna(subset=["low", "high"]).drop("calibration_error", level="metric")
    assert (bounded["low"] <= bounded["high"]).all()


@pytest.mark.slow
def test_scores_are_those_of_the_predictions_kept(made: tuple[Path, Backtest], history: History) -> None:
    """Predictions read back from the folder and joined by their keys have the scores of the table."""
    place, backtest = made
    panel = Panel.of(history, PLAN)
    rows = np.flatnonzero(panel.folds[0].test(panel.examples.debut) & (panel.point == 0))
    test = panel.examples.where(rows)
    kept = pd.read_parquet(place / "predictions" / "fold-1-credits.parquet").set_index(["track_id", "market", "as_of"])
    keys = pd.MultiIndex.from_arrays(
        [
            history.tracks["track_id"].to_numpy()[test.track],
            np.array(history.markets)[test.market],
            test.day.astype("datetime64[D]").astype(object),
        ]
    )
    own = kept.loc[keys]
    held = HeldOut.of(history, test, panel.follow_up[rows], usual_days=14.0)
    found = metrics(held, Forecast(own["p_enter"].to_numpy(), own["expected_days"].to_numpy()))
    table = backtest.tables["backtest_scores"].set_index(["fold", "point", "model", "metric"])["value"]
    for metric in ("pooled_recall@5", "ndcg@5", "auc", "brier_skill"):
        assert table["1", 0, "credits", metric] == pytest.approx(found[metric])


@pytest.mark.slow
def test_other_tables_add_up(made: tuple[Path, Backtest]) -> None:
    tables = made[1].tables
    calibration, markets = tables["backtest_calibration"], tables["backtest_markets"]
    for kind in ("decile", "market"):
        part = calibration[(calibration["kind"] == kind) & (calibration["model"] == DEFAULT)]
        assert part["entries"].sum() == markets.loc[markets["model"] == DEFAULT, "entries"].sum()
        assert part["observed"].to_numpy() == pytest.approx(part["entries"] / part["candidates"])
    learning, ablation = tables["backtest_learning"], tables["backtest_ablation"]
    assert learning["share"].unique().tolist() == [0.125, 0.25, 0.5, 1.0]
    assert learning["tracks"].is_monotonic_increasing
    scores = tables["backtest_scores"].set_index(["fold", "point", "model", "metric"])["value"]
    whole = scores["2", 0, DEFAULT, "ndcg@5"]
    for table in (learning[learning["share"] == 1], ablation[ablation["without"] == ""]):
        assert table.set_index("metric")["value"]["ndcg@5"] == pytest.approx(whole)
    families = {name for name in ablation["without"] if name}
    assert {"graph", "cross-border", "artist", "regional"} <= families
    changes = ablation.set_index(["without", "metric"])
    own = changes.loc[("graph", "ndcg@5")]
    assert own["change"] == pytest.approx(own["value"] - whole)
    importance = tables["backtest_importance"]
    assert set(importance.loc[importance["kind"] == "family", "name"]) == families
    pooled = scores["all", 0, "credits", "pooled_recall@5"]
    caught = markets[markets["model"] == "credits"]
    assert (caught["caught"].fillna(0) * caught["entries"]).sum() / caught["entries"].sum() == pytest.approx(pooled)


@pytest.mark.slow
def test_what_was_found_is_said_in_words(made: tuple[Path, Backtest]) -> None:
    lines = summary_lines(made[1])
    assert lines[0].startswith("tested    180 tracks")
    assert [line.split()[0] for line in lines[-5:]] == list(WANTED.models or ())
    assert {file.stem for file in (made[0] / "figures").iterdir()} == {
        "ablation", "forecast_calibration", "forecast_scores", "importance", "learning_curves", "market_errors",
    }  # fmt: skip


# -- going on ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_goes_on_where_it_stopped_and_other_settings_make_it_anew(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[str] = []
    make = Jobs.make

    def stopping(self: Jobs, job: object) -> None:
        if len(fitted) == stop_at:
            raise KeyboardInterrupt
        make(self, job)  # type: ignore[arg-type]
        fitted.append(job.name)  # type: ignore[attr-defined]

    monkeypatch.setattr(Jobs, "make", stopping)
    wanted = Wanted(("random", "credits"), replicates=10)

    def run(**changed: int) -> Backtest:
        with open_charts(few) as opened:
            return write_backtest(opened, tmp_path / "out", replace(PLAN, horizon=14, **changed), wanted)

    stop_at = 3
    with pytest.raises(KeyboardInterrupt):
        run()
    assert fitted == ["fold-1-random", "fold-1-credits", "fold-2-random"]
    stop_at = 100
    first = run()
    assert fitted[3:] == ["fold-2-credits"]
    again = run()
    assert len(fitted) == 4
    pd.testing.assert_frame_equal(again.tables["backtest_scores"], first.tables["backtest_scores"])
    run(seed=1)
    assert len(fitted) == 8


@pytest.mark.slow
def test_the_command_writes_a_backtest(few: Path, tmp_path: Path) -> None:
    arguments = ["backtest", str(few), "--out", str(tmp_path / "out"), "--horizon", "14", "--folds", "1"]
    options = ["--sample-tracks", "60", "--model", "random", "--model", "market_rate", "--cluster", "artist"]
    done = CliRunner().invoke(cli, [*arguments, *options], catch_exceptions=False)
    assert done.exit_code == 0
    assert "market_rate" in done.output
    scores = pd.read_parquet(tmp_path / "out" / "backtest_scores.parquet")
    assert set(scores["model"]) == {"random", "market_rate"}
    unknown = CliRunner().invoke(cli, [*arguments, "--model", "best"])
    assert isinstance(unknown.exception, SettingError)

"""Predictions for the test rows of a truth file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from diffusion import SettingError, open_charts
from pipelines.backtest.contenders import CONTENDERS, DEFAULT
from pipelines.backtest.held_out import HeldOut, hashes
from pipelines.backtest.metrics import metrics
from pipelines.backtest.protocol import predict_truth
from pipelines.commands.main import cli
from pipelines.models.examples import Forecast
from tests.pipelines.backtest.worlds import HORIZON, dealt, spread_charts, truth_of

ALL = [contender.name for contender in CONTENDERS]
LEARNED = [name for name in ALL if name not in ("random", "market_rate", "language")]
"""Models that can know which markets go together in this world, where neither size nor language matters."""


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spread_charts(tmp_path_factory.mktemp("world") / "charts.parquet", seed=3)


@pytest.fixture(scope="module")
def truth(charts: Path) -> pd.DataFrame:
    return truth_of(charts, train_until=22, test_from=27, test_until=31)


def predicted(charts: Path, truth: pd.DataFrame, place: Path, models: list[str]) -> dict[str, pd.DataFrame]:
    truth.to_parquet(place / "truth.parquet")
    with open_charts(charts) as opened:
        told = predict_truth(opened, place / "truth.parquet", place / "out", models=models, threads=1)
    return {name: pd.read_parquet(place / "out" / file) for name, file in told.files.items()}


def scored(truth: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, float]:
    rows = truth[truth["part"] == "test"].reset_index(drop=True)
    held = HeldOut(
        observation=pd.factorize(rows["track_id"])[0].astype(np.int64),
        entered=rows["entered"].to_numpy(),
        days=rows["days"].to_numpy(),
        follow_up=np.full(len(rows), float(HORIZON)),
        tie=hashes(rows["track_id"].to_numpy(), rows["market"].to_numpy()),
        size=rows["track_id"].nunique(),
        horizon=HORIZON,
        period=7,
        usual_days=14.0,
    )
    return metrics(held, Forecast(predictions["p_enter"].to_numpy(), predictions["expected_days"].to_numpy()))


@pytest.fixture(scope="module")
def found(charts: Path, truth: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return predicted(charts, truth, tmp_path_factory.mktemp("found"), ALL)


def test_exactly_the_test_rows_are_predicted_in_their_order_and_spelling(
    truth: pd.DataFrame, found: dict[str, pd.DataFrame]
) -> None:
    rows = truth[truth["part"] == "test"].reset_index(drop=True)
    assert "Sweden" in set(rows["market"])
    for name, table in found.items():
        assert list(table.columns) == ["track_id", "market", "p_enter", "expected_days"]
        pd.testing.assert_frame_equal(table[["track_id", "market"]], rows[["track_id", "market"]], check_dtype=False)
        assert table["p_enter"].between(0, 1).all(), name
        assert table["expected_days"].between(1, HORIZON).all(), name


def test_models_find_the_markets_that_go_together(truth: pd.DataFrame, found: dict[str, pd.DataFrame]) -> None:
    """A track enters three others of its group, half of the time: a model that knows the groups names them first."""
    ndcg = {name: scored(truth, table)["ndcg@5"] for name, table in found.items()}
    assert ndcg["random"] < 0.55
    for name in LEARNED:
        if name != "hazard_table":  # it knows the market, the age and the reach, but not where the track has been
            assert ndcg[name] > ndcg["random"] + 0.15, (name, ndcg)


def test_what_came_of_test_rows_is_not_read(charts: Path, truth: pd.DataFrame, tmp_path: Path) -> None:
    """Other entries and days in the test rows leave every prediction as it is, to the last bit."""
    rng = np.random.default_rng(0)
    test = (truth["part"] == "test").to_numpy()
    other = truth.copy()
    shuffled = rng.permutation(np.flatnonzero(test))
    other.loc[test, ["entered", "days"]] = truth.loc[shuffled, ["entered", "days"]].to_numpy()
    masked = truth.copy()
    masked["entered"] = masked["entered"].astype("boolean").mask(test)
    masked["days"] = masked["days"].mask(test, -1.0)
    models = ["credits", "graph", DEFAULT]
    tables = []
    for name, file in (("as", truth), ("other", other.astype({"entered": bool, "days": float})), ("masked", masked)):
        (tmp_path / name).mkdir()
        tables.append(predicted(charts, file, tmp_path / name, models))
    for name in models:
        assert tables[0][name]["p_enter"].nunique() > 5
        for again in tables[1:]:
            pd.testing.assert_frame_equal(tables[0][name], again[name], check_exact=True)


@pytest.mark.slow
def test_models_fitted_on_dealt_entries_know_nothing(charts: Path, truth: pd.DataFrame, tmp_path: Path) -> None:
    """Entries dealt at random among candidates: no model orders markets better than chance, or saves any error."""
    silent = dealt(truth, seed=5)
    assert silent["entered"].sum() == truth["entered"].sum()
    tables = predicted(charts, silent, tmp_path, ALL)
    chance = scored(silent, tables["random"])
    for name, table in tables.items():
        against = scored(silent, table)
        assert against["brier_skill"] < 0.03, name
        assert against["ndcg@5"] == pytest.approx(chance["ndcg@5"], abs=0.12), name
        assert 0.4 < against["mean_p_over_rate"] < 2.5, name


def test_the_horizon_is_the_longest_time_in_whole_periods(charts: Path, truth: pd.DataFrame, tmp_path: Path) -> None:
    truth.assign(days=truth["days"].clip(upper=25)).to_parquet(tmp_path / "truth.parquet")
    with open_charts(charts) as opened:
        told = predict_truth(opened, tmp_path / "truth.parquet", tmp_path / "out", models=["market_rate"])
        assert told.horizon == 28
        assert (told.train, told.test) == tuple((truth["part"] == part).sum() for part in ("train", "test"))
        with pytest.raises(SettingError, match="horizon: 14; the truth file has entries after 25 days"):
            predict_truth(opened, tmp_path / "truth.parquet", tmp_path / "out", models=["market_rate"], horizon=14)


def refused(truth: pd.DataFrame) -> list[tuple[pd.DataFrame, str]]:
    first, train, test = truth.index[:1], truth["part"] == "train", truth["part"] == "test"
    nobody = truth.assign(entered=truth["entered"] & test)
    return [
        (truth.drop(columns="debut"), "lacks debut; it has track_id"),
        (truth.drop(columns="days"), "lacks days"),
        (truth[test], "has no train rows"),
        (truth[train], "has no test rows"),
        (truth.assign(part="valid"), "has the part 'valid'"),
        (
            truth.assign(market=truth["market"].replace("Sweden", "Swedn")),
            "unknown market 'Swedn'; did you mean 'Sweden'",
        ),
        (
            truth.assign(market=truth["market"].replace("Sweden", "Chile")),
            "do not have 1 market of the truth file, such as 'CL'",
        ),
        (
            truth.assign(track_id=truth["track_id"].str.replace("005x000", "nobody0")),
            "do not have 1 track of the truth",
        ),
        (pd.concat([truth, truth.loc[first]]), "more than once"),
        (truth.assign(market=truth["market"].where(~truth.index.isin(first))), "has nulls in 'market'"),
        (nobody, "no training row with an entry"),
        (truth.assign(days=np.nan), "not the days to it"),
        (truth.assign(debut=truth["debut"] + pd.Timedelta(days=1)), "on which there is no chart"),
        (truth.assign(debut=pd.Timestamp("2019-01-03")), "before the track is on any chart"),
        (truth.assign(debut=truth["debut"].where(truth.index > 0, truth["debut"].max())), "more than one debut"),
        (truth.assign(part=np.where(truth.index == 0, "test", truth["part"])), "in both parts"),
    ]


def test_what_is_no_truth_is_refused_in_one_line(charts: Path, truth: pd.DataFrame, tmp_path: Path) -> None:
    with open_charts(charts) as opened:
        for number, (table, message) in enumerate(refused(truth)):
            file = tmp_path / f"{number}.parquet"
            table.to_parquet(file)
            with pytest.raises(SettingError, match=message):
                predict_truth(opened, file, tmp_path / "out", models=["market_rate"])
        (tmp_path / "text.parquet").write_bytes(b"no table")
        with pytest.raises(SettingError, match="no truth as the benchmark writes it"):
            predict_truth(opened, tmp_path / "text.parquet", tmp_path / "out")
        with pytest.raises(SettingError, match="no file"):
            predict_truth(opened, tmp_path / "none.parquet", tmp_path / "out")
        with pytest.raises(SettingError, match="no model 'best'; there are random, market_rate"):
            predict_truth(opened, tmp_path / "0.parquet", tmp_path / "out", models=["best"])
    assert not (tmp_path / "out").exists()


def test_the_command_writes_predictions(charts: Path, truth: pd.DataFrame, tmp_path: Path) -> None:
    truth.to_parquet(tmp_path / "truth.parquet")
    arguments = [
        "backtest",
        str(charts),
        "--protocol-truth",
        str(tmp_path / "truth.parquet"),
        "--out",
        str(tmp_path / "o"),
    ]
    done = CliRunner().invoke(cli, [*arguments, "--model", "credits"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "predictions.parquet (credits" in done.output
    assert len(pd.read_parquet(tmp_path / "o" / "predictions.parquet")) == (truth["part"] == "test").sum()
    both = CliRunner().invoke(cli, [*arguments, "--model", "credits", "--all-models"])
    assert isinstance(both.exception, SettingError)

"""The audit of features: what leaks is caught, and what is honest passes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

import diffusion
from diffusion import DataSaysNoError, SettingError
from pipelines.commands.audit import audit_command
from pipelines.contracts.audit import AUDIT
from pipelines.features.audit import PASSES, as_of_days, audit, check_no_leak
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.later_charts import ChartRows
from pipelines.features.registry import Family
from pipelines.features.single_scores import AUC_BOUND, R2_BOUND, area, explained
from tests.pipelines.features.leaks import (
    BehindTheView,
    BestRank,
    HonestCounts,
    KnowsTheAnswer,
    LaterMarkets,
    MarketsToCome,
    NextPlace,
    Popularity,
)

HORIZON = 14
ROWS = 20_000
"""Most rows of the packaged charts, of some artists, that these tests look at."""


@pytest.fixture(scope="module")
def history() -> History:
    """Return two months of the packaged charts, with a popularity for every track and a market that begins late."""
    with diffusion.open_sample() as charts:
        whole = History.of(charts, charts.entries(washout=7))
    rows = ChartRows.of(whole.until(whole.first_day + 60), most=ROWS, rng=np.random.default_rng(0))
    late = (rows.market != 2) | (rows.day > whole.first_day + 50)
    tracks = rows.tracks.assign(popularity=np.arange(len(rows.tracks)) % 101)
    kept = {name: getattr(rows, name)[late] for name in ("day", "market", "track", "rank", "streams")}
    return replace(rows, tracks=tracks, **kept).read()


@pytest.fixture(scope="module")
def found(history: History) -> pd.DataFrame:
    """Return the audit of families that leak and of some that do not, by feature."""

    def make(charts: History) -> list[Family]:
        leaks = [LaterMarkets(charts), BehindTheView(), MarketsToCome(), Popularity()]
        return [*leaks, KnowsTheAnswer(history), NextPlace(history), HonestCounts(), BestRank()]

    return audit(history, make, horizon=HORIZON, dates=1, most=ROWS).set_index("feature")


@pytest.mark.slow
def test_the_families_pass_and_columns_of_the_charts_are_refused(history: History) -> None:
    table = check_no_leak(history, lambda charts: families(HORIZON), horizon=HORIZON, dates=1, most=ROWS)
    AUDIT.conform(pa.Table.from_pandas(table, preserve_index=False))
    made = [feature for family in families(HORIZON) for feature in family.features]
    assert list(table["feature"][: len(made)]) == [feature.name for feature in made]
    assert set(table["verdict"][: len(made)]) == {"passes"}
    refused = table[len(made) :]
    assert list(refused["feature"]) == ["rank", "popularity"]
    assert set(refused["verdict"]) == {"refused"}
    assert (table["values"][: len(made)] > 1_000).all()


@pytest.mark.parametrize("feature", ["later_markets", "behind_the_view", "markets_to_come"])
def test_a_feature_that_later_charts_change_is_caught(found: pd.DataFrame, feature: str) -> None:
    assert found.loc[feature, "verdict"] == "looks ahead"
    assert "values change when charts after 2021-" in str(found.loc[feature, "reason"])


def test_a_feature_of_what_the_source_told_later_is_caught(found: pd.DataFrame) -> None:
    assert found.loc["popularity_now", "verdict"] == "later snapshot"


@pytest.mark.parametrize("feature", ["knows_the_answer", "next_place"])
def test_a_feature_that_tells_too_much_is_caught_though_no_row_changes_it(found: pd.DataFrame, feature: str) -> None:
    assert found.loc[feature, "verdict"] == "too good"


def test_honest_features_pass_and_score_between_chance_and_the_bound(found: pd.DataFrame) -> None:
    honest = found.loc[["artist_entries", "best_rank"]]
    assert set(honest["verdict"]) == {"passes"}
    assert honest["auc"].between(0.5, AUC_BOUND, inclusive="neither").all()
    assert honest["r2"].between(0, R2_BOUND).all()
    assert list(honest["same_day"]) == [False, True]


def test_a_feature_of_the_same_charts_is_refused_where_their_streams_are_forecast(history: History) -> None:
    message = r"^1 of 2 features leak, take them out: best_rank: contemporaneous \([^\n]+\)$"
    with pytest.raises(DataSaysNoError, match=message):
        check_no_leak(
            history, lambda charts: [HonestCounts(), BestRank()], horizon=HORIZON, most=ROWS, target="streams"
        )


def test_charts_read_anew_are_the_same_charts(history: History) -> None:
    again = ChartRows.of(history, most=10**9, rng=np.random.default_rng(1)).read()
    for name in ("first_seen", "artist", "credits", "recording", "withheld"):
        assert np.array_equal(getattr(again, name), getattr(history, name)), name
    for name in ("positions", "entries", "observed"):
        for part in getattr(history, name).__slots__:
            one, other = getattr(getattr(again, name), part), getattr(getattr(history, name), part)
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), (name, part)
    assert again.markets == history.markets
    pd.testing.assert_frame_equal(again.tracks, history.tracks, check_dtype=False)
    assert again.coverage.equals(history.coverage)


def test_poison_leaves_the_past_and_nothing_of_the_later_charts(history: History) -> None:
    rows = ChartRows.of(history, most=ROWS, rng=np.random.default_rng(1))
    day = as_of_days(history, 1)[0]
    other = rows.poisoned(day, rng=np.random.default_rng(2))
    true, read = rows.read(), other.read()
    assert other.until(day).read().positions.day.shape == rows.until(day).read().positions.day.shape
    assert (rows.day > day).sum() < (other.day > day).sum()
    late = set(zip(*(map(tuple, (rows.day, rows.track, rows.market, rows.rank))), strict=True))
    fake = set(zip(*(map(tuple, (other.day, other.track, other.market, other.rank))), strict=True))
    assert {row for row in late if row[0] <= day} <= fake
    assert len({row for row in late if row[0] > day} & fake) < 10
    assert not set(true.tracks["track_id"][true.first_seen > day]) & set(read.tracks["track_id"])
    assert len(ChartRows.of(history, most=ROWS // 2, rng=np.random.default_rng(1)).day) <= ROWS // 2


def test_scores_are_those_of_others(history: History) -> None:
    rng = np.random.default_rng(3)
    entered = rng.random(500) < 0.2
    column = np.round(rng.normal(size=500) + entered, 1)
    assert area(column, entered) == pytest.approx(roc_auc_score(entered, column), abs=1e-12)
    assert area(-column, entered) == area(column, entered)
    only_missing = np.where(entered, np.nan, 1.0)
    assert area(only_missing, entered) == 1.0
    assert np.isnan(area(column, np.zeros(500, np.bool_)))
    target = rng.normal(size=500)
    assert explained(np.exp(target), target) == pytest.approx(1.0, abs=1e-12)
    assert explained(np.full(500, np.nan), target) == 0.0
    assert explained(target + rng.normal(size=500), target) < 0.7


def test_charts_too_short_and_settings_out_of_range_are_named(history: History) -> None:
    rows = ChartRows.of(history, most=ROWS, rng=np.random.default_rng(1))
    never = replace(rows, rules=replace(rows.rules, washout=2_000)).read()
    with pytest.raises(DataSaysNoError, match="no market of the charts is past its washout of 2000 days"):
        audit(never, lambda charts: families(HORIZON), most=ROWS)
    with pytest.raises(SettingError, match="horizon 0 and dates 1"):
        audit(history, lambda charts: families(HORIZON), horizon=0, dates=1)


@pytest.fixture(scope="module")
def small(history: History, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a chart file of some artists."""
    rows = ChartRows.of(history, most=ROWS, rng=np.random.default_rng(4))
    file = tmp_path_factory.mktemp("charts") / "charts.parquet"
    ids = rows.tracks["track_id"].to_numpy()
    table = {
        "region": np.array(rows.markets, object)[rows.market],
        "date": rows.day.astype("datetime64[D]").astype(str),
        "chart": "top50",
        "rank": rows.rank,
        "track_id": ids[rows.track],
        "title": rows.tracks["title"].to_numpy()[rows.track],
        "artist": rows.tracks["artist"].to_numpy()[rows.track],
        "streams": None,
    }
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(table), preserve_index=False), file)
    return file


def test_the_command_prints_and_writes_the_table(
    small: Path, tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.features.families.families", lambda horizon: (HonestCounts(),))
    own = tmp_path / "own.csv"
    known = np.datetime64(history.first_day + 20, "D")
    lines = [f"{track},{known},{number}" for number, track in enumerate(history.tracks["track_id"])]
    own.write_text("\n".join(["track_id,known,spend", *lines]), encoding="utf-8")
    options = ["--dates", "1", "--own", str(own), "--out", str(tmp_path / "out"), "--json"]
    done = CliRunner().invoke(audit_command, [str(small), "--accept", "holes", *options])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    table = pq.read_table(tmp_path / "out" / "audit.parquet")
    assert told["failed"] == 0
    assert table["feature"].to_pylist() == ["artist_entries", "own_spend", "rank"]
    assert [row["feature"] for row in told["features"]] == table["feature"].to_pylist()
    assert set(table["verdict"].to_pylist()) == set(PASSES)


def test_the_command_ends_with_1_if_a_feature_fails(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.features.families.families", lambda horizon: (MarketsToCome(),))
    done = CliRunner().invoke(audit_command, [str(small), "--accept", "holes", "--dates", "1"])
    assert done.exit_code == 1
    assert "looks ahead" in done.output
    assert done.stdout.endswith("1 feature of 1 failed\n")

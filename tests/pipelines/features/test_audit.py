"""The audit of features: what leaks is caught, and what is honest passes."""

import json
from collections.abc import Callable
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
from pipelines.features.audit import PASSES, Target, as_of_days, audit, check_no_leak
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
ROWS = 15_000
"""Rows of the packaged charts that are audited in these tests."""


@pytest.fixture(scope="module")
def history() -> History:
    """Return the packaged charts, with a popularity for every track and markets that begin late."""
    with diffusion.open_sample() as charts:
        history = History.of(charts, charts.entries(washout=7))
    tracks = history.tracks.assign(popularity=np.arange(len(history.tracks)) % 101)
    return History(**{name: tracks if name == "tracks" else getattr(history, name) for name in History.__slots__})


def verdicts(history: History, *made: Family, target: Target = "entry") -> dict[str, str]:
    """Return feature → verdict of an audit as of one date."""
    table = audit(history, lambda charts: made, horizon=HORIZON, dates=1, most=ROWS, target=target)
    return dict(zip(table["feature"], table["verdict"], strict=True))


def test_the_families_pass_and_columns_of_the_charts_are_refused(history: History) -> None:
    table = check_no_leak(history, lambda charts: families(HORIZON), horizon=HORIZON, dates=2, most=ROWS)
    AUDIT.conform(pa.Table.from_pandas(table, preserve_index=False))
    made = [feature for family in families(HORIZON) for feature in family.features]
    assert list(table["feature"][: len(made)]) == [feature.name for feature in made]
    assert set(table["verdict"][: len(made)]) == {"passes"}
    assert (
        dict(zip(table["feature"], table["verdict"], strict=True)).items()
        >= {"rank": "refused", "popularity": "refused"}.items()
    )
    assert (table["values"][: len(made)] > 1_000).all()


def test_honest_features_pass_and_score_between_chance_and_the_bound(history: History) -> None:
    table = audit(history, lambda charts: [HonestCounts(), BestRank()], horizon=HORIZON, dates=1, most=ROWS)
    found = table.set_index("feature").loc[["artist_entries", "best_rank"]]
    assert set(found["verdict"]) == {"passes"}
    assert found["auc"].between(0.5, AUC_BOUND).all()
    assert found["r2"].between(0, R2_BOUND).all()
    assert list(found["same_day"]) == [False, True]


@pytest.mark.parametrize(
    ("make", "verdict"),
    [
        (LaterMarkets, "looks ahead"),
        (lambda charts: BehindTheView(), "looks ahead"),
        (lambda charts: MarketsToCome(), "looks ahead"),
        (lambda charts: Popularity(), "later snapshot"),
    ],
)
def test_a_feature_that_later_charts_change_is_caught(
    history: History, make: Callable[[History], Family], verdict: str
) -> None:
    with pytest.raises(DataSaysNoError, match=rf"^1 of 2 features leak, take them out: \w+: {verdict} \([^\n]+\)$"):
        check_no_leak(history, lambda charts: [HonestCounts(), make(charts)], horizon=HORIZON, most=ROWS)


def test_a_feature_of_the_same_charts_is_refused_for_their_streams_and_not_for_entries(history: History) -> None:
    assert verdicts(history, BestRank())["best_rank"] == "passes"
    found = verdicts(history, BestRank(), target="streams")
    assert found["best_rank"] == "contemporaneous"
    with pytest.raises(DataSaysNoError, match="best_rank: contemporaneous"):
        check_no_leak(history, lambda charts: [BestRank()], horizon=HORIZON, most=ROWS, target="streams")


def test_a_feature_that_tells_too_much_is_caught_though_no_row_changes_it(history: History) -> None:
    found = verdicts(history, KnowsTheAnswer(history), NextPlace(history), HonestCounts())
    assert found["knows_the_answer"] == "too good"
    assert found["next_place"] == "too good"
    assert found["artist_entries"] == "passes"


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
    assert len(ChartRows.of(history, most=ROWS, rng=np.random.default_rng(1)).day) <= ROWS


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
    with diffusion.open_sample() as charts:
        never = History.of(charts, charts.entries(washout=2_000))
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
        "url": ids[rows.track],
        "title": rows.tracks["title"].to_numpy()[rows.track],
        "artist": rows.tracks["artist"].to_numpy()[rows.track],
        "streams": None,
    }
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(table), preserve_index=False), file)
    return file


def test_the_command_prints_and_writes_the_table(small: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(audit_command, [str(small), "--dates", "1", "--out", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    table = pq.read_table(tmp_path / "out" / "audit.parquet")
    assert told["failed"] == 0
    assert [row["feature"] for row in told["features"]] == table["feature"].to_pylist()
    assert set(table["verdict"].to_pylist()) == set(PASSES)


def test_the_command_ends_with_1_if_a_feature_fails(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.features.families.families", lambda horizon: (MarketsToCome(),))
    done = CliRunner().invoke(audit_command, [str(small), "--dates", "1"])
    assert done.exit_code == 1
    assert "looks ahead" in done.output
    assert done.output.endswith("1 feature of 1 failed\n")

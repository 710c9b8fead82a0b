"""Metrics of forecasts against the benchmark's own script, scikit-learn, and answers by hand."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from diffusion import SettingError
from pipelines.backtest.censoring import with_curve
from pipelines.backtest.held_out import HeldOut
from pipelines.backtest.intervals import Draws, difference_table, score_table
from pipelines.backtest.metrics import METRICS, metrics
from pipelines.models.examples import Forecast
from tests.conftest import REAL_DATA

EXACT = 1e-9
"""Two ways of computing one number differ by rounding alone."""

THEIRS = {"ndcg@5_after_first_period": "ndcg@5_after_7_days", "days_mae_usual": "days_mae_train_median"}
"""Our name → name in the benchmark's script."""


@pytest.fixture(scope="module")
def score() -> ModuleType:
    """Return the benchmark's script, unrounded, or skip where it is not beside the checkout."""
    place = REAL_DATA.parent / "benchmark" / "score.py"
    if not place.is_file():
        pytest.skip("the benchmark is not here (../shared/benchmark)")
    return loaded(place)


def loaded(place: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_score", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    module.round = lambda value, digits: value  # type: ignore[attr-defined]
    return module


def frame_of(seed: int, *, tracks: int = 60, ties: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, tracks)
    track = np.repeat([f"t{k:03}" for k in range(tracks)], sizes)
    market = np.concatenate([[f"m{k:02}" for k in range(size)] for size in sizes])
    p = rng.beta(1, 6, len(track))
    p = np.clip(np.round(p, 1), 0.1, 0.9) if ties else p
    entered = rng.random(len(track)) < 0.05 + 0.6 * p
    days = np.where(entered, 7.0 * rng.integers(1, 9, len(track)), np.nan)
    frame = pd.DataFrame({"track_id": track, "market": market, "p_enter": p, "entered": entered, "days": days})
    frame["artist"] = "a" + frame["track_id"].str[-2:]
    frame["debut"] = pd.Timestamp("2020-01-02")
    frame["expected_days"] = rng.uniform(5, 50, len(track))
    frame["tie"] = [f"{value:012x}" for value in rng.permutation(len(track))]
    return frame


def held(frame: pd.DataFrame, usual: float = 20.0) -> HeldOut:
    return HeldOut(
        observation=pd.factorize(frame["track_id"])[0].astype(np.int64),
        entered=frame["entered"].to_numpy(),
        days=frame["days"].to_numpy(),
        follow_up=np.full(len(frame), 56.0),
        tie=np.array([int(text, 16) for text in frame["tie"]], np.uint64),
        size=frame["track_id"].nunique(),
        horizon=56,
        period=7,
        usual_days=usual,
    )


def forecast(frame: pd.DataFrame) -> Forecast:
    p = frame["p_enter"].to_numpy()
    return Forecast(p, frame["expected_days"].to_numpy(), np.stack([p / 2, p], axis=1), (28, 56))


@pytest.mark.parametrize("ties", [False, True])
def test_metrics_are_those_of_the_benchmark(score: ModuleType, ties: bool) -> None:
    for seed in range(3):
        frame = frame_of(seed, ties=ties)
        theirs = score.summary(frame, 20.0)
        ours = metrics(held(frame), forecast(frame))
        assert list(ours) == list(METRICS)
        for name, value in ours.items():
            if name == "timing_skill":
                continue  # theirs has none
            assert value == pytest.approx(theirs[THEIRS.get(name, name)], abs=EXACT), name


def test_metrics_are_those_of_scikit_learn() -> None:
    frame = frame_of(7, tracks=200)
    ours = metrics(held(frame), forecast(frame))
    entered, p = frame["entered"], frame["p_enter"]
    assert ours["auc"] == pytest.approx(roc_auc_score(entered, p), abs=EXACT)
    assert ours["average_precision"] == pytest.approx(average_precision_score(entered, p), abs=EXACT)
    tracks = [part for _, part in frame.groupby("track_id") if part["entered"].any() and len(part) > 1]
    alone = [part for _, part in frame.groupby("track_id") if part["entered"].any() and len(part) == 1]
    their = [ndcg_score([part["entered"]], [part["p_enter"]], k=5) for part in tracks] + [1.0] * len(alone)
    assert ours["ndcg@5"] == pytest.approx(np.mean(their), abs=EXACT)


def test_metrics_of_ties_of_scikit_learn() -> None:
    frame = frame_of(8, ties=True)
    ours = metrics(held(frame), forecast(frame))
    assert ours["auc"] == pytest.approx(roc_auc_score(frame["entered"], frame["p_enter"]), abs=EXACT)
    assert ours["average_precision"] == pytest.approx(
        average_precision_score(frame["entered"], frame["p_enter"]), abs=EXACT
    )


def test_two_tracks_by_hand() -> None:
    """A track with one entry in second place, one with two entries of which one is sixth, and one without."""
    frame = pd.DataFrame(
        {
            "track_id": ["a"] * 3 + ["b"] * 6 + ["c"] * 2,
            "p_enter": [0.3, 0.2, 0.1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.05, 0.01],
            "entered": [0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0],
            "days": [np.nan, 7, np.nan, 14, np.nan, np.nan, np.nan, np.nan, 28, np.nan, np.nan],
            "tie": [f"{k}" for k in range(9)] + ["a", "b"],
            "expected_days": 14.0,
        }
    ).assign(entered=lambda rows: rows["entered"] > 0)
    ours = metrics(held(frame, 7.0), forecast(frame))
    assert ours["recall@5"] == pytest.approx((1 + 0.5) / 2)
    assert ours["map@5"] == pytest.approx((0.5 + 0.5) / 2)
    discount = 1 / np.log2(3)
    assert ours["ndcg@5"] == pytest.approx((discount + 1 / (1 + discount)) / 2)
    assert ours["hit@5"] == 1
    assert ours["precision@5_all"] == pytest.approx(2 / 15)
    assert ours["pooled_recall@5"] == pytest.approx(2 / 3)
    assert ours["capture_best_5n"] == 1
    assert ours["days_mae"] == pytest.approx((7 + 0 + 14) / 3)
    assert ours["days_mae_usual"] == pytest.approx((0 + 7 + 21) / 3)
    assert ours["ndcg@5_after_first_period"] == pytest.approx(1 / (1 + discount))


def test_a_constant_forecast_of_the_rate_has_no_skill() -> None:
    frame = frame_of(3)
    rate = frame["entered"].mean()
    ours = metrics(held(frame), Forecast(np.full(len(frame), rate), np.full(len(frame), 20.0)))
    assert ours["brier_skill"] == pytest.approx(0, abs=EXACT)
    assert ours["log_loss_skill"] == pytest.approx(0, abs=EXACT)
    assert ours["mean_p_over_rate"] == pytest.approx(1)
    assert ours["auc"] == 0.5
    assert np.isnan(ours["calibration_slope"])
    assert ours["days_mae"] == ours["days_mae_usual"]


def test_what_is_not_defined_without_entries_is_missing() -> None:
    frame = frame_of(3).assign(entered=False, days=np.nan)
    ours = metrics(held(frame), forecast(frame))
    assert not any(
        np.isfinite(ours[name]) for name in ("recall@5", "auc", "brier_skill", "days_mae", "pooled_recall@5")
    )
    assert ours["precision@5_all"] == 0


# -- forecasts of when, and candidates that were not followed ----------------------------------------------------------


def test_the_timing_score_is_the_brier_score_of_each_day() -> None:
    frame = frame_of(11)
    ours = metrics(held(frame), forecast(frame))
    p, days = frame["p_enter"], frame["days"].fillna(np.inf)
    error = sum((((p / 2 if day == 28 else p) - (days <= day)) ** 2).mean() for day in (28, 56))
    usual = sum((((days <= day).mean() - (days <= day)) ** 2).mean() for day in (28, 56))
    assert ours["timing_skill"] == pytest.approx(1 - error / usual, abs=EXACT)
    without = Forecast(p.to_numpy(), frame["expected_days"].to_numpy())
    assert np.isnan(metrics(held(frame), without)["timing_skill"])


def test_censoring_does_not_move_the_timing_score() -> None:
    """Candidates of which half are lost at random days score as if none were lost, which dropping them would not."""
    frame = frame_of(12, tracks=4_000)
    whole = held(frame)
    rng = np.random.default_rng(0)
    lost = np.where(rng.random(len(frame)) < 0.5, rng.integers(1, 56, len(frame)), 56).astype(float)
    seen = whole.entered & (whole.days <= lost)
    part = replace(whole, entered=seen, days=np.where(seen, whole.days, np.nan), follow_up=lost)
    full, censored = (metrics(rows, forecast(frame))["timing_skill"] for rows in (whole, part))
    assert censored == pytest.approx(full, abs=0.01)


def test_candidates_that_were_not_followed_count_in_no_other_metric() -> None:
    frame = frame_of(13)
    whole = held(frame)
    lost = ~whole.entered & (np.arange(len(frame)) % 3 == 0)
    part = replace(whole, follow_up=np.where(lost, 10.0, 56.0))
    left = frame[~lost]
    expected, found = metrics(held(left), forecast(left)), metrics(part, forecast(frame))
    for name in METRICS:
        if name != "timing_skill":
            assert found[name] == pytest.approx(expected[name], abs=EXACT), name


def test_curves_are_read_between_their_days_and_made_where_there_are_none() -> None:
    frame = frame_of(14, tracks=3)
    p = np.full(len(frame), 0.4)
    given = Forecast(p, p, np.stack([p / 4, p], axis=1), (10, 20))
    train = SimpleNamespace(days=np.array([5.0, 15.0, np.nan, 20.0]), entered=np.array([True, True, False, True]))
    assert with_curve(given, train, (5, 10, 15, 20)).by[0].tolist() == pytest.approx([0.05, 0.1, 0.25, 0.4])
    assert with_curve(Forecast(p, p), train, (10, 20)).by[0].tolist() == pytest.approx([0.4 / 3, 0.4])


# -- intervals --------------------------------------------------------------------------------------------------------


def test_a_draw_is_the_metric_of_the_observations_drawn() -> None:
    """Metrics from resampled sums are those of a frame in which the drawn tracks are repeated."""
    frame = frame_of(5, tracks=40)
    cluster = np.arange(40) // 2
    draws = Draws.of(cluster, replicates=5, seed=1)
    values = draws.values(held(frame), forecast(frame))
    parts = dict(list(frame.groupby("track_id")))
    for replicate in range(6):
        taken = np.repeat(np.arange(40), draws.times[replicate][cluster].astype(int))
        tracks = [parts[f"t{k:03}"].assign(track_id=f"{copy:03}") for copy, k in enumerate(taken)]
        again = pd.concat(tracks, ignore_index=True)
        expected = metrics(held(again), forecast(again))
        for name in METRICS:
            if name in ("calibration_error", "calibration_slope", "timing_skill") and replicate:
                continue  # bins and usual shares stay, and the slope is one step of Newton's method
            assert values[name][replicate] == pytest.approx(expected[name], abs=1e-9), name
        assert values["calibration_slope"][replicate] == pytest.approx(expected["calibration_slope"], abs=0.1)


def test_intervals_hold_the_value_and_a_forecast_does_not_differ_from_itself() -> None:
    frame = frame_of(6, tracks=150)
    draws = Draws.of(np.arange(150), replicates=300, seed=0)
    values = draws.values(held(frame), forecast(frame))
    table = score_table(values).set_index("metric")
    linear = table.drop("calibration_error")
    assert ((linear["low"] < linear["value"]) & (linear["value"] < linear["high"])).all()
    same = difference_table(values, values)
    assert (same[["value", "low", "high"]] == 0).all(axis=None)


def test_intervals_of_larger_clusters_are_wider() -> None:
    """Ten copies of every track add nothing, and intervals by track would shrink by the root of ten."""
    frame = pd.concat([frame_of(9).assign(track_id=lambda rows, k=k: rows["track_id"] + f"-{k}") for k in range(10)])
    by_track, by_copy = (
        score_table(Draws.of(cluster, replicates=400, seed=0).values(held(frame), forecast(frame))).set_index("metric")
        for cluster in (np.arange(600), np.arange(600) % 60)
    )
    ratio = (by_copy["high"] - by_copy["low"]) / (by_track["high"] - by_track["low"])
    assert ratio["recall@5"] == pytest.approx(np.sqrt(10), rel=0.2)


def test_intervals_cover_the_truth() -> None:
    """In 25 samples, the interval of the recall holds the recall of all tracks 24 times, give or take."""
    rng = np.random.default_rng(4)
    whole = frame_of(10, tracks=3_000)
    truth = metrics(held(whole), forecast(whole))["recall@5"]
    parts = [part for _, part in whole.groupby("track_id")]
    covered = 0
    for world in range(25):
        frame = pd.concat([parts[k] for k in sorted(rng.choice(3_000, 150, replace=False))])
        values = Draws.of(np.arange(150), replicates=100, seed=world).values(held(frame), forecast(frame))
        low, high = score_table(values, ["recall@5"])[["low", "high"]].to_numpy()[0]
        covered += low <= truth <= high
    assert covered >= 20


def test_one_draw_is_refused() -> None:
    with pytest.raises(SettingError, match="give 2 or more"):
        Draws.of(np.arange(4), replicates=1)

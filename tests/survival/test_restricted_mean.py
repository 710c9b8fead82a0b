"""Restricted means and their differences: against R, against a plain jackknife, and against simulated truth."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import diffusion
from survival import Cluster, breakthrough, frame_waits, restricted_mean
from survival.curves import areas as areas_module
from tests.conftest import REFERENCE
from tests.survival.waiting_worlds import MARKETS, WORLDS, drawn_entries, observed, true_survival

LAST = 365
"""Last day in the answers of R."""


def test_errors_by_cluster_are_those_of_r(monkeypatch: pytest.MonkeyPatch) -> None:
    """R's `residuals` of `survfit` for the restricted mean, summed by institution; see survival_groups.R."""
    monkeypatch.setattr(areas_module, "left_out", lambda influence, _: influence)  # R does not divide by 1 − share
    answers = pd.read_csv(REFERENCE / "survival_groups_answers.csv", dtype={"group": str})
    answers = answers.set_index(["data", "group", "name"])["value"]
    checked = 0
    for data, own in pd.read_csv(REFERENCE / "survival_groups_rows.csv").groupby("data"):
        waits = frame_waits(own, days="days", entered="entered", start="start", cluster="cluster")
        for row in restricted_mean(waits, by="group", days=LAST).table.to_dict("records"):
            of_r = [answers.loc[(data, row["group"], name)] for name in ("robust_mean", "standard_error")]
            assert row["standard_error"] == pytest.approx(max(of_r), rel=1e-9)
            checked += of_r[0] > of_r[1]
    assert checked >= 2  # some are by cluster, others are those of independent waits, which are larger


def mean_days(frame: pd.DataFrame, weight: NDArray[np.float64], last: int) -> float:
    """Return the area below the weighted Kaplan–Meier curve up to a day."""
    survival, total = 1.0, 1.0
    for at in range(1, last):
        there = (frame["start"] < at) & (frame["days"] >= at)
        went = there & (frame["entered"] > 0) & (frame["days"] == at)
        if went.any():
            survival *= 1 - weight[went].sum() / weight[there].sum()
        total += survival
    return total


def test_variances_are_those_of_a_plain_jackknife() -> None:
    """Leave out each institution to first order: derivative of the area over one minus its share of the hazard."""
    table = pd.read_csv(REFERENCE / "survival_groups_rows.csv")
    frame = table[table["data"] == "delayed"].reset_index(drop=True)
    waits = frame_waits(frame, days="days", entered="entered", start="start", cluster="cluster")
    found = restricted_mean(waits, by="group", days=200)
    assert found.table["restricted_mean_days"].tolist() == pytest.approx(
        [mean_days(own.reset_index(drop=True), np.ones(len(own)), 200) for _, own in frame.groupby("group")], rel=1e-12
    )
    left_out = np.zeros((2, frame["cluster"].max() + 1))
    for place, (_, own) in enumerate(frame.groupby("group")):
        own = own.reset_index(drop=True)
        whole = mean_days(own, np.ones(len(own)), 200)
        for name in own["cluster"].unique():
            left_out[place, name] = whole - mean_days(own, np.where(own["cluster"] == name, 0.0, 1.0), 200)
    errors = np.sqrt((left_out**2).sum(axis=1))
    np.testing.assert_allclose(found.table["standard_error"], errors, rtol=0.08)  # to first order
    difference = found.differences.iloc[0]
    variance = (found.table["standard_error"] ** 2).sum() - 2 * (left_out[0] * left_out[1]).sum()
    assert difference["standard_error"] ** 2 == pytest.approx(variance, rel=0.08)
    assert difference["difference"] == pytest.approx(-np.diff(found.table["restricted_mean_days"])[0])
    assert difference["low"] < difference["difference"] < difference["high"]


def test_a_difference_counts_clusters_that_are_in_both_groups() -> None:
    """The waits of each cluster are in both groups: they differ by nothing, and the test knows it."""
    frame = pd.DataFrame({"days": [3, 9, 5, 6, 7, 7], "entered": [1, 0, 1, 0, 1, 1], "by": range(6)})
    twice = pd.concat([frame.assign(who="a"), frame.assign(who="b"), frame.assign(who="c", days=frame["days"] + 2)])
    found = restricted_mean(frame_waits(twice, days="days", entered="entered", cluster="by"), by="who", days=7)
    same, later = found.differences.iloc[0], found.differences.iloc[1]
    alone = found.table["standard_error"][0]
    assert (same["group"], same["other"], same["difference"]) == ("a", "b", 0)
    assert pd.isna(same["standard_error"]) or same["standard_error"] < 0.5 * alone
    assert later["standard_error"] < alone


# ── simulated truth ──────────────────────────────────────────────────────────────────────────────────────────────────

DAYS = 60
"""Days up to which means are held against the truth."""


@pytest.fixture(scope="module")
def calendar() -> diffusion.Calendar:
    return observed()


def held(calendar: diffusion.Calendar, world: str, runs: int, cluster: Cluster = "artist") -> dict[str, float]:
    """Return the share of intervals that hold the truth: of two groups of markets, and of their difference."""
    setting: dict[str, Any] = WORLDS[world]
    known = true_survival(range(DAYS), **{name: setting[name] for name in ("pace", "home") if name in setting})
    halves = pd.DataFrame({"market": MARKETS, "half": np.where(np.arange(12) < 6, "small", "large")})
    truth = {name: known[:, halves["half"] == name].mean(axis=1).sum() for name in ("small", "large")}
    found = {"mean": [], "difference": []}
    for seed in range(runs):
        entries = drawn_entries(np.random.default_rng(seed), calendar, **setting)
        result = restricted_mean(entries, by=halves, days=DAYS, cluster=cluster)
        for row in result.table.to_dict("records"):
            found["mean"].append(row["low"] <= truth[row["group"]] <= row["high"])
        row = result.differences.iloc[0]
        found["difference"].append(row["low"] <= truth[row["group"]] - truth[row["other"]] <= row["high"])
    return {name: float(np.mean(part)) for name, part in found.items()}


@pytest.mark.slow
def test_intervals_by_artist_hold_the_truth_and_independent_ones_do_not(calendar: diffusion.Calendar) -> None:
    assert 0.88 <= held(calendar, "artists", 30)["mean"] <= 1
    assert held(calendar, "artists", 30, "independent")["mean"] < 0.88


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_intervals_hold_the_truth_in_95_of_100(world: str, calendar: diffusion.Calendar) -> None:
    for name, share in held(calendar, world, 500).items():
        assert 0.93 - 0.01 <= share <= 0.97 + 0.01, name


# ── what cannot be asked ─────────────────────────────────────────────────────────────────────────────────────────────


def test_days_beyond_the_follow_up_are_an_error() -> None:
    frame = pd.DataFrame({"days": [3, 9, 5, 6], "entered": [1, 0, 1, 0], "who": list("aabb")})
    waits = frame_waits(frame, days="days", entered="entered")
    with pytest.raises(diffusion.SettingError, match="choose a day from 1 to 6, where the follow-up of 'b' ends"):
        restricted_mean(waits, by="who", days=7)
    found = restricted_mean(waits, by="who")
    assert found.days == 6
    assert found.table["restricted_mean_days"].tolist() == [4.5, 5.5]


def test_a_curve_at_0_stays_there_and_nobody_entered_has_no_interval() -> None:
    frame = pd.DataFrame({"days": [3, 3, 5, 6], "entered": [1, 1, 0, 0], "who": list("aabb")})
    found = restricted_mean(frame_waits(frame, days="days", entered="entered"), by="who", days=5)
    assert found.table["restricted_mean_days"].tolist() == [3, 5]
    assert found.table[["standard_error", "low", "high"]].isna().all(axis=None)
    assert found.differences[["p", "p_holm", "p_bh", "low"]].isna().all(axis=None)


def test_breakthrough_has_the_same_means() -> None:
    with diffusion.open_sample() as charts:
        entries = charts.entries()
    summary = breakthrough(entries, by="continent", horizon=60).summary
    table = restricted_mean(entries, by="continent", days=60).table
    names = {
        "restricted_mean_days": "restricted_mean_days",
        "restricted_mean_low": "low",
        "restricted_mean_high": "high",
    }
    for name, other in names.items():
        np.testing.assert_allclose(summary[name], table[other], rtol=1e-12)

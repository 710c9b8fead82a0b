"""Log-rank tests: against R, lifelines and a plain twin, and on simulated groups with and without a difference."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.statistics import multivariate_logrank_test, pairwise_logrank_test
from scipy.stats import f as fisher
from statsmodels.stats.multitest import multipletests

import diffusion
from survival import WEIGHTS, Cluster, frame_waits, log_rank
from survival.curves import log_rank_pairs
from survival.curves.log_rank_pairs import Weights
from tests.conftest import REFERENCE
from tests.survival.waiting_worlds import MARKETS, drawn_entries, observed

EXACT = 1e-9
"""Both sides add the same terms in another order, and solve a system of at most four equations."""

LIFELINES: dict[Weights, dict[str, Any]] = {
    "log-rank": {},
    "wilcoxon": {"weightings": "wilcoxon"},
    "tarone-ware": {"weightings": "tarone-ware"},
    "peto": {"weightings": "peto"},
    "fleming-harrington": {"weightings": "fleming-harrington", "p": 0.5, "q": 0.7},
}


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "survival_groups_answers.csv", dtype={"group": str}).set_index(
        ["data", "group", "name"]
    )


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "survival_groups_rows.csv")


# ── R and lifelines ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_independent_tests_are_those_of_r(rows: pd.DataFrame, answers: pd.DataFrame) -> None:
    """R's `survdiff` with rho = 0 and 1, overall and in pairs; see survival_groups.R."""
    for data, rho in itertools.product(("sex", "ecog", "cell"), (0, 1)):
        waits = frame_waits(rows[rows["data"] == data], days="days", entered="entered")
        found = log_rank(waits, "group", weights="fleming-harrington", p=rho, cluster="independent")
        name = f"survdiff {rho}"
        assert found.overall["statistic"][0] == pytest.approx(answers.loc[(data, "all", name), "value"], rel=EXACT)
        assert found.overall["df"][0] == len(found.groups) - 1
        assert found.groups["observed"].sum() == pytest.approx(found.groups["expected"].sum(), rel=EXACT)
        for row in found.pairs.to_dict("records"):
            known = answers.loc[(data, f"{row['group']}-{row['other']}", name), "value"]
            assert row["statistic"] == pytest.approx(known, rel=EXACT)


def test_tests_by_clusters_are_the_robust_score_tests_of_r(rows: pd.DataFrame, answers: pd.DataFrame) -> None:
    """R's `coxph` with `cluster`, with delayed entry too: its robust score test is Q; see survival_groups.R."""
    for data in ("sex", "ecog", "delayed", "cell"):
        own = rows[rows["data"] == data]
        waits = frame_waits(own, days="days", entered="entered", start="start", cluster="cluster")
        found = log_rank(waits, "group")
        overall = found.overall.iloc[0].rename({"groups": "k"}).to_dict()
        overall["clusters"], df = own["cluster"].nunique(), overall["df"]
        known = answers.loc[(data, "all", "robust log-rank"), "value"]
        assert overall["statistic"] == pytest.approx(as_f(known, overall["clusters"], df), rel=EXACT)
        assert overall["p"] == pytest.approx(fisher.sf(overall["statistic"], df, overall["clusters"] - df), rel=EXACT)
        for row in found.pairs.to_dict("records"):
            known = answers.loc[(data, f"{row['group']}-{row['other']}", "robust log-rank"), "value"]
            clusters = own.loc[own["group"].isin([int(row["group"]), int(row["other"])]), "cluster"].nunique()
            assert row["clusters"] == clusters
            assert row["statistic"] == pytest.approx(as_f(known, clusters, 1), rel=EXACT)


def as_f(squares: float, clusters: int, df: int) -> float:
    """Return F for Q."""
    return squares * (clusters - df) / ((clusters - squares) * df)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_weighted_tests_are_those_of_lifelines(weights: Weights, rows: pd.DataFrame) -> None:
    own = rows[rows["data"] == "cell"]
    waits = frame_waits(own, days="days", entered="entered")
    found = log_rank(waits, "group", weights=weights, p=0.5, q=0.7, cluster="independent")
    with np.errstate(invalid="ignore"):
        other = multivariate_logrank_test(own["days"], own["group"], own["entered"], **LIFELINES[weights])
        pairs = pairwise_logrank_test(own["days"], own["group"], own["entered"], **LIFELINES[weights]).summary
    assert found.overall["statistic"][0] == pytest.approx(other.test_statistic, rel=EXACT)
    assert found.overall["p"][0] == pytest.approx(other.p_value, rel=1e-6)
    np.testing.assert_allclose(found.pairs["statistic"], pairs["test_statistic"], rtol=EXACT)
    chances = found.pairs["p"].to_numpy()
    for name, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
        np.testing.assert_allclose(found.pairs[name], multipletests(chances, method=method)[1], rtol=EXACT)


# ── a plain twin ─────────────────────────────────────────────────────────────────────────────────────────────────────


def plain_squares(waits: pd.DataFrame, groups: list[str], weights: Weights) -> tuple[float, int]:
    """Return Q of some groups, and the number of clusters at risk when somebody entered, by the definition."""
    waits = waits[waits["group"].isin(groups)]
    parts = {name: np.zeros(len(groups)) for name in waits["cluster"].unique()}
    seen, survival = set(), 1.0
    for day in sorted(waits.loc[waits["entered"], "days"].unique()):
        there = waits[(waits["start"] < day) & (waits["days"] >= day)]
        went = there["entered"] & (there["days"] == day)
        total, hazard = len(there), went.sum() / len(there)
        survival *= 1 - went.sum() / (total + 1)
        weight = {"log-rank": 1.0, "wilcoxon": total, "tarone-ware": total**0.5, "peto": survival}[weights]
        share = np.array([(there["group"] == group).sum() / total for group in groups])
        if share.max() == 1:
            continue
        for row, entered in zip(there.to_dict("records"), went, strict=True):
            own = np.array([group == row["group"] for group in groups])
            parts[row["cluster"]] += weight * (own - share) * (entered - hazard)
            seen.add(row["cluster"])
    matrix = np.array([*parts.values()])
    score = matrix.sum(axis=0)
    return float(score @ np.linalg.pinv(matrix.T @ matrix, rcond=1e-9, hermitian=True) @ score), len(seen)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Return waits in three groups, of clusters that may be in several of them."""
    row = st.tuples(st.integers(0, 5), st.integers(1, 9), st.booleans(), st.sampled_from("abc"), st.integers(0, 7))
    drawn = draw(st.lists(row, min_size=12, max_size=40))
    table = pd.DataFrame(drawn, columns=["start", "length", "entered", "group", "cluster"])
    return table.assign(days=table["start"] + table.pop("length"))


@settings(deadline=None, max_examples=40)
@given(frames(), st.sampled_from(["log-rank", "wilcoxon", "tarone-ware", "peto"]))
def test_tests_by_clusters_are_those_of_the_plain_twin(table: pd.DataFrame, weights: Weights) -> None:
    waits = frame_waits(table, days="days", entered="entered", start="start", cluster="cluster")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(log_rank_pairs, "CLUSTERS_AT_ONCE", 3)
            found = log_rank(waits, "group", weights=weights)
    except diffusion.DataSaysNoError:
        return
    squares, clusters = plain_squares(table, sorted(table["group"].unique()), weights)
    row = found.overall.iloc[0]
    assert row["clusters"] == clusters
    if squares < clusters - 1e-6:
        assert row["statistic"] == pytest.approx(as_f(squares, clusters, row["df"]), rel=1e-6, abs=1e-9)
    for pair in found.pairs.to_dict("records"):
        squares, clusters = plain_squares(table, [pair["group"], pair["other"]], weights)
        if not np.isnan(pair["p"]):
            assert pair["clusters"] == clusters
            assert pair["statistic"] == pytest.approx(as_f(squares, clusters, 1), rel=1e-6, abs=1e-9)


# ── without a difference, and with one ───────────────────────────────────────────────────────────────────────────────

NULLS: dict[str, dict[str, Any]] = {
    "artists": {"artists": 300, "pace": 0.002},
    "few artists": {"artists": 40, "pace": 0.002},
    "homes": {"artists": 300, "pace": 0.001, "home": 8.0},
    "few with homes": {"artists": 25, "pace": 0.002, "home": 8.0},
    "one of a third": {"artists": 300, "pace": 0.002, "giant": True},
    "one of a third, with a home": {"artists": 300, "pace": 0.001, "giant": True, "home": 8.0},
}
"""Worlds in which groups do not differ: markets are alike, and groups are drawn."""

BYS = ("market", "artist", "track", "origin")
"""What is in one group: half of the markets, of the artists, of the tracks; or each market of the footprint (three)."""


@pytest.fixture(scope="module")
def calendar() -> diffusion.Calendar:
    return observed()


def grouped(entries: diffusion.Entries, by: str, generator: np.random.Generator) -> pd.DataFrame | str:
    """Return a table of drawn groups."""
    if by == "origin":
        return "origin"
    if by == "market":
        return pd.DataFrame({"market": MARKETS, "half": np.arange(12) % 2})
    artists = entries.described.to_pandas()
    own = artists["artist"] if by == "artist" else artists["track_id"]
    half = dict(zip(own.unique(), generator.permutation(np.arange(own.nunique()) % 2), strict=True))
    return pd.DataFrame({"track_id": artists["track_id"], "half": own.map(half)})


def share_called(
    calendar: diffusion.Calendar, world: dict[str, Any], by: str, runs: int, cluster: Cluster = "artist"
) -> float:
    """Return the share of samples in which the test calls groups different at 5 %."""
    called = []
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        entries = drawn_entries(generator, calendar, released=3 if by == "origin" else 1, **world)
        found = log_rank(entries, grouped(entries, by, generator), cluster=cluster)
        called.append(found.overall["p"][0] < 0.05)
    return float(np.mean(called))


@pytest.mark.slow
def test_tests_by_artist_hold_their_level_and_independent_ones_do_not(calendar: diffusion.Calendar) -> None:
    world = {**NULLS["artists"], "sizes": 0.0}
    assert share_called(calendar, world, "artist", 40) <= 0.15
    assert share_called(calendar, world, "artist", 40, "independent") >= 0.3


@pytest.mark.slow
@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("world", NULLS)
def test_tests_hold_their_level(world: str, by: str, calendar: diffusion.Calendar) -> None:
    """Between 3 and 7 of 100 at 5 %, as far as 600 samples tell; fewer where few artists make the data."""
    share = share_called(calendar, {**NULLS[world], "sizes": 0.0}, by, 600)
    few = "few" in world or "home" in world
    assert (0.0 if few else 0.03 - 0.015) <= share <= 0.07 + 0.01


def test_tests_find_a_difference(calendar: diffusion.Calendar) -> None:
    """The six larger markets are entered 1.7 times as fast as the six smaller ones, and the test finds it."""
    halves = pd.DataFrame({"market": MARKETS, "half": np.where(np.arange(12) < 6, "small", "large")})
    called = []
    for seed in range(20):
        entries = drawn_entries(np.random.default_rng(seed), calendar, artists=100, pace=0.002, sizes=0.5)
        found = log_rank(entries, halves)
        called.append(found.overall["p"][0] < 0.05)
        table = found.groups.set_index("group")
        assert table.loc["large", "observed"] > table.loc["large", "expected"]
    assert np.mean(called) >= 0.8


def test_overlapping_groups_are_compared_by_cluster_only(calendar: diffusion.Calendar) -> None:
    entries = drawn_entries(np.random.default_rng(3), calendar, artists=60, pace=0.004, released=3)
    found = log_rank(entries, "origin")
    assert found.groups["waits"].sum() == 3 * entries.arrow("waits").num_rows
    assert found.overall["df"][0] == 11 and len(found.pairs) == 66
    with pytest.raises(diffusion.SettingError, match="groups that share waits cannot be compared as independent"):
        log_rank(entries, "origin", cluster="independent")


# ── what cannot be compared ──────────────────────────────────────────────────────────────────────────────────────────


def test_what_cannot_be_compared_is_an_error() -> None:
    frame = pd.DataFrame({"days": [3, 4, 5, 6], "entered": [1, 0, 1, 0], "who": list("aabb"), "by": [1, 2, 1, 2]})
    waits = frame_waits(frame, days="days", entered="entered", cluster="by")
    with pytest.raises(diffusion.SettingError, match=r"weights are log-rank, wilcoxon, .*, not 'logrank'"):
        log_rank(waits, "who", weights="logrank")  # type: ignore[arg-type]
    with pytest.raises(diffusion.SettingError, match="must be 0 or more"):
        log_rank(waits, "who", p=-1)
    with pytest.raises(diffusion.DataSaysNoError, match="only 'all' has waits at risk"):
        log_rank(waits, "none")
    with pytest.raises(diffusion.DataSaysNoError, match="2 groups with waits of 2 artists cannot be compared"):
        log_rank(waits, "who")
    silent = frame_waits(frame.assign(entered=0), days="days", entered="entered")
    with pytest.raises(diffusion.DataSaysNoError, match="no wait ended in an entry"):
        log_rank(silent, "who")
    many = pd.DataFrame({"days": 1 + np.arange(500) % 7, "entered": 1, "who": np.arange(500) // 2})
    with pytest.raises(diffusion.SettingError, match="250 groups are too many to compare; at most 200 are"):
        log_rank(frame_waits(many, days="days", entered="entered"), "who")


def test_a_pair_without_entries_has_no_p_value() -> None:
    frame = pd.DataFrame({"days": [3, 4, 5, 6, 5, 7], "entered": [1, 1, 0, 0, 0, 0], "who": list("aabbcc")})
    for cluster in (None, "id"):
        waits = frame_waits(frame.assign(id=range(6)), days="days", entered="entered", cluster=cluster)
        pairs = log_rank(waits, "who").pairs.set_index(["group", "other"])
        assert pairs["p"].notna().tolist() == [True, True, False]
        assert pairs.loc[("b", "c"), ["p_holm", "p_bh"]].isna().all()

"""Waits counted in parts of the tracks have the counts, curves, tests and errors of all tracks at once."""

import gc
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion
import survival
from diffusion import DataSaysNoError, SettingError
from survival import Waits
from survival.counting import cells
from survival.counting.counted import Cluster, CountedWaits
from survival.counting.parts import PartClusters
from survival.counting.variables import Combine
from survival.validation.seen import SeenWaits
from tests.divided import Divided
from tests.random_charts import Study, day, examples, studies
from tests.survival.test_counting import QUESTIONS, Question
from tests.survival.waiting_worlds import drawn_entries, observed

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

EXACT = 1e-9
"""Sums over clusters are added in another order."""


def divided(waiting: Waits, parts: int) -> Waits:
    """Return the same waits, counted in so many parts."""
    return replace(waiting, entries=replace(waiting.entries, workers=Divided(parts)))


def both(waiting: Waits, parts: int, variables: tuple[str, ...], cluster: Cluster = "artist") -> None:
    """Assert that waits have the same counts in one part and in several."""
    asked = divided(waiting, parts)
    try:
        whole = waiting.counted(variables, cluster=cluster)
    except (DataSaysNoError, SettingError) as error:
        with pytest.raises(type(error)) as raised:
            asked.counted(variables, cluster=cluster)
        assert str(raised.value) == str(error)
        return
    agree(asked.counted(variables, cluster=cluster), whole)


def agree(found: CountedWaits, whole: CountedWaits) -> None:
    pd.testing.assert_frame_equal(found.values, whole.values)
    for name in ("opened", "closed"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    for name in ("cell", "after", "days", "count"):
        np.testing.assert_array_equal(getattr(found.events, name), getattr(whole.events, name))
    if whole.clusters is None:
        assert found.clusters is None
        return
    assert found.clusters is not None
    assert found.clusters.number == whole.clusters.number
    rng = np.random.default_rng(1)
    risk = rng.random((*whole.opened.shape, 2)).cumsum(axis=1)
    event = rng.random((len(whole.events.cell), 2))
    one, other = (part.sums(risk, event) for part in (found.clusters, whole.clusters))
    # clusters are numbered part by part; a unit says which is which
    numbers = pd.DataFrame({"one": found.clusters.cluster, "other": whole.clusters.cluster}).drop_duplicates()
    assert numbers["one"].is_unique and numbers["other"].is_unique
    numbers = numbers[numbers["other"] < whole.clusters.number]
    assert len(numbers) == whole.clusters.number
    np.testing.assert_allclose(one[numbers["one"]], other[numbers["other"]], rtol=EXACT, atol=EXACT)


VARIABLES = (
    (), ("market",), ("distance_km", "language_match"), ("origin", "market"), ("footprint", "entered_markets"),
    ("artist_here", "artist_tracks"), ("debut_year", "continent", "single_origin"), ("near",), ("budget", "size"),
    ("label",),
)  # fmt: skip
"""Variables of every kind: of markets, pairs, tracks, artists, markets entered so far; packaged and of one's own."""


@examples(60)
@given(
    drawn=studies(),
    question=QUESTIONS,
    variables=st.sampled_from(VARIABLES),
    parts=st.integers(2, 4),
    cluster=st.sampled_from(survival.CLUSTERS),
    leave_out_missing=st.booleans(),
    seed=st.integers(0, 99),
)
def test_counts_in_parts_are_those_of_all_tracks(
    drawn: Study,
    question: Question,
    variables: tuple[str, ...],
    parts: int,
    cluster: Cluster,
    leave_out_missing: bool,
    seed: int,
) -> None:
    rng, entries = np.random.default_rng(seed), drawn.open()
    tracks, markets = entries.table["track_id"].unique().sort().to_pylist(), entries.calendar.markets
    artists = [f"a{rng.integers(5)}" for _ in tracks]
    barred = [(track, market) for track in tracks for market in markets if rng.random() < 0.1]
    withheld = pa.table({"track_id": [t for t, _ in barred], "market": [m for _, m in barred]})
    entries = replace(
        entries,
        described=pa.table({"track_id": tracks, "artist": artists}),
        withheld=withheld.cast(entries.withheld.schema),
    )
    of_tracks = pd.DataFrame({"track_id": tracks, "budget": rng.integers(0, 6, len(tracks)) / 4})
    of_tracks["release_date"] = [day(int(rng.integers(-20, 30))) if rng.random() < 0.6 else None for _ in tracks]
    of_tracks["label"] = [("x", "y", None)[rng.integers(3)] for _ in tracks]
    near = [(a, b, int(rng.integers(9))) for a in markets for b in markets if a != b]
    try:
        waiting = survival.waits(
            entries,
            clock=question.clock,
            horizon=question.horizon,
            landmark=question.landmark,
            until=None if question.until is None else day(question.until),
            complete=question.complete,
            updated=question.updated,
            leave_out_missing=leave_out_missing,
            tracks=of_tracks,
            pairs=pd.DataFrame(near, columns=["source", "target", "near"]),
            artists=pd.DataFrame({"artist": ["A0", "a1"], "size": [1.5, 2.5]}),
            classes=2,
        )
    except (DataSaysNoError, SettingError):
        return
    both(waiting, parts, variables, cluster)


@pytest.mark.parametrize("combine", ["sum", "mean"])
def test_fractions_of_pairs_are_the_same_numbers_in_every_part(combine: Combine) -> None:
    """To the last digit: two numbers where all tracks have one would be two cells, and shift the classes."""
    entries = drawn_entries(np.random.default_rng(5), observed(), artists=80, pace=0.004, released=2)
    rng, markets = np.random.default_rng(3), entries.calendar.markets
    near = [(one, other, rng.random()) for one in markets for other in markets if one != other]
    pairs = pd.DataFrame(near, columns=["source", "target", "near"])
    waiting = survival.waits(entries, horizon=60, updated=True, pairs=pairs, combine={"near": combine}, classes=10_000)
    both(waiting, 3, ("near",))


# ── what is made of the counts ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def world() -> Waits:
    """Waits of 80 artists for twelve markets."""
    entries = drawn_entries(np.random.default_rng(5), observed(), artists=80, pace=0.004, released=2)
    return survival.waits(entries, horizon=60, leave_out_missing=True)


@pytest.fixture(scope="module")
def parted(world: Waits) -> Waits:
    """The same waits, counted in three parts."""
    return divided(world, 3)


def same(found: pd.DataFrame, whole: pd.DataFrame) -> None:
    """Assert that tables are equal: numbers but for rounding, all else exactly."""
    pd.testing.assert_frame_equal(found, whole, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("cluster", survival.CLUSTERS)
@pytest.mark.parametrize(
    "by", [*(pytest.param(by, marks=pytest.mark.slow) for by in ("none", "continent")), "language_match"]
)
def test_curves_and_tests_are_those_of_all_tracks(world: Waits, parted: Waits, by: str, cluster: Cluster) -> None:
    found, whole = (survival.breakthrough(waiting, by=by, cluster=cluster) for waiting in (parted, world))
    same(found.curves, whole.curves)
    same(found.summary, whole.summary)
    means = (survival.restricted_mean(waiting, by=by, cluster=cluster) for waiting in (parted, world))
    same(*(mean.table for mean in means))
    if by != "none":
        tests = [survival.log_rank(waiting, by, cluster=cluster) for waiting in (parted, world)]
        for name in ("overall", "pairs", "groups"):
            same(*(getattr(test, name) for test in tests))


def test_models_are_those_of_all_tracks(world: Waits, parted: Waits) -> None:
    formula = "log(distance_km) + language_match + artist_here"
    same(*(survival.cox(waiting, formula, strata=("footprint",)).summary for waiting in (parted, world)))
    same(*(survival.discrete_hazard(waiting, formula, baseline=[7, 60]).summary for waiting in (parted, world)))
    same(*(survival.aft(waiting, "language_match").summary for waiting in (parted, world)))
    same(*(survival.follow_up_test(waiting, by=("continent",)) for waiting in (parted, world)))


def test_a_factor_of_tracks_with_errors_by_artist(world: Waits, parted: Waits) -> None:
    fits = [
        survival.frailty_hazard(waiting, "language_match", baseline=[60], by="track") for waiting in (parted, world)
    ]
    np.testing.assert_allclose(*(fit.theta for fit in fits), rtol=1e-6)
    np.testing.assert_allclose(*(fit.summary.to_numpy(np.float64) for fit in fits), rtol=1e-6)


def test_scores_on_later_tracks(world: Waits, parted: Waits) -> None:
    model = survival.group_curves(world, ("market",))
    tables = [
        survival.compare({"by market": model}, SeenWaits(waiting, {"market": frozenset(["SE", "US", "JP"])}),
                         train=world, days=(28,))
        for waiting in (parted, world)
    ]  # fmt: skip
    same(*tables)
    same(*(survival.calibration({"by market": model}, waiting, by="market", day=28) for waiting in (parted, world)))


def test_differences_of_two_sides(world: Waits, parted: Waits) -> None:
    sides = []
    for waiting in (parted, world):
        one, other = (waiting.entries.subset(debut=debut) for debut in ((None, day(80)), (day(40), None)))
        sides.append(survival.curve_difference(one, other, horizon=60).table)
    same(*sides)


def test_states_of_the_sample() -> None:
    with diffusion.open_sample() as charts:
        entries, absences = charts.entries(), charts.absences(periods=7)
    found, whole = (
        survival.states(each, absences, by="continent", horizon=60)
        for each in (replace(entries, workers=Divided(3)), entries)
    )
    same(found.curves, whole.curves)
    same(found.summary, whole.summary)


def test_what_is_kept_is_freed_with_the_clusters(world: Waits) -> None:
    workers = Divided(3)
    parted = replace(world, entries=replace(world.entries, workers=workers))
    counted = parted.counted(("market",))
    assert isinstance(counted.clusters, PartClusters)
    assert workers.open == 2  # the entries, and what is kept of them
    del counted
    gc.collect()
    assert workers.open == 1


def test_errors_of_a_part_are_raised_here(parted: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="unknown variable 'continnent'; did you mean 'continent'"):
        parted.counted(("continnent",))
    monkeypatch.setattr(cells, "MOST", 10)
    with pytest.raises(DataSaysNoError, match="too many to count in 12 markets"):
        parted.counted(("footprint",))


# ── Spark ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_waits_on_spark_are_those_of_this_process(spark: "SparkEngines") -> None:
    with diffusion.open_sample() as charts:
        entries = charts.entries()
    here, there = (
        survival.waits(own, horizon=60, leave_out_missing=True)
        for own in (entries, replace(entries, workers=spark.workers))
    )
    names = ("market", "footprint", "distance_km", "artist_here")
    agree(there.counted(names), here.counted(names))
    same(*(survival.breakthrough(waiting, by="continent").curves for waiting in (there, here)))
    same(*(survival.log_rank(waiting, "continent").pairs for waiting in (there, here)))
    same(*(survival.cox(waiting, "log(footprint) + language_match").summary for waiting in (there, here)))

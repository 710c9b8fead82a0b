"""The baseline in parts: sums over parts on workers say what all steps in one process say."""

import gc
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from diffusion import DataSaysNoError, Entries, open_sample
from graphs.baseline import baseline, edge_table, held_out_scores, joint_fit, sensitivity_table
from graphs.baseline import step_parts as step_parts_module
from graphs.baseline.edges import verdict_table
from graphs.baseline.fit import in_days
from graphs.baseline.likeness import Likeness
from graphs.baseline.step_parts import StepPart, step_parts, steps_of
from graphs.leaders import asymmetry
from graphs.leaders.asymmetry import Leads, lead_table, some_steps
from graphs.leaders.validity import excess_scores
from tests.divided import Divided
from tests.process_worlds import Process, draw

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

CLOSE = 1e-9
"""Relative difference that sums in another order may make."""


def without_ties(entries: Entries) -> Entries:
    """Return the entries without those on one date with another of the track."""
    table = entries.table
    counts = table.group_by(["track_id", "entry"]).aggregate([("market", "count")])
    alone = counts.filter(pc.equal(counts["market_count"], 1)).select(["track_id", "entry"])
    return replace(entries, table=table.join(alone, ["track_id", "entry"], join_type="inner"))


def unlicensed(entries: Entries) -> Entries:
    """Return the entries with every tenth track withheld in two markets that it never enters."""
    track = entries.timelines.track_ids[::10]
    rows = [(name, market) for name in track for market in entries.calendar.markets[:2]]
    there = set(zip(entries.table["track_id"].to_pylist(), entries.table["market"].to_pylist(), strict=True))
    free = [row for row in rows if row not in there]
    names, markets = zip(*free, strict=True)
    return replace(entries, withheld=pa.table({"track_id": list(names), "market": list(markets)}))


def world(name: str) -> Entries:
    """Return made entries."""
    process, tracks, markets = {
        "homes": (Process(falling=True, homes=True, taste=True), 700, 8),
        "one artist": (Process(falling=True, homes=True, main_artist=0.8), 500, 6),
        "weekly": (Process(falling=True, homes=True, cadence=7, influence=0.3), 700, 7),
        "damaged": (Process(popularity=True, homes=True, damaged=True), 700, 8),
        "no ties": (Process(falling=True, homes=True), 600, 6),
        "few artists": (Process(falling=True, homes=True), 80, 5),
    }[name]
    entries = draw(process, tracks=tracks, seed=5, markets=markets).entries
    return {"damaged": unlicensed, "no ties": without_ties}.get(name, lambda same: same)(entries)


OTHERS = ("homes", "one artist", "damaged", "no ties")
WORLDS = ("weekly", *OTHERS)
SLOW = [pytest.param(name, 3, marks=pytest.mark.slow) for name in OTHERS]


def assert_same(mine: pd.DataFrame, other: pd.DataFrame) -> None:
    """Numbers are close, the rest is equal: verdicts, counts, names and what is missing."""
    pd.testing.assert_frame_equal(mine, other, rtol=CLOSE, atol=1e-12)
    exact = [name for name in other if not pd.api.types.is_float_dtype(other[name])]
    pd.testing.assert_frame_equal(mine[exact], other[exact])


def cells(own: StepPart) -> Mapping[str, np.ndarray[Any, Any]]:
    """Return all that is known of the steps."""
    names = ("track", "market", "entry", "day", "age", "artist", "since", "entered", "lag")
    return {name: getattr(own.steps, name) for name in names} | {"kinds": own.kinds}


@pytest.mark.parametrize(("name", "number", "horizon"), [*((name, 3, 90) for name in WORLDS), ("few artists", 99, 2)])
def test_the_steps_of_all_parts_are_the_steps(name: str, number: int, horizon: int) -> None:
    """Their numbers too; of more parts than artists, each has one, and some have no steps."""
    entries = world(name)
    likeness = Likeness.of(tuple(entries.calendar.markets))
    divided = step_parts(replace(entries, workers=Divided(number)), likeness, horizon=horizon)
    whole = step_parts(entries, likeness, horizon=horizon)
    parts = divided.results(cells)
    assert len(parts) == 3 if number == 3 else any(not len(part["day"]) for part in parts)
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((found["entry"], found["artist"]))
    for column, values in cells(whole.whole).items():
        np.testing.assert_array_equal(found[column][order], values)
        np.testing.assert_array_equal(cells(divided.whole)[column], values)
    assert len(divided) == len(whole)
    np.testing.assert_array_equal(divided.days, whole.days)


@pytest.mark.parametrize(
    ("name", "number"),
    [("weekly", 3), pytest.param("few artists", 99, marks=pytest.mark.slow), *SLOW],
)
def test_tables_are_the_same(name: str, number: int) -> None:
    entries = world(name)
    alone, divided = (baseline(own) for own in (entries, replace(entries, workers=Divided(number))))
    assert alone.artists == divided.artists and str(alone) == str(divided)
    for table in (edge_table, sensitivity_table, lambda fit: verdict_table(fit, window=60)):
        assert_same(table(divided), table(alone))
    assert_same(divided.log_score(), alone.log_score())
    assert_same(divided.factor_table(), alone.factor_table())
    assert_same(divided.likeness_table(), alone.likeness_table())


@pytest.mark.parametrize(("name", "threshold"), [("weekly", 0.05), ("one artist", 1.0)])
def test_leads_are_the_same(monkeypatch: pytest.MonkeyPatch, name: str, threshold: float) -> None:
    monkeypatch.setattr(asymmetry, "ESTABLISHED", threshold)
    entries = world(name)
    fits = [baseline(own) for own in (entries, replace(entries, workers=Divided(3)))]
    leads = [Leads.of(fit, window=60) for fit in fits]
    some = steps_of(np.arange(len(entries.timelines.track_ids)) % 3 > 0)
    assert leads[0].partners.any()
    for alone, divided in (leads, [lead.only(some) for lead in leads]):
        assert_same(lead_table(divided, replicates=50), lead_table(alone, replicates=50))
        np.testing.assert_allclose(divided.influence, alone.influence, rtol=1e-5, atol=1e-12)
        np.testing.assert_array_equal(divided.moves, alone.moves)
    scores = [excess_scores(some_steps(fit, some), 60, ["net_flow", "springrank"]) for fit in fits]
    for name, values in scores[0].items():
        np.testing.assert_allclose(scores[1][name], values, rtol=CLOSE, atol=1e-10)


def test_what_is_held_back_is_scored_the_same() -> None:
    entries = draw(Process(falling=True, homes=True), tracks=1500, seed=2, markets=6).entries
    alone, divided = (held_out_scores(baseline(own)) for own in (entries, replace(entries, workers=Divided(4))))
    pd.testing.assert_frame_equal(divided, alone, rtol=1e-7)


def test_some_steps_are_fitted_the_same() -> None:
    entries = world("homes")
    last = date(2017, 8, 1)
    alone, divided = (baseline(own, before=last) for own in (entries, replace(entries, workers=Divided(3))))
    assert len(alone.parts) == len(divided.parts) < len(baseline(entries).parts)
    np.testing.assert_allclose(divided.full.size, alone.full.size, rtol=CLOSE, atol=1e-10)
    np.testing.assert_array_equal(divided.steps.day, alone.steps.day)
    with pytest.raises(DataSaysNoError, match="no track enters a market"):
        baseline(replace(entries, workers=Divided(3)), before=date(2016, 1, 1))


def test_more_steps_than_fit_one_process_stay_on_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs all of them says so, and what does not is made."""
    monkeypatch.setattr(step_parts_module, "MOST_CELLS", 1_000)
    fit = baseline(replace(world("homes"), workers=Divided(3)))
    for make in (joint_fit, lambda fit: fit.steps, lambda fit: fit.parts.only(partial(in_days, last=0)).whole):
        with pytest.raises(DataSaysNoError, match=r"all 1,[0-9]{3} steps in one process, where there is room for 125 "):
            make(fit)
    assert edge_table(fit)["q"].notna().any()


def test_workers_keep_nothing_that_is_not_used() -> None:
    """And no work that they are sent holds the entries, the steps, or a Hessian."""
    workers = Divided(3)
    entries = replace(draw(Process(falling=True), tracks=20_000, seed=5, markets=8).entries, workers=workers)
    fit = baseline(entries)
    assert workers.open == 1
    leads = Leads.of(fit, window=60)
    edge_table(fit)
    assert workers.open == 2
    assert workers.largest < entries.table.nbytes / 5
    del fit
    assert len(leads.steps) and workers.open == 2  # a lead can still bring its steps
    del leads
    gc.collect()
    assert workers.open == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sample", "weekly"])
def test_spark_says_the_same(spark: "SparkEngines", name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffusion.engine.spark.workers.LEAST_ENTRIES", 1_000)
    if name == "sample":
        with open_sample() as charts:
            entries = charts.entries()
    else:
        entries = world(name)
    alone, divided = (baseline(own) for own in (entries, replace(entries, workers=spark.workers)))
    assert divided.parts.here is None
    assert_same(edge_table(divided), edge_table(alone))
    assert_same(sensitivity_table(divided), sensitivity_table(alone))
    both = [lead_table(Leads.of(fit, window=60), replicates=50) for fit in (divided, alone)]
    assert_same(*both)

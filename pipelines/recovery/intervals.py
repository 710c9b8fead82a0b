"""Whether intervals cover the truth: many samples of one structure, and what one sample has on average."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from diffusion import transitions
from diffusion.simulation.process_worlds import ProcessWorld, draw_sample
from diffusion.simulation.structures import Structure, draw_structure
from graphs.baseline import baseline, edge_table
from pipelines.recovery.cells import Cell
from survival import breakthrough

ENOUGH: Final = 10.0
"""Events that an estimate rests on in a sample, on average, at least: of fewer no interval is asked to cover."""

SAMPLES: Final = 100
"""Samples that the truth is of; its own error adds 1/100 to the variance of an error."""

DAYS: Final = (7, 14, 28, 56, 112)
"""Days at which survival curves are held against the truth."""

Estimates = pd.DataFrame
"""One row per estimate, with an index that says of what: `value`, `low`, `high`, `events` that it rests on."""


def lifts(world: ProcessWorld) -> Estimates:
    """Return the lift of every pair."""
    table = edge_table(baseline(world.entries, pairs=world.pairs)).set_index(["source", "target"])
    return _estimates(table, "lift", "lift_low", "lift_high", "expected")


def rates(world: ProcessWorld) -> Estimates:
    """Return the rate of every transition."""
    table = transitions(world.entries).to_pandas().set_index(["source", "target"])
    return _estimates(table, "rate", "rate_low", "rate_high", "tracks")


def survival(world: ProcessWorld) -> Estimates:
    """Return the share of waits without an entry at `DAYS`."""
    curve = breakthrough(world.entries).curves.set_index("days")
    curve["events"] = curve["events"].cumsum()
    return _estimates(curve.loc[curve.index.intersection(list(DAYS))], "survival", "low", "high", "events")


def _estimates(table: pd.DataFrame, value: str, low: str, high: str, events: str) -> Estimates:
    chosen = table[[value, low, high, events]].astype(float)
    return chosen.set_axis(["value", "low", "high", "events"], axis=1)


INTERVALS: Final[Mapping[str, Callable[[ProcessWorld], Estimates]]] = {
    "lift": lifts,
    "rate": rates,
    "survival curve": survival,
}
"""All quantities whose intervals are held against the truth."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of a cell.

    Attributes
    ----------
    structure
        What all its samples have in common.
    known
        For each quantity of `INTERVALS` the true values that rest on enough events in a sample.
    """

    structure: Structure
    known: dict[str, "pd.Series[float]"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the intervals of one quantity cover the truth in one simulation.

    Attributes
    ----------
    quantity
        Name of the quantity.
    intervals
        Number of intervals.
    below, above
        Intervals that lie below and above the truth.
    missing
        Estimates of which the truth is known, and that have no interval.
    """

    quantity: str
    intervals: int
    below: int
    above: int
    missing: int


def truth_of(cell: Cell, seed: int) -> Truth:
    """Return the structure of a cell and its true values: those of `SAMPLES` samples together."""
    own, sample = cell.rng(seed).spawn(2)
    structure = draw_structure(cell.world, own, markets=cell.markets)
    world = draw_sample(structure, sample, tracks=cell.tracks, samples=SAMPLES)
    known = {}
    for name, estimated in INTERVALS.items():
        table = estimated(world)
        known[name] = table.loc[table["events"] >= ENOUGH * SAMPLES, "value"]
    return Truth(structure, known)


def covered(cell: Cell, truth: Truth, seed: tuple[int, ...]) -> list[Coverage]:
    """Return how often the intervals of each quantity cover the truth in one sample."""
    world = draw_sample(truth.structure, cell.rng(*seed), tracks=cell.tracks)
    return [_held(name, estimated(world), truth.known[name]) for name, estimated in INTERVALS.items()]


def _held(quantity: str, estimates: Estimates, true: "pd.Series[float]") -> Coverage:
    own = estimates.reindex(true.index)
    known = own[["low", "high"]].notna().all(axis=1)
    below, above = (int((known & outside).sum()) for outside in (own["high"] < true, own["low"] > true))
    return Coverage(quantity, int(known.sum()), below, above, int((~known).sum()))

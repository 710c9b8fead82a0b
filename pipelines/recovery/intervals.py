"""Whether intervals cover the truth: many samples of one structure, and what one sample has on average."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import pandas as pd

from diffusion import transitions
from diffusion.pairs.counts import cluster_transitions
from diffusion.simulation.process_worlds import ProcessWorld, draw_sample
from diffusion.simulation.structures import Structure, draw_structure
from graphs.baseline import baseline, edge_table
from graphs.leaders.bootstrap import bootstrap_leaders, sent_and_received
from pipelines.recovery.cells import Cell
from survival import breakthrough, cox, waits

ENOUGH: Final = 10.0
"""Events that an estimate rests on in a sample, on average, at least: of fewer no interval is asked to cover."""

SAMPLES: Final = 100
"""Samples that the truth is of; its own error adds 1/100 to the variance of an error."""

DAYS: Final = (7, 14, 28, 56, 112)
"""Days at which survival curves are held against the truth."""

HAZARD: Final = "common_language + artist_here + log(footprint)"
"""Formula of the Cox model whose hazard ratios are held against the truth."""

Estimates = pd.DataFrame
"""One row per estimate, with an index that says of what: `value`, `low`, `high`, `events` that it rests on."""


def _of_edges(world: ProcessWorld) -> Iterator[tuple[str, Estimates]]:
    """Yield the lift and the lead share of every pair."""
    table = edge_table(baseline(world.entries, pairs=world.pairs)).set_index(["source", "target"])
    yield "lift", _estimates(table, "lift", table["expected"])
    back = table["observed"].swaplevel().reindex(table.index)
    yield "lead share", _estimates(table, "lead_share", table["observed"] + back)


def _of_transitions(world: ProcessWorld) -> Iterator[tuple[str, Estimates]]:
    """Yield the rate of every transition."""
    table = transitions(world.entries).set_index(["source", "target"])
    yield "rate", _estimates(table, "rate", table["tracks"])


def _of_markets(world: ProcessWorld) -> Iterator[tuple[str, Estimates]]:
    """Yield the share sent of every market: of the transitions from and to it, those from it."""
    lines, window = world.entries.timelines, world.entries.calendar.default_window
    moves = cluster_transitions(lines, window=window)
    # the interval of this measure is by artist, and needs no replicates
    found = bootstrap_leaders(moves, lines.markets, replicates=2, measures=["out_share"]).table.set_index("market")
    events = sum(part.sum(axis=0) for part in sent_and_received(moves, len(lines.markets)))
    bounds = found.rename(columns={"low": "score_low", "high": "score_high"})
    yield "share sent", _estimates(bounds, "score", pd.Series(events, index=list(lines.markets)))


def _of_waits(world: ProcessWorld) -> Iterator[tuple[str, Estimates]]:
    """Yield the share of waits without an entry, on `DAYS`, and their restricted mean."""
    found = breakthrough(world.entries)
    curve = found.curves.set_index("days")
    bands = curve.rename(columns={"low": "survival_low", "high": "survival_high"})
    yield (
        "survival curve",
        _estimates(bands, "survival", curve["events"].cumsum()).loc[lambda table: table.index.isin(DAYS)],
    )
    mean = found.summary.set_index("group").rename(columns={"restricted_mean_days": "restricted_mean"})
    yield "restricted mean", _estimates(mean, "restricted_mean", mean["events"])


def _of_hazard_ratios(world: ProcessWorld) -> Iterator[tuple[str, Estimates]]:
    """Yield the hazard ratios of a Cox model, which are marginal: popularity is no covariate."""
    source = waits(world.entries, pairs=world.pairs)
    names = {"exp(coef)": "ratio", "exp(coef) lower 95%": "ratio_low", "exp(coef) upper 95%": "ratio_high"}
    table = cox(source, HAZARD).summary.rename(columns=names)
    events = breakthrough(world.entries).summary["events"].sum()
    yield "hazard ratio", _estimates(table, "ratio", pd.Series(float(events), index=table.index))


def _estimates(table: pd.DataFrame, name: str, events: "pd.Series[float]") -> Estimates:
    columns = {name: "value", f"{name}_low": "low", f"{name}_high": "high"}
    return table[list(columns)].rename(columns=columns).assign(events=events).astype(float)


INTERVALS: Final[tuple[Callable[[ProcessWorld], Iterator[tuple[str, Estimates]]], ...]] = (
    _of_edges,
    _of_markets,
    _of_transitions,
    _of_waits,
    _of_hazard_ratios,
)
"""Where the intervals are from that are held against the truth."""


def estimates(world: ProcessWorld) -> dict[str, Estimates]:
    """Return all estimates with intervals, by quantity."""
    return dict(chain.from_iterable(estimated(world) for estimated in INTERVALS))


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of a cell.

    Attributes
    ----------
    structure
        What all its samples have in common.
    known
        By quantity, the true values that rest on enough events in a sample.
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
    known = {
        quantity: table.loc[table["events"] >= ENOUGH * SAMPLES, "value"]
        for quantity, table in estimates(world).items()
    }
    return Truth(structure, known)


def covered(cell: Cell, truth: Truth, seed: tuple[int, ...]) -> list[Coverage]:
    """Return how often the intervals of each quantity cover the truth in one sample."""
    world = draw_sample(truth.structure, cell.rng(*seed), tracks=cell.tracks)
    return [_held(quantity, table, truth.known[quantity]) for quantity, table in estimates(world).items()]


def _held(quantity: str, estimates: Estimates, true: "pd.Series[float]") -> Coverage:
    own = estimates.reindex(true.index)
    known = own[["low", "high"]].notna().all(axis=1)
    below, above = (int((known & outside).sum()) for outside in (own["high"] < true, own["low"] > true))
    return Coverage(quantity, int(known.sum()), below, above, int((~known).sum()))

"""What the product claims in one simulation, held against the truth; every number is from the product's functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError
from diffusion.arrays import Flags, Floats
from diffusion.conventions import FDR
from diffusion.simulation.structures import DAYS
from graphs.baseline import Baseline, baseline
from graphs.leaders.asymmetry import Leads, lead_table
from graphs.leaders.validity import leader_validity
from pipelines.recovery.cells import Cell
from pipelines.recovery.rankings import average_precision, ranked
from pipelines.recovery.simulated import Simulated, drawn


@dataclass(frozen=True, slots=True)
class Finding:
    """What one claim says in one simulation.

    Attributes
    ----------
    claim
        Name of the claim.
    tests
        Number of tests.
    small
        Tests with p of at most .05.
    found
        Tests with a positive verdict, such as q of at most .05.
    false
        Verdicts that the truth denies.
    real
        Pairs with influence.
    hits
        Verdicts on those.
    score
        Average precision of a ranking.
    """

    claim: str
    tests: int | None = None
    small: int | None = None
    found: int | None = None
    false: int | None = None
    real: int | None = None
    hits: int | None = None
    score: float | None = None


LONG: Final = 3 * 365 + DAYS
"""Days of a world in which leaders of half-years are compared: eight of them."""

Claim = Callable[[Simulated], Iterator[Finding]]


def edges(simulated: Simulated) -> Iterator[Finding]:
    """Edges beyond the baseline: with likeness, by sizes alone, with an order; an indirect path makes an edge real."""
    for claim, suffix in (("edge", ""), ("edge by sizes", "_sizes")):
        q, p = (simulated.lifts[name + suffix].to_numpy(float) for name in ("q", "p"))
        yield _of_pairs(claim, simulated, q <= FDR, p[~np.isnan(q)], real=simulated.any_way)
    yield _of_pairs(
        "edge with an order", simulated, simulated.lifts["ordered"].to_numpy(bool), None, real=simulated.any_way
    )


def order(simulated: Simulated) -> Iterator[Finding]:
    """Which way a pair goes more often than the other."""
    q, p = (simulated.lifts[name].to_numpy(float) for name in ("q_order", "p_order"))
    tested = ~np.isnan(q)
    yield Finding("order", tests=int(tested.sum()), small=int((p[tested] <= FDR).sum()), found=int((q <= FDR).sum()))


def direct(simulated: Simulated) -> Iterator[Finding]:
    """Direct pairs by the joint fit and the marginal test, and those of them that have an order too."""
    table = simulated.influence
    p = table["p_joint"].dropna().to_numpy(float)
    for claim in ("direct", "ordered"):
        found = table[claim].to_numpy(bool)
        yield _of_pairs(claim, simulated, found, p if claim == "direct" else None, real=simulated.influenced)


def leaders(simulated: Simulated) -> Iterator[Finding]:
    """Markets that lead or follow beyond the baseline, and rank groups where all markets are alike."""
    table = _leads(simulated.baseline)
    p, q = (table[name].dropna().to_numpy(float) for name in ("p", "q"))
    yield Finding("leader", tests=len(p), small=int((p <= FDR).sum()), found=int((q <= FDR).sum()))
    if simulated.cell.recipe.exchangeable:
        alike = drawn(simulated.cell, simulated.seed, alike=True)
        groups = _leads(baseline(alike.entries, pairs=alike.pairs))["group"].nunique()
        yield Finding("more than one rank group, markets alike", found=max(int(groups) - 1, 0))


def validity(simulated: Simulated) -> Iterator[Finding]:
    """Whether leaders of a half-year foretell those of the next given size, where markets differ in size alone."""
    if simulated.cell.world != "sizes":
        return
    world = drawn(simulated.cell, simulated.seed, days=LONG)
    fit, window = baseline(world.entries, pairs=world.pairs), world.entries.calendar.default_window
    try:
        table = leader_validity(fit, window=window, by="half").table
    except DataSaysNoError:
        p = np.zeros(0)
    else:
        p = table.loc[table["given"] == "size", "p"].dropna().to_numpy(float)
    yield Finding("validity given size", tests=len(p), small=int((p <= FDR).sum()))


def _leads(fit: Baseline) -> pd.DataFrame:
    """Return the tested measure of every market."""
    return lead_table(Leads.of(fit, window=fit.entries.calendar.default_window))


def rankings(simulated: Simulated) -> Iterator[Finding]:
    """How well several scores rank the pairs, where there is influence."""
    if simulated.influenced.any():
        for name, scores in ranked(simulated).items():
            yield Finding(f"ranking by {name}", score=average_precision(scores, simulated.influenced))


def _of_pairs(claim: str, simulated: Simulated, found: Flags, p: Floats | None, *, real: Flags) -> Finding:
    """Return a verdict on pairs; `p` are those of the tests, if it is one of a single test."""
    return Finding(
        claim,
        tests=None if p is None else len(p),
        small=None if p is None else int((p <= FDR).sum()),
        found=int(found.sum()),
        false=int((found & ~real).sum()),
        real=int(simulated.influenced.sum()),
        hits=int((found & simulated.influenced).sum()),
    )


CLAIMS: Final[tuple[Claim, ...]] = (edges, order, direct, leaders, validity, rankings)
"""All claims that are held against the truth."""


def findings(cell: Cell, seed: tuple[int, ...]) -> list[Finding]:
    """Return what all claims say in one simulation."""
    simulated = Simulated.of(cell, seed)
    return [finding for claim in CLAIMS for finding in claim(simulated)]

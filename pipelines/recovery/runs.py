"""The simulations of one cell: scores of each method, and coverage of intervals, by simulation."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np
import pandas as pd

from diffusion import SettingError
from diffusion.arrays import Flags, Floats
from diffusion.simulation.truth import DAYS, POPULATION, Truth, draw_truth
from diffusion.simulation.worlds import Cell, Size, draw_world
from pipelines.recovery.measures import Held, held, recovered
from pipelines.recovery.methods import METHODS, Given, Intervals, intervals

ENOUGH: Final = 10.0
"""Least expected transitions (for α: credits) for which intervals are required to cover."""

COVERAGE: Final = ["simulation", "quantity", "days", "expected", "intervals", "below", "above"]
"""Columns of `CellRuns.coverage`."""

Row = dict[str, object]
Tell = Callable[[float], None]
"""Function that is told the share of a cell done, 0 … 1."""


class Each(Protocol):
    """A function like `map`: calls a function with each number, in any process, and yields the results in order."""

    def __call__(
        self, function: Callable[[int], "SimulatedRun"], numbers: Iterable[int], /
    ) -> Iterator["SimulatedRun"]:
        """Yield the result for each number."""


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """Result of one simulation: rows of the tables of `CellRuns`."""

    scores: list[Row]
    coverage: list[Row]


@dataclass(frozen=True, slots=True)
class CellRuns:
    """All simulations of one cell.

    Attributes
    ----------
    cell
        Switches of the simulations.
    scores
        One row per simulation and method: `simulation`, `method`, `edge_share` (share of pairs that are edges: the
        average precision of a random guess), `average_precision`, `auc`, `leaders_tau`.
    coverage
        One row per simulation, quantity, days and class: `simulation`, `quantity` (``rate``, ``lag_curve``, ``alpha``
        where α > 0, ``alpha_late`` for the part of α later than the source's chart period, ``alpha_zero`` where α is
        0), `days` (lag of a lag curve, else missing), `expected` (transitions or credits: ``10 or more``, ``fewer``;
        ``none`` for ``alpha_zero``), `intervals` (their number), `below` and `above` (numbers that miss the truth).
    """

    cell: Cell
    scores: pd.DataFrame
    coverage: pd.DataFrame


def cell_runs(
    cell: Cell,
    *,
    simulations: int,
    size: Size,
    seed: int,
    population: int = POPULATION,
    each: Each = map,
    tell: Tell = lambda share: None,
) -> CellRuns:
    """Return the simulations of one cell; the same arguments give the same numbers.

    Parameters
    ----------
    cell
        Switches of the simulations.
    simulations
        Number of networks, each with its own tracks.
    size
        Size of each simulation.
    seed
        Seed of the random numbers. Other cells have the same networks with this seed, so cells can be compared in
        pairs.
    population
        Tracks per track of the sample for the true rates (default 40).
    each
        Function that calls the simulations, such as `map` of a pool of processes (default: `map`).
    tell
        Function that is told the share done.
    """
    if simulations < 1:
        raise SettingError(f"{simulations} simulations; give 1 or more")
    if seed < 0:
        raise SettingError(f"the seed {seed} is negative; give 0 or more")
    one = partial(simulation_run, cell, size=size, seed=seed, population=population)
    scores: list[Row] = []
    coverage: list[Row] = []
    for done, run in enumerate(each(one, range(simulations)), 1):
        scores += run.scores
        coverage += run.coverage
        tell(done / simulations)
    return CellRuns(cell, pd.DataFrame(scores), pd.DataFrame(coverage, columns=COVERAGE).astype({"days": "Int64"}))


def simulation_run(cell: Cell, simulation: int, *, size: Size, seed: int, population: int = POPULATION) -> SimulatedRun:
    """Return the result of simulation number `simulation` of a cell; parameters as in `cell_runs`."""
    world = draw_world(cell, size, seed=seed, simulation=simulation)
    entries = world.watch.entries(world.sample())
    evidence = Given.of(entries, window=cell.window)
    truth = draw_truth(world, population=population)
    alpha = truth.alpha
    edge_share = float((alpha > 0).sum() / (alpha.size - len(alpha)))
    scores: list[Row] = []
    for name, method in METHODS.items():
        found = method(evidence)
        scores.append(
            {"simulation": simulation, "method": name, "edge_share": edge_share}
            | asdict(recovered(found.edges, found.leaders, alpha=alpha))
        )
    coverage = [{"simulation": simulation} | row for part in intervals(evidence) for row in _coverage(part, truth)]
    return SimulatedRun(scores, coverage)


def _coverage(found: Intervals, truth: Truth) -> Iterator[Row]:
    """Yield one row per class of pairs: how often the intervals cover the truth."""
    pairs: Flags = ~np.eye(len(truth.alpha), dtype=bool)
    if found.quantity == "alpha":
        none = held(found.low, found.high, truth.alpha, where=pairs & (truth.alpha == 0))
        yield _row("alpha_zero", found, "none", none)
        pairs &= truth.alpha > 0
        late = held(found.low, found.high, truth.alpha_late, where=pairs & (truth.credits >= ENOUGH))
        yield _row("alpha_late", found, "10 or more", late)
    true, expected = _true(found, truth)
    for name, where in (("10 or more", expected >= ENOUGH), ("fewer", expected < ENOUGH)):
        yield _row(found.quantity, found, name, held(found.low, found.high, true, where=pairs & where))


def _true(found: Intervals, truth: Truth) -> tuple[Floats, Floats]:
    """Return, (m, m) each, the true value of a quantity, and the transitions or credits expected in a sample."""
    if found.quantity == "alpha":
        return truth.alpha, truth.credits
    if found.days is None:
        return truth.rate, truth.transitions
    curve = truth.curve[..., DAYS.index(found.days)]
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(truth.rate > 0, truth.transitions * curve / truth.rate, 0.0)
    return curve, expected


def _row(quantity: str, found: Intervals, expected: str, count: Held) -> Row:
    return {"quantity": quantity, "days": found.days, "expected": expected} | asdict(count)

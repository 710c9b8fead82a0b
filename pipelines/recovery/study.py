"""The recovery study: how well methods find the true edges and leaders, and how often intervals cover the truth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from diffusion import SettingError
from diffusion.simulation.truth import POPULATION
from diffusion.simulation.worlds import CELLS, Cell, Size
from pipelines.progress import Report, quiet
from pipelines.recovery.measures import mean_interval, share_interval
from pipelines.recovery.runs import CellRuns, cell_runs

COVERED: Final = (0.90, 0.98)
"""Least and largest coverage allowed for 95 % intervals."""

MOST_FALSE: Final = 0.05
"""Largest share of lower bounds above 0 where the true α is 0."""

LEAST_INTERVALS, LEAST_SIMULATIONS = 500, 100
"""With fewer, coverage is reported but not judged."""

FOREMOST: Final = ("alpha", "alpha_shrunk", "alpha_p")
"""Methods that all others are compared with."""

_KEYS: Final = ["cell", "cadence", "lag", "ties", "background", "gaps", "frailty"]
_COVERAGE: Final = [
    *("simulations", "intervals", "coverage", "coverage_low", "coverage_high", "below", "above", "required", "met")
]
_MEASURES: Final = ("average_precision", "auc", "leaders_tau")


@dataclass(frozen=True, slots=True)
class Recovery:
    """Results of a recovery study. Every table begins with `cell` and its switches.

    Attributes
    ----------
    edges
        One row per cell and method: `simulations`, `edge_share` (share of pairs that are edges: the average precision
        of a random guess), `average_precision`, `auc`, `leaders_tau` (Kendall's τ-b of the method's leaders with the
        sums of true α), each the mean over simulations with its t-interval `…_low`, `…_high`.
    advantage
        One row per cell, `method` (those of α) and other method `over`: `gain`, the difference of average precision in
        the same simulation, mean with t-interval `gain_low`, `gain_high`; `simulations`.
    coverage
        One row per cell, `quantity`, `days` and `expected` (see `pipelines.recovery.runs.CellRuns`): `simulations`,
        `intervals` (their number), `coverage` with interval `coverage_low`, `coverage_high`, `below` and `above`
        (shares of intervals that miss the truth on that side), `required` (whether the method's assumptions hold, so
        that its intervals must cover), `met` (whether they do; missing if not required or with too few intervals).
        Intervals are of 95 %. For ``alpha_zero`` a miss is a lower bound above 0.
    """

    edges: pd.DataFrame
    advantage: pd.DataFrame
    coverage: pd.DataFrame


def recovery_study(
    *,
    simulations: int = 10,
    tracks: int = 2_000,
    markets: int = 12,
    days: int = 365,
    seed: int = 1,
    cells: Sequence[Cell] = CELLS,
    population: int = POPULATION,
    progress: Report = quiet,
) -> Recovery:
    """Return how well methods find a known network, for each cell of switches.

    Parameters
    ----------
    simulations
        Networks per cell (default 10). Coverage is judged for 100 or more.
    tracks, markets, days
        Size of each simulation (default: 2,000 debuts in 12 markets over 365 days).
    seed
        Seed of the random numbers (default 1); simulation number i has the same network in every cell.
    cells
        Cells (default: all 19 of `CELLS`).
    population
        Tracks per track of the sample for the true rates (default 40).
    progress
        Function that is told the progress.

    Raises
    ------
    SettingError
        When a number is too small, or a cell occurs twice.
    """
    size = Size(tracks, markets, days)
    check_cells(cells)
    runs = []
    for cell in cells:
        progress(cell.name)
        runs.append(
            cell_runs(
                cell,
                simulations=simulations,
                size=size,
                seed=seed,
                population=population,
                tell=partial(progress, cell.name),
            )
        )
    return summed_up(runs)


def check_cells(cells: Sequence[Cell]) -> None:
    """Raise a SettingError if there are no cells, or a cell occurs twice."""
    if not cells or len(set(cells)) < len(cells):
        raise SettingError("a recovery study needs cells, each of them once")


def summed_up(runs: Iterable[CellRuns]) -> Recovery:
    """Return the tables of a study from its runs."""
    parts = list(runs)
    scores = pd.concat([_keyed(part.cell, part.scores) for part in parts], ignore_index=True)
    coverage = pd.concat([_keyed(part.cell, part.coverage) for part in parts], ignore_index=True)
    judged = {part.cell.name for part in parts if part.cell.well_specified}
    return Recovery(_edges(scores), _advantage(scores), _coverage(coverage, judged))


def _keyed(cell: Cell, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the cell and its switches as first columns."""
    keys = {key: cell.name if key == "cell" else getattr(cell, key) for key in _KEYS}
    return pd.concat([pd.DataFrame(keys, index=table.index), table], axis=1)


def _edges(scores: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for key, part in scores.groupby([*_KEYS, "method"], sort=False):
        row = dict(zip([*_KEYS, "method"], key, strict=True))
        row |= {"simulations": len(part), "edge_share": part["edge_share"].mean()}
        for name in _MEASURES:
            row |= _bounds(name, mean_interval(part[name].to_numpy()))
        rows.append(row)
    return pd.DataFrame(rows)


def _advantage(scores: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for key, part in scores.groupby(_KEYS, sort=False):
        wide = part.pivot_table(index="simulation", columns="method", values="average_precision", sort=False)
        for method, over in product(FOREMOST, wide.columns.drop(list(FOREMOST))):
            gain = (wide[method] - wide[over]).to_numpy()
            row = dict(zip(_KEYS, key, strict=True)) | {"method": method, "over": over, "simulations": len(gain)}
            rows.append(row | _bounds("gain", mean_interval(gain)))
    return pd.DataFrame(rows)


def _coverage(coverage: pd.DataFrame, well_specified: set[str]) -> pd.DataFrame:
    keys = [*_KEYS, "quantity", "days", "expected"]
    rows = []
    for key, part in coverage.groupby(keys, sort=False, dropna=False):
        row = dict(zip(keys, key, strict=True))
        counts = part[["intervals", "below", "above"]].to_numpy(float)
        intervals, below, above = counts.sum(axis=0)
        missed = counts[:, 2] if row["quantity"] == "alpha_zero" else counts[:, 1] + counts[:, 2]
        row |= {"simulations": len(part), "intervals": int(intervals)}
        row |= _bounds("coverage", share_interval(counts[:, 0] - missed, counts[:, 0]))
        row |= {name: side / intervals if intervals else np.nan for name, side in (("below", below), ("above", above))}
        holds = row["quantity"] in ("rate", "lag_curve") or row["cell"] in well_specified
        required = holds and row["expected"] != "fewer" and row["quantity"] != "alpha_late"
        rows.append(row | {"required": required, "met": _met(row) if required else None})
    return pd.DataFrame(rows, columns=[*keys, *_COVERAGE]).astype({"days": "Int64", "met": "boolean"})


def _met(row: dict[str, object]) -> bool | None:
    """Return whether a required coverage is reached, None with too few intervals to judge."""
    covered, intervals, simulations = (float(str(row[name])) for name in ("coverage", "intervals", "simulations"))
    if intervals < LEAST_INTERVALS or simulations < LEAST_SIMULATIONS:
        return None
    if row["quantity"] == "alpha_zero":
        return covered >= 1 - MOST_FALSE
    return COVERED[0] <= covered <= COVERED[1]


def _bounds(name: str, values: tuple[float, float, float]) -> dict[str, object]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))

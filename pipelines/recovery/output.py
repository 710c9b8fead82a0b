"""`recovery`: writes the recovery study, cell by cell; a later run continues where an earlier one ended."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import pandas as pd

from diffusion import SettingError
from diffusion.simulation.truth import POPULATION
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.progress import Report
from pipelines.recovery import CELLS, METHODS, Cell, CellRuns, Recovery, Size, cell_runs, summed_up
from pipelines.recovery.runs import Each
from pipelines.recovery.study import check_cells

TABLES: Final = ("edges", "advantage", "coverage")
"""Tables of `pipelines.recovery.Recovery`, written as ``recovery_<name>.csv``."""

_MEASURES: Final = {
    "average_precision": "Average precision of the edges (area under precision by recall)",
    "auc": "AUC of the edges",
    "leaders_tau": "Kendall's tau of the leaders with the true ones",
}
_STEP: Final = "recovery"
VERSION: Final = 1
"""Version of the study; raised when the same simulations give other numbers."""


def write_recovery(
    place: str | Path,
    *,
    simulations: int = 10,
    tracks: int = 2_000,
    markets: int = 12,
    days: int = 365,
    seed: int = 1,
    cells: Sequence[Cell] = CELLS,
    population: int = POPULATION,
    workers: int = 1,
    tell: Report = lambda doing, share=None: None,
) -> Recovery:
    """Write the recovery study into a folder and return it.

    Each cell is written when it is finished. A later run with the same settings reads it back. Cells of other runs stay
    in the folder.

    Parameters
    ----------
    place
        Folder for ``recovery_edges.csv``, ``recovery_advantage.csv``, ``recovery_coverage.csv``, ``recovery.txt`` (the
        same tables as text), ``cells/`` (the runs of each cell) and the manifest.
    simulations, tracks, markets, days, seed, cells, population
        As in `pipelines.recovery.recovery_study`.
    workers
        Number of processes (default 1). The numbers do not depend on it.
    tell
        Function that is told the progress.

    Raises
    ------
    SettingError
        When a number is too small, or a cell occurs twice.
    OutputError
        When the folder cannot be written.
    """
    check_cells(cells)
    settings = {"simulations": simulations, "seed": seed, "population": population, "methods": list(METHODS)}
    settings |= asdict(Size(tracks, markets, days))
    done = []
    with _processes(workers) as each:
        for cell in cells:
            tell(cell.name)
            with Folder(place) as folder:
                done.append(_cell(folder, cell, settings, each, tell))
    recovery = summed_up(done)
    tell("writing tables")
    with Folder(place) as folder:
        _tables(folder, recovery, cells, settings)
    return recovery


def named_cells(names: Sequence[str]) -> list[Cell]:
    """Return the cells with these names, in the order of `CELLS`.

    Raises
    ------
    SettingError
        When there is no cell with a name.
    """
    known = {cell.name: cell for cell in CELLS}
    for name in names:
        if name not in known:
            raise SettingError(f"no cell '{name}'; there are {', '.join(known)}")
    return [cell for name, cell in known.items() if name in names]


def recovery_text(recovery: Recovery) -> str:
    """Return the tables of a study as text, with rounded numbers and one column per method."""
    parts = []
    for name, title in _MEASURES.items():
        wide = recovery.edges.pivot_table(index="cell", columns="method", values=name, sort=False, dropna=False)
        parts.append(_titled(f"{title}, mean over simulations", wide.reset_index()))
    parts.append(_titled("Average precision above that of the other method, paired", _unkeyed(recovery.advantage)))
    parts.append(_titled("Coverage of 95 % intervals", _unkeyed(recovery.coverage)))
    return "\n\n".join(parts) + "\n"


@contextmanager
def _processes(workers: int) -> Iterator[Each]:
    """Yield a function like `map` that works in `workers` processes."""
    if workers < 1:
        raise SettingError(f"{workers} workers; give 1 or more")
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool.map


def _cell(folder: Folder, cell: Cell, settings: dict[str, Any], each: Each, tell: Report) -> CellRuns:
    """Return the runs of a cell, read from the folder if they are there."""
    step, parameters = f"{_STEP}_{cell.name}", asdict(cell) | settings
    names = {part: f"cells/{cell.name}_{part}.parquet" for part in ("scores", "coverage")}
    key = fingerprint(step, VERSION, parameters)
    if folder.unchanged(step, key):
        scores, coverage = (folder.read_table(name).to_pandas() for name in names.values())
        return CellRuns(cell, scores, coverage.astype({"days": "Int64"}))
    runs = cell_runs(
        cell,
        simulations=settings["simulations"],
        size=Size(*(settings[spec.name] for spec in fields(Size))),
        seed=settings["seed"],
        population=settings["population"],
        each=each,
        tell=lambda share: tell(cell.name, share),
    )
    folder.begin(step, key, parameters=parameters, notes={})
    folder.put_table(step, names["scores"], runs.scores)
    folder.put_table(step, names["coverage"], runs.coverage)
    return runs


def _tables(folder: Folder, recovery: Recovery, cells: Sequence[Cell], settings: dict[str, Any]) -> None:
    """Write the tables of all cells."""
    parameters = settings | {"cells": [cell.name for cell in cells]}
    folder.begin(_STEP, fingerprint(_STEP, VERSION, parameters), parameters=parameters, notes={})
    for name in TABLES:
        table: pd.DataFrame = getattr(recovery, name)
        folder.put(_STEP, f"recovery_{name}.csv", table.to_csv(index=False).encode(), rows=len(table))
    folder.put(_STEP, "recovery.txt", recovery_text(recovery).encode())


def _unkeyed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the settings of the cell, which are in its name."""
    return table.drop(columns=[spec.name for spec in fields(Cell)])


def _titled(title: str, table: pd.DataFrame) -> str:
    shown = table.astype(object).where(table.notna(), "")
    return f"{title}\n\n{shown.to_string(index=False, float_format=lambda value: f'{value:.3f}')}"

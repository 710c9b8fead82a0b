"""`recovery`: writes the study, some simulations at a time; a later run goes on where an earlier one ended."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import Final, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from diffusion import SettingError
from pipelines.contracts.recovery import RECOVERY, RECOVERY_CLAIMS, RECOVERY_INTERVALS
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.progress import Report, quiet
from pipelines.recovery.cells import Cell
from pipelines.recovery.claims import findings
from pipelines.recovery.intervals import Truth, covered, truth_of
from pipelines.recovery.summary import summed_up
from pipelines.recovery.words import recovery_text

SIMULATIONS: Final = 20
"""Simulations of a cell of claims."""

SAMPLES: Final = 400
"""Simulations of a cell of intervals."""

BATCH: Final = 10
"""Simulations that are written together: so many are lost at most when a run is killed."""

VERSION: Final = 2
"""Version of the study; raised when the same simulations give other numbers."""

_CONTRACTS: Final = {"claims": RECOVERY_CLAIMS, "intervals": RECOVERY_INTERVALS}

Row = dict[str, object]


class Each(Protocol):
    """A function like `map`: calls a function with each number, in any process, and yields the results in order."""

    def __call__(self, function: Callable[[int], list[Row]], numbers: Iterable[int], /) -> Iterator[list[Row]]:
        """Yield the result for each number."""


def write_recovery(
    place: str | Path,
    cells: Sequence[Cell],
    *,
    simulations: int = SIMULATIONS,
    samples: int = SAMPLES,
    seed: int = 1,
    workers: int = 1,
    tell: Report = quiet,
) -> pd.DataFrame:
    """Write the recovery study into a folder and return its table, `pipelines.contracts.recovery.RECOVERY`.

    Simulations are written as soon as `BATCH` of them are done. A later run, with the same seed, reads them back and
    makes those that are missing. Simulations that a run does not ask for stay in the folder.

    Parameters
    ----------
    place
        Folder for ``recovery.parquet`` and ``recovery.txt`` (the table, and in words), ``simulations/`` (what every
        simulation says, by cell and seed) and the manifest.
    cells
        What is simulated, as `pipelines.recovery.cells_of` returns it.
    simulations, samples
        Simulations of a cell of claims (default 20), and of one of intervals (default 400).
    seed
        Seed of the random numbers (default 1).
    workers
        Number of processes (default 1). The numbers do not depend on it.
    tell
        Function that is told the progress.

    Raises
    ------
    SettingError
        When there is no cell, or a number is too small.
    OutputError
        When the folder cannot be written.
    """
    for what, number, least in (("cells", len(cells), 1), ("simulations", simulations, 1), ("seed", seed, 0)):
        if number < least:
            raise SettingError(f"{what}: {number}; give {least} or more")
    found = {question: [contract.schema.empty_table()] for question, contract in _CONTRACTS.items()}
    with _processes(workers) as each:
        for cell in cells:
            wanted = simulations if cell.question == "claims" else samples
            found[cell.question].append(_cell(place, cell, wanted, seed, each, tell))
    tell("writing tables")
    table = summed_up(*(pa.concat_tables(parts).to_pandas() for parts in found.values()))
    parameters = {"simulations": simulations, "samples": samples, "seed": seed, "cells": [cell.name for cell in cells]}
    with Folder(place) as folder:
        folder.begin("recovery", fingerprint("recovery", VERSION, parameters), parameters=parameters, notes={})
        folder.put_table("recovery", "recovery.parquet", RECOVERY.conform(pa.Table.from_pandas(table)))
        folder.put("recovery", "recovery.txt", recovery_text(table).encode())
    return table


def _cell(place: str | Path, cell: Cell, wanted: int, seed: int, each: Each, tell: Report) -> pa.Table:
    """Return the first `wanted` simulations of a cell; those that the folder does not have are made and written."""
    step, contract = f"{cell.name}-seed{seed}", _CONTRACTS[cell.question]
    schema = contract.schema
    tell(cell.name)
    with Folder(place) as folder:
        parts = [folder.read_table(name).cast(schema) for name in _written(folder, step)]
    done = {number for part in parts for number in part["simulation"].to_pylist()}
    left = [number for number in range(wanted) if number not in done]
    if left:
        simulate = _simulating(cell, seed)
        for at in range(0, len(left), BATCH):
            tell(cell.name, at / len(left))
            numbers = left[at : at + BATCH]
            rows = [row for simulation in each(simulate, numbers) for row in simulation]
            parts.append(contract.conform(pa.Table.from_pylist(rows, schema)))
            with Folder(place) as folder:
                _add(folder, step, f"simulations/{step}/{numbers[0]:04}.parquet", parts[-1])
    made = pa.concat_tables(parts)
    return made.filter(pc.less(made["simulation"], wanted)).sort_by("simulation")


def _key(step: str) -> str:
    return fingerprint(step, VERSION)


def _written(folder: Folder, step: str) -> list[str]:
    """Return the names of the simulations of a cell that the folder has, whole and of this version."""
    before = folder.previous(step) if folder.unchanged(step, _key(step)) else None
    return [artifact["path"] for artifact in before["artifacts"]] if before else []


def _add(folder: Folder, step: str, name: str, table: pa.Table) -> None:
    """Write simulations beside those of the cell that the folder has."""
    kept = _written(folder, step)
    folder.begin(step, _key(step), parameters={}, notes={})
    folder.carry(step, kept)
    folder.put_table(step, name, table)


def _simulating(cell: Cell, seed: int) -> Callable[[int], list[Row]]:
    """Return the function of the number of a simulation that returns its rows."""
    if cell.question == "claims":
        return partial(_claim_rows, cell, seed)
    return partial(_interval_rows, cell, truth_of(cell, seed), seed)


def _claim_rows(cell: Cell, seed: int, simulation: int) -> list[Row]:
    with threadpool_limits(limits=1, user_api="blas"):
        found = findings(cell, (seed, simulation))
    return [cell.keys | {"simulation": simulation} | asdict(finding) for finding in found]


def _interval_rows(cell: Cell, truth: Truth, seed: int, simulation: int) -> list[Row]:
    with threadpool_limits(limits=1, user_api="blas"):
        found = covered(cell, truth, (seed, simulation))
    return [cell.keys | {"simulation": simulation} | asdict(coverage) for coverage in found]


@contextmanager
def _processes(workers: int) -> Iterator[Each]:
    """Yield a function like `map` that works in `workers` processes."""
    if workers < 1:
        raise SettingError(f"workers: {workers}; give 1 or more")
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        try:
            yield partial(_unstopped, pool.map)
        except BaseException:  # the pool would wait for what its processes are doing
            for process in active_children():
                process.terminate()
            raise


def _unstopped(each: Each, function: Callable[[int], list[Row]], numbers: Iterable[int]) -> Iterator[list[Row]]:
    """Call `each`, which starts processes, so that Ctrl-C reaches this process alone."""
    if sys.platform == "win32":
        return each(function, numbers)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        return each(function, numbers)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this process when the process that started it has ended, however that ended."""
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()

"""Tables written block by block, with one folder per year."""

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import polars as pl

ROWS: Final = 1 << 18
"""Rows per file, if memory allows."""

HELD: Final = 64 << 20
"""Most bytes of rows in memory; beyond, the largest year is written."""

WRITERS: Final = 2
"""Files written at the same time."""


class Partitions:
    """Writes rows of several tables to ``TABLE/year=YYYY/part-RUN-NNN.parquet``, in the order in which they are added.

    Parameters
    ----------
    stage
        Function that returns where to write a path below the folder.
    part
        Name of this run in the file names.
    """

    def __init__(self, stage: Callable[[str], Path], *, part: str) -> None:
        self._stage, self._part = stage, part
        self._held: dict[str, list[dict[str, pl.DataFrame]]] = {}
        self._files: dict[str, int] = {}
        self._number: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(WRITERS)
        self._writing: list[Future[None]] = []

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Add rows to the tables; all tables have the same rows in the same order, and a column `year`."""
        for year, parts in _by_year(tables).items():
            held = self._held.setdefault(year, [])
            if held and any(held[0][name].schema != frame.schema for name, frame in parts.items()):
                self._flush(year)
            self._held.setdefault(year, []).append(parts)
            if sum(next(iter(held.values())).height for held in self._held[year]) >= ROWS:
                self._flush(year)
        while self._held and sum(map(self._size, self._held)) > HELD:
            self._flush(max(self._held, key=self._size))

    def close(self) -> dict[str, int]:
        """Write the remaining rows, and return path below the folder → rows, for all files."""
        for year in sorted(self._held):
            self._flush(year)
        self._settle(0)
        return dict(self._files)

    def abandon(self) -> None:
        """Stop writing."""
        self._pool.shutdown(cancel_futures=True)

    def _size(self, year: str) -> int:
        return sum(int(frame.estimated_size()) for parts in self._held[year] for frame in parts.values())

    def _flush(self, year: str) -> None:
        self._settle(WRITERS)
        held = self._held.pop(year)
        for table in held[0]:
            name = f"{table}/year={year}/part-{self._part}-{self._number[year]:03d}.parquet"
            rows = pl.concat([parts[table] for parts in held], rechunk=False)
            self._files[name] = rows.height
            self._writing.append(self._pool.submit(_write, rows, self._stage(name)))
        self._number[year] += 1

    def _settle(self, left: int) -> None:
        """Wait until at most `left` files are being written; raise the error of a file that failed."""
        while len(self._writing) > left:
            self._writing.pop(0).result()


def _write(rows: pl.DataFrame, path: Path) -> None:
    # statistics take a quarter of the writing time, and nothing that reads RAW uses them
    try:
        rows.write_parquet(
            path, compression="zstd", compression_level=1, row_group_size=max(rows.height, 1), statistics=False
        )
    except pl.exceptions.ComputeError as error:
        if "transport error" in str(error):  # what polars says when only the end of the file does not fit on the disk
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise


@contextmanager
def partitions(stage: Callable[[str], Path], *, part: str) -> Iterator[Partitions]:
    """Yield tables to write; writing stops when the block ends, also with an error."""
    tables = Partitions(stage, part=part)
    try:
        yield tables
    finally:
        tables.abandon()


def _by_year(tables: Mapping[str, pl.DataFrame]) -> dict[str, dict[str, pl.DataFrame]]:
    first = next(iter(tables.values()))
    if not first.height:
        return {}
    years = first["year"].unique().sort().to_list()
    if len(years) == 1:
        return {years[0]: {name: frame.drop("year") for name, frame in tables.items()}}
    return {
        year: {name: _own(frame.filter(pl.col("year") == year).drop("year"), frame) for name, frame in tables.items()}
        for year in years
    }


def _own(part: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """Return a copy of rows that are a small part of a block, so that they do not keep the block in memory."""
    if 2 * part.height > whole.height:
        return part
    return cast(pl.DataFrame, pl.from_arrow(part.to_arrow(compat_level=pl.CompatLevel.oldest()), schema=part.schema))

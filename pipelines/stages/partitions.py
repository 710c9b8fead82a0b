"""Tables that grow block by block and lie in one folder per year."""

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
"""Rows of a file, where memory allows."""

HELD: Final = 64 << 20
"""Bytes of rows held before the largest year's are written."""

WRITERS: Final = 2
"""Files written at a time."""


class Partitions:
    """Writes rows of some tables to ``TABLE/year=YYYY/part-RUN-NNN.parquet``, in the order they are added.

    Parameters
    ----------
    stage
        Path below the folder → where to write it.
    part
        What the files of this run are called after.
    """

    def __init__(self, stage: Callable[[str], Path], *, part: str) -> None:
        self._stage, self._part = stage, part
        self._held: dict[str, list[dict[str, pl.DataFrame]]] = {}
        self._files: dict[str, int] = {}
        self._number: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(WRITERS)
        self._writing: list[Future[None]] = []

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Add rows to the tables; all have the same rows in the same order, and the column `year`."""
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
        """Write what is left and return the files made, as paths below the folder, with their rows."""
        for year in sorted(self._held):
            self._flush(year)
        self._settle(0)
        return dict(self._files)

    def abandon(self) -> None:
        """Write no more."""
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
        """Wait until no more than `left` files are being written; it fails here if one failed."""
        while len(self._writing) > left:
            self._writing.pop(0).result()


def _write(rows: pl.DataFrame, path: Path) -> None:
    # statistics of columns that are mostly text cost a quarter of the writing, and nothing that reads RAW asks for them
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
    """Yield tables to write; nothing is written any more when the block has ended, however it ends."""
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
    """Return rows that do not keep the text of the whole block alive, where they are the smaller part of it."""
    if 2 * part.height > whole.height:
        return part
    return cast(pl.DataFrame, pl.from_arrow(part.to_arrow(compat_level=pl.CompatLevel.oldest()), schema=part.schema))

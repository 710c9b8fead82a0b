"""Chart files of any kind, opened for reading: column names, and blocks of text columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion.errors import SourceError
from diffusion.sources.csv_files import BLOCK_BYTES, Block, ahead, read_blocks, read_header
from diffusion.sources.listing import ListedFile

ROWS: Final = 1 << 16
"""Rows per block of a Parquet file."""

Blocks = Iterator[tuple[Block, float | None]]
"""Blocks of rows, with the share of the file read so far; None if not known."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """One chart file, open for reading.

    Attributes
    ----------
    names
        Column names; ``1``, ``2``, … where the file has no header.
    encoding
        Encoding of a text file; empty for other kinds.
    first_row
        Where the file has no header, the fields of its first row; None otherwise.
    said
        What was recognised and is not plain CSV, such as ``separated by ';'``.
    blocks
        Function that reads the rows from the first.
    """

    names: tuple[str, ...]
    encoding: str
    first_row: tuple[str, ...] | None
    said: tuple[str, ...]
    blocks: Callable[[], Blocks]


def open_chart_file(file: ListedFile, *, encoding: str | None = None) -> OpenFile:
    """Return a chart file, open for reading; where a file has no lines, the line of a row is its number.

    Raises
    ------
    NoChartError
        When the file is empty or holds no columns; one found in a folder or by a glob can be passed over.
    SourceError
        When the file cannot be read as the kind that its name says.
    """
    return _open_parquet(file) if file.kind == "parquet" else _open_csv(file, encoding)


def _open_csv(file: ListedFile, encoding: str | None) -> OpenFile:
    header = read_header(file.path, encoding=encoding)
    whole = not file.path.name.lower().endswith((".gz", ".zst"))
    size = file.path.stat().st_size

    def blocks() -> Blocks:
        for number, block in enumerate(ahead(read_blocks(file.path, header)), start=1):
            yield block, min(number * BLOCK_BYTES / size, 1.0) if whole else None

    return OpenFile(header.names, header.encoding, None, (), blocks)


def _open_parquet(file: ListedFile) -> OpenFile:
    try:
        names = pq.read_schema(file.path).names
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(file, error) from error
    return OpenFile(tuple(names), "", None, (), lambda: _parquet_blocks(file))


def _parquet_blocks(file: ListedFile) -> Blocks:
    done = 0
    try:
        rows_of = pq.ParquetFile(file.path)
        total = rows_of.metadata.num_rows
        for batch in rows_of.iter_batches(ROWS, use_threads=False):
            rows = cast(pl.DataFrame, pl.from_arrow(batch)).select(pl.all().cast(pl.String))
            lines = np.arange(done + 1, done + rows.height + 1, dtype=np.int64)
            done += rows.height
            yield Block(rows, lines, []), done / total
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: ListedFile, error: Exception) -> SourceError:
    return SourceError(f"cannot read '{file.place}' as {file.kind}: {str(error).splitlines()[0]}")

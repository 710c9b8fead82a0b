"""Chart files of any kind, read as blocks of text columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion import SourceError
from diffusion.sources.csv_files import BLOCK_BYTES, Block, ahead, read_blocks, read_header
from diffusion.sources.layouts import FileKind

ROWS: Final = 1 << 16
"""Rows per block of a Parquet file."""


@dataclass(frozen=True, slots=True)
class ChartFile:
    """One chart file, open for reading.

    Attributes
    ----------
    names
        Column names.
    encoding
        Encoding of a CSV file; empty for Parquet.
    blocks
        Blocks of rows, with the share of the file read so far; None if not known.
    """

    names: tuple[str, ...]
    encoding: str
    blocks: Iterator[tuple[Block, float | None]]


def open_chart_file(path: Path, kind: FileKind, *, encoding: str | None = None) -> ChartFile:
    """Return a chart file, open for reading; in Parquet, the line of a row is its number.

    Raises
    ------
    SourceError
        When the file cannot be read as the kind that its name says.
    """
    if kind == "parquet":
        try:
            file = pq.ParquetFile(path)
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"cannot read '{path}' as parquet: {str(error).splitlines()[0]}") from error
        return ChartFile(tuple(file.schema_arrow.names), "", _parquet_blocks(path, file))
    header = read_header(path, encoding=encoding)
    whole = not path.name.lower().endswith((".gz", ".zst"))
    size = path.stat().st_size
    shares = (
        (block, min(number * BLOCK_BYTES / size, 1.0) if whole else None)
        for number, block in enumerate(ahead(read_blocks(path, header)), start=1)
    )
    return ChartFile(header.names, header.encoding, shares)


def _parquet_blocks(path: Path, file: pq.ParquetFile) -> Iterator[tuple[Block, float | None]]:
    done, total = 0, file.metadata.num_rows
    try:
        for batch in file.iter_batches(ROWS, use_threads=False):
            rows = cast(pl.DataFrame, pl.from_arrow(batch)).select(pl.all().cast(pl.String))
            lines = np.arange(done + 1, done + rows.height + 1, dtype=np.int64)
            done += rows.height
            yield Block(rows, lines, []), done / total
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise SourceError(f"cannot read '{path}' as parquet: {str(error).splitlines()[0]}") from error

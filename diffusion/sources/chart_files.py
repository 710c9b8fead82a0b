"""Chart files of any kind, opened for reading: column names, and blocks of text columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion.sources.csv_files import BLOCK_BYTES, Block, ahead, read_blocks
from diffusion.sources.csv_form import read_form
from diffusion.sources.excel_files import read_excel, read_excel_form
from diffusion.sources.json_files import read_json, read_json_form
from diffusion.sources.listing import ListedFile
from diffusion.sources.text_chunks import unreadable
from diffusion.sources.typed_text import arrow_rows, as_text

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
        Encoding of a CSV or JSON file; empty for other kinds.
    first_row
        Where the file has no header, the fields of its first row; None otherwise.
    said
        What was recognised and is not plain CSV, such as ``separated by ';'``.
    blocks
        Function that reads the rows from the first.
    above
        Lines above the table.
    """

    names: tuple[str, ...]
    encoding: str
    first_row: tuple[str, ...] | None
    said: tuple[str, ...]
    blocks: Callable[[], Blocks]
    above: tuple[str, ...] = ()


def open_chart_file(file: ListedFile, *, encoding: str | None = None, header: bool | None = None) -> OpenFile:
    """Return a chart file, open for reading; where a file has no lines, the line of a row is its number.

    Parameters
    ----------
    file
        File or member of an archive, as `diffusion.sources.listing.list_files` returns it.
    encoding
        Encoding of text files (default: recognised). A mark (BOM) in the file goes before it.
    header
        Whether the first line of a table names its columns (default: as it looks); for CSV and Excel.

    Raises
    ------
    NoChartError
        When the file is empty or holds no columns; one found in a folder or by a glob can be passed over.
    SourceError
        When the file cannot be read as the kind that its name says.
    SettingError
        When `encoding` is no encoding of text files.
    """
    match file.kind:
        case "parquet":
            return _open_parquet(file)
        case "json":
            return _open_json(file, encoding)
        case "excel":
            return _open_excel(file, header)
    return _open_csv(file, encoding, header)


def _open_csv(file: ListedFile, encoding: str | None, header: bool | None) -> OpenFile:
    form = read_form(file, encoding=encoding, header=header)
    blocks = partial(read_blocks, file, form)
    return OpenFile(form.names, form.encoding, form.first_row, form.said(), lambda: _shared(blocks(), file), form.above)


def _open_json(file: ListedFile, encoding: str | None) -> OpenFile:
    form = read_json_form(file, encoding=encoding)
    said = ("one JSON object per line" if form.by_line else "JSON records",)
    return OpenFile(form.names, form.encoding, None, said, lambda: _shared(read_json(file, form), file))


def _open_excel(file: ListedFile, header: bool | None) -> OpenFile:
    form = read_excel_form(file, header=header)
    said = (f"sheet '{form.sheet}'", *([] if form.first_row is None else ["no header: columns are numbered"]))
    return OpenFile(form.names, "", form.first_row, said, lambda: ((block, None) for block in read_excel(file, form)))


def _shared(blocks: Iterator[Block], file: ListedFile) -> Blocks:
    """Yield blocks, each made from the next part of a text file, with the share of the file read."""
    whole = not file.member and not file.path.name.lower().endswith((".gz", ".zst"))
    size = file.path.stat().st_size
    for number, block in enumerate(ahead(blocks), start=1):
        yield block, min(number * BLOCK_BYTES / size, 1.0) if whole else None


def _open_parquet(file: ListedFile) -> OpenFile:
    try:
        names = pq.read_schema(file.path).names
    except (OSError, ValueError, pa.ArrowException) as error:
        raise unreadable(file, error) from error
    return OpenFile(tuple(names), "", None, (), lambda: _parquet_blocks(file))


def _parquet_blocks(file: ListedFile) -> Blocks:
    done = 0
    try:
        rows_of = pq.ParquetFile(file.path)
        total = rows_of.metadata.num_rows
        for batch in rows_of.iter_batches(ROWS, use_threads=False):
            batch.validate(full=True)  # polars would not survive offsets beyond the text, nor the engine other text
            rows = as_text(arrow_rows(batch))
            lines = np.arange(done + 1, done + rows.height + 1, dtype=np.int64)
            done += rows.height
            yield Block(rows, lines, []), done / total
    except (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise unreadable(file, error) from error

"""Rows of a source loaded into an engine: in blocks, or Parquet without a copy."""

from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion.engine import Engine
from diffusion.sources.csv_files import DAMAGED
from diffusion.sources.layouts import SOURCE_COLUMNS
from diffusion.sources.source import ChartFile, Source

_PLAIN: Final = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_null,
)
"""Types of Parquet columns that the engine reads as the same text as `ChartFile.blocks`."""

_OF_THE_SCAN: Final = frozenset({"file_row_number", "source_file", "source_line"})
"""Columns that would be mistaken for those of the engine's scan."""


def read_source(source: Source, engine: Engine) -> None:
    """Make the rows of a source readable as `source_rows`, and damaged lines as `damaged_rows`.

    `source_rows` has the columns of `diffusion.sources.layouts.SOURCE_COLUMNS`, all text, and `file` and `line`.
    `damaged_rows` has `file`, `line`, `reason` and `row`.

    Raises
    ------
    SourceError
        When a file cannot be read as the kind that its name says.
    """
    if _can_be_scanned(source):
        columns = {ours: [theirs] if theirs else [] for ours, theirs in source.files[0].columns.items()}
        engine.open_text(source.paths, columns, root=source.root)
        engine.keep("damaged_rows", DAMAGED.empty_table())
        return
    names = (*SOURCE_COLUMNS, "file")
    empty = pa.schema([*((name, pa.large_string()) for name in names), ("line", pa.int64())]).empty_table()
    engine.add("source_rows", empty)
    engine.add("damaged_rows", DAMAGED.empty_table())
    for file in source.files:
        for block, _ in file.blocks():
            place = (pl.lit(file.name).alias("file"), pl.Series("line", block.lines))
            engine.add("source_rows", file.chosen(block.rows).with_columns(*place).to_arrow())
            engine.add("damaged_rows", block.damaged_table(file.name))


def _can_be_scanned(source: Source) -> bool:
    """Return whether the engine can read all files at once where they are: Parquet with the same plain columns."""
    first = source.files[0]
    return all(
        file.listed.kind == "parquet" and not file.facts and file.columns == first.columns and _is_plain(file)
        for file in source.files
    )


def _is_plain(file: ChartFile) -> bool:
    schema = pq.read_schema(file.listed.path)
    lower = [name.lower() for name in schema.names]
    types = [schema.field(theirs).type for theirs in file.columns.values() if theirs in schema.names]
    return (
        len(set(lower)) == len(lower)
        and not _OF_THE_SCAN.intersection(lower)
        and all(any(is_plain(one) for is_plain in _PLAIN) for one in types)
    )

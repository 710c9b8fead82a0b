"""Rows of a source loaded into an engine: in blocks, or Parquet without a copy."""

from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion.engine import Engine
from diffusion.sources.csv_files import DAMAGED
from diffusion.sources.file_names import folder_columns, folder_facts
from diffusion.sources.layouts import SOURCE_COLUMNS
from diffusion.sources.source import ChartFile, Source

_PLAIN: Final = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_null,
)
"""Types of Parquet columns that the engine reads as text of the same meaning as `ChartFile.blocks`."""

ROWS: Final = 1 << 16
"""Rows that are added to the engine together, of many small files."""

MOST_PARTS: Final = 1_000
"""Files or blocks that are added to the engine together."""

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
    columns = _scanned_columns(source)
    if columns is not None:
        folders = any(file.facts for file in source.files)
        engine.open_text(source.paths, columns, root=source.root, partitioned=folders)
        engine.keep("damaged_rows", DAMAGED.empty_table())
        return
    names = (*SOURCE_COLUMNS, "file")
    empty = pa.schema([*((name, pa.large_string()) for name in names), ("line", pa.int64())]).empty_table()
    engine.add("source_rows", empty)
    engine.add("damaged_rows", DAMAGED.empty_table())
    rows: list[pl.DataFrame] = []
    damaged: list[pa.Table] = []
    for file in source.files:
        for block, _ in file.blocks():
            place = (pl.lit(file.name).alias("file"), pl.Series("line", block.lines))
            rows.append(file.chosen(block.rows).with_columns(*place))
            damaged.append(block.damaged_table(file.name))
            if sum(part.height for part in rows) >= ROWS or len(rows) == MOST_PARTS:
                _add(engine, rows, damaged)
    _add(engine, rows, damaged)


def _add(engine: Engine, rows: list[pl.DataFrame], damaged: list[pa.Table]) -> None:
    """Add rows and damaged lines to the engine, and empty the two lists."""
    if rows:
        engine.add("source_rows", pl.concat(rows).to_arrow())
        engine.add("damaged_rows", pa.concat_tables(damaged))
        rows.clear()
        damaged.clear()


def _scanned_columns(source: Source) -> dict[str, list[str]] | None:
    """Return our column → the files' columns if the engine can read all files where they are; None if it cannot.

    It can read Parquet files with the same columns of plain types, also if folders called ``name=value`` above them
    give further columns.
    """
    first = source.files[0]
    folders = folder_columns(first.listed.place) if first.facts else {}
    for file in source.files:
        known = {ours: value for ours, value in folder_facts(file.listed.place).items() if file.facts}
        if (
            file.listed.kind != "parquet"
            or file.columns != first.columns
            or file.facts != known
            or known.keys() != folders.keys()
            or any(file.columns[ours] for ours in folders)
            or (folders and folder_columns(file.listed.place) != folders)
            or not _is_plain(file)
        ):
            return None
    return {ours: [name] if (name := theirs or folders.get(ours)) else [] for ours, theirs in first.columns.items()}


def _is_plain(file: ChartFile) -> bool:
    schema = pq.read_schema(file.listed.path)
    lower = [name.lower() for name in schema.names]
    types = [schema.field(theirs).type for theirs in file.columns.values() if theirs in schema.names]
    return (
        len(set(lower)) == len(lower)
        and not _OF_THE_SCAN.intersection(lower)
        and all(_is_plain_type(one) for one in types)
    )


def _is_plain_type(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    without_zone = pa.types.is_timestamp(value) and value.tz is None
    return without_zone or any(is_plain(value) for is_plain in _PLAIN)

"""The command sql: one SELECT over the tables of a folder."""

import math
import sys
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import click
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diffusion import OutputError, SettingError
from diffusion.engine import SQL_TYPES, select_rows
from diffusion.engine.user_sql import Selected
from diffusion.files import whole_file
from diffusion.foreign_text import csv_table
from diffusion.frames import frame_of
from pipelines.artifacts import ARTIFACTS
from pipelines.commands.options import JSON, OutPath
from pipelines.commands.screen import say_json, say_lines
from pipelines.folders.finished import FinishedFolder
from pipelines.folders.tables import FolderTable, tables_there, views_of
from pipelines.formatting import many, text_table

STANDARD_INPUT: Final = "-"
LARGEST: Final = 1 << 28
"""Most bytes of about 2,000 rows of a result; more would take many times as much memory to print."""

ENDING: Final = ".sql"

Json: TypeAlias = Any


@click.command("sql")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("query", required=False)
@click.option("--csv", "csv_file", type=OutPath(), metavar="FILE", help="File for all rows, as CSV.")
@click.option("--parquet", "parquet_file", type=OutPath(), metavar="FILE", help="File for all rows, as Parquet.")
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="Number of rows shown.")
@JSON
def sql_command(
    folder: Path, query: str | None, csv_file: Path | None, parquet_file: Path | None, most: int, as_json: bool
) -> None:
    """Ask the tables of FOLDER (a study, or made by clean, ingest …) with SQL; without QUERY, list them.

    QUERY is one SELECT in DuckDB's SQL, a file that ends in .sql, or - for standard input. Nothing is written into
    FOLDER, and no other file is read.
    """
    if sum((csv_file is not None, parquet_file is not None, as_json)) > 1:
        raise SettingError("give one of --csv, --parquet and --json")
    place = FinishedFolder(folder)
    tables = tables_there(place.manifest()["steps"], ARTIFACTS)
    if query is None:
        say_json(_data_of(tables)) if as_json else say_lines(_lines_of(tables))
        return
    target = csv_file or parquet_file
    if target is not None:
        _check_target(target, folder)
    with select_rows(_text(query), views_of(tables, place)) as rows:
        if target is not None:
            count = _write_csv(rows, target) if csv_file else _write_parquet(rows, target)
            say_lines([f"made      {target}: {many(count, 'row')}"])
        elif as_json:
            say_json([row for batch in _batches(rows) for row in _records(batch)])
        else:
            click.echo(_shown(rows, most))


def _text(query: str) -> str:
    """Return the SQL: the argument itself, or what the file or standard input holds that it names."""
    if query == STANDARD_INPUT:
        return sys.stdin.read()
    if not query.lower().endswith(ENDING):
        return query
    try:
        return Path(query).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingError(f"'{query}' is not text in UTF-8") from error


def _check_target(target: Path, folder: Path) -> None:
    if target.resolve().is_relative_to(folder.resolve()):
        raise OutputError(f"'{target}' is in the folder that is asked, where nothing is written; name another place")


def _lines_of(tables: Mapping[str, FolderTable]) -> Iterator[str]:
    """Yield two lines for each table: name, rows, what a row is; and its columns."""
    for name, table in tables.items():
        rows = "" if table.rows is None else f" ({many(table.rows, 'row')})"
        yield f"{name}{rows}: {table.contract.row}"
        yield "    " + ", ".join(f"{column.name} {SQL_TYPES[column.type]}" for column in table.contract.columns)


def _data_of(tables: Mapping[str, FolderTable]) -> Json:
    return [
        {
            "table": name,
            "step": table.step,
            "rows": table.rows,
            "one_row": table.contract.row,
            "columns": [
                {"name": column.name, "type": SQL_TYPES[column.type], "meaning": column.meaning}
                for column in table.contract.columns
            ],
        }
        for name, table in tables.items()
    ]


def _shown(rows: Selected, most: int) -> str:
    """Return the first rows as a text table, and how many there are if there are more."""
    first, count = [], 0
    for batch in _batches(rows):
        if count < most:
            first.append(batch.slice(0, most - count))
        count += batch.num_rows
    table = pa.Table.from_batches(first, rows.schema)
    shown = text_table(_readable(table)) if table.num_rows else f"no rows ({', '.join(table.column_names)})"
    return shown if count <= most else f"{shown}\n{most:,} of {many(count, 'row')}; --most, --csv or --parquet for more"


def _batches(rows: Selected) -> Iterator[pa.RecordBatch]:
    """Yield the rows, all of a size that can be printed and with dates that are some."""
    for batch in rows.batches:
        if batch.nbytes > LARGEST:
            raise SettingError(
                f"some rows of the result take {batch.nbytes:,} bytes; cut texts, such as left(text, 1000)"
            )
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
                _check_dates(name, column)
        yield batch


def _check_dates(name: str, column: pa.Array) -> None:
    """Raise an error for a date or time outside of the years 1 to 9999, such as ``infinity``."""
    first, last = (
        pa.scalar(day).cast(pa.timestamp("us")).cast(column.type, safe=False) for day in (datetime.min, datetime.max)
    )
    if pc.any(pc.or_(pc.less(column, first), pc.greater(column, last))).as_py():
        raise SettingError(f"the column '{name}' of the result has a date outside of the years 1 to 9999; leave it out")


def _readable(table: pa.Table) -> pd.DataFrame:
    """Return rows for the screen: numbers and dates as they are in SQL, lists as text."""
    frame = frame_of(table)
    for field in table.schema:
        if pa.types.is_nested(field.type) or pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type):
            texts = ["" if value is None else str(value) for value in table[field.name].to_pylist()]
            frame[field.name] = pd.Series(texts, dtype=object)
    return frame


def _write_csv(rows: Selected, target: Path) -> int:
    """Write all rows as CSV, and return their number; a text that a spreadsheet would take for a formula is quoted."""
    count = 0
    with whole_file(target) as file:
        file.write(csv_table(pd.DataFrame(columns=rows.schema.names)).to_csv(index=False, lineterminator="\n").encode())
        for batch in _batches(rows):
            frame = batch.to_pandas(date_as_object=True, timestamp_as_object=True, integer_object_nulls=True)
            file.write(csv_table(frame).to_csv(index=False, header=False, lineterminator="\n").encode())
            count += batch.num_rows
    return count


def _write_parquet(rows: Selected, target: Path) -> int:
    """Write all rows as Parquet, and return their number."""
    count = 0
    try:
        with whole_file(target) as file, pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
            for batch in _batches(rows):
                writer.write_batch(batch)
                count += batch.num_rows
    except pa.ArrowNotImplementedError as error:
        raise SettingError(f"Parquet has no such column: {error}; CAST it to VARCHAR") from error
    return count


def _records(batch: pa.RecordBatch) -> Iterator[dict[str, Json]]:
    for row in batch.to_pylist():
        yield {name: _json(value) for name, value in row.items()}


def _json(value: Any) -> Json:
    """Return a value as JSON has it: numbers that are none are null, dates and times ISO text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_json(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _json(one) for name, one in value.items()}
    return value

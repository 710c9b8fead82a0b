"""Tables in memory, of pandas, polars or Arrow, as text columns."""

from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from diffusion.errors import SourceError
from diffusion.sources.chart_files import Blocks, OpenFile
from diffusion.sources.csv_files import Block
from diffusion.sources.typed_text import arrow_rows, as_text

Table: TypeAlias = pd.DataFrame | pl.DataFrame | pa.Table
"""Charts in memory."""

ROWS: Final = 1 << 16
"""Rows per block."""


def open_table(table: Table) -> OpenFile:
    """Return a table, open for reading; the line of a row is its number, from 1.

    Raises
    ------
    SourceError
        When two columns have one name, or a column cannot be text.
    """
    names = [str(name) for name in (_with_index(table).columns if isinstance(table, pd.DataFrame) else _names(table))]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SourceError(f"the table has two columns called '{twice[0]}'")
    rows = _rows(table, names)

    def blocks() -> Blocks:
        for first in range(0, max(rows.height, 1), ROWS):
            part = rows[first : first + ROWS]
            lines = np.arange(first + 1, first + part.height + 1, dtype=np.int64)
            yield Block(as_text(part), lines, []), (first + part.height) / max(rows.height, 1)

    return OpenFile(tuple(names), "", None, (), blocks)


def _rows(table: Table, names: list[str]) -> pl.DataFrame:
    if isinstance(table, pl.DataFrame):
        return table
    try:
        if isinstance(table, pd.DataFrame):
            frame = _with_index(table)
            columns = [_arrow_column(frame.iloc[:, at]) for at in range(frame.shape[1])]
            table = pa.table(columns, names=names)
        return arrow_rows(table)
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise SourceError(f"cannot read the table: {str(error).splitlines()[0]}") from error


def _names(table: pl.DataFrame | pa.Table) -> list[str]:
    return list(table.columns if isinstance(table, pl.DataFrame) else table.column_names)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its index as columns, if that has names."""
    return frame.reset_index() if any(name is not None for name in frame.index.names) else frame


def _arrow_column(column: "pd.Series[Any]") -> pa.Array:
    """Return a column for Arrow; values of several types, and those that Arrow has no type for, as text."""
    try:
        found = pa.Array.from_pandas(column)
    except (pa.ArrowException, TypeError):
        found = None
    if found is None or isinstance(found.type, pa.BaseExtensionType):
        return pa.array([None if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)])
    return found

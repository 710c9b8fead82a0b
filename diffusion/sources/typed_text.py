"""Values of any type as the text that a chart file would have."""

from typing import cast

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc


def arrow_rows(rows: pa.RecordBatch | pa.Table) -> pl.DataFrame:
    """Return Arrow rows as a data frame; times in their own time zone, as polars does not know ``+05:30``.

    Notes on the schema are left out, as polars does not survive some that are damaged.
    """
    for at, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz:
            rows = rows.set_column(at, field.name, pc.local_timestamp(rows.column(at)))
    numbered = pa.Table.from_arrays(rows.columns, names=[str(at) for at in range(rows.num_columns)])
    found = cast(pl.DataFrame, pl.from_arrow(numbered))
    found.columns = rows.schema.names  # polars would give a column with an empty name another
    return found


def as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Return all columns as text: a time in its own time zone, a list with commas between its values.

    Examples
    --------
    >>> as_text(pl.DataFrame({"rank": [1], "artists": [["Ada", "Bo"]]})).row(0)
    ('1', 'Ada, Bo')
    """
    return rows.select(_text(name, kind) for name, kind in rows.schema.items())


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        return column.dt.replace_time_zone(None).cast(pl.String)
    if isinstance(kind, pl.Array):
        column = column.arr.to_list()
    if isinstance(kind, pl.List | pl.Array):
        return column.list.eval(pl.element().cast(pl.String)).list.join(", ")
    if isinstance(kind, pl.Binary):
        return column.cast(pl.String, strict=False)
    return column.cast(pl.String)

"""Values of any type as the text that a chart file would have."""

import polars as pl


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

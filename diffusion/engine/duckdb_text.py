"""Values as DuckDB writes them as text: columns of Parquet files, times in their own zone, fields of CSV lines."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq


def time_zones(rows: duckdb.DuckDBPyRelation, files: Sequence[Path]) -> dict[str, str]:
    """Return column → time zone, for the columns of Parquet files whose times have one."""
    if not any(name in str(kind) for kind in rows.types for name in ("WITH TIME ZONE", "TIMESTAMPTZ")):
        return {}
    fields = [field for file in files for field in pq.read_schema(file)]
    return {field.name: field.type.tz for field in fields if pa.types.is_timestamp(field.type) and field.type.tz}


def as_text(column: str | None, zones: Mapping[str, str]) -> duckdb.Expression:
    """Return a column as text; times in their own zone."""
    if column is None:
        return duckdb.ConstantExpression(None).cast("VARCHAR")
    value = duckdb.ColumnExpression(column)
    if column not in zones:
        return value.cast("VARCHAR")
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", zones[column])
    zone = duckdb.ConstantExpression("UTC" if offset else zones[column])
    local = duckdb.FunctionExpression("timezone", zone, value)
    if offset:
        minutes = int(f"{offset[1]}1") * (60 * int(offset[2]) + int(offset[3]))
        local += duckdb.FunctionExpression("to_minutes", duckdb.ConstantExpression(minutes))
    return local.cast("VARCHAR")


def texts_of(values: pa.Array, zone: str | None) -> pa.Array:
    """Return values as the text that `open_text` reads them as.

    Parameters
    ----------
    values
        Values of any type.
    zone
        Time zone of times that have one.

    Examples
    --------
    >>> texts_of(pa.array([1.0, 1e-05, None]), None).to_pylist()
    ['1.0', '1e-05', None]
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.from_arrow(pa.table({"value": values}))
        texts = rows.project(as_text("value", {"value": zone} if zone else {}).alias("text"))
        return texts.to_arrow_reader().read_all()["text"].combine_chunks().cast(pa.string())


def first_text(columns: Sequence[str], zones: Mapping[str, str]) -> duckdb.Expression:
    if len(columns) < 2:
        return as_text(columns[0] if columns else None, zones)
    texts, empty = [as_text(name, zones) for name in columns], duckdb.ConstantExpression("")
    return duckdb.CoalesceOperator(*(duckdb.FunctionExpression("nullif", text, empty) for text in texts))


def csv_field(column: str, zones: Mapping[str, str]) -> duckdb.Expression:
    """Return a column's text as a field of a CSV line, quoted where needed."""
    text = duckdb.CoalesceOperator(as_text(column, zones), duckdb.ConstantExpression(""))
    quote, twice = duckdb.ConstantExpression('"'), duckdb.ConstantExpression('""')
    inner = duckdb.FunctionExpression("replace", text, quote, twice)
    quoted = duckdb.FunctionExpression("concat", quote, inner, quote)
    special = duckdb.FunctionExpression("regexp_matches", text, duckdb.ConstantExpression('[",\r\n]'))
    return duckdb.CaseExpression(special, quoted).otherwise(text)

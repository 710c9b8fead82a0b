"""Parquet files of any columns as text on Spark: the rows and the text that DuckDB's reader gives."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from diffusion.engine.duckdb_text import texts_of
from diffusion.engine.spark.locations import SCHEME, below_scheme, read_files
from diffusion.errors import SourceError

SETTINGS: Final[Mapping[str, str]] = {"spark.sql.legacy.parquet.nanosAsLong": "true"}
"""Settings of the session: times in nanoseconds, which Spark has no type for, are read as numbers."""

_PLACE: Final = ("source_file", "source_line")
_NONE: Final = "__HIVE_DEFAULT_PARTITION__"
_SAME: Final = (pa.types.is_integer, pa.types.is_boolean, pa.types.is_date32, pa.types.is_string)
"""Types whose text is the same to both engines; DuckDB itself writes the text of the others, on the executors."""


Types: TypeAlias = Mapping[str, tuple[pa.DataType, str | None]]
"""Name in lower case → type that values are given before they become text, and the zone of times."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Parquet files with the same columns, by name in lower case, and names of folders ``name=value`` above them."""

    files: list[Path | str]
    fields: Mapping[str, pa.Field]
    folders: Sequence[str]


def text_rows(
    session: SparkSession,
    files: Sequence[Path | str],
    columns: Mapping[str, Sequence[str]],
    *,
    root: Path | str,
    partitioned: bool,
    row: Sequence[str],
    schema_at: Callable[[str], pa.Schema],
) -> tuple[DataFrame, DataFrame]:
    """Return `source_rows` and `raw_rows` of Parquet files; parameters as of `diffusion.engine.Engine.open_text`.

    `schema_at` returns the columns of a file at an address.

    Raises
    ------
    SourceError
        When a file is not Parquet, or is one that Spark passes over.
    """
    for name, value in SETTINGS.items():
        session.conf.set(name, value)
    wanted = {name.lower() for names in (*columns.values(), row, _PLACE) for name in names}
    groups: dict[tuple[object, ...], _Group] = {}
    for file in files:
        own = {name: field for name, field in _fields(file, schema_at).items() if name in wanted}
        folders = tuple(sorted(wanted.intersection(_folders(file)))) if partitioned else ()
        key = (*((name, field.name, str(field.type)) for name, field in sorted(own.items())), folders)
        groups.setdefault(key, _Group([], own, folders)).files.append(file)
    types = _types([group.fields for group in groups.values()])
    placed = all(any(name in group.fields for group in groups.values()) for name in _PLACE)
    parts = [
        _Rows(read_files(session, group.files), group, types, root=root, placed=placed) for group in groups.values()
    ]
    source = [rows.source(columns) for rows in parts]
    raw = [rows.raw(row) for rows in parts]
    return reduce(DataFrame.union, source), reduce(DataFrame.union, raw)


class _Rows:
    """Rows of Parquet files with the same columns, and expressions over them."""

    def __init__(self, frame: DataFrame, group: _Group, types: Types, *, root: Path | str, placed: bool) -> None:
        self._frame, self._group, self._types = frame, group, types
        about = frame.metadataColumn("_metadata")
        # the path is a URL, in which + stands for itself
        path = F.url_decode(F.replace(about.getField("file_path"), F.lit("+"), F.lit("%2B")))
        self._path = F.regexp_replace(F.regexp_replace(path, SCHEME, ""), "^/+", "/")
        self._part = F.substring(self._path, len(below_scheme(root)) + 2, 1 << 30)
        self._file, self._line = self._part, about.getField("row_index") + F.lit(1).cast("bigint")
        if placed:
            source, line = (self._text(name) for name in _PLACE)
            self._file, self._line = source, line.cast("bigint")

    def source(self, columns: Mapping[str, Sequence[str]]) -> DataFrame:
        """Return `source_rows`."""
        chosen = [self._first(theirs).alias(ours) for ours, theirs in columns.items()]
        return self._frame.select(*chosen, *self._place(), self._part.alias("part"))

    def raw(self, row: Sequence[str]) -> DataFrame:
        """Return `raw_rows`."""
        line = F.concat_ws(",", *(self._csv_field(name) for name in row)) if row else F.lit("")
        return self._frame.select(*self._place(), line.alias("row"))

    def _place(self) -> list[Column]:
        return [self._file.alias("file"), self._line.alias("line")]

    def _first(self, names: Sequence[str]) -> Column:
        """Return the first text that is not empty."""
        texts = [self._text(name) for name in names]
        if len(texts) < 2:
            return texts[0] if texts else F.lit(None).cast("string")
        return F.coalesce(*(F.nullif(text, F.lit("")) for text in texts))

    def _text(self, name: str) -> Column:
        if name.lower() in self._group.folders:
            return self._folder(name)
        field = self._group.fields.get(name.lower())
        if field is None or pa.types.is_null(field.type):
            return F.lit(None).cast("string")
        value, (wanted, zone) = F.col(f"`{field.name.replace('`', '``')}`"), self._types[name.lower()]
        kind = _plain(field.type)
        if kind == wanted and any(same(kind) for same in _SAME):
            return value.cast("string")
        return _written(kind, wanted, zone)(value)

    def _folder(self, name: str) -> Column:
        """Return the value of the folder ``name=value`` above the file."""
        value = F.regexp_extract(self._path, rf"(?i)/{re.escape(name)}=([^/]*)/", 1)
        decoded = F.url_decode(F.replace(value, F.lit("+"), F.lit("%2B")))
        return F.nullif(decoded, F.lit(_NONE))

    def _csv_field(self, name: str) -> Column:
        """Return a column's text as a field of a CSV line, quoted where needed."""
        text = F.coalesce(self._text(name), F.lit(""))
        quoted = F.concat(F.lit('"'), F.replace(text, F.lit('"'), F.lit('""')), F.lit('"'))
        return F.when(text.rlike('[",\r\n]'), quoted).otherwise(text)


def _written(given: pa.DataType, wanted: pa.DataType, zone: str | None) -> Callable[[Column], Column]:
    """Return the function of a column that gives its text as DuckDB writes it."""

    def texts(values: pa.Array) -> pa.Array:
        if pa.types.is_timestamp(given) and given.unit == "ns":
            values = values.cast(pa.int64()).cast(given)
        return texts_of(values if pa.types.is_string(wanted) else values.cast(wanted), zone)

    column: Callable[[Column], Column] = F.arrow_udf(texts, "string")
    return column


def _fields(file: Path | str, schema_at: Callable[[str], pa.Schema]) -> dict[str, pa.Field]:
    """Return name in lower case → column of a Parquet file."""
    if str(file).rpartition("/")[2].startswith((".", "_")):
        raise SourceError(f"cannot read '{file}' on Spark, which passes over names that begin with . or _: rename it")
    try:
        schema = schema_at(file) if isinstance(file, str) else pq.read_schema(file)
        return {field.name.lower(): field for field in schema}
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"cannot read '{file}' as parquet: {str(error).splitlines()[0]}") from error


def _folders(file: Path | str) -> set[str]:
    folders = below_scheme(file).split("/")[:-1]
    return {folder.partition("=")[0].lower() for folder in folders if "=" in folder}


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values of a column."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _types(groups: Iterable[Mapping[str, pa.Field]]) -> Types:
    """Return the types that the values of all files are given."""
    found: dict[str, list[pa.DataType]] = {}
    for own in groups:
        for name, field in own.items():
            found.setdefault(name, []).append(_plain(field.type))
    zones = {
        name: next((kind.tz for kind in reversed(kinds) if pa.types.is_timestamp(kind) and kind.tz), None)
        for name, kinds in found.items()
    }
    return {name: (_common(kinds), zones[name]) for name, kinds in found.items()}


def _common(kinds: Sequence[pa.DataType]) -> pa.DataType:
    """Return the type that holds values of all types; text if there is none."""
    times = [kind for kind in kinds if pa.types.is_timestamp(kind)]
    if times and all(pa.types.is_timestamp(kind) or pa.types.is_date(kind) for kind in kinds):
        kinds = times
    try:
        schemas = [pa.schema([("value", kind)]) for kind in kinds]
        return pa.unify_schemas(schemas, promote_options="permissive").field("value").type
    except pa.ArrowException:
        return pa.string()

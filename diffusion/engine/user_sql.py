"""SQL of users: one SELECT over named views, which reads the files of the views and no other, and writes nothing."""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from diffusion.contracts import Contract
from diffusion.engine.duckdb_engine import DuckDBViews, patterns, syntax_tree
from diffusion.errors import SettingError

SQL_TYPES: Final[Mapping[pa.DataType, str]] = {
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.list_(pa.float64()): "DOUBLE[]",
    pa.bool_(): "BOOLEAN",
}
"""Arrow type of a contract → the type of the column in SQL."""

TABLE_FUNCTIONS: Final = frozenset({"generate_series", "range", "repeat", "unnest"})
"""Functions that may stand in FROM: they make rows, and read nothing."""

MEMORY: Final = "1GB"
"""Memory of a query, beyond which it spills to disk."""


@dataclass(frozen=True, slots=True)
class View:
    """A table that SQL may read.

    Attributes
    ----------
    contract
        Columns and their meaning.
    files
        Function that returns its files, Parquet or CSV, after a check that they are what they should be. It is called
        when SQL names the view.
    where
        Condition for the rows of the view, in SQL (default: all rows).
    """

    contract: Contract
    files: Callable[[], Sequence[Path]]
    where: str = ""


@dataclass(frozen=True, slots=True)
class Selected:
    """The rows that a SELECT gives, read once.

    Attributes
    ----------
    schema
        Columns. Whole numbers beyond 64 bits, such as sums, come as 64 bits, and decimals as floating point.
    batches
        Rows.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    def table(self) -> pa.Table:
        """Return all rows that are left."""
        return pa.Table.from_batches(self.batches, self.schema)


@contextmanager
def select_rows(sql: str, views: Mapping[str, View], *, memory_limit: str = MEMORY) -> Iterator[Selected]:
    """Run one SELECT over views in a block, in a database that has nothing but these views.

    Parameters
    ----------
    sql
        One statement in DuckDB's SQL: ``SELECT``, also with ``WITH`` or ``FROM`` first, ``DESCRIBE`` or ``SUMMARIZE``.
    views
        Name → view.
    memory_limit
        Memory that the query may use before it spills to disk (default 1GB).

    Raises
    ------
    SettingError
        When `sql` is not one SELECT, reads a table that is not among the views or a function that reads files, or
        fails; in the block, when it fails on later rows.
    """
    files = {name: list(views[name].files()) for name in named_tables(sql, views)}
    statements = [view_statement(name, views[name], patterns(paths)) for name, paths in files.items()]
    read = [path for paths in files.values() for path in paths]
    with DuckDBViews(statements, read, memory_limit=memory_limit) as database:
        schema, batches = database.select(sql)
        twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if twice:
            raise SettingError(f"two columns of the result are called '{twice[0]}'; name one of them with AS")
        intervals = [field.name for field in schema if pa.types.is_interval(field.type)]
        if intervals:
            raise SettingError(f"the column '{intervals[0]}' of the result is an INTERVAL; CAST it to VARCHAR")
        plain = pa.schema([field.with_type(_plain_type(field.type)) for field in schema])
        yield Selected(plain, _cast(batches, plain))


def named_tables(sql: str, known: Collection[str]) -> list[str]:
    """Return the views among `known` that a SELECT reads, in order of name.

    Raises
    ------
    SettingError
        When it is not one SELECT, or it reads anything else.
    """
    found: set[str] = set()
    own: set[str] = set()
    for node in _nodes(syntax_tree(sql)):
        own |= {pair["key"].lower() for pair in (node.get("cte_map") or {"map": []})["map"]}
        if node.get("type") == "BASE_TABLE":
            parts = (node["catalog_name"], node["schema_name"], node["table_name"])
            found.add(".".join(part for part in parts if part).lower().removeprefix("main."))
        elif node.get("type") == "TABLE_FUNCTION":
            _check_function(node["function"]["function_name"])
        elif node.get("type") == "SHOW_REF" and node["query"] is None:
            raise SettingError("SHOW is not answered here; ask without SQL for the tables, or DESCRIBE one of them")
    for name in sorted(found - own - set(known)):
        raise SettingError(unknown_table(name, known))
    return sorted(found & set(known))


def unknown_table(name: str, known: Collection[str]) -> str:
    """Return the message that there is no table of that name, with the nearest one, or all where none is near."""
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    if near:
        return f"no table '{name}' here; did you mean {' or '.join(map(quoted_text, near))}?"
    return f"no table '{name}' here; there are {', '.join(sorted(known))}"


def view_statement(name: str, view: View, files: Sequence[str]) -> str:
    """Return the statement that creates a view over files, whose names are patterns."""
    contract = view.contract
    columns = ", ".join(map(quoted_name, contract.names))
    listed = ", ".join(map(quoted_text, files))
    reader = f"read_parquet([{listed}], hive_partitioning = false)"
    if files[0].endswith(".csv"):
        types = ", ".join(f"{quoted_text(one.name)}: '{SQL_TYPES[one.type]}'" for one in contract.columns)
        reader = f"read_csv([{listed}], header = true, auto_detect = false, columns = {{{types}}})"
    condition = f" WHERE {view.where}" if view.where else ""
    return f"CREATE OR REPLACE VIEW {quoted_name(name)} AS\nSELECT {columns}\nFROM {reader}{condition};"


def quoted_name(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of a tree in JSON."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            yield node
            left += node.values()
        elif isinstance(node, list):
            left += node


def _check_function(name: str) -> None:
    if name.lower() not in TABLE_FUNCTIONS:
        raise SettingError(
            f"{name}(…) is refused: the SQL reads its tables alone; in FROM may also stand "
            f"{', '.join(sorted(TABLE_FUNCTIONS))}"
        )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column comes with: decimals are what DuckDB gives for sums of whole numbers."""
    if not pa.types.is_decimal(kind):
        return kind
    return pa.float64() if kind.scale else pa.int64()


def _cast(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    try:
        for batch in batches:
            yield batch.cast(schema)
    except pa.ArrowInvalid as error:
        raise SettingError(f"a number of the result does not fit 64 bits ({error}); CAST it to DOUBLE") from error

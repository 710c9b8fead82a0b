"""The one door to the query engine: runs the named relations of ``sql/`` and nothing else.

Relations are plain SELECTs over named tables; values are bound, never written into the text.
"""

import csv
import io
import re
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import duckdb
import pyarrow as pa

from diffusion.errors import OutputError, SourceError
from diffusion.schema import RELATIONS

FileKind = Literal["csv", "parquet"]

MEMORY_LIMIT = "1GB"
HEADER_BYTES = 65_536
_GLOB_SIGN = re.compile(r"([\[*?])")
_PARAMETER = re.compile(r"\$([a-z_]+)")
_CONTRACTS = {contract.name: contract for contract in RELATIONS}


@cache
def relation_sql(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return resources.files("diffusion").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


class Engine:
    """A private DuckDB database that spills to disk, gone when closed.

    Parameters
    ----------
    memory_limit
        What the engine may hold in memory before it spills, in DuckDB's notation (default 1GB).
    """

    def __init__(self, *, memory_limit: str = MEMORY_LIMIT) -> None:
        home = Path(tempfile.mkdtemp(prefix="chart-diffusion-"))
        self._remove = weakref.finalize(self, shutil.rmtree, home, ignore_errors=True)
        self._connection = duckdb.connect(
            home / "engine.duckdb",
            config={
                "memory_limit": memory_limit,
                "temp_directory": str(home / "spill"),
                "preserve_insertion_order": False,
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
            },
        )
        self._connection.execute("SET enable_progress_bar = false")
        self._connection.execute("SET TimeZone = 'UTC'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the database and its files."""
        self._connection.close()
        self._remove()

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable by relations as `name`."""
        self._connection.register(name, table)

    def create(self, name: str, **parameters: object) -> None:
        """Run relation `name` and keep its rows in the engine, as a table of that name."""
        sql, values = _bound(name, parameters)
        with _room():
            self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}", values)

    def view(self, name: str) -> None:
        """Make relation `name`, which takes no parameters, readable by other relations without keeping its rows."""
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS {relation_sql(name)}")

    def fetch(self, name: str, **parameters: object) -> pa.Table:
        """Run relation `name` and return its rows, held to its contract and in order of its key."""
        contract = _CONTRACTS[name]
        sql, values = _bound(name, parameters)
        with _room():
            rows = self._connection.sql(sql, params=values)
            table = rows.order(", ".join(contract.key)).to_arrow_reader().read_all()
        return contract.conform(table)

    def open_files(
        self, files: Sequence[Path], kind: FileKind, columns: Mapping[str, str | None], *, partitioned: bool = False
    ) -> None:
        """Make the files' rows readable as `source_rows`: text columns, named and chosen by `columns`.

        Parameters
        ----------
        files
            Files of one kind and layout.
        kind
            ``csv`` is read once into the engine; ``parquet`` is read where it lies.
        columns
            Our name of a column → its name in the files, or None where they have no such column.
        partitioned
            Whether folders of the form ``name=value`` above a file are columns too.

        Raises
        ------
        SourceError
            When a file is not what its name says.
        """
        chosen = [
            (duckdb.ColumnExpression(theirs) if theirs else duckdb.ConstantExpression(None)).cast("VARCHAR").alias(ours)
            for ours, theirs in columns.items()
        ]
        try:
            if kind == "parquet":
                self._scan(files, kind, partitioned).project(*chosen).create_view("source_rows")
                return
            # lines are rejected by name and not by place only among files with one header
            first, *others = (self._scan(alike, kind, partitioned).project(*chosen) for alike in self._by_header(files))
            first.create("source_rows")
            for rows in others:
                rows.insert_into("source_rows")
        except duckdb.Error as error:
            raise SourceError(f"cannot read {_listed(files)} as {kind}: {_first_line(error)}") from error

    def _by_header(self, files: Sequence[Path]) -> list[list[Path]]:
        groups: dict[tuple[str, ...], list[Path]] = {}
        for file in files:
            groups.setdefault(tuple(self.columns_of(file, "csv")), []).append(file)
        return list(groups.values())

    def columns_of(self, file: Path, kind: FileKind, *, partitioned: bool = False) -> list[str]:
        """Return the column names of one file, and of the folders above it where they are `partitioned`.

        Raises
        ------
        SourceError
            When the file is not what its name says.
        """
        try:
            return list(self._scan([file], kind, partitioned).columns)
        except duckdb.Error as error:
            raise SourceError(f"cannot read '{file}' as {kind}: {_first_line(error)}") from error

    def _scan(self, files: Sequence[Path], kind: FileKind, partitioned: bool) -> duckdb.DuckDBPyRelation:
        names = [_GLOB_SIGN.sub(r"[\1]", str(file)) for file in files]  # a file name is no pattern
        if kind == "parquet":
            sql = """
                SELECT * FROM read_parquet(
                    $files, hive_partitioning = $partitioned, hive_types_autocast = false, union_by_name = true)
            """
            return self._connection.sql(sql, params={"files": names, "partitioned": partitioned})
        sql = """
            SELECT * FROM read_csv(
                $files, columns = $columns, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
                nullstr = '', hive_partitioning = $partitioned, hive_types_autocast = false, store_rejects = true)
        """
        columns = dict.fromkeys(_csv_header(files[0]), "VARCHAR")
        return self._connection.sql(sql, params={"files": names, "partitioned": partitioned, "columns": columns})

    def rejected_lines(self) -> dict[str, int]:
        """Return why lines of the CSV files could not be read as rows, and how many."""
        records = self._connection.execute(
            """
            SELECT s.file_path, e.line_byte_position, MAX(e.csv_line), BOOL_OR(e.error_type = 'INVALID ENCODING')
            FROM reject_errors AS e JOIN reject_scans AS s ON s.scan_id = e.scan_id AND s.file_id = e.file_id
            GROUP BY s.file_path, e.line_byte_position
            """
        ).fetchall()
        lines: Counter[str] = Counter()
        for _, _, text, not_utf8 in records:
            reason = "line that is not UTF-8" if not_utf8 else "line that does not split into the header's columns"
            lines[reason] += str(text).strip("\r\n").count("\n") + 1
        return dict(lines)


@contextmanager
def _room() -> Iterator[None]:
    """Say in one line when the engine runs out of memory or disk."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.TransactionException) as error:
        raise OutputError(
            f"the engine ran out of room in '{tempfile.gettempdir()}' or in memory: {_first_line(error)}; "
            "free some, or name another place in TMPDIR"
        ) from error


def _bound(name: str, parameters: Mapping[str, object]) -> tuple[str, dict[str, object] | None]:
    """Return the text of a relation and its parameters, which must be exactly those it names."""
    sql = relation_sql(name)
    if (wanted := set(_PARAMETER.findall(sql))) != set(parameters):
        raise TypeError(f"the relation '{name}' takes {sorted(wanted)}, not {sorted(parameters)}")
    return sql, dict(parameters) or None


def _csv_header(file: Path) -> list[str]:
    """Return the column names in the first record of a CSV file.

    The engine is told the columns and guesses nothing: a guess can depend on a damaged row.
    """
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            text = stream.read(HEADER_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise SourceError(f"cannot read '{file}' as csv: {_first_line(error)}") from error
    header = next(csv.reader(io.StringIO(text, newline="")), [])
    if not any(header):
        what = "begins with a blank line" if text.strip() else "is empty"
        raise SourceError(f"'{file}' {what}: its first line must name the columns")
    if len(header) == 1 and (sign := next((sign for sign in ";\t|" if sign in header[0]), None)):
        raise SourceError(
            f"the fields of '{file}' are separated by {sign!r}; only commas are read, so convert it first"
        )
    if "\N{REPLACEMENT CHARACTER}" in "".join(header) or "\0" in "".join(header):
        raise SourceError(f"'{file}' is not UTF-8 text; convert it first (iconv -t UTF-8)")
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise SourceError(f"'{file}' has two columns called '{twice}'")
    return header


def _listed(files: Sequence[Path]) -> str:
    return f"'{files[0]}'" if len(files) == 1 else f"'{files[0]}' and {len(files) - 1} more"


def _first_line(error: Exception) -> str:
    if "state machine" in str(error):
        return (
            "some lines end in CRLF and some in LF, or a quote is out of place; write it anew with one kind of line end"
        )
    return str(error).strip().splitlines()[0]

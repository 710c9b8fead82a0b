"""DuckDB: the engine that runs the relations of ``sql/`` in this process, and the views that users' SQL may read."""

import json
import re
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion.contracts import RELATIONS
from diffusion.engine.duckdb_text import csv_field, first_text, time_zones
from diffusion.engine.interruption import OPEN
from diffusion.engine.relations import bind, relation_sql
from diffusion.engine.temporary import DATABASE, SCRATCH, SPILL, TemporaryFolder
from diffusion.errors import OutputError, SettingError, SourceError

ROW_GROUP = 122_880
"""Rows per row group of a Parquet file."""

PART = "part-00000.parquet"
"""Name of the first file of a table of several files."""

_FILE, _ROW = "chart_diffusion_file", "chart_diffusion_row"
"""Columns that `_TEXT` adds; files have columns called ``filename``."""

_TABLE = "FROM read_parquet($files, hive_partitioning = false, union_by_name = true)"
_TEXT = """
    SELECT *, file_row_number AS chart_diffusion_row FROM read_parquet(
        $files, hive_partitioning = $partitioned, hive_types_autocast = false, union_by_name = true,
        filename = 'chart_diffusion_file')
"""

_GLOB_SIGN = re.compile(r"([\[*?])")
_CONTRACTS = {contract.name: contract for contract in RELATIONS}


_CONNECTED: Final = ("SET enable_progress_bar = false", "SET TimeZone = 'UTC'")
_LOCKED: Final = (
    "SET enable_external_access = false",
    "SET lock_configuration = true",
    "BEGIN TRANSACTION READ ONLY",
)


class Database:
    """A temporary DuckDB database that spills to disk and is deleted by `close`.

    Parameters
    ----------
    memory_limit
        Memory that it may use before it spills to disk, in DuckDB's notation.
    config
        Further settings.
    """

    def __init__(self, *, memory_limit: str, config: Mapping[str, Any]) -> None:
        home = TemporaryFolder()
        self._home = home.place
        self._remove = weakref.finalize(self, home.remove)
        self._connection = duckdb.connect(
            home.place / DATABASE,
            config={
                "memory_limit": memory_limit,
                "temp_directory": str(home.place / SPILL),
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                **config,
            },
        )
        for statement in _CONNECTED:
            self._connection.execute(statement)
        self._interrupted = False
        OPEN[id(self)] = self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Delete the database and its files."""
        OPEN.pop(id(self), None)
        self._connection.close()
        self._remove()

    def interrupt(self) -> None:
        """End what the database is doing with an error; nothing happens if it does nothing. Any thread may call it."""
        self._interrupted = True
        with suppress(duckdb.Error):  # closed meanwhile
            self._connection.interrupt()


class DuckDBViews(Database):
    """A database for the SQL of users: it has views alone, reads their files and no other, and writes nothing.

    Parameters
    ----------
    statements
        Statements that create the views.
    files
        Files that the views read.
    memory_limit
        As in `Database`.
    """

    def __init__(self, statements: Sequence[str], files: Sequence[Path], *, memory_limit: str) -> None:
        closed = {"autoload_known_extensions": False, "allow_community_extensions": False}
        super().__init__(memory_limit=memory_limit, config=closed)
        # the names of files are compared with the paths, and with the patterns that stand for them
        allowed = [str(file) for file in files] + patterns(files)
        try:
            self._connection.execute("SET allowed_paths = $allowed", {"allowed": allowed})
            with self._reported():
                for statement in (*statements, *_LOCKED):
                    self._connection.execute(statement)
        except BaseException:
            self.close()
            raise

    def select(self, sql: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Run a SELECT, and return its columns and its rows.

        Raises
        ------
        SettingError
            When it fails, also while the rows are read.
        """
        with self._reported():
            reader = self._connection.sql(sql).to_arrow_reader()
        return reader.schema, self._batches(reader)

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        while True:
            with self._reported():
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
            yield batch

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Raise errors of the SQL as one line; Arrow gives those that come while rows are read as errors of its own."""
        try:
            yield
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            if self._interrupted or isinstance(error, duckdb.InterruptException):
                raise
            raise SettingError(f"the SQL fails: {_told(error)}") from error


def syntax_tree(sql: str) -> dict[str, Any]:
    """Return the syntax tree of one SELECT, as DuckDB gives it.

    Raises
    ------
    SettingError
        When the text is no SQL, or not one SELECT.
    """
    with duckdb.connect() as connection:
        try:
            sql.encode()  # half characters, which DuckDB does not take
            statements = connection.extract_statements(sql)
        except (duckdb.Error, UnicodeEncodeError) as error:
            raise SettingError(f"the SQL cannot be read: {_told(error)}") from error
        if len(statements) != 1:
            raise SettingError(f"the SQL has {len(statements)} statements; give one SELECT")
        if statements[0].type == duckdb.StatementType.MULTI:
            raise SettingError("PIVOT without the values of its columns is not allowed; give them: ON … IN (…)")
        if statements[0].type != duckdb.StatementType.SELECT:
            raise SettingError(f"the SQL is {statements[0].type.name}; tables are read only: give one SELECT")
        (text,) = connection.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchall()[0]
    try:
        tree: dict[str, Any] = json.loads(text)
    except RecursionError as error:
        raise SettingError("the SQL is nested too deeply") from error
    if tree["error"]:
        raise SettingError(f"the SQL cannot be read: {tree['error_message']}")
    return tree


class DuckDBEngine(Database):
    """A temporary DuckDB database that runs relations; implements `diffusion.engine.Engine`.

    Parameters
    ----------
    memory_limit
        As in `Database`.
    """

    def __init__(self, *, memory_limit: str) -> None:
        super().__init__(memory_limit=memory_limit, config={"preserve_insertion_order": False})
        self._files: dict[str, Sequence[Path]] = {}

    @property
    def workers(self) -> None:
        """None: sums are made in this process."""

    def scratch(self, name: str) -> Path:
        """Return the path for a file of that name that is deleted by `close`."""
        (self._home / SCRATCH).mkdir(exist_ok=True)
        return self._home / SCRATCH / name

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable by relations as `name`."""
        self._connection.register(name, table)

    def keep(self, name: str, table: pa.Table) -> None:
        """Copy an Arrow table into the engine as `name`, so that the planner knows its size."""
        self.register("_arrow", table)
        with self._reported():
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM _arrow")
        self._connection.unregister("_arrow")

    def keep_table(self, name: str, files: Sequence[Path]) -> None:
        """Copy the rows of Parquet files written by this project into the engine as `name`; they may spill to disk."""
        self.open_table("_file", files)
        with self._reported():
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM _file")

    def add(self, name: str, table: pa.Table) -> None:
        """Add rows to the table `name`; create the table if it does not exist."""
        rows = self._connection.from_arrow(table)
        with self._reported():
            try:
                rows.insert_into(name)
            except duckdb.CatalogException:
                rows.create(name)

    def create(self, name: str, *, into: str | None = None, as_written: bool = False, **parameters: object) -> None:
        """Run relation `name` and store its rows in the engine, as a table called `into` (default: `name`).

        `as_written` disables join-side swapping: DuckDB underestimates the left side after several joins.
        """
        sql, values = bind(name, parameters)
        with self._reported(), self._disabled(["build_side_probe_side"] if as_written else []):
            self._connection.execute(f"DROP TABLE IF EXISTS {into or name}")  # before the new one takes room
            self._connection.execute(f"CREATE TEMP TABLE {into or name} AS {sql}", values)

    def view(self, name: str) -> None:
        """Make relation `name`, which takes no parameters, readable by other relations without storing its rows."""
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {relation_sql(name)}")

    def write(self, name: str, path: Path | str, *, by: str | None = None) -> int:
        """Write the rows of relation `name` to a Parquet file, in order of its key, and return their number.

        The same rows make the same bytes. Columns and types are checked against the contract. `by` names another
        relation that gives the same rows already in that order; it runs without join-side swapping.
        """
        contract = _CONTRACTS[name]
        # the planner's statistics on nulls would decide which columns the file marks as required
        passes = ["statistics_propagation", *(["build_side_probe_side"] if by else [])]
        with self._reported(), self._disabled(passes):
            rows = self._connection.sql(relation_sql(by or name))
            rows = rows if by else rows.order(", ".join(contract.key))
            rows.write_parquet(str(path), compression="zstd", row_group_size=ROW_GROUP)
        written = pq.ParquetFile(path)
        given = [(field.name, field.type) for field in written.schema_arrow]
        if given != [(column.name, column.type) for column in contract.columns]:
            raise ValueError(f"the relation '{name}' gives {given}, not what its contract says")
        return int(written.metadata.num_rows)

    def write_parts(self, name: str, place: Path | str, *, by: str | None = None) -> dict[str, int]:
        """Write the rows of relation `name` into a folder, as one file, and return file → rows; else as `write`."""
        return {PART: self.write(name, Path(place, PART), by=by)}

    @contextmanager
    def _disabled(self, passes: Sequence[str]) -> Iterator[None]:
        """Disable some passes of the query optimiser."""
        self._connection.execute(f"SET disabled_optimizers = '{','.join(passes)}'")
        try:
            yield
        finally:
            self._connection.execute("SET disabled_optimizers = ''")

    def fetch(self, name: str, **parameters: object) -> pa.Table:
        """Run relation `name` and return its rows in order of its key, checked against its contract."""
        contract = _CONTRACTS[name]
        sql, values = bind(name, parameters)
        with self._reported():
            rows = self._connection.sql(sql, params=values)
            table = rows.order(", ".join(contract.key)).to_arrow_reader().read_all()
        return contract.conform(table)

    def kept(self, name: str) -> pa.Table:
        """Return the rows of table `name` in order of its key, checked against the contract of that name."""
        contract = _CONTRACTS[name]
        with self._reported():
            table = self._connection.table(name).order(", ".join(contract.key)).to_arrow_reader().read_all()
        return contract.conform(table)

    def read(self, address: str) -> bytes:
        """Refuse to read what is not on this machine."""
        raise _elsewhere(address)

    def remote(self, address: str) -> NoReturn:
        """Refuse to look for files that are not on this machine."""
        raise _elsewhere(address)

    def open_table(self, name: str, files: Sequence[Path | str]) -> None:
        """Make the rows of Parquet files written by this project readable as `name`, without a copy."""
        paths = [Path(file) for file in files]
        with self._reported(opening=paths):
            self._scan(name, _TABLE, paths).create_view(name)

    def open_text(
        self,
        files: Sequence[Path | str],
        columns: Mapping[str, Sequence[str]],
        *,
        root: Path | str,
        partitioned: bool = False,
        row: Sequence[str] = (),
    ) -> None:
        """Make Parquet files of any columns readable as `source_rows` and `raw_rows`, without a copy."""
        paths = [Path(file) for file in files]
        with self._reported(opening=paths):
            rows = self._scan("source_rows", _TEXT, paths, partitioned=partitioned)
            below = duckdb.ConstantExpression(len(str(paths[0])) - len(paths[0].relative_to(root).as_posix()) + 1)
            part = duckdb.FunctionExpression("substr", duckdb.ColumnExpression(_FILE), below)
            file, line = part, duckdb.ColumnExpression(_ROW).cast("BIGINT") + duckdb.ConstantExpression(1)
            if {"source_file", "source_line"} <= set(rows.columns):
                file, line = (
                    duckdb.ColumnExpression("source_file"),
                    duckdb.ColumnExpression("source_line").cast("BIGINT"),
                )
            place = (file.alias("file"), line.alias("line"))
            zones = time_zones(rows, paths)
            chosen = [first_text(theirs, zones).alias(ours) for ours, theirs in columns.items()]
            fields = [csv_field(name, zones) for name in row] or [duckdb.ConstantExpression("")]
            line_of_csv = duckdb.FunctionExpression("concat_ws", duckdb.ConstantExpression(","), *fields)
            rows.project(*chosen, *place, part.alias("part")).create_view("source_rows")
            rows.project(*place, line_of_csv.alias("row")).create_view("raw_rows")

    def _scan(self, name: str, sql: str, files: Sequence[Path], **values: object) -> duckdb.DuckDBPyRelation:
        """Return the rows of Parquet files for the view `name`."""
        self._files[name] = files
        return self._connection.sql(sql, params={"files": patterns(files), **values})

    @contextmanager
    def _reported(self, *, opening: Sequence[Path] = ()) -> Iterator[None]:
        """Raise errors of damaged files, memory and disk as one clear line.

        Raises
        ------
        SourceError
            When a Parquet file that the engine reads is damaged, or the files `opening` cannot be read together.
        OutputError
            When the engine runs out of memory or disk space.
        """
        try:
            yield
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            for file in opening or sorted({file for files in self._files.values() for file in files}):
                if why := _damage(file):
                    raise SourceError(f"cannot read '{file}' as parquet: {why}") from error
            if opening:
                raise SourceError(f"cannot read {_listed(opening)} as parquet: {_first_line(error)}") from error
            if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException | duckdb.TransactionException):
                raise OutputError(
                    f"the engine ran out of disk space in '{tempfile.gettempdir()}' or of memory: "
                    f"{_first_line(error)}; free some, or name another folder in TMPDIR"
                ) from error
            raise


def _elsewhere(address: str) -> SettingError:
    return SettingError(f"'{address}' is not on this machine; Spark reads addresses: --engine spark")


def _damage(file: Path) -> str | None:
    """Return why a Parquet file cannot be read to its end, None if it can."""
    with duckdb.connect() as connection:
        try:
            connection.execute("SELECT max(hash(t)) FROM read_parquet($files) t", {"files": patterns([file])})
        except duckdb.OutOfMemoryException:
            return None
        except duckdb.Error as error:
            return _first_line(error)
    return None


def patterns(files: Sequence[Path]) -> list[str]:
    """Return patterns that match the files and nothing else."""
    return [_GLOB_SIGN.sub(r"[\1]", str(file)) for file in files]


def _told(error: Exception) -> str:
    """Return what an error of SQL says without the lines that repeat the SQL."""
    said = str(error).strip().split("\n\nLINE ")[0]
    return " ".join(said.split())


def _listed(files: Sequence[Path]) -> str:
    return f"'{files[0]}'" if len(files) == 1 else f"'{files[0]}' and {len(files) - 1} more"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]

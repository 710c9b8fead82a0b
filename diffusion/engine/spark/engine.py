"""Apache Spark: the engine that runs the relations of ``sql/`` on a cluster."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.utils import is_remote

from diffusion.contracts import RELATIONS
from diffusion.engine.interruption import OPEN
from diffusion.engine.parts import Workers
from diffusion.engine.relations import bind, relation_sql
from diffusion.engine.spark.arrow_tables import AddedRows, kept, release, spark_table
from diffusion.engine.spark.failures import SPARK_ERRORS, reported
from diffusion.engine.spark.locations import file_content, read_files
from diffusion.engine.spark.remote_files import SparkFiles
from diffusion.engine.spark.text_files import text_rows
from diffusion.engine.spark.translation import spark_sql
from diffusion.engine.spark.writing import check_columns, write_file, write_parts
from diffusion.engine.temporary import SCRATCH, TemporaryFolder

_CONTRACTS: Final = {contract.name: contract for contract in RELATIONS}


class SparkEngine:
    """Tables of a Spark session that relations run over; implements `diffusion.engine.Engine`.

    Parameters
    ----------
    session
        Session of this engine alone.
    workers
        Its executors, for sums over tracks.
    """

    def __init__(self, session: SparkSession, workers: Workers) -> None:
        self._session = session
        self.workers = workers
        self._added: dict[str, AddedRows] = {}
        self._named: dict[str, DataFrame] = {}  # held: Spark Connect frees what nobody here holds
        self._schemas: dict[str, pa.Schema] = {}
        self._home = TemporaryFolder()
        (self._home.place / SCRATCH).mkdir()
        OPEN[id(self)] = self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the engine's tables, of which the executors then keep nothing, and its files."""
        OPEN.pop(id(self), None)
        self._home.remove()
        with suppress(*SPARK_ERRORS, OSError):  # Spark ended meanwhile
            if is_remote():
                release(self._session.client)
            else:
                for name in self._named:
                    self._session.catalog.dropTempView(name)
        self._added.clear()
        self._named.clear()

    def interrupt(self) -> None:
        """End what the engine is doing with an error; nothing happens if it does nothing. Any thread may call it."""
        with suppress(*SPARK_ERRORS):  # it ended meanwhile
            self._session.interruptAll()

    def scratch(self, name: str) -> Path:
        """Return the path for a file of that name that is deleted by `close`."""
        return self._home.place / SCRATCH / name

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable by relations as `name`."""
        with reported():
            self._name(name, spark_table(self._session, table))

    def keep(self, name: str, table: pa.Table) -> None:
        """Copy an Arrow table into the engine as `name`."""
        self.register(name, table)

    def read(self, address: str) -> bytes:
        """Return the content of a small file at an address."""
        with reported(opening=[address]):
            return file_content(self._session, address)

    def remote(self, address: str) -> SparkFiles:
        """Return the files below an address."""
        return SparkFiles(self._session, address)

    def open_table(self, name: str, files: Sequence[Path | str]) -> None:
        """Make the rows of Parquet files written by this project readable as `name`, without a copy."""
        with reported(opening=files):
            self._name(name, read_files(self._session, files))

    def keep_table(self, name: str, files: Sequence[Path]) -> None:
        """Copy the rows of Parquet files written by this project into the engine as `name`."""
        with reported(opening=files):
            self._store(name, read_files(self._session, files))

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
        with reported(opening=files):
            source, raw = text_rows(
                self._session,
                files,
                columns,
                root=root,
                partitioned=partitioned,
                row=row,
                schema_at=self._schema_at,
            )
            self._name("source_rows", source)
            self._name("raw_rows", raw)

    def add(self, name: str, table: pa.Table) -> None:
        """Add rows to the table `name`; create the table if it does not exist."""
        with reported():
            if name not in self._added:
                self._added[name] = AddedRows(self._session, self._named.get(name))
            self._added[name].add(table)

    def create(self, name: str, *, into: str | None = None, as_written: bool = False, **parameters: object) -> None:
        """Run relation `name` and store its rows in the engine, as a table called `into` (default: `name`).

        `as_written` changes nothing: Spark chooses the sides of a join by their sizes while it runs.
        """
        with reported():
            self._store(into or name, self.frame(name, **parameters))

    def view(self, name: str) -> None:
        """Make relation `name`, which takes no parameters, readable by other relations without storing its rows."""
        with reported():
            self._name_added()
            # a view of SQL, not of a frame: what it reads may be given again
            self._session.sql(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {spark_sql(relation_sql(name))}")
            self._named[name] = self._session.table(name)

    def write(self, name: str, path: Path | str, *, by: str | None = None) -> int:
        """Write the rows of relation `name` to a Parquet file, in order of its key, and return their number."""
        with reported():
            if isinstance(path, str):
                folder, _, file = path.rpartition("/")
                return self.remote(folder).write_file(self._checked(name, by), file)
            return write_file(self._sorted(name, by), _CONTRACTS[name], path)

    def write_parts(self, name: str, place: Path | str, *, by: str | None = None) -> dict[str, int]:
        """Write the rows of relation `name` as Parquet files into a folder, and return file → rows."""
        with reported():
            if isinstance(place, str):
                return self.remote(place).write_parts(self._checked(name, by))
            return write_parts(self._sorted(name, by), _CONTRACTS[name], place)

    def _checked(self, name: str, by: str | None) -> DataFrame:
        """Return the rows of relation `name` in order of its key, checked against its contract."""
        rows = self._sorted(name, by)
        check_columns(rows, _CONTRACTS[name])
        return rows

    def _schema_at(self, address: str) -> pa.Schema:
        """Return the columns of a Parquet file at an address, which is looked at once."""
        if address not in self._schemas:
            folder, _, file = address.rpartition("/")
            self._schemas[address] = self.remote(folder).schema(file)
        return self._schemas[address]

    def _sorted(self, name: str, by: str | None) -> DataFrame:
        """Return the rows of relation `name` in order of its key, as relation `by` gives them if there is one."""
        return self.frame(by) if by else _ordered(name, self.frame(name))

    def fetch(self, name: str, **parameters: object) -> pa.Table:
        """Run relation `name` and return its rows in order of its key, checked against its contract."""
        with reported():
            return _collected(name, self.frame(name, **parameters))

    def kept(self, name: str) -> pa.Table:
        """Return the rows of table `name` in order of its key, checked against the contract of that name."""
        with reported():
            self._name_added()
            return _collected(name, self._session.table(name))

    def frame(self, name: str, **parameters: object) -> DataFrame:
        """Return relation `name` over the tables that there are now; nothing runs yet."""
        sql, values = bind(name, parameters)
        self._name_added()
        return self._session.sql(spark_sql(sql), args=values)

    def _store(self, name: str, rows: DataFrame) -> None:
        """Run a query now and keep its rows as `name`."""
        self._name(name, kept(self._session, rows))

    def _name(self, name: str, rows: DataFrame) -> None:
        """Give rows a name, in place of those that had it."""
        self._added.pop(name, None)
        self._named[name] = rows
        rows.createOrReplaceTempView(name)

    def _name_added(self) -> None:
        """Let relations read the rows that were added since."""
        for name, rows in self._added.items():
            self._named[name] = rows.frame()
            self._named[name].createOrReplaceTempView(name)


def _ordered(name: str, rows: DataFrame) -> DataFrame:
    """Return rows in order of the key of relation `name`."""
    return rows.orderBy(*(F.asc_nulls_last(column) for column in _CONTRACTS[name].key))


def _collected(name: str, rows: DataFrame) -> pa.Table:
    """Return rows in order of the key of relation `name`, checked against its contract."""
    contract = _CONTRACTS[name]
    return contract.conform((_ordered(name, rows) if contract.key else rows).toArrow())

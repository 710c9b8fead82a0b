"""Apache Spark: the engine that runs the relations of ``sql/`` on a cluster."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.storagelevel import StorageLevel

from diffusion.contracts import RELATIONS
from diffusion.engine.interruption import OPEN
from diffusion.engine.parts import Workers
from diffusion.engine.relations import bind, relation_sql
from diffusion.engine.spark.arrow_tables import AddedRows, spark_table
from diffusion.engine.spark.failures import SPARK_ERRORS, reported
from diffusion.engine.spark.translation import spark_sql
from diffusion.engine.temporary import SCRATCH, TemporaryFolder

_CONTRACTS: Final = {contract.name: contract for contract in RELATIONS}

_GLOB_SIGN: Final = re.compile(r"([\[\]{}*?\\])")


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
        self._kept: dict[str, DataFrame] = {}
        self._interrupted = False
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
        """Free what the executors keep, and the engine's files."""
        OPEN.pop(id(self), None)
        self._home.remove()
        self._added.clear()
        for name in list(self._kept):
            self._forget(name)

    def interrupt(self) -> None:
        """End what the engine is doing with an error; nothing happens if it does nothing. Any thread may call it."""
        self._interrupted = True
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

    def open_table(self, name: str, files: Sequence[Path]) -> None:
        """Make the rows of Parquet files written by this project readable as `name`, without a copy."""
        with reported(opening=files):
            self._name(name, self._session.read.parquet(*map(location, files)))

    def keep_table(self, name: str, files: Sequence[Path]) -> None:
        """Copy the rows of Parquet files written by this project into the engine as `name`."""
        with reported(opening=files):
            self._store(name, self._session.read.parquet(*map(location, files)))

    def add(self, name: str, table: pa.Table) -> None:
        """Add rows to the table `name`; create the table if it does not exist."""
        with reported():
            if name not in self._added:
                there = self._session.catalog.tableExists(name)
                self._added[name] = AddedRows(self._session, self._session.table(name) if there else None)
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

    def fetch(self, name: str, **parameters: object) -> pa.Table:
        """Run relation `name` and return its rows in order of its key, checked against its contract."""
        with reported():
            return self._collected(name, self.frame(name, **parameters))

    def kept(self, name: str) -> pa.Table:
        """Return the rows of table `name` in order of its key, checked against the contract of that name."""
        with reported():
            self._name_added()
            return self._collected(name, self._session.table(name))

    def frame(self, name: str, **parameters: object) -> DataFrame:
        """Return relation `name` over the tables that there are now; nothing runs yet."""
        sql, values = bind(name, parameters)
        self._name_added()
        return self._session.sql(spark_sql(sql), args=values)

    def _collected(self, name: str, rows: DataFrame) -> pa.Table:
        contract = _CONTRACTS[name]
        if contract.key:
            rows = rows.orderBy(*(f.asc_nulls_last(column) for column in contract.key))
        return contract.conform(rows.toArrow())

    def _store(self, name: str, rows: DataFrame) -> None:
        """Run a query now and keep its rows on the executors, on disk where memory is short."""
        rows = rows.persist(StorageLevel.MEMORY_AND_DISK)
        rows.count()
        self._name(name, rows)
        self._kept[name] = rows

    def _name(self, name: str, rows: DataFrame) -> None:
        """Give rows a name, in place of those that had it."""
        self._added.pop(name, None)
        rows.createOrReplaceTempView(name)
        self._forget(name)

    def _name_added(self) -> None:
        """Let relations read the rows that were added since."""
        for name, rows in self._added.items():
            rows.frame().createOrReplaceTempView(name)

    def _forget(self, name: str) -> None:
        """Free the rows that are kept under a name; after an interrupt Spark does it when it ends."""
        if (rows := self._kept.pop(name, None)) is not None and not self._interrupted:
            with suppress(*SPARK_ERRORS):  # Spark ended meanwhile
                rows.unpersist()


def location(file: Path) -> str:
    """Return the address of a file of this machine, in which Spark finds no pattern."""
    return _GLOB_SIGN.sub(r"\\\1", f"file://{file.resolve()}")

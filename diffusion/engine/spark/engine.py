"""Apache Spark: the engine that runs the relations of ``sql/`` on a cluster."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.storagelevel import StorageLevel

from diffusion.contracts import RELATIONS
from diffusion.engine.parts import Workers
from diffusion.engine.relations import bind, relation_sql
from diffusion.engine.spark.locations import file_content, read_files
from diffusion.engine.spark.text_files import text_rows
from diffusion.engine.spark.translation import spark_sql
from diffusion.engine.spark.writing import write_file, write_parts
from diffusion.engine.temporary import SCRATCH, TemporaryFolder

_CONTRACTS: Final = {contract.name: contract for contract in RELATIONS}

SETTINGS: Final[Mapping[str, str]] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
}
"""Settings of the engine's own session that the meaning of relations depends on."""


class SparkEngine:
    """Tables of one Spark session of its own that relations run over; implements `diffusion.engine.Engine`.

    Parameters
    ----------
    session
        Session whose cluster is used; what it holds stays as it is.
    workers
        Its executors, for sums over tracks.
    """

    def __init__(self, session: SparkSession, workers: Workers) -> None:
        self._session = session.newSession()
        for name, value in SETTINGS.items():
            self._session.conf.set(name, value)
        self.workers = workers
        self._kept: dict[str, DataFrame] = {}
        self._home = TemporaryFolder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free what the executors keep, and the engine's files."""
        for frame in self._kept.values():
            frame.unpersist()
        self._kept.clear()
        self._home.remove()

    def scratch(self, name: str) -> Path:
        """Return the path for a file of that name that is deleted by `close`."""
        (self._home.place / SCRATCH).mkdir(exist_ok=True)
        return self._home.place / SCRATCH / name

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable by relations as `name`."""
        self._session.createDataFrame(table).createOrReplaceTempView(name)

    def keep(self, name: str, table: pa.Table) -> None:
        """Copy an Arrow table into the engine as `name`."""
        self.register(name, table)

    def read(self, address: str) -> bytes:
        """Return the content of a small file at an address."""
        return file_content(self._session, address)

    def open_table(self, name: str, files: Sequence[Path | str]) -> None:
        """Make the rows of Parquet files written by this project readable as `name`, without a copy."""
        read_files(self._session, files).createOrReplaceTempView(name)

    def keep_table(self, name: str, files: Sequence[Path]) -> None:
        """Copy the rows of Parquet files written by this project into the engine as `name`."""
        self.open_table(name, files)

    def open_text(
        self,
        files: Sequence[Path],
        columns: Mapping[str, Sequence[str]],
        *,
        root: Path,
        partitioned: bool = False,
        row: Sequence[str] = (),
    ) -> None:
        """Make Parquet files of any columns readable as `source_rows` and `raw_rows`, without a copy."""
        source, raw = text_rows(self._session, files, columns, root=root, partitioned=partitioned, row=row)
        source.createOrReplaceTempView("source_rows")
        raw.createOrReplaceTempView("raw_rows")

    def add(self, name: str, table: pa.Table) -> None:
        """Add rows to the table `name`; create the table if it does not exist."""
        rows = self._session.createDataFrame(table)
        if self._session.catalog.tableExists(name):
            rows = self._session.table(name).unionByName(rows)
        rows.createOrReplaceTempView(name)

    def create(self, name: str, *, into: str | None = None, as_written: bool = False, **parameters: object) -> None:
        """Run relation `name` and store its rows in the engine, as a table called `into` (default: `name`)."""
        # rows without the plan that made them: plans that hold the plans of all tables before take minutes to analyse
        frame = self._run(name, parameters).localCheckpoint(eager=True, storageLevel=StorageLevel.MEMORY_AND_DISK)
        self._kept[into or name] = frame
        frame.createOrReplaceTempView(into or name)

    def view(self, name: str) -> None:
        """Make relation `name`, which takes no parameters, readable by other relations without storing its rows."""
        # a view of SQL, not of a frame: what it reads may be opened again with other files
        self._session.sql(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {spark_sql(relation_sql(name))}")

    def write(self, name: str, path: Path, *, by: str | None = None) -> int:
        """Write the rows of relation `name` to a Parquet file, in order of its key, and return their number."""
        return write_file(self._sorted(name, by), _CONTRACTS[name], path)

    def write_parts(self, name: str, place: Path, *, by: str | None = None) -> dict[str, int]:
        """Write the rows of relation `name` as Parquet files into a folder, and return file → rows."""
        return write_parts(self._sorted(name, by), _CONTRACTS[name], place)

    def _sorted(self, name: str, by: str | None) -> DataFrame:
        """Return the rows of relation `name` in order of its key, as relation `by` gives them if there is one."""
        return self._run(by, {}) if by else self._run(name, {}).orderBy(*_CONTRACTS[name].key)

    def fetch(self, name: str, **parameters: object) -> pa.Table:
        """Run relation `name` and return its rows in order of its key, checked against its contract."""
        contract = _CONTRACTS[name]
        return contract.conform(self._run(name, parameters).orderBy(*contract.key).toArrow())

    def kept(self, name: str) -> pa.Table:
        """Return the rows of table `name` in order of its key, checked against the contract of that name."""
        contract = _CONTRACTS[name]
        return contract.conform(self._session.table(name).orderBy(*contract.key).toArrow())

    def _run(self, name: str, parameters: Mapping[str, object]) -> DataFrame:
        sql, values = bind(name, parameters)
        return self._session.sql(spark_sql(sql), args=values)

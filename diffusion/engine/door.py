"""The interface of an engine, and the one place that chooses the default engine."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

import pyarrow as pa

from diffusion.engine.duckdb_engine import DuckDBEngine
from diffusion.engine.parts import Workers
from diffusion.engine.remote import RemoteFiles
from diffusion.errors import SettingError

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

_AMOUNT: Final = re.compile(r"\s*(?P<number>\d{1,12}(\.\d{1,12})?)\s*(?P<unit>[KMGT]i?B)\s*", re.ASCII | re.IGNORECASE)
_UNITS: Final = {
    f"{sign}{unit}": base**power
    for unit, base in (("b", 1000), ("ib", 1024))
    for power, sign in enumerate("kmgt", start=1)
}

ENGINES: Final = ("duckdb", "spark")
"""Names of engines, the default first."""

MEMORY_LIMIT: Final = "1GB"
"""Default memory limit of an engine."""


class Engine(Protocol):
    """Runs the relations of ``sql/`` over named tables; closed by `close` or a ``with`` block.

    A table of an engine is a copy (`keep`, `keep_table`, `add`, `create`) or a view of data elsewhere (`register`,
    `open_table`, `open_text`, `view`). A name that is given again refers to the new rows.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def workers(self) -> Workers | None:
        """Processes that make sums over the tracks of entries; None where that is done in this process."""

    def close(self) -> None:
        """Free the engine's memory and files."""

    def scratch(self, name: str) -> Path:
        """Return the path for a file of that name that is deleted when the engine is closed."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable by relations as `name`."""

    def keep(self, name: str, table: pa.Table) -> None:
        """Copy an Arrow table into the engine as `name`."""

    def keep_table(self, name: str, files: Sequence[Path]) -> None:
        """Copy the rows of Parquet files written by this project into the engine as `name`."""

    def add(self, name: str, table: pa.Table) -> None:
        """Add rows to the table `name`; create the table if it does not exist."""

    def open_table(self, name: str, files: Sequence[Path | str]) -> None:
        """Make the rows of Parquet files written by this project readable as `name`, without a copy.

        Files are paths of this machine, or addresses of an engine that has `read` them.

        Raises
        ------
        SourceError
            When a file is not Parquet.
        """

    def read(self, address: str) -> bytes:
        """Return the content of a small file at an address such as ``s3a://bucket/clean/manifest.json``.

        Raises
        ------
        SettingError
            When the engine reads files of this machine alone.
        SourceError
            When the file cannot be read.
        """

    def remote(self, address: str) -> RemoteFiles:
        """Return the files below an address.

        Raises
        ------
        SettingError
            When the engine reaches files of this machine alone, or does not know the scheme.
        """

    def open_text(
        self,
        files: Sequence[Path | str],
        columns: Mapping[str, Sequence[str]],
        *,
        root: Path | str,
        partitioned: bool = False,
        row: Sequence[str] = (),
    ) -> None:
        """Make Parquet files of any columns readable as `source_rows` and `raw_rows`, without a copy.

        `source_rows` has the chosen columns as text; `file` and `line`, the position of the row in the source; and
        `part`, the path of the Parquet file below `root`. File and line are the columns `source_file` and `source_line`
        where the files have them, else the part and the row number. `raw_rows` has `file`, `line` and `row` (CSV).

        Parameters
        ----------
        files
            Parquet files: paths, or addresses below `remote`.
        columns
            Our name of a column → its names in the files. The first value that is not empty is used; a column without
            names is null.
        root
            Folder that `part` is relative to.
        partitioned
            Whether folders of the form ``name=value`` above a file are columns too (default False).
        row
            Columns of the CSV line (default: none).

        Raises
        ------
        SourceError
            When a file is not Parquet.
        """

    def create(self, name: str, *, into: str | None = None, as_written: bool = False, **parameters: object) -> None:
        """Run relation `name` and store its rows in the engine, as a table called `into` (default: `name`).

        `as_written` disables join-side swapping: each join reads its left side once and holds its right side in memory.
        """

    def view(self, name: str) -> None:
        """Make relation `name`, which takes no parameters, readable by other relations without storing its rows."""

    def write(self, name: str, path: Path | str, *, by: str | None = None) -> int:
        """Write the rows of relation `name` to a Parquet file, in order of its key, and return their number.

        The same rows make the same bytes, unless the file is at an address below `remote`. Columns and types are
        checked against the contract. `by` names another relation that gives the same rows already in that order; it
        runs without join-side swapping.
        """

    def write_parts(self, name: str, place: Path | str, *, by: str | None = None) -> dict[str, int]:
        """Write the rows of relation `name` as Parquet files into a folder, and return file → rows.

        Rows are in order of the key within the files and over the files ``part-00000.parquet``, ``part-00001.parquet``
        …; Spark decides how many there are. At an address files get names that none before had, and others stay.
        Parameters and checks as `write`.
        """

    def fetch(self, name: str, **parameters: object) -> pa.Table:
        """Run relation `name` and return its rows in order of its key, checked against its contract."""

    def kept(self, name: str) -> pa.Table:
        """Return the rows of table `name` in order of its key, checked against the contract of that name."""


class OpenEngine(Protocol):
    """A function that opens an engine."""

    def __call__(self, *, memory_limit: str = MEMORY_LIMIT) -> Engine:
        """Return a new engine that uses at most `memory_limit` of memory (such as ``500MB``)."""


def open_engine(*, memory_limit: str = MEMORY_LIMIT) -> Engine:
    """Return a new engine of the default kind: DuckDB in this process.

    Parameters
    ----------
    memory_limit
        Memory that the engine may use before it spills to disk (default 1GB), in the form of `memory_bytes`.

    Raises
    ------
    SettingError
        When `memory_limit` is no amount of memory.
    """
    memory_bytes(memory_limit)
    return DuckDBEngine(memory_limit=memory_limit)


def engines(name: str = "duckdb", *, spark: Mapping[str, str] | None = None) -> OpenEngine:
    """Return the function that opens engines of a kind.

    Parameters
    ----------
    name
        ``duckdb``, in this process (default); or ``spark``: the active session, else a new one.
    spark
        Settings of a new session, such as ``spark.master`` (default: those of the environment).

    Raises
    ------
    SettingError
        When there is no engine of that name, or Spark cannot be used: the message says what to install.

    Examples
    --------
    >>> engines("duckdb") is open_engine
    True
    """
    return open_engine if name == ENGINES[0] else _spark(name, spark)


def workers(name: str = "duckdb", *, spark: Mapping[str, str] | None = None) -> Workers | None:
    """Return the processes that make sums over tracks, on an engine of a kind; parameters and errors as `engines`."""
    return None if name == ENGINES[0] else _spark(name, spark).workers


def _spark(name: str, settings: Mapping[str, str] | None) -> "SparkEngines":
    if name not in ENGINES:
        raise SettingError(f"no engine '{name}'; there are {' and '.join(ENGINES)}")
    try:
        from diffusion.engine.spark import SparkEngines
    except ModuleNotFoundError as error:
        raise SettingError(
            f"Spark is not installed ({error.name} is missing); install it: pip install 'chart-diffusion[spark]'"
        ) from error
    return SparkEngines(settings)


def memory_bytes(text: str) -> int:
    """Return an amount of memory in bytes; a number and its unit, such as ``500MB``, ``1GB`` or ``2GiB``.

    Raises
    ------
    SettingError
        When the text is no such amount, or it is not between 1 MB and 1,000 TB.
    """
    read = _AMOUNT.fullmatch(str(text))
    if read is None:
        raise SettingError(
            f"the memory limit '{text}' is not a number with a unit (KB, MB, GB, TB, KiB, MiB, GiB or TiB); "
            "give one such as 500MB, 1GB or 2GiB"
        )
    found = float(read["number"]) * _UNITS[read["unit"].lower()]
    if not 10**6 <= found <= 10**15:
        raise SettingError(f"the memory limit '{text}' is not between 1MB and 1000TB; give one such as 500MB")
    return int(found)

"""The door to the engine: what relations need of any engine, and the one place that chooses the default."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import pyarrow as pa

from diffusion.engine.duckdb_engine import DuckDBEngine

MEMORY_LIMIT: Final = "1GB"
"""What an engine may hold in memory by default."""


class Engine(Protocol):
    """Named tables, and the relations of ``sql/`` run over them; closed by `close` or a ``with`` block.

    A table of an engine is a copy (`keep`, `keep_table`, `add`, `create`) or a view of what lies elsewhere (`register`,
    `open_table`, `open_text`, `view`). The same name may be given again; it then stands for the new rows.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None:
        """Free what the engine holds."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable by relations as `name`."""

    def keep(self, name: str, table: pa.Table) -> None:
        """Copy an Arrow table into the engine as `name`."""

    def keep_table(self, name: str, files: Sequence[Path]) -> None:
        """Copy the rows of Parquet files that hold a table of ours into the engine as `name`."""

    def add(self, name: str, table: pa.Table) -> None:
        """Add rows to the table `name`, which is made where it is not there."""

    def open_table(self, name: str, files: Sequence[Path]) -> None:
        """Make the rows of Parquet files that hold a table of ours readable as `name`, where they lie.

        Raises
        ------
        SourceError
            When a file is not Parquet.
        """

    def open_text(
        self,
        files: Sequence[Path],
        columns: Mapping[str, Sequence[str]],
        *,
        root: Path,
        partitioned: bool = False,
        row: Sequence[str] = (),
    ) -> None:
        """Make Parquet files of any columns readable as `source_rows`, where they lie, and as `raw_rows`.

        `source_rows` has the columns chosen, as text; `file` and `line`, where a row stands; and `part`, the Parquet
        file's path below `root`. File and line are the columns `source_file` and `source_line` where the files have
        them, else the part and the number of the row. `raw_rows` has `file`, `line` and `row`, one CSV line.

        Parameters
        ----------
        files
            Parquet files.
        columns
            Our name of a column → its names in the files; the first that is not null counts, without one it is null.
        root
            Folder that the files' names begin below.
        partitioned
            Whether folders of the form ``name=value`` above a file are columns too.
        row
            Columns that make the CSV line.

        Raises
        ------
        SourceError
            When a file is not Parquet.
        """

    def create(self, name: str, *, into: str | None = None, as_written: bool = False, **parameters: object) -> None:
        """Run relation `name` and keep its rows in the engine, as a table of that name or `into` another.

        `as_written` says that a join reads its left side once and holds its right side in memory.
        """

    def view(self, name: str) -> None:
        """Make relation `name`, which takes no parameters, readable by other relations without keeping its rows."""

    def write(self, name: str, path: Path, *, by: str | None = None) -> int:
        """Run relation `name`, write its rows to a Parquet file in order of its key, and return how many there are.

        The same rows make the same bytes. Columns and types are held to the contract. `by` is another relation that
        gives the same rows in that order by itself, with joins as it writes them.
        """

    def fetch(self, name: str, **parameters: object) -> pa.Table:
        """Run relation `name` and return its rows, held to its contract and in order of its key."""

    def kept(self, name: str) -> pa.Table:
        """Return the rows that the engine has as `name`, held to the contract of that name and in order of its key."""


class OpenEngine(Protocol):
    """What opens an engine; handed to whatever needs one."""

    def __call__(self, *, memory_limit: str = MEMORY_LIMIT) -> Engine:
        """Return a new engine, which holds at most `memory_limit` in memory (such as ``500MB``)."""


def open_engine(*, memory_limit: str = MEMORY_LIMIT) -> Engine:
    """Return a new engine of the default kind: DuckDB in this process.

    Parameters
    ----------
    memory_limit
        What the engine may hold in memory before it spills to disk (default 1GB).
    """
    return DuckDBEngine(memory_limit=memory_limit)

"""Arrow tables of this process as tables of Spark, and rows that are added to tables little by little."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.storagelevel import StorageLevel

MOST_WAITING: Final = 64_000_000
"""Bytes of added rows that wait in this process until they go to Spark."""


def spark_table(session: SparkSession, table: pa.Table) -> DataFrame:
    """Return an Arrow table as one of Spark, of the same types.

    Spark has no dictionaries, and no numbers without sign: these become plain columns, and the next larger type.
    """
    schema = pa.schema([field.with_type(_plain(field.type)) for field in table.schema])
    # Spark reads no further than the first batch without rows
    filled = [batch for batch in table.cast(schema).to_batches() if batch.num_rows]
    with active_kept():
        return session.createDataFrame(pa.Table.from_batches(filled, schema) if filled else schema.empty_table())


@contextmanager
def active_kept() -> Iterator[None]:
    """Leave the active session as it is in the block: Spark takes the one that made the last table."""
    before = SparkSession._activeSession  # None with Spark Connect, which changes nothing
    try:
        yield
    finally:
        if before is not None:
            SparkSession._activeSession = before
            SparkSession._get_j_spark_session_class(before._jvm).setActiveSession(before._jsparkSession)


class AddedRows:
    """A table that rows are added to: a few tables of Spark, and rows that wait in this process.

    However often rows are added, the plan has one table for each `MOST_WAITING` bytes.

    Parameters
    ----------
    session
        Session of the table.
    before
        Rows that it has already; None for none.
    """

    def __init__(self, session: SparkSession, before: DataFrame | None) -> None:
        self._session = session
        self._frames = [] if before is None else [before]
        self._waiting: list[pa.Table] = []
        self._last: DataFrame | None = None

    def add(self, table: pa.Table) -> None:
        """Add rows; their columns have the same names and types as those before."""
        self._last = None
        self._waiting.append(table)
        if sum(one.nbytes for one in self._waiting) > MOST_WAITING:
            # executors hold the rows from now on, and neither this process nor the plan
            rows = spark_table(self._session, pa.concat_tables(self._waiting))
            self._frames.append(rows.localCheckpoint(storageLevel=StorageLevel.MEMORY_AND_DISK))
            self._waiting.clear()

    def frame(self) -> DataFrame:
        """Return all rows."""
        if self._last is None:
            waiting = [spark_table(self._session, pa.concat_tables(self._waiting))] if self._waiting else []
            self._last = _joined([*self._frames, *waiting])
        return self._last


def _joined(frames: Sequence[DataFrame]) -> DataFrame:
    """Return the rows of all tables; the plan is as flat as it can be."""
    if len(frames) == 1:
        return frames[0]
    middle = len(frames) // 2
    return _joined(frames[:middle]).unionByName(_joined(frames[middle:]))


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_unsigned_integer(kind):
        return {8: pa.int16(), 16: pa.int32(), 32: pa.int64(), 64: pa.decimal128(20)}[kind.bit_width]
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return kind

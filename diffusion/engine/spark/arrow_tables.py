"""Tables that a session holds: Arrow tables of this process, rows that are kept, and rows added little by little."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.utils import is_remote
from pyspark.storagelevel import StorageLevel

from diffusion.engine.spark.failures import SPARK_ERRORS

if TYPE_CHECKING:
    from pyspark.sql.connect.client import SparkConnectClient

MOST_WAITING: Final = 64_000_000
"""Bytes of added rows that wait in this process until they go to Spark."""


def spark_table(session: SparkSession, table: pa.Table) -> DataFrame:
    """Return an Arrow table as one of Spark, of the same types.

    Spark has no dictionaries, and no numbers without sign: these become plain columns, and the next larger type.
    """
    schema = pa.schema([field.with_type(_plain(field.type)) for field in table.schema])
    # Spark reads no further than the first batch without rows
    filled = [batch for batch in table.cast(schema).to_batches() if batch.num_rows]
    with active(session):
        if not filled:  # Spark Connect takes no Arrow table without rows
            return session.createDataFrame([], from_arrow_schema(schema))
        return session.createDataFrame(pa.Table.from_batches(filled, schema))


@contextmanager
def active(session: SparkSession) -> Iterator[None]:
    """Let a session be the active one in the block, and afterwards the one that was.

    A table that Spark Connect keeps is one of the active session, whichever made it. Elsewhere the session that made
    the last table becomes the active one.
    """
    if is_remote():
        held = type(session)._active_session
        before, held.session = getattr(held, "session", None), session
        try:
            yield
        finally:
            held.session = before
        return
    classic = SparkSession._activeSession
    try:
        yield
    finally:
        if classic is not None:
            SparkSession._activeSession = classic
            SparkSession._get_j_spark_session_class(classic._jvm).setActiveSession(classic._jsparkSession)


def kept(session: SparkSession, rows: DataFrame) -> DataFrame:
    """Run a query of a session now, and keep its rows on the executors, on disk where memory is short.

    The plan that made them is not kept: plans that hold those of all tables before take minutes to analyse. The rows
    are freed once no table needs them; with Spark Connect, once nobody holds what is returned.
    """
    with active(session):
        return rows.localCheckpoint(eager=True, storageLevel=StorageLevel.MEMORY_AND_DISK)


def release(client: "SparkConnectClient") -> None:
    """Let the server of Spark Connect free what it keeps for a session, which is then of no more use."""
    if client.is_closed:
        return
    client.set_retry_policies([])  # a server that has ended is not waited for
    with suppress(*SPARK_ERRORS):
        client.release_session()
    client.close()


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
            self._frames.append(kept(self._session, spark_table(self._session, pa.concat_tables(self._waiting))))
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

"""Array code on Spark's executors: one task for each part of the tracks, Arrow in and Arrow out."""

import json
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from itertools import groupby
from operator import itemgetter
from typing import Final, Self

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, length, spark_partition_id
from pyspark.storagelevel import StorageLevel

from diffusion import errors
from diffusion.engine.interruption import OPEN
from diffusion.engine.parts import Tables, Work
from diffusion.engine.spark.arrow_tables import active
from diffusion.engine.spark.failures import SPARK_ERRORS, reported
from diffusion.errors import DiffusionError

MOST_ENTRIES: Final = 200_000
"""Entries of a part at most, as far as artists allow."""

LEAST_ENTRIES: Final = 5_000
"""Entries of a part at least: what is counted in fewer takes less time than to start its task."""

PIECE: Final = 32_000_000
"""Bytes of a row at most: Spark's batches hold 64 MB, and no value 2 GB."""

BROUGHT: Final = 128_000_000
"""Bytes of results that the driver takes at a time; `spark.driver.maxResultSize` is 1 GB by default."""

FAILED: Final = "\x00failed"
"""Name of the row that holds the error of a part in place of its tables."""

SCHEMA: Final = pa.schema({"part": pa.int32(), "name": pa.string(), "piece": pa.int32(), "content": pa.binary()})
"""Columns of parts on Spark: a table is a compressed Arrow stream, in one row or in several numbered pieces."""

_SPARK_SCHEMA: Final = "part INT, name STRING, piece INT, content BINARY"


class SparkWorkers:
    """Executors of a Spark session; implements `diffusion.engine.Workers`."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        OPEN[id(self)] = self

    def interrupt(self) -> None:
        """End what the workers are doing with an error; nothing happens if they do nothing. Any thread may call it."""
        with suppress(*SPARK_ERRORS):  # it ended meanwhile
            self._session.interruptAll()

    def number(self, entries: int) -> int:
        """Return into how many parts so many entries are best divided."""
        return max(1, -(-entries // MOST_ENTRIES), min(self._tasks_at_once, entries // LEAST_ENTRIES))

    def spread(self, parts: Sequence[Tables]) -> "SparkParts":
        """Send parts to the executors; they are compressed, and Spark's driver holds them until they are freed."""
        rows = [batch for number, tables in enumerate(parts) for batch in _packed(number, tables)]
        with reported(), active(self._session):
            frame = self._session.createDataFrame(pa.Table.from_batches(rows, SCHEMA))
            return SparkParts(frame.repartitionById(len(parts), "part"), len(parts))

    @cached_property
    def _tasks_at_once(self) -> int:
        with reported():
            return int(self._session.range(1 << 20).select(spark_partition_id()).distinct().count())


class SparkParts:
    """Parts on Spark's executors, one in each partition; implements `diffusion.engine.Parts`."""

    def __init__(self, frame: DataFrame, number: int) -> None:
        self._frame, self._number = frame.persist(StorageLevel.MEMORY_AND_DISK), number
        self._free = weakref.finalize(self, _free, self._frame)
        self._free.atexit = False  # a session that ends frees all at once

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Free what the executors keep."""
        self._free()

    def kept(self, work: Work) -> "SparkParts":
        """Return what `work` makes of every part; it is made once, now, and stays on the executors."""
        made = SparkParts(self._mapped(work), self._number)
        try:
            made.sizes()
        except BaseException:
            made.close()
            raise
        return made

    def results(self, work: Work) -> Iterator[Tables]:
        """Yield what `work` makes of every part, in order of the parts: made together, and brought a few at a time."""
        made = SparkParts(self._mapped(work), self._number)
        try:
            yield from made._brought(made.sizes())
        finally:
            made.close()

    def sizes(self) -> Mapping[int, int]:
        """Return the bytes of each part's tables, once all parts are made.

        Raises
        ------
        DiffusionError
            When the work on a part raised it.
        """
        with reported():
            rows = self._frame.select("part", "name", length("content").alias("bytes")).toArrow()
        failed = rows.filter(pc.equal(rows["name"], FAILED))["part"]
        if len(failed):
            self._fail(min(failed.to_pylist()))
        sums = rows.group_by("part").aggregate([("bytes", "sum")])
        return dict(zip(sums["part"].to_pylist(), sums["bytes_sum"].to_pylist(), strict=True))

    def _fail(self, part: int) -> None:
        """Raise the error of a part."""
        with reported():
            rows = self._frame.where((col("part") == part) & (col("name") == FAILED)).toArrow()
        kind, said = json.loads(rows["content"][0].as_py())
        raise getattr(errors, kind)(said)

    def _brought(self, sizes: Mapping[int, int]) -> Iterator[Tables]:
        """Yield the tables of every part, and free them on the executors."""
        begin = 0
        while begin < self._number:
            stop, total = begin + 1, sizes.get(begin, 0)
            while stop < self._number and total + sizes.get(stop, 0) <= BROUGHT:
                total += sizes.get(stop, 0)
                stop += 1
            with reported():
                batches = self._frame.where(col("part").between(begin, stop - 1)).toArrow().to_batches()
            found = _unpacked(batches)
            yield from (found.get(part, {}) for part in range(begin, stop))
            begin = stop

    def _mapped(self, work: Work) -> DataFrame:
        return self._frame.mapInArrow(partial(_worked, work), _SPARK_SCHEMA)


def _free(frame: DataFrame) -> None:
    with suppress(Exception):  # where Spark has ended nothing is kept, and nobody could be told
        frame.unpersist()


def _worked(work: Work, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield what `work` makes of the parts in one partition; an error of ours is a row of its own."""
    for number, tables in _unpacked(batches).items():
        try:
            made = list(_packed(number, work(tables)))
        except DiffusionError as error:
            made = [_row(number, FAILED, 0, json.dumps([type(error).__name__, str(error)]).encode())]
        yield from made


def _packed(number: int, tables: Tables) -> Iterator[pa.RecordBatch]:
    """Yield the tables of one part as rows of `SCHEMA`, each a batch."""
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table)
        content = sink.getvalue()
        for piece, begin in enumerate(range(0, content.size, PIECE)):
            yield _row(number, name, piece, content.slice(begin, min(PIECE, content.size - begin)).to_pybytes())


def _row(number: int, name: str, piece: int, content: bytes) -> pa.RecordBatch:
    return pa.record_batch([[number], [name], [piece], [content]], schema=SCHEMA)


def _unpacked(batches: Iterable[pa.RecordBatch]) -> dict[int, dict[str, pa.Table]]:
    """Return part → name → table from rows in any order."""
    rows = sorted((row for batch in batches for row in batch.to_pylist()), key=itemgetter("part", "name", "piece"))
    parts: dict[int, dict[str, pa.Table]] = {}
    for (part, name), pieces in groupby(rows, itemgetter("part", "name")):
        with pa.ipc.open_stream(b"".join(row["content"] for row in pieces)) as reader:
            parts.setdefault(part, {})[name] = reader.read_all()
    return parts

"""Array code on Spark's executors: one task for each part of the tracks, Arrow in and Arrow out."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Final, Self

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.storagelevel import StorageLevel

from diffusion.engine.interruption import OPEN
from diffusion.engine.parts import Tables, Work
from diffusion.engine.spark.failures import SPARK_ERRORS, reported

ENTRIES_PER_PART: Final = 200_000
"""Entries of a part at most, as far as artists allow."""

SCHEMA: Final = pa.schema({"part": pa.int64(), "name": pa.string(), "content": pa.binary()})
"""Columns of parts on Spark: one row per part and table, which is an Arrow stream."""

_SPARK_SCHEMA: Final = "part BIGINT, name STRING, content BINARY"


class SparkWorkers:
    """Executors of a Spark session; implements `diffusion.engine.Workers`.

    Parameters
    ----------
    session
        Session of these workers alone.
    """

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        OPEN[id(self)] = self

    def interrupt(self) -> None:
        """End what the workers are doing with an error; nothing happens if they do nothing. Any thread may call it."""
        with suppress(*SPARK_ERRORS):  # it ended meanwhile
            self._session.interruptAll()

    def number(self, entries: int) -> int:
        """Return into how many parts so many entries are best divided."""
        return max(1, min(max(self._parallel, -(-entries // ENTRIES_PER_PART)), entries))

    def spread(self, parts: Sequence[Tables]) -> "SparkParts":
        """Send parts to the executors."""
        rows = [_packed(number, tables) for number, tables in enumerate(parts)]
        with reported():
            frame = self._session.createDataFrame(pa.concat_tables(rows))
            return SparkParts(frame.repartitionByRange(len(parts), "part"), len(parts))

    @cached_property
    def _parallel(self) -> int:
        """Number of tasks that Spark divides work into that has no size of its own: that of its cores, or as set."""
        with reported():
            tasks = self._session.range(100_000).select(f.spark_partition_id()).distinct()
            return int(tasks.count())


class SparkParts:
    """Parts on Spark's executors; implements `diffusion.engine.Parts`."""

    def __init__(self, frame: DataFrame, number: int) -> None:
        self._frame = frame.persist(StorageLevel.MEMORY_AND_DISK)
        self._number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Free what the executors keep."""
        with suppress(*SPARK_ERRORS):  # Spark ended meanwhile
            self._frame.unpersist()

    def kept(self, work: Work) -> "SparkParts":
        """Return what `work` makes of every part; it stays on the executors."""
        with reported():
            return SparkParts(self._made(work), self._number)

    def results(self, work: Work) -> list[Tables]:
        """Return what `work` makes of every part, in order of the parts."""
        found: list[dict[str, pa.Table]] = [{} for _ in range(self._number)]
        with reported():
            made = self._made(work).toArrow()
        for row in made.to_pylist():
            found[row["part"]][row["name"]] = _unpacked(row["content"])
        return [dict(tables) for tables in found]

    def _made(self, work: Work) -> DataFrame:
        def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            parts: dict[int, dict[str, pa.Table]] = {}
            for batch in batches:
                for row in batch.to_pylist():
                    parts.setdefault(row["part"], {})[row["name"]] = _unpacked(row["content"])
            for number, tables in sorted(parts.items()):
                yield from _packed(number, work(tables)).to_batches()

        return self._frame.mapInArrow(run, _SPARK_SCHEMA)


def _packed(number: int, tables: Tables) -> pa.Table:
    contents = []
    for table in tables.values():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        contents.append(sink.getvalue().to_pybytes())
    names = list(tables)
    return pa.table({"part": [number] * len(names), "name": names, "content": contents}, schema=SCHEMA)


def _unpacked(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()

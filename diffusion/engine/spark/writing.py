"""Tables that Spark's executors write as Parquet: files in order of the key, or one file made of them."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from diffusion.contracts import Contract
from diffusion.engine.duckdb_engine import ROW_GROUP
from diffusion.engine.remote import PARTS
from diffusion.engine.spark.locations import spark_location
from diffusion.errors import OutputError

FILES: Final[Mapping[str, str]] = {"compression": "zstd", "maxRecordsPerFile": "0"}
"""Options of Spark's writer: a task writes one file."""

PLAIN: Final[Mapping[str, str]] = {
    "mapreduce.output.basename": PARTS,
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "parquet.enable.summary-metadata": "false",
}
"""Options of Spark's writer at an address: names that are ours, and no files beside the tables."""


def write_parts(frame: DataFrame, contract: Contract, place: Path) -> dict[str, int]:
    """Write sorted rows into a folder that the executors see, and return file → rows, in order.

    Raises
    ------
    OutputError
        When files are not there that executors wrote.
    """
    check_columns(frame, contract)
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix="_spark-") as aside:
        seen = Observation()
        rows = frame.observe(seen, F.count(F.lit(1)).alias("rows"))
        rows.write.mode("overwrite").options(**FILES).parquet(spark_location(Path(aside)))
        written = sorted(Path(aside).glob("part-*.parquet"), key=lambda file: int(file.name.split("-")[1]))
        counts = [pq.read_metadata(file).num_rows for file in written]
        if not written or sum(counts) != seen.get["rows"]:
            raise OutputError(
                f"{seen.get['rows']:,} rows were written on Spark, but {sum(counts):,} are in '{place}': it must be a "
                "folder that all executors see"
            )
        full = [(file, count) for file, count in zip(written, counts, strict=True) if count] or [(written[0], 0)]
        parts = {f"part-{number:05d}.parquet": rows for number, rows in enumerate(full)}
        for name, (file, _) in parts.items():
            shutil.move(file, place / name)
    return {name: count for name, (_, count) in parts.items()}


def write_into(rows: DataFrame, address: str) -> int:
    """Write sorted rows as new files into a folder at an address, beside what is there, and return their number."""
    seen = Observation()
    counted = rows.observe(seen, F.count(F.lit(1)).alias("rows"))
    counted.write.mode("append").options(**FILES, **PLAIN).parquet(address)
    return int(seen.get["rows"])


def write_file(frame: DataFrame, contract: Contract, path: Path) -> int:
    """Write sorted rows to one file, and return their number; they pass through this process, a row group at a time."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="_spark-") as aside:
        parts = write_parts(frame, contract, Path(aside))
        schema = pa.schema([(column.name, column.type) for column in contract.columns])
        with pq.ParquetWriter(path, schema, compression=FILES["compression"]) as file:
            for group in _row_groups([Path(aside, name) for name in parts], schema):
                file.write_table(group, row_group_size=ROW_GROUP)
    return sum(parts.values())


def _row_groups(files: Sequence[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of files in tables of `ROW_GROUP` rows, so that the same rows make the same bytes."""
    held = schema.empty_table()
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(ROW_GROUP, use_threads=False):
            held = pa.concat_tables([held, pa.Table.from_batches([batch]).cast(schema)])
            while held.num_rows >= ROW_GROUP:
                yield held.slice(0, ROW_GROUP).combine_chunks()
                held = held.slice(ROW_GROUP)
    if held.num_rows:
        yield held.combine_chunks()


def check_columns(frame: DataFrame, contract: Contract) -> None:
    """Check that a relation gives the columns of its contract."""
    given = [(field.name, field.type) for field in to_arrow_schema(frame.schema)]
    if given != [(column.name, column.type) for column in contract.columns]:
        raise ValueError(f"the relation '{contract.name}' gives {given}, not what its contract says")

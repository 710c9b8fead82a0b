"""Spark reads Parquet of any columns, and runs the relations of cleaning, as DuckDB does."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffusion.engine import Engine, open_engine
from diffusion.errors import SourceError

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

ROW = ("rank", "streams", "day", "at")


@pytest.fixture
def both(spark: "SparkEngines") -> Iterator[tuple[Engine, Engine]]:
    """Return an engine of DuckDB and one of Spark."""
    with open_engine() as ours, spark() as theirs:
        yield ours, theirs


def rows_of(engine: Engine, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table of an engine in order of all columns."""
    connection = getattr(engine, "_connection", None)
    if connection is not None:
        table = connection.table(name).to_arrow_reader().read_all()
    else:
        table = engine._session.table(name).toArrow()  # type: ignore[attr-defined]
    rows = [tuple(row.items()) for row in table.to_pylist()]
    return sorted(rows, key=repr)


def same_text(both: tuple[Engine, Engine], files: list[Path], columns: dict[str, list[str]], **how: Any) -> None:
    """Check that the engines read the same rows of text."""
    for engine in both:
        engine.open_text(files, columns, **how)
    for name in ("source_rows", "raw_rows"):
        ours, theirs = (rows_of(engine, name) for engine in both)
        assert theirs == ours
        assert ours


NUMBERS = [
    0.0, -0.0, 1.0, 5.0, 1e-05, 0.0001, 123456789.0, 1e15, 1e16, 1.5e300, 2e-323, 0.1, 1 / 3, 2.0e-3, 1e22, 1e23,
    float("nan"), float("inf"), float("-inf"), 12345.678, None,
]  # fmt: skip
WHEN = [datetime(2021, 1, 2, 3, 4, 5, 678000), datetime(1999, 12, 31), datetime(2021, 6, 30, 12, 0, 0, 1), None]
VALUES: dict[str, pa.Array] = {
    "double": pa.array(NUMBERS, pa.float64()),
    "float": pa.array(NUMBERS, pa.float32()),
    "decimal": pa.array([Decimal("1.50"), Decimal("0.00"), Decimal("-12.34"), None], pa.decimal128(10, 2)),
    "bool": pa.array([True, False, None]),
    "date": pa.array([date(2021, 1, 2), date(1, 1, 1), date(9999, 12, 31), None]),
    "int": pa.array([1, -5, 2**62, None], pa.int64()),
    "byte": pa.array([1, -5, None], pa.int8()),
    "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "seconds": pa.array(WHEN, pa.timestamp("ms")).cast(pa.timestamp("us")),
    "micro": pa.array(WHEN, pa.timestamp("us")),
    "nano": pa.array([1609556645678901234, 1609556645000000000, None], pa.timestamp("ns")),
    "utc": pa.array(WHEN, pa.timestamp("us", "UTC")),
    "zone": pa.array(WHEN, pa.timestamp("us", "Europe/Stockholm")),
    "offset": pa.array(WHEN, pa.timestamp("us", "+05:30")),
    "nano_zone": pa.array([1609556645678901000, None], pa.timestamp("ns", "Asia/Tokyo")),
    "texts": pa.array([["a", "b"], [], None], pa.list_(pa.string())),
    "word": pa.array(["a", "b", "a", None]).dictionary_encode(),
    "large": pa.array(["a", None], pa.large_string()),
    "nothing": pa.nulls(2),
}  # fmt: skip


def test_values_of_any_type_are_the_same_text(tmp_path: Path, both: tuple[Engine, Engine]) -> None:
    longest = max(len(values) for values in VALUES.values())
    padded = {
        name: pa.concat_arrays([values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values,
                                pa.nulls(longest - len(values), values.type)])
        for name, values in VALUES.items()
    }  # fmt: skip
    file = tmp_path / "values.parquet"
    pq.write_table(pa.table(padded), file)
    same_text(both, [file], {name: [name] for name in VALUES}, root=tmp_path, row=list(VALUES))


@pytest.mark.slow
def test_columns_of_several_types_are_the_same_text(tmp_path: Path, both: tuple[Engine, Engine]) -> None:
    kinds = [("a", pa.int32(), [1, None]), ("b", pa.float64(), [2.5, 3.0]), ("c", pa.int64(), [7])]
    for name, kind, values in kinds:
        pq.write_table(pa.table({"Rank": pa.array(values, kind)}), tmp_path / f"{name}.parquet")
    days = [pa.array([date(2021, 1, 1)]), pa.array([datetime(2021, 1, 1, 5)]), pa.array(["soon"])]
    for number, day in enumerate(days):
        streams = pa.array([5], pa.int64()) if number else pa.array(["5,000"])
        pq.write_table(pa.table({"day": day, "streams": streams}), tmp_path / f"d{number}.parquet")
    files = sorted(tmp_path.glob("*.parquet"))
    columns = {"rank": ["rank"], "date": ["day"], "streams": ["streams"], "title": []}
    same_text(both, files[:3], {"rank": ["rank"], "title": []}, root=tmp_path, row=("rank",))
    same_text(both, files[3:5], {"date": ["day"]}, root=tmp_path, row=("day",))
    same_text(both, files, columns, root=tmp_path, row=("rank", "day", "streams"))


NAMES = ("å b%20c+d", "x [1] {2}", "*?", "a,b;c&d=e", "日本", "plus+", "#hash", "q'uote\"s", "back\\slash")


@pytest.mark.slow
def test_rows_have_their_place_whatever_files_are_called(tmp_path: Path, both: tuple[Engine, Engine]) -> None:
    for number, name in enumerate(NAMES):
        file = tmp_path / "in ü%" / name / f"{name}.parquet"
        file.parent.mkdir(parents=True)
        lines = [f"{number} {line}" for line in range(1_000)]
        pq.write_table(pa.table({"title": lines}), file, row_group_size=300)
    files = sorted((tmp_path / "in ü%").rglob("*.parquet"))
    same_text(both, files, {"title": ["title"]}, root=tmp_path / "in ü%")
    found = dict(rows_of(both[1], "source_rows")[5])
    assert int(found["title"].split()[1]) + 1 == found["line"]
    assert found["file"] == found["part"]


@pytest.mark.slow
def test_rows_of_large_files_that_are_split_have_their_numbers(
    tmp_path: Path, java_spark: "SparkEngines", both: tuple[Engine, Engine]
) -> None:
    engine: Any = both[1]
    engine._session.conf.set("spark.sql.files.maxPartitionBytes", "200000")
    numbers = pa.array(range(60_000))
    pq.write_table(pa.table({"rank": numbers}), tmp_path / "a.parquet", row_group_size=7_000, compression="none")
    engine.open_text([tmp_path / "a.parquet"], {"rank": ["rank"]}, root=tmp_path)
    table = engine._session.table("source_rows")
    assert table.rdd.getNumPartitions() > 1
    assert [int(row["rank"]) + 1 for row in table.collect()] == [row["line"] for row in table.collect()]


@pytest.mark.slow
def test_folders_give_columns(tmp_path: Path, both: tuple[Engine, Engine]) -> None:
    values = ("se", "a%2Fb", "x y", "a+b", "__HIVE_DEFAULT_PARTITION__", "å")
    for number, value in enumerate(values):
        file = tmp_path / f"Region={value}" / "date=2021-01-02" / "part-0.parquet"
        file.parent.mkdir(parents=True)
        pq.write_table(pa.table({"rank": [number]}), file)
    files = sorted(tmp_path.rglob("*.parquet"))
    columns = {"market": ["Region"], "date": ["date"], "rank": ["rank"]}
    same_text(both, files, columns, root=tmp_path, partitioned=True)


@pytest.mark.slow
def test_files_and_lines_of_the_source_count_where_files_have_them(tmp_path: Path, both: tuple[Engine, Engine]) -> None:
    table = pa.table(
        {"rank": ["1", 'a "b", c', "d\ne"], "source_file": ["x.csv", "y.csv", None], "source_line": [5, 6, 7]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    pq.write_table(pa.table({"rank": ["3"], "url": [""], "track": ["z"]}), tmp_path / "b.parquet")
    files = sorted(tmp_path.glob("*.parquet"))
    same_text(both, files[:1], {"rank": ["rank"]}, root=tmp_path, row=("rank",))
    columns = {"rank": ["rank"], "url": ["url", "track"]}
    same_text(both, files, columns, root=tmp_path, row=("rank", "url"))


def test_what_is_no_parquet_is_one_line(tmp_path: Path, both: tuple[Engine, Engine]) -> None:
    (tmp_path / "a.parquet").write_bytes(b"no parquet at all")
    for engine in both:
        with pytest.raises(SourceError, match=re.escape(f"cannot read '{tmp_path / 'a.parquet'}' as parquet: ")):
            engine.open_text([tmp_path / "a.parquet"], {"rank": ["rank"]}, root=tmp_path)

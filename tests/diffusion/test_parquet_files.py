"""Parquet files read in blocks: damaged ones are named, odd names of columns and notes on the schema are borne."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffusion import SourceError
from diffusion.files import read_table
from diffusion.sources.chart_files import open_chart_file
from diffusion.sources.listing import ListedFile


def rows_of(path: Path) -> list[tuple[str | None, ...]]:
    blocks = open_chart_file(ListedFile(path, "parquet")).blocks()
    return [row for block, _ in blocks for row in block.rows.rows()]


def test_text_that_is_not_utf8_is_refused_and_the_file_named(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    table = pa.table({"title": pa.array([b"plain", b"\xb3"], pa.binary()).view(pa.string())})
    pq.write_table(table, path)
    with pytest.raises(SourceError, match=r"cannot read '.*c.parquet' as parquet: .*UTF8"):
        rows_of(path)
    with pytest.raises(SourceError, match=r"cannot read '.*c.parquet' as parquet: .*UTF8"):
        read_table(path)


def test_damaged_notes_on_the_schema_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    schema = pa.schema([pa.field("rank", pa.string(), metadata={b"\xb3": b"\xb3"})], metadata={b"pandas": b"\xb3"})
    pq.write_table(pa.table({"rank": ["1"]}, schema=schema), path)
    assert rows_of(path) == [("1",)]


def test_a_column_without_a_name_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    pq.write_table(pa.table({"": ["x"], "rank": ["1"]}), path)
    file = open_chart_file(ListedFile(path, "parquet"))
    assert file.names == ("", "rank")
    assert [block.rows.columns for block, _ in file.blocks()] == [["", "rank"]]

"""Numbers and dates are read alike in both doors, by the form of whole columns."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion
from diffusion.engine import Engine, open_engine
from diffusion.sources.cleaning import code_tracks, judge_rows, learn_names
from diffusion.sources.numbers import Marks
from pipelines.stages.column_forms import marked, read_streams
from tests import twins_clean
from tests.conftest import WriteCsv, steady
from tests.pipelines.test_clean import clean, keep_source, observations
from tests.pipelines.test_ingest import run, table
from tests.random_charts import examples

SIGNS = st.sampled_from(
    [*"0123456789,.KM+- '", "000", "123", ".000", ",000", ".0", ",5", "\u202f", "\u00a0", "e5", "x", "B", "\t"]
)
NUMBERS = (
    st.lists(SIGNS, max_size=6).map("".join)
    | st.integers(0, 10**9).map("{:,}".format)
    | st.integers(0, 10**9).map(lambda number: f"{number:,}".replace(",", "."))
    | st.integers(0, 10**9).map(lambda number: f"{number:,}".replace(",", "\u202f"))
    | st.floats(0, 1e7).map(str)
).filter(lambda text: "+-" not in text)  # DuckDB reads +-5 as -5


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Return an engine that serves all examples; each replaces the tables of the one before."""
    with open_engine() as opened:
        yield opened


@examples(120)
@given(texts=st.lists(NUMBERS, min_size=1, max_size=20))
def test_streams_are_those_of_the_twin_in_both_doors(engine: Engine, texts: list[str]) -> None:
    rows = [
        {"market": "se", "chart": "c", "date": "2020-01-01", "rank": str(n), "track_id": f"t{n:07d}", "streams": text}
        for n, text in enumerate(texts, 1)
    ]
    keep_source(engine, rows)
    learn_names(engine, charts={}, market_names=None)
    code_tracks(engine)
    judge_rows(engine)
    cleaned = [row[0] for row in engine._connection.sql("SELECT streams FROM readings ORDER BY place").fetchall()]
    column = pl.Series(texts, dtype=pl.String)
    slim = read_streams(column, Marks.judged(**marked(column))).to_list()
    twin = twins_clean.streams_of(texts)
    assert slim == twin
    assert cleaned == [None if number is None or number < 0 else number for number in twin]


ROWS = steady(40, {"us": {"x": 30}, "se": {"x": 35}})


def read_both(paths: Path, out: Path, **reading: Any) -> tuple[list[Any], list[Any], pl.DataFrame]:
    """Return the rows that `open_charts` and ``ingest`` with ``clean`` read, and slim."""
    with diffusion.open_charts(paths, **reading) as charts:
        first = charts._engine.fetch("chart_rows").to_pylist()
    run([paths], out / "raw", **reading)
    clean(out / "raw", out / "clean")
    names = ("chart", "market", "date", "track_id", "rank", "streams")
    second = [{name: row[name] for name in names} for row in observations(out / "clean")]
    return first, sorted(second, key=lambda row: [str(row[name]) for name in names]), table(out / "raw", "slim")


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%y", "%d %B %Y", "%d_%m_%Y"])
def test_dates_are_the_same_through_both_doors(write_csv: WriteCsv, tmp_path: Path, form: str) -> None:
    said = {"date_format": form} if "_" in form else {}
    plain, _, _ = read_both(write_csv(ROWS, name="plain.csv"), tmp_path / "plain")
    days = [date.fromisoformat(row["date"]).strftime(form) for row in ROWS]
    rows = [row | {"date": day, "rank": f"#{row['rank']}"} for row, day in zip(ROWS, days, strict=True)]
    first, second, slim = read_both(write_csv(rows, name="other.csv"), tmp_path / "other", **said)
    assert first == plain
    assert {str(row) for row in second} == {str(row) for row in plain}
    assert slim["observation_date"].null_count() == slim["rank"].null_count() == 0


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "+05:30", "UTC"])
def test_midnight_in_the_zone_of_a_column_is_that_day_in_every_door(tmp_path: Path, zone: str) -> None:
    rows = pd.DataFrame(ROWS)
    rows["date"] = pd.to_datetime(rows["date"]).dt.tz_localize(zone)
    (tmp_path / "tables").mkdir()
    rows.to_parquet(tmp_path / "tables/zoned.parquet")
    first, second, slim = read_both(tmp_path / "tables/zoned.parquet", tmp_path)
    clean(tmp_path / "tables", tmp_path / "bare")
    days = {row["date"] for row in ROWS}
    for dates in (
        [row["date"] for row in [*first, *second]],
        slim["observation_date"].to_list(),
        [row["date"] for row in observations(tmp_path / "bare")],
    ):
        assert {str(day) for day in dates} == days

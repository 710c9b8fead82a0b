"""Numbers and dates are read alike in both doors, by the form of whole columns."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion
from diffusion.engine import Engine, open_engine
from diffusion.sources.cleaning import code_tracks, judge_rows, learn_names
from diffusion.sources.numbers import Marks
from diffusion.sources.track_ids import LONGEST, title_ids
from pipelines.stages.column_forms import marked, read_streams
from tests import twins_clean
from tests.conftest import KAGGLE_COLUMNS, WriteCsv, steady
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


@pytest.mark.slow
@examples(50)
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


@pytest.mark.slow
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


IDS = [
    ("spotify:track:{}", "url"),
    ("spotify:track:{}", "track_id"),
    ("https://open.spotify.com/track/{}?si=abc", "url"),
    ("https://open.spotify.com/intl-de/track/{}", "url"),
    ("{}", "url"),
    ("https://www.youtube.com/watch?v={}&t=3", "url"),
    ("https://youtu.be/{}?si=x", "url"),
    ("https://music.apple.com/us/album/name/12?i={}", "url"),
]


@pytest.mark.parametrize(("link", "column"), IDS)
def test_ids_are_read_from_links_in_both_doors(write_csv: WriteCsv, tmp_path: Path, link: str, column: str) -> None:
    ids = {row["url"]: f"{row['url'].rsplit('/', 1)[1]:0>22}" for row in ROWS}
    rows = [row | {"url": None, "track_id": None, column: link.format(ids[row["url"]])} for row in ROWS]
    columns = [*(name for name in KAGGLE_COLUMNS if name != "url"), column]
    first, second, slim = read_both(write_csv(rows, columns=columns), tmp_path)
    for found in ([row["track_id"] for row in [*first, *second]], slim["track_id"].to_list()):
        assert set(found) == set(ids.values())


def test_without_ids_tracks_are_told_apart_by_title_and_artist(write_csv: WriteCsv, tmp_path: Path) -> None:
    columns = [name for name in KAGGLE_COLUMNS if name != "url"]
    rows = [row | {"title": f"Träck {row['url'][-1]}", "artist": "The | Artist, Other"} for row in ROWS]
    path = write_csv(rows, columns=columns)
    first, second, slim = read_both(path, tmp_path)
    ids = {f"track {row['url'][-1]} · the | artist".lower() for row in ROWS}
    for found in ([row["track_id"] for row in [*first, *second]], slim["track_id"].to_list()):
        assert set(found) == ids
    said = "no ids of tracks: they are told apart by title and artist"
    blank = write_csv([row | {"url": " "} for row in rows], name="blank.csv")
    for place in (path, blank):
        with diffusion.open_charts(place) as charts:
            assert charts.source.said == (said,)
    assert clean(tmp_path / "raw", tmp_path / "again")["said"] == [said]


def test_rows_without_an_id_in_a_source_that_has_ids_are_set_aside(write_csv: WriteCsv) -> None:
    rows = [row | {"url": None if at == 5 else row["url"]} for at, row in enumerate(steady(200, {"us": {"x": 30}}))]
    with diffusion.open_charts(write_csv(rows)) as charts:
        assert dict(charts.account.set_aside) == {"no track id": 1}


def test_ids_of_title_and_artist_stand_for_hostile_text() -> None:
    titles = ["a\nb\u202ec\u0085", "a · b", "x" * 5000, "x" * 5001, "=1+1", None]
    ids = title_ids(pa.array(titles), pa.array(["Z"] * 5 + ["Z"])).to_pylist()
    assert ids[:2] == ["a b c · z", "a . b · z"]
    assert all(len(text) <= LONGEST for text in ids[:5])
    assert len(set(ids)) == len(ids) and ids[-1] is None


def test_rows_without_a_market_are_given_one(write_csv: WriteCsv, tmp_path: Path) -> None:
    blanks = (None, " ", "NaN")
    rows = [row | {"region": blanks[at % 3]} if row["region"] == "se" else row for at, row in enumerate(ROWS)]
    path = write_csv(rows)
    with diffusion.open_charts(path, market_names={"": "Sweden"}) as charts:
        first = charts._engine.fetch("chart_rows").to_pylist()
    run([path], tmp_path / "raw")
    notes = clean(tmp_path / "raw", tmp_path / "clean", market_names={"": "Sweden"})
    assert len(first) == notes["rows"]["kept_rows"] == len(ROWS)
    assert {row["market"] for row in first} == {"SE", "US"}
    assert {row["market"] for row in observations(tmp_path / "clean")} == {"SE", "US"}
    clean(tmp_path / "raw", tmp_path / "global", market_names={"": "Global"})
    assert {row["market"] for row in observations(tmp_path / "global")} == {"Global", "US"}


def test_ranks_from_zero_are_refused_where_they_are_the_habit(write_csv: WriteCsv, tmp_path: Path) -> None:
    plain, _, _ = read_both(write_csv(ROWS, name="plain.csv"), tmp_path / "plain")
    path = write_csv([row | {"rank": row["rank"] - 1} for row in ROWS], name="zero.csv")
    with pytest.raises(diffusion.SourceError, match=r"ranks start at 0 \('zero.csv', line 2, .* --first-rank 0"):
        diffusion.open_charts(path)
    run([path], tmp_path / "raw")
    with pytest.raises(diffusion.SourceError, match="--first-rank 0"):
        clean(tmp_path / "raw", tmp_path / "clean")
    first, second, slim = read_both(path, tmp_path / "zero", first_rank=0)
    assert first == plain
    assert {str(row) for row in second} == {str(row) for row in plain}
    assert slim["rank"].min() == 1


def test_a_file_that_is_added_keeps_the_order_of_dates(write_csv: WriteCsv, tmp_path: Path) -> None:
    def german(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"date": "{2}.{1}.{0}".format(*row["date"].split("-"))} for row in rows]

    dates = sorted({row["date"] for row in ROWS})
    old, new = dates[:30], "2021-02-03"
    run([write_csv(german([row for row in ROWS if row["date"] in old]), name="old.csv")], tmp_path / "raw")
    notes = run(
        [write_csv(german([row for row in ROWS if row["date"] == new]), name="new.csv")], tmp_path / "raw", append=True
    )
    assert [source["date_form"] for source in notes["sources"]] == ["day/month/year"] * 2
    assert table(tmp_path / "raw", "slim")["observation_date"].cast(pl.String).unique().sort().to_list() == [*old, new]

"""Charts in the layouts of public files: the same charts in other dress give the same entries through both doors."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from diffusion import DiffusionError, SettingError, SourceError, open_charts
from diffusion.sources.layouts import LAYOUTS, SOURCE_COLUMNS, SYNONYMS, plain_key, recognise
from diffusion.sources.planning import find_source
from diffusion.sources.reading import ReadingOptions
from tests.conftest import steady
from tests.doors import cleaned, entries_of, through_both_doors

DAYS = 10
CHARTS = pd.DataFrame(
    steady(DAYS, {"Sweden": {"x": 3, "y": 5}, "Germany": {"x": 5, "y": 4}, "Finland": {"x": 8}})
).assign(
    url=lambda rows: "https://open.spotify.com/track/" + rows["url"].str.rsplit("/").str[-1].str.zfill(22),
    title=lambda rows: rows["title"] + ", part 1",
    artist="Ada, Bo",
)  # fmt: skip
CODES = {"Sweden": "se", "Germany": "de", "Finland": "fi"}
ID = CHARTS["url"].str[-22:]
DAY = pd.to_datetime(CHARTS["date"])
KEYS = ["region", "date"]

NEW = pd.DataFrame(
    {
        "rank": CHARTS["rank"], "uri": "spotify:track:" + ID, "artist_names": CHARTS["artist"],
        "track_name": CHARTS["title"], "source": "A label", "peak_rank": 1, "previous_rank": -1, "weeks_on_chart": 1,
        "streams": CHARTS["streams"],
    }
)  # fmt: skip
OLD = CHARTS.rename(
    columns={"rank": "Position", "title": "Track Name", "artist": "Artist", "streams": "Streams", "url": "URL"}
)[["Position", "Track Name", "Artist", "Streams", "URL"]]
SCRAPED = pd.DataFrame(
    {
        "artist_name": CHARTS["artist"], "date": CHARTS["date"], "region_name": CHARTS["region"].str.lower(),
        "stream_count": CHARTS["streams"], "track_name": CHARTS["title"], "track_position": CHARTS["rank"],
        "track_url": CHARTS["url"],
    }
)  # fmt: skip
THREE_PARTS = OLD.assign(Year=DAY.dt.year, Month=DAY.dt.month, Day=DAY.dt.day)
WORLD = pd.DataFrame(
    {
        "spotify_id": ID, "name": CHARTS["title"], "artists": CHARTS["artist"], "daily_rank": CHARTS["rank"],
        "daily_movement": 0, "weekly_movement": 0, "country": CHARTS["region"].map(CODES).str.upper(),
        "snapshot_date": CHARTS["date"], "popularity": 50, "is_explicit": "False", "duration_ms": 1000,
    }
)  # fmt: skip
YOUTUBE = pd.DataFrame(
    {
        "Rank": CHARTS["rank"], "Previous Rank": 3.0, "Track Name": CHARTS["title"], "Artist Names": CHARTS["artist"],
        "Weeks on Chart": 3, "Views": CHARTS["streams"], "Weekly Growth": "46%", "YouTube URL": ID,
        "week_open": (DAY - timedelta(days=6)).dt.date, "week_close": CHARTS["date"],
    }
)  # fmt: skip
SPOKEN = CHARTS.rename(columns={"rank": "chart POSITION", "region": "Country Name", "title": "Song", "artist": "NAME"})
RENAMED: Mapping[str, Mapping[str, str]] = {
    "market": {"region": "market"},
    "country code": {"region": "Country-Code"},
    "uri": {"url": "Spotify_URI"},
    "position": {"rank": "Current Position"},
    "performer": {"artist": "Performer", "title": "song"},
    "dates": {"date": "chart date", "streams": "Plays"},
}


def frames(*, parted: bool) -> dict[str, tuple[pd.DataFrame, str, dict[str, Any]]]:
    """Return case → rows, name of the file (of each market and date if `parted`), options."""
    if not parted:
        whole = {name: (CHARTS.rename(columns=dict(names)), "x.csv", {}) for name, names in RENAMED.items()}
        return whole | {
            "scraped": (SCRAPED, "all_regional_weekly_charts_30-12-2019_05-01-2020.csv", {}),
            "world": (
                pd.concat([WORLD, WORLD[WORLD["country"] == "SE"].assign(country="")]),
                "universal_top_spotify_songs.csv",
                {},
            ),
            "words": (SPOKEN, "x.csv", {}),
        }
    return {
        "new download": (NEW, "regional-{code}-daily-{date}.csv", {}),
        "old download": (OLD, "regional-{code}-daily-{date}.csv.gz", {}),
        "folders": (NEW, "{code}/{date}.csv", {}),
        "Hive": (NEW, "region={code}/date={date}/chart=top200/part-0.csv", {}),
        "Hive, year month day": (NEW, "country={code}/year={date:.4}/month={date:.7}/{date}.csv", {}),
        "names": (NEW, "Spotify_{market}_{date}_top3.csv", {}),
        "three parts of dates": (THREE_PARTS, "{code}.csv", {}),
        "YouTube": (YOUTUBE, "youtube-charts-top-songs-{code}-weekly-{date}.csv", {}),
        "pattern": (NEW, "the charts of {market}/Ünïcode №1, {date}.csv", {"from_name": "* of {market}/*, {date}.csv"}),
        "markets without dates": (NEW.assign(date=CHARTS["date"]), "{market}.parquet", {}),
    }


def write(rows: pd.DataFrame, file: Path) -> None:
    """Write rows as the kind that a file's name says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".parquet":
        rows.to_parquet(file, index=False)
    else:
        rows.to_csv(file, index=False)


def write_parted(rows: pd.DataFrame, name: str, folder: Path) -> Path:
    """Write rows of each market and date as a file; `name` has fields for the market, its code and the date."""
    for file, part in rows.groupby(
        CHARTS.apply(lambda r: name.format(market=r["region"], code=CODES[r["region"]], date=r["date"]), axis=1)
    ):
        write(part, folder / str(file))
    return folder


@pytest.fixture(scope="module")
def expected() -> pd.DataFrame:
    return entries_of(open_charts(CHARTS))


def write_case(case: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Write the charts of a case; return where they are and the options they need."""
    if case in frames(parted=True):
        rows, name, options = frames(parted=True)[case]
        return write_parted(rows, name, folder), options
    rows, name, options = frames(parted=False)[case]
    write(rows, folder / name)
    return folder / name, options


CASES = [*frames(parted=False), *frames(parted=True)]


@pytest.mark.parametrize("case", CASES)
def test_charts_in_each_layout_are_the_same(case: str, tmp_path: Path, expected: pd.DataFrame) -> None:
    path, options = write_case(case, tmp_path / "in")
    columns = [name for name in expected if name != "streams" or case != "world"]
    pd.testing.assert_frame_equal(entries_of(open_charts(path, **options))[columns], expected[columns])


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_both_doors_read_each_layout_alike(case: str, tmp_path: Path) -> None:
    path, options = write_case(case, tmp_path / "in")
    assert len(through_both_doors(path, tmp_path, **options))


def test_files_of_one_folder_may_have_different_layouts(tmp_path: Path, expected: pd.DataFrame) -> None:
    places = {"Sweden": (CHARTS, "a.csv"), "Germany": (SCRAPED, "b.csv"), "Finland": (OLD, "{code}/{date}.csv")}
    for market, (rows, name) in places.items():
        at = CHARTS["region"] == market
        for file, part in rows[at].groupby(
            CHARTS[at]["date"].map(lambda day, name=name: name.format(code="fi", date=day))
        ):
            write(part, tmp_path / "in" / str(file))
    (tmp_path / "in" / "about.csv").write_text("file,meaning\na.csv,Sweden\n")
    found = through_both_doors(tmp_path / "in", tmp_path)
    pd.testing.assert_frame_equal(found, expected)
    source = find_source(tmp_path / "in", ReadingOptions())
    assert list(source.passed_over) == ["about.csv"]
    assert source.passed_over["about.csv"].startswith("lacks a column for rank, market, date or week_start")
    assert any(line.startswith("from file names: market, date (as in 'fi/2021-01-01.csv'") for line in source.said)


def test_one_name_stands_for_different_columns_in_two_files(tmp_path: Path, expected: pd.DataFrame) -> None:
    first = CHARTS["region"] == "Sweden"
    named = CHARTS.rename(columns={"title": "name", "artist": "artists"})
    other = CHARTS.rename(columns={"artist": "name", "rank": "position"}).assign(rank="not a number")
    write(named[first], tmp_path / "in" / "a.csv")
    write(other[~first].drop(columns="rank").assign(peak=1), tmp_path / "in" / "b.csv")
    found = through_both_doors(tmp_path / "in", tmp_path)
    pd.testing.assert_frame_equal(found, expected)
    with open_charts(tmp_path / "clean") as charts:
        assert set(charts.tracks()["artist"]) == {"Ada, Bo"}


def test_daily_and_weekly_charts_of_one_folder_stay_apart(tmp_path: Path) -> None:
    write_parted(NEW, "regional-{code}-daily-{date}.csv", tmp_path / "in")
    for code in ("se", "de"):
        write(NEW[:1], tmp_path / "in" / f"regional-{code}-weekly-2021-01-07.csv")
    with open_charts(tmp_path / "in") as charts:
        assert dict(zip(charts.present["chart"], charts.present["chart_rows"], strict=True)) == {
            "top200-daily": len(NEW),
            "top200-weekly": 2,
        }


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_two_charts_in_hive_folders_are_two_charts(kind: str, tmp_path: Path, expected: pd.DataFrame) -> None:
    for chart in ("top50", "viral50"):
        write(CHARTS.drop(columns="chart"), tmp_path / "in" / f"chart={chart}" / f"part-0.{kind}")
    for charts in (open_charts(tmp_path / "in"), cleaned(tmp_path / "in", tmp_path, {})):
        assert set(charts.present["chart"]) == {"top50", "viral50"}
        assert charts.account.duplicates == 0
        pd.testing.assert_frame_equal(entries_of(charts, chart="viral50"), expected)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_rows_count_before_names_of_folders_and_these_where_rows_are_empty(
    kind: str, tmp_path: Path, expected: pd.DataFrame
) -> None:
    for market, part in CHARTS.groupby("region"):
        rows = part.assign(region=part["region"].where(part["rank"] > 1))
        write(rows, tmp_path / "in" / f"region={market}" / f"part-0.{kind}")
    write(CHARTS[:0], tmp_path / "in" / "region=Norway" / f"part-0.{kind}")
    pd.testing.assert_frame_equal(through_both_doors(tmp_path / "in", tmp_path), expected)


def test_a_pattern_counts_before_the_rows(tmp_path: Path, expected: pd.DataFrame) -> None:
    for market, part in CHARTS.groupby("region"):
        write(part.assign(region="Norway"), tmp_path / "in" / f"list of {market}.csv")
    (tmp_path / "in" / "notes.csv").write_text("a,b\n1,2\n")
    found = through_both_doors(tmp_path / "in", tmp_path, from_name="list of {market}.csv")
    pd.testing.assert_frame_equal(found, expected)
    source = find_source(tmp_path / "in", ReadingOptions(from_name="list of {market}.csv"))
    assert source.passed_over == {
        "notes.csv": "has a name that does not match --from-name 'list of {market}.csv'",
    }
    with pytest.raises(SettingError, match=r"--column market=region and --from-name 'list of .market.[.]csv' both say"):
        find_source(tmp_path / "in", ReadingOptions(from_name="list of {market}.csv", columns={"market": "region"}))


def test_a_date_above_the_table_is_that_of_the_chart(tmp_path: Path) -> None:
    for day, name in enumerate(("22 August", "23 August"), start=22):
        title = f'\n"Saturday, {name} 2026 [performance over the past 7 days]"\nRank,Artist,Title,URL\n'
        (tmp_path / f"{day}.csv").write_text(f"{title}1,Ada,Song,track/a\n2,Bo,Other,track/b\n")
    with open_charts(tmp_path, market_names={"": "US"}) as charts:
        assert "from the lines above the tables: date (as in '22.csv': 2026-08-22)" in charts.source.said
        assert charts.arrow("positions")["date"].unique().to_pylist() == [date(2026, 8, 22), date(2026, 8, 23)]


def test_charts_of_one_market_need_its_code(tmp_path: Path, expected: pd.DataFrame) -> None:
    at = CHARTS["region"] == "Sweden"
    write(OLD.assign(date=CHARTS["date"])[at], tmp_path / "in" / "chart of one market.csv")
    with pytest.raises(SourceError, match=r"lacks a column for market .*: --market-name =US$"):
        open_charts(tmp_path / "in")
    found = through_both_doors(tmp_path / "in", tmp_path, market_names={"": "SE"})
    pd.testing.assert_frame_equal(found, expected[expected["market"] == "SE"].reset_index(drop=True))


def test_the_names_of_files_count_before_the_market_of_rows_without_one(tmp_path: Path, expected: pd.DataFrame) -> None:
    path = write_parted(NEW, "date={date}/{code}/{date}.csv", tmp_path)
    found = entries_of(open_charts(path, market_names={"": "US"}, from_name="{date}.csv"))
    pd.testing.assert_frame_equal(found, expected)


def test_charts_without_streams_are_not_for_that_reason_viral(tmp_path: Path, expected: pd.DataFrame) -> None:
    for market, part in CHARTS.groupby("region"):
        write(part.drop(columns=["chart", *(["streams"] if market == "Germany" else [])]), tmp_path / f"{market}.csv")
    with open_charts(f"{tmp_path}/*.csv") as charts:
        assert charts.chart() == "chart"
        assert len(charts.entries()) == len(expected)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_alike_but_for_case_need_a_choice(kind: str, tmp_path: Path, expected: pd.DataFrame) -> None:
    write(CHARTS.assign(Rank=CHARTS["rank"] + 1), tmp_path / f"x.{kind}")
    with pytest.raises(SourceError, match=r"has 2 columns called 'rank' but for case \('rank' and 'Rank'\); say which"):
        open_charts(tmp_path / f"x.{kind}")
    found = through_both_doors(tmp_path / f"x.{kind}", tmp_path, columns={"rank": "rank"})
    pd.testing.assert_frame_equal(found, expected)
    later = entries_of(open_charts(tmp_path / f"x.{kind}", columns={"rank": "Rank"}, accept=["holes"]))
    assert (later["rank"] == expected["rank"] + 1).all()


def test_columns_by_position_where_there_is_no_header(tmp_path: Path, expected: pd.DataFrame) -> None:
    CHARTS.to_csv(tmp_path / "x.csv", index=False, header=False)
    with pytest.raises(SourceError, match=r"has no header: its first line is .*--column rank=2 --column market=6"):
        open_charts(tmp_path / "x.csv")
    positions = {name: str(at) for at, name in enumerate(["title", "rank", "date", "artist", "url", "market"], 1)}
    found = through_both_doors(tmp_path / "x.csv", tmp_path, columns=positions | {"streams": "9"})
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("titel,rnk,date,artist,url,region nm", "--column rank=rnk --column market='region nm'"),
        ("year,rank,title,artist", "a table of years has no dates"),
        ("artist,track,date.entered,x1st.week,x2nd.week,x3rd.week", "has a column for each of 3 weeks or dates"),
        ("artist,track,2020-01-02,2020-01-09,2020-01-16", "bring it into long form"),
        ("date,rank,title,region", "lacks a column for track_id or url"),
        ("peak_rank,previous_rank,date,title,artist,region", "lacks a column for rank"),
        ("rank,week,region,name,peak", "lacks a column for track_id or url"),
    ],
)
def test_what_is_no_chart_is_said_with_the_way_on(header: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"{header}\n{','.join('1' * len(header.split(',')))}\n")
    with pytest.raises(SourceError) as error:
        open_charts(tmp_path / "x.csv")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_short_name_is_no_market_by_itself(tmp_path: Path) -> None:
    write(CHARTS.drop(columns="region"), tmp_path / "re.csv")
    with pytest.raises(SourceError, match="lacks a column for market"):
        open_charts(tmp_path / "re.csv")


def test_a_folder_with_few_charts_is_an_error(tmp_path: Path) -> None:
    write(CHARTS, tmp_path / "charts.csv")
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("x,y\n1,2\n")
    with pytest.raises(SourceError, match="lacks a column for rank"):
        open_charts(tmp_path)


TABLES: Mapping[str, Callable[[], Any]] = {
    "pandas": lambda: CHARTS,
    "polars": lambda: pl.from_pandas(CHARTS),
    "arrow": lambda: pa.Table.from_pandas(CHARTS),
    "timestamps": lambda: CHARTS.assign(date=DAY, region=CHARTS["region"].astype("category")),
    "time zone": lambda: CHARTS.assign(date=DAY.dt.tz_localize("Asia/Tokyo")),
    "dates": lambda: CHARTS.assign(date=DAY.dt.date, rank=CHARTS["rank"].astype(float)),
    "periods": lambda: CHARTS.assign(date=DAY.dt.to_period("D"), streams=CHARTS["streams"].astype("Int64")),
    "index": lambda: CHARTS.set_index(KEYS),
    "mixed": lambda: CHARTS.assign(rank=CHARTS["rank"].astype(object).where(CHARTS.index > 0, "1")),
    "lists": lambda: pl.from_pandas(CHARTS).with_columns(pl.col("artist").str.split(", ")),
    "new names": lambda: NEW.assign(country=CHARTS["region"].map(CODES), day=DAY),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_in_memory_are_charts(kind: str, expected: pd.DataFrame) -> None:
    charts = open_charts(TABLES[kind]())
    assert set(charts.tracks()["artist"]) == {"Ada, Bo"}
    assert charts.source.paths == ()
    pd.testing.assert_frame_equal(entries_of(charts), expected)


def test_several_paths_are_one_source(tmp_path: Path, expected: pd.DataFrame) -> None:
    write(CHARTS[:20], tmp_path / "one" / "a.csv")
    write(CHARTS[20:], tmp_path / "two" / "b.parquet")
    pd.testing.assert_frame_equal(entries_of(open_charts([tmp_path / "one", tmp_path / "two" / "b.parquet"])), expected)
    with pytest.raises(DiffusionError, match="'the table' lacks a column for rank"):
        open_charts(CHARTS.drop(columns="rank"))


def test_the_table_of_layouts_is_sound() -> None:
    assert set(SYNONYMS) == set(SOURCE_COLUMNS)
    names = [plain_key(name) for names in SYNONYMS.values() for name in names]
    assert len(names) == len(set(names))
    for layout in LAYOUTS:
        found = recognise(layout.marks)
        assert found.layout.name == layout.name
        assert found.columns["rank"]
        taken = [theirs for theirs in found.columns.values() if theirs]
        assert len(taken) == len(set(taken))

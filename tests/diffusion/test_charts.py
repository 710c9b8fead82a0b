"""Opening charts: layouts, markets, accounts."""

import gzip
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import diffusion
from tests.conftest import KAGGLE_COLUMNS, WriteCsv, day, kaggle_rows, steady

AUDIO = [
    "af_danceability", "af_energy", "af_key", "af_loudness", "af_mode", "af_speechiness", "af_acousticness",
    "af_instrumentalness", "af_liveness", "af_valence", "af_tempo", "af_time_signature",
]  # fmt: skip
AUX = [
    "country_continent", "country_population", "country_area", "country_official_language", "country_major_religions",
    "country_govt_type", "country_driving_side", "cultural_distance_mean", "cultural_distance_median",
    "cultural_distance_min", "cultural_distance_max", "cultural_distance_count", "cultural_top5_targets",
]  # fmt: skip

ROWS = steady(40, {"United States": {"x": 30}, "Sweden": {"x": 35}, "Global": {"x": 29}})
"""Three regions, 40 days; 'x' enters the United States on day 30 and Sweden on day 35."""


def wide(rows: list[dict[str, Any]], *, v1: bool) -> list[dict[str, Any]]:
    """Return rows in the 28 columns, or as the 46 columns that the prior study's tables have, all as text."""
    found = []
    for row in rows:
        track = row["url"].rsplit("/", 1)[1]
        more = {
            "track_id": track, "album": "A", "popularity": "50", "duration_ms": "1000", "explicit": "False",
            "release_date": "2013", "available_markets": "['US', 'SE']", **dict.fromkeys(AUDIO, "0.5"),
        }  # fmt: skip
        row = {name: str(value) for name, value in row.items()} | more
        if v1:
            row["streams"] = f"{row['streams']}.0"
            row |= {
                "observation_date": row["date"],
                "year_month": row["date"][:7],
                "source_country_norm": row["region"],
            }
            row |= dict.fromkeys(AUX, None) | {"year": int(row["date"][:4]), "index": 1.0}
        found.append(row)
    return found


def timed(charts: diffusion.Charts) -> list[tuple[str, str, date]]:
    """Return the timed entries as (track, market, date)."""
    rows = charts.entries().table.to_pylist()
    return [(row["track_id"], row["market"], row["entry"]) for row in rows if not row["left_censored"]]


REAL_WEEKLY = {"no track id": 2}
"""What of the weekly charts of nine regions cannot be believed; eight more rows have their fields put right."""

EXPECTED = [("x", "SE", day(35)), ("x", "US", day(30))]


def test_nine_columns_are_recognised(write_csv: WriteCsv) -> None:
    with diffusion.open_charts(write_csv(ROWS, columns=KAGGLE_COLUMNS)) as charts:
        assert timed(charts) == EXPECTED
        assert charts.account.read == len(ROWS)
        assert charts.account.aggregate == sum(row["region"] == "Global" for row in ROWS)
        assert charts.entries().table["streams"].to_pylist()[0] is not None


def test_twenty_eight_columns_are_recognised_in_any_order(write_csv: WriteCsv) -> None:
    rows = wide(ROWS, v1=False)
    with diffusion.open_charts(write_csv(rows, columns=sorted(rows[0]))) as charts:
        assert timed(charts) == EXPECTED


@pytest.mark.parametrize("columns", [45, 46])
def test_the_prior_studys_partitioned_parquet_is_recognised(tmp_path: Path, columns: int) -> None:
    rows = wide(ROWS, v1=True)
    table = pa.Table.from_pylist(rows)
    table = table if columns == 46 else table.drop_columns(["index"])
    assert table.num_columns == columns
    folder = tmp_path / "full" / "year=2021"
    folder.mkdir(parents=True)
    pq.write_table(table.slice(0, 50), folder / "part-00000.parquet")
    pq.write_table(table.slice(50), folder / "part-00001.parquet")
    with diffusion.open_charts(tmp_path / "full") as charts:
        assert timed(charts) == EXPECTED
        assert charts.entries().table["streams"].to_pylist() == [99000, 99000, 98000, 98000]


def spotifycharts(rows: list[dict[str, Any]], region: str, day_column: str, *, streams: bool) -> list[dict[str, Any]]:
    """Return rows in the layout of spotifycharts.com with the columns that collectors add."""
    return [
        {"Position": row["rank"], "Track Name": row["title"], "Artist": row["artist"]}
        | ({"Streams": row["streams"]} if streams else {})
        | {"URL": row["url"], region: row["region"], day_column: row["date"]}
        for row in rows
    ]


@pytest.mark.parametrize("region", ["region", "country"])
@pytest.mark.parametrize(("streams", "chart"), [(True, "top200"), (False, "chart")])
def test_spotifycharts_is_recognised(write_csv: WriteCsv, region: str, streams: bool, chart: str) -> None:
    with diffusion.open_charts(write_csv(spotifycharts(ROWS, region, "date", streams=streams))) as charts:
        assert timed(charts) == EXPECTED
        assert charts.chart() == chart


def test_a_weekly_chart_is_dated_by_its_last_day(write_csv: WriteCsv) -> None:
    charts = {(r, w * 7): ["old", *(["x"] if w >= e else [])] for r, e in {"us": 6, "se": 7}.items() for w in range(10)}
    rows = spotifycharts(kaggle_rows(charts), "region", "week_start", streams=True)
    with diffusion.open_charts(write_csv(rows)) as opened:
        assert opened.calendar().cadence == 7
        assert opened.calendar().default_window == 56
        assert timed(opened) == [("x", "SE", day(7 * 7 + 6)), ("x", "US", day(6 * 7 + 6))]
    for row in rows:  # a snapshot: the week ends on the day it starts
        row["week_end"] = row["week_start"]
    with diffusion.open_charts(write_csv(rows, name="snapshot.csv")) as opened:
        assert timed(opened) == [("x", "SE", day(7 * 7)), ("x", "US", day(6 * 7))]


def test_an_explicit_mapping_reads_any_layout(write_csv: WriteCsv) -> None:
    rows = [
        {
            "wo": r["region"],
            "wann": r["date"] + " 00:00:00",
            "platz": f"{r['rank']}.0",
            "lied": r["url"][-3:].strip("/"),
        }
        for r in ROWS
    ]
    mapping = {"market": "wo", "date": "wann", "rank": "platz", "track_id": "lied"}
    with diffusion.open_charts(write_csv(rows), columns=mapping) as charts:
        assert charts.source.layout.startswith("columns named: market=wo, date=wann")
        assert len(timed(charts)) == 2
    with pytest.raises(diffusion.SourceError, match="has no column 'nirgends'"):
        diffusion.open_charts(write_csv(rows), columns=mapping | {"rank": "nirgends"})
    with pytest.raises(diffusion.SettingError, match="unknown column 'platz'"):
        diffusion.open_charts(write_csv(rows), columns={"platz": "platz"})
    with pytest.raises(diffusion.SourceError, match=r"lacks a column for market .* --column market=THEIRS"):
        diffusion.open_charts(write_csv(rows), columns={"date": "wann", "rank": "platz", "url": "lied"})
    nearly = [{"rang" if name == "rank" else name: value for name, value in row.items()} for row in ROWS]
    with diffusion.open_charts(write_csv(nearly, name="nearly.csv"), columns={"rank": "rang"}) as charts:
        assert timed(charts) == EXPECTED  # one named column completes a known layout


def test_files_globs_folders_and_compression_read_alike(write_csv: WriteCsv, tmp_path: Path) -> None:
    half = len(ROWS) // 2
    first = write_csv(ROWS[:half], name="in/a [1].csv")  # a name that looks like a pattern
    second = write_csv(ROWS[half:], name="in/b.csv")
    with second.open("rb") as plain, gzip.open(tmp_path / "in" / "b.csv.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    second.unlink()
    (tmp_path / "in" / "_SUCCESS").touch()
    (tmp_path / "in" / "notes.txt").write_text("not charts")
    for path in (tmp_path / "in", f"{tmp_path}/in/*.csv*", f"{tmp_path}/**/*.csv*"):
        with diffusion.open_charts(path) as charts:
            assert timed(charts) == EXPECTED
            assert charts.account.read == len(ROWS)
    assert first.exists()


def test_the_packaged_sample_is_recognised() -> None:
    with diffusion.open_sample() as charts:
        assert charts.account.read == 302_600
        assert charts.account.kept == 298_150
        assert charts.account.aggregate == 4_450
        calendar = charts.calendar()
    assert (len(calendar.markets), calendar.cadence, calendar.chart) == (67, 1, "top50")
    assert (calendar.first_date, calendar.last_date) == (date(2021, 3, 25), date(2021, 6, 30))
    by_market = calendar.by_market()
    assert set(by_market["dates"]) == {89}
    assert set(by_market["missing"]) == {9}


def test_further_market_names_can_be_given(write_csv: WriteCsv) -> None:
    rows = [row | {"region": row["region"].replace("Sweden", "Swedenn")} for row in ROWS]
    with pytest.raises(diffusion.UnknownMarketError, match=r"'Swedenn'; did you mean 'Sweden'\? \(45 rows\)"):
        diffusion.open_charts(write_csv(rows))
    with diffusion.open_charts(write_csv(rows), market_names={"Swedenn": "SE"}) as charts:
        assert timed(charts) == EXPECTED


def test_charts_of_one_source_are_never_mixed(write_csv: WriteCsv) -> None:
    two = ROWS + [row | {"chart": "viral50"} for row in ROWS]
    with diffusion.open_charts(write_csv(two)) as charts:
        assert charts.chart() == "top200"
        assert charts.entries(chart="viral50").table["chart"].unique().to_pylist() == ["viral50"]
        with pytest.raises(diffusion.SettingError, match="no chart 'top50' in the source; it has top200, viral50"):
            charts.entries(chart="top50")
    neither = [row | {"chart": chart} for row in ROWS for chart in ("top50", "viral50")]
    with (
        diffusion.open_charts(write_csv(neither)) as charts,
        pytest.raises(diffusion.SettingError, match="choose one of top50, viral50"),
    ):
        charts.entries()


def test_every_row_is_accounted_for(write_csv: WriteCsv) -> None:
    plenty = steady(200, {"us": {"x": 30}, "se": {"x": 35}})
    bad = [
        plenty[3] | {"date": "week 52"},
        plenty[3] | {"date": "2021-02-30"},
        plenty[3] | {"rank": 0},
        plenty[3] | {"rank": "first"},
        plenty[3] | {"rank": "1.5"},
        plenty[3] | {"url": ""},
        plenty[3] | {"region": " "},
    ]
    with diffusion.open_charts(write_csv(plenty * 2 + bad)) as charts:
        account = charts.account
    assert account.duplicates == len(plenty)
    assert account.kept == len(plenty)
    assert dict(account.set_aside) == {
        "no market": 1, "no track id": 1, "rank is not a whole number from 1": 3, "unreadable date": 2,
    }  # fmt: skip
    assert account.read == len(plenty) * 2 + len(bad)


def test_two_tracks_on_one_rank_are_both_set_aside(write_csv: WriteCsv) -> None:
    plenty = steady(200, {"us": {"x": 30}, "se": {"x": 35}})
    rival = plenty[-1] | {"url": "https://open.spotify.com/track/rival"}
    with diffusion.open_charts(write_csv([*plenty, rival])) as charts:
        assert dict(charts.account.set_aside) == {"two tracks on one rank": 2}
        assert "rival" not in charts.entries().table["track_id"].to_pylist()


def test_tied_tracks_are_kept_where_the_next_ranks_are_left_out(write_csv: WriteCsv) -> None:
    plenty = steady(400, {"us": {"x": 30}, "se": {"x": 35}})
    first = [row for row in plenty if row["date"] == plenty[0]["date"] and row["region"] == "us"]
    link = "https://open.spotify.com/track/"

    def opened(ranks: dict[str, int]) -> dict[str, int]:
        more = [first[0] | {"url": f"{link}{track}", "rank": rank} for track, rank in ranks.items()]
        with diffusion.open_charts(write_csv([*plenty, *more])) as charts:
            return dict(charts.account.set_aside)

    assert opened({"a": 2, "b": 2, "c": 4}) == {}
    assert opened({"a": 2, "b": 2, "c": 2, "d": 5}) == {}
    assert opened({"a": 2, "b": 2, "c": 3}) == {"two tracks on one rank": 2}
    assert opened({"a": 2, "b": 2, "c": 2, "d": 4}) == {"two tracks on one rank": 3}
    assert opened({"a": 2, "b": 2}) == {"two tracks on one rank": 2}  # nothing shows that rank 3 is left out


def test_a_track_twice_on_one_chart_counts_at_its_better_rank(write_csv: WriteCsv) -> None:
    plenty = steady(200, {"us": {"x": 30}, "se": {"x": 35}})
    again = [{**plenty[0], "rank": 7}, {**plenty[0], "rank": 5}]
    with diffusion.open_charts(write_csv([*again, *plenty, plenty[0]])) as charts:
        assert charts.account.duplicates == 1
        assert charts.account.set_aside == {"same track again, at another rank or with other streams": 2}


def test_lines_that_do_not_split_are_counted(write_csv: WriteCsv) -> None:
    path = write_csv(steady(200, {"us": {"x": 30}, "se": {"x": 35}}))
    with path.open("a", newline="") as file:
        file.write("only,three,columns\r\n1,2,3,4,5,6,7,8,9,10,11\r\n")
    with diffusion.open_charts(path) as charts:
        assert sum(charts.account.set_aside.values()) == 2
        assert charts.account.kept == charts.account.read - 2


def test_a_quote_that_never_closes_costs_its_own_line_only(write_csv: WriteCsv) -> None:
    rows = steady(200, {"us": {"x": 30}, "se": {"x": 35}})
    path = write_csv(rows)
    lines = path.read_text().split("\n")
    lines[100] = '"' + lines[100]
    path.write_text("\n".join(lines))
    with diffusion.open_charts(path) as charts:
        assert (charts.account.read, charts.account.kept) == (len(rows), len(rows) - 1)


def test_lines_of_another_encoding_are_not_lost(write_csv: WriteCsv) -> None:
    rows = steady(200, {"us": {"x": 30}, "se": {"x": 35}})
    path = write_csv(rows)
    with path.open("ab") as file:
        file.write("Caf\xe9,9,2021-01-01,A,u/track/z,us,top200,NEW,1\r\n".encode("latin-1"))
    with diffusion.open_charts(path) as charts:
        account = charts.account
        assert account.read == len(rows) + 1 == account.kept + sum(account.set_aside.values())


def test_folders_are_asked_only_for_what_files_do_not_say(write_csv: WriteCsv, tmp_path: Path) -> None:
    bare = [{name: value for name, value in row.items() if name != "region"} for row in ROWS]
    for region in ("United States", "Sweden"):
        rows = [row for row, full in zip(bare, ROWS, strict=True) if full["region"] == region]
        write_csv(rows, name=f"hive/region={region}/a.csv")
    with diffusion.open_charts(tmp_path / "hive") as charts:
        assert timed(charts) == EXPECTED
    write_csv(ROWS, name="rank=1/region=Norway/a.csv")
    for path in ("rank=1", "rank=1/region=Norway", "rank=1/region=Norway/a.csv"):
        with diffusion.open_charts(tmp_path / path) as charts:
            assert timed(charts) == EXPECTED


def test_columns_that_differ_only_in_case_are_an_error(write_csv: WriteCsv) -> None:
    rows = [row | {" Rank": 1} for row in ROWS]
    with pytest.raises(diffusion.SourceError, match=r"2 columns called .* but for case"):
        diffusion.open_charts(write_csv(rows))


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles"])
def test_the_machines_time_zone_changes_no_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    table = pd.DataFrame(ROWS)
    table["date"] = pd.to_datetime(table["date"], utc=True)
    table.to_parquet(tmp_path / "zoned.parquet")
    with diffusion.open_charts(tmp_path / "zoned.parquet") as charts:
        assert timed(charts) == EXPECTED


def test_streams_that_are_there_and_no_number_set_a_row_aside(write_csv: WriteCsv) -> None:
    rows = steady(200, {"us": {"x": 30}, "se": {"x": 35}})
    texts = ["1,234", "253019.0", "12,34", "many", "-7", "", "1.5"]
    rows[:7] = [row | {"streams": text} for row, text in zip(rows, texts, strict=False)]
    with diffusion.open_charts(write_csv(rows)) as charts:
        assert dict(charts.account.set_aside) == {"negative streams": 1, "unreadable streams": 3}
        kept = charts._engine.fetch("chart_rows")["streams"].to_pylist()
    assert [kept.count(streams) for streams in (1234, 253019, None)] == [1, 1, 1]


def test_hostile_text_is_only_text(write_csv: WriteCsv) -> None:
    title = "'); DROP TABLE chart_rows; -- \"\n,<script>\u202e\u0000".replace("\u0000", "")
    rows = [row | {"title": title, "artist": "日本, العربية"} for row in ROWS]
    with diffusion.open_charts(write_csv(rows)) as charts:
        assert timed(charts) == EXPECTED
        assert title.strip() in list(charts.tracks()["title"])


def test_recordings_join_ids_of_one_title_and_artist(write_csv: WriteCsv) -> None:
    rows = steady(80, {"us": {"x1": 40, "y": 41}, "se": {"x2": 50, "y": 52}})
    names = {"x1": "Fever (feat. Guest)", "x2": "FEVER", "y": "Fever - Live"}
    for row in rows:
        row["title"] = names.get(row["url"].rsplit("/", 1)[1], row["title"])
    with diffusion.open_charts(write_csv(rows)) as charts:
        joined = charts.entries(identity="recording").table.to_pylist()
        apart = charts.entries().table.to_pylist()
    assert {(r["track_id"], r["market"]) for r in joined} >= {("x1", "US"), ("x1", "SE"), ("y", "SE")}
    assert len(joined) == len(apart)
    assert "x2" not in {r["track_id"] for r in joined}


def test_blank_titles_are_not_one_recording() -> None:
    tracks = pd.DataFrame({"track_id": ["a", "b", "c"], "title": ["", None, ""], "artist": ["Z", "Z", "Z"]})
    assert diffusion.identities(tracks, "recording")["identity"].tolist() == ["a", "b", "c"]


@pytest.mark.slow
def test_real_weekly_charts_are_recognised(real_data: Path) -> None:
    with diffusion.open_charts(real_data / "viral50-weekly-2017-2020" / "viral50_weekly.parquet") as charts:
        assert charts.account.read == 487_245
        assert charts.account.set_aside == {}
        calendar = charts.calendar()
    assert (calendar.chart, calendar.cadence, len(calendar.markets)) == ("viral50", 7, 66)
    table = calendar.by_market().set_index("market")
    assert table.loc["IN", "first_date"] == pd.Timestamp("2019-02-28")
    assert table.loc["SE", "missing"] == 4
    with diffusion.open_charts(real_data / "top200-weekly-9regions-2016-2019" / "top200_weekly.parquet") as charts:
        assert charts.account.read == 243_800
        assert dict(charts.account.set_aside) == REAL_WEEKLY
        assert charts.calendar().first_date == date(2016, 12, 29)


def test_dates_more_than_a_hundred_years_apart_are_refused(write_csv: WriteCsv) -> None:
    for year in (1901, 2031):
        rows = [row | {"date": f"{year}-01-01"} for row in steady(1, {"Sweden": {}})]
        folder = write_csv(rows, name=f"in/{year}.csv").parent
    said = "'top200' go from 1901-01-01 to 2031-01-01, more than a hundred"
    with diffusion.open_charts(folder) as charts, pytest.raises(diffusion.DataSaysNoError, match=said):
        charts.calendar()

"""Stage 2: RAW becomes the star, and every row is kept and right, a duplicate, or in quarantine with its reason."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion
from diffusion import contracts
from diffusion.contracts.star import REASONS
from diffusion.engine import Engine, open_engine
from diffusion.sources.cleaning import code_tracks, judge_rows, learn_names, read_fields
from diffusion.sources.layouts import AUDIO_COLUMNS, SOURCE_COLUMNS
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import read_manifest
from pipelines.stages.clean import clean_charts
from tests import twins, twins_clean
from tests.conftest import day, kaggle_rows, steady
from tests.random_charts import examples

KAGGLE = ("title", "rank", "date", "artist", "url", "region", "chart", "trend", "streams")
WIDE = (
    *KAGGLE, "track_id", "album", "popularity", "duration_ms", "explicit", "release_date", "available_markets",
    *AUDIO_COLUMNS,
)  # fmt: skip
LINK = "https://open.spotify.com/track/"
PLENTY = steady(60, {"us": {"x": 30, "y": 31}, "se": {"x": 35}, "Global": {"x": 29}})
Rows = Sequence[dict[str, Any]]


def quiet(doing: str, share: float | None = None) -> None:
    """Say nothing."""


def write_raw(place: Path, rows: Rows, *, file: str = "charts.csv", first: int = 2, part: str = "0000-000") -> None:
    """Write rows into RAW as ingest does, by year of the text in `date`."""
    by_year: dict[str, list[dict[str, Any]]] = {}
    for line, row in enumerate(rows, first):
        text = {name: None if value is None else str(value) for name, value in row.items()}
        year = str(row.get("date"))[:4]
        row = text | {"source_file": file, "source_line": line}
        by_year.setdefault(year if year.isdigit() else "unknown", []).append(row)
    for year, own in by_year.items():
        folder = place / "full" / f"year={year}"
        folder.mkdir(parents=True, exist_ok=True)
        names = [name for name in own[0] if name != "source_line"]
        columns = {name: pa.array([row[name] for row in own], pa.string()) for name in names}
        columns["source_line"] = pa.array([row["source_line"] for row in own], pa.int64())
        pq.write_table(pa.table(columns), folder / f"part-{part}.parquet")


def clean(raw: Path, out: Path, *, accept: Sequence[str] = ("set-aside", "holes"), **options: Any) -> dict[str, Any]:
    """Clean RAW into a folder and return the notes; every share of rows set aside is accepted."""
    with Folder(out) as folder:
        return clean_charts(raw, folder, accept=accept, tell=quiet, **options)


def table(out: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table of CLEAN."""
    rows: list[dict[str, Any]] = pq.read_table(out / f"{name}.parquet").to_pylist()
    return rows


def observations(out: Path) -> list[dict[str, Any]]:
    """Return all observations in order of their files."""
    files = sorted((out / "observations").rglob("*.parquet"))
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def hashes(out: Path) -> dict[str, str]:
    """Return the SHA-256 of every file but the manifest and the log."""
    files = [path for path in out.rglob("*") if path.is_file() and path.name not in ("manifest.json", "runs.log")]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def wide(rows: Rows, **more: Any) -> list[dict[str, Any]]:
    """Return rows in the 28 columns."""
    blank = dict.fromkeys(WIDE)
    return [blank | row | {"track_id": row["url"].rsplit("/", 1)[1]} | more for row in rows]


def cleaned(tmp_path: Path, rows: Rows, **options: Any) -> tuple[dict[str, Any], Path]:
    """Write rows into RAW, clean it, and return the notes and CLEAN."""
    write_raw(tmp_path / "raw", wide_enough(rows))
    return clean(tmp_path / "raw", tmp_path / "out", **options), tmp_path / "out"


def reasons(out: Path) -> dict[str, int]:
    """Return the rows in quarantine by reason."""
    return dict(Counter(row["reason"] for row in table(out, "quarantine")))


def test_the_star_has_the_tables_and_columns_that_are_promised(tmp_path: Path) -> None:
    notes, out = cleaned(tmp_path, wide(PLENTY, available_markets="['SE', 'US']", artist="A, B"))
    assert notes["rows"] == {
        "raw_rows": len(PLENTY), "kept_rows": len(PLENTY), "duplicate_rows": 0, "quarantined_rows": 0,
        "repaired_rows": 0, "tied_rows": 0,
    }  # fmt: skip
    tables = (contracts.TRACKS, contracts.ARTISTS, contracts.AVAILABILITY, contracts.RECORDINGS)
    for contract in (*tables, contracts.QUARANTINE):
        found = pq.read_table(out / f"{contract.name}.parquet")
        assert [(field.name, field.type) for field in found.schema] == [(c.name, c.type) for c in contract.columns]
    (file,) = (out / "observations").rglob("*.parquet")
    assert file.relative_to(out).as_posix() == "observations/year=2021/part-00000.parquet"
    found = pq.ParquetFile(file).read()
    assert [(f.name, f.type) for f in found.schema] == [(c.name, c.type) for c in contracts.OBSERVATIONS.columns]
    keys = [(row["chart"], row["market"], row["date"], row["rank"]) for row in found.to_pylist()]
    assert keys == sorted(set(keys))
    assert {row["market"] for row in found.to_pylist()} == {"Global", "SE", "US"}
    codes = {row["track_id"]: row["track"] for row in table(out, "tracks")}
    assert codes == {"oldus": 0, "x": 1, "y": 2, "oldse": 3, "oldGlobal": 4}
    assert all(codes[row["track_id"]] == row["track"] for row in found.to_pylist())
    assert [(r["position"], r["artist"]) for r in table(out, "artists")][:2] == [(1, "A"), (2, "B")]
    assert len(table(out, "availability")) == 2 * len(codes)
    lines = (out / "row_accounting.csv").read_text().splitlines()
    assert lines[0] == "metric,value"
    assert lines[1] == f"raw_rows,{len(PLENTY)}"
    assert "clean" in read_manifest(out)["steps"]


FLAWS: list[tuple[dict[str, Any], str | None]] = [
    ({"rank": "1.0"}, None),
    ({"streams": "253019.0"}, None),
    ({"streams": "1,234"}, None),
    ({"streams": "12,34"}, "unreadable streams"),
    ({"streams": "lots"}, "unreadable streams"),
    ({"streams": "-3"}, "negative streams"),
    ({"streams": None}, None),
    ({"streams": "9" * 12}, "streams beyond the bound"),
    ({"date": "2021/01/01"}, None),
    ({"date": "20210101"}, None),
    ({"date": "2021-01-01 00:00:00"}, None),
    ({"date": "2021-01-01T00:00:00.000Z"}, None),
    ({"date": "01/02/2017"}, "unreadable date"),
    ({"date": "week 2 of 2017"}, "unreadable date"),
    ({"date": "2021-02-30"}, "unreadable date"),
    ({"date": None}, "unreadable date"),
    ({"date": "1999-01-01"}, "date outside the file's span"),
    ({"rank": "0"}, "rank is not a whole number from 1"),
    ({"rank": "1.5"}, "rank is not a whole number from 1"),
    ({"rank": "201"}, "rank beyond the chart's depth"),
    ({"region": "  "}, "no market"),
    ({"region": "Swedenn"}, "unknown market"),
    ({"url": ""}, "no track id"),
    ({"url": None, "track_id": "nan"}, "no track id"),
    ({name: name for name in KAGGLE}, "header repeated"),
    ({"url": None, "artist": f"{LINK}x"}, "fields shifted"),
    ({"url": None, "region": f"{LINK}x"}, "fields shifted"),
]


@pytest.mark.parametrize(("flaw", "reason"), FLAWS, ids=lambda value: str(value)[:40])
def test_a_row_is_kept_and_right_or_in_quarantine(tmp_path: Path, flaw: dict[str, Any], reason: str | None) -> None:
    rows = [dict(row) for row in PLENTY]
    rows[0] = rows[0] | flaw
    notes, out = cleaned(tmp_path, rows)
    kept = [row for row in observations(out) if (row["market"], row["date"], row["rank"]) == ("US", day(0), 1)]
    if reason is None:
        assert notes["rows"]["kept_rows"] == len(rows)
        assert kept[0]["streams"] == twins.whole_number(str(rows[0]["streams"]).replace(",", ""))
        return
    assert notes["reasons"] == {reason: 1} == reasons(out)
    assert reason in REASONS
    assert kept == []
    (aside,) = table(out, "quarantine")
    assert (aside["file"], aside["line"]) == ("charts.csv", 2)
    fields = next(csv.reader(io.StringIO(aside["row"])))
    assert fields == ["" if value is None else str(value) for value in wide_enough(rows)[0].values()]


def test_every_reason_of_a_row_is_shown_to_happen() -> None:
    shown = {reason for _, reason in FLAWS} - {None}
    elsewhere = {"same track again, at another rank or with other streams", "two tracks on one rank"}
    assert shown | elsewhere == set(REASONS)


def test_copies_are_duplicates_and_contradictions_are_not_believed(tmp_path: Path) -> None:
    first = PLENTY[0]
    more = [first, {**first, "rank": 9}, {**first, "streams": 5}, {**PLENTY[1], "url": f"{LINK}rival"}]
    notes, out = cleaned(tmp_path, [*PLENTY, *more])
    assert notes["reasons"] == {
        "same track again, at another rank or with other streams": 2, "two tracks on one rank": 2,
    }  # fmt: skip
    assert (notes["rows"]["duplicate_rows"], notes["rows"]["kept_rows"]) == (1, len(PLENTY) - 1)
    by_file = pd.read_csv(out / "accounting_by_file.csv")
    assert by_file.iloc[0].tolist() == ["charts.csv", 2021, len(PLENTY) + 4, len(PLENTY) - 1, 1, 4, 0, 0]


def test_what_a_run_refuses_without_consent_is_refused_here_too(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw", [row | {"region": ""} if n % 20 == 0 else row for n, row in enumerate(PLENTY)])
    with pytest.raises(diffusion.DataSaysNoError, match=r"no market, 5\.[0-9]%.*'=Global'.*--accept set-aside"):
        clean(tmp_path / "raw", tmp_path / "out", accept=())
    assert not (tmp_path / "out" / "tracks.parquet").exists()
    notes = clean(tmp_path / "raw", tmp_path / "out", accept=["set-aside"])
    with diffusion.open_charts(tmp_path / "out") as charts:  # whose makers have consented
        assert dict(charts.account.set_aside) == notes["reasons"] == {"no market": notes["rows"]["quarantined_rows"]}


def test_charts_with_holes_are_cleaned_with_consent_and_it_stays_said(tmp_path: Path) -> None:
    rows = [row | {"rank": 3 * row["rank"]} for row in PLENTY]
    write_raw(tmp_path / "raw", rows)
    with pytest.raises(diffusion.DataSaysNoError, match=r"has holes.*--accept holes"):
        clean(tmp_path / "raw", tmp_path / "out", accept=["set-aside"])
    notes = clean(tmp_path / "raw", tmp_path / "out", accept=["holes"])
    with diffusion.open_charts(tmp_path / "out") as charts:
        assert charts.wholeness.said() == notes["wholeness"] != []


def test_tied_tracks_are_kept_in_order_of_rank_and_code(tmp_path: Path) -> None:
    rows = kaggle_rows({("se", day): ["a", "b", "c", "d"] for day in range(200)})
    rows[2] |= {"rank": 2}  # "b" and "c" on rank 2, none on rank 3
    notes, out = cleaned(tmp_path, rows, accept=())
    assert (notes["rows"]["kept_rows"], notes["rows"]["tied_rows"], notes["reasons"]) == (800, 2, {})
    assert [(row["track_id"], row["rank"]) for row in observations(out)[:4]] == [("a", 1), ("b", 2), ("c", 2), ("d", 4)]
    with diffusion.open_charts(out) as charts:
        assert charts.account.tied == 2


def test_a_lost_title_is_repaired_where_all_fields_are_right_again(tmp_path: Path) -> None:
    rows = wide(PLENTY)
    names = list(WIDE)

    def shifted(row: dict[str, Any]) -> dict[str, Any]:
        values = [row[name] for name in names]
        return dict(zip(names, [*values[1:], None], strict=True))

    right, wrong = shifted(rows[0]), shifted(rows[1] | {"rank": "500"})
    notes, out = cleaned(tmp_path, [*rows[2:], right, wrong])
    assert notes["rows"]["repaired_rows"] == 1
    assert notes["reasons"] == {"fields shifted": 1}
    (row,) = [row for row in observations(out) if (row["market"], row["date"], row["rank"]) == ("US", day(0), 1)]
    assert (row["track_id"], row["streams"], row["trend"]) == ("oldus", 99_000, "SAME_POSITION")
    titles = {row["track_id"]: row["title"] for row in table(out, "tracks")}
    assert titles["oldus"] == "Title of oldus"


@pytest.mark.slow
def test_the_weekly_charts_of_nine_regions_are_accounted_for(tmp_path: Path, real_data: Path) -> None:
    source = pq.read_table(real_data / "top200-weekly-9regions-2016-2019" / "top200_weekly.parquet")
    columns = {name.lower().replace(" ", "_"): source[name].cast(pa.string()) for name in source.schema.names}
    (tmp_path / "raw").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "raw" / "weekly.parquet")
    notes = clean(tmp_path / "raw", tmp_path / "out")
    rows = notes["rows"]
    assert rows["raw_rows"] == 243_800
    assert rows["repaired_rows"] == 8
    assert notes["reasons"] == {"no track id": 2}
    assert rows["raw_rows"] == rows["kept_rows"] + rows["duplicate_rows"] + rows["quarantined_rows"]
    with diffusion.open_charts(tmp_path / "out") as charts:
        assert charts.calendar().cadence == 7
        with diffusion.open_charts(real_data / "top200-weekly-9regions-2016-2019" / "top200_weekly.parquet") as own:
            assert charts.account == own.account
            assert charts.entries().table.equals(own.entries().table)


def test_the_star_opens_to_the_same_entries_as_its_source(tmp_path: Path, write_csv: Any) -> None:
    rows = [row | {"available_markets": "['SE']" if "x" in row["url"] else "[]"} for row in PLENTY]
    rows += [row | {"chart": "viral50", "streams": None} for row in PLENTY]
    _, out = cleaned(tmp_path, rows)
    with diffusion.open_charts(write_csv(rows)) as raw, diffusion.open_charts(out) as star:
        assert star.account == raw.account
        assert star.present.equals(raw.present)
        for chart in ("top200", "viral50"):
            assert star.calendar(chart).coverage.equals(raw.calendar(chart).coverage)
            for rules in ({}, {"min_periods": 3}, {"identity": "recording"}, {"top": 2}):
                theirs, ours = (charts.entries(chart=chart, **rules) for charts in (raw, star))
                assert ours.table.equals(theirs.table)
                assert ours.withheld.equals(theirs.withheld)
        assert ours.withheld.num_rows


def test_a_bare_star_opens_without_manifest(tmp_path: Path) -> None:
    _, out = cleaned(tmp_path, PLENTY)
    for path in out.iterdir():
        if path.is_file() and path.name != "tracks.parquet":
            path.unlink()
    with diffusion.open_charts(out) as charts:
        assert charts.account.kept + charts.account.aggregate == len(PLENTY) == charts.account.read
        assert charts.entries().withheld.num_rows == 0


def years(*numbers: int) -> list[dict[str, Any]]:
    """Return the small charts once for each year."""
    return [row | {"date": row["date"].replace("2021", str(year))} for year in numbers for row in PLENTY]


def test_what_is_added_gives_the_same_as_from_the_beginning(tmp_path: Path) -> None:
    old, new = years(2019, 2020), years(2020, 2021)
    for row in old:
        row["title"] = None if row["url"].endswith("x") else row["title"]
    new = [row | {"title": f"New {row['title']}", "rank": int(row["rank"]) + 5} for row in new] + [old[0] | {"rank": 0}]
    new += [new[0] | {"url": f"{LINK}late", "rank": 30}]
    write_raw(tmp_path / "raw", old, file="a.csv")
    clean(tmp_path / "raw", tmp_path / "grown")
    before = hashes(tmp_path / "grown")
    write_raw(tmp_path / "raw", new, file="b.csv", part="0001-000")
    told: list[str] = []
    with Folder(tmp_path / "grown") as folder:
        clean_charts(
            tmp_path / "raw",
            folder,
            accept=("set-aside", "holes"),
            tell=lambda doing, share=None: told.append(doing),
        )
    assert [line for line in told if line.startswith("cleaning")] == ["cleaning 2020", "cleaning 2021"] or (
        "cleaning 2019" in told  # a row of 2019 was added with it
    )
    clean(tmp_path / "raw", tmp_path / "fresh")
    grown, fresh = hashes(tmp_path / "grown"), hashes(tmp_path / "fresh")
    assert grown == fresh
    assert before.keys() < grown.keys()


def test_unchanged_years_are_not_cleaned_again(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw", years(2019, 2020), file="a.csv")
    clean(tmp_path / "raw", tmp_path / "out")
    for expected in ([], ["cleaning 2021"]):
        told: list[str] = []
        with Folder(tmp_path / "out") as folder:
            clean_charts(tmp_path / "raw", folder, tell=lambda doing, share=None, told=told: told.append(doing))
        assert [line for line in told if line.startswith("cleaning")] == expected
        write_raw(tmp_path / "raw", years(2021), file="b.csv", part="0001-000")


def test_a_little_memory_gives_the_same_bytes(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw", years(2019, 2020))
    clean(tmp_path / "raw", tmp_path / "one")
    clean(tmp_path / "raw", tmp_path / "two", memory_limit="200MB")
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


def test_damaged_lines_go_to_quarantine_as_they_are(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw", PLENTY)
    line = {"file": "charts.csv", "line": 999, "reason": "quote that never closes", "row": '"Oh\n,1'}
    pq.write_table(pa.Table.from_pylist([line], contracts.QUARANTINE.schema), tmp_path / "raw" / "damaged.parquet")
    notes = clean(tmp_path / "raw", tmp_path / "out")
    assert table(tmp_path / "out", "quarantine") == [line]
    assert (notes["rows"]["raw_rows"], notes["rows"]["quarantined_rows"]) == (len(PLENTY) + 1, 1)


def test_the_prior_studys_tables_are_cleaned(tmp_path: Path) -> None:
    rows = wide(PLENTY, release_date="2013", explicit="False")
    for row in rows:
        row |= {"streams": f"{row['streams']}.0", "observation_date": row["date"], "year_month": row["date"][:7]}
        row |= {"source_country_norm": row["region"], "country_continent": "Europe", "index": 1.0}
    folder = tmp_path / "full" / "year=2021"
    folder.mkdir(parents=True)
    rows = [row | {"rank": str(row["rank"])} for row in rows]
    pq.write_table(pa.Table.from_pylist([*rows, rows[0] | {"rank": "x"}]), folder / "part-00000.parquet")
    notes = clean(tmp_path, tmp_path / "out")
    assert notes["rows"]["kept_rows"] == len(rows)
    (aside,) = table(tmp_path / "out", "quarantine")
    assert (aside["file"], aside["line"]) == ("full/year=2021/part-00000.parquet", len(rows) + 1)
    assert len(next(csv.reader(io.StringIO(aside["row"])))) == len(WIDE)


def test_tracks_are_typed_and_flagged(tmp_path: Path) -> None:
    rows = wide(PLENTY)
    told = {
        "oldus": {"release_date": "2022-03", "explicit": "TRUE", "duration_ms": "0", "af_tempo": "0.0"},
        "x": {"release_date": "2013", "explicit": "0", "popularity": "50.0", "af_energy": "1e-3", "af_tempo": "nan"},
        "y": {"release_date": "0000", "explicit": "maybe", "duration_ms": "x"},
        "oldse": {"release_date": "2020-12-24", "available_markets": "['SE', 'SE', 'USA', 'US', 'no']"},
    }
    _, out = cleaned(tmp_path, [row | told.get(row["track_id"], {}) for row in rows])
    tracks = {row["track_id"]: row for row in table(out, "tracks")}
    for track, fields in told.items():
        assert (tracks[track]["release_date"], tracks[track]["release_precision"]) == twins_clean.release(
            fields["release_date"]
        )
    flags = ("zero_duration", "zero_tempo", "release_after_debut")
    assert [tracks["oldus"][flag] for flag in flags] == [True, True, True]
    assert [tracks["x"][flag] for flag in flags] == [False, False, False]
    assert [tracks[track]["explicit"] for track in ("oldus", "x", "y", "oldse")] == [True, False, None, None]
    assert (tracks["x"]["popularity"], tracks["x"]["af_energy"], tracks["x"]["af_tempo"]) == (50, 0.001, None)
    assert (tracks["oldus"]["duration_ms"], tracks["y"]["duration_ms"]) == (0, None)
    assert [row["market"] for row in table(out, "availability")] == ["SE", "US"]


def test_recordings_are_joined_unless_that_is_off(tmp_path: Path) -> None:
    names = {"x": ("Fever (feat. B)", "A, C"), "y": ("FEVER", "A"), "e": ("Féver", "C & A"), "s": (" ", "C")}
    rows = []
    for row in PLENTY:
        title, artist = names.get(row["url"][-1], (row["title"], row["artist"]))
        rows.append(row | {"title": title, "artist": artist})
    _, out = cleaned(tmp_path, rows)
    joined = {row["track_id"]: row["recording"] for row in table(out, "recordings")}
    counted_as = diffusion.identities(pd.DataFrame(table(out, "tracks")), "recording")
    assert joined == counted_as.set_index("track_id")["identity"].to_dict()
    assert joined["x"] == joined["y"] == joined["oldse"]
    clean(tmp_path / "raw", tmp_path / "apart", recordings=False)
    assert all(row["track_id"] == row["recording"] for row in table(tmp_path / "apart", "recordings"))


def test_rows_of_an_unknown_market_are_set_aside_until_it_has_a_name(tmp_path: Path) -> None:
    rows = [row | {"region": row["region"].replace("se", "Swedenn")} for row in PLENTY]
    strange = sum(row["region"] == "Swedenn" for row in rows)
    notes, _ = cleaned(tmp_path, rows)
    assert notes["unknown_markets"] == {"Swedenn": f"unknown market 'Swedenn'; did you mean 'Sweden'? ({strange} rows)"}
    assert notes["reasons"] == {"unknown market": strange}
    assert notes["rows"]["kept_rows"] == len(PLENTY) - strange
    notes = clean(tmp_path / "raw", tmp_path / "out", market_names={"Swedenn": "SE"})
    assert notes["rows"]["kept_rows"] == len(PLENTY)
    assert notes["unknown_markets"] == {}


def test_no_raw_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(diffusion.SourceError, match=r"no folder at .* `chart-diffusion ingest"):
        clean(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "raw").mkdir()
    with pytest.raises(diffusion.SourceError, match="no Parquet file below"):
        clean(tmp_path / "raw", tmp_path / "out")


# ── twins ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Return an engine that serves all examples; each replaces the tables of the one before."""
    with open_engine() as opened:
        yield opened


def keep_source(engine: Engine, rows: Iterable[dict[str, Any]]) -> None:
    """Give an engine source rows, whose fields are text."""
    blank: dict[str, Any] = dict.fromkeys(SOURCE_COLUMNS)
    table = [blank | {"file": "a", "line": line} | row for line, row in enumerate(rows, 2)]
    types = [*((name, pa.string()) for name in (*SOURCE_COLUMNS, "file")), ("line", pa.int64())]
    engine.keep("source_rows", pa.Table.from_pylist(table, pa.schema(types)))


DATES = st.sampled_from(
    ["2017-01-05", "2017/01/05", "20170105", "2017-01-05T00:00:00Z", "05/01/2017", "2017-13-01", "2017-1-5",
     "2016-02-29", "2018-02-29", "2018-01-06", "2018-01-07", "2019-01-09", "1999/12/31", " 2018-01-01 ", "5 Jan 2017",
     "3017-01-01", "20/01/2017", "06/06/2017", "", None]
)  # fmt: skip


@examples(40)
@given(texts=st.lists(st.tuples(DATES, DATES, DATES), min_size=1, max_size=12))
def test_dates_and_spans_are_what_the_twins_say(
    engine: Engine, texts: list[tuple[str | None, str | None, str | None]]
) -> None:
    rows = [{"date": d, "week_start": s, "week_end": e, "market": "se", "chart": "c"} for d, s, e in texts]
    plain = {"date": "2018-01-01", "market": "se", "chart": "c", "file": "b"}
    keep_source(engine, [*rows, *[plain] * len(rows)])  # most rows have a date
    charts = [(d,) if s is None else (d, s, e) for d, s, e in texts]
    order = twins_clean.the_order(charts)
    try:
        learn_names(engine, charts={}, market_names=None)
    except diffusion.SourceError as error:
        assert order is None
        assert "--date-format" in str(error)
        return
    assert order is not None
    found = engine._connection.sql("SELECT day_text, date, outside FROM days WHERE source = 0").fetchall()
    dates = Counter(
        read
        for d, s, e in texts
        if (read := twins_clean.chart_date(d, order) or twins_clean.week_date(s, e, order)) is not None
    )
    if not dates:
        assert found == []
        return
    first, last = twins_clean.span(dates)
    assert {row[1] for row in found} == set(dates)
    assert {row[1] for row in found if not row[2]} == {day for day in dates if first <= day <= last}


BOUND = 1e-12
"""Both sides take an exponential, the engine's and Python's."""

STREAMS = st.sampled_from(["0", "1", "90", "100", "110", "5000", "20000", "900000", "1000000000000", None])


@examples(25)
@given(values=st.lists(st.tuples(st.sampled_from(["us", "se"]), STREAMS), min_size=1, max_size=40))
def test_bounds_of_streams_are_what_the_twin_says(engine: Engine, values: list[tuple[str, str | None]]) -> None:
    rows = [
        {"market": market, "chart": "c", "date": "2020-01-01", "rank": str(rank), "track_id": f"t{rank}", "streams": n}
        for rank, (market, n) in enumerate(values, 1)
    ]
    typed = [
        {"chart": "c", "market": market, "date": date(2020, 1, 1), "streams": n and int(n)} for market, n in values
    ]
    keep_source(engine, rows)
    learn_names(engine, charts={}, market_names=None)
    code_tracks(engine)
    judge_rows(engine)
    found = engine._connection.sql(
        "SELECT c.chart, m.market, b.year, b.bound FROM stream_bounds AS b "
        "JOIN market_codes AS m ON m.code = b.market JOIN chart_codes AS c ON c.code = b.chart"
    ).fetchall()
    aside = engine.fetch("accounts").to_pylist()
    twin = {(chart, market.upper(), year): bound for (chart, market, year), bound in twins_clean.bounds(typed).items()}
    assert {(chart, market, year): bound for chart, market, year, bound in found} == pytest.approx(twin, rel=BOUND)
    wrong = sum(n is not None and int(n) > twin["c", market.upper(), 2020] for market, n in values)
    assert sum(row["source_rows"] for row in aside if row["outcome"] == "streams beyond the bound") == wrong


@examples(25)
@given(texts=st.lists(st.text(alphabet="AB, Cx'[]0", max_size=14), min_size=1, max_size=6))
def test_credits_and_licences_are_what_the_twins_say(engine: Engine, texts: list[str]) -> None:
    rows = [
        {"market": "se", "chart": "c", "date": "2020-01-01", "rank": str(n), "track_id": f"track-{n:03d}", "title": "T",
         "artist": text, "available_markets": text}
        for n, text in enumerate(texts, 1)
    ]  # fmt: skip
    keep_source(engine, rows)
    learn_names(engine, charts={}, market_names=None)
    code_tracks(engine)
    judge_rows(engine)
    engine.view("observations")
    read_fields(engine)
    engine.create("tracks")
    artists = engine.fetch("artists").to_pylist()
    markets = engine.fetch("availability").to_pylist()
    for n, text in enumerate(texts):
        assert [row["artist"] for row in artists if row["track"] == n] == twins_clean.credits_of(text.strip())
        assert {row["market"] for row in markets if row["track"] == n} == twins_clean.licences(text)


CELLS = st.sampled_from([*(flaw for flaw, _ in FLAWS), {}, {"track_id": "", "url": None}, {"chart": "VIRAL50 "}])


@examples(20)
@given(flaws=st.lists(st.tuples(st.integers(0, len(PLENTY) - 1), CELLS), max_size=20))
def test_mutilated_rows_are_all_accounted_for(
    flaws: list[tuple[int, dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [dict(row) for row in PLENTY] + [PLENTY[at] | flaw for at, flaw in flaws]
    notes, out = cleaned(tmp_path_factory.mktemp("fuzz"), rows)
    counts = notes["rows"]
    assert counts["raw_rows"] == len(rows) == sum(list(counts.values())[1:4])
    places = [(row["file"], row["line"]) for row in table(out, "quarantine")]
    assert len(set(places)) == len(places) == counts["quarantined_rows"]
    assert len(observations(out)) == counts["kept_rows"]


def wide_enough(rows: Rows) -> list[dict[str, Any]]:
    """Return rows that all have the same columns."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]

"""Stage 1: RAW keeps every row and every column, says so, grows, and survives what happens to it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import diffusion
from diffusion.sources.reading import ReadingOptions
from pipelines.contracts.auxiliary import LOOKUP
from pipelines.contracts.raw import AUX_FULL, AUX_SLIM
from pipelines.folders.folder import Folder
from pipelines.folders.verify import verify
from pipelines.stages.clean import clean_charts
from pipelines.stages.ingest import Options, ingest
from pipelines.stages.partitions import partitions
from tests.conftest import KAGGLE_COLUMNS, WriteCsv, kaggle_rows, steady

ROWS = steady(40, {"United States": {"x": 30}, "Viet  Nam": {"x": 35}, "Global": {"x": 29}})


def quiet(doing: str, share: float | None = None) -> None:
    """Say nothing."""


def run(
    paths: list[Path],
    out: Path,
    *,
    append: bool = False,
    replace_others: bool = False,
    aux: Path | None = None,
    slim_only: bool = False,
    **reading: Any,
) -> dict[str, Any]:
    """Ingest into a folder and return the notes."""
    options = Options(ReadingOptions(**reading), aux, slim_only)
    with Folder(out) as folder:
        return ingest(paths, folder, options=options, append=append, replace_others=replace_others, tell=quiet)


def table(out: Path, name: str) -> pl.DataFrame:
    """Return a table of RAW with its years, in the order of files and lines where it has them."""
    files = sorted((out / name).glob("*/*.parquet"))
    years = [pl.lit(file.parent.name.removeprefix("year=")).alias("year") for file in files]
    parts = [pl.read_parquet(file).with_columns(year) for file, year in zip(files, years, strict=True)]
    rows = pl.concat(parts, how="diagonal")
    return rows.sort("source_file", "source_line") if "source_line" in rows.columns else rows


def report(out: Path, name: str) -> list[dict[str, str]]:
    """Return a CSV report."""
    return list(csv.DictReader(io.StringIO((out / name).read_text(encoding="utf-8"))))


def test_full_keeps_every_column_as_text_with_its_place(write_csv: WriteCsv, tmp_path: Path) -> None:
    rows = [{name: row[name] for name in KAGGLE_COLUMNS} for row in ROWS]
    run([write_csv(rows)], tmp_path / "raw")
    full = table(tmp_path / "raw", "full")
    assert full.select(KAGGLE_COLUMNS).rows(named=True) == [
        {name: str(value) for name, value in row.items()} for row in rows
    ]
    assert full["source_line"].to_list() == list(range(2, len(rows) + 2))
    assert set(full["source_file"]) == {"charts.csv"}
    assert set(zip(full["source_country_norm"], full["market"], strict=True)) == {
        ("United States", "US"), ("Viet Nam", "VN"), ("Global", "Global"),
    }  # fmt: skip
    assert set(full["year_month"]) == {"2021-01", "2021-02"}
    assert set(full["year"]) == {"2021"}


def test_slim_is_typed_and_what_cannot_be_read_is_null_there_only(write_csv: WriteCsv, tmp_path: Path) -> None:
    rows = kaggle_rows({("Sweden", number): ["a", "b", "c"] for number in range(3)})
    rows[0] |= {"rank": "1.0", "streams": "253019.0"}
    rows[1] |= {"rank": "first", "streams": "1.5"}
    rows[2] |= {"date": "02/01/2021", "url": "https://open.spotify.com/track/" + "Z" * 22 + "?si=1"}
    rows[3] |= {"date": "2021/01/02", "chart": " "}
    run([write_csv(rows)], tmp_path / "raw")
    slim, full = table(tmp_path / "raw", "slim"), table(tmp_path / "raw", "full")
    assert dict(zip(slim.columns, slim.dtypes, strict=True))["streams"] == pl.Int64
    by_track = {(row["track_id"], row["observation_date"]): row for row in slim.rows(named=True)}
    assert len(by_track) == 9
    first = by_track["a", full["observation_date"].str.to_date()[0]]
    assert (first["rank"], first["streams"]) == (1, 253019)
    assert (slim["rank"].null_count(), slim["streams"].null_count(), slim["observation_date"].null_count()) == (1, 1, 1)
    assert "Z" * 22 in slim["track_id"].to_list()
    assert full["rank"].to_list()[:2] == ["1.0", "first"]
    assert (tmp_path / "raw/full/year=unknown").is_dir()
    assert set(slim["chart"]) == {"top200"}


def test_reports_have_the_prior_studys_names_and_headers(write_csv: WriteCsv, tmp_path: Path) -> None:
    rows = [{name: row[name] for name in KAGGLE_COLUMNS} for row in ROWS]
    rows[0]["title"], rows[1]["artist"] = " ", ""
    path = write_csv(rows)
    path.write_bytes(path.read_bytes() + b"cut,in,the\n")
    run([path], tmp_path / "raw")
    accounting = {row["metric"]: int(row["value"]) for row in report(tmp_path / "raw", "row_accounting.csv")}
    assert accounting == {
        "raw_rows": len(rows) + 1, "merged_rows": len(rows), "damaged_rows": 1, "rows_filtered": 0,
    }  # fmt: skip
    (overview,) = report(tmp_path / "raw", "profile_overview.csv")
    assert overview == {
        "raw_rows": str(len(rows) + 1), "merged_rows": str(len(rows)), "min_date": "2021-01-01",
        "max_date": "2021-02-09", "distinct_track_id": "4", "distinct_artist": "1", "distinct_region": "3",
        "distinct_chart": "1", "join_aux_enabled": "0",
    }  # fmt: skip
    rates = {row["column_name"]: float(row["null_rate"]) for row in report(tmp_path / "raw", "profile_null_rates.csv")}
    assert list(rates) == list(KAGGLE_COLUMNS)
    assert rates["title"] == rates["artist"] == pytest.approx(1 / len(rows))
    assert rates["rank"] == 0
    schema = report(tmp_path / "raw", "source_schema.csv")
    assert list(schema[0]) == ["cid", "name", "type", "not_null", "dflt_value", "pk"]
    assert [row["name"] for row in schema] == list(KAGGLE_COLUMNS)
    assert (tmp_path / "raw/aux_profile.csv").read_text() == "artifact,rows,path\n"


def test_damaged_lines_survive_with_file_and_line(write_csv: WriteCsv, tmp_path: Path) -> None:
    path = write_csv(ROWS[:5], name="in/a.csv")
    write_csv(ROWS[5:8], name="in/b.csv")
    path.write_bytes(path.read_bytes() + b'"never closed,1,2\n')
    run([tmp_path / "in"], tmp_path / "raw")
    assert pl.read_parquet(tmp_path / "raw/damaged.parquet").rows() == [
        ("a.csv", 7, "quote never closes", '"never closed,1,2')
    ]
    assert table(tmp_path / "raw", "full").height == 8


def test_files_of_different_layouts_are_merged(write_csv: WriteCsv, tmp_path: Path) -> None:
    write_csv(ROWS[:4], name="in/kaggle.csv", columns=KAGGLE_COLUMNS)
    write_csv(ROWS[4:8], name="in/other order.csv", columns=sorted(KAGGLE_COLUMNS))
    old = [
        {"Position": r["rank"], "Track Name": r["title"], "Artist": r["artist"], "URL": r["url"],
         "country": r["region"], "week_start": "2021-01-01", "week_end": "2021-01-08"} for r in ROWS[8:12]
    ]  # fmt: skip
    write_csv(old, name="in/spotify.csv")
    (tmp_path / "in/empty.csv").touch()
    write_csv(ROWS[:1], name="in/header only.csv")
    (tmp_path / "in/header only.csv").write_bytes(b"title,rank,date,url,region\n")
    notes = run([tmp_path / "in"], tmp_path / "raw")
    assert notes["empty"] == ["header only.csv"]
    assert notes["passed_over"] == {"empty.csv": "is empty (0 bytes)"}
    slim, full = table(tmp_path / "raw", "slim"), table(tmp_path / "raw", "full")
    assert slim.height == full.height == 12
    assert {"track_name", "title", "position", "rank"} <= set(full.columns)
    assert slim["title"].null_count() == slim["rank"].null_count() == 0
    assert set(slim.filter(pl.col("chart") == "chart")["observation_date"].cast(pl.String)) == {"2021-01-07"}


def test_running_again_changes_nothing_and_another_source_replaces_all(write_csv: WriteCsv, tmp_path: Path) -> None:
    path, raw = write_csv(ROWS), tmp_path / "raw"
    run([path], raw)
    before = (raw / "manifest.json").read_bytes()
    made = {file: file.stat().st_mtime_ns for file in raw.rglob("*.parquet")}
    run([path], raw)
    assert (raw / "manifest.json").read_bytes() == before
    assert {file: file.stat().st_mtime_ns for file in raw.rglob("*.parquet")} == made
    other = write_csv(kaggle_rows({("Sweden", -400): ["x"]}), name="other.csv")
    with pytest.raises(diffusion.OutputError, match=r"was made of 'charts\.csv', not given now"):
        run([other], raw)
    assert (raw / "manifest.json").read_bytes() == before
    run([other], raw, replace_others=True)
    assert [file.parent.name for file in raw.glob("full/*/*")] == ["year=2019"]
    assert verify(raw).whole


def test_appending_touches_only_its_partitions_and_twice_changes_nothing(write_csv: WriteCsv, tmp_path: Path) -> None:
    old = write_csv(kaggle_rows({("Sweden", number): ["a", "b"] for number in (-3, -2, -1)}), name="old.csv")
    new = write_csv(kaggle_rows({("Sweden", number): ["a", "c"] for number in (0, 1)}), name="new.csv")
    new.write_bytes(new.read_bytes() + b"x,y\n")
    copy = tmp_path / "elsewhere" / "new.csv"
    copy.parent.mkdir()
    copy.write_bytes(new.read_bytes())
    raw, whole = tmp_path / "raw", tmp_path / "whole"
    run([old], raw)
    made = {file: file.stat().st_mtime_ns for file in raw.rglob("year=2020/*.parquet")}
    run([new], raw, append=True)
    assert {file: file.stat().st_mtime_ns for file in raw.rglob("year=2020/*.parquet")} == made
    once = (raw / "manifest.json").read_bytes()
    run([new], raw, append=True)
    run([copy, old], raw, append=True)
    assert (raw / "manifest.json").read_bytes() == once
    run([old, new], whole)
    for name in ("full", "slim"):
        assert table(raw, name).equals(table(whole, name).select(table(raw, name).columns))
    for name in ("row_accounting.csv", "profile_overview.csv", "profile_null_rates.csv", "damaged.parquet"):
        assert (raw / name).read_bytes() == (whole / name).read_bytes(), name
    assert verify(raw).whole


def test_a_file_of_the_same_name_with_other_rows_is_another_file(write_csv: WriteCsv, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    run([write_csv(ROWS[:3])], raw)
    notes = run([write_csv(ROWS[3:5])], raw, append=True)
    assert [source["path"] for source in notes["sources"]] == ["charts.csv", "charts.csv (2)"]
    with pytest.raises(diffusion.SettingError, match="append with the same ones"):
        run([write_csv(ROWS[5:7])], raw, append=True, columns={"rank": "rank"})


def test_appending_to_nothing_begins(write_csv: WriteCsv, tmp_path: Path) -> None:
    assert run([write_csv(ROWS)], tmp_path / "raw", append=True)["profile"]["rows"] == len(ROWS)


def test_rows_are_widened_by_auxiliary_tables_when_asked(
    write_csv: WriteCsv, tmp_path: Path, auxiliary_folder: Path
) -> None:
    run([write_csv(ROWS)], tmp_path / "raw", aux=auxiliary_folder)
    full, slim = table(tmp_path / "raw", "full"), table(tmp_path / "raw", "slim")
    assert set(LOOKUP.names) <= set(full.columns)
    assert set(AUX_SLIM) <= set(slim.columns)
    assert len(AUX_FULL) == 13
    rows = {row["market"]: row["country_continent"] for row in full.rows(named=True)}
    assert rows == {"US": "North America", "VN": "Asia", "Global": None}
    assert report(tmp_path / "raw", "profile_overview.csv")[0]["join_aux_enabled"] == "1"
    assert [row["artifact"] for row in report(tmp_path / "raw", "aux_profile.csv")] == ["countries_reference_clean"]


@pytest.fixture
def auxiliary_folder(tmp_path: Path) -> Path:
    """Return a folder of auxiliary tables made of two countries."""
    from pipelines.reference.auxiliary import make_auxiliary

    path = tmp_path / "countries.csv"
    path.write_text(
        "country_name,official_lang,population,area,continent,govt_type,Major Religions,driving_side\n"
        "United States,English,331000000,9833520,North America,Republic,Christianity,right\n"
        "Vietnam,Vietnamese,97000000,331210,Asia,Republic,None,right\n"
    )
    make_auxiliary(tmp_path / "aux", countries=path)
    return tmp_path / "aux"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"title,rank,date,url,region\n", "no rows in 'charts.csv'"),
        (b"a,b\n1,2\n", "lacks a column for"),
    ],
)
def test_nothing_is_left_when_nothing_can_be_read(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "charts.csv"
    path.write_bytes(content)
    with pytest.raises(diffusion.SourceError, match=message):
        run([path], tmp_path / "raw")
    assert not (tmp_path / "raw").exists()


def test_raw_is_not_read_as_charts_but_cleaned_first(write_csv: WriteCsv, tmp_path: Path) -> None:
    run([write_csv(ROWS)], tmp_path / "raw")
    with pytest.raises(diffusion.SourceError, match="is what ingest made; clean it first"):
        diffusion.open_charts(tmp_path / "raw")


def test_slim_alone_cannot_be_cleaned(write_csv: WriteCsv, tmp_path: Path) -> None:
    run([write_csv(ROWS)], tmp_path / "raw", slim_only=True)
    assert table(tmp_path / "raw", "slim").height == len(ROWS)
    assert not (tmp_path / "raw/full").exists()
    with Folder(tmp_path / "clean") as folder, pytest.raises(diffusion.SourceError, match="--slim-only"):
        clean_charts(tmp_path / "raw", folder, tell=quiet)


def test_the_manifest_names_files_and_no_places(write_csv: WriteCsv, tmp_path: Path) -> None:
    run([write_csv(ROWS)], tmp_path / "raw")
    text = (tmp_path / "raw/manifest.json").read_text()
    assert str(tmp_path) not in text
    step = json.loads(text)["steps"]["ingest"]
    assert {artifact["path"].split("/")[0] for artifact in step["artifacts"]} == {
        "full", "slim", "damaged.parquet", "distinct_values.parquet", "row_accounting.csv", "profile_overview.csv",
        "profile_null_rates.csv", "source_schema.csv", "aux_profile.csv",
    }  # fmt: skip


def test_a_few_rows_of_another_year_do_not_keep_their_block_in_memory(tmp_path: Path) -> None:
    rows = 1_000
    block = pl.DataFrame({"title": ["t" * 1_000] * rows, "year": ["2020"] * (rows - 1) + ["unknown"]})
    with partitions(lambda name: tmp_path / name.replace("/", "-"), part="0") as tables:
        tables.add({"full": block})
        (held,) = tables._held["unknown"]
        assert held["full"].to_arrow(compat_level=pl.CompatLevel.newest()).get_total_buffer_size() < 10_000
        tables.close()

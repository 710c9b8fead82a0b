"""Auxiliary tables: countries, cultural distances, holidays; on small files by hand, against twins, on real files."""

import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion import SettingError, SourceError
from diffusion.markets import chart_markets
from pipelines.contracts.auxiliary import COUNTRIES, HOLIDAYS, LONG, LOOKUP, TOP5
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import intact, read_manifest
from pipelines.reference.auxiliary import (
    auxiliary_lines,
    auxiliary_lookup,
    make_auxiliary,
    profile_csv,
    unmatched,
)
from pipelines.reference.countries import countries_reference
from pipelines.reference.cultural_distance import NEAREST, cultural_distances, summary_by_market
from pipelines.reference.holiday_calendar import public_holidays
from pipelines.reference.small_csv import read_small_csv
from pipelines.reference.territories import country_name, market_codes, territory

REFERENCE_MARKETS = chart_markets()
FIVE_YEARS = (date(2017, 1, 1), date(2021, 12, 31))

COUNTRIES_HEADER = "country_name,official_lang,population,area,continent,govt_type,Major Religions,driving_side"
SQUARE = (
    "Country,Czech republic,United states,Viet Nam\n"
    "Czech republic,0,2.5,1\nUnited states,2.5,0,\nViet Nam,1,NA,0\n"
)  # fmt: skip

WriteText = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteText:
    """Return a function that writes a text to a file and returns its path."""

    def write(text: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def pairs(path: Path) -> dict[tuple[str, str], float]:
    """Return source and target name → distance of the long table of a file."""
    rows = cultural_distances(path).long.to_pylist()
    return {(row["source_country"], row["target_country"]): row["cultural_distance"] for row in rows}


def said(error: pytest.ExceptionInfo[Exception]) -> str:
    """Return the message of an error, which must be one line."""
    assert "\n" not in str(error.value)
    return str(error.value)


# how countries are called


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Czech republic", "CZ"), ("Czech Rep.", "CZ"), ("Slovak Rep", "SK"), ("Great Britain", "GB"), ("U.S.A.", "US"),
        ("Dominican Rep.", "DO"), ("Taiwan ROC", "TW"), ("Egypt, Arab Rep.", "EG"), ("Republic of Ireland", "IE"),
        ("Saint Vincent and the Grenadines", "VC"), ("SAINT LUCIA", "LC"), ("Bosnia and herzegovina", "BA"),
        ("ivory coast", "CI"), ("DEU", "DE"), ("afg", "AF"), ("NAM", "NA"), ("NA", "NA"), ("na", "NA"), ("xkx", "XK"),
        ("Global", None), ("Serbia and Montenegro", None), ("Hebei", None), ("AAA", None), ("ANT", None), ("", None),
    ],
)  # fmt: skip
def test_names_of_real_sources_have_a_code(name: str, code: str | None) -> None:
    assert territory(name) == code


def test_a_span_of_years_behind_a_name_is_no_part_of_it() -> None:
    spans = ("Peru1981-2014", "Peru 1981 - 2014", " Peru (2005–2014) ", "Peru")
    assert {country_name(text) for text in spans} == {"Peru"}
    assert country_name("Unit 731-2014") == "Unit 731-2014"


def test_markets_are_codes_without_aggregates() -> None:
    assert market_codes(["Sweden", "us", "Global", "SE"]) == ["SE", "US"]
    assert market_codes() == REFERENCE_MARKETS


# what small files hold


@pytest.mark.parametrize(
    ("encoding", "called"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("latin-1", "latin-1"), ("utf-16", "utf-16")]
)
def test_encodings_are_recognised_and_said(write: WriteText, encoding: str, called: str) -> None:
    path = write('name;what\r\n"Curaçao; an\r\nisland";1\r\n;\r\n\r\nÅland;2\r\n'.encode(encoding))
    found = read_small_csv(path)
    assert found.encoding == called
    assert found.header == ("name", "what")
    assert found.rows == (("Curaçao; an\r\nisland", "1"), ("Åland", "2"))
    assert (found.lines, found.blank_rows) == ((2, 6), 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows below a header"),
        (b"a,b\n", "has no rows below a header"),
        (b"a,b\n1,2\n\n1,2,3\n", "line 4 has 3 cells, the header 2"),
        (b"a,b\n1\n", "line 2 has 1 cells, the header 2"),
        (b'a,b\n"1,2\n3,4\n', "record from line 2, is no CSV"),
        (b'a,b\n"1"x,2\n', "record from line 2, is no CSV"),
        (b"PK\0\0", "is no text file"),
        (b"\xff\xfea", "is no text file"),
    ],
)
def test_what_is_no_csv_is_named_with_its_line(write: WriteText, content: bytes, message: str) -> None:
    with pytest.raises(SourceError) as error:
        read_small_csv(write(content))
    assert message in said(error)


def test_cells_beyond_the_header_may_be_blank(write: WriteText) -> None:
    assert read_small_csv(write("a,b\n1,2,,\n")).rows == (("1", "2"),)


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: WriteText) -> None:
    with pytest.raises(SourceError, match=r"cannot read '.*absent.csv'"):
        read_small_csv(tmp_path / "absent.csv")
    monkeypatch.setattr("pipelines.reference.small_csv.LARGEST", 10)
    with pytest.raises(SourceError, match="has 12 bytes"):
        read_small_csv(write("a,b\n1,2\n3,4\n"))


# the countries reference


def countries_csv(*rows: str) -> str:
    return "\n".join([COUNTRIES_HEADER, *rows, ""])


def test_countries_keep_the_first_of_one_territory(write: WriteText) -> None:
    text = countries_csv(
        'Czechia,"Czech, Slovak",10698896.0,78865.0,Europe,,Christianity,right',
        "Czech Republic,Czech,1,1,Europe,,,right",
        "Czechia,Czech,2,2,Europe,,,right",
        "Atlantis,,many,-1,,,,",
        'Peru,Spanish,"32,971,846",1e6,South America,Republic,Christianity,right',
        ",,,,,,,x",
        ",,,,,,,",
    )
    found = countries_reference(write(text))
    assert found.table.schema == COUNTRIES.schema
    assert found.table.to_pylist()[0] == {
        "country": "Czechia", "continent": "Europe", "population": 10698896, "area": 78865.0,
        "official_language": "Czech, Slovak", "major_religions": "Christianity", "govt_type": None,
        "driving_side": "right", "market": "CZ",
    }  # fmt: skip
    assert found.table["market"].to_pylist() == ["CZ", None, "PE"]
    assert found.table["population"].to_pylist() == [10698896, None, 32971846]
    assert found.table["area"].to_pylist() == [78865.0, None, 1e6]
    notes = dict(found.notes)
    assert notes.pop("encoding") == "utf-8"
    assert notes == {
        "file": "table.csv", "rows": 7, "kept": 3, "blank_rows": 1, "duplicates": ["Czech Republic", "Czechia"],
        "lines_without_name": [7], "unknown_names": ["Atlantis"],
        "unreadable_numbers": ["Atlantis: population 'many'", "Atlantis: area '-1'"],
    }  # fmt: skip
    kept_or_named = notes["kept"] + notes["blank_rows"] + len(notes["duplicates"]) + len(notes["lines_without_name"])
    assert notes["rows"] == kept_or_named


def test_a_number_that_no_country_has_is_null_and_named(write: WriteText) -> None:
    found = countries_reference(write(countries_csv(f"Peru,,{'9' * 40},1e99,,,,")))
    assert found.table.select(["population", "area"]).to_pylist() == [{"population": None, "area": None}]
    assert len(found.notes["unreadable_numbers"]) == 2


def test_countries_need_all_their_columns_and_a_country(write: WriteText) -> None:
    with pytest.raises(SourceError) as error:
        countries_reference(write("country,area\nPeru,1\n"))
    assert "lacks continent, population, official_lang, major_religions, govt_type, driving_side" in said(error)
    assert "found country, area" in said(error)
    with pytest.raises(SourceError, match="names no country in its column 'country_name'"):
        countries_reference(write(countries_csv("Hebei,,,,,,,")))


# how files hold distances


@pytest.mark.parametrize("first", ["Country", "SOURCE_COUNTRY", "source", "country_name", "countries", "", "whatever"])
def test_a_square_matrix_is_read_whatever_its_first_column_is_called(write: WriteText, first: str) -> None:
    path = write(SQUARE.replace("Country", first))
    assert pairs(path) == {
        ("Czech republic", "United states"): 2.5,
        ("Czech republic", "Viet Nam"): 1.0,
        ("United states", "Czech republic"): 2.5,
        ("Viet Nam", "Czech republic"): 1.0,
    }
    found = cultural_distances(path)
    assert found.long.schema == LONG.schema
    assert found.top5.schema == TOP5.schema
    assert set(found.long["source_market"].to_pylist()) == {"CZ", "US", "VN"}
    assert found.notes["layout"] == "square matrix, 3 × 3"
    counts = {name: found.notes[name] for name in ("cells", "pairs", "self_pairs", "missing", "duplicate_pairs")}
    assert counts == {"cells": 9, "pairs": 4, "self_pairs": 3, "missing": 2, "duplicate_pairs": 0}


def test_names_may_stand_in_any_column_beside_a_running_number(write: WriteText) -> None:
    assert pairs(write(",country,SE,NO\n0,SE,0,1\n1,NO,2,0\n")) == {("NO", "SE"): 2.0, ("SE", "NO"): 1.0}
    assert pairs(write("SE,NO,country,\n0,1,SE,\n2,0,NO,\n")) == {("NO", "SE"): 2.0, ("SE", "NO"): 1.0}


def test_rows_and_columns_may_differ_in_order_and_spelling(write: WriteText) -> None:
    path = write("x;UK1981-2014;Norway\nNO;1;0\nGreat Britain;0;2\n")
    assert pairs(path) == {("NO", "UK"): 1.0, ("UK", "NO"): 2.0}
    assert cultural_distances(path).notes["taken_for_one"] == {"NO": ["Norway"], "UK": ["Great Britain"]}


@pytest.mark.parametrize(
    "text",
    [
        "ISO_CODE_1,ISO_CODE_2,FBDist\nNA,ZA,0.5\nZA,NA,0.75\nNA,NA,0\nNA,SE,NA\n",
        "FBDist,ISO_CODE_1,ISO_CODE_2\n0.5,NA,ZA\n.75,ZA,NA\n0,NA,NA\n,NA,SE\n",
        "target,source,d\nZA,NA,5e-1\nNA,ZA,0.75\nNA,NA,0\nSE,NA,-\n",
        "ISO_CODE_2,d,ISO_CODE_1\nZA,.5,NA\nNA,+.75,ZA\nNA,0,NA\nSE,null,NA\n",
        "to_country,from_country,d\nZA,NA,.5\nNA,ZA,.75\nNA,NA,0\nSE,NA,n/a\n",
    ],
)
def test_a_long_list_is_read_in_any_order_of_its_columns(write: WriteText, text: str) -> None:
    path = write(text)
    assert pairs(path) == {("NA", "ZA"): 0.5, ("ZA", "NA"): 0.75}
    notes = cultural_distances(path).notes
    assert (notes["self_pairs"], notes["missing"], notes["asymmetric_pairs"]) == (1, 1, 1)
    assert notes["largest_asymmetry"] == 0.25


def test_codes_of_three_letters_are_countries(write: WriteText) -> None:
    found = cultural_distances(write(",NAM,AFG\nNAM,0,1\nAFG,1,0\n"))
    assert found.long["source_market"].to_pylist() == ["AF", "NA"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",SE,NO\nSE,0,x1\nNO,1,0\n", "line 2, SE to NO: 'x1' is no distance"),
        (",SE,NO\nSE,0,inf\nNO,1,0\n", "'inf' is no distance"),
        (",SE,NO\nSE,0,1e999\nNO,1,0\n", "'1e999' is no distance"),
        (",SE,NO\nSE,0,1_0\nNO,1,0\n", "'1_0' is no distance"),
        (",SE,NO\nSE,0,1\nNO,-0.5,0\n", "line 3, NO to SE: the distance -0.5 is negative"),
        (",SE,NO,SE\nSE,0,1,2\nNO,1,0,1\n", "has the column 'SE' twice"),
        (",SE,NO\nSE,0,1\nNO,1,0\nse,0,1\n", "has the row 'SE' twice"),
        (",SE,NO,\nSE,0,1,5\nNO,1,0,5\n", "column 4 has cells and no name"),
        (",SE,1981-2014\nSE,0,1\n2005-2014,1,0\n", "column 2 of the matrix has no name"),
        (",SE,NO,DK\nSE,0,1,2\nNO,1,0,2\n", "(2 rows, 3 columns; columns only: DK)"),
        (",SE,NO\nSE,0,1\nNO,1,0\nDK,1,1\nFI,1,1\n", "(4 rows, 2 columns; rows only: DK, FI)"),
        ("a,b,c\nSE,NO,x\n", "and not a list of source, target and distance"),
        ("a,b,c\n1,2,3\n", "and not a list of source, target and distance"),
        ("a,b,d\nSE,NO,1\nSE,DK,far\n", "line 3, SE to DK: 'far' is no distance"),
        ("a,b,d\nSE,NO,1\nSE,,1\n", "line 3 lacks the name of a country"),
        ("a,b,d\nSE,NO,-1\n", "the distance -1 is negative"),
        ("a,b,d\nSE,SE,1\n", "has no pair of two countries with a distance"),
        (",SE,NO\nSE,0,\nNO,,0\n", "has no pair of two countries with a distance"),
        (",Hebei,Hunan\nHebei,0,1\nHunan,1,0\n", "names no country, but Hebei, Hunan"),
    ],
)
def test_a_wrong_matrix_is_one_clear_line(write: WriteText, text: str, message: str) -> None:
    with pytest.raises(SourceError) as error:
        cultural_distances(write(text))
    assert message in said(error)


# which distances are kept


def test_what_is_no_country_stays_and_is_named(write: WriteText) -> None:
    found = cultural_distances(write(",Hebei,SE\nHebei,0,1\nSE,2,0\n"))
    assert found.notes["unknown_names"] == ["Hebei"]
    assert found.notes["countries"] == 1
    assert found.named == {"SE"}
    assert found.long.to_pylist()[0] == {
        "source_country": "Hebei", "target_country": "SE", "source_market": None, "target_market": "SE",
        "cultural_distance": 1.0,
    }  # fmt: skip
    assert summary_by_market(found.long, found.top5)["market"].to_pylist() == ["SE"]


def test_spellings_of_one_country_are_taken_for_one(write: WriteText) -> None:
    text = "a,b,d\nPeru1981-1990,Chile,3\nPeru1999-2004,Chile,2\nPeru,Perú,1\nChile,PER,5\n"
    found = cultural_distances(write(text))
    assert pairs(write(text)) == {("Peru", "Chile"): 2.0, ("Chile", "Peru"): 5.0}
    assert found.notes["taken_for_one"] == {"Peru": ["Perú", "PER"]}
    assert (found.notes["duplicate_pairs"], found.notes["self_pairs"]) == (1, 1)


def test_directions_are_kept_and_counted(write: WriteText) -> None:
    found = cultural_distances(write("a,b,d\nSE,NO,1\nNO,SE,4\nSE,DK,2\nDK,SE,2\nSE,FI,1\n"))
    notes = found.notes
    assert (notes["asymmetric_pairs"], notes["largest_asymmetry"], notes["pairs_in_one_direction"]) == (1, 3.0, 1)
    assert found.long.num_rows == 5


def test_the_nearest_are_ranked_with_ties_by_name(write: WriteText) -> None:
    others = {"NO": 1, "DK": 2, "FI": 1, "IS": 3, "EE": 1, "LV": 9, "LT": 1}
    text = "a,b,d\n" + "".join(f"SE,{name},{distance}\n" for name, distance in others.items())
    rows = cultural_distances(write(text)).top5.to_pylist()
    assert [(row["target_market"], row["rank_within_source"]) for row in rows] == [
        ("EE", 1), ("FI", 2), ("LT", 3), ("NO", 4), ("DK", 5),
    ]  # fmt: skip


SPELLINGS = (
    "Sweden",
    "SE",
    "Norway",
    "norway",
    "Denmark2005-2014",
    "DK",
    "Hebei",
    "HEBEI",
    "Chile",
    "Peru",
    "FIN",
    "GB",
)
MEANT = {"Sweden": "SE", "Norway": "NO", "norway": "NO", "Denmark2005-2014": "DK", "FIN": "FI", "Chile": "CL",
         "Peru": "PE", "HEBEI": "Hebei"}  # fmt: skip
"""Spelling → what a person takes it for; what is absent means itself."""

Cells = Sequence[tuple[str, str, float | None]]
CELLS = st.lists(
    st.tuples(st.sampled_from(SPELLINGS), st.sampled_from(SPELLINGS), st.sampled_from([None, 0.0, 0.5, 1.0, 2.25])),
    min_size=1,
    max_size=60,
)


def smallest_twin(cells: Cells) -> dict[tuple[str, str], float]:
    """Return the smallest distance of every ordered pair of units, the slow way."""
    units = {MEANT.get(name, name) for cell in cells for name in cell[:2]}
    found = {}
    for a in units:
        for b in units - {a}:
            here = [d for x, y, d in cells if d is not None and (MEANT.get(x, x), MEANT.get(y, y)) == (a, b)]
            if here:
                found[a, b] = min(here)
    return found


@given(cells=CELLS)
@settings(max_examples=150, deadline=None)
def test_pairs_and_nearest_equal_their_twin(cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("twin") / "long.csv"
    path.write_text("from,to,d\n" + "".join(f"{a},{b},{'' if d is None else d}\n" for a, b, d in cells))
    expected = smallest_twin(cells)
    if not expected or not {code for pair in expected for code in pair} - {"Hebei"}:
        with pytest.raises(SourceError):
            cultural_distances(path)
        return
    found = cultural_distances(path)

    def unit(row: dict[str, Any], side: str) -> str:
        return str(row[f"{side}_market"] or "Hebei")

    rows = found.long.to_pylist()
    assert {(unit(r, "source"), unit(r, "target")): r["cultural_distance"] for r in rows} == expected
    counts = found.notes
    assert counts["cells"] == sum(counts[name] for name in ("pairs", "self_pairs", "missing", "duplicate_pairs"))
    by_source: dict[str, list[tuple[float, str, str]]] = {}
    for row in rows:
        key = (row["cultural_distance"], row["target_country"], unit(row, "target"))
        by_source.setdefault(unit(row, "source"), []).append(key)
    nearest = {(source, rank): key[2] for source, keys in by_source.items()
               for rank, key in enumerate(sorted(keys)[:NEAREST], start=1)}  # fmt: skip
    top = found.top5.to_pylist()
    assert {(unit(r, "source"), r["rank_within_source"]): unit(r, "target") for r in top} == nearest
    for row in summary_by_market(found.long, found.top5).to_pylist():
        distances = [d for (source, _), d in expected.items() if source == row["market"]]
        assert row["cultural_distance_count"] == len(distances)
        assert row["cultural_distance_mean"] == pytest.approx(fmean(distances))
        assert row["cultural_distance_median"] == median(distances)
        assert (row["cultural_distance_min"], row["cultural_distance_max"]) == (min(distances), max(distances))


# public holidays


def test_holidays_are_one_row_per_market_and_date() -> None:
    table = public_holidays(["Sweden", "US", "Global"], date(2021, 5, 1), date(2021, 7, 4)).table
    assert table.schema == HOLIDAYS.schema
    rows = table.to_pylist()
    assert rows[0] == {"market": "SE", "date": date(2021, 5, 1), "name": "May Day"}
    assert [row["date"] for row in rows if row["market"] == "US"] == [
        date(2021, 5, 31), date(2021, 6, 18), date(2021, 6, 19), date(2021, 7, 4),
    ]  # fmt: skip


def test_several_holidays_of_a_day_are_one_row() -> None:
    names = public_holidays(["NO"], date(2018, 5, 1), date(2018, 5, 31)).table["name"].to_pylist()
    assert len(names) == 5
    both = public_holidays(["SE"], date(2008, 5, 1), date(2008, 5, 1)).table["name"].to_pylist()
    assert both == ["Ascension Day; May Day"]


def test_every_reference_market_has_holidays_in_all_five_years() -> None:
    found = public_holidays(None, *FIVE_YEARS)
    assert found.unknown == ()
    assert found.notes["empty_years"] == {}
    assert set(found.table["market"].to_pylist()) == set(REFERENCE_MARKETS)


def test_markets_without_holidays_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holidays.list_supported_countries", lambda **_: {"SE": []})
    found = public_holidays(["SE", "CY", "Malta"], date(1700, 1, 1), date(1700, 12, 31))
    assert found.unknown == ("CY", "MT")
    assert found.notes["empty_years"] == {"SE": [1700]}
    assert found.table.num_rows == 0
    assert unmatched(["SE", "MT"], holidays=found) == {"holidays": {"MT": "Malta"}}


def test_wrong_dates_and_a_missing_package_are_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="the last date is before the first"):
        public_holidays(["SE"], date(2021, 1, 2), date(2021, 1, 1))
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(SettingError) as error:
        make_auxiliary(tmp_path / "aux", holidays=FIVE_YEARS)
    assert "pip install 'chart-diffusion[calendar]'" in said(error)


# the step


def small_sources(write: WriteText) -> dict[str, Path]:
    rows = (f"{name},English,1,2,Europe,Monarchy,None,left" for name in ("Czechia", "Great Britain", "Atlantis"))
    return {"countries": write(countries_csv(*rows), "countries.csv"), "distances": write(SQUARE, "distances.csv")}


def test_the_step_makes_all_tables_and_names_who_has_no_partner(write: WriteText, tmp_path: Path) -> None:
    out = tmp_path / "aux"
    dates = (date(2021, 1, 1), date(2021, 12, 31))
    notes = make_auxiliary(out, **small_sources(write), holidays=dates, markets=["CZ", "USA", "Andorra", "Global"])
    assert notes["unmatched"] == {
        "countries": {"AD": "Andorra", "US": "United States"},
        "cultural_distances": {"AD": "Andorra"},
        "cultural_distances_empty": {},
        "holidays": {},
    }
    lines = auxiliary_lines(notes)
    assert "unmatched markets that the countries table does not name: Andorra (AD), United States (US)" in lines
    assert "unmatched markets that the distances do not name: Andorra (AD)" in lines
    assert any("unknown names: Atlantis" in line for line in lines)
    assert all("\n" not in line for line in lines)
    manifest = read_manifest(out)["steps"]["auxiliary"]
    assert manifest["notes"] == notes
    assert all(intact(out, artifact) for artifact in manifest["artifacts"])
    assert str(tmp_path) not in (out / "manifest.json").read_text(encoding="utf-8")
    profile = (out / "aux_profile.csv").read_text(encoding="utf-8").splitlines()
    assert profile[:4] == [
        "artifact,rows,path",
        "countries_reference_clean,3,countries_reference_clean.parquet",
        "cultural_distance_long,4,cultural_distance_long.parquet",
        "cultural_distance_top5,4,cultural_distance_top5.parquet",
    ]
    assert profile[4].startswith("holidays,")
    for line in profile[1:]:
        name, rows, path = line.split(",")
        assert pq.read_table(out / path).num_rows == int(rows) == notes["tables"][name]


def test_an_unchanged_step_is_not_made_again(write: WriteText, tmp_path: Path) -> None:
    sources, out = small_sources(write), tmp_path / "aux"
    first = make_auxiliary(out, **sources)
    before = (out / "manifest.json").read_bytes()
    with Folder(out) as folder:
        assert make_auxiliary(folder, **sources) == first
        assert folder.changes()["made"] == []
    assert (out / "manifest.json").read_bytes() == before
    sources["distances"].write_text(SQUARE.replace("2.5", "3.5"), encoding="utf-8")
    with Folder(out) as folder:
        make_auxiliary(folder, **sources)
        assert "cultural_distance_long.parquet" in folder.changes()["made"]


def test_a_wrong_source_leaves_the_tables_as_they_were(write: WriteText, tmp_path: Path) -> None:
    sources, out = small_sources(write), tmp_path / "aux"
    make_auxiliary(out, **sources)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".log"}
    sources["distances"].write_text(SQUARE.replace("2.5", "-2"), encoding="utf-8")
    with pytest.raises(SourceError):
        make_auxiliary(out, **sources)
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".log"} == before


def test_nothing_to_make_is_said(write: WriteText, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no auxiliary table to make"):
        make_auxiliary(tmp_path / "aux")
    with pytest.raises(SettingError, match="no market to find partners for"):
        make_auxiliary(tmp_path / "aux", **small_sources(write), markets=["Global"])
    with pytest.raises(SettingError, match=r"no file at '.*absent.csv'; name the CSV of the countries"):
        make_auxiliary(tmp_path / "aux", countries=tmp_path / "absent.csv")


def test_the_profile_may_stand_above_its_tables() -> None:
    assert profile_csv({"holidays": 3}, folder="aux") == b"artifact,rows,path\nholidays,3,aux/holidays.parquet\n"


def test_the_lookup_has_the_13_columns_by_market(write: WriteText, tmp_path: Path) -> None:
    make_auxiliary(tmp_path / "aux", **small_sources(write))
    table = auxiliary_lookup(tmp_path / "aux")
    assert table.schema == LOOKUP.schema
    assert table.schema.names[1:] == [
        "country_continent", "country_population", "country_area", "country_official_language",
        "country_major_religions", "country_govt_type", "country_driving_side", "cultural_distance_mean",
        "cultural_distance_median", "cultural_distance_min", "cultural_distance_max", "cultural_distance_count",
        "cultural_top5_targets",
    ]  # fmt: skip
    rows = {row.pop("market"): row for row in table.to_pylist()}
    assert list(rows) == ["CZ", "GB", "US", "VN"]
    assert list(rows["CZ"].values()) == [
        "Europe", 1, 2.0, "English", "None", "Monarchy", "left", 1.75, 1.75, 1.0, 2.5, 2, "Viet Nam|United states",
    ]  # fmt: skip
    assert set(rows["US"].values()) == {None, 2.5, 1, "Czech republic"}
    assert rows["GB"]["cultural_distance_count"] is None


def test_the_lookup_does_with_one_of_two_and_wants_whole_files(write: WriteText, tmp_path: Path) -> None:
    sources, out = small_sources(write), tmp_path / "aux"
    make_auxiliary(out, distances=sources["distances"])
    assert auxiliary_lookup(out)["country_area"].null_count == 3
    make_auxiliary(out, countries=sources["countries"])
    assert auxiliary_lookup(out)["cultural_distance_count"].null_count == 2
    assert not (out / "cultural_distance_long.parquet").exists()
    (out / "countries_reference_clean.parquet").write_bytes(b"other")
    with pytest.raises(SettingError, match="is not what the manifest says"):
        auxiliary_lookup(out)
    with pytest.raises(SettingError, match="holds no countries and no cultural distances"):
        auxiliary_lookup(tmp_path / "elsewhere")


# the real files


def test_the_real_countries_all_have_a_code(real_data: Path) -> None:
    path = real_data / "aux" / "countries-aadarsh-vani" / "Countries Data By Aadarsh Vani.csv"
    found = countries_reference(path)
    assert found.table.num_rows == 250
    assert found.table["market"].null_count == 0
    assert len(set(found.table["market"].to_pylist())) == 250
    assert found.notes["rows"] == 255
    assert found.notes["blank_rows"] + len(found.notes["lines_without_name"]) == 5
    assert found.notes["unreadable_numbers"] == []
    assert unmatched(countries=found) == {"countries": {}}


def test_the_119_country_matrix_lacks_only_what_is_not_in_it(real_data: Path) -> None:
    found = cultural_distances(real_data / "aux" / "derived" / "hofstede2023_euclidean_119x119.csv")
    lacking = unmatched(distances=found)
    assert lacking["cultural_distances"] == {"AD": "Andorra", "NI": "Nicaragua"}
    # named there, but every cell of their rows and columns is empty
    assert list(lacking["cultural_distances_empty"]) == ["CR", "EC", "GT", "HN", "IL", "PA"]
    assert found.notes["unknown_names"] == []
    assert (found.notes["cells"], found.notes["pairs"]) == (119 * 119, 99 * 98)
    row = next(r for r in found.long.to_pylist() if (r["source_market"], r["target_market"]) == ("AL", "US"))
    assert row["target_country"] == "United states"


def test_the_values_survey_matrix_lacks_the_15_markets_of_its_notes(real_data: Path) -> None:
    found = cultural_distances(real_data / "aux" / "cfst-wvs" / "culturaldistance_combined.csv")
    lacking = unmatched(distances=found)
    assert " ".join(lacking["cultural_distances"]) == "AE AT BE BO CR DK GR HN IE IS LU NI PA PT PY"
    assert lacking["cultural_distances_empty"] == {}
    assert found.notes["unknown_names"] == ["Serbia and Montenegro"]
    assert found.long.num_rows == 99 * 98


@pytest.mark.parametrize("name", ["FBCosDist.csv", "FBCosDist_People.csv"])
def test_the_facebook_distances_cover_all_markets_long_or_square(real_data: Path, name: str) -> None:
    found = cultural_distances(real_data / "aux" / "fb-cultural-distance" / name)
    assert unmatched(distances=found) == {"cultural_distances": {}, "cultural_distances_empty": {}}
    assert "NA" in found.named
    assert found.long.num_rows == 225 * 224
    assert found.top5.num_rows == 225 * NEAREST

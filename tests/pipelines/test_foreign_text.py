"""Control characters and formulas in the text of strangers: in no file of ours, in no line, and nothing is lost."""

import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusion.foreign_text import CONTROL, csv_cell, csv_table, json_text, read_csv_cell, read_csv_table, replaced
from graphs.exports.dot_file import quoted
from graphs.exports.table_files import csv
from graphs.exports.xml_lines import leaf
from pipelines.commands.main import run_command
from pipelines.folders.manifest import to_json
from pipelines.formatting import printable
from pipelines.stages.accounting import read_accounts
from tests.conftest import KAGGLE_COLUMNS, WriteCsv, steady

HOSTILE = "=1+\x9b31m\u202e\u2028x"

ROWS = steady(90, {"United States": {HOSTILE: 30, "y": 31}, "Sweden": {HOSTILE: 33, "y": 31}, "Norway": {"y": 40}})

ODD = st.text(st.sampled_from(["'", "=", "-", "\\", "u", "0", "9", "b", "a", "\x9b", "\u202e", "\n", "é", "\ud800"]))


@given(ODD)
def test_a_cell_has_no_formula_and_no_control_and_is_read_back(text: str) -> None:
    cell = csv_cell(text)
    assert not CONTROL.search(cell)
    assert not re.match(r"[=+\-@\t\r]", cell)
    assert read_csv_cell(cell) == text


@given(ODD)
def test_json_has_no_control_and_the_same_text_is_read(text: str) -> None:
    written = json_text(json.dumps({"a": text}, ensure_ascii=False))
    assert not CONTROL.search(written)
    assert json.loads(written) == {"a": text}
    assert json.loads(to_json([text])) == [text]


def test_numbers_stay_numbers() -> None:
    table = pd.DataFrame({"-x": [-1.5, 2], "y": [-1, 2], "z": ["-1", None], "c": pd.Categorical(["=a", "b"])})
    assert csv(table).decode().splitlines() == ['"\'-x","y","z","c"', '-1.5,-1,"\'-1","\'=a"', '2,2,,"b"']
    pd.testing.assert_frame_equal(read_csv_table(csv_table(table)).astype({"c": "category"}), table)


def test_graph_files_lines_and_pages_have_no_control_characters() -> None:
    assert quoted(HOSTILE) == '"=1+\ufffd31m\ufffd\ufffdx"'
    assert leaf("data", {}, HOSTILE) == "<data>=1+&#155;31m&#8238;&#8232;x</data>"
    assert printable(HOSTILE) == "=1+\ufffd31m\ufffd\ufffdx"
    assert replaced(f"a\t\n{HOSTILE}") == "a\t\n=1+\ufffd31m\ufffd\ufffdx"


def safe(file: Path) -> str:
    """Return a text file of ours after a check that it has no control characters."""
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"(?![\t\n\r])" + CONTROL.pattern, text), file
    return text


def test_a_hostile_title_is_harmless_in_everything_that_graph_makes(
    write_csv: WriteCsv, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_csv([row | {"title": HOSTILE, "artist": HOSTILE} for row in ROWS], columns=KAGGLE_COLUMNS)
    path = path.rename(path.with_name(f"{HOSTILE}.csv"))
    made = tmp_path / "made"
    assert run_command(["graph", str(path), "--out", str(made), "--replicates", "20", "--json"]) == 0
    output = capsys.readouterr().out
    assert not re.search(r"(?![\t\n\r])" + CONTROL.pattern, output)
    assert json.loads(output)["steps"]["entries"]["parameters"]["inputs"][0]["path"] == path.name
    for file in made.rglob("*"):
        if file.suffix in (".csv", ".html", ".json", ".dot", ".graphml", ".gexf", ".svg"):
            safe(file)
        if file.suffix == ".csv":
            assert not re.search(r'(^|,)"?[=+@]', safe(file), re.MULTILINE), file


def test_a_hostile_file_name_is_harmless_and_clean_reads_it_again(write_csv: WriteCsv, tmp_path: Path) -> None:
    path = write_csv(ROWS, columns=KAGGLE_COLUMNS)
    path = path.rename(path.with_name(f"{HOSTILE}.csv"))
    raw, clean = str(tmp_path / "raw"), str(tmp_path / "clean")
    assert run_command(["ingest", str(path), "--out", raw]) == 0
    assert run_command(["clean", raw, "--out", clean]) == 0
    by_file = tmp_path / "clean" / "accounting_by_file.csv"
    assert r"'=1+\u009b31m\u202e\u2028x.csv" in safe(by_file)
    before = read_accounts(by_file.read_bytes())
    assert set(before["file"]) == {path.name}
    later = write_csv([row | {"date": "2031-01-01"} for row in ROWS[:3]], columns=KAGGLE_COLUMNS, name="later.csv")
    assert run_command(["ingest", str(later), "--out", raw, "--append"]) == 0
    assert run_command(["clean", raw, "--out", clean, "--accept", "holes", "--accept", "set-aside"]) == 0
    after = read_accounts(by_file.read_bytes())
    pd.testing.assert_frame_equal(after[after["file"] == path.name].reset_index(drop=True), before)
    assert len(pd.read_csv(io.BytesIO(by_file.read_bytes()))) == len(before) + 1

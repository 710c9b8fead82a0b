"""Control characters and formulas in the text of strangers: in no file of ours, in no line, and nothing is lost."""

import csv as csv_module
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pandas as pd
import pyarrow.parquet as pq
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
from tests.pipelines.conftest import CONTROLS, FORMULA, HOSTILE, SCRIPT

ROWS = steady(90, {"United States": {CONTROLS: 30, "y": 31}, "Sweden": {CONTROLS: 33, "y": 31}, "Norway": {"y": 40}})

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
    assert quoted(CONTROLS) == '"=1+\ufffd31m\ufffd\ufffdx"'
    assert leaf("data", {}, CONTROLS) == "<data>=1+&#155;31m&#8238;&#8232;x</data>"
    assert printable(CONTROLS) == "=1+\ufffd31m\ufffd\ufffdx"
    assert replaced(f"a\t\n{CONTROLS}") == "a\t\n=1+\ufffd31m\ufffd\ufffdx"


def safe(file: Path) -> str:
    """Return a text file of ours after a check that it has no control characters."""
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"(?![\t\n\r])" + CONTROL.pattern, text), file
    return text


def texts(place: Path) -> list[Path]:
    """Return the text files below a folder."""
    kinds = (".csv", ".html", ".json", ".dot", ".graphml", ".gexf", ".svg", ".sql")
    return [file for file in place.rglob("*") if file.suffix in kinds]


def has_formula(text: str) -> bool:
    """Return whether a spreadsheet would take a cell of a CSV for a formula."""
    cells = [cell for row in csv_module.reader(io.StringIO(text)) for cell in row]
    return any(re.match(r"[=+\-@\t\r]", cell) and not re.fullmatch(r"[+-]?[\d.]+(e-?\d+)?", cell) for cell in cells)


def test_hostile_texts_are_harmless_in_every_file_of_a_study(hostile: Path) -> None:
    found = {file.suffix for file in texts(hostile) if safe(file)}
    assert found == {".html", ".json", ".dot", ".graphml", ".gexf", ".svg", ".sql"}
    parameters = json.loads(safe(hostile / "manifest.json"))["steps"]["entries"]["parameters"]
    assert parameters["inputs"][0]["path"] == f"{CONTROLS}.csv"
    titles = pq.read_table(hostile / "tracks.parquet")["title"].to_pylist()
    assert set(HOSTILE) <= set(titles)  # tables keep them as they are


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_texts_are_text_in_the_report(hostile: Path) -> None:
    page = Elements(safe(hostile / "report.html"))
    assert page.text.count(SCRIPT) > 10
    assert page.text.count(FORMULA) > 10
    assert not {"script", "iframe", "object", "embed", "link", "base", "form"} & {tag for tag, _ in page.found}
    attributes = [(name, value or "") for _, own in page.found for name, value in own.items()]
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert all(value.startswith("data:image/png;base64,") for name, value in attributes if name == "src")
    links = [unquote(value) for name, value in attributes if name == "href"]
    files = [link for link in links if not link.startswith("#")]
    assert files and all((hostile / link).is_file() for link in files)


def test_hostile_texts_are_text_in_graphs_and_figures(hostile: Path) -> None:
    labels = {
        "graph.graphml": ".//{*}data[@key='label']",
        "graph.gexf": ".//{*}node[@label]",
    }
    for name, path in labels.items():
        nodes = ElementTree.parse(hostile / name).getroot().findall(path)
        assert {SCRIPT, FORMULA} <= {node.get("label") or node.text for node in nodes}, name
    assert f'"{SCRIPT}"' in safe(hostile / "graph.dot")
    drawn = [*(hostile / "figures").glob("*.svg")]
    for file in drawn:
        assert not ElementTree.parse(file).getroot().findall(".//{*}script"), file
    assert drawn


@pytest.mark.parametrize(
    "question",
    [
        ("query", "leaders", "--by", "out_share", "--from"),
        ("query", "find", "hyperlink", "--from"),
        ("query", "find", "alert", "--from"),
    ],
)
@pytest.mark.parametrize("form", ["--csv", "--markdown", "--json"])
def test_answers_have_no_formula_and_no_control(
    hostile: Path, capsys: pytest.CaptureFixture[str], question: tuple[str, ...], form: str
) -> None:
    assert run_command([*question, str(hostile), form]) == 0
    answer = capsys.readouterr().out
    assert not re.search(r"(?![\t\n\r])" + CONTROL.pattern, answer)
    assert form != "--csv" or not has_formula(answer)
    assert form != "--markdown" or "<script" not in answer


def test_sql_as_csv_has_no_formula(hostile: Path, tmp_path: Path) -> None:
    file = tmp_path / "asked.csv"
    query = "SELECT title, artist FROM tracks ORDER BY track_id"
    assert run_command(["sql", str(hostile), query, "--csv", str(file)]) == 0
    assert "HYPERLINK" in safe(file) and not has_formula(safe(file))
    assert has_formula("a,=1+1\n")


def test_a_hostile_file_name_is_harmless_and_clean_reads_it_again(write_csv: WriteCsv, tmp_path: Path) -> None:
    path = write_csv(ROWS, columns=KAGGLE_COLUMNS)
    path = path.rename(path.with_name(f"{CONTROLS}.csv"))
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

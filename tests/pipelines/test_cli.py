"""The command line: what it makes, what it says, and what bad input gets."""

import contextlib
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pyarrow.parquet as pq
import pytest

from diffusion.contracts import ENTRIES, TRANSITIONS
from pipelines.commands.main import cli
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import LOG
from pipelines.progress import quiet
from pipelines.study.run import Run
from pipelines.study.settings import Study
from pipelines.study.steps import GRAPH_SET, RUN_SET, STEPS, SURVIVAL_SET
from survival.contracts import CURVES
from tests.conftest import KAGGLE_COLUMNS, WriteCsv, day, kaggle_rows, steady
from tests.pipelines.conftest import Outcome, Shell

ROWS = steady(
    90, {"United States": {"x": 30, "y": 31}, "Sweden": {"x": 33, "y": 31}, "Norway": {"x": 40}, "Global": {}}
)

FEW = {"replicates": 20}
"""Settings of a study that are quick, for tests to which the number of draws does not matter."""

FEW_DRAWS = ("--replicates", 20)
"""The same as options."""


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


PROGRESS = re.compile(r"\S.*  (unchanged|[\d,]+\.\d s)")
"""A line on what has ended."""


def refused(outcome: Outcome, code: int, *said: str) -> None:
    """Assert that a command ended with one clear line, after those on steps that had ended, and nothing else."""
    assert outcome[0] == code
    assert outcome[1] == ""
    assert outcome[2].endswith("\n")
    *steps, line = outcome[2].splitlines()
    assert all(PROGRESS.fullmatch(step) for step in steps)
    assert line.startswith("chart-diffusion: ")
    for words in said:
        assert words in line


def make_folder(place: Path, names: Sequence[str], **settings: int) -> Path:
    """Write ``charts.csv`` into a folder, and into its ``made`` what steps of these names make; return the folder."""
    with (place / "charts.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    with Folder(place / "made") as folder:
        Run(Study(str(place / "charts.csv"), **settings), folder).make(names, quiet)
    return place


@pytest.fixture(scope="module")
def graph_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what `graph` makes, made once."""
    return make_folder(tmp_path_factory.mktemp("graph"), GRAPH_SET)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what `run` makes with few draws, made once."""
    return make_folder(tmp_path_factory.mktemp("run"), RUN_SET, **FEW)


@pytest.fixture
def made(graph_folder: Path, tmp_path: Path) -> Path:
    """Copy what `graph` makes, and its charts, into the temporary folder; return the copy of what it makes."""
    shutil.copytree(graph_folder, tmp_path, dirs_exist_ok=True)
    return tmp_path / "made"


@pytest.fixture
def finished(run_folder: Path, tmp_path: Path) -> Path:
    """Copy what `run` makes with few draws, and its charts, as `made` does for `graph`."""
    shutil.copytree(run_folder, tmp_path, dirs_exist_ok=True)
    return tmp_path / "made"


@pytest.mark.parametrize("words", [["--version"], ["ingest", "--help"], ["clean", "--help"]])
def test_a_command_waits_for_no_library_of_others(words: list[str]) -> None:
    code = f"import sys\nfrom pipelines.commands.main import cli\ncli.main({words}, standalone_mode=False)\n"
    code += (
        "others = {'sklearn', 'lightgbm', 'statsmodels', 'lifelines', 'matplotlib', 'igraph', 'networkx', 'jinja2'}\n"
    )
    code += "print('loaded', *sorted(others & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *shown, loaded = done.stdout.splitlines()
    assert any(words[0].removeprefix("--") in line for line in shown)
    assert loaded == "loaded"


def test_graph_writes_what_it_promises(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    charts = write_csv(ROWS, columns=KAGGLE_COLUMNS)
    code, out, err = shell("graph", charts, "--window", 60, "--washout", 28, "--out", "made")
    assert code == 0
    assert all(PROGRESS.fullmatch(line) for line in err.splitlines())
    made = tmp_path / "made"
    wanted = {"graph.graphml", "edges.parquet", "markets.parquet", "entries.parquet", "manifest.json"}
    assert files(made) >= wanted
    assert f"read      {len(ROWS):,} rows" in out
    edges, entries = pq.read_table(made / "edges.parquet"), pq.read_table(made / "entries.parquet")
    assert edges.column_names[: len(TRANSITIONS.names)] == TRANSITIONS.names
    assert entries.schema.equals(ENTRIES.schema.remove_metadata(), check_metadata=False) or (
        entries.column_names == ENTRIES.names
    )
    assert edges.num_rows == 6
    assert pq.read_table(made / "markets.parquet")["market"].to_pylist() == ["NO", "SE", "US"]
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["steps"]["entries"]["notes"]["rows"]["read"] == len(ROWS)
    assert str(tmp_path) not in (made / "manifest.json").read_text()


def test_survival_writes_what_it_promises(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    charts = write_csv(ROWS)
    code, out, _ = shell("survival", charts, "--by", "continent", "--horizon", 180, "--out", "made")
    assert code == 0
    assert "follow-up ends before the horizon of 180 days; stopped: every curve on day 58" in out
    curves = pd.read_parquet(tmp_path / "made" / "survival.parquet")
    assert list(curves.columns) == CURVES.names
    assert curves.groupby("group").first()["survival"].to_dict() == {"Europe": 1.0}
    made = files(tmp_path / "made")
    assert made >= {"survival_summary.parquet", "figures/survival_continent.png", "report.html"}
    assert "next      open made/report.html" in out
    assert shell("survival", charts, "--by", "none", "--out", "one")[0] == 0
    assert set(pd.read_parquet(tmp_path / "one" / "survival.parquet")["group"]) == {"all"}


def test_demo_makes_everything_within_its_folder(shell: Shell, tmp_path: Path) -> None:
    assert shell("demo", "--out", "out/demo")[0] == 0
    made = files(tmp_path / "out" / "demo")
    figures = {path for path in made if path.startswith("figures/")}
    assert made - figures >= {
        "graph.graphml", "edges.parquet", "markets.parquet", "entries.parquet", "survival.parquet", "report.html",
        "manifest.json",
    }  # fmt: skip
    assert {Path(path).stem for path in figures if path.endswith(".png")} >= {
        "flow_map", "lags", "leaders", "transition_matrix", "community_map",
        "community_grid", "lag_curves",
        "survival_none", "survival_continent", "survival_language_match", "survival_footprint_size", "states",
        "hazard_ratios", "hazard_ratio_periods", "log_log", "cured", "model_scores", "calibration",
        "forecast_scores", "forecast_calibration", "travel", "persistence", "trajectory_profiles",
    }  # fmt: skip
    assert {path.replace(".png", ".svg") for path in figures} == {path for path in figures if path.endswith(".svg")}
    html = (tmp_path / "out" / "demo" / "report.html").read_text(encoding="utf-8")
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    assert "<script" not in html
    assert html.count("<img") == sum(path.endswith(".png") for path in figures)  # none is left out
    for heading in (
        "Edges beyond the baseline",
        "Direct influence",
        "Communities",
        "Does distance explain it?",
        "Still charting, gone, entered",
        "What goes with a faster entry",
        "Who never enters",
        "Checked: do models predict later tracks?",
        "Which markets next",
    ):
        assert re.search(rf"<h[23]>{re.escape(heading)}</h[23]>", html), heading
    assert "Not made: validity" in html
    assert "figures/leader_intervals: no market has enough artists" in html
    assert "Not made: backbone: no edge of 4,422 has q ≤ 0.05" in html  # 98 days show no pair beyond the baseline
    assert "No pair is shown to be direct." in html  # what 98 days cannot tell
    assert files(tmp_path) == {f"out/demo/{path}" for path in made}
    before = {path: (tmp_path / "out/demo" / path).stat().st_mtime_ns for path in made}
    code, again, _ = shell("demo", "--out", "out/demo")
    assert "made      0 files in out/demo; " in again
    after = {path: (tmp_path / "out/demo" / path).stat().st_mtime_ns for path in made}
    assert {path for path in made if before[path] != after[path]} <= {"manifest.json"}
    for question in (
        ("leaders",),
        ("flow", "US", "Canada"),
        ("next-from", "Sweden"),
        ("explain", "Ukraine", "Russia"),
        ("journey", "6PERP62TejQjgHu81OHxgM"),
    ):
        code, text, _ = shell("query", *question, "--from", "out/demo")
        assert code == 0
        assert len(text.splitlines()) > 1
    for question in (("influence", "Germany"), ("who-follows", "United States"), ("route", "GB", "IE")):
        answer = shell("query", *question, "--from", "out/demo")
        refused(answer, 1, "no pair of markets is shown to be direct; a ratio of ", "with a power of 80 %")
    for question in (("flow", "US", "Canada"), ("explain", "Ukraine", "Russia")):
        code, data, _ = shell("query", *question, "--from", "out/demo", "--json")
        assert json.loads(data, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    ranked = json.loads(shell("query", "leaders", "--by", "out_share", "--from", "out/demo", "--json")[1])["numbers"]
    # a few artists make up most of the demo: no market has an interval
    assert all(row["says"] == "too few" and row["artists"] < 10 and "low" not in row for row in ranked)
    assert [row["out_share"] for row in ranked] == sorted((row["out_share"] for row in ranked), reverse=True)
    tested = json.loads(shell("query", "leaders", "--from", "out/demo", "--json")[1])["numbers"]
    assert all(row["says"] == "too few" and "q" not in row for row in tested)


def study(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.slow
def test_run_takes_a_study(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    write_csv(ROWS)
    toml = study(
        tmp_path,
        '[study]\ntitle = "<b>Mine</b>"\n[charts]\npath = "charts.csv"\n[events]\ntop = 2\n'
        '[graph]\nreplicates = 20\n[survival]\nby = "none"\n',
    )
    code, out, _ = shell("run", toml, "--window", 20, "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["out"] == "out/mine"
    assert answer["leaders"]["net_flow"][0]["market"] == "US"
    manifest = json.loads((tmp_path / "out" / "mine" / "manifest.json").read_text())
    assert manifest["steps"]["graph"]["parameters"] == {"window": 20}
    assert manifest["steps"]["entries"]["parameters"]["top"] == 2
    assert "&lt;b&gt;Mine&lt;/b&gt;" in (tmp_path / "out" / "mine" / "report.html").read_text()


def test_run_takes_charts_and_makes_the_same_bytes(shell: Shell, finished: Path, tmp_path: Path) -> None:
    assert shell("run", "charts.csv", *FEW_DRAWS)[0] == 0
    other = tmp_path / "out" / "charts"
    assert "report.html" in files(other)
    assert files(finished) == files(other)
    for path in files(finished) - {LOG}:
        assert (finished / path).read_bytes() == (other / path).read_bytes(), path


@pytest.mark.slow
def test_only_what_changed_is_made_again(shell: Shell, finished: Path, write_csv: WriteCsv) -> None:
    run = ("run", "charts.csv", "--out", "made", *FEW_DRAWS)
    total = len(files(finished)) - 2  # manifest and log are no artifacts
    assert "made      0 files" in shell(*run)[1]
    (finished / "survival.parquet").write_text("spoiled")
    assert "made      3 files" in shell(*run)[1]
    # another window: the graph and what follows from it, but not the curves
    out = shell(*run, "--window", 40, "--replace")[1]
    assert "; 23 unchanged" in out  # entries, waits and their figures
    assert "removed" not in out
    assert len(files(finished)) - 2 == total
    # a graph alone leaves the curves and reports them; curves of other entries take away what followed from the others
    other = ("graph", "charts.csv", "--out", "made", "--window", 30, *FEW_DRAWS)
    before = {path: (finished / path).read_bytes() for path in files(finished)}
    refused(shell(*other), 2, "in 'made' this would replace graph, baseline, ", ": window was 40 and is now 30; name")
    assert {path: (finished / path).read_bytes() for path in files(finished)} == before
    assert "removed" not in shell(*other, "--replace")[1]
    assert "Time to breakthrough" in (finished / "report.html").read_text(encoding="utf-8")
    other = ("survival", "charts.csv", "--out", "made", "--top", 2)
    refused(shell(*other), 2, "validation and remove graph, ", "top was not given and is now 2; by was none, continent")
    assert "removed   " in shell(*other, "--replace")[1]
    left = files(finished)
    assert left.isdisjoint({"influence.parquet", "figures/flow_map.png", "graph.gexf"})
    assert left >= {"survival.parquet", "figures/survival_none.png", "report.html"}
    write_csv(ROWS[:-1])
    assert "unchanged" not in shell("survival", "charts.csv", "--out", "made", "--top", 2)[1]  # the charts have changed


def without(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != column} for row in rows]


def changed(column: str, value: object, *, every: int = 1) -> list[dict[str, Any]]:
    return [row | {column: value} if index % every == 0 else row for index, row in enumerate(ROWS)]


BAD_SOURCES = {
    "missing column": (without(ROWS, "rank"), 2, ["lacks a column for rank", "found title, date"]),
    "unknown market": (changed("region", "Brazzil", every=50), 2, ["unknown market 'Brazzil'; did you mean 'Brazil'?"]),
    "unclear dates": (changed("date", "01/02/2021"), 2, ["may be 2021-02-01", "--date-format"]),
    "many unreadable dates": (changed("date", "soon", every=50), 1, ["had to be set aside", "unreadable date"]),
    "rank 0": (changed("rank", 0, every=50), 1, ["rank is not a whole number from 1"]),
    "two tracks on one rank": (changed("rank", 1), 1, ["two tracks on one rank"]),
    "no ids": ([row | {"title": ""} for row in changed("url", "")], 2, ["nothing readable", "no track id"]),
    "one market only": (steady(60, {"us": {"x": 40}}), 1, ["only one market (US)"]),
    "only Global": (steady(60, {"Global": {"x": 40}}), 2, ["no market", "Global"]),
    "no transitions": (steady(60, {"us": {"x": 40}, "se": {"x": 40}}), 1, ["no transition between the 2 markets"]),
}


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_a_bad_source_gets_one_clear_line(shell: Shell, write_csv: WriteCsv, tmp_path: Path, case: str) -> None:
    rows, code, said = BAD_SOURCES[case]
    charts = write_csv(rows)
    for command in ("graph", "run"):
        refused(shell(command, charts, "--out", "made/here"), code, *said)
        assert files(tmp_path) == {"charts.csv"}
        assert not (tmp_path / "made").exists()


def test_one_market_has_no_curves(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    charts = write_csv(steady(60, {"us": {"x": 40}}))
    refused(shell("survival", charts, "--out", "made"), 1, "no track is at risk in any market")
    assert not (tmp_path / "made").exists()


def test_few_bad_rows_are_set_aside_and_said(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    plenty = steady(150, {"us": {"x": 30}, "se": {"x": 35}})
    plenty.append(plenty[0] | {"date": "soon"})
    code, out, _ = shell("survival", write_csv(plenty), "--by", "none", "--out", "made")
    assert code == 0
    assert "set aside: 1 unreadable date" in out
    notes = json.loads((tmp_path / "made" / "manifest.json").read_text())["steps"]["entries"]["notes"]
    assert notes["rows"]["set_aside"] == {"unreadable date": 1}


def test_what_is_no_source_gets_one_clear_line(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "header.csv").write_text(",".join(KAGGLE_COLUMNS) + "\n")
    (tmp_path / "blank.csv").write_text("\n")
    (tmp_path / "text.parquet").write_text("this is no Parquet file")
    (tmp_path / "notes.md").write_text("not charts")
    (tmp_path / "wide.csv").write_bytes("title,ränk".encode("latin-1"))
    (tmp_path / "folder").mkdir()
    for source, said in {
        "empty.csv": "is empty (0 bytes)",
        "header.csv": "no rows in 'header.csv'",
        "blank.csv": "is empty: its first line must name the columns",
        "text.parquet": "cannot read 'text.parquet' as parquet",
        "notes.md": "is not a chart file",
        "wide.csv": "not UTF-8",
        "folder": "no charts in the folder 'folder'",
        "nowhere.csv": "no file, folder or glob match at 'nowhere.csv'",
        "nowhere/*.csv": "no file, folder or glob match",
    }.items():
        refused(shell("graph", source, "--out", "made"), 2, said)
        assert not (tmp_path / "made").exists()


def test_an_output_that_cannot_be_written_gets_one_clear_line(
    shell: Shell, write_csv: WriteCsv, tmp_path: Path
) -> None:
    charts = write_csv(ROWS)
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    for place in (locked, locked / "below"):
        refused(shell("graph", charts, "--out", place), 2, "read-only")
    locked.chmod(0o755)
    assert list(locked.iterdir()) == []
    (tmp_path / "file").touch()
    refused(shell("graph", charts, "--out", "file"), 2, "'file' is a file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text('{"mine": 1}')
    refused(shell("graph", charts, "--out", "other"), 2, "not a manifest of this tool")
    assert (tmp_path / "other" / "manifest.json").read_text() == '{"mine": 1}'


@pytest.mark.slow
def test_what_others_put_into_the_folder_stays(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    charts = write_csv(ROWS)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    (mine / "survival.parquet").write_text("mine too")
    survival = ("survival", charts, "--by", "none", "--out", "mine")
    refused(shell(*survival), 2, "survival.parquet' is there and was not made by this tool")
    assert files(mine) == {"notes.txt", "survival.parquet"}
    assert (mine / "survival.parquet").read_text() == "mine too"
    (mine / "survival.parquet").unlink()
    (tmp_path / "elsewhere").mkdir()
    (mine / "figures").symlink_to(tmp_path / "elsewhere")
    refused(shell(*survival), 2, "leads out of the folder by a link")
    assert files(tmp_path / "elsewhere") == set()
    (mine / "figures").unlink()
    assert shell(*survival)[0] == 0
    (mine / "survival.parquet").write_text("edited by hand")
    assert shell("graph", charts, "--out", "mine", "--washout", 20, "--replace", *FEW_DRAWS)[0] == 0
    assert (mine / "survival.parquet").read_text() == "edited by hand"
    assert (mine / "notes.txt").read_text() == "mine"


def test_charts_and_results_do_not_share_a_folder(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    write_csv(ROWS, name="in/charts.csv")
    survival = ("survival", "in", "--by", "none", "--out")
    refused(shell(*survival, "in"), 2, "'in' is the folder of the charts")
    assert files(tmp_path) == {"in/charts.csv"}
    assert shell(*survival, "in/out")[0] == 0
    assert "made      0 files in in/out; " in shell(*survival, "in/out")[1]  # results are no charts


HOSTILE = ["../victim", "/tmp/victim", "a\u0000b", "", ".", "figures/../../victim"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_manifest_names_nothing_outside_its_folder(shell: Shell, made: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").write_text("whole")
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["steps"]["graph"]["artifacts"][0]["path"] = name
    (made / "manifest.json").write_text(json.dumps(manifest))
    refused(shell("graph", "charts.csv", "--out", "made", "--window", 9), 2, "is not a manifest of this tool")
    refused(shell("query", "leaders", "--from", "made"), 2, "is not a manifest of this tool")
    assert (tmp_path / "victim").read_text() == "whole"


def test_a_folder_that_is_not_what_its_manifest_says_is_not_believed(shell: Shell, made: Path) -> None:
    (made / "edges.parquet").write_bytes((made / "markets.parquet").read_bytes())
    refused(shell("query", "leaders", "--from", "made"), 2, "edges.parquet' is not what the manifest says")
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["steps"]["entries"]["notes"]["rows"] = 5
    (made / "manifest.json").write_text(json.dumps(manifest))
    # entries and graph are made again; what depends on them came out the same
    assert "made      10 files in made; " in shell("graph", "charts.csv", "--out", "made")[1]
    (made / "manifest.json").write_text("[" * 100_000)
    refused(shell("graph", "charts.csv", "--out", "made"), 2, "is not a manifest of this tool")


def test_rows_of_other_charts_are_named(shell: Shell, write_csv: WriteCsv) -> None:
    two = ROWS + [row | {"chart": "viral50"} for row in ROWS[:100]]
    _, out, _ = shell("survival", write_csv(two), "--by", "none", "--out", "made")
    assert "not used  other charts of the source: viral50" in out


BAD_STUDIES = {
    "not toml": ("this is no toml", "cannot read the study file"),
    "no path": ('[study]\ntitle = "x"\n', "does not say what to read"),
    "unknown section": ('[chart]\npath = "a"\n', "unknown section", "did you mean 'charts'?"),
    "unknown key": (
        '[charts]\npath = "a"\n[events]\nwash_out = 3\n',
        "unknown key in [events]",
        "did you mean 'washout'?",
    ),
    "text for a number": (
        '[charts]\npath = "a"\n[events]\nwashout = "28"\n',
        "washout is '28'; it must be a whole number",
    ),
    "negative": ('[charts]\npath = "a"\n[graph]\nwindow = 0\n', "window is 0; it must be a whole number, 1 or more"),
    "truth for a number": ('[charts]\npath = "a"\n[events]\ntop = true\n', "top is True"),
    "unknown identity": ('[charts]\npath = "a"\n[events]\nidentity = "song"\n', "allowed are 'track' and 'recording'"),
    "no grouping": ('[charts]\npath = "a"\n[survival]\nby = []\n', "name groupings, such as none, continent"),
    "number for text": ("[charts]\npath = 3\n", "does not say what to read"),
    "markets that are no list": (
        '[charts]\npath = "a"\n[markets]\ngroups = { Nordics = "SE" }\n',
        "groups of [markets] must be lists of markets",
    ),
    "no table": ('[charts]\npath = "a"\ncolumns = "x"\n', "columns must be a table"),
    "no section": ("charts = 3\n", "'charts' in"),
    "number for groupings": ('[charts]\npath = "a"\n[survival]\nby = 5\n', "by is 5; it must be a list of texts"),
    "a grouping twice": ('[charts]\npath = "a"\n[survival]\nby = ["none", "none"]\n', "each once"),
    "seed too large": ('[charts]\npath = "a"\n[graph]\nseed = 9223372036854775808\n', "seed"),
    "too long": ('[charts]\npath = "a"\n[graph]\nwindow = 2147483647\n', "36,500 at most"),
    "too deep": ("a = " + "[" * 3000, "cannot read the study file"),
}


@pytest.mark.parametrize("case", BAD_STUDIES)
def test_a_bad_study_gets_one_clear_line(shell: Shell, tmp_path: Path, case: str) -> None:
    text, *said = BAD_STUDIES[case]
    refused(shell("run", study(tmp_path, text), "--out", "made"), 2, *said)
    assert not (tmp_path / "made").exists()


def test_bad_options_get_one_clear_line(shell: Shell, write_csv: WriteCsv) -> None:
    charts = write_csv(ROWS)
    refused(shell("run", "absent.toml"), 2, "no study file at 'absent.toml'")
    refused(shell("graph", charts), 2, "Missing option '--out'")
    refused(shell("graph", charts, "--out", "o", "--window", "soon"), 2, "'soon' is not a valid integer")
    refused(shell("graph", charts, "--out", "o", "--window", -1), 2, "window is -1")
    refused(shell("graph", charts, "--out", "o", "--washout", -1), 2, "washout is -1")
    refused(shell("graph", charts, "--out", "o", "--top", 0), 2, "top is 0")
    refused(shell("graph", charts, "--out", "o", "--min-periods", 0), 2, "min_periods is 0")
    refused(shell("graph", charts, "--out", "o", "--chart", "viral50"), 2, "no chart 'viral50'")
    refused(shell("graph", charts, "--out", "o", "--column", "rank"), 2, "not of the form LEFT=RIGHT")
    refused(shell("survival", charts, "--out", "o", "--by", "star"), 2, "unknown variable 'star'; there are none, ")
    refused(shell("survival", charts, "--out", "o", "--horizon", 0), 2, "horizon is 0")
    refused(shell("dance"), 2, "No such command 'dance'")
    refused(shell("graph", "", "--out", "o"), 2, "path of the charts is empty")
    refused(shell("graph", charts, "--out", "o", "--washout", 10**12), 2, "36,500 at most")
    refused(shell("graph", charts, "--out", "o", "--seed", 2**63), 2, "seed")
    refused(shell("graph", charts, "--out", "o", "--column", "rank=rank", "--column", "rank=date"), 2, "'rank' twice")


def test_queries_that_find_nothing_say_so(shell: Shell, made: Path) -> None:
    refused(shell("query", "leaders"), 2, "Missing option '--from'")
    refused(shell("query", "leaders", "--from", "absent"), 2, "no manifest.json in 'absent'")
    assert shell("survival", "charts.csv", "--by", "none", "--out", "curves")[0] == 0
    said = "the graph was not computed for 'curves'; make it with: chart-diffusion graph CHARTS --out curves"
    refused(shell("query", "influence", "SE", "--from", "curves"), 2, said)
    refused(
        shell("query", "influence", "SE", "--from", "made"), 1, "which pairs are direct is not known: no pair could"
    )
    refused(shell("query", "leaders", "--from", "made", "--most", 0), 2, "0 is not in the range")
    refused(shell("query", "journey", "itle of", "--from", "made"), 1, "did you mean 'Title of")
    refused(shell("query", "next-from", "Norway", "--from", "made"), 1, "no track has a transition from NO")
    refused(shell("query", "leaders", "--from", "made", "--by", "charm"), 2, "no score 'charm'")
    refused(shell("query", "flow", "Sweden", "Atlantis", "--from", "made"), 2, "unknown market 'Atlantis'")
    refused(shell("query", "flow", "Sweden", "Japan", "--from", "made"), 1, "JP is not observed")
    refused(shell("query", "journey", "nobody", "--from", "made"), 1, "no track has the id or title 'nobody'")
    for name in ("x", "https://open.spotify.com/track/x?si=1", "title of X"):
        code, out, _ = shell("query", "journey", name, "--from", "made", "--json")
        assert code == 0
        assert [stop["market"] for stop in json.loads(out)["numbers"]["journey"]] == ["US", "SE", "NO"]


def test_two_tracks_of_one_title_are_told_apart(shell: Shell, write_csv: WriteCsv) -> None:
    rows = [row | {"title": "Same", "artist": f"Band {row['url'].split('/')[-1]}"} for row in ROWS]
    assert shell("survival", write_csv(rows), "--by", "none", "--out", "made")[0] == 0
    said = "5 recordings are called 'same'; add the artist, or name one by its id, in most markets first: "
    listed = "'Same' by Band x (x, 3 markets); 'Same' by Band y (y, 2 markets)"
    refused(shell("query", "journey", "same", "--from", "made"), 1, f"{said}{listed}")
    for named in (("Same", "--artist", "bánd Y"), ("same by Band Y",), ("Band y - Same",)):
        code, out, _ = shell("query", "journey", *named, "--from", "made", "--json")
        assert (code, json.loads(out)["numbers"]["ids"]) == (0, ["y"])


def test_an_artists_tracks_and_look_alikes_are_told(shell: Shell, made: Path) -> None:
    own = json.loads(shell("query", "artist", "ARTIST", "--from", "made", "--json")[1])
    assert own["verdict"].startswith("5 recordings by ARTIST entered 3 markets; of 2 with a timed debut, 2 began in ")
    assert [(row["market"], row["debuts"], row["alone"]) for row in own["numbers"]["markets"]] == [
        ("US", 2, 1), ("SE", 1, 0), ("NO", 0, 0),
    ]  # fmt: skip
    alike = json.loads(shell("query", "like", "title of x", "--days", 3, "--from", "made", "--json")[1])
    assert alike["verdict"] == "1 look-alike, of too few artists to say what such tracks do next."
    assert [(row["title"], row["same_artist"]) for row in alike["numbers"]["look_alikes"]] == [("Title of y", True)]
    refused(
        shell("query", "artist", "Nobody", "--from", "made"), 1, "no track is by 'Nobody', named first in the credits"
    )


def test_ids_of_one_recording_are_found_and_followed_as_one(shell: Shell, write_csv: WriteCsv) -> None:
    rows = [row | ({"title": "Same", "artist": "Band"} if row["url"].endswith(("/x", "/y")) else {}) for row in ROWS]
    assert shell("survival", write_csv(rows), "--by", "none", "--out", "made")[0] == 0
    found = json.loads(shell("query", "find", "sáme", "--from", "made", "--json")[1])
    assert list(found) == ["verdict", "about", "numbers", "tests"]
    assert found["verdict"] == "1 recording found; first: 'Same' by Band, 3 markets, 2 ids of one recording."
    assert [row["ids"] for row in found["numbers"]] == [["x", "y"]]
    together = json.loads(shell("query", "journey", "same", "--from", "made", "--json")[1])["numbers"]
    alone = json.loads(shell("query", "journey", "y", "--from", "made", "--json")[1])["numbers"]
    assert (together["ids"], alone["ids"], alone["other_ids"]) == (["x", "y"], ["y"], ["x"])
    assert (len(together["journey"]), len(alone["journey"])) == (3, 2)
    assert "Same,Band,x y," in shell("query", "find", "Band", "--from", "made", "--csv")[1]
    assert "| Same | Band | x y |" in shell("query", "find", "Band", "--from", "made", "--markdown")[1]
    refused(shell("query", "find", "x", "--from", "made", "--csv", "--json"), 2, "forms of one answer; choose one")


def test_hostile_titles_do_not_reach_the_terminal(shell: Shell, write_csv: WriteCsv) -> None:
    rows = [row | {"title": "\x1b[31mred\x07\u202e"} for row in ROWS]
    assert shell("survival", write_csv(rows), "--by", "none", "--out", "made")[0] == 0
    code, out, _ = shell("query", "journey", "x", "--from", "made")
    assert code == 0
    assert "red" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
    code, _, err = shell("graph", write_csv(rows, name="\x1b[31m.md"), "--out", "other")
    assert code == 2
    assert "\x1b" not in err


@pytest.mark.slow
def test_columns_can_be_named(shell: Shell, write_csv: WriteCsv) -> None:
    rows = [{"wo": r["region"], "wann": r["date"], "platz": r["rank"], "lied": r["url"]} for r in ROWS]
    names = [part for pair in ("market=wo", "date=wann", "rank=platz", "url=lied") for part in ("--column", pair)]
    assert shell("survival", write_csv(rows), "--by", "none", "--out", "made", *names)[0] == 0


@pytest.mark.slow
def test_every_option_reaches_the_entries(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    charts = {
        (region, number): ["old", *(["x"] if number >= steady or number == first else [])]
        for region, first, steady in (("us", 32, 32), ("se", 33, 40))
        for number in range(90)
    }
    rows = kaggle_rows(charts)
    path = write_csv([row | {"chart": chart} for row in rows for chart in ("top50", "viral50")])

    def entry(*options: object) -> list[str]:
        out = tmp_path / "-".join(map(str, options)).replace("-", "")
        code, _, err = shell("survival", path, "--by", "none", "--out", out, "--chart", "top50", *options)
        assert code == 0, err
        table = pq.read_table(out / "entries.parquet").to_pylist()
        return [str(row["entry"]) for row in table if row["track_id"] == "x" and row["market"] == "SE"]

    assert entry() == [str(day(33))]
    assert entry("--min-periods", 2) == [str(day(41))]  # the second chart in a row
    assert entry("--top", 2, "--washout", 0) == [str(day(33))]
    code, _, err = shell("survival", path, "--out", "none", "--chart", "top50", "--top", 1)
    assert (code, "no track is at risk" in err) == (1, True)  # x is never first


def outputs(command: click.Command) -> list[click.Parameter]:
    """Return the options --out of a command and of the commands below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    own = [option for option in command.params if option.name == "out"]
    return own + [option for one in below for option in outputs(one)]


def test_no_output_has_an_empty_name() -> None:
    found = outputs(cli)
    assert len(found) > 10
    for option in found:
        with pytest.raises(click.BadParameter, match=r"the name is empty; '\.' is the folder you are in"):
            option.type.convert("", option, None)
        assert option.type.convert("made", option, None) == Path("made")


def test_every_command_has_help() -> None:
    def walk(command: click.Command, path: str) -> None:
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help or parameter.name == "version", (path, parameter.name)
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                walk(child, f"{path} {name}")

    walk(cli, "chart-diffusion")


def in_a_process(*arguments: object) -> list[str]:
    """Return the words that run a command in a process of its own, warnings being errors."""
    return [sys.executable, "-W", "error", "-m", "pipelines", *map(str, arguments)]


def test_the_module_works_in_a_process_of_its_own_with_a_line_per_step(write_csv: WriteCsv, tmp_path: Path) -> None:
    survival = ("survival", write_csv(ROWS), "--by", "none", "--out", "made")
    done = subprocess.run(in_a_process(*survival), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert [re.sub(r" +[\d.]+ s$", "", line) for line in done.stderr.splitlines()] == [
        "entries", *SURVIVAL_SET, "figures", "report",
    ]  # fmt: skip
    command = in_a_process("survival", "absent", "--out", "x")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "chart-diffusion: no file, folder or glob match at 'absent'\n"


def on_screen(written: str) -> list[str]:
    """Return the lines that a terminal shows after `written`, which may move up, clear lines and set colours."""
    lines, row = [""], 0
    for code, text in re.findall(r"\x1b\[([\d;?]*[a-zA-Z])|([\r\n]|[^\x1b\r\n]+)", written):
        if code.endswith("A"):
            row -= int(code[:-1])
        elif code == "2K":
            lines[row] = ""
        elif text == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif text != "\r":
            lines[row] += text
    return lines


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal needs POSIX")
def test_progress_stands_on_a_terminal_while_it_lasts(write_csv: WriteCsv, tmp_path: Path) -> None:
    """Standard error is a real pseudo-terminal, standard output a pipe."""
    terminal, theirs = os.openpty()
    command = in_a_process("survival", write_csv(ROWS), "--by", "none", "--out", "made", "--json")
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError), os.fdopen(terminal, "rb", buffering=0) as screen:  # EIO: they have hung up
            while piece := screen.read(4096):
                shown += piece
        output = process.communicate()[0]
    written = shown.decode()
    assert process.returncode == 0
    assert any(step.doing in written for step in STEPS)
    assert not "".join(on_screen(written)).strip()
    assert json.loads(output)["out"] == "made"

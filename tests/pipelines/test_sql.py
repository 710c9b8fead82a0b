"""A finished study in Python, SQL over folders, and the views that a folder brings for anyone's DuckDB."""

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffusion import Entries, SettingError
from diffusion.contracts import CHART_ROWS, ENTRIES, OBSERVATIONS
from diffusion.engine import SQL_TYPES
from graphs import MarketGraph
from pipelines import Results, open_study
from pipelines.artifacts import ARTIFACTS
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import MANIFEST
from pipelines.folders.verify import verify
from pipelines.progress import quiet
from pipelines.study.run import Run
from pipelines.study.settings import Study
from pipelines.study.steps import STEPS
from tests.conftest import WriteCsv, steady
from tests.doors import cleaned
from tests.pipelines.conftest import Shell

ROWS = steady(
    90, {"United States": {"x": 30, "y": 31}, "Sweden": {"x": 33, "y": 31}, "Norway": {"x": 40}, "Global": {}}
)


PLAIN = tuple(replace(step, drawings=None, section=None) for step in STEPS)
"""The steps of a study without figures and sections of the report, which take longest."""


def make(charts: Path, place: Path, *names: str) -> list[str]:
    """Make steps into a folder, and return the files that were made."""
    with Folder(place) as folder:
        Run(Study(str(charts)), folder, steps=PLAIN).make(names, quiet)
        return folder.changes()["made"]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with entries and graph of a small study, made once."""
    place = tmp_path_factory.mktemp("study")
    pd.DataFrame(ROWS).to_csv(place / "charts.csv", index=False)
    make(place / "charts.csv", place / "made", "graph")
    return place / "made"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cleaned folder, made once."""
    place = tmp_path_factory.mktemp("cleaned")
    pd.DataFrame(ROWS).to_csv(place / "charts.csv", index=False)
    cleaned(place / "charts.csv", place, {}).close()
    return place / "clean"


def test_a_finished_study_is_opened_with_entries_graph_and_tables(study: Path) -> None:
    found = open_study(study)
    assert isinstance(found, Results)
    assert isinstance(found.entries, Entries)
    assert isinstance(found.graph, MarketGraph)
    tables = found.tables.set_index("table")
    assert tables.loc["entries", ["step", "rows", "one_row"]].tolist() == ["entries", len(found.entries), ENTRIES.row]
    assert repr(found) == f"<Results in '{study}': {len(tables)} tables>"
    assert all(f"<td>{name}</td>" in found._repr_html_() for name in tables.index)
    assert {f"{name}.parquet" for name in tables.index} == {path.name for path in study.glob("*.parquet")}
    assert found.parameters("entries")["washout"] == 28
    assert found.notes("entries")["markets"] == 3


def test_tables_come_with_the_types_of_their_contract(study: Path) -> None:
    found = open_study(study)
    table, arrow = found.table("entries"), found.arrow("entries")
    assert [(field.name, field.type) for field in arrow.schema] == [(one.name, one.type) for one in ENTRIES.columns]
    kinds = {name: str(kind) for name, kind in table.dtypes.items()}
    assert (kinds["entry"], kinds["rank"], kinds["streams"], kinds["left_censored"]) == (
        "datetime64[ms]",
        "int32",
        "Int64",
        "bool",
    )
    assert str(found.table("coverage")["previous"].dtype) == "datetime64[ms]"
    for name in found.tables["table"]:
        frame = found.table(name)
        back = pa.Table.from_pandas(frame, preserve_index=False)
        assert back.num_rows == found.arrow(name).num_rows
        assert found.sql(f"FROM {name}", as_="arrow").num_rows == len(frame)


def test_a_table_that_is_not_there_is_named_with_what_makes_it(study: Path) -> None:
    found = open_study(study)
    for name, said in {
        "entires": "did you mean 'entries'",
        "influence": f"make it with: chart-diffusion graph CHARTS --out {study}",
        "hazard_ratios": f"make it with: chart-diffusion survival CHARTS --out {study}",
        "forecasts": f"make it with: chart-diffusion run CHARTS --out {study}",
        "known": "make it with: chart-diffusion demo --simulated",
    }.items():
        with pytest.raises(SettingError) as refused:
            found.table(name)
        assert said in str(refused.value)


def test_what_is_sent_to_others_does_not_name_the_folder(study: Path) -> None:
    found = open_study(study)
    assert found.why_not("influence") == f"make it with: chart-diffusion graph CHARTS --out {study}"
    assert found.why_not("influence", sent=True) == "make it with: chart-diffusion graph CHARTS"


def test_a_table_that_could_not_be_made_says_why(tmp_path: Path, study: Path) -> None:
    place = shutil.copytree(study, tmp_path / "made")
    with Folder(place) as folder:
        entry = folder.previous("entries")
        assert entry is not None
        notes = entry["notes"] | {"not_made": {"absences": "too short"}}
        folder.begin("entries", "other", parameters=entry["parameters"], notes=notes)
    with pytest.raises(SettingError, match="no table 'absences'; not made: too short"):
        open_study(place).table("absences")


def test_a_study_answers_sql_over_all_its_tables(study: Path) -> None:
    found = open_study(study)
    answer = found.sql("""
        SELECT source, target, tracks, count(*) AS entries
        FROM edges JOIN entries ON entries.market = source
        WHERE tracks > 0 GROUP BY ALL ORDER BY ALL
    """)
    edges = found.graph.edges.query("tracks > 0").sort_values(["source", "target"])
    assert answer[["source", "target", "tracks"]].to_numpy().tolist() == (
        edges[["source", "target", "tracks"]].to_numpy().tolist()
    )
    with pytest.raises(SettingError, match="did you mean 'edges'"):
        found.sql("FROM edge")


def test_sql_reads_no_file_that_is_not_as_the_manifest_says(tmp_path: Path, study: Path, shell: Shell) -> None:
    place = shutil.copytree(study, tmp_path / "made")
    table = pq.read_table(place / "edges.parquet")
    pq.write_table(table.slice(1), place / "edges.parquet")
    assert open_study(place).sql("SELECT count(*) AS n FROM coverage")["n"].tolist() == [3 * 90]
    with pytest.raises(SettingError, match=r"edges\.parquet' is not what the manifest says"):
        open_study(place).sql("FROM edges")
    code, out, said = shell("sql", place, "SELECT * FROM edges")
    assert (code, out) == (2, "")
    assert "is not what the manifest says" in said
    shutil.copy(study / "edges.parquet", tmp_path / "elsewhere.parquet")
    (place / "edges.parquet").unlink()
    (place / "edges.parquet").symlink_to(tmp_path / "elsewhere.parquet")
    assert shell("sql", place, "SELECT * FROM edges")[0] == 2


def test_the_command_prints_a_table_and_says_how_many_rows_there_are(study: Path, shell: Shell) -> None:
    sql = "SELECT market, year(date) AS year, depth FROM coverage ORDER BY market, date"
    code, out, said = shell("sql", study, sql, "--most", 2)
    assert (code, said) == (0, "")
    assert [line.split() for line in out.splitlines()[:-1]] == [["market", "year", "depth"], *[["NO", "2021", "1"]] * 2]
    assert out.splitlines()[-1] == "2 of 270 rows; --most, --csv or --parquet for more"
    assert shell("sql", study, "FROM edges WHERE tracks > 99")[1].startswith("no rows (source, target, ")
    code, out, _ = shell("sql", study, f"{sql} LIMIT 1", "--json")
    assert json.loads(out) == [{"market": "NO", "year": 2021, "depth": 1}]
    values = "SELECT [1.5, 'nan'::DOUBLE] AS list, DATE '2021-01-01' AS day, NULL::INT AS nothing, 'inf'::DOUBLE AS inf"
    assert json.loads(shell("sql", study, values, "--json")[1]) == [
        {"list": [1.5, None], "day": "2021-01-01", "nothing": None, "inf": None}
    ]


def test_the_command_reads_sql_from_a_file_and_from_standard_input(
    study: Path, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ask.sql").write_text("-- how many\nSELECT count(*) AS pairs FROM edges;\n")
    assert shell("sql", study, "ask.sql")[1].split() == ["pairs", "6"]
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 7 AS seven"))
    assert shell("sql", study, "-")[1].split() == ["seven", "7"]
    code, _, said = shell("sql", study, "away.sql")
    assert (code, said) == (2, "chart-diffusion: No such file or directory: 'away.sql'\n")


def test_files_are_written_whole_and_never_into_the_folder(study: Path, shell: Shell, tmp_path: Path) -> None:
    sql = "SELECT market, date, previous, depth, '=1+2' AS formula FROM coverage ORDER BY market, date"
    assert shell("sql", study, sql, "--csv", "c.csv")[:2] == (0, "made      c.csv: 270 rows\n")
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert lines[:3] == [
        "market,date,previous,depth,formula",
        "NO,2021-01-01,,1,'=1+2",
        "NO,2021-01-02,2021-01-01,1,'=1+2",
    ]
    assert shell("sql", study, sql, "--parquet", "c.parquet")[:2] == (0, "made      c.parquet: 270 rows\n")
    assert pq.read_table(tmp_path / "c.parquet").equals(open_study(study).sql(sql, as_="arrow"))
    late = "SELECT CASE WHEN n = 299999 THEN error('late') ELSE n END AS n FROM range(300000) t(n)"
    for kind in ("--csv", "--parquet"):
        code, out, said = shell("sql", study, late, kind, "late")
        assert (code, out) == (2, "") and "late" in said
    assert shell("sql", study, "SELECT INTERVAL 1 DAY AS d", "--parquet", "late")[2].endswith("CAST it to VARCHAR\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.csv", "c.parquet"]
    for target in (study / "edges.parquet", study / "new.csv", study / ".." / "made" / "x"):
        code, _, said = shell("sql", study, sql, "--csv", target)
        assert code == 2 and "is in the folder that is asked, where nothing is written" in said
    assert shell("sql", study, sql, "--csv", "c", "--json")[0] == 2
    assert verify(study).whole


@pytest.mark.parametrize(
    "attempt",
    ["COPY edges TO 'x.csv'", "FROM read_text('/etc/passwd')", "ATTACH 'x.db'", "SELECT 1; SELECT 2"],
)
def test_hostile_sql_is_one_line_and_the_code_of_a_mistake(
    attempt: str, study: Path, shell: Shell, tmp_path: Path
) -> None:
    code, out, said = shell("sql", study, attempt)
    assert (code, out, said.count("\n")) == (2, "", 1)
    assert said.startswith("chart-diffusion: ")
    assert list(tmp_path.iterdir()) == []
    assert verify(study).whole


def test_without_sql_the_command_lists_the_tables_with_their_columns(study: Path, clean: Path, shell: Shell) -> None:
    lines = shell("sql", study)[1].splitlines()
    assert lines[0] == f"entries ({len(open_study(study).entries)} rows): {ENTRIES.row}"
    assert lines[1].startswith("    track_id VARCHAR, market VARCHAR, chart VARCHAR, entry DATE, ")
    listed = json.loads(shell("sql", study, "--json")[1])
    assert [one["table"] for one in listed] == open_study(study).tables["table"].tolist()
    assert listed[0]["columns"][0]["meaning"] == ENTRIES.columns[0].meaning
    assert [line.split()[0].rstrip(":") for line in shell("sql", clean)[1].splitlines()[::2]] == [
        "charts", "observations", "tracks", "artists", "availability", "recordings", "quarantine", "row_accounting",
        "accounting_by_file",
    ]  # fmt: skip


def test_cleaned_charts_and_raw_ones_answer_sql(clean: Path, shell: Shell) -> None:
    def ask(place: Path, sql: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = json.loads(shell("sql", place, sql, "--json")[1])
        return rows

    kept = sum(row["region"] != "Global" for row in ROWS)
    assert ask(clean, "SELECT count(*) AS n, count(DISTINCT market) AS m FROM charts") == [{"n": kept, "m": 3}]
    assert ask(clean, "SELECT count(*) AS n FROM observations") == [{"n": len(ROWS)}]
    assert ask(clean, "SELECT value FROM row_accounting WHERE metric = 'kept_rows'") == [{"value": len(ROWS)}]
    assert ask(clean, "SELECT DISTINCT artist FROM artists JOIN tracks USING (track_id, artist)") == [
        {"artist": "Artist"}
    ]
    assert ask(clean.parent / "raw", "SELECT count(*) AS n FROM slim") == [{"n": len(ROWS)}]


@pytest.mark.parametrize("folder", ["study", "clean"])
def test_views_sql_opens_the_same_tables_in_any_duckdb(
    folder: str, request: pytest.FixtureRequest, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    place: Path = request.getfixturevalue(folder)
    listed = json.loads(shell("sql", place, "--json")[1])
    for there in (True, False):
        with duckdb.connect() as connection:
            monkeypatch.chdir(place if there else place.parent)
            if not there:
                connection.execute("SET file_search_path = $place", {"place": str(place)})
            connection.execute((place / "views.sql").read_text(encoding="utf-8"))
            said = connection.sql("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall()
            assert dict(said) == {one["table"]: f"A row is {one['one_row']}." for one in listed}
            columns = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
            assert sorted(connection.sql(columns).fetchall()) == sorted(
                (one["table"], column["name"], column["meaning"]) for one in listed for column in one["columns"]
            )
            for one in listed:
                rows = connection.sql(f'FROM "{one["table"]}"')
                assert [str(kind) for kind in rows.types] == [column["type"] for column in one["columns"]]
                if one["rows"] is not None:
                    assert len(rows) == one["rows"]


def test_views_are_made_again_when_the_tables_change(tmp_path: Path, write_csv: WriteCsv) -> None:
    charts, place = write_csv(ROWS), tmp_path / "made"
    make(charts, place, "entries")
    first = (place / "views.sql").read_text(encoding="utf-8")
    assert make(charts, place, "entries") == []
    assert '"edges"' not in first
    assert "views.sql" in make(charts, place, "graph")
    more = (place / "views.sql").read_text(encoding="utf-8")
    assert '"edges"' in more and more.startswith(first.rstrip())
    assert verify(place).whole
    steps = json.loads((place / MANIFEST).read_bytes())["steps"]
    assert [artifact["path"] for artifact in steps["views"]["artifacts"]] == ["views.sql"]


def test_every_table_with_a_contract_has_types_in_sql() -> None:
    contracts = [contract for tables in ARTIFACTS.values() for contract in tables.values()]
    assert {column.type for one in (*contracts, CHART_ROWS, OBSERVATIONS) for column in one.columns} <= set(SQL_TYPES)


@pytest.mark.parametrize("page", ["notebooks.md", "sql.md"])
def test_the_examples_on_a_finished_study_run(
    page: str, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(study, tmp_path / "out" / "mine")
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "howto" / page).read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```python\n(.+?)```", text, flags=re.DOTALL) if "open_study" in block]
    assert len(blocks) == 1
    exec(compile(blocks[0], page, "exec"), {})

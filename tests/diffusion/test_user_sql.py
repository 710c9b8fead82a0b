"""SQL of users: it reads the tables that it is given and nothing else, and whatever it says, it writes nothing."""

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffusion import Charts, SettingError, open_charts
from diffusion.contracts import CHART_ROWS, OBSERVATIONS, Column, Contract
from diffusion.engine import View, interrupt_engines, select_rows
from diffusion.files import digest_of_file
from tests.conftest import kaggle_rows

SECRET = "only in the other file"

NUMBERS = Contract(
    "numbers",
    "one number",
    (
        Column("number", pa.int32(), "a number"),
        Column("square", pa.int64(), "its square", nullable=True),
        Column("day", pa.date32(), "a day"),
        Column("name", pa.string(), "a name", nullable=True),
    ),
    ("number",),
)

REFUSED = (
    "FROM '{other}'",
    "SELECT * FROM '{other}'",
    "FROM read_parquet('{other}')",
    "FROM parquet_scan('{other}')",
    "FROM parquet_metadata('{other}')",
    "FROM read_csv('{other}')",
    "FROM read_csv_auto('/etc/passwd')",
    "FROM sniff_csv('/etc/passwd')",
    "FROM read_text('/etc/passwd')",
    "FROM read_blob('/etc/passwd')",
    "FROM read_json('/etc/passwd')",
    "FROM read_duckdb('{other}')",
    "FROM glob('/etc/*')",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "WITH t AS (FROM read_text('/etc/passwd')) SELECT * FROM numbers, t",
    "SELECT number FROM numbers WHERE EXISTS (FROM read_text('/etc/passwd'))",
    "FROM query('FROM read_text(''/etc/passwd'')')",
    "FROM query_table('numbers')",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT getenv('HOME')",
    "COPY numbers TO '{new}'",
    "COPY (SELECT 1) TO '{new}' (FORMAT parquet)",
    "EXPORT DATABASE '{new}'",
    "IMPORT DATABASE '{new}'",
    "ATTACH '{new}'",
    "ATTACH '{other}' AS other",
    "DETACH memory",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{other}'",
    "SET threads = 1",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL enable_logging('QueryLog', storage = 'file', storage_path = '{new}')",
    "FROM enable_logging('QueryLog', storage = 'file', storage_path = '{new}')",
    "FROM enable_profiling(save_location = '{new}')",
    "FROM duckdb_settings()",
    "FROM duckdb_secrets()",
    "FROM duckdb_views()",
    "FROM duckdb_views",
    "FROM information_schema.tables",
    "FROM sqlite_master",
    "FROM pragma_database_size()",
    "FROM checkpoint()",
    "FROM python_map_function((FROM numbers))",
    "FROM arrow_scan(1::POINTER, 1::POINTER, 1::POINTER)",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW numbers AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE SECRET s (TYPE s3)",
    "DROP VIEW numbers",
    "ALTER VIEW numbers RENAME TO others",
    "COMMENT ON VIEW numbers IS 'x'",
    "INSERT INTO numbers VALUES (1, 1, NULL, 'x')",
    "UPDATE numbers SET number = 1",
    "DELETE FROM numbers",
    "TRUNCATE numbers",
    "WITH t AS (INSERT INTO numbers VALUES (1) RETURNING number) SELECT * FROM t",
    "WITH t AS (DELETE FROM numbers RETURNING number) SELECT * FROM t",
    "BEGIN",
    "COMMIT",
    "CHECKPOINT",
    "VACUUM",
    "EXPLAIN ANALYZE SELECT 1",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY numbers TO '{new}'",
    "SELECT number FROM numbers; DROP VIEW numbers",
    "SELECT $1",
    "SELECT ?",
    "PIVOT numbers ON name USING count(*)",
    "FROM other.numbers",
    "FROM memory.main.numbers",
    "",
    "-- nothing",
    "no SQL",
    "SELECT '\ud800'",
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "SELECT " + "[" * 900 + "]" * 900,
)
"""What must be refused; `other` is a file beside that of the view, `new` a file that is not there."""


@pytest.fixture
def views(tmp_path: Path) -> dict[str, View]:
    """Return a view of three numbers, in a folder whose name is hard to quote, beside a file of others."""
    home = tmp_path / "it's [a] * folder?"
    home.mkdir()
    days = [date(2021, 1, 1), date(2021, 1, 2), date(2021, 1, 3)]
    columns = {"number": [1, 2, 3], "square": [1, 4, None], "day": days, "name": ["one", "two", None]}
    pq.write_table(pa.table(columns, schema=NUMBERS.schema), home / "numbers.parquet")
    pq.write_table(pa.table({"secret": [SECRET]}), home / "other.parquet")
    return {"numbers": View(NUMBERS, lambda: [home / "numbers.parquet"])}


def answer(sql: str, views: dict[str, View], *, memory_limit: str = "1GB") -> pa.Table:
    """Return all rows of a SELECT."""
    with select_rows(sql, views, memory_limit=memory_limit) as rows:
        return rows.table()


def beside(views: dict[str, View]) -> dict[str, str]:
    """Return file → SHA-256, for all files beside that of the view and above it."""
    (file,) = views["numbers"].files()
    return {str(path): digest_of_file(path) for path in file.parents[1].rglob("*") if path.is_file()}


@pytest.mark.parametrize("attempt", REFUSED)
def test_nothing_else_is_read_and_nothing_is_written(
    attempt: str, views: dict[str, View], monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = views["numbers"].files()
    monkeypatch.chdir(file.parents[1])
    before, quoted = beside(views), str(file.parent).replace("'", "''")
    sql = attempt.replace("{other}", f"{quoted}/other.parquet").replace("{new}", f"{quoted}/new")
    with pytest.raises(SettingError) as refused:
        answer(sql, views)
    assert SECRET not in str(refused.value) and "root:" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert beside(views) == before


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        ("FROM read_text('/etc/passwd')", "is disabled|disabled by configuration"),
        ("COPY numbers TO 'x.csv'", "disabled by configuration"),
        ("ATTACH 'x.db'", "disabled by configuration"),
        ("SET threads = 1", "configuration has been locked"),
        ("CREATE TABLE t AS SELECT 1", "read-only mode"),
        ("LOAD httpfs", "disabled"),
    ],
)
def test_the_database_refuses_too_what_the_check_of_the_text_refuses(
    attempt: str, said: str, views: dict[str, View], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The check of the text is the first wall; the locked database is the second, and stands by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("diffusion.engine.user_sql.named_tables", lambda sql, known: ["numbers"])
    with pytest.raises(SettingError, match=said):
        answer(attempt, views)
    assert [path.name for path in tmp_path.iterdir()] == ["it's [a] * folder?"]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT number FROM numbers WHERE name = 'two'", [(2,)]),
        ("FROM Numbers SELECT max(NUMBER)", [(3,)]),
        ("WITH numbers AS (SELECT number + 1 AS n FROM numbers) SELECT sum(n) FROM numbers", [(9,)]),
        ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT max(n) FROM t", [(5,)]),
        ("SELECT count(*) FROM main.numbers, range(2)", [(6,)]),
        ("SELECT number FROM numbers ORDER BY number DESC LIMIT 1;", [(3,)]),
        ("SELECT column_name FROM (DESCRIBE numbers) LIMIT 1", [("number",)]),
        ("PIVOT numbers ON name IN ('one') USING count(*) GROUP BY day ORDER BY day LIMIT 1", [(date(2021, 1, 1), 1)]),
        ("VALUES ('; DROP VIEW numbers')", [("; DROP VIEW numbers",)]),
    ],
)
def test_a_select_is_answered(sql: str, rows: list[tuple[object, ...]], views: dict[str, View]) -> None:
    assert [tuple(row.values()) for row in answer(sql, views).to_pylist()] == rows


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("FROM nubmers", "no table 'nubmers' here; did you mean 'numbers'"),
        ("FROM charts", "no table 'charts' here; there are numbers"),
        ("SELECT nmae FROM numbers", 'Candidate bindings: "name"'),
        ("SELEC 1", "syntax error at or near"),
        ("SELECT 1 AS a, 2 AS a", "two columns of the result are called 'a'"),
        ("SELECT age(DATE '2021-03-01', DATE '2021-01-01') AS a", "'a' of the result is an INTERVAL; CAST it"),
        ("SELECT sum(9223372036854775807::HUGEINT) FROM numbers", "CAST it to DOUBLE"),
        ("SELECT error('on row ' || number) FROM numbers", "on row 1"),
        ("SELECT CAST(name AS INTEGER) FROM numbers", "Could not convert string 'one'"),
        ("SELECT CASE WHEN n = 99999 THEN error('late') END AS n FROM range(100000) t(n)", "late"),
        ("PIVOT numbers ON name USING count(*)", "PIVOT without the values"),
    ],
)
def test_a_fault_of_the_sql_is_one_line_that_says_what_is_near(sql: str, said: str, views: dict[str, View]) -> None:
    with pytest.raises(SettingError) as refused:
        answer(sql, views)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "LINE 1" not in str(refused.value)


def test_numbers_come_in_types_that_can_be_computed_with(views: dict[str, View]) -> None:
    table = answer("SELECT sum(square) AS s, 1.5 AS d, count(*) AS n, avg(number) AS mean FROM numbers", views)
    assert [str(field.type) for field in table.schema] == ["int64", "double", "int64", "double"]
    assert table.to_pylist() == [{"s": 5, "d": 1.5, "n": 3, "mean": 2.0}]


def test_files_are_asked_for_when_sql_names_the_view_and_not_before(views: dict[str, View]) -> None:
    def spoiled() -> list[Path]:
        raise SettingError("is not what the manifest says")

    both = {**views, "spoiled": View(NUMBERS, spoiled)}
    assert answer("SELECT count(*) AS n FROM numbers", both).to_pylist() == [{"n": 3}]
    with pytest.raises(SettingError, match="is not what the manifest says"):
        answer("SELECT count(*) AS n FROM numbers JOIN spoiled USING (number)", both)


def test_a_query_that_needs_more_memory_than_there_is_ends_in_one_line(views: dict[str, View]) -> None:
    with pytest.raises(SettingError, match="Out of Memory"):
        answer("SELECT list(a.range || b.range) FROM range(100000) a, range(1000) b", views, memory_limit="50MB")


def test_a_query_without_end_can_be_ended_from_outside(views: dict[str, View]) -> None:
    timer = threading.Timer(0.3, interrupt_engines)
    timer.start()
    with pytest.raises(duckdb.InterruptException):
        answer("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t", views)
    timer.join()


@pytest.fixture(scope="module")
def charts() -> Iterator[Charts]:
    """Return charts of two markets and Global, one track of two artists."""
    rows = kaggle_rows({(region, n): ["x" * 22, "y" * 22] for region in ("Sweden", "Norway", "Global") for n in (0, 1)})
    frame = pd.DataFrame(rows)
    frame.loc[frame["url"].str.contains("xxx"), "artist"] = "One, Two"
    frame.loc[frame["rank"] == 2, "streams"] = None
    with open_charts(frame) as opened:
        yield opened


def test_charts_answer_sql(charts: Charts) -> None:
    found = charts.sql("SELECT * FROM charts ORDER BY market, date, rank")
    assert list(found.columns) == CHART_ROWS.names
    assert found["market"].unique().tolist() == ["NO", "SE"]
    assert (len(found), found["streams"].sum()) == (8, 4 * 99_000)
    assert [str(found[name].dtype) for name in ("date", "rank", "streams")] == ["datetime64[ms]", "int32", "Int64"]
    kept = charts.sql("FROM observations", as_="arrow")
    assert [(field.name, field.type) for field in kept.schema] == [(one.name, one.type) for one in OBSERVATIONS.columns]
    assert kept.num_rows == 12


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            "SELECT a.artist, position FROM artists AS a JOIN tracks USING (track) ORDER BY ALL",
            [("Artist", 1), ("One", 1), ("Two", 2)],
        ),
        ("SELECT market, count(*), max(depth) FROM coverage GROUP BY ALL ORDER BY ALL", [("NO", 2, 2), ("SE", 2, 2)]),
        (
            "SELECT DISTINCT name, continent FROM charts JOIN markets USING (market) ORDER BY ALL",
            [("Norway", "Europe"), ("Sweden", "Europe")],
        ),
        ("SELECT count(*) FROM availability", [(0,)]),
    ],
)
def test_charts_have_their_tracks_artists_coverage_and_markets(
    sql: str, rows: list[tuple[object, ...]], charts: Charts
) -> None:
    assert list(charts.sql(sql).itertuples(index=False, name=None)) == rows


def test_charts_are_as_they_were_after_sql(charts: Charts) -> None:
    with pytest.raises(SettingError, match="no table 'verdicts' here"):
        charts.sql("FROM verdicts")
    assert charts.calendar().by_market()["dates"].tolist() == [2, 2]

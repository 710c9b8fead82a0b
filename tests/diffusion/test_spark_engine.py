"""Spark as an engine: tables, sessions and errors as they are on DuckDB, and nothing left behind."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffusion import DataSaysNoError, EngineError, OutputError, SettingError, SourceError
from diffusion.engine import Engine, OpenEngine, Tables, engines, open_engine

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(params=["duckdb", "spark"])
def opened(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Return an open engine of each kind."""
    open_one: OpenEngine = open_engine if request.param == "duckdb" else request.getfixturevalue("spark")
    with open_one() as engine:
        yield engine


def tracks(*ids: str | None, times: int = 1) -> pa.Table:
    """Return rows that the relation `source_files` counts, one for each id."""
    return pa.table({"file": pa.array([*ids] * times, pa.string())})


def counted(engine: Engine) -> dict[str, int]:
    """Return file → number of rows of `source_rows`."""
    return {row["file"]: row["source_rows"] for row in engine.fetch("source_files").to_pylist()}


def test_rows_are_added_to_a_table_that_is_made_or_kept_before(opened: Engine) -> None:
    opened.add("source_rows", tracks("a", "b"))
    opened.add("source_rows", tracks("a"))
    assert counted(opened) == {"a": 2, "b": 1}
    opened.add("source_rows", tracks("c").slice(0, 0))
    opened.add("source_rows", tracks("c"))
    assert counted(opened) == {"a": 2, "b": 1, "c": 1}
    opened.keep("source_rows", tracks("d").slice(0, 0))
    assert counted(opened) == {}
    opened.add("source_rows", tracks("e"))
    assert counted(opened) == {"e": 1}
    opened.add("source_rows", tracks("e"))
    assert counted(opened) == {"e": 2}


def test_a_table_that_is_made_again_has_the_new_rows(opened: Engine) -> None:
    opened.add("source_rows", tracks("a", "a"))
    opened.create("source_files")
    opened.add("source_rows", tracks("b"))
    assert opened.kept("source_files").to_pylist() == [{"file": "a", "source_rows": 2}]
    opened.create("source_files")
    assert [row["file"] for row in opened.kept("source_files").to_pylist()] == ["a", "b"]


def test_a_table_may_be_made_of_the_one_of_its_name(spark: "SparkEngines") -> None:
    with spark() as engine:
        engine.add("source_rows", tracks("a", "a", "b"))
        for _ in range(2):
            engine.create("source_files", into="source_rows")
            assert counted(engine) == {"a": 1, "b": 1}


def test_rows_come_in_order_of_their_key_as_bytes(opened: Engine) -> None:
    ids = ["é", "b", "B", "a", "Z", "z", "ß", "𝄞", "￿"]
    opened.keep("source_rows", tracks(*ids))
    assert list(counted(opened)) == sorted(ids, key=str.encode)


def test_many_small_additions_make_one_table(java_spark: "SparkEngines") -> None:
    from diffusion.engine.spark.engine import SparkEngine

    engine = java_spark()
    assert isinstance(engine, SparkEngine)
    with engine:
        for number in range(200):
            engine.add("source_rows", tracks(f"{number:03}"))
        assert len(counted(engine)) == 200
        plan = engine.frame("source_files")._jdf.queryExecution().optimizedPlan().toString()
        assert plan.count("Relation") + plan.count("RDD") == 1, plan


def test_large_additions_leave_this_process(spark: "SparkEngines", monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusion.engine.spark import arrow_tables

    monkeypatch.setattr(arrow_tables, "MOST_WAITING", 1000)
    with spark() as engine:
        for _ in range(5):
            engine.add("source_rows", tracks("a", "b", times=40))
        assert counted(engine) == {"a": 200, "b": 200}
        engine.add("source_rows", tracks("c"))
        assert counted(engine) == {"a": 200, "b": 200, "c": 1}


TYPES: Final = pa.table(
    {
        "short": pa.array([1, None], pa.int16()),
        "day": pa.array([date(2020, 1, 1), None], pa.date32()),
        "numbers": pa.array([[1.5, None], None], pa.list_(pa.float64())),
        "text": pa.array(["é", None]),
        "single": pa.array([1.5, None], pa.float32()),
        "truth": pa.array([True, None]),
    }
)


@pytest.mark.parametrize("rows", [2, 0])
def test_types_are_kept(spark: "SparkEngines", rows: int) -> None:
    from diffusion.engine.spark.arrow_tables import spark_table

    table = TYPES.slice(0, rows)
    back = spark_table(spark.session, table).toArrow()
    assert back.to_pylist() == table.to_pylist()
    assert back.cast(table.schema).equals(table)
    assert [str(kind).replace("element", "item") for kind in back.schema.types] == [
        str(kind).replace("element", "item") for kind in table.schema.types
    ]


def test_dictionaries_and_numbers_without_sign_become_plain_columns(spark: "SparkEngines") -> None:
    from diffusion.engine.spark.arrow_tables import spark_table

    table = pa.table({"code": pa.array(["x", None]).dictionary_encode(), "many": pa.array([2**32 - 1, 1], pa.uint32())})
    back = spark_table(spark.session, table).toArrow()
    assert back.to_pylist() == table.to_pylist()
    assert back.schema.types == [pa.string(), pa.int64()]


def test_paths_may_have_any_signs(opened: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "year=2020 [1]{a,b}*?"
    folder.mkdir()
    pq.write_table(tracks("a"), folder / "a b%20#,é.parquet")
    (tmp_path / "year=2020 1").mkdir()
    opened.open_table("source_rows", [folder / "a b%20#,é.parquet"])
    assert counted(opened) == {"a": 1}


def test_files_that_are_not_there_or_no_parquet_are_named(opened: Engine, tmp_path: Path) -> None:
    (tmp_path / "a text.parquet").write_text("rank,title")
    for name in ("a text.parquet", "none.parquet"):
        with pytest.raises(SourceError, match=rf"'{tmp_path}/{name}'") as error:
            opened.open_table("source_rows", [tmp_path / name])
        assert "\n" not in str(error.value)


def test_a_file_that_vanishes_while_it_is_read_is_named(spark: "SparkEngines", tmp_path: Path) -> None:
    file = tmp_path / "rows [1].parquet"
    pq.write_table(tracks("a", times=1000), file)
    with spark() as engine:
        engine.open_table("source_rows", [file])
        file.unlink()
        with pytest.raises(SourceError) as error:
            engine.create("source_files")
        assert str(file) in str(error.value)
        assert "\n" not in str(error.value)


def test_a_name_with_a_colon_is_refused_by_what_it_is(spark: "SparkEngines", tmp_path: Path) -> None:
    pq.write_table(tracks("a"), tmp_path / "a:b.parquet")
    with spark() as engine, pytest.raises(SourceError, match=r"a:b.parquet': a file's name may have no colon there"):
        engine.open_table("source_rows", [tmp_path / "a:b.parquet"])


def test_a_closed_engine_has_no_tables(java_spark: "SparkEngines") -> None:
    with java_spark() as engine:
        engine.add("source_rows", tracks("a"))
        engine.create("source_files", into="made")
        engine.view("source_files")
        own: Any = engine
        names = [table.name for table in own._session.catalog.listTables()]
        assert {"source_rows", "made", "source_files"} <= set(names)
    assert not [table.name for table in own._session.catalog.listTables() if table.isTemporary]


def test_the_session_there_is_stays_as_it_is(spark: "SparkEngines") -> None:
    from diffusion.engine.spark import SparkEngines

    session = spark.session
    session.range(1).createOrReplaceTempView("source_rows")
    session.conf.set("spark.sql.session.timeZone", "Europe/Oslo")
    session.conf.set("spark.sql.ansi.enabled", "false")
    before = session.conf.getAll
    others = SparkEngines({"spark.sql.shuffle.partitions": "3"})
    assert others.session is session
    with others() as engine:
        engine.add("source_rows", tracks("a"))
        assert counted(engine) == {"a": 1}
        own: Any = engine
        names = ("spark.sql.session.timeZone", "spark.sql.ansi.enabled", "spark.sql.shuffle.partitions")
        assert [own.frame("source_files").sparkSession.conf.get(name) for name in names] == ["UTC", "true", "3"]
    assert session.conf.getAll == before
    assert type(session).active() is session
    assert session.table("source_rows").columns == ["id"]
    session.catalog.dropTempView("source_rows")
    for name in ("spark.sql.session.timeZone", "spark.sql.ansi.enabled"):
        session.conf.unset(name)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("spark.master", "local[7]", r"spark.master is 'local\[7\]', but the active Spark session runs on 'local"),
        ("spark.executor.memory", "77g", "spark.executor.memory is another in the active Spark session"),
        ("spark.remote", "sc://127.0.0.1", "spark.remote is another in the active Spark session"),
        ("spark.sql.shuffle.partitions", "many", "Spark refuses a setting: .*'many'"),
        ("spark.hadoop.fs.s3a.secret.key", "sesame", r"spark.hadoop.fs.s3a.secret.key is another"),
    ],
)
def test_settings_that_the_session_there_is_cannot_have_are_refused(
    spark: "SparkEngines", name: str, value: str, said: str
) -> None:
    from diffusion.engine.spark import SparkEngines

    with pytest.raises(SettingError, match=said) as error:
        SparkEngines({name: value})
    assert "sesame" not in str(error.value)


def says_no(tables: Tables) -> Tables:
    """Fail as array code does."""
    raise DataSaysNoError("no track has an event: nothing is left")


def lacks_a_package(tables: Tables) -> Tables:
    """Fail as on an executor without this project."""
    import chart_package_that_is_nowhere.inside  # type: ignore[import-not-found]  # noqa: F401

    return tables


def is_wrong(tables: Tables) -> Tables:
    """Fail as nobody foresaw."""
    raise KeyError("rank")


def ends(tables: Tables) -> Tables:
    """End the process that works."""
    os.kill(os.getpid(), 9)
    return tables


def has_no_memory(tables: Tables) -> Tables:
    """Fail for lack of memory."""
    raise MemoryError


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "kind", "said"),
    [
        (says_no, DataSaysNoError, "^no track has an event: nothing is left$"),
        (lacks_a_package, SettingError, "executors lacks the package 'chart_package_that_is_nowhere', which this"),
        (is_wrong, RuntimeError, "^on an executor of Spark: KeyError: 'rank'$"),
        (ends, EngineError, "a Python process of Spark ended in the middle"),
        (has_no_memory, OutputError, "Spark ran out of memory"),
    ],
)
def test_errors_on_executors_are_one_line(spark: "SparkEngines", work: Any, kind: type[Exception], said: str) -> None:
    parts = [{"rows": tracks("a")}, {"rows": tracks("b")}]
    with spark.workers.spread(parts) as spread, pytest.raises(kind, match=said) as error:
        list(spread.results(work))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("package", ["pyspark", "sqlglot"])
def test_without_the_extra_one_line_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("diffusion.engine.spark", "pyspark", "sqlglot"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingError, match=r"pip install 'chart-diffusion\[spark\]'$"):
        engines("spark")


OLD_JAVA: Final = """#!/bin/sh
[ "$1" = -version ] && echo 'openjdk version "1.8.0_392"' >&2 && exit 0
echo 'Exception in thread "main" java.lang.UnsupportedClassVersionError: org/apache/spark/launcher/Main' >&2
exit 1
"""


def refused(settings: dict[str, str], **environment: str) -> str:
    """Return what is said where a process cannot start Spark."""
    pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'chart-diffusion[spark]'")
    code = f"""
import sys
from diffusion import EngineError
from diffusion.engine import engines
try:
    engines("spark", spark={settings})
except EngineError as error:
    sys.exit(str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=os.environ | environment
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr


def test_without_java_one_line_says_what_to_install(tmp_path: Path) -> None:
    for name in ("bash", "env", "dirname", "ps"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    said = refused({}, PATH=str(tmp_path), JAVA_HOME="")
    assert said.startswith("Spark needs Java, and there is no 'java' on the PATH; install Java 17 or newer")


def test_a_java_home_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    said = refused({}, JAVA_HOME=str(tmp_path))
    assert said.startswith(f"Spark needs Java, and JAVA_HOME is '{tmp_path}', where there is no 'bin/java'")


def test_a_java_that_is_too_old_is_named(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(OLD_JAVA)
    java.chmod(0o755)
    said = refused({}, JAVA_HOME=str(tmp_path))
    assert said.startswith(f"Spark needs Java 17 or newer, and '{java}' is Java 8; install Java 17 or newer")


def test_a_dead_master_is_named_at_once() -> None:
    said = refused({"spark.master": "spark://127.0.0.1:1"}, http_proxy="", https_proxy="", grpc_proxy="")
    assert said.startswith("nothing answers at 'spark://127.0.0.1:1'")


def test_what_is_no_server_of_spark_connect_is_named_at_once() -> None:
    pytest.importorskip("grpc", reason="Spark Connect needs grpcio: pip install 'pyspark[connect]'")
    for listening in (False, True):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            if listening:
                other.listen()
            place = f"127.0.0.1:{other.getsockname()[1]}"
            said = refused({"spark.remote": f"sc://{place}/;token=sesame"}, no_grpc_proxy="127.0.0.1")
        assert said.startswith(f"no server of Spark Connect answers at 'sc://{place}'; start one there")
        assert "sesame" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"spark.master": "nonsense"}, "Master must either be yarn or start with spark, k8s, or local"),
        ({"spark.driver.memory": "much"}, "much"),
        ({"spark.master": "local[1]", "spark.executor.cores": "sesame", "spark.app.password": "sesame"}, "cores"),
    ],
)
def test_settings_that_spark_refuses_are_named_without_secrets(settings: dict[str, str], said: str) -> None:
    line = refused(settings)
    assert line.startswith("Spark does not start: ")
    assert said in line
    assert "sesame" not in line


ENDS: Final = """
import subprocess
from diffusion.engine import engines
settings = {"spark.master": "local[1]", "spark.driver.memory": "512m", "spark.my.secret": "sesame"}
opened = engines("spark", spark=settings)
print(opened.session.sparkContext.uiWebUrl, opened.session.conf.get("spark.my.secret"))
java = str(opened.session.sparkContext._gateway.proc.pid)
print("sesame" in subprocess.run(["ps", "-ww", "-o", "args=", "-p", java], capture_output=True, text=True).stdout)
print(java)
"""


@pytest.mark.slow
def test_a_session_that_is_made_is_quiet_and_ends_with_the_process(java_spark: "SparkEngines") -> None:
    done = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == ""
    *said, process = done.stdout.splitlines()
    assert said == ["None sesame", "False"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)

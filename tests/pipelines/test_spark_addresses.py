"""Charts are cleaned from and into addresses of Spark, to the tables that a folder has."""

import csv
import logging
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from diffusion import DiffusionError, OutputError, SettingError, SourceError, open_charts
from diffusion.engine import RemoteFiles
from diffusion.files import digest_of_file
from pipelines.commands.main import cli
from pipelines.folders.remote_folder import RemoteFolder
from pipelines.folders.verify import verify
from pipelines.sharing.storage import pull, push
from pipelines.stages.clean import clean_charts
from tests.nasty_charts import PLENTY, nasty_rows
from tests.pipelines.test_clean import clean, quiet, wide, write_raw, years
from tests.pipelines.test_spark_clean import tables
from tests.pipelines.test_spark_cli import SECRET, command

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

ACCEPT = ("set-aside", "holes")
NAMES = ("å b%20c+d", "x [1] {2}", "*?", "a,b;c&d=e", "日本", "#hash", "q'uote\"s")


class Mount(NamedTuple):
    """A folder of this disk, and its address on a file system of Hadoop that is not that of the disk."""

    disk: Path
    address: str


@pytest.fixture
def mount(tmp_path: Path, spark: "SparkEngines") -> Iterator[Mount]:
    """Return an empty folder that Spark reaches as ``viewfs://``."""
    name = f"shop-{uuid4().hex}"
    setting = f"fs.viewfs.mounttable.{name}.link./x"
    (tmp_path / "disk").mkdir()
    spark.session.conf.set(setting, f"file://{tmp_path}/disk")
    yield Mount(tmp_path / "disk", f"viewfs://{name}/x")
    spark.session.conf.unset(setting)


def clean_to(spark: "SparkEngines", raw: str | Path, address: str) -> tuple[dict[str, Any], list[str]]:
    """Clean RAW into an address; return the notes, and what the screen says of the files."""
    with spark() as engine, RemoteFolder(engine.remote(address)) as folder:
        notes = clean_charts(raw, folder, accept=ACCEPT, open_engine=spark, tell=quiet)
        return notes, folder.made_lines()


def unlike(one: Path, two: Path) -> list[str]:
    """Return the tables of two cleaned folders that are not the same."""
    ours, theirs = tables(one), tables(two)
    return [name for name in ours if ours[name] != theirs[name]]


def test_files_at_an_address(mount: Mount, spark: "SparkEngines", tmp_path: Path) -> None:
    table = pa.table(
        {"At": pa.array([datetime(2021, 1, 1)], pa.timestamp("ns")), "w": pa.array(["a"]).dictionary_encode()}
    )
    wanted = {}
    for number, name in enumerate([*NAMES, "_under", ".hidden"]):
        path = mount.disk / "in ü%" / name / f"{name}.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table.slice(0, number % 2), path)
        wanted[f"{name}/{name}.parquet"] = digest_of_file(path)
    with spark() as engine:
        files = engine.remote(f"{mount.address}/in ü%/")
        sizes = files.sizes()
        assert sizes.keys() == wanted.keys()
        assert files.sizes("x [1] {2}").keys() == {"x [1] {2}/x [1] {2}.parquet"}
        assert files.digests(sizes) == wanted
        assert files.schema("*?/*?.parquet") == table.schema
        files.write("a b.json", b"1")
        files.write("a b.json", b"two")
        assert files.read("a b.json") == b"two"
        files.copy("a b.json", "日本/日本.parquet")
        files.fetch("日本/日本.parquet", tmp_path / "here")
        assert (tmp_path / "here").read_bytes() == b"two"
        with pytest.raises(SourceError, match=r"cannot read '.*日本\.parquet' as parquet"):
            files.schema("日本/日本.parquet")
        files.remove(["a b.json", "in between", "日本"])
        assert files.sizes().keys() == wanted.keys() - {"日本/日本.parquet"}
        assert engine.remote(f"{mount.address}/nothing").sizes() == {}


def test_what_cannot_be_reached_is_one_line(mount: Mount, spark: "SparkEngines") -> None:
    def told(kind: type[DiffusionError], raw: str, address: str) -> str:
        with pytest.raises(kind) as error:
            clean_to(spark, raw, address)
        return str(error.value)

    out = f"{mount.address}/out"
    assert told(SettingError, "odd://b/raw", out).startswith(
        "Spark has no file system for 'odd://b/raw'; add its package"
    )
    assert told(SettingError, out, "odd://b/out").startswith("Spark has no file system for 'odd://b/out'")
    assert told(SourceError, f"{mount.address}/raw", out).startswith(f"no folder at '{mount.address}/raw'")
    assert "is RAW itself" in told(SettingError, f"{out}/", out)
    (mount.disk / "raw").mkdir()
    (mount.disk / "raw" / "manifest.json").write_text("{}")
    assert "raw/manifest.json' is not a manifest of this tool" in told(OutputError, f"{mount.address}/raw", out)
    write_raw(mount.disk / "raw2", wide(PLENTY))
    (mount.disk / "raw2" / "full" / "no.parquet").write_bytes(b"no parquet at all")
    assert "no.parquet' as parquet" in told(SourceError, f"{mount.address}/raw2", out)
    assert not (mount.disk / "out").exists()


def test_spark_connect_reaches_no_files_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    room = pytest.importorskip("diffusion.engine.spark.remote_files")
    monkeypatch.setattr(room, "is_remote", lambda: True)
    with pytest.raises(SettingError, match=r"'s3a://b/clean': with Spark Connect .* chart-diffusion sync push"):
        room.SparkFiles(None, "s3a://b/clean/")


@pytest.mark.slow
def test_text_at_an_address_is_that_of_the_same_files_in_a_folder(mount: Mount, spark: "SparkEngines") -> None:
    for number, name in enumerate(NAMES):
        file = mount.disk / "in ü%" / name / f"{name}.parquet"
        file.parent.mkdir(parents=True)
        at = pa.array([1609556645678901234 + number, None], pa.timestamp("ns"))
        pq.write_table(pa.table({"title": [name, "b"], "at": at}), file)
    files = sorted((mount.disk / "in ü%").rglob("*.parquet"))
    addresses = [f"{mount.address}/{file.relative_to(mount.disk)}" for file in files]
    columns = {"title": ["title"], "date": ["at"]}
    found = []
    for given, root in ((files, mount.disk / "in ü%"), (addresses, f"{mount.address}//in ü%/")):
        with spark() as engine:
            engine.open_text(given, columns, root=root, row=("at", "title"))  # type: ignore[arg-type]
            session = engine._session  # type: ignore[attr-defined]
            found.append(
                [session.table(name).orderBy("file", "line").toArrow() for name in ("source_rows", "raw_rows")]
            )
    assert found[0] == found[1]
    assert len(set(found[1][0]["part"].to_pylist())) == len(NAMES)


@pytest.mark.slow
def test_clean_from_and_into_addresses_makes_the_tables_of_a_folder(
    mount: Mount, spark: "SparkEngines", tmp_path: Path
) -> None:
    rows = nasty_rows(seed=1, number=1_000)
    raw = mount.disk / "raw å%20 +b"
    write_raw(raw, rows[:1_000])
    write_raw(raw, rows[1_000:], file="å b.csv", part="0001-000")
    ours = clean(raw, tmp_path / "ours")
    address = f"{mount.address}/out 1%"
    notes, said = clean_to(spark, f"{mount.address}/raw å%20 +b", address)
    assert notes == ours
    assert said == [f"made      9 files in {address}"]
    assert unlike(tmp_path / "ours", mount.disk / "out 1%") == []
    assert verify(mount.disk / "out 1%").whole
    with open_charts(address, open_engine=spark) as there, open_charts(mount.disk / "out 1%") as here:
        assert there.account == here.account
        assert there.present.equals(here.present)
    # from a folder, to where it is already
    assert clean_to(spark, raw, f"{address}/") == (ours, [f"made      0 files in {address}; 9 unchanged"])


@pytest.mark.slow
def test_a_run_that_dies_leaves_the_folder_and_the_next_one_ends_it(
    mount: Mount, spark: "SparkEngines", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, out, address = tmp_path / "raw", mount.disk / "out", f"{mount.address}/out"
    write_raw(raw, wide(years(2020)), file="2020.csv", part="2020-000")
    clean_to(spark, raw, address)
    before = sorted(out.rglob("*"))
    write_raw(raw, wide(years(2021)), file="2021.csv", part="2021-000")
    files = type(_files(spark, address))
    with monkeypatch.context() as patch:
        patch.setattr(files, "write", _dies)
        patch.setattr(files, "remove", _dies)
        with pytest.raises(KeyboardInterrupt):
            clean_to(spark, raw, address)
    assert set(before) < set(out.rglob("*"))
    with open_charts(address, open_engine=spark) as charts:
        assert {day.year for day in charts.calendar().coverage["date"].to_pylist()} == {2020}
    clean_to(spark, raw, address)
    clean(raw, tmp_path / "ours")
    assert unlike(tmp_path / "ours", out) == []
    assert verify(out).whole


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _files(spark: "SparkEngines", address: str) -> RemoteFiles:
    with spark() as engine:
        return engine.remote(address)


def test_clean_from_an_address_into_a_folder_needs_spark(tmp_path: Path) -> None:
    found = CliRunner().invoke(cli, ["clean", "s3a://bucket/raw", "--out", str(tmp_path / "out")])
    assert str(found.exception) == "'s3a://bucket/raw' is not on this machine; Spark reads addresses: --engine spark"
    assert not (tmp_path / "out").exists()


JARS = "CHART_DIFFUSION_S3A_JARS"
"""Variable with the class path of hadoop-aws and the SDK of AWS, which pyspark does not have."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve S3 on loopback, with a bucket; return where."""
    if JARS not in os.environ:
        pytest.skip(f"no S3 for Spark: name the jars of hadoop-aws and of the SDK of AWS in {JARS}")
    boto3 = pytest.importorskip("boto3")
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    served = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    secrets = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in (secrets | {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "NO_PROXY": "127.0.0.1"}).items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="charts")
    yield f"http://{host}:{port}"
    served.stop()


def on_s3(endpoint: str, *arguments: str) -> tuple[int, str, str]:
    """Run clean on Spark with S3; return its exit code, output and errors."""
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.extraClassPath": os.environ[JARS],
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        "spark.hadoop.fs.s3a.access.key": "testing",
        "spark.hadoop.fs.s3a.secret.key": SECRET,
        # numbers, for versions of hadoop-aws that know no units
        "spark.hadoop.fs.s3a.threads.keepalivetime": "60",
        "spark.hadoop.fs.s3a.connection.establish.timeout": "5000",
        "spark.hadoop.fs.s3a.connection.timeout": "200000",
        "spark.hadoop.fs.s3a.multipart.purge.age": "86400",
        "spark.hadoop.fs.s3a.attempts.maximum": "2",
    }
    options = [part for pair in settings.items() for part in ("--spark", "=".join(pair))]
    accept = [part for what in ACCEPT for part in ("--accept", what)]
    process = command("clean", *arguments, "--engine", "spark", "--quiet", *accept, *options)
    output, errors = process.communicate(timeout=600)
    return process.returncode, output, errors


@pytest.mark.slow
def test_charts_in_s3_are_cleaned_there(store: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "å b.csv", nasty_rows(seed=1, number=1_000))
    run = CliRunner().invoke
    assert run(cli, ["ingest", str(tmp_path / "å b.csv"), "--out", str(tmp_path / "raw")]).exit_code == 0
    clean(tmp_path / "raw", tmp_path / "ours")
    push(tmp_path / "raw", "s3://charts/raw å%1")
    code, output, errors = on_s3(store, "s3a://charts/raw å%1", "--out", "s3a://charts/clean")
    assert (code, errors) == (0, "")
    assert output.endswith("made      9 files in s3a://charts/clean\n")
    pull("s3://charts/clean", tmp_path / "pulled")
    assert unlike(tmp_path / "ours", tmp_path / "pulled") == []
    assert verify(tmp_path / "pulled").whole
    assert not [
        file for file in (tmp_path / "pulled").rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()
    ]
    code, output, errors = on_s3(store, "s3a://elsewhere/raw", "--out", "s3a://charts/out")
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert "'s3a://elsewhere/raw'" in errors


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)

"""The engine's door: the engine handed in is the one that is used, and relations take the parameters they name."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import diffusion
from diffusion import SettingError, SourceError
from diffusion.engine import MEMORY_LIMIT, Engine, interrupt_engines, memory_bytes, open_engine


def test_charts_use_the_engine_handed_in_and_what_is_made_of_them_is_worked_on_here() -> None:
    opened: list[Engine] = []

    def open_noted(*, memory_limit: str = MEMORY_LIMIT) -> Engine:
        opened.append(open_engine(memory_limit=memory_limit))
        return opened[-1]

    sample = Path(diffusion.__file__).parent / "data" / "top50_daily_2021.parquet"
    with diffusion.open_charts(sample, open_engine=open_noted) as charts:
        entries = charts.entries()
        assert len(charts.calendar().spans())
    assert entries.arrow("journeys").num_rows == len(entries)
    assert entries.workers is None
    assert len(opened) == 1


def test_a_relation_takes_the_parameters_that_it_names_and_no_others() -> None:
    with open_engine() as engine, pytest.raises(TypeError, match=r"'coverage' takes \['chart', 'long_gap'\], not"):
        engine.fetch("coverage", chart="top200")


def test_parquet_of_text_says_where_its_rows_stand(tmp_path: Path) -> None:
    """File and line are those of the source where Parquet has them; its columns make a CSV line."""
    (tmp_path / "raw").mkdir()
    plain, marked = tmp_path / "raw" / "plain.parquet", tmp_path / "raw" / "marked.parquet"
    pq.write_table(pa.table({"Rank": [1, 2], "title": ['say "hi"', None]}), plain)
    pq.write_table(pa.table({"position": [3], "source_file": ["a.csv"], "source_line": [7]}), marked)
    rows = {}
    for file, row in ((plain, ["Rank", "title"]), (marked, ["position"])):
        with open_engine() as engine:
            engine.open_text([file], {"rank": [row[0]], "album": []}, root=tmp_path, row=row)
            engine.keep("files", pa.table({"file": ["raw/plain.parquet", "a.csv"], "source": [0, 1]}))
            engine.keep("set_aside", pa.table({"place": [1, 2, (1 << 40) + 7], "reason": ["no market"] * 3}))
            rows[file.name] = engine.fetch("quarantine").to_pylist()
            assert engine.fetch("source_files").to_pylist() == [
                {"file": "raw/plain.parquet", "source_rows": 2}
                if file == plain
                else {"file": "a.csv", "source_rows": 1}
            ]
    assert [(row["file"], row["line"], row["row"]) for row in rows["plain.parquet"]] == [
        ("raw/plain.parquet", 1, '1,"say ""hi"""'),
        ("raw/plain.parquet", 2, "2,"),
    ]
    assert [(row["file"], row["line"], row["row"]) for row in rows["marked.parquet"]] == [("a.csv", 7, "3")]


def test_what_an_engine_does_can_be_ended_from_outside() -> None:
    rows = "SELECT 'x' AS chart, 'SE' AS market, a.range AS track, DATE '2020-01-01' AS date"
    with open_engine() as engine:
        interrupt_engines()  # it does nothing yet
        engine.keep("unused", pa.table({"x": [1]}))
        engine._connection.execute(f"CREATE TEMP VIEW observations AS {rows} FROM range(9999999) a, range(9999)")  # type: ignore[attr-defined]
        timer = threading.Timer(0.2, interrupt_engines)
        timer.start()
        with pytest.raises(duckdb.InterruptException):
            engine.fetch("charts_present")
        timer.join()


@pytest.mark.parametrize(
    "text", ["512", "0", "nan", "-1", "", "80%", "0MB", "-5GB", "1e3MB", "infGB", "9" * 12 + "GB", "٣GB"]
)
def test_a_memory_limit_is_a_number_with_a_unit(text: str) -> None:
    with pytest.raises(SettingError, match=r"the memory limit '.*500MB"):
        open_engine(memory_limit=text)


@pytest.mark.parametrize(
    ("text", "bytes_"), [("512MB", 512_000_000), ("2GiB", 2**31), ("1.5 gb", 1_500_000_000), ("20000KiB", 20_480_000)]
)
def test_memory_limits_have_the_units_of_the_engine(text: str, bytes_: int) -> None:
    assert memory_bytes(text) == bytes_
    open_engine(memory_limit=text).close()


def test_a_damaged_file_is_named_among_whole_ones_whenever_its_rows_are_read(tmp_path: Path) -> None:
    files = [tmp_path / "a.parquet", tmp_path / "b[1].parquet", tmp_path / "c.parquet"]
    for file in files:
        pq.write_table(pa.table({"rank": [str(number) for number in range(5000)]}), file, compression="snappy")
    content = bytearray(files[1].read_bytes())
    content[1000:1100] = b"\xff" * 100
    files[1].write_bytes(bytes(content))
    with open_engine() as engine:
        engine.open_text(files, {"rank": ["rank"]}, root=tmp_path)
        with pytest.raises(SourceError, match=r"cannot read '.*b\[1\].parquet' as parquet: ") as error:
            engine.create("source_files")
            engine.keep_table("ranks", files)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["filename", "Filename", "file_row_number", "file_index"])
def test_columns_may_be_called_as_those_of_the_engine(tmp_path: Path, name: str) -> None:
    rows = {name: ["x", "y"], "rank": [1, 2], "source_file": ["a.csv", "b.csv"], "source_line": [7, 8]}
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    with open_engine() as engine:
        engine.open_text([tmp_path / "rows.parquet"], {"title": [name]}, root=tmp_path)
        found = engine.fetch("source_files").to_pylist()
    assert found == [{"file": "a.csv", "source_rows": 1}, {"file": "b.csv", "source_rows": 1}]


@pytest.mark.slow
def test_folders_of_killed_engines_are_removed_and_no_others(tmp_path: Path) -> None:
    """The next process removes what a killed one left; not what is in use, a link, or something of the user's own."""
    opened = "import sys, time; from diffusion.engine import open_engine\nengine = open_engine(); "
    stay = f"{opened} print('open', flush=True); time.sleep(60)"
    environment = os.environ | {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}

    def start(code: str) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)

    killed, alive = start(stay), start(stay)
    for process in (killed, alive):
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
    killed.kill()
    killed.communicate()
    there = {path for path in tmp_path.iterdir() if path.is_dir()}
    assert len(there) == 2
    own = tmp_path / "chart-diffusion-own"
    own.mkdir()
    for name in ("lock", "engine.duckdb", "letter.txt"):
        (own / name).write_text("mine")
    trap = tmp_path / "chart-diffusion-trap"
    trap.symlink_to(own, target_is_directory=True)
    start(f"{opened} engine.close()").communicate()
    left = {path for path in tmp_path.iterdir() if path.is_dir()}
    assert {own, trap} < left
    assert len(left - {own, trap}) == 1 < len(there)
    assert {path.name for path in own.iterdir()} == {"lock", "engine.duckdb", "letter.txt"}
    alive.kill()
    alive.communicate()
    start(f"{opened} engine.close()").communicate()
    assert {path for path in tmp_path.iterdir() if path.is_dir()} == {own, trap}

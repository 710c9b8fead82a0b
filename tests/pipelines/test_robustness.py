"""What happens to ingest and clean from outside: kills, full disks, two at once, and files mutilated at random."""

import csv
import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diffusion import OutputError
from diffusion.sources.reading import CONSENTS
from pipelines.commands.main import cli
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import STAGING
from pipelines.folders.verify import verify
from pipelines.stages.clean import clean_charts
from pipelines.stages.ingest import Options, ingest
from pipelines.stages.partitions import partitions
from tests.conftest import KAGGLE_COLUMNS, kaggle_rows

SMALL_DISK = "4m"
LEFT = 1 << 16
"""Bytes left free: less than the tables of the larger charts need."""
PAGE = 4096
"""Bytes in which the small disk gives room."""


def canonical_hashes(folder: Path) -> dict[str, str]:
    """Return for every table of a folder a hash of its rows, whatever files they lie in and in whatever order."""
    tables: dict[str, list[pl.DataFrame]] = {}
    for file in sorted(folder.rglob("*.parquet")):
        tables.setdefault(file.relative_to(folder).parts[0], []).append(pl.read_parquet(file))
    hashes = {}
    for name, parts in tables.items():
        rows = pl.concat(parts, how="diagonal").sort(pl.all())
        hashes[name] = hashlib.sha256(rows.write_csv().encode()).hexdigest()
    for file in folder.glob("*.csv"):
        hashes[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return hashes


def leftovers(folder: Path) -> list[Path]:
    """Return the temporary files and folders below `folder`."""
    return [path for path in folder.rglob("*") if path.name.startswith((STAGING, "."))]


def write_charts(path: Path, *, days: int, tracks: int) -> Path:
    """Write daily charts of two markets over the turn of a year, some lines damaged."""
    charts = {
        (region, number - days // 2): [f"{'t' * 18}{(number + rank) % 997:04d}" for rank in range(tracks)]
        for region in ("Sweden", "Norway")
        for number in range(days)
    }
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, KAGGLE_COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kaggle_rows(charts))
        file.write('"never closed,1,2\nshort,1\n')
    return path


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return charts that take about a second to read."""
    return write_charts(tmp_path_factory.mktemp("charts") / "charts.csv", days=450, tracks=99)


@pytest.fixture(scope="module")
def sources(charts: Path) -> dict[str, Path]:
    """Return what each command reads: the charts, and RAW made of them."""
    run("ingest", charts, charts.parent / "raw")
    return {"ingest": charts, "clean": charts.parent / "raw"}


def run(name: str, source: Path, out: Path) -> None:
    """Run an ingest or clean command to its end, in this process."""
    cli.main([name, str(source), "--out", str(out)], standalone_mode=False)


def started(name: str, source: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """Start an ingest or clean command in a process of its own, without progress."""
    command = [sys.executable, "-m", "pipelines", name, str(source), "--out", str(out), "--quiet", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_and_run_again(name: str, source: Path, place: Path, moments: int) -> None:
    """Kill a command at random moments of its work, run it again each time, and compare with an undisturbed run."""
    begin = time.monotonic()
    run(name, source, place / "whole")
    seconds = time.monotonic() - begin
    expected = canonical_hashes(place / "whole")
    draw = random.Random(7)
    for moment in range(moments):
        out = place / f"killed{moment}"
        process = started(name, source, out)
        while not out.is_dir() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(seconds * draw.random())
        process.send_signal(signal.SIGKILL)
        process.communicate()
        run(name, source, out)
        assert canonical_hashes(out) == expected
        assert leftovers(out) == []
        assert verify(out).whole


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ingest", "clean"])
def test_a_killed_run_is_run_again_as_if_nothing_had_happened(
    name: str, sources: dict[str, Path], tmp_path: Path
) -> None:
    kill_and_run_again(name, sources[name], tmp_path, moments=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ingest", "clean"])
def test_twenty_kills_leave_nothing(name: str, sources: dict[str, Path], tmp_path: Path) -> None:
    kill_and_run_again(name, sources[name], tmp_path, moments=20)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of a few megabytes, or skip where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(place)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here (needs the rights of the superuser)")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("name", [pytest.param("ingest", marks=pytest.mark.slow), "clean"])
def test_a_full_disk_is_one_line_and_the_old_tables_stay_whole(
    name: str, sources: dict[str, Path], tmp_path: Path, small_disk: Path
) -> None:
    few = write_charts(tmp_path / "few.csv", days=10, tracks=20)
    if name == "clean":
        run("ingest", few, tmp_path / "few")
        few = tmp_path / "few"
    out = small_disk / "out"
    run(name, few, out)
    before = canonical_hashes(out)
    filler = small_disk / "filler"
    room = os.statvfs(small_disk)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - LEFT))
    process = started(name, sources[name], out, *["--replace"] * (name == "ingest"))
    said = process.communicate()[1]
    assert process.returncode == 2, said
    assert said.count("\n") == 1
    assert "no space left" in said
    assert canonical_hashes(out) == before
    assert leftovers(out) == []
    assert verify(out).whole
    filler.unlink()


@pytest.mark.parametrize("short", [1, 2, 3])
def test_a_disk_with_room_for_all_but_the_end_of_a_file_is_full(tmp_path: Path, small_disk: Path, short: int) -> None:
    rows = pl.DataFrame({"year": ["2020"]} | {f"column{number}": ["x"] for number in range(400)})
    with partitions(lambda name: tmp_path / "whole.parquet", part="one") as tables:
        tables.add({"rows": rows})
        tables.close()
    room = (tmp_path / "whole.parquet").stat().st_size // PAGE * PAGE - (short - 1) * PAGE
    with (
        pytest.raises(OutputError, match="no space left"),
        Folder(small_disk / "out") as folder,
        partitions(lambda name: folder.stage("rows", name), part="one") as tables,
    ):
        state = os.statvfs(small_disk)
        (small_disk / "filler").write_bytes(bytes(state.f_bavail * state.f_frsize - room))
        tables.add({"rows": rows})
        tables.close()
    assert not (small_disk / "out").exists()


@pytest.mark.parametrize("name", ["ingest", pytest.param("clean", marks=pytest.mark.slow)])
def test_of_two_runs_at_once_one_refuses_and_none_corrupts(name: str, sources: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    both = [started(name, sources[name], out) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 2])  # the second may come when the first is done
    assert codes == [0, 0] or any("another run is at work" in line for line in said)
    assert verify(out).whole
    assert leftovers(out) == []


# ── mutilation ───────────────────────────────────────────────────────────────────────────────────────────────────────

BASE = kaggle_rows(
    {(region, number): ["a" * 22, "b" * 22, "c" * 22] for region in ("Sweden", "Norway") for number in (0, 1)}
)
SCRAPS = st.sampled_from(
    [
        b'"',
        b",",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xe9",
        b'""',
        b'",',
        b",,,,",
        "é🎵".encode(),
        b"NULL",
        b"-5",
        b"1,234",
        b"02/01/2021",
    ]
)


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """Draw the base charts as CSV with bytes replaced, put in, taken out, lines repeated and the end cut off."""
    text = io.StringIO()
    writer = csv.DictWriter(text, KAGGLE_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(BASE)
    header, _, body = text.getvalue().encode().partition(b"\n")
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(len(body) - 1, 0)))
        length = draw(st.sampled_from([0, 0, 1, 3, 40]))
        body = body[:at] + draw(SCRAPS) + body[at + length :]
    if draw(st.booleans()):
        lines = body.split(b"\n")
        body += b"\n".join([header, *draw(st.lists(st.sampled_from(lines), max_size=4))])
    return header + b"\n" + body[: draw(st.sampled_from([None, None, len(body) // 2]))]


@pytest.mark.slow
@settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(mutilated(), min_size=1, max_size=2))
def test_rows_in_are_rows_kept_doubled_or_quarantined(
    tmp_path_factory: pytest.TempPathFactory, files: list[bytes]
) -> None:
    place = tmp_path_factory.mktemp("mutilated")
    (place / "in").mkdir()
    for number, content in enumerate(files):
        (place / "in" / f"{number}.csv").write_bytes(content)
    names = {"Sweden": "SE", "Norway": "NO"}
    with Folder(place / "raw") as folder:
        notes = ingest([place / "in"], folder, options=Options(), tell=_quiet)
    unknown = dict.fromkeys(notes["unknown_markets"], "SE")  # mutilated names are taken for something
    with Folder(place / "clean") as folder:
        clean_charts(place / "raw", folder, market_names=names | unknown, accept=list(CONSENTS), tell=_quiet)
    rows = {row["metric"]: int(row["value"]) for row in _csv(place / "clean/row_accounting.csv")}
    assert rows["raw_rows"] == rows["kept_rows"] + rows["duplicate_rows"] + rows["quarantined_rows"]
    assert rows["raw_rows"] == sum(source["rows"] + source["damaged"] for source in notes["sources"])
    assert rows["repaired_rows"] <= rows["kept_rows"]
    kept = sum(pl.read_parquet(file).height for file in (place / "clean/observations").rglob("*.parquet"))
    quarantine = pl.read_parquet(place / "clean/quarantine.parquet")
    assert (kept, quarantine.height) == (rows["kept_rows"], rows["quarantined_rows"])
    assert quarantine.null_count().row(0) == (0, 0, 0, 0)
    by_file = _csv(place / "clean/accounting_by_file.csv")
    for source in notes["sources"]:
        counted = sum(int(row["raw_rows"]) for row in by_file if row["file"] == source["path"])
        assert counted == source["rows"] + source["damaged"]


def _csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def _quiet(doing: str, share: float | None = None) -> None:
    """Say nothing."""

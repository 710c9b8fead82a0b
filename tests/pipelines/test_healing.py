"""Files of a run before are adopted as the manifest says or made again; what is read is what the manifest says."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import diffusion
from diffusion import OutputError, SettingError, SourceError
from pipelines.commands.main import cli
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import MANIFEST, digest_of_step, to_json
from pipelines.folders.verify import verify
from pipelines.stages.clean import clean_charts
from pipelines.stages.ingest import Options, ingest
from pipelines.study.finished import open_study
from tests.conftest import KAGGLE_COLUMNS, WriteCsv, kaggle_rows

NUMBERS = {"a.csv": (-400, -399, -398), "b.csv": (-3, -2, -1), "c.csv": (0, 1)}
"""File → days of its charts, so that the files are of three years."""


def quiet(doing: str, share: float | None = None) -> None:
    """Say nothing."""


def write_charts(write_csv: WriteCsv, name: str) -> Path:
    """Write charts of some days, one row with an unreadable rank."""
    rows = kaggle_rows({("Sweden", number): ["x" * 22, "y" * 22, "z" * 22] for number in NUMBERS[name]})
    broken = rows[0] | {"rank": "first", "url": rows[0]["url"][:-1] + "w"}
    return write_csv([{column: row[column] for column in KAGGLE_COLUMNS} for row in [*rows, broken]], name=name)


def run_ingest(paths: list[Path], out: Path, *, append: bool = False) -> list[str]:
    """Ingest into a folder, and return the files that were made because they were not as the manifest said."""
    with Folder(out) as folder:
        ingest(paths, folder, options=Options(), append=append, tell=quiet)
        return folder.made_again()


def run_clean(raw: Path, out: Path) -> list[str]:
    """Clean into a folder, and return the files that were made because they were not as the manifest said."""
    with Folder(out) as folder:
        clean_charts(raw, folder, accept=["set-aside"], tell=quiet)
        return folder.made_again()


def tables(out: Path) -> dict[str, bytes]:
    """Return every file of a folder but the manifest, which names other runs."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def flip(path: Path) -> None:
    """Flip one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Cut the last byte of a file off."""
    path.write_bytes(path.read_bytes()[:-1])


def move_rows(path: Path) -> None:
    """Move a row between two counts of the accounts by file."""
    path.write_bytes(path.read_bytes().replace(b"10,9,0,1", b"10,8,1,1"))


def resign(place: Path, change: Callable[[dict[str, Any]], object], step: str = "clean") -> None:
    """Change a step of a manifest by hand, and give it the digest that fits."""
    manifest = json.loads((place / MANIFEST).read_bytes())
    change(manifest["steps"][step])
    manifest["steps"][step]["digest"] = digest_of_step(manifest["steps"][step])
    (place / MANIFEST).write_bytes(to_json(manifest))


@pytest.fixture
def raw(write_csv: WriteCsv, tmp_path: Path) -> Path:
    """Return RAW of two files."""
    run_ingest([write_charts(write_csv, "a.csv"), write_charts(write_csv, "b.csv")], tmp_path / "raw")
    return tmp_path / "raw"


@pytest.mark.parametrize(
    ("name", "spoil", "grown"),
    [
        ("accounting_by_file.csv", move_rows, True),
        pytest.param("accounting_by_file.csv", Path.unlink, False, marks=pytest.mark.slow),
        pytest.param("quarantine.parquet", flip, True, marks=pytest.mark.slow),
        pytest.param("tracks.parquet", cut, True, marks=pytest.mark.slow),
        pytest.param("availability.parquet", Path.unlink, True, marks=pytest.mark.slow),
        ("observations/year=2019/part-00000.parquet", flip, True),
        pytest.param("recordings.parquet", flip, False, marks=pytest.mark.slow),
    ],
)
def test_clean_makes_again_what_is_not_as_its_manifest_says(
    raw: Path, write_csv: WriteCsv, tmp_path: Path, name: str, spoil: Callable[[Path], object], grown: bool
) -> None:
    out = tmp_path / "out"
    run_clean(raw, out)
    before = tables(out)
    spoil(out / name)
    assert tables(out) != before
    if grown:
        run_ingest([write_charts(write_csv, "c.csv")], raw, append=True)
    again = run_clean(raw, out)
    assert again == [name]
    assert verify(out).whole
    run_clean(raw, tmp_path / "fresh")
    assert tables(out) == tables(tmp_path / "fresh")
    assert run_clean(raw, out) == []


def test_notes_of_other_types_are_those_of_no_run(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_clean(raw, out)
    before = tables(out)
    resign(out, lambda step: step["notes"].update(years=[1], rows="many"))
    run_clean(raw, out)
    assert tables(out) == before
    resign(raw, lambda step: step["notes"].update(sources={"a.csv": 1}), step="ingest")
    with pytest.raises(SourceError, match=r"manifest\.json' was changed by hand or is of an older version; ingest"):
        run_clean(raw, out)


def test_results_are_read_as_they_were_written_or_not_at_all(tmp_path: Path) -> None:
    notes = {
        "window": 56,
        "transitions": 1,
        "ties": 0,
        "exposed": 2,
        "chart": "top200",
        "unmatched": {},
        "not_made": {},
    }
    with Folder(tmp_path / "made") as folder:
        folder.begin("graph", "one", parameters={}, notes=notes)
    assert open_study(tmp_path / "made").notes("graph") == notes
    for wrong in ({"window": "soon"}, {"unmatched": [1]}, {"not_made": {"direct": None}}):
        resign(tmp_path / "made", lambda step, wrong=wrong: step.update(notes=notes | wrong), step="graph")
        with pytest.raises(SettingError, match=r"manifest\.json' was changed by hand: the step graph"):
            open_study(tmp_path / "made").notes("graph")


def test_what_was_made_again_is_said(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    run_clean(raw, out)
    (out / "artists.parquet").unlink()
    cli.main(["clean", str(raw), "--accept", "set-aside", "--out", str(out)], standalone_mode=False)
    assert "made again: artists.parquet, which was not as the manifest says" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("full/year=2019/part-0000-000.parquet", flip),
        ("slim/year=2020/part-0000-000.parquet", cut),
        ("damaged.parquet", Path.unlink),
        ("distinct_values.parquet", flip),
    ],
)
def test_raw_is_read_again_where_its_files_are_given_and_else_refused(
    write_csv: WriteCsv, tmp_path: Path, name: str, spoil: Callable[[Path], object]
) -> None:
    files = [write_charts(write_csv, file) for file in NUMBERS]
    raw = tmp_path / "raw"
    run_ingest(files[:2], raw)
    spoil(raw / name)
    damaged = tables(raw)
    with pytest.raises(
        OutputError, match=rf"{name}' is not as the manifest says.* without 'a\.csv' and 1 more; .*anew"
    ):
        run_ingest(files[2:], raw, append=True)
    assert tables(raw) == damaged
    assert name in run_ingest(files, raw, append=True)
    assert verify(raw).whole
    run_ingest(files, tmp_path / "fresh")
    assert tables(raw) == tables(tmp_path / "fresh")


def test_clean_reads_no_raw_that_is_not_as_its_manifest_says(raw: Path, tmp_path: Path) -> None:
    part = raw / "full/year=2020/part-0000-000.parquet"
    whole = part.read_bytes()
    for spoil in (flip, cut, Path.unlink):
        spoil(part)
        with pytest.raises(SourceError, match="is not as the manifest of RAW says; ingest all files again"):
            run_clean(raw, tmp_path / "out")
        part.write_bytes(whole)
    assert not (tmp_path / "out").exists()
    run_clean(raw, tmp_path / "out")


def test_no_run_writes_into_raw_while_it_is_read(raw: Path, tmp_path: Path) -> None:
    refused = []

    def tell(doing: str, share: float | None = None) -> None:
        with pytest.raises(OutputError, match="another run is at work"), Folder(raw):
            pass
        refused.append(doing)

    with Folder(tmp_path / "out") as folder:
        clean_charts(raw, folder, accept=["set-aside"], tell=tell)
    assert refused
    with Folder(raw), pytest.raises(OutputError, match="another run is at work"):
        run_clean(raw, tmp_path / "other")
    with pytest.raises(SettingError, match="is RAW itself"):
        run_clean(raw, raw)


def more_rows(star: Path) -> None:
    """Add a file of observations that the manifest does not list."""
    (star / "observations/year=2020/extra.parquet").write_bytes(
        (star / "observations/year=2020/part-00000.parquet").read_bytes()
    )


def fewer_rows(star: Path) -> None:
    """Take a row of a year away, as a whole table."""
    file = star / "observations/year=2020/part-00000.parquet"
    pq.write_table(pq.ParquetFile(file).read().slice(1), file)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (fewer_rows, r"part-00000\.parquet' is not as the manifest of the folder says"),
        (more_rows, r"extra\.parquet' is not in the manifest"),
        (lambda star: (star / "observations/year=2019/part-00000.parquet").unlink(), "cannot read '.*year=2019"),
        (lambda star: flip(star / "quarantine.parquet"), r"quarantine\.parquet' is not as the manifest"),
        (lambda star: cut(star / "row_accounting.csv"), r"row_accounting\.csv' is not as the manifest"),
        (lambda star: (star / "tracks.parquet").unlink(), r"cannot read '.*tracks\.parquet'"),
        (lambda star: (star / MANIFEST).write_text('{"steps": {"clean": {"artifacts": 7}}}'), "is not a manifest"),
    ],
)
def test_a_star_is_read_as_its_manifest_says(
    raw: Path, tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    star = tmp_path / "star"
    run_clean(raw, star)
    diffusion.open_charts(star).close()
    spoil(star)
    with pytest.raises(SourceError, match=f"{message}.*; clean the charts again"):
        diffusion.open_charts(star)


@pytest.mark.slow
def test_the_memory_of_clean_is_bounded_whatever_the_tracks(tmp_path: Path) -> None:
    """Many short tracks make large tables of tracks from few bytes: 512 MB of rows, and 400 MB more for the process."""
    if os.name != "posix":
        pytest.skip("peak memory is asked of the system by getrusage")
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'pipelines', *sys.argv[1:]], check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    tracks, depth = 600_000, 2_000
    lines = [
        f"T{n},{n % depth + 1},{2000 + n // (365 * depth)}-{n // depth % 12 + 1:02d}-{n // (12 * depth) % 28 + 1:02d},"
        f"A{n % 9001},https://open.spotify.com/track/{n:022d},Sweden,chart{n // (12 * 28 * depth)},SAME_POSITION,1000"
        for n in range(tracks)
    ]
    charts = tmp_path / "charts.csv"
    charts.write_text("\n".join([",".join(KAGGLE_COLUMNS), *lines]))
    run_ingest([charts], tmp_path / "raw")
    arguments = ["clean", str(tmp_path / "raw"), "--out", str(tmp_path / "out"), "--memory-limit", "512MB"]
    peak = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert int(peak.stdout.split()[-1]) * 1024 < 912_000_000

"""Folders of results: whole or not at all, one run at a time, whatever kills it; and whether they still are that."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from diffusion import DiffusionError, OutputError, SettingError, SourceError
from pipelines.folders import staging
from pipelines.folders.folder import Folder
from pipelines.folders.lock import lock_beside
from pipelines.folders.manifest import MANIFEST, STAGING, Shape, fits, parse_manifest, read_manifest
from pipelines.folders.verify import verify

Contents = dict[str, bytes]


def contents(place: Path) -> Contents:
    """Return what lies below a folder, but the log of times."""
    return {
        path.relative_to(place).as_posix(): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.name != "runs.log"
    }


def fill(place: Path, files: dict[str, bytes], *, step: str = "step", fingerprint: str = "one", **begin: Any) -> None:
    """Make a folder whose step holds `files`."""
    with Folder(place) as folder:
        folder.begin(step, fingerprint, parameters={}, notes={}, **begin)
        for name, content in files.items():
            folder.put(step, name, content)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder that holds two files of one step."""
    made = tmp_path / "made"
    fill(made, {"a.txt": b"old a", "year=2020/part.bin": b"old part"})
    return made


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that lets the disk be full from the n-th write to it on."""

    def fill_up(after: int) -> None:
        left = after
        real = staging.sync

        def sync(path: Path) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            real(path)

        monkeypatch.setattr("pipelines.folders.staging.sync", sync)
        monkeypatch.setattr("pipelines.folders.folder.sync", sync)

    return fill_up


def test_large_files_are_staged_and_enlisted(tmp_path: Path) -> None:
    with Folder(tmp_path / "made") as folder:
        path = folder.stage("ingest", "full/year=2021/part-00000.parquet")  # before the step has begun
        pd.DataFrame({"n": [1, 2, 3]}).to_parquet(path)
        folder.stage("ingest", "scratch.bin").write_bytes(b"not enlisted")
        folder.begin("ingest", "print", parameters={"p": 1}, notes={"n": 2})
        folder.enlist("ingest", "full/year=2021/part-00000.parquet", rows=3)
        assert folder.holds("full/year=2021/part-00000.parquet")
        assert folder.changes()["made"] == ["full/year=2021/part-00000.parquet"]
    assert set(contents(tmp_path / "made")) == {MANIFEST, "full/year=2021/part-00000.parquet"}
    found = verify(tmp_path / "made")
    assert (found.whole, found.files, found.rows) == (True, 1, 3)


def test_what_cannot_be_an_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be the name of an artifact"), Folder(tmp_path / "a") as folder:
        folder.stage("step", "../out")
    with pytest.raises(OutputError, match="an artifact of the step one, not also of two"), Folder(tmp_path) as folder:
        folder.stage("one", "x")
        folder.stage("two", "x")
    assert list(tmp_path.iterdir()) == []


def test_a_step_begun_anew_can_carry_what_it_had(place: Path) -> None:
    with Folder(place) as folder:
        before = folder.previous("step")
        assert before is not None
        assert folder.previous("other") is None
        assert [artifact["path"] for artifact in before["artifacts"]] == ["a.txt", "year=2020/part.bin"]
        folder.begin("step", "two", parameters={}, notes={})
        folder.carry("step", ["year=2020/part.bin"])
        folder.put("step", "year=2021/part.bin", b"new")
        changes = folder.changes()
    assert changes == {"made": ["year=2021/part.bin"], "unchanged": ["year=2020/part.bin"], "removed": ["a.txt"]}
    assert set(contents(place)) == {MANIFEST, "year=2020/part.bin", "year=2021/part.bin"}
    assert verify(place).whole
    (place / "year=2020" / "part.bin").write_bytes(b"longer than it was")
    held = contents(place)
    for name in ("year=2020/part.bin", "a.txt"):
        with pytest.raises(OutputError, match="is not what the manifest says"), Folder(place) as folder:
            folder.begin("step", "three", parameters={}, notes={})
            folder.carry("step", [name])
    assert contents(place) == held


def test_folders_that_became_empty_go(place: Path) -> None:
    fill(place, {"b.txt": b"new"}, fingerprint="two")
    assert [path.name for path in sorted(place.iterdir())] == ["b.txt", MANIFEST]


def test_a_folder_that_loses_all_it_had_can_get_new_files(tmp_path: Path) -> None:
    fill(tmp_path / "made", {"figures/curve.png": b"old"}, step="curves")
    fill(tmp_path / "made", {"figures/map.png": b"new"}, step="graph", outdates=["curves"])
    assert set(contents(tmp_path / "made")) == {MANIFEST, "figures/map.png"}
    assert verify(tmp_path / "made").whole


def test_a_folder_made_in_vain_is_taken_away(tmp_path: Path) -> None:
    with pytest.raises(SourceError), Folder(tmp_path / "out" / "made") as folder:
        folder.stage("step", "part.bin").write_bytes(b"begun")
        raise SourceError("nothing readable")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError), Folder(tmp_path / "empty"):
        raise SourceError("nothing readable")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]  # it was there before


def test_times_stand_in_a_log_of_their_own(place: Path) -> None:
    before = contents(place)
    for command in ("ingest", "clean"):
        with Folder(place) as folder:
            folder.log(command, rows=3)
    lines = [json.loads(line) for line in (place / "runs.log").read_text(encoding="utf-8").splitlines()]
    assert [(line["command"], line["rows"], set(line)) for line in lines] == [
        (command, 3, {"began", "seconds", "command", "rows"}) for command in ("ingest", "clean")
    ]
    assert contents(place) == before
    assert verify(place).whole
    (place / "runs.log").unlink()
    (place / "runs.log").symlink_to("elsewhere")
    with pytest.raises(OutputError, match=r"finished, but not its runs\.log"), Folder(place) as folder:
        folder.log("ingest")
    assert not (place / "elsewhere").exists()


def test_one_run_writes_at_a_time(place: Path) -> None:
    code = f"from pipelines.folders.folder import Folder\nwith Folder({str(place)!r}) as f: f.log('other', wait=True)"
    with Folder(place) as folder:
        with pytest.raises(
            OutputError, match=r"another run is at work in '.*made'; wait for it or name another folder"
        ):
            Folder(place)
        with pytest.raises(OutputError, match="another run is at work"):
            verify(place)
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "another run is at work" in refused.stderr
        waiting = subprocess.Popen([sys.executable, "-c", code.replace("made')", "made', wait=True)")])
        folder.begin("step", "two", parameters={}, notes={})
        folder.put("step", "a.txt", b"new")
        time.sleep(0.5)
        assert waiting.poll() is None
    assert waiting.wait(timeout=30) == 0
    assert (place / "runs.log").is_file()
    assert verify(place).whole
    assert set(contents(place)) == {MANIFEST, "a.txt"}


def test_a_folder_of_the_users_is_not_taken_for_staging(place: Path) -> None:
    kept = {f"{STAGING}notes/a.txt": b"mine", f"{STAGING}123-abcdefgh/diary.txt": b"mine too"}
    for name, content in kept.items():
        (place / name).parent.mkdir()
        (place / name).write_bytes(content)
    left = place / f"{STAGING}1-left4567" / "new"
    left.mkdir(parents=True)
    (left / "b.txt").write_bytes(b"unfinished")
    with Folder(place):
        pass
    assert not left.parent.exists()
    assert {name: (place / name).read_bytes() for name in kept} == kept


def test_files_are_made_again_when_they_are_not_as_the_manifest_said(place: Path) -> None:
    (place / "a.txt").write_bytes(b"new a")
    (place / "year=2020/part.bin").unlink()
    with Folder(place) as folder:
        assert not folder.whole("step", "a.txt")
        assert not folder.whole("step", "b.txt")
        assert not folder.unchanged("step", "one")
        folder.begin("step", "one", parameters={}, notes={})
        folder.put("step", "a.txt", b"old a")
        assert folder.made_again() == ["a.txt"]
    assert (place / "a.txt").read_bytes() == b"old a"


def test_a_folder_can_be_locked_by_a_file_beside_it(tmp_path: Path) -> None:
    """Systems that cannot lock a folder lock a file: readers share it, a writer has it alone, a killed run frees it."""
    one, two = (lock_beside(tmp_path, shared=True, wait=False) for _ in range(2))
    with pytest.raises(OutputError, match=r"another run is at work in .*; wait for it or name another folder"):
        lock_beside(tmp_path, shared=False, wait=False)
    one()
    two()
    code = (
        "import sys, time; from pathlib import Path; from pipelines.folders.lock import lock_beside\n"
        "release = lock_beside(Path(sys.argv[1]), shared=False, wait=False); print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(OutputError, match=r"another run is at work in .*; wait for it$"):
        lock_beside(tmp_path, shared=True, wait=False)
    other.kill()
    other.communicate()
    lock_beside(tmp_path, shared=False, wait=True)()
    with pytest.raises(FileNotFoundError):
        lock_beside(tmp_path / "absent", shared=True, wait=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "shape", "fitting"),
    [
        ({"a": 1, "b": None}, {"a": int, "b": (str, None)}, True),
        ({"a": True}, {"a": int}, False),
        ({"a": 1}, {"a": float}, True),
        ({"a": 1}, {"a": str}, False),
        ({"a": 1}, {"a": int, "b": int}, False),
        ({"a": ["x", 1]}, {"a": [str]}, False),
        ({"2020": {"kept": 1}, "2021": {}}, {"*": {"kept": int}}, False),
        ([], {}, False),
    ],
)
def test_values_of_a_manifest_fit_a_shape_or_not(value: object, shape: Shape, fitting: bool) -> None:
    assert fits(value, shape) is fitting


def test_a_folder_taken_away_by_the_run_waited_for_is_made_again(tmp_path: Path) -> None:
    made = tmp_path / "made"
    code = f"from pipelines.folders.folder import Folder\nwith Folder({str(made)!r}, wait=True) as f: f.log('x')"
    with pytest.raises(SourceError), Folder(made):
        waiting = subprocess.Popen([sys.executable, "-c", code])
        time.sleep(1.5)
        raise SourceError("nothing readable")
    assert waiting.wait(timeout=30) == 0
    assert verify(made).files == 0


@pytest.mark.parametrize("after", range(12))
def test_a_full_disk_leaves_what_was_there(place: Path, full_disk: Callable[[int], None], after: int) -> None:
    before = contents(place)
    full_disk(after)
    try:
        fill(place, {"a.txt": b"new a", "deep/er/b.txt": b"new b"}, fingerprint="two")
    except OutputError as error:
        assert str(error) == f"no space left in '{place}' or for temporary files; nothing was changed"
        if b"new b" not in contents(place).values():
            assert contents(place) == before
            assert sorted(path.name for path in place.iterdir()) == ["a.txt", MANIFEST, "year=2020"]
    assert verify(place).whole


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("IO Error: Could not write file: No space left on device"),
        SourceError("cannot write: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_recognised_whoever_says_it(place: Path, error: Exception) -> None:
    before = contents(place)
    with pytest.raises(OutputError, match=r"no space left in .*; nothing was changed"), Folder(place) as folder:
        folder.begin("step", "two", parameters={}, notes={})
        raise error
    assert contents(place) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of 2 MB, or skip where none can be made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip("only the superuser may mount a disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_really_full_disk_leaves_what_was_there(small_disk: Path) -> None:
    made = small_disk / "made"
    fill(made, {"a.bin": b"a" * 900_000})
    before = contents(made)
    with pytest.raises(OutputError, match=r"no space left in .*; nothing was changed"):
        fill(made, {"a.bin": b"b" * 900_000, "c.bin": b"c" * 900_000}, fingerprint="two")
    with pytest.raises(OutputError, match="no space left"), Folder(made) as folder:
        folder.stage("step", "large.bin").write_bytes(b"d" * 1_900_000)
    assert contents(made) == before
    assert verify(made).whole


RUN = """
import sys, time
from pathlib import Path
from pipelines.folders.folder import Folder
print("begun", flush=True)
turn = sys.argv[2]
with Folder(sys.argv[1]) as folder:
    folder.begin("step", turn, parameters={}, notes={})
    for number in range(30):
        name = f"{turn}/part-{number}.bin" if number % 2 else f"part-{number}.bin"
        folder.stage("step", name).write_bytes(turn.encode() * 2000)
        folder.enlist("step", name)
"""


@pytest.mark.slow
def test_a_run_killed_at_any_moment_is_finished_or_undone(tmp_path: Path) -> None:
    made, clean = tmp_path / "made", tmp_path / "clean"
    whole = {}
    for turn in ("odd", "even"):
        subprocess.run([sys.executable, "-c", RUN, str(clean), turn], check=True, stdout=subprocess.DEVNULL)
        whole[turn] = contents(clean)
    chance = random.Random(5)
    seen = set()
    subprocess.run([sys.executable, "-c", RUN, str(made), "even"], check=True, stdout=subprocess.DEVNULL)
    for round_ in range(24):
        turn = ("odd", "even")[round_ % 2]
        process = subprocess.Popen([sys.executable, "-c", RUN, str(made), turn], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with Folder(made):
            pass  # any next run settles it
        held = contents(made)
        assert held in whole.values()
        assert verify(made).whole
        seen.add(held == whole[turn])
        subprocess.run([sys.executable, "-c", RUN, str(made), turn], check=True, stdout=subprocess.DEVNULL)
        assert contents(made) == whole[turn]
    assert False in seen


@pytest.mark.parametrize("moves", range(6))
def test_a_run_stopped_between_any_two_moves_is_finished_or_undone(
    place: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    """As above, but stopped exactly between the moves into place, and nothing may be tidied up at the end."""
    old = contents(place)
    left = moves
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        patch.setattr("pipelines.folders.staging.Staging.close", lambda self, **_: self._leave())  # as if it was killed
        try:
            fill(place, {"a.txt": b"new a", "b.txt": b"new b"}, fingerprint="two")
        except KeyboardInterrupt:
            left = -1
    with Folder(place):
        pass
    assert verify(place).whole
    held = contents(place)
    assert held == old if moves < 2 else set(held) == {MANIFEST, "a.txt", "b.txt"}
    assert {path.name for path in place.iterdir()} == {name.split("/")[0] for name in held}


def test_what_the_next_run_finds_whole_is_not_made_again_nor_overwritten(place: Path) -> None:
    aside = place / ".chart-diffusion-1-x" / "new"
    aside.mkdir(parents=True)
    (aside / "a.txt").write_bytes(b"other")  # not what the manifest names
    (place / "year=2020" / "part.bin").write_bytes(b"edited by hand")
    held = contents(place)
    with Folder(place):
        pass
    assert {name: held[name] for name in contents(place)} == contents(place)
    assert not aside.exists()


def tampered(place: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    change(manifest["steps"]["step"])
    return json.dumps(manifest).encode()


NAMES = [
    "../x", "/x", "a/../../x", "a\\b", "..\\x", "C:x", "c:/x", "a\0b", "a\nb", "", ".", "./a", "a//b", "a/", "a/./b",
    MANIFEST, "Manifest.JSON", "runs.log", ".chart-diffusion-1-x/new/a", "d/.Chart-Diffusion-x", "\ud800", 7, None,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_manifest_names_what_is_no_plain_path(place: Path, name: object) -> None:
    content = tampered(place, lambda step: step["artifacts"][0].update(path=name))
    with pytest.raises(OutputError, match="is not a manifest of this tool"):
        parse_manifest(content, "it")
    (place / MANIFEST).write_bytes(content)
    for use in (verify, Folder):
        with pytest.raises(OutputError, match="is not a manifest of this tool"):
            use(place)


FACTS: list[dict[str, object]] = [
    {"bytes": -1}, {"bytes": True}, {"bytes": "5"}, {"sha256": "a" * 63}, {"sha256": "A" * 64}, {"sha256": " " * 64},
    {"rows": -1}, {"rows": "3"}, {"path": "year=2020/part.bin"}, {"path": "year=2020"},
]  # fmt: skip


@pytest.mark.parametrize("facts", FACTS)
def test_no_manifest_says_what_cannot_be(place: Path, facts: dict[str, object]) -> None:
    content = tampered(place, lambda step: step["artifacts"][0].update(facts))
    with pytest.raises(OutputError, match="is not a manifest of this tool"):
        parse_manifest(content, "it")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"steps": 3}', b'{"steps": {"a": {}}}', b"[" * 9999])
def test_what_is_no_manifest_is_refused(place: Path, content: bytes) -> None:
    (place / MANIFEST).write_bytes(content)
    with pytest.raises(OutputError, match="is not a manifest of this tool"):
        read_manifest(place)


def test_verify_names_every_difference(place: Path, tmp_path: Path) -> None:
    (place / "a.txt").write_bytes(b"old b")
    (place / "year=2020" / "part.bin").unlink()
    (place / "new.txt").write_bytes(b"")
    (place / "year=2020" / "link").symlink_to(tmp_path)
    os.mkfifo(place / "pipe")
    found = verify(place)
    assert [(one.path, one.what) for one in found.changed] == [("a.txt", "other content in the same 5 bytes")]
    assert [one.path for one in found.missing] == ["year=2020/part.bin"]
    assert [(one.path, one.what) for one in found.extra] == [
        ("new.txt", "no artifact"), ("pipe", "no artifact"), ("year=2020/link", "a link"),
    ]  # fmt: skip
    assert not found.whole
    assert found.lines()[-1] == "differs   2 files, 13 bytes, 0 rows: 1 changed, 1 missing, 3 extra"


def test_verify_sees_every_changed_byte(place: Path) -> None:
    path = place / "year=2020" / "part.bin"
    for position in range(8):
        content = bytearray(b"old part")
        content[position] ^= 1
        path.write_bytes(content)
        assert [one.path for one in verify(place).changed] == ["year=2020/part.bin"]
    path.write_bytes(b"old part")
    assert verify(place).whole


def test_verify_follows_no_link(place: Path, tmp_path: Path) -> None:
    (place / "year=2020").rename(tmp_path / "moved")
    (place / "year=2020").symlink_to(tmp_path / "moved")
    found = verify(place)
    assert [(one.path, one.what) for one in found.changed] == [("year=2020/part.bin", "is a link, or lies beyond one")]
    assert [one.path for one in found.extra] == ["year=2020"]
    (place / "a.txt").unlink()
    (place / "a.txt").mkdir()
    assert ("a.txt", "is not a file") in [(one.path, one.what) for one in verify(place).changed]


def test_verify_counts_rows(tmp_path: Path) -> None:
    with Folder(tmp_path / "made") as folder:
        folder.begin("step", "one", parameters={}, notes={})
        folder.put_table("step", "t.parquet", pd.DataFrame({"n": [1, 2]}))
    content = tampered(tmp_path / "made", lambda step: step["artifacts"][0].update(rows=3))
    (tmp_path / "made" / MANIFEST).write_bytes(content)
    assert [one.what for one in verify(tmp_path / "made").changed] == ["has 2 rows, the manifest says 3"]


def test_verify_refuses_what_it_cannot_judge(place: Path, tmp_path: Path) -> None:
    cases: list[tuple[Path, type[DiffusionError], str]] = [
        (tmp_path / "absent", SettingError, "no folder"),
        (tmp_path, SettingError, "no manifest.json in"),
    ]
    for folder, kind, said in cases:
        with pytest.raises(kind, match=said):
            verify(folder)
    (place / MANIFEST).write_bytes(tampered(place, lambda step: step["notes"].update(rows=5)))
    with pytest.raises(OutputError, match="was changed by hand: the step step does not fit its digest"):
        verify(place)
    (place / MANIFEST).rename(tmp_path / "elsewhere.json")
    (place / MANIFEST).symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(OutputError, match="is a link"):
        verify(place)


def test_names_that_are_no_text_can_be_shown(place: Path) -> None:
    Path(os.fsdecode(bytes(place) + b"/bad\xff")).write_bytes(b"")
    assert [one.path for one in verify(place).extra] == ["bad\\xff"]


def test_verify_tells_what_it_reads(place: Path) -> None:
    told: list[str] = []
    verify(place, tell=lambda doing: told.append(doing))
    assert told == ["reading a.txt", "reading year=2020/part.bin"]

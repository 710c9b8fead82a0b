"""A folder at an address is whole for whoever goes by its manifest, wherever a run dies."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from diffusion import OutputError, SourceError
from diffusion.files import digest_of_file
from diffusion.sources.addresses import Waiting, find_remote_star
from pipelines.folders.manifest import artifacts_of, digest_of, parse_manifest
from pipelines.folders.remote_folder import RemoteFolder
from pipelines.folders.verify import verify

STEP = "clean"
SMALL = ("tracks.parquet", "availability.parquet", "row_accounting.csv")


class Killed(BaseException):
    """The process has ended."""


class Disk:
    """Files below an address that are on this disk; implements `RemoteFiles`. The process ends at a change of them."""

    address = "s3a://bucket/clean"

    def __init__(self, root: Path, *, lives: int = 1_000) -> None:
        self.root, self.lives = root, lives

    def _change(self) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    def sizes(self, below: str = "") -> dict[str, int]:
        files = [file for file in (self.root / below).rglob("*") if file.is_file()]
        return {file.relative_to(self.root).as_posix(): file.stat().st_size for file in files}

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def schema(self, name: str) -> pa.Schema:
        raise NotImplementedError

    def digests(self, sizes: Mapping[str, int]) -> dict[str, str]:
        return {name: digest_of_file(self.root / name) for name in sizes}

    def write(self, name: str, content: bytes) -> None:
        self._change()
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_bytes(content)

    def put(self, path: Path, name: str) -> None:
        self.write(name, path.read_bytes())

    def fetch(self, name: str, path: Path) -> None:
        shutil.copy(self.root / name, path)

    def copy(self, name: str, target: str) -> None:
        self.write(target, self.read(name))

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._change()
            path = self.root / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def join(self, files: Sequence[Path | str], name: str, *, filled: Sequence[str] = ()) -> int:
        raise NotImplementedError


def make(disk: Disk, content: str, *, years: Sequence[int] = (2020, 2021)) -> bool:
    """Write a folder of this content; return False if it is there already."""
    with RemoteFolder(disk) as folder:
        if folder.unchanged(STEP, content):
            return False
        folder.check_free(STEP, SMALL)
        parts = [f"observations/year={year}/part-charts-00000-{uuid4()}-c000.parquet" for year in years]
        for part in parts:
            assert folder.stage_parts(STEP, part) == f"{disk.address}/{part}"
            disk.write(part, f"{part} {content}".encode())
        tracks = folder.stage(STEP, SMALL[0]).removeprefix(f"{disk.address}/")
        disk.write(tracks, content.encode())
        folder.begin(STEP, content, parameters={}, notes={"content": content})
        for part in parts:
            folder.enlist(STEP, part, rows=1)
        folder.enlist(STEP, SMALL[0], rows=1)
        for name in SMALL[1:]:
            folder.put(STEP, name, f"{name} {content}".encode())
    return True


def whole(disk: Disk) -> str:
    """Return the content of the folder, of which every file is as the manifest says."""
    manifest = parse_manifest(disk.read("manifest.json"), "here")
    waiting = Waiting.of(manifest)
    for artifact in artifacts_of(manifest):
        found = disk.read(waiting.place(artifact["path"]))
        assert (len(found), digest_of(found)) == (artifact["bytes"], artifact["sha256"])
    content: str = manifest["steps"][STEP]["notes"]["content"]
    return content


def test_a_folder_is_whole_wherever_a_run_dies_and_the_next_run_ends_it(tmp_path: Path) -> None:
    seen = []
    for lives in range(100):
        root = tmp_path / str(lives)
        assert make(Disk(root), "one", years=(2019, 2020))
        dying = Disk(root, lives=lives)
        try:
            make(dying, "two")
            break
        except Killed:
            seen.append(whole(Disk(root)))
        # a run that changes nothing ends what the dead one began
        make(Disk(root), seen[-1])
        assert whole(Disk(root)) == seen[-1]
        assert verify(root).whole
        make(Disk(root), "two")
        assert verify(root).whole
    assert seen == sorted(seen)
    assert set(seen) == {"one", "two"}
    assert whole(Disk(root)) == "two"
    assert verify(root).whole
    assert not make(Disk(root), "two")


def test_an_error_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    make(Disk(tmp_path), "one")
    before = Disk(tmp_path).sizes()
    with pytest.raises(ValueError, match="no"), RemoteFolder(Disk(tmp_path)) as folder:
        folder.stage_parts(STEP, "observations/year=2020")
        Disk(tmp_path).write(f"observations/year=2020/part-charts-00000-{uuid4()}-c000.parquet", b"new")
        folder.begin(STEP, "two", parameters={}, notes={})
        folder.put(STEP, "tracks.parquet", b"new")
        raise ValueError("no")
    assert Disk(tmp_path).sizes() == before


def test_a_run_that_fails_removes_only_what_it_wrote(tmp_path: Path) -> None:
    """Not the observations whose manifest was moved, and nothing of a run at work beside it."""
    make(Disk(tmp_path), "one")
    (tmp_path / "manifest.json").rename(tmp_path / "elsewhere")
    working = f".chart-diffusion-{'0' * 16}/tracks.parquet"
    Disk(tmp_path).write(working, b"at work")
    before = Disk(tmp_path).sizes()
    with pytest.raises(OutputError, match="no manifest lists it"):
        make(Disk(tmp_path), "two")
    assert Disk(tmp_path).sizes() == before


def test_a_manifest_that_was_written_but_not_renamed_is_put_back(tmp_path: Path) -> None:
    make(Disk(tmp_path), "one")
    hidden = f".chart-diffusion-{'0' * 16}"
    Disk(tmp_path).write(hidden, Disk(tmp_path).read("manifest.json"))
    Disk(tmp_path).write(f".chart-diffusion-{'1' * 16}", b"half a man")
    (tmp_path / "manifest.json").unlink()
    assert not make(Disk(tmp_path), "one")
    assert whole(Disk(tmp_path)) == "one"
    assert verify(tmp_path).whole


def test_a_table_that_waited_and_is_gone_is_named(tmp_path: Path) -> None:
    make(Disk(tmp_path), "one")
    manifest = json.loads(Disk(tmp_path).read("manifest.json"))
    folder = f".chart-diffusion-{'0' * 16}"
    manifest |= {"waiting": {"folder": folder, "names": ["tracks.parquet"]}}
    Disk(tmp_path).write("manifest.json", json.dumps(manifest).encode())
    with pytest.raises(OutputError, match=f"{folder}/tracks.parquet' of a run that died is gone; name another --out"):
        RemoteFolder(Disk(tmp_path))


def test_what_executors_left_unfinished_is_no_file_of_others(tmp_path: Path) -> None:
    left = [f"observations/year=2020/{name}/0/task_1" for name in ("_temporary", "__magic_job-1")]
    for name in left:
        Disk(tmp_path).write(name, b"left")
    make(Disk(tmp_path), "one")
    assert not set(left) & Disk(tmp_path).sizes().keys()


@pytest.mark.parametrize(
    "name", ["tracks.parquet", "observations/year=2020/part-0.parquet", "observations/part-charts-00000-x.parquet"]
)
def test_files_of_others_are_refused_and_stay(tmp_path: Path, name: str) -> None:
    Disk(tmp_path).write(name, b"precious")
    with pytest.raises(OutputError, match=f"'s3a://bucket/clean/{name}' is there, and no manifest lists it"):
        make(Disk(tmp_path), "one")
    assert Disk(tmp_path).sizes() == {name: 8}


def test_files_of_others_with_other_names_stay(tmp_path: Path) -> None:
    for name in ("notes.txt", "else/part-charts-0.parquet", ".chart-diffusion-x"):
        Disk(tmp_path).write(name, b"precious")
    make(Disk(tmp_path), "one")
    make(Disk(tmp_path), "two")
    assert Disk(tmp_path).sizes().keys() >= {"notes.txt", "else/part-charts-0.parquet", ".chart-diffusion-x"}


HOSTILE: dict[str, tuple[str, Any]] = {
    "above": ("path", "observations/../../secret"),
    "root": ("path", "/observations/x"),
    "itself": ("path", "observations/./x"),
    "reserved": ("path", "observations/a\nb"),
    "number": ("path", 7),
    "folder": ("waiting", {"folder": "..", "names": ["tracks.parquet"]}),
    "other": ("waiting", {"folder": "else", "names": ["tracks.parquet"]}),
    "unlisted": ("waiting", {"folder": f".chart-diffusion-{'0' * 16}", "names": ["../secret"]}),
    "list": ("waiting", ["tracks.parquet"]),
    "nested": ("waiting", {"folder": f".chart-diffusion-{'0' * 16}", "names": [["tracks.parquet"]]}),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_manifest_leads_nobody_out_of_its_folder(tmp_path: Path, case: str) -> None:
    make(Disk(tmp_path), "one")
    manifest = json.loads(Disk(tmp_path).read("manifest.json"))
    key, value = HOSTILE[case]
    if key == "path":
        manifest["steps"][STEP]["artifacts"][0]["path"] = value
    else:
        manifest[key] = value
    Disk(tmp_path).write("manifest.json", json.dumps(manifest).encode())
    with pytest.raises(OutputError, match=r"manifest of this tool|changed by hand"):
        RemoteFolder(Disk(tmp_path))
    manifest["steps"][STEP]["notes"] |= {"rows": dict.fromkeys(("kept_rows", "duplicate_rows", "tied_rows"), 1)}
    manifest["steps"][STEP]["notes"]["reasons"] = {}
    with pytest.raises(SourceError, match="is no manifest of a cleaned folder"):
        find_remote_star(Reading(json.dumps(manifest).encode()), Disk.address)  # type: ignore[arg-type]


class Reading:
    """An engine that reads one content at any address."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, address: str) -> bytes:
        return self._content

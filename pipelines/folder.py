"""A study's folder: artifacts that appear together or not at all, and the manifest that says how they were made."""

import io
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion import OutputError
from diffusion.files import read_table, write_whole
from pipelines.manifest import MANIFEST, digest_of, intact, read_manifest, to_json

STAGING = ".chart-diffusion-"
LIBRARIES = ("duckdb", "igraph", "matplotlib", "networkx", "numpy", "pandas", "pyarrow", "scipy")


class Folder:
    """The folder a command writes into; use it as a context: what was put appears when the block ends well.

    Every artifact belongs to a step. A step has a fingerprint of all that it depends on; `unchanged` says whether the
    folder already holds what the step would make.

    Raises
    ------
    OutputError
        When the folder cannot be written.
    """

    def __init__(self, place: str | Path) -> None:
        self.place = Path(place)
        ground = _writable_ground(self.place)
        _remove_abandoned(ground)
        self._before = read_manifest(self.place)
        self._steps: dict[str, dict[str, Any]] = {}
        self._outdated: frozenset[str] = frozenset()
        self._staging = Path(tempfile.mkdtemp(prefix=f"{STAGING}{os.getpid()}-", dir=ground))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
        except OSError as problem:
            raise OutputError(f"cannot write into '{self.place}': {problem.strerror}") from problem
        finally:
            shutil.rmtree(self._staging, ignore_errors=True)

    def unchanged(self, step: str, fingerprint: str) -> bool:
        """Return whether the folder holds the step's artifacts, whole, made from the same inputs and parameters."""
        if step in self._steps:
            return bool(self._steps[step]["fingerprint"] == fingerprint)
        before = self._before["steps"].get(step)
        if before is None or before["fingerprint"] != fingerprint:
            return False
        if before["digest"] != _digest(before) or not all(intact(self.place, a) for a in before["artifacts"]):
            return False
        self._steps[step] = before
        return True

    def begin(
        self,
        step: str,
        fingerprint: str,
        *,
        parameters: Mapping[str, Any],
        notes: Mapping[str, Any],
        outdates: Sequence[str] = (),
    ) -> None:
        """Begin a step anew; what is put afterwards with its name belongs to it.

        Steps that it `outdates` and that this run does not make again leave the folder: their numbers are others.
        """
        self._outdated |= set(outdates)
        self._steps[step] = {
            "fingerprint": fingerprint,
            "parameters": dict(parameters),
            "notes": dict(notes),
            "artifacts": [],
        }
        self._steps[step]["digest"] = _digest(self._steps[step])

    def put(self, step: str, name: str, content: bytes, *, rows: int | None = None) -> None:
        """Stage one artifact of a step; `name` is its path below the folder, with forward slashes."""
        target = self._staging / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, content)
        except (OSError, OutputError) as error:
            reason = getattr(error.__cause__ or error, "strerror", None) or error
            raise OutputError(f"cannot write {name} for '{self.place}': {reason}") from error
        facts: dict[str, Any] = {"path": name, "bytes": len(content), "sha256": digest_of(content)}
        if rows is not None:
            facts["rows"] = rows
        self._steps[step]["artifacts"].append(facts)

    def put_table(self, step: str, name: str, table: pa.Table | pd.DataFrame) -> None:
        """Stage one table as Parquet, dates as DATE."""
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        for index, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type):
                table = table.set_column(index, field.name, table.column(index).cast(pa.date32()))
        content = io.BytesIO()
        pq.write_table(table.replace_schema_metadata(None), content, compression="zstd")
        self.put(step, name, content.getvalue(), rows=table.num_rows)

    def holds(self, name: str) -> bool:
        """Return whether a step of this run has the artifact."""
        return any(artifact["path"] == name for step in self._steps.values() for artifact in step["artifacts"])

    def read(self, name: str) -> bytes:
        """Return an artifact's bytes, as staged or as it was."""
        staged = self._staging / name
        return (staged if staged.is_file() else self.place / name).read_bytes()

    def read_table(self, name: str) -> pa.Table:
        """Return an artifact that is a table."""
        return read_table(io.BytesIO(self.read(name)))

    def parameters(self, step: str) -> dict[str, Any]:
        """Return the parameters of a step."""
        parameters: dict[str, Any] = self._steps[step]["parameters"]
        return parameters

    def notes(self, step: str) -> dict[str, Any]:
        """Return the notes of a step."""
        notes: dict[str, Any] = self._steps[step]["notes"]
        return notes

    def changes(self) -> dict[str, list[str]]:
        """Return the artifacts that the run makes, leaves unchanged, and removes because they are out of date."""
        before = self._before["steps"]
        made = [
            a["path"] for name, step in self._steps.items() if step is not before.get(name) for a in step["artifacts"]
        ]
        kept = [a["path"] for name, step in self._steps.items() if step is before.get(name) for a in step["artifacts"]]
        now = {a["path"] for step in self.manifest()["steps"].values() for a in step["artifacts"]}
        gone = {a["path"] for step in before.values() for a in step["artifacts"]} - now
        return {"made": sorted(made), "unchanged": sorted(kept), "removed": sorted(gone)}

    def manifest(self) -> dict[str, Any]:
        """Return the manifest as it will be written: steps of this run, and those of earlier runs it did not touch."""
        left = {name: step for name, step in self._before["steps"].items() if name not in self._outdated}
        return {
            "tool": {"chart-diffusion": version("chart-diffusion"), "python": platform.python_version()}
            | {name: version(name) for name in LIBRARIES},
            "steps": dict(sorted((left | self._steps).items())),
        }

    def _commit(self) -> None:
        """Move everything into place: what is out of date goes first, then the manifest, then what it names.

        A run killed in between leaves a manifest that its files do not fit, which `unchanged` and the queries notice.
        """
        self._before = read_manifest(self.place)  # another run may have ended meanwhile
        named = {artifact["path"] for step in self._before["steps"].values() for artifact in step["artifacts"]}
        staged = {path.relative_to(self._staging): path for path in self._staging.rglob("*") if path.is_file()}
        for name in staged:
            self._check_target(name, foreign=name.as_posix() not in named)
        removed = self.changes()["removed"]
        self.place.mkdir(parents=True, exist_ok=True)
        for step in self._before["steps"].values():
            for artifact in step["artifacts"]:
                if artifact["path"] in removed and intact(self.place, artifact):
                    (self.place / artifact["path"]).unlink()
        write_whole(self.place / MANIFEST, to_json(self.manifest()))
        for name, path in sorted(staged.items()):
            (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(self.place / name)

    def _check_target(self, name: Path, *, foreign: bool) -> None:
        target = self.place / name
        if target.is_symlink() or not target.parent.resolve().is_relative_to(self.place.resolve()):
            raise OutputError(f"'{target}' leads out of the folder by a link; name another folder with --out")
        if target.exists() and (foreign or not target.is_file()):
            raise OutputError(f"'{target}' is there and was not made by this tool; move it, or name another --out")
        if target.parent.exists() and not target.parent.is_dir():
            raise OutputError(f"'{target.parent}' is a file where a folder must be; move it, or name another --out")


def _digest(step: Mapping[str, Any]) -> str:
    """Return a hash of what a step says of itself, so that a note changed by hand is noticed."""
    return digest_of(to_json([step["parameters"], step["notes"]]))


def _writable_ground(place: Path) -> Path:
    """Return the nearest folder that exists, at or above `place`, after checking that it can be written."""
    ground = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    if not ground.is_dir():
        raise OutputError(f"'{ground}' is a file; --out names a folder")
    # the superuser may write anywhere, but a folder marked read-only was marked so for a reason
    if not os.access(ground, os.W_OK | os.X_OK) or not ground.stat().st_mode & 0o222:
        raise OutputError(f"cannot write into '{place}': '{ground}' is read-only; name another folder with --out")
    return ground


def _remove_abandoned(ground: Path) -> None:
    """Remove the staging folders of runs that were killed."""
    for folder in ground.glob(f"{STAGING}*"):
        process = folder.name.removeprefix(STAGING).split("-")[0]
        gone = process.isdigit() and Path("/proc/self").exists() and not Path("/proc", process).exists()
        if gone and folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)

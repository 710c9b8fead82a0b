"""A folder of artifacts: all files of a run appear together or not at all, with a manifest of how they were made."""

import io
import json
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion import OutputError
from diffusion.files import digest_of_file, read_table
from pipelines.folders.manifest import (
    LOG,
    Shape,
    artifacts_of,
    check_artifacts,
    digest_of,
    digest_of_step,
    fits,
    intact,
    names_artifact,
    to_json,
)
from pipelines.folders.staging import Staging, is_full, no_space, sync, writing

LIBRARIES = ("duckdb", "igraph", "matplotlib", "networkx", "numpy", "pandas", "polars", "pyarrow", "scipy")


class Folder:
    """The folder of a command; use it in a ``with`` block: files appear when the block ends without error.

    Every artifact belongs to a step. The fingerprint of a step covers everything it depends on; `unchanged` returns
    whether the folder has the results of the step already. No other run can write into the folder until the block ends.
    A killed run leaves its staging; the next run completes a commit that had begun and removes the rest.

    Parameters
    ----------
    place
        Folder; it is made if it does not exist, and removed again if nothing is written into it.
    wait
        Whether to wait for another run in the folder (default False: another run is an error).

    Raises
    ------
    OutputError
        When the folder cannot be written, or another run is at work in it.
    """

    def __init__(self, place: str | Path, *, wait: bool = False) -> None:
        self.place = Path(place)
        self._staging = Staging(self.place, wait=wait)
        self._before = self._staging.before
        self._begun, self._clock = datetime.now(UTC), time.monotonic()
        self._steps: dict[str, dict[str, Any]] = {}
        self._outdated: frozenset[str] = frozenset()
        self._owners: dict[str, str] = {}
        self._carried: set[str] = set()
        self._whole: dict[str, bool] = {}
        self._said: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if is_full(error):
                raise no_space(self.place) from error
            if error is None:
                self._commit()
        finally:
            self._staging.close()

    def previous(self, step: str, shape: Shape = dict) -> dict[str, Any] | None:
        """Return a step's entry in the manifest before this run.

        None if there was none, it was changed by hand, or it does not have the shape.
        """
        before: dict[str, Any] | None = self._before["steps"].get(step)
        return before if before and before["digest"] == digest_of_step(before) and fits(before, shape) else None

    def whole(self, step: str, name: str) -> bool:
        """Return whether the step has the artifact from before this run, with the size and SHA-256 of the manifest."""
        before = self.previous(step) or {"artifacts": []}
        return any(artifact["path"] == name and self._intact(artifact) for artifact in before["artifacts"])

    def unchanged(self, step: str, fingerprint: str, shape: Shape = dict) -> bool:
        """Return whether the folder has all artifacts of the step, made with the same fingerprint and not changed.

        An entry in the manifest that does not have the `shape` does not count.
        """
        if step in self._steps:
            return bool(self._steps[step]["fingerprint"] == fingerprint)
        before = self.previous(step, shape)
        return before is not None and before["fingerprint"] == fingerprint and self._kept(step, before)

    def stands(self, step: str, shape: Shape = dict) -> bool:
        """Return whether the folder holds the step's artifacts, whole, and nothing that they were made from changed."""
        before = self.previous(step, shape)
        return step in self._steps or (before is not None and step not in self._outdated and self._kept(step, before))

    def fingerprint(self, step: str) -> str:
        """Return the fingerprint of a step of this run."""
        fingerprint: str = self._steps[step]["fingerprint"]
        return fingerprint

    def begin(
        self,
        step: str,
        fingerprint: str,
        *,
        parameters: Mapping[str, Any],
        notes: Mapping[str, Any],
        outdates: Sequence[str] = (),
    ) -> None:
        """Begin a step; artifacts that are put with its name belong to it.

        Steps in `outdates` that this run does not make again are removed from the folder. Notes hold facts, but no
        times, which go to `log`.
        """
        self._outdated |= set(outdates)
        self._steps[step] = {
            "fingerprint": fingerprint,
            "parameters": dict(parameters),
            "notes": dict(notes),
            "artifacts": [],
        }
        self._steps[step]["digest"] = digest_of_step(self._steps[step])

    def check_free(self, step: str, names: Iterable[str]) -> None:
        """Check that artifacts of these names belong to no other step of the folder that stays.

        Raises
        ------
        OutputError
            When one does.
        """
        owners = {
            artifact["path"]: name
            for name, before in self._before["steps"].items()
            if name not in (step, *self._outdated)
            for artifact in before["artifacts"]
        }
        for name in names:
            if name in owners:
                raise OutputError(f"'{self.place / name}' belongs to the results of {owners[name]}; name another --out")

    def stage(self, step: str, name: str) -> Path:
        """Return the path to write an artifact that is too large for memory; call `enlist` when it is written.

        `name` is its path below the folder, with forward slashes. A file that is not enlisted is removed when the block
        ends. The step need not have begun.
        """
        if not names_artifact(name):
            raise OutputError(f"'{name}' cannot be the name of an artifact in '{self.place}'")
        if self._owners.setdefault(name, step) != step:
            raise OutputError(f"'{name}' is an artifact of the step {self._owners[name]}, not also of {step}")
        return self._staging.path(name)

    def enlist(self, step: str, name: str, *, rows: int | None = None) -> None:
        """Make a staged and complete file an artifact of a step that has begun."""
        target = self.stage(step, name)
        with writing(self.place):
            sync(target)
            facts: dict[str, Any] = {"path": name, "bytes": target.stat().st_size, "sha256": digest_of_file(target)}
        self._register(step, facts, rows)

    def put(self, step: str, name: str, content: bytes, *, rows: int | None = None) -> None:
        """Stage an artifact of a step; `name` is its path below the folder, with forward slashes."""
        target = self.stage(step, name)
        with writing(self.place):
            target.write_bytes(content)
            sync(target)
        self._register(step, {"path": name, "bytes": len(content), "sha256": digest_of(content)}, rows)

    def put_table(self, step: str, name: str, table: pa.Table | pd.DataFrame) -> None:
        """Stage a table as Parquet, with timestamps as dates."""
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        for index, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type):
                table = table.set_column(index, field.name, table.column(index).cast(pa.date32()))
        content = io.BytesIO()
        pq.write_table(table.replace_schema_metadata(None), content, compression="zstd")
        self.put(step, name, content.getvalue(), rows=table.num_rows)

    def carry(self, step: str, names: Iterable[str]) -> None:
        """Keep artifacts of the step from before this run in the step that has begun.

        Raises
        ------
        OutputError
            When the step had no such artifact, or the file is not as the manifest says.
        """
        before = {artifact["path"]: artifact for artifact in (self.previous(step) or {"artifacts": []})["artifacts"]}
        for name in names:
            if not self.whole(step, name):
                raise OutputError(f"'{self.place / name}' is not what the manifest says; make the folder again")
            self._owners[name] = step
            self._carried.add(name)
            self._register(step, before[name], None)

    def log(self, command: str, **facts: Any) -> None:
        """Append a line to the log when the block ends without error: start, seconds, `command`, `facts`."""
        self._said.append({"command": command} | facts)

    def logged(self, fact: str) -> list[Any]:
        """Return a fact of the runs before this one, oldest first, from the lines of the log that have it."""
        try:
            lines = (self.place / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            with suppress(ValueError, RecursionError):
                said = json.loads(line)
                found += [said[fact]] if isinstance(said, dict) and fact in said else []
        return found

    def holds(self, name: str) -> bool:
        """Return whether a step of this run has the artifact."""
        return any(artifact["path"] == name for step in self._steps.values() for artifact in step["artifacts"])

    def read(self, name: str) -> bytes:
        """Return an artifact's bytes."""
        return self.path(name).read_bytes()

    def path(self, name: str) -> Path:
        """Return where an artifact is: the staged file, else the file in the folder."""
        staged = self._staging.path(name)
        return staged if staged.is_file() else self.place / name

    def read_table(self, name: str) -> pa.Table:
        """Return an artifact as a table."""
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
        """Return the artifacts that the run makes, leaves unchanged, and removes as outdated."""
        ours = {artifact["path"] for step in self._steps.values() for artifact in step["artifacts"]}
        made = {
            artifact["path"]
            for name, step in self._steps.items()
            if step is not self._before["steps"].get(name)
            for artifact in step["artifacts"]
        } - self._carried
        gone = {a["path"] for a in artifacts_of(self._before)} - {a["path"] for a in artifacts_of(self.manifest())}
        return {"made": sorted(made), "unchanged": sorted(ours - made), "removed": sorted(gone)}

    def made_again(self) -> list[str]:
        """Return the artifacts that the run makes because the files were not as the manifest said."""
        return [name for name in self.changes()["made"] if not self._whole.get(name, True)]

    def made_lines(self) -> list[str]:
        """Return lines for the screen on the artifacts: made, unchanged, removed."""
        changes = self.changes()
        kept = f"; {len(changes['unchanged'])} unchanged" if changes["unchanged"] else ""
        lines = [f"made      {len(changes['made'])} files in {self.place}{kept}"]
        if again := self.made_again():
            were = "was" if len(again) == 1 else "were"
            lines.append(f"again     made again: {', '.join(again)}, which {were} not as the manifest says")
        if changes["removed"]:
            gone = [name for name in changes["removed"] if not name.endswith(".svg")]
            lines.append(f"removed   {', '.join(gone)}")
        return lines

    def manifest(self) -> dict[str, Any]:
        """Return the manifest to write: steps of this run, and steps of earlier runs that are not outdated."""
        left = {name: step for name, step in self._before["steps"].items() if name not in self._outdated}
        return {
            "tool": {"chart-diffusion": version("chart-diffusion"), "python": platform.python_version()}
            | {name: version(name) for name in LIBRARIES},
            "steps": dict(sorted((left | self._steps).items())),
        }

    def _kept(self, step: str, before: dict[str, Any]) -> bool:
        """Take a step as it was before this run, where its artifacts are whole; return whether they are."""
        whole = [self._intact(artifact) for artifact in before["artifacts"]]
        if all(whole):
            self._steps[step] = before
        return all(whole)

    def _intact(self, artifact: Mapping[str, Any]) -> bool:
        """Return whether an artifact from before this run is as its manifest says; each file is read once."""
        name = artifact["path"]
        if name not in self._whole:
            self._whole[name] = intact(self.place, artifact)
        return self._whole[name]

    def _register(self, step: str, facts: Mapping[str, Any], rows: int | None) -> None:
        others = [artifact for artifact in self._steps[step]["artifacts"] if artifact["path"] != facts["path"]]
        self._steps[step]["artifacts"] = [*others, dict(facts) | ({} if rows is None else {"rows": rows})]

    def _commit(self) -> None:
        changes, manifest = self.changes(), self.manifest()
        check_artifacts(artifacts_of(manifest))
        self._staging.commit(to_json(manifest), made=changes["made"], removed=changes["removed"])
        if self._said:
            self._write_log()

    def _write_log(self) -> None:
        began = {"began": self._begun.isoformat(timespec="seconds")}
        took = {"seconds": round(time.monotonic() - self._clock, 3)}
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            with os.fdopen(os.open(self.place / LOG, flags, 0o644), "a", encoding="utf-8") as file:
                file.writelines(json.dumps(began | took | facts, default=str) + "\n" for facts in self._said)
        except OSError as error:
            raise OutputError(f"'{self.place}' is finished, but not its {LOG}: {error.strerror}") from error

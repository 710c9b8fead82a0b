"""A folder of artifacts: all files of a run appear together or not at all, with a manifest of how they were made."""

import io
import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

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
    intact,
    names_artifact,
    to_json,
)
from pipelines.folders.records import Records
from pipelines.folders.staging import Staging, is_full, no_space, sync, writing

PART: Final = "part-00000.parquet"
"""Name of the first file of a table of several files."""


class Folder(Records):
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

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place, Folder(Path(place, "out")) as folder:
    ...     folder.holds("edges.parquet")
    False
    """

    def __init__(self, place: str | Path, *, wait: bool = False) -> None:
        self.place: Path = Path(place)
        self._staging = Staging(self.place, wait=wait)
        super().__init__(self.place, self._staging.before)
        self._begun, self._clock = datetime.now(UTC), time.monotonic()
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

    def stands(self, step: str, shape: Shape = dict) -> bool:
        """Return whether the folder holds the step's artifacts, whole, and nothing that they were made from changed."""
        before = self.previous(step, shape)
        return step in self._steps or (before is not None and step not in self._outdated and self._kept(step, before))

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

    def stage_parts(self, step: str, place: str) -> Path:
        """Return the folder to write artifacts of several files into, which `place` is below this one; as `stage`."""
        return self.stage(step, f"{place}/{PART}").parent

    def stage_aside(self, step: str, place: str) -> Path:
        """Return a folder to write files into that are no artifacts."""
        return self.stage_parts(step, place)

    def here(self, file: Path | str, copy: Path) -> Path:
        """Return the path of a staged file on this machine: the file itself, and no copy."""
        return Path(file)

    def there(self, path: Path) -> Path:
        """Move a file to where the engine reads staged files, and return its path; it is no artifact."""
        return Path(shutil.move(path, self._staging.path(f"aside/{path.name}")))

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

    def made_again(self) -> list[str]:
        """Return the artifacts that the run makes because the files were not as the manifest said."""
        return [name for name in self.changes()["made"] if not self._whole.get(name, True)]

    def _intact(self, artifact: Mapping[str, Any]) -> bool:
        """Return whether an artifact from before this run is as its manifest says; each file is read once."""
        name = artifact["path"]
        if name not in self._whole:
            self._whole[name] = intact(self.place, artifact)
        return self._whole[name]

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

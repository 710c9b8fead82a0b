"""A folder of artifacts at an address: those of a run take the place of those before when the manifest is written."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from diffusion import DiffusionError, OutputError
from diffusion.contracts import Contract
from diffusion.engine import OWN, PARTS, RemoteFiles
from diffusion.sources.addresses import Waiting
from pipelines.folders.manifest import (
    MANIFEST,
    artifacts_of,
    check_artifacts,
    digest_of,
    names_artifact,
    parse_manifest,
    to_json,
)
from pipelines.folders.records import Records

OURS: Final = re.compile(rf"{re.escape(OWN)}[0-9a-f]{{16}}")
"""Names of hidden folders and files of runs."""

_UNFINISHED: Final = ("_temporary", "__magic")
"""How names of folders begin in which executors write, until their work ends."""

_PART: Final = re.compile(rf"{PARTS}-\d{{5,}}-[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b")


class RemoteFolder(Records):
    """The folder of a command at an address; use it in a ``with`` block, as `pipelines.folders.folder.Folder`.

    Tables of several files get new names in each run. Other artifacts wait in a hidden folder until the manifest is
    written, which says that they wait there; then they are copied to their places. So whoever goes by the manifest
    reads the artifacts of one run: a run that dies before leaves those of the run before, and the next run copies what
    still waits. Files that no manifest lists any more are then removed.

    No other run is kept from writing there: object stores have no locks. Times of runs are not logged.

    Parameters
    ----------
    files
        The files below the address.

    Raises
    ------
    OutputError
        When the address has a manifest that is not of this tool.
    """

    def __init__(self, files: RemoteFiles) -> None:
        self._files = files
        self.place: str = files.address
        self._sizes = files.sizes()
        super().__init__(self.place, self._read_manifest())
        self._aside = f"{OWN}{uuid4().hex[:16]}"
        self._staged: set[str] = set()
        self._places: set[str] = set()
        self._new: list[dict[str, Any]] = []
        self._decided = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._commit()
        elif not self._decided:
            with suppress(DiffusionError, RuntimeError):  # the next run removes what is left
                self._remove_own()

    def whole(self, step: str, name: str) -> bool:
        """Return False: at an address nothing of the run before is taken over in part."""
        return False

    def read(self, name: str) -> bytes:
        """Return an artifact's bytes."""
        return self._files.read(name)

    def check_free(self, step: str, names: Iterable[str]) -> None:
        """Check that artifacts of these names belong to no other step that stays, and that no file of others is there.

        Raises
        ------
        OutputError
            When one does, or a file that this tool did not write has such a name.
        """
        names = list(names)
        super().check_free(step, names)
        named = {artifact["path"] for artifact in artifacts_of(self._before)}
        tables = {name for name in self._sizes if name.startswith("observations/") and not _is_part(name)}
        self._check_not_foreign((tables | set(names)) & set(self._sizes) - named)

    def stage(self, step: str, name: str) -> str:
        """Return the address to write an artifact of one file to; call `enlist` when it is written."""
        if not names_artifact(name):
            raise OutputError(f"'{name}' cannot be the name of an artifact in '{self.place}'")
        self._staged.add(name)
        return f"{self.place}/{self._aside}/{name}"

    def stage_parts(self, step: str, place: str) -> str:
        """Return the address to write artifacts of several files to, by names that no run before used."""
        self._places.add(place)
        return f"{self.place}/{place}"

    def stage_aside(self, step: str, place: str) -> str:
        """Return an address to write files to that are no artifacts."""
        return f"{self.place}/{self._aside}/aside/{place}"

    def here(self, file: Path | str, copy: Path) -> Path:
        """Return the path of a staged file on this machine: a copy."""
        self._files.fetch(self._below(str(file)), copy)
        return copy

    def there(self, path: Path) -> str:
        """Return the address of a copy of a file of this machine, which is no artifact."""
        name = f"{self._aside}/aside/{path.name}"
        self._files.put(path, name)
        return f"{self.place}/{name}"

    def join(self, step: str, name: str, files: Sequence[Path | str], contract: Contract) -> int:
        """Write the rows of Parquet files, in order, to one that is to be an artifact, and return their number."""
        filled = [column.name for column in contract.columns if not column.nullable]
        return self._files.join(files, self._below(self.stage(step, name)), filled=filled)

    def enlist(self, step: str, name: str, *, rows: int | None = None) -> None:
        """Make a written file an artifact of a step that has begun; its size and SHA-256 are found at the end."""
        facts: dict[str, Any] = {"path": name}
        self._register(step, facts, rows)
        self._new.append(self._steps[step]["artifacts"][-1])

    def put(self, step: str, name: str, content: bytes, *, rows: int | None = None) -> None:
        """Write an artifact of a step."""
        self._files.write(self._below(self.stage(step, name)), content)
        self._register(step, {"path": name, "bytes": len(content), "sha256": digest_of(content)}, rows)

    def log(self, command: str, **facts: Any) -> None:
        """Do nothing: no line can be added to a file of an object store."""

    def _read_manifest(self) -> dict[str, Any]:
        """Return the manifest that is there; artifacts that wait since a run died are copied to their places."""
        if MANIFEST not in self._sizes:
            self._put_back()
        if MANIFEST not in self._sizes:
            return {"steps": {}}
        manifest = parse_manifest(self._files.read(MANIFEST), f"'{self.place}/{MANIFEST}'")
        try:
            waiting = Waiting.of(manifest)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OutputError(f"'{self.place}/{MANIFEST}' was changed by hand; name another folder") from error
        if gone := sorted(name for name in waiting.names if waiting.place(name) not in self._sizes):
            raise OutputError(f"'{self.place}/{waiting.place(gone[0])}' of a run that died is gone; name another --out")
        if waiting.names:
            for name in waiting.said():
                del manifest[name]
            self._settle(waiting, manifest)
            self._sizes = self._files.sizes()
        return manifest

    def _put_back(self) -> None:
        """Put a manifest in its place that a run had written beside it when it died."""
        for name in sorted(name for name in self._sizes if OURS.fullmatch(name)):
            with suppress(OutputError):
                parse_manifest(self._files.read(name), f"'{self.place}/{name}'")
                self._files.copy(name, MANIFEST)
                self._sizes[MANIFEST] = self._sizes[name]

    def _settle(self, waiting: Waiting, manifest: Mapping[str, Any]) -> None:
        """Copy what waits to its place, and write the manifest without it."""
        for name in sorted(waiting.names):
            self._files.copy(waiting.place(name), name)
        self._files.write(MANIFEST, to_json(manifest))

    def _commit(self) -> None:
        manifest = self.manifest()
        if self.changes()["made"]:
            self._complete()
            check_artifacts(artifacts_of(manifest))
            listed = {artifact["path"] for artifact in artifacts_of(manifest)}
            before = {artifact["path"] for artifact in artifacts_of(self._before)}
            waiting = Waiting(self._aside, frozenset(self._staged & listed))
            self._check_not_foreign(waiting.names & set(self._sizes) - before)
            self._decided = True
            self._files.write(MANIFEST, to_json(manifest | waiting.said()))
            self._settle(waiting, manifest)
        self._remove_left(manifest)

    def _complete(self) -> None:
        """Give the artifacts of this run their sizes and digests."""
        places = {one["path"]: Waiting(self._aside, frozenset(self._staged)).place(one["path"]) for one in self._new}
        sizes = self._files.sizes()
        for name, place in places.items():
            if place not in sizes:
                raise OutputError(f"'{self.place}/{name}' is gone: does another run write there?")
        digests = self._files.digests({place: sizes[place] for place in places.values()})
        for artifact in self._new:
            place = places[artifact["path"]]
            artifact.update(bytes=sizes[place], sha256=digests[place])

    def _remove_left(self, manifest: Mapping[str, Any]) -> None:
        """Remove artifacts of runs before, and what dead runs left, that a manifest does not list."""
        listed = {artifact["path"] for artifact in artifacts_of(manifest)}
        before = {artifact["path"] for artifact in artifacts_of(self._before)}
        sizes = self._files.sizes()
        parts = {name for name in sizes if name.startswith("observations/") and _is_part(name)}
        hidden = {first for name in sizes if OURS.fullmatch(first := name.partition("/")[0])}
        self._files.remove(sorted(hidden | ((parts | before) & set(sizes) - listed)))

    def _remove_own(self) -> None:
        """Remove what this run has written, and nothing else: another run may be at work."""
        parts = {name for place in self._places for name in self._files.sizes(place) if _is_part(name)}
        self._files.remove(sorted({self._aside} | (parts - set(self._sizes))))

    def _check_not_foreign(self, names: Collection[str]) -> None:
        if names:
            raise OutputError(
                f"'{self.place}/{min(names)}' is there, and no manifest lists it; move it, or name another --out"
            )

    def _intact(self, artifact: Mapping[str, Any]) -> bool:
        """Return whether an artifact from before this run has the size of the manifest; it is not read."""
        return bool(self._sizes.get(artifact["path"]) == artifact["bytes"])

    def _below(self, address: str) -> str:
        return address[len(self.place) + 1 :]


def _is_part(name: str) -> bool:
    """Return whether a file is called as executors call what they write at an address for this tool."""
    *folders, file = name.split("/")
    return any(folder.startswith(_UNFINISHED) for folder in folders) or _PART.match(file) is not None

"""Verification of a folder against its manifest: changed, missing and extra files."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from diffusion import OutputError, SettingError
from diffusion.files import digest_of_file
from pipelines.folders.lock import reading
from pipelines.folders.manifest import (
    LOG,
    MANIFEST,
    artifacts_of,
    digest_of_step,
    leads_out,
    read_manifest,
)
from pipelines.progress import Report


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that differs from the manifest.

    Attributes
    ----------
    path
        Path below the folder, with forward slashes.
    what
        Difference in words.
    """

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """A folder compared with its manifest.

    Attributes
    ----------
    files
        Number of artifacts in the manifest.
    bytes
        Size of the artifacts, by the manifest.
    rows
        Rows of the tables, by the manifest.
    changed, missing
        Artifacts that differ, and artifacts that are not there.
    extra
        Files and links that are not artifacts, without the manifest and the log.
    """

    files: int
    bytes: int
    rows: int
    changed: tuple[Difference, ...]
    missing: tuple[Difference, ...]
    extra: tuple[Difference, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing differs."""
        return not (self.changed or self.missing or self.extra)

    def lines(self) -> list[str]:
        """Return the findings as text: one line per difference, and a summary line at the end."""
        found = {"changed": self.changed, "missing": self.missing, "extra": self.extra}
        lines = [f"{kind:<9} {one.path}: {one.what}" for kind, differences in found.items() for one in differences]
        counts = ", ".join(f"{len(differences):,} {kind}" for kind, differences in found.items())
        return [
            *lines,
            f"{'whole' if self.whole else 'differs':<9} {self.files:,} files, {self.bytes:,} bytes, {self.rows:,} rows"
            + ("" if self.whole else f": {counts}"),
        ]


def verify(place: str | Path, *, tell: Report | None = None) -> Verification:
    """Return how a folder differs from its manifest; all files are read in full, and no link is followed.

    Parameters
    ----------
    tell
        Function that is told each file before it is read (default: none).

    Raises
    ------
    SettingError
        When the folder or its manifest does not exist.
    OutputError
        When the manifest is not of this tool or was changed by hand, or a run is at work in the folder.
    """
    with checked_manifest(Path(place)) as manifest:
        return compare(Path(place), manifest, tell=tell)


@contextmanager
def checked_manifest(place: Path) -> Iterator[dict[str, Any]]:
    """Lock a folder for reading; yield the manifest after a check of the digest of every step.

    Raises
    ------
    SettingError, OutputError
        As in `verify`.
    """
    if not place.is_dir():
        raise SettingError(f"no folder '{place}'; name one that holds a {MANIFEST}")
    with reading(place):
        path = place / MANIFEST
        if path.is_symlink():
            raise OutputError(f"'{path}' is a link; replace it by the file itself")
        if not path.is_file():
            raise SettingError(f"no {MANIFEST} in '{place}'; name a folder that this tool made")
        manifest = read_manifest(place)
        check_digests(manifest, f"'{path}'")
        yield manifest


def check_digests(manifest: Mapping[str, Any], where: str) -> None:
    """Check the digest of every step of a manifest.

    Raises
    ------
    OutputError
        When a step was changed by hand.
    """
    for name, step in manifest["steps"].items():
        if step["digest"] != digest_of_step(step):
            raise OutputError(f"{where} was changed by hand: the step {name} does not fit its digest; make it again")


def compare(place: Path, manifest: Mapping[str, Any], *, tell: Report | None = None) -> Verification:
    """Return how a folder differs from a manifest; see `verify`."""
    changed, missing = [], []
    artifacts = artifacts_of(manifest)
    for artifact in artifacts:
        path = artifact["path"]
        if not os.path.lexists(place / path):
            missing.append(Difference(path, "is not there"))
            continue
        if tell:
            tell(f"reading {path}")
        what = _change(place, artifact)
        if what:
            changed.append(Difference(path, what))
    names = {artifact["path"] for artifact in artifacts} | {MANIFEST, LOG}
    extra = sorted(
        (Difference(name, what) for name, what in _below(place) if name not in names), key=lambda one: one.path
    )
    return Verification(
        files=len(artifacts),
        bytes=sum(artifact["bytes"] for artifact in artifacts),
        rows=sum(artifact.get("rows") or 0 for artifact in artifacts),
        changed=tuple(changed),
        missing=tuple(missing),
        extra=tuple(extra),
    )


def _change(place: Path, artifact: Mapping[str, Any]) -> str:
    """Return how a file differs from the manifest, in words; empty if it does not."""
    path = place / artifact["path"]
    if leads_out(place, path):
        return "is a link, or lies beyond one"
    if not path.is_file():
        return "is not a file"
    size = path.stat().st_size
    if size != artifact["bytes"]:
        return f"has {size:,} bytes, the manifest says {artifact['bytes']:,}"
    try:
        if digest_of_file(path) != artifact["sha256"]:
            return f"other content in the same {size:,} bytes"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    rows = _rows(path)
    if None not in (rows, artifact.get("rows")) and rows != artifact["rows"]:
        return f"has {rows:,} rows, the manifest says {artifact['rows']:,}"
    return ""


def _rows(path: Path) -> int | None:
    """Return the number of rows of a Parquet file, None for other files."""
    if path.suffix != ".parquet":
        return None
    try:
        with pq.ParquetFile(path) as file:
            rows: int = file.metadata.num_rows
        return rows
    except (pa.ArrowException, OSError):
        return None


def _below(place: Path) -> Iterator[tuple[str, str]]:
    """Yield name and kind of all files and links below a folder; links to folders are not followed."""

    def fail(error: OSError) -> None:
        raise OutputError(f"cannot read '{error.filename}': {error.strerror}; make it readable first") from error

    for folder, folders, files in os.walk(place, onerror=fail):
        for name in [*files, *(name for name in folders if Path(folder, name).is_symlink())]:
            path = Path(folder, name)
            # names that are not text in this locale are shown with escapes
            shown = os.fsencode(path.relative_to(place).as_posix()).decode("utf-8", "backslashreplace")
            yield shown, "a link" if path.is_symlink() else "no artifact"

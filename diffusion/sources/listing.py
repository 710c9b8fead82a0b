"""Which files are charts: those at a path, below a folder or matched by a glob, and those that are passed over."""

import glob
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from diffusion.errors import NoChartError, SourceError

FileKind = Literal["csv", "parquet"]

_SUFFIXES: Mapping[str, FileKind] = {".csv": "csv", ".csv.gz": "csv", ".csv.zst": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file that may hold charts.

    Attributes
    ----------
    path
        File on disk.
    kind
        What its name says it is.
    named
        Whether the caller gave its name. A file that was found in a folder or by a glob is passed over if it turns out
        to be no chart.
    member
        Name within the archive at `path`; empty if `path` is no archive.
    """

    path: Path
    kind: FileKind
    named: bool = True
    member: str = ""

    @property
    def place(self) -> Path:
        """Path for rows and messages: of a member of an archive, the archive's with the member's name below it."""
        return self.path / self.member if self.member else self.path


@dataclass(frozen=True, slots=True)
class Listing:
    """The files at a path.

    Attributes
    ----------
    files
        Files that may hold charts, in order of `place`.
    passed_over
        Other file or folder → why it is not read.
    """

    files: tuple[ListedFile, ...]
    passed_over: Mapping[Path, str]


def list_files(path: str | Path) -> Listing:
    """Return the files that may hold charts at a file, folder or glob.

    A folder is searched with its subfolders; hidden files and folders, and folders of results (with a
    ``manifest.json``), are passed over.

    Raises
    ------
    NoChartError
        When a file given by its name is empty or of another kind.
    SourceError
        When no file is found, or a name is not UTF-8.
    """
    place = Path(path)
    passed_over: dict[Path, str] = {}
    if place.is_file():
        found = [place]
    elif place.is_dir():
        found = list(_below(place, passed_over))
    else:
        found = [file for file in map(Path, glob.glob(str(path), recursive=True)) if file.is_file()]
    files = []
    for file in sorted(found):
        if not str(file).isprintable() and "\udc80" <= max(str(file)) <= "\udcff":
            raise SourceError(f"the name of the file {str(file)!a} is not UTF-8; rename it")
        kind = _kind(file)
        problem = _problem(file, kind)
        if problem and place.is_file():
            raise NoChartError(f"'{file}' {problem}")
        if problem:
            passed_over[file] = problem
        elif kind:
            files.append(ListedFile(file, kind, named=place.is_file()))
    if not files:
        raise SourceError(_nothing_at(path, place, passed_over))
    return Listing(tuple(files), passed_over)


def _below(folder: Path, passed_over: dict[Path, str]) -> Iterator[Path]:
    """Yield the files below a folder; what is hidden or a folder of results is added to `passed_over`."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        if here != folder and "manifest.json" in files:
            passed_over[here] = "is a folder of results (it has a manifest.json)"
            folders.clear()
            continue
        hidden = [name for name in (*folders, *files) if name.startswith((".", "_"))]
        passed_over |= {here / name: "is hidden" for name in hidden}
        folders[:] = [name for name in folders if name not in hidden]
        yield from (here / name for name in files if name not in hidden and (here / name).is_file())


def _kind(file: Path) -> FileKind | None:
    name = file.name.lower()
    return next((kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)), None)


def _problem(file: Path, kind: FileKind | None) -> str | None:
    """Return why a file cannot hold charts, judged by its name and size."""
    if kind is None:
        return f"is not a chart file; charts are read from {', '.join(_SUFFIXES)} files"
    return None if file.stat().st_size else "is empty (0 bytes)"


def _nothing_at(path: str | Path, place: Path, passed_over: Mapping[Path, str]) -> str:
    if not place.is_dir() and not passed_over:
        return f"no file, folder or glob match at '{path}'"
    where = f"in the folder '{path}'" if place.is_dir() else f"among the matches of '{path}'"
    seen = next((f"; '{file}' {reason}" for file, reason in passed_over.items()), "")
    return f"no charts {where}; charts are read from {', '.join(_SUFFIXES)} files{seen}"

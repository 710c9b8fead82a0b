"""Which files are charts: those at a path, below a folder or matched by a glob, and those that are passed over."""

import glob
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from diffusion.errors import NoChartError, SourceError
from diffusion.sources.archives import members

FileKind = Literal["csv", "json", "excel", "parquet", "table"]

_TEXT: Final[Mapping[str, FileKind]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}

_COMPRESSED: Final = (".gz", ".zst")

_SUFFIXES: Final[Mapping[str, FileKind]] = {
    **_TEXT,
    **{suffix + packed: kind for suffix, kind in _TEXT.items() for packed in _COMPRESSED},
    ".xlsx": "excel",
    ".parquet": "parquet",
}

_ARCHIVE: Final = ".zip"

_READ: Final = f"charts are read from {', '.join(_TEXT)} (also with .gz or .zst), .xlsx, .parquet and .zip files"


LOOKED_THROUGH: Final = 250_000
"""Files and folders that are looked through for charts, at most."""

_NO_DISK: Final = frozenset(map(Path, ("/proc", "/sys", "/dev")))
"""Folders in which the system shows itself."""


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
        """Path for rows and messages: a member of an archive is below the archive, wherever its name points."""
        parts = PurePosixPath(self.member.replace("\\", "/").replace(":", "_")).parts
        return self.path.joinpath(*(part for part in parts if part not in ("/", "..")))


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
        found = [file for file in _matching(place) if file.is_file()]
    files: dict[Path, ListedFile] = {}
    for file in sorted(found):
        if not str(file).isprintable() and "\udc80" <= max(str(file)) <= "\udcff":
            raise SourceError(f"the name of the file {str(file)!a} is not UTF-8; rename it")
        problem = _problem(file)
        if problem and place.is_file():
            raise NoChartError(f"'{file}' {problem}")
        if problem:
            passed_over[file] = problem
        elif file.name.lower().endswith(_ARCHIVE):
            files |= _within(file, passed_over)
        else:
            files[file] = ListedFile(file, _SUFFIXES[_suffix(file.name)], named=place.is_file())
    if not files:
        raise SourceError(_nothing_at(path, place, passed_over))
    return Listing(tuple(files[place] for place in sorted(files)), passed_over)


def _matching(pattern: Path) -> Iterator[Path]:
    """Yield the files that a glob matches; ``**`` stands for any folders that are not hidden, also for none."""
    parts = pattern.parts
    if "**" not in parts:
        yield from map(Path, glob.glob(str(pattern)))
        return
    fixed = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    top = Path(*parts[:fixed])
    for here, _, files in _walk(top):
        for name in files:
            if _fits((*here.relative_to(top).parts, name), parts[fixed:]):
                yield here / name


def _fits(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    """Return whether the names of folders and of a file fit the parts of a glob."""
    if not patterns or not names:
        return not names and all(part == "**" for part in patterns)
    shown = not names[0].startswith(".") or patterns[0].startswith(".")
    if patterns[0] == "**":
        return _fits(names, patterns[1:]) or (shown and _fits(names[1:], patterns))
    return shown and fnmatch(names[0], patterns[0]) and _fits(names[1:], patterns[1:])


def _walk(top: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield each folder, with its folders and files, as `os.walk` does, except what is no disk.

    Raises
    ------
    SourceError
        When there are more than `LOOKED_THROUGH` files and folders.
    """
    seen = 0
    for place, folders, files in os.walk(top):
        seen += len(folders) + len(files)
        if seen > LOOKED_THROUGH:
            raise SourceError(
                f"looked through {LOOKED_THROUGH:,} files and folders below '{top}', and there are more; "
                "name a folder nearer to the charts"
            )
        folders[:] = [name for name in folders if Path(place, name).absolute() not in _NO_DISK]
        yield Path(place), folders, files


def _below(folder: Path, passed_over: dict[Path, str]) -> Iterator[Path]:
    """Yield the files below a folder; what is hidden or a folder of results is added to `passed_over`."""
    for here, folders, files in _walk(folder):
        if here != folder and "manifest.json" in files:
            passed_over[here] = "is a folder of results (it has a manifest.json)"
            folders.clear()
            continue
        hidden = [name for name in (*folders, *files) if name.startswith((".", "_"))]
        passed_over |= {here / name: "is hidden" for name in hidden}
        folders[:] = [name for name in folders if name not in hidden]
        yield from (here / name for name in files if name not in hidden and (here / name).is_file())


def _within(archive: Path, passed_over: dict[Path, str]) -> dict[Path, ListedFile]:
    """Return place → member of an archive; members that are no charts are added to `passed_over`."""
    found: dict[Path, ListedFile] = {}
    for name in members(archive):
        suffix = _suffix(name)
        file = ListedFile(archive, _SUFFIXES.get(suffix, "csv"), named=False, member=name)
        if any(part.startswith((".", "_")) for part in file.place.relative_to(archive).parts):
            passed_over[file.place] = "is hidden"
        elif not suffix:
            passed_over[file.place] = "is not a chart file"
        elif suffix in (_ARCHIVE, ".parquet"):
            passed_over[file.place] = f"is a {suffix} file in an archive, which is not read; unpack it"
        elif file.place in found:
            passed_over[archive / f"{file.place.name} (again)"] = "has the name of another member"
        else:
            found[file.place] = file
    return found


def _suffix(name: str) -> str:
    """Return the end of a file's name that says what it is; empty if none does."""
    return next((suffix for suffix in (*_SUFFIXES, _ARCHIVE) if name.lower().endswith(suffix)), "")


def _problem(file: Path) -> str | None:
    """Return why a file cannot hold charts, judged by its name and size."""
    if file.suffix.lower() == ".toml":
        return "is a study file and not charts; run it: chart-diffusion run STUDY.toml"
    if not _suffix(file.name):
        return f"is not a chart file; {_READ}"
    return None if file.stat().st_size else "is empty (0 bytes)"


def _nothing_at(path: str | Path, place: Path, passed_over: Mapping[Path, str]) -> str:
    if not place.is_dir() and not passed_over:
        return f"no file, folder or glob match at '{path}'"
    where = f"in the folder '{path}'" if place.is_dir() else f"among the matches of '{path}'"
    seen = next((f"; '{file}' {reason}" for file, reason in passed_over.items()), "")
    return f"no charts {where}; {_READ}{seen}"

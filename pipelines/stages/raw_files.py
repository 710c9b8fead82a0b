"""The files of RAW, on this machine or at an address."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from diffusion import SourceError
from diffusion.engine import RemoteFiles
from diffusion.files import digest_of_file
from diffusion.sources.chart_files import open_chart_file
from diffusion.sources.listing import ListedFile
from pipelines.folders.manifest import MANIFEST, parse_manifest, read_manifest
from pipelines.progress import Report, quiet

PARQUET: Final = ".parquet"


class RawFiles(Protocol):
    """The files of a folder; names are paths below it, with forward slashes."""

    @property
    def place(self) -> Path | str:
        """The folder, or its address."""

    def has_folder(self, name: str) -> bool:
        """Return whether there is a folder of this name; that of the name ``""`` is the folder itself."""

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; one without steps if there is none.

        Raises
        ------
        OutputError
            When it is not a manifest of this tool, or names a file outside its folder.
        """

    def sizes(self, below: str) -> dict[str, int]:
        """Return name → bytes of the Parquet files in a folder, at any depth."""

    def columns(self, name: str) -> Sequence[str]:
        """Return the names of the columns of a Parquet file.

        Raises
        ------
        SourceError
            When it is not Parquet.
        """

    def digests(self, sizes: Mapping[str, int], tell: Report = quiet) -> dict[str, str]:
        """Return name → SHA-256 of files, given with their sizes."""

    def paths(self, names: Sequence[str]) -> list[Path] | list[str]:
        """Return the paths or addresses of files."""

    def here(self, name: str, copy: Path) -> Path:
        """Return the path of a file on this machine; one that is elsewhere is copied to `copy`."""

    def spoiled(self, name: str) -> SourceError:
        """Return the error that a file is not as the manifest says."""


class LocalRaw:
    """The files of a folder of this machine; implements `RawFiles`."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def has_folder(self, name: str) -> bool:
        """Return whether there is a folder of this name."""
        return (self.place / name).is_dir()

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; one without steps if there is none."""
        return read_manifest(self.place)

    def sizes(self, below: str) -> dict[str, int]:
        """Return name → bytes of the Parquet files in a folder, at any depth."""
        files = (file for file in (self.place / below).rglob(f"*{PARQUET}") if file.is_file())
        return {file.relative_to(self.place).as_posix(): file.stat().st_size for file in files}

    def columns(self, name: str) -> Sequence[str]:
        """Return the names of the columns of a Parquet file."""
        return open_chart_file(ListedFile(self.place / name, "parquet")).names

    def digests(self, sizes: Mapping[str, int], tell: Report = quiet) -> dict[str, str]:
        """Return name → SHA-256 of files."""
        found = {}
        for name in sizes:
            tell(f"checking {name}")
            found[name] = digest_of_file(self.place / name)
        return found

    def paths(self, names: Sequence[str]) -> list[Path]:
        """Return the paths of files."""
        return [self.place / name for name in names]

    def here(self, name: str, copy: Path) -> Path:
        """Return the path of a file."""
        return self.place / name

    def spoiled(self, name: str) -> SourceError:
        """Return the error that a file is not as the manifest says."""
        return _spoiled(self.place / name)


class RemoteRaw:
    """The files of a folder at an address; implements `RawFiles`."""

    def __init__(self, files: RemoteFiles) -> None:
        self._files, self._sizes = files, files.sizes()
        self.place = files.address

    def has_folder(self, name: str) -> bool:
        """Return whether there is a file in a folder of this name."""
        return any(one.startswith(f"{name}/" if name else "") for one in self._sizes)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; one without steps if there is none."""
        if MANIFEST not in self._sizes:
            return {"steps": {}}
        return parse_manifest(self._files.read(MANIFEST), f"'{self.place}/{MANIFEST}'")

    def sizes(self, below: str) -> dict[str, int]:
        """Return name → bytes of the Parquet files in a folder, at any depth."""
        start = f"{below}/" if below else ""
        return {name: size for name, size in self._sizes.items() if name.startswith(start) and name.endswith(PARQUET)}

    def columns(self, name: str) -> Sequence[str]:
        """Return the names of the columns of a Parquet file."""
        names: list[str] = self._files.schema(name).names
        return names

    def digests(self, sizes: Mapping[str, int], tell: Report = quiet) -> dict[str, str]:
        """Return name → SHA-256 of files."""
        tell("checking the files of RAW")
        return self._files.digests(sizes)

    def paths(self, names: Sequence[str]) -> list[str]:
        """Return the addresses of files."""
        return [f"{self.place}/{name}" for name in names]

    def here(self, name: str, copy: Path) -> Path:
        """Return the path of a copy of a file."""
        self._files.fetch(name, copy)
        return copy

    def spoiled(self, name: str) -> SourceError:
        """Return the error that a file is not as the manifest says."""
        return _spoiled(f"{self.place}/{name}")


def _spoiled(file: Path | str) -> SourceError:
    return SourceError(f"'{file}' is not as the manifest of RAW says; ingest all files again, without --append")

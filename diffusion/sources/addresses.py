"""A cleaned folder at an address, such as ``s3a://bucket/clean``, which Spark reads as its manifest says."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeGuard

from diffusion.engine import Engine
from diffusion.errors import SettingError, SourceError
from diffusion.sources.source import Source

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_NO_PORT: Final = re.compile(r":(?![0-9]*$)[^:\]]*$")
_MANIFEST: Final = "manifest.json"
_HIDDEN: Final = re.compile(r"[.]chart-diffusion-[0-9a-f]{16}")

WAITING: Final = "waiting"
"""Key of a manifest under which it says which tables wait."""


def is_address(path: object) -> TypeGuard[str]:
    """Return whether a path is an address with a scheme, such as ``s3a://``, ``hdfs://`` or ``file://``.

    Raises
    ------
    SettingError
        When the address holds credentials: it would stand in logs and errors.

    Examples
    --------
    >>> [is_address(path) for path in ("s3a://bucket/clean", "clean", "C:/clean")]
    [True, False, False]
    """
    if not isinstance(path, str) or _ADDRESS.match(path) is None:
        return False
    user, sign, host = path.partition("://")[2].partition("/")[0].rpartition("@")
    if (sign and ":" in user) or _NO_PORT.search(host):  # a secret that has a / ends what looks like a host
        raise SettingError(
            "the address holds credentials, which would stand in logs; leave them out, and give them to the machines "
            "of Spark, or in the environment"
        )
    return True


@dataclass(frozen=True, slots=True)
class RemoteStar:
    """A star at an address, as its manifest lists it.

    Attributes
    ----------
    address
        The folder's address.
    observations
        Addresses of the files of observations.
    tracks, availability
        Addresses of these tables.
    kept, duplicates, tied
        Numbers of source rows.
    set_aside
        Reason → number of rows in quarantine.
    facts
        Path, size and SHA-256 of every file that the charts are read from.
    """

    address: str
    observations: Sequence[str]
    tracks: str
    availability: str
    kept: int
    duplicates: int
    tied: int
    set_aside: Mapping[str, int]
    facts: Sequence[dict[str, Any]]

    @property
    def source(self) -> Source:
        """The source of these charts, without files on this machine."""
        return Source((), Path(self.address), {}, ())

    def check(self, rows: int) -> None:
        """Check that there are as many observations as the manifest says.

        Raises
        ------
        SourceError
            When there are more or fewer.
        """
        if rows != self.kept:
            raise SourceError(
                f"'{self.address}' has {rows:,} observations, its manifest says {self.kept:,}; copy the folder again"
            )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tables of a cleaned folder at an address that wait in a hidden folder until they are copied to their places.

    The manifest lists them while a run ends, so that it alone says which tables belong together.

    Attributes
    ----------
    folder
        Name of the hidden folder; empty where nothing waits.
    names
        Names of the files in it, by which they are listed as artifacts.
    """

    folder: str = ""
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """Return what waits as a manifest says.

        Raises
        ------
        ValueError, KeyError, TypeError, AttributeError
            When it says that in another way.
        """
        if WAITING not in manifest:
            return cls()
        said = manifest[WAITING]
        folder, names = said["folder"], frozenset(said["names"])
        listed = {one["path"] for step in manifest["steps"].values() for one in step["artifacts"]}
        if not _HIDDEN.fullmatch(folder) or not names <= listed:
            raise ValueError
        return cls(folder, names)

    def said(self) -> dict[str, Any]:
        """Return what stands in the manifest."""
        return {WAITING: {"folder": self.folder, "names": sorted(self.names)}}

    def place(self, name: str) -> str:
        """Return where a file of the folder is."""
        return f"{self.folder}/{name}" if name in self.names else name


def _is_below(name: str) -> bool:
    """Return whether a name is a normal path below a folder."""
    normal = not any(part in ("", ".", "..") for part in name.split("/"))
    return normal and not re.search(r"[\\\x00-\x1f\x7f\ud800-\udfff]", name)


def find_remote_star(engine: Engine, address: str) -> RemoteStar:
    """Return the star at an address; the content of its files is not compared with the manifest's digests.

    Raises
    ------
    SourceError
        When there is no manifest of a cleaned folder.
    SettingError
        When the engine reads files of this machine alone.
    """
    place = address.rstrip("/")
    content = engine.read(f"{place}/{_MANIFEST}")
    try:
        manifest = json.loads(content)
        step = manifest["steps"]["clean"]
        facts = [{name: one[name] for name in ("path", "bytes", "sha256")} for one in step["artifacts"]]
        waiting = Waiting.of(manifest)
        rows, reasons = step["notes"]["rows"], dict(step["notes"]["reasons"])
        kept, duplicates, tied = (int(rows[name]) for name in ("kept_rows", "duplicate_rows", "tied_rows"))
        if not all(_is_below(one["path"]) for one in facts):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(
            f"'{place}/{_MANIFEST}' is no manifest of a cleaned folder; clean the charts again"
        ) from error
    tables = [f"{name}.parquet" for name in ("tracks", "availability")]
    used = [one for one in facts if one["path"] in tables or str(one["path"]).startswith("observations/")]
    files = [f"{place}/{one['path']}" for one in used if one["path"] not in tables]
    if not files:
        raise SourceError(f"'{place}' has no observations")
    tracks, availability = (f"{place}/{waiting.place(name)}" for name in tables)
    return RemoteStar(place, files, tracks, availability, kept, duplicates, tied, reasons, used)

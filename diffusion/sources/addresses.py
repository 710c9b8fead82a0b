"""A cleaned folder at an address, such as ``s3a://bucket/clean``, which Spark reads as its manifest says."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard

from diffusion.engine import Engine
from diffusion.errors import SettingError, SourceError
from diffusion.sources.source import Source

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_MANIFEST: Final = "manifest.json"


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
    user, sign, _ = path.partition("://")[2].partition("/")[0].rpartition("@")
    if sign and ":" in user:
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
        step = json.loads(content)["steps"]["clean"]
        facts = [{name: one[name] for name in ("path", "bytes", "sha256")} for one in step["artifacts"]]
        rows, reasons = step["notes"]["rows"], dict(step["notes"]["reasons"])
        kept, duplicates, tied = (int(rows[name]) for name in ("kept_rows", "duplicate_rows", "tied_rows"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(
            f"'{place}/{_MANIFEST}' is no manifest of a cleaned folder; clean the charts again"
        ) from error
    tables = [f"{name}.parquet" for name in ("tracks", "availability")]
    used = [one for one in facts if one["path"] in tables or str(one["path"]).startswith("observations/")]
    files = [f"{place}/{one['path']}" for one in used if one["path"] not in tables]
    if not files:
        raise SourceError(f"'{place}' has no observations")
    tracks, availability = (f"{place}/{name}" for name in tables)
    return RemoteStar(place, files, tracks, availability, kept, duplicates, tied, reasons, used)

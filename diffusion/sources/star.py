"""The star: a folder of cleaned charts, written by ``chart-diffusion clean`` or the simulator."""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from diffusion.contracts.star import OBSERVATIONS, TRACKS
from diffusion.errors import SourceError
from diffusion.files import digest_of_file
from diffusion.sources.chart_files import open_chart_file
from diffusion.sources.layouts import SOURCE_COLUMNS, Layout, Recognised
from diffusion.sources.listing import ListedFile
from diffusion.sources.source import ChartFile, Source

LAYOUT: Final = Layout("cleaned", ())
"""Layout of a star."""

_MANIFEST: Final = "manifest.json"
_STEP: Final = "clean"
_ACCOUNTING: Final = "row_accounting.csv"
_QUARANTINE: Final = "quarantine.parquet"


@dataclass(frozen=True, slots=True)
class Star:
    """The files of a star, and the numbers of source rows that it does not hold.

    Attributes
    ----------
    place
        The folder.
    source
        Files of the observations.
    tracks
        File of the tracks.
    availability
        File of the lists of licences; None if there is none.
    duplicates
        Number of source rows that repeat a kept row.
    set_aside
        Reason → number of rows in quarantine.
    tied
        Number of rows, among the observations, of tracks that are tied on a rank.
    """

    place: Path
    source: Source
    tracks: Path
    availability: Path | None
    duplicates: int
    set_aside: Mapping[str, int]
    tied: int

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that the charts are read from."""
        return (*self.source.paths, self.tracks, *([self.availability] if self.availability else ()))


def find_star(path: str | Path) -> Star | None:
    """Return the star at `path`; None if `path` is not a folder with ``observations/`` and ``tracks.parquet``.

    Every file that is read is compared with the folder's manifest, if ``clean`` wrote one.

    Raises
    ------
    SourceError
        When a file is not as the manifest says, the star has no observations, or a table lacks a column or cannot be
        read.
    """
    place = Path(path)
    tracks = place / "tracks.parquet"
    if not (place / "observations").is_dir():
        return None
    manifest = place / _MANIFEST
    if manifest.is_file():
        _compare(place, _listed(manifest))
    if not tracks.is_file():
        return None
    files = tuple(sorted((place / "observations").glob("year=*/*.parquet")))
    if not files:
        raise SourceError(f"no observations in '{place}': there is no observations/year=*/*.parquet; clean it again")
    _check(files[0], OBSERVATIONS.schema)
    _check(tracks, TRACKS.schema)
    recognised = Recognised(LAYOUT, dict.fromkeys(SOURCE_COLUMNS))
    listed = [ListedFile(file, "parquet") for file in files]
    charts = [
        ChartFile(one, one.path.relative_to(place).as_posix(), open_chart_file(one), recognised, {}) for one in listed
    ]
    source = Source(tuple(charts), place, {}, ())
    availability = place / "availability.parquet"
    counts = _counts(place)
    return Star(
        place,
        source,
        tracks,
        availability if availability.is_file() else None,
        counts.get("duplicate_rows", 0),
        _set_aside(place),
        counts.get("tied_rows", 0),
    )


def _listed(manifest: Path) -> dict[str, tuple[int, str]]:
    """Return path below the folder → size and SHA-256, for the files of the star that the manifest lists."""
    try:
        step = json.loads(manifest.read_bytes())["steps"].get(_STEP, {"artifacts": []})
        files = {str(one["path"]): (int(one["bytes"]), str(one["sha256"])) for one in step["artifacts"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f"'{manifest}' is not a manifest of this tool; clean the charts again") from error
    tables = ("tracks.parquet", "availability.parquet", _ACCOUNTING, _QUARANTINE)
    return {name: facts for name, facts in files.items() if name in tables or name.startswith("observations/")}


def _compare(place: Path, listed: Mapping[str, tuple[int, str]]) -> None:
    """Check that the files of a star are those that the manifest lists, with their sizes and SHA-256."""
    below = {path.relative_to(place).as_posix() for path in (place / "observations").glob("year=*/*.parquet")}
    for name in sorted(below - set(listed)) if listed else ():
        raise SourceError(f"'{place / name}' is not in the manifest of the folder; clean the charts again")
    for name, (size, digest) in listed.items():
        path = place / name
        try:
            whole = path.stat().st_size == size and digest_of_file(path) == digest
        except OSError as error:
            raise SourceError(f"cannot read '{path}': {error.strerror}; clean the charts again") from error
        if not whole:
            raise SourceError(f"'{path}' is not as the manifest of the folder says; clean the charts again")


def _check(file: Path, schema: pa.Schema) -> None:
    try:
        there = pq.read_schema(file)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"cannot read '{file}' as parquet: {str(error).splitlines()[0]}") from error
    lacking = [field.name for field in schema if field.name not in there.names]
    if lacking:
        raise SourceError(f"'{file}' lacks the column {lacking[0]} of a cleaned folder; clean it again")


def _counts(place: Path) -> dict[str, int]:
    """Return what is counted → its number, as the accounting says; empty if there is none."""
    accounting = place / _ACCOUNTING
    if not accounting.is_file():
        return {}
    try:
        with accounting.open(encoding="utf-8", newline="") as file:
            return {row["metric"]: int(row["value"]) for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise SourceError(f"cannot read '{accounting}' as counts of rows; clean the charts again") from error


def _set_aside(place: Path) -> dict[str, int]:
    quarantine = place / _QUARANTINE
    if not quarantine.is_file():
        return {}
    try:
        reasons = pq.read_table(quarantine, columns=["reason"], use_threads=False, pre_buffer=False)["reason"]
        return dict(sorted(Counter(reasons.to_pylist()).items()))
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise SourceError(f"cannot read '{quarantine}' as parquet: {str(error).splitlines()[0]}") from error

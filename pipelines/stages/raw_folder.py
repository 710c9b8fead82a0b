"""RAW as input of cleaning: its Parquet files, the source files, and the damaged lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusion import SourceError
from diffusion.files import digest_of_file
from diffusion.sources.chart_files import open_chart_file
from diffusion.sources.layouts import SOURCE_COLUMNS, SYNONYMS, lacking, plain_name
from diffusion.sources.listing import ListedFile
from diffusion.sources.source import UNNAMED
from pipelines.folders.manifest import (
    MANIFEST,
    Shape,
    digest_of_step,
    file_facts,
    fits,
    read_manifest,
)
from pipelines.progress import Report
from pipelines.stages.raw_rows import DERIVED

INGEST = "ingest"

INGESTED: Shape = {
    "parameters": {"settings": {"columns": {"*": str}, "slim_only": bool}},
    "notes": {
        "sources": [
            {
                "path": str,
                "member": str,
                "facts": {"*": str},
                "bytes": int,
                "sha256": str,
                "rows": int,
                "damaged": int,
                "layout": str,
                "encoding": str,
                "chart": str,
            }
        ],
        "roles": {"*": (str, None)},
        "said": [str],
        "passed_over": {"*": str},
        "profile": {"rows": int, "damaged": int, "filled": {"*": int}, "first_date": str, "last_date": str},
        "columns": [str],
        "unknown_markets": [str],
        "empty": [str],
        "runs": int,
    },
}
"""What the manifest says of a run of ``ingest``."""

WIDENED = ("country_", "cultural_")
"""Prefixes of columns joined from auxiliary tables."""


@dataclass(frozen=True, slots=True)
class RawFolder:
    """RAW as input of cleaning.

    Attributes
    ----------
    place
        Folder that the paths of the Parquet files are relative to.
    parts
        Path, size and SHA-256 of each Parquet file, in order of path.
    files
        Source files in reading order; empty if RAW does not list them.
    charts
        Source file → name of its chart where its rows give none; ``""`` for all others.
    columns
        Our column → its names in the Parquet files.
    row
        Columns of the source, in order.
    damaged
        Path, size and SHA-256 of the table of damaged lines; None if there is none. Its columns are as in
        `diffusion.contracts.star.QUARANTINE`.
    date_format
        Format of all dates that the user gave to ``ingest``; None if none was given.
    date_forms
        Source file → format of its dates.
    first_rank
        The best rank in the source, 1 or 0.
    """

    place: Path
    parts: Sequence[Mapping[str, Any]]
    files: Sequence[str]
    charts: Mapping[str, str]
    columns: Mapping[str, Sequence[str]]
    row: Sequence[str]
    damaged: Mapping[str, Any] | None
    date_format: str | None
    date_forms: Mapping[str, str]
    first_rank: int

    def check(self, tell: Report) -> None:
        """Check that all tables have the content that the manifest says.

        Raises
        ------
        SourceError
            When a table was changed.
        """
        for facts in [*self.parts, *([self.damaged] if self.damaged else [])]:
            tell(f"checking {facts['path']}")
            if digest_of_file(self.place / facts["path"]) != facts["sha256"]:
                raise _spoiled(self.place / facts["path"])

    def paths(self, names: Sequence[str]) -> list[Path]:
        """Return the paths of Parquet files."""
        return [self.place / name for name in names]


def find_raw(place: str | Path) -> RawFolder:
    """Return RAW in a folder made by ``ingest``, or in a folder of Parquet files of text.

    Raises
    ------
    SourceError
        When there is no Parquet file of charts, or a required column is missing.
    """
    place = Path(place)
    if not place.is_dir():
        raise SourceError(f"no folder at '{place}'; `chart-diffusion ingest FILES... --out RAW` makes one")
    step = _ingested(place)
    settings = step["parameters"].get("settings", {})
    if settings.get("slim_only"):
        raise SourceError(f"'{place}' was made with --slim-only and cannot be cleaned; ingest the files without it")
    full = place / "full" if (place / "full").is_dir() else place
    paths = sorted(path for path in full.rglob("*.parquet") if path.is_file() and path.name != "damaged.parquet")
    if not paths:
        raise SourceError(f"no Parquet file below '{full}'; `chart-diffusion ingest FILES... --out RAW` makes them")
    named = {artifact["path"]: artifact for artifact in step["artifacts"]}
    if named and not any(name.startswith("full/") for name in named):
        raise SourceError(f"'{place}' has no rows, only damaged lines (damaged.parquet lists them); mend the source")
    for name in named:
        if name.startswith("full/") and not (place / name).is_file():
            raise _spoiled(place / name)
    parts = [_facts(path, place, named) for path in paths]
    header = list(dict.fromkeys(name for path in paths for name in open_chart_file(ListedFile(path, "parquet")).names))
    given = settings.get("columns", {})
    roles = step["notes"].get("roles")
    columns = _columns(header, given) if roles is None else _by_role(roles)
    _check(columns, full)
    sources = step["notes"].get("sources", [])
    charts = {source["path"]: source["chart"] for source in sources if source.get("chart")}
    row = step["notes"].get("columns") or [name for name in header if not _joined(name)]
    damaged = place / "damaged.parquet"
    return RawFolder(
        place,
        parts,
        [source["path"] for source in sources],
        {"": "top200" if columns["streams"] else UNNAMED} | charts,
        columns,
        [name for name in row if name in header],
        _facts(damaged, place, named) if damaged.is_file() else None,
        settings.get("date_format"),
        {source["path"]: source["date_form"] for source in sources if "date_form" in source},
        settings.get("first_rank", 1),
    )


def _ingested(place: Path) -> Mapping[str, Any]:
    """Return the manifest's entry of the step that made RAW; an empty one where RAW was not made by this tool."""
    step: Mapping[str, Any] | None = read_manifest(place)["steps"].get(INGEST)
    if step is None:
        return {"artifacts": [], "notes": {}, "parameters": {}}
    if step["digest"] != digest_of_step(step) or not fits(step, INGESTED):
        raise SourceError(f"'{place / MANIFEST}' was changed by hand or is of an older version; ingest the files again")
    return step


def _facts(path: Path, place: Path, named: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return path, size and SHA-256 of a table; those of the manifest, if it lists the table with this size."""
    known = named.get(path.relative_to(place).as_posix())
    if known is None:
        return file_facts([path], place)[0]
    if known["bytes"] != path.stat().st_size:
        raise _spoiled(path)
    return {name: known[name] for name in ("path", "bytes", "sha256")}


def _spoiled(path: Path) -> SourceError:
    return SourceError(f"'{path}' is not as the manifest of RAW says; ingest all files again, without --append")


def _columns(header: Sequence[str], given: Mapping[str, str]) -> dict[str, list[str]]:
    """Return our column → all its names in the header, because RAW may have files of several layouts."""
    own = [name for name in header if name not in DERIVED] if "source_file" in header else header
    columns: dict[str, list[str]] = {}
    for ours in SOURCE_COLUMNS:
        first = [plain_name(given[ours])] if ours in given else []
        columns[ours] = [name for name in dict.fromkeys([*first, *SYNONYMS[ours]]) if name in own]
    return columns


def _by_role(roles: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Return our column → its names in the Parquet files; those with facts from the names of files come last."""
    found = {ours: [name for name, role in roles.items() if role == ours] for ours in SOURCE_COLUMNS}
    return {ours: sorted(names, key=lambda name: name.startswith("name_")) for ours, names in found.items()}


def _check(columns: Mapping[str, Sequence[str]], full: Path) -> None:
    lacks = lacking([ours for ours, names in columns.items() if names])
    if lacks:
        raise SourceError(f"the Parquet files below '{full}' have no column for {lacks[0]}")


def _joined(name: str) -> bool:
    """Return whether a column is not the source's: derived, joined, or left over from a join."""
    return name in DERIVED or name in ("year", "index") or name.startswith(WIDENED)

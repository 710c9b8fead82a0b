"""RAW as input of cleaning: its Parquet files, the source files, and the damaged lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from diffusion import SourceError
from diffusion.sources.layouts import SOURCE_COLUMNS, SYNONYMS, lacking, plain_name
from diffusion.sources.source import UNNAMED
from pipelines.folders.manifest import MANIFEST, Shape, digest_of_step, fits
from pipelines.progress import Report
from pipelines.stages.raw_files import RawFiles
from pipelines.stages.raw_rows import DERIVED

INGEST: Final = "ingest"
DAMAGED: Final = "damaged.parquet"

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
    stored
        The files of the folder; paths of Parquet files are relative to it.
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

    stored: RawFiles
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
        facts = [*self.parts, *([self.damaged] if self.damaged else [])]
        found = self.stored.digests({one["path"]: one["bytes"] for one in facts}, tell)
        for one in facts:
            if found[one["path"]] != one["sha256"]:
                raise self.stored.spoiled(one["path"])

    def paths(self, names: Sequence[str]) -> list[Path] | list[str]:
        """Return the paths or addresses of Parquet files."""
        return self.stored.paths(names)


def find_raw(stored: RawFiles) -> RawFolder:
    """Return RAW in a folder made by ``ingest``, or in a folder of Parquet files of text.

    Raises
    ------
    SourceError
        When there is no Parquet file of charts, or a required column is missing.
    """
    place = stored.place
    if not stored.has_folder(""):
        raise SourceError(f"no folder at '{place}'; `chart-diffusion ingest FILES... --out RAW` makes one")
    step = _ingested(stored)
    settings = step["parameters"].get("settings", {})
    if settings.get("slim_only"):
        raise SourceError(f"'{place}' was made with --slim-only and cannot be cleaned; ingest the files without it")
    below = "full" if stored.has_folder("full") else ""
    full = f"{place}/{below}" if below else str(place)
    there = {name: size for name, size in stored.sizes(below).items() if PurePosixPath(name).name != DAMAGED}
    names = sorted(there, key=PurePosixPath)
    if not names:
        raise SourceError(f"no Parquet file below '{full}'; `chart-diffusion ingest FILES... --out RAW` makes them")
    named = {artifact["path"]: artifact for artifact in step["artifacts"]}
    if named and not any(name.startswith("full/") for name in named):
        raise SourceError(f"'{place}' has no rows, only damaged lines ({DAMAGED} lists them); mend the source")
    for name in named:
        if name.startswith("full/") and name.endswith(".parquet") and name not in there:
            raise stored.spoiled(name)
    damaged = {name: size for name, size in stored.sizes("").items() if name == DAMAGED}
    facts = _facts(stored, {name: there[name] for name in names} | damaged, named)
    header = list(dict.fromkeys(column for name in names for column in stored.columns(name)))
    given = settings.get("columns", {})
    roles = step["notes"].get("roles")
    columns = _columns(header, given) if roles is None else _by_role(roles)
    _check(columns, full)
    sources = step["notes"].get("sources", [])
    charts = {source["path"]: source["chart"] for source in sources if source.get("chart")}
    row = step["notes"].get("columns") or [name for name in header if not _joined(name)]
    return RawFolder(
        stored,
        [facts[name] for name in names],
        [source["path"] for source in sources],
        {"": "top200" if columns["streams"] else UNNAMED} | charts,
        columns,
        [name for name in row if name in header],
        facts.get(DAMAGED),
        settings.get("date_format"),
        {source["path"]: source["date_form"] for source in sources if "date_form" in source},
        settings.get("first_rank", 1),
    )


def _ingested(stored: RawFiles) -> Mapping[str, Any]:
    """Return the manifest's entry of the step that made RAW; an empty one where RAW was not made by this tool."""
    step: Mapping[str, Any] | None = stored.manifest()["steps"].get(INGEST)
    if step is None:
        return {"artifacts": [], "notes": {}, "parameters": {}}
    if step["digest"] != digest_of_step(step) or not fits(step, INGESTED):
        raise SourceError(
            f"'{stored.place}/{MANIFEST}' was changed by hand or is of an older version; ingest the files again"
        )
    return step


def _facts(
    stored: RawFiles, sizes: Mapping[str, int], named: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Return path, size and SHA-256 of tables by path; those of the manifest, if it lists a table with this size."""
    for name, size in sizes.items():
        if name in named and named[name]["bytes"] != size:
            raise stored.spoiled(name)
    digests = stored.digests({name: size for name, size in sizes.items() if name not in named})
    known = {name: named[name]["sha256"] for name in sizes if name in named} | digests
    return {name: {"path": name, "bytes": size, "sha256": known[name]} for name, size in sizes.items()}


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


def _check(columns: Mapping[str, Sequence[str]], full: str) -> None:
    lacks = lacking([ours for ours, names in columns.items() if names])
    if lacks:
        raise SourceError(f"the Parquet files below '{full}' have no column for {lacks[0]}")


def _joined(name: str) -> bool:
    """Return whether a column is not the source's: derived, joined, or left over from a join."""
    return name in DERIVED or name in ("year", "index") or name.startswith(WIDENED)

"""Layouts of chart files: find the files, and recognise their columns."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffusion.errors import SettingError, SourceError
from diffusion.sources.chart_files import open_chart_file
from diffusion.sources.csv_files import folder_values
from diffusion.sources.listing import FileKind, ListedFile, list_files

AUDIO_COLUMNS = (
    "af_danceability",
    "af_energy",
    "af_key",
    "af_loudness",
    "af_mode",
    "af_speechiness",
    "af_acousticness",
    "af_instrumentalness",
    "af_liveness",
    "af_valence",
    "af_tempo",
    "af_time_signature",
)
"""The twelve audio features, in the order of the 28-column layout."""

SOURCE_COLUMNS = (
    "market",
    "date",
    "week_start",
    "week_end",
    "chart",
    "rank",
    "track_id",
    "url",
    "title",
    "artist",
    "streams",
    "trend",
    "album",
    "popularity",
    "duration_ms",
    "explicit",
    "release_date",
    "available_markets",
    *AUDIO_COLUMNS,
)
"""Our names of the columns that a chart file may have."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A known layout: our column → its possible names in the files, in the form of `plain_name`."""

    name: str
    columns: Mapping[str, tuple[str, ...]]


SPOTIFYCHARTS = Layout(
    "spotifycharts.com",
    {
        "market": ("region", "country"),
        "date": ("date",),
        "week_start": ("week_start",),
        "week_end": ("week_end",),
        "chart": ("chart",),
        "rank": ("position",),
        "track_id": ("track_id",),
        "url": ("url",),
        "title": ("track_name",),
        "artist": ("artist",),
        "streams": ("streams",),
    },
)

KAGGLE = Layout(
    "Kaggle 'Spotify Charts'",
    {
        "market": ("region",),
        "date": ("date", "observation_date"),
        "chart": ("chart",),
        "rank": ("rank",),
        "track_id": ("track_id",),
        "url": ("url",),
        "title": ("title",),
        "artist": ("artist",),
        "streams": ("streams",),
    }
    | {
        name: (name,)
        for name in ("trend", "album", "popularity", "duration_ms", "explicit", "release_date", "available_markets")
    }
    | {name: (name,) for name in AUDIO_COLUMNS},
)
"""Layouts of 9 columns, of 28 with audio features, and of 34, 45 or 46 in tables made from them."""

LAYOUTS = (SPOTIFYCHARTS, KAGGLE)


@dataclass(frozen=True, slots=True)
class Source:
    """Chart files of one layout.

    Attributes
    ----------
    files
        Files in order of name.
    root
        Folder that the file names in the rows are relative to.
    kind
        ``csv`` or ``parquet``.
    partitioned
        Whether folders called ``name=value`` below the given one are columns.
    layout
        Name of the layout, or the columns named by the caller.
    columns
        Our column → the files' column, None where there is none.
    chart
        Name of the chart where the files give none.
    """

    files: tuple[Path, ...]
    root: Path
    kind: FileKind
    partitioned: bool
    layout: str
    columns: Mapping[str, str | None]
    chart: str


def find_source(path: str | Path, *, columns: Mapping[str, str] | None = None) -> Source:
    """Return the chart files at `path` and how to read them.

    Parameters
    ----------
    path
        A file, a glob, or a folder, of CSV (also .gz, .zst) or Parquet files. A folder is searched with its subfolders;
        hidden files and folders of results (with a ``manifest.json``) are skipped.
    columns
        Our column → the files' column, for names that the known layouts do not have.

    Raises
    ------
    SourceError
        When no file is found, kinds or layouts are mixed, or columns are missing.
    SettingError
        When `columns` names a column of ours that does not exist.
    """
    files, kind = _find_files(path)
    first = files[0]
    place = Path(path)
    below = first.relative_to(place).parent.parts if place.is_dir() else ()
    own = column_names(first, kind)
    # names of folders count only where the files lack a column
    partitioned = any("=" in part for part in below) and bool(_least_missing(own))
    headers = {file: column_names(file, kind, partitioned=partitioned) for file in files}
    layout, chosen = recognise(headers[first], first, columns or {})
    for file, header in headers.items():
        lacking = [theirs for theirs in chosen.values() if theirs and theirs not in header]
        if lacking:
            raise SourceError(
                f"'{file}' lacks the column '{lacking[0]}' that '{first}' has; "
                "give files of one layout, or choose them with a glob"
            )
    name = f"columns named: {', '.join(f'{a}={b}' for a, b in columns.items())}" if columns else layout.name
    root = place if place.is_dir() else Path(os.path.commonpath([file.parent for file in files]))
    return Source(files, root, kind, partitioned, name, chosen, "top200" if chosen["streams"] else "viral50")


def column_names(file: Path, kind: FileKind, *, partitioned: bool = False) -> list[str]:
    """Return the column names of one chart file, with those of the folders above it if `partitioned`.

    Raises
    ------
    SourceError
        When the file cannot be read as the kind that its name says.
    """
    folders = folder_values(file) if partitioned else {}
    names = open_chart_file(ListedFile(file, kind)).names
    return [*names, *(name for name in folders if name not in names)]


def _find_files(path: str | Path) -> tuple[tuple[Path, ...], FileKind]:
    if (Path(path) / "full").is_dir() and (Path(path) / "damaged.parquet").is_file():
        raise SourceError(f"'{path}' is what ingest made; clean it first: chart-diffusion clean {path} --out CLEAN")
    kinds = {file.path: file.kind for file in list_files(path).files}
    if len(set(kinds.values())) > 1:
        raise SourceError(
            f"'{path}' holds both CSV and Parquet files; choose one kind with a glob such as '{path}/*.parquet'"
        )
    return tuple(kinds), next(iter(kinds.values()))


def plain_name(name: str) -> str:
    """Return a column name in lower case, with single underscores for everything but letters and digits."""
    return re.sub(r"[^0-9a-z]+", "_", name.strip().lower().lstrip("\ufeff")).strip("_")


def _match(layout: Layout, header: Sequence[str]) -> dict[str, str | None]:
    """Return our column → the header's column: the first of the layout's names that the header has."""
    there = {plain_name(name): name for name in header}
    return {
        ours: next((there[name] for name in layout.columns.get(ours, ()) if name in there), None)
        for ours in SOURCE_COLUMNS
    }


def _missing(chosen: Mapping[str, str | None]) -> list[str]:
    """Return the required columns that are missing, with alternatives joined by "or"."""
    needs = (("rank",), ("market",), ("date", "week_start"), ("track_id", "url"))
    return [" or ".join(need) for need in needs if not any(chosen[name] for name in need)]


def _least_missing(header: Sequence[str]) -> list[str]:
    """Return the required columns that the best layout lacks."""
    return min((_missing(_match(layout, header)) for layout in LAYOUTS), key=len)


def recognise(header: Sequence[str], file: Path, given: Mapping[str, str]) -> tuple[Layout, dict[str, str | None]]:
    """Return the layout that lacks least, and our column → the header's column; `given` overrides the layout.

    Raises
    ------
    SourceError
        When a required column is missing, or two columns differ only in case and punctuation.
    SettingError
        When `given` names a column of ours that does not exist.
    """
    given = _checked(given, header, file)
    matches = [(layout, {**_match(layout, header), **given}) for layout in LAYOUTS]
    layout, chosen = min(matches, key=lambda match: (len(_missing(match[1])), -sum(map(bool, match[1].values()))))
    for theirs in filter(None, chosen.values()):
        alike = [name for name in header if plain_name(name) == plain_name(theirs)]
        if len(alike) > 1:
            raise SourceError(f"'{file}' has {len(alike)} columns called '{theirs}' but for case; rename all but one")
    missing = _missing(chosen)
    if not missing:
        return layout, chosen
    first = missing[0].split(" or ")[-1]
    names = [f"'{name}'" for ours in missing[0].split(" or ") for name in layout.columns.get(ours, ())]
    found = ", ".join(header[:30]) + (" …" if len(header) > 30 else "")
    raise SourceError(
        f"'{file}' lacks a column for {', '.join(missing)} (in the {layout.name} layout {' or '.join(names)}); "
        f"found {found}; if it has another name, give it: --column {first}=THEIRS"
    )


def _checked(columns: Mapping[str, str], header: Sequence[str], file: Path) -> Mapping[str, str]:
    """Return the caller's mapping, after a check that both its sides exist."""
    strange = [name for name in columns if name not in SOURCE_COLUMNS]
    if strange:
        raise SettingError(
            f"unknown column '{strange[0]}' in the column mapping; known are {', '.join(SOURCE_COLUMNS)}"
        )
    absent = [name for name in columns.values() if name not in header]
    if absent:
        raise SourceError(f"'{file}' has no column '{absent[0]}'; it has {', '.join(header)}")
    return columns

"""The countries reference: a CSV of countries, with their ISO codes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from diffusion import SourceError
from pipelines.contracts.auxiliary import COUNTRIES
from pipelines.reference.small_csv import SmallCsv, read_small_csv
from pipelines.reference.territories import country_name, territory, territory_key

_SOURCE_NAMES: Final = {
    "country": ("country_name", "country"),
    "continent": ("continent",),
    "population": ("population",),
    "area": ("area",),
    "official_language": ("official_lang", "official_language"),
    "major_religions": ("major_religions",),
    "govt_type": ("govt_type",),
    "driving_side": ("driving_side",),
}
"""Our column → its possible names in the source, in snake case."""

LARGEST: Final = 1e12
"""Upper limit of the people or km² of a country."""

_NUMBER = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?|\d+(\.\d*)?(e\+?\d{1,2})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Countries:
    """The countries reference.

    Attributes
    ----------
    table
        One row per country, in the source's order; columns as in `COUNTRIES`.
    notes
        Facts about the source: `rows` = `kept` + `duplicates` + `lines_without_name` + `blank_rows`, with names.
    """

    table: pa.Table
    notes: Mapping[str, Any]


def countries_reference(path: str | Path) -> Countries:
    """Return the countries of a CSV file, one row per country.

    Of several rows with one name, or with names of one territory, the first is kept. Numbers that cannot be read are
    null and listed in the notes.

    Raises
    ------
    SourceError
        When the file cannot be read, lacks a column, or names no country.
    """
    source = read_small_csv(path)
    chosen = source.take(_positions(source))
    kept: dict[str, tuple[str, ...]] = {}
    duplicates, nameless = [], []
    for line, row in zip(chosen.lines, chosen.rows, strict=True):
        name = country_name(row[0])
        if not name:
            nameless.append(line)
        elif territory_key(name) in kept:
            duplicates.append(name)
        else:
            kept[territory_key(name)] = (name, *row[1:])
    if not any(territory(row[0]) for row in kept.values()):
        raise SourceError(f"'{path}' names no country in its column '{chosen.header[0]}'; give a table of countries")
    table, unreadable = _typed(list(kept.values()))
    notes = {
        "file": source.path.name,
        "encoding": source.encoding,
        "rows": len(source.rows) + source.blank_rows,
        "kept": len(kept),
        "blank_rows": source.blank_rows,
        "duplicates": sorted(duplicates),
        "lines_without_name": nameless,
        "unknown_names": sorted(row[0] for row in kept.values() if not territory(row[0])),
        "unreadable_numbers": unreadable,
    }
    return Countries(table, notes)


def _positions(source: SmallCsv) -> list[int]:
    """Return the positions of our columns in the source, in our order."""
    there: dict[str, int] = {}
    for position, name in enumerate(source.header):
        there.setdefault(re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_"), position)
    found = {ours: [there[name] for name in names if name in there] for ours, names in _SOURCE_NAMES.items()}
    lacking = [_SOURCE_NAMES[ours][0] for ours, positions in found.items() if not positions]
    if lacking:
        raise SourceError(
            f"'{source.path}' lacks {', '.join(lacking)}; found {', '.join(source.header[:25])}; "
            "give the countries table, with its header"
        )
    return [positions[0] for positions in found.values()]


def _typed(rows: list[tuple[str, ...]]) -> tuple[pa.Table, list[str]]:
    """Return the rows with the contract's types, and the numbers that could not be read."""
    columns: dict[str, list[Any]] = {name: [] for name in COUNTRIES.names}
    unreadable = []
    for row in rows:
        for name, text in zip(_SOURCE_NAMES, row, strict=True):
            value: Any = text or None
            if name in ("population", "area") and text:
                value = _number(text)
                if value is None:
                    unreadable.append(f"{row[0]}: {name} '{text[:40]}'")
                elif name == "population":
                    value = round(value)
            columns[name].append(value)
        columns["market"].append(territory(row[0]))
    return COUNTRIES.conform(pa.table(columns, schema=COUNTRIES.schema)), unreadable


def _number(text: str) -> float | None:
    """Return a count or an area, None if the text is not a possible number."""
    value = float(text.replace(",", "")) if _NUMBER.fullmatch(text) else LARGEST
    return value if value < LARGEST else None

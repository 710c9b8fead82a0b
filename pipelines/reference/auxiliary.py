"""Making and joining the auxiliary tables: countries, cultural distances and public holidays, by ISO code."""

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from diffusion import SettingError
from diffusion.files import read_table
from diffusion.foreign_text import csv_cell
from pipelines.contracts.auxiliary import COUNTRIES, COUNTRY_COLUMNS, HOLIDAYS, LONG, LOOKUP, TOP5
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import file_facts, fingerprint, intact, read_manifest
from pipelines.reference.countries import Countries, countries_reference
from pipelines.reference.cultural_distance import CulturalDistances, cultural_distances, summary_by_market
from pipelines.reference.holiday_calendar import Holidays, holidays_package, public_holidays
from pipelines.reference.small_csv import check_small
from pipelines.reference.territories import market_codes, named

STEP: Final = "auxiliary"
VERSION: Final = 1
"""Version of the step; raised when the same input gives other tables."""

PROFILE: Final = "aux_profile.csv"


@dataclass(frozen=True, slots=True)
class _Sources:
    """Result for each source; None for a source that was not given."""

    countries: Countries | None
    distances: CulturalDistances | None
    holidays: Holidays | None

    def tables(self) -> dict[str, pa.Table]:
        """Return name → table."""
        tables = {}
        if self.countries:
            tables[COUNTRIES.name] = self.countries.table
        if self.distances:
            tables |= {LONG.name: self.distances.long, TOP5.name: self.distances.top5}
        if self.holidays:
            tables[HOLIDAYS.name] = self.holidays.table
        return tables


def make_auxiliary(
    out: Folder | str | Path,
    *,
    countries: Path | None = None,
    distances: Path | None = None,
    holidays: tuple[date, date] | None = None,
    markets: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Make auxiliary tables as the step ``auxiliary`` of a folder, and return its notes.

    Parameters
    ----------
    out
        Folder, or its path.
    countries
        CSV of countries (default: none).
    distances
        CSV with a square matrix or a long list of cultural distances (default: none).
    holidays
        First and last date of the public holidays (default: none).
    markets
        Names or codes of the markets to match, such as those of the charts (default: the 69 of public charts).
        Holidays are made for these markets.

    Returns
    -------
    dict
        ``countries``, ``distances``, ``holidays``: facts about each source; ``unmatched``: see `unmatched`; ``tables``:
        table → number of rows. `auxiliary_lines` gives the same in words.

    Raises
    ------
    SettingError
        When no source is given, or a package is missing.
    SourceError
        When a source cannot be used.
    OutputError
        When the folder cannot be written.
    """
    if countries is None and distances is None and holidays is None:
        raise SettingError("no auxiliary table to make; name a file of countries or of distances, or dates of holidays")
    codes = market_codes(markets)
    if not codes:
        raise SettingError("no market to find partners for: an aggregate such as Global is not a market; name markets")
    parameters = _parameters(countries, distances, holidays, codes)
    with Folder(out) if not isinstance(out, Folder) else nullcontext(out) as folder:
        if not folder.unchanged(STEP, fingerprint(STEP, VERSION, parameters)):
            made = _Sources(
                countries_reference(countries) if countries else None,
                cultural_distances(distances) if distances else None,
                public_holidays(codes, *holidays) if holidays else None,
            )
            folder.begin(STEP, fingerprint(STEP, VERSION, parameters), parameters=parameters, notes=_notes(made, codes))
            for name, table in made.tables().items():
                folder.put_table(STEP, f"{name}.parquet", table)
            rows = {name: table.num_rows for name, table in made.tables().items()}
            folder.put(STEP, PROFILE, profile_csv(rows), rows=len(rows))
        return folder.notes(STEP)


def auxiliary_lookup(aux_folder: str | Path) -> pa.Table:
    """Return the columns of the auxiliary tables by market, for joining to charts.

    Returns
    -------
    Table
        One row per `market` in order of code, with the 13 columns of `LOOKUP`; null where a table is missing or does
        not have the market. Distances are over all partners in the source, not only over markets.

    Raises
    ------
    SettingError
        When the folder has neither countries nor distances, or files that differ from its manifest.
    """
    place = Path(aux_folder)
    known = {artifact["path"]: artifact for artifact in _artifacts(place)}
    rows: dict[str, dict[str, Any]] = {}
    if f"{COUNTRIES.name}.parquet" in known:
        for row in _read(place, known, COUNTRIES.name).to_pylist():
            if row["market"]:
                rows[row["market"]] = {f"country_{name}": row[name] for name in COUNTRY_COLUMNS}
    if f"{LONG.name}.parquet" in known:
        summary = summary_by_market(_read(place, known, LONG.name), _read(place, known, TOP5.name))
        for row in summary.to_pylist():
            rows.setdefault(row["market"], {}).update(row)
    if not rows:
        raise SettingError(f"'{place}' holds no countries and no cultural distances; make them first")
    return pa.Table.from_pylist([{**rows[market], "market": market} for market in sorted(rows)], schema=LOOKUP.schema)


def unmatched(
    markets: Sequence[str] | None = None,
    *,
    countries: Countries | None = None,
    distances: CulturalDistances | None = None,
    holidays: Holidays | None = None,
) -> dict[str, dict[str, str]]:
    """Return source → markets without a match in it, as code → name, for each source given.

    ``countries``, ``cultural_distances`` and ``holidays`` are markets that the source does not name.
    ``cultural_distances_empty`` are markets that the source names, but without any distance.
    """
    codes = market_codes(markets)
    lacking: dict[str, list[str]] = {}
    if countries:
        there = set(countries.table["market"].to_pylist())
        lacking["countries"] = [code for code in codes if code not in there]
    if distances:
        filled = set(distances.long["source_market"].to_pylist()) | set(distances.long["target_market"].to_pylist())
        lacking["cultural_distances"] = [code for code in codes if code not in distances.named]
        lacking["cultural_distances_empty"] = [c for c in codes if c in distances.named and c not in filled]
    if holidays:
        lacking["holidays"] = [code for code in codes if code in holidays.unknown]
    return {source: named(codes) for source, codes in lacking.items()}


def profile_csv(rows: Mapping[str, int], *, folder: str = "") -> bytes:
    """Return ``aux_profile.csv``: name, rows and path of each table.

    `folder` is the folder of the tables, relative to the folder of the file, such as ``aux`` (default: the same).

    Examples
    --------
    >>> print(profile_csv({"holidays": 12}).decode())
    artifact,rows,path
    holidays,12,holidays.parquet
    <BLANKLINE>
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["artifact", "rows", "path"])
    writer.writerows([name, count, csv_cell(f"{folder}/{name}.parquet".lstrip("/"))] for name, count in rows.items())
    return text.getvalue().encode()


def auxiliary_lines(notes: Mapping[str, Any]) -> list[str]:
    """Return the notes of `make_auxiliary` in words, one line each: what was read, and which markets have no match."""
    lines = []
    if found := notes.get("countries"):
        lines.append(
            f"countries {found['kept']:,} of {found['rows']:,} rows of '{found['file']}' (read as "
            f"{found['encoding']}): {found['blank_rows']} blank, {len(found['lines_without_name'])} without a name, "
            f"duplicates: {_listed(found['duplicates'])}; unknown names: {_listed(found['unknown_names'])}; "
            f"numbers that cannot be read: {_listed(found['unreadable_numbers'])}"
        )
    if found := notes.get("distances"):
        lines += _distance_lines(found)
    if found := notes.get("holidays"):
        years = [f"{market} {', '.join(map(str, found['empty_years'][market]))}" for market in found["empty_years"]]
        lines.append(
            f"holidays  {notes['tables'][HOLIDAYS.name]:,} from {found['first_date']} to {found['last_date']} "
            f"(package holidays {found['version']}); years without any: {_listed(years)}"
        )
    lines += [
        f"unmatched {_MEANING[source]}: {_listed([f'{name} ({code})' for code, name in lacking.items()])}"
        for source, lacking in notes["unmatched"].items()
    ]
    return lines


_MEANING: Final = {
    "countries": "markets that the countries table does not name",
    "cultural_distances": "markets that the distances do not name",
    "cultural_distances_empty": "markets that are named there, but without any distance",
    "holidays": "markets without holidays in the package",
}


def _distance_lines(found: Mapping[str, Any]) -> list[str]:
    lines = [
        f"distances {found['pairs']:,} pairs in '{found['file']}' (read as {found['encoding']}; {found['layout']}): "
        f"{found['missing']:,} cells missing, {found['self_pairs']:,} of a country with itself, "
        f"{found['duplicate_pairs']:,} duplicates (smallest kept); no country: {_listed(found['unknown_names'])}"
    ]
    if found["asymmetric_pairs"] or found["pairs_in_one_direction"]:
        lines.append(
            f"distances {found['asymmetric_pairs']:,} pairs differ by direction, by up to "
            f"{found['largest_asymmetry']:.6g}; {found['pairs_in_one_direction']:,} have one direction only; all kept"
        )
    for name, others in found["taken_for_one"].items():
        lines.append(f"distances also read as {name}: {_listed(others)}")
    return lines


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _parameters(
    countries: Path | None, distances: Path | None, holidays: tuple[date, date] | None, codes: Sequence[str]
) -> dict[str, Any]:
    """Return the parameters of the step, as JSON."""
    files = {"countries": countries, "distances": distances}
    parameters: dict[str, Any] = {"markets": list(codes)}
    for name, file in files.items():
        if file is not None:
            if not Path(file).is_file():
                raise SettingError(f"no file at '{file}'; name the CSV of the {name}")
            check_small(Path(file))
            parameters[name] = file_facts([Path(file)], Path(file).parent)[0]
    if holidays is not None:
        first, last = holidays
        version = str(holidays_package().__version__)
        parameters["holidays"] = {"first_date": str(first), "last_date": str(last), "package": version}
    return parameters


def _notes(made: _Sources, codes: Sequence[str]) -> dict[str, Any]:
    """Return the notes of the step, as JSON."""
    notes: dict[str, Any] = {"tables": {name: table.num_rows for name, table in made.tables().items()}}
    if made.countries:
        notes["countries"] = dict(made.countries.notes)
    if made.distances:
        notes["distances"] = dict(made.distances.notes)
    if made.holidays:
        notes["holidays"] = dict(made.holidays.notes)
    notes["unmatched"] = unmatched(codes, countries=made.countries, distances=made.distances, holidays=made.holidays)
    return notes


def _artifacts(place: Path) -> list[dict[str, Any]]:
    """Return the artifacts of the step in a folder's manifest."""
    artifacts: list[dict[str, Any]] = read_manifest(place)["steps"].get(STEP, {}).get("artifacts", [])
    return artifacts


def _read(place: Path, known: Mapping[str, dict[str, Any]], name: str) -> pa.Table:
    artifact = known.get(f"{name}.parquet")
    if artifact is None or not intact(place, artifact):
        raise SettingError(f"'{place / name}.parquet' is not what the manifest says; make it again first")
    return read_table(place / f"{name}.parquet")

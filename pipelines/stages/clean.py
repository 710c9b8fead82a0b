"""Stage 2, clean: makes the star from RAW, with every row accounted for; unchanged years are kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion import identities
from diffusion.contracts.star import FILE_BREAK, QUARANTINE, RECORDINGS
from diffusion.engine import Engine, OpenEngine, check_memory_limit, open_engine
from diffusion.sources.cleaning import NO_DATE, Names, code_tracks, describe_tracks, judge_rows, learn_names
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.progress import Report
from pipelines.stages.accounting import (
    COLUMNS,
    account_by_file,
    account_damaged,
    check_accounts,
    counts_csv,
    read_accounts,
    total_counts,
)
from pipelines.stages.raw_folder import RawFolder, find_raw

STEP: Final = "clean"
VERSION: Final = 1
"""Version of the step; raised when the same input gives other tables."""

MEMORY: Final = "500MB"
"""Default memory limit of the engine; the whole process then stays below 1 GB."""

BY_FILE: Final = "accounting_by_file.csv"
QUARANTINE_TABLE: Final = "quarantine.parquet"
CREDITS: Final = ("artists", "availability")
"""Further tables that the engine writes."""


def clean_charts(
    raw: str | Path,
    folder: Folder,
    *,
    market_names: Mapping[str, str] | None = None,
    accept: Collection[str] = (),
    recordings: bool = True,
    memory_limit: str = MEMORY,
    open_engine: OpenEngine = open_engine,
    tell: Report,
) -> dict[str, Any]:
    """Write the star of RAW into a folder, unless nothing has changed, and return the notes.

    Years are cleaned one by one. When RAW has grown, years with unchanged Parquet files are kept, and tracks keep their
    codes; the result is the same as from a new start.

    Parameters
    ----------
    raw
        A folder made by ``ingest``, or a folder of Parquet files of text, such as ``full`` of the prior study.
    folder
        Folder for the star (CLEAN).
    market_names
        Additional market names → a known name or code.
    accept
        Conditions that are accepted, as in `diffusion.sources.reading.ReadingOptions`.
    recordings
        Whether ids of one recording are joined in ``recordings.parquet`` by `diffusion.identities` (default True);
        otherwise each id is its own recording.
    memory_limit
        Memory that the engine may use before it spills to disk (default 500MB).
    open_engine
        Function that opens the engine (default: DuckDB in this process).
    tell
        Function that is told the progress.

    Returns
    -------
    dict
        ``rows``: ``raw_rows`` (the sum of the next three), ``kept_rows``, ``duplicate_rows``, ``quarantined_rows`` and
        ``repaired_rows`` (part of the kept); ``reasons``: reason → rows in quarantine; ``unknown_markets``: name →
        message; ``tracks``: their number; ``years``: year → ``fingerprint``, ``kept``, ``quarantined``.

    Raises
    ------
    SettingError
        When `memory_limit` is no amount of memory.
    SourceError
        When RAW cannot be read, or a row is not accounted for.
    OutputError
        When the folder cannot be written.
    """
    check_memory_limit(memory_limit)
    found = find_raw(raw)
    settings = {"market_names": dict(market_names or {}), "accept": sorted(accept), "recordings": recordings}
    damaged = found.damaged.to_pydict()
    key = fingerprint(STEP, VERSION, found.parts, list(found.files), dict(found.charts), damaged, settings)
    if not folder.unchanged(STEP, key):
        with open_engine(memory_limit=memory_limit) as engine:
            _Cleaning(engine, found, folder, settings, tell).run(key)
    return folder.notes(STEP)


@dataclass
class _Unit:
    """One year of RAW: the Parquet files with its rows, and the outcome of the rows.

    Attributes
    ----------
    year
        Year of the charts' dates, 0 for dates that cannot be read.
    fingerprint
        Fingerprint of everything the year's tables depend on.
    parts
        Parquet files of RAW.
    carried
        Whether the year's tables of the run before are kept.
    kept
        Number of observations.
    accounts
        Accounts by file.
    quarantine
        Rows set aside.
    """

    year: int
    fingerprint: str
    parts: list[str]
    carried: bool = False
    kept: int = 0
    accounts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
    quarantine: pa.Table = field(default_factory=QUARANTINE.schema.empty_table)

    @property
    def name(self) -> str:
        """Name of the year: its number, or unknown."""
        return "unknown" if self.year == NO_DATE else str(self.year)

    @property
    def table(self) -> str:
        """Path of the year's observations below CLEAN."""
        return f"observations/year={self.year}/part-00000.parquet"


class _Cleaning:
    """One run that reads RAW and writes CLEAN."""

    def __init__(
        self, engine: Engine, raw: RawFolder, folder: Folder, settings: Mapping[str, Any], tell: Report
    ) -> None:
        self._engine, self._raw, self._folder, self._settings, self._tell = engine, raw, folder, settings, tell

    def run(self, key: str) -> None:
        """Clean the years that changed, and write everything."""
        self._tell("reading names and dates")
        self._open([part["path"] for part in self._raw.parts])
        names = learn_names(
            self._engine,
            order=self._raw.files,
            charts=self._raw.charts,
            market_names=self._settings["market_names"],
            unknown_aside=True,
        )
        files = list(names.files)
        before = self._before(files)
        units = self._units(files, before)
        changed = [unit for unit in units if not unit.carried]
        parts = sorted({part for unit in changed for part in unit.parts}) or [self._raw.parts[0]["path"]]
        self._code(parts, before)
        for unit in changed:
            self._clean(unit)
        accounts = pd.concat([unit.accounts for unit in units], ignore_index=True)
        check_accounts(accounts, names.files)
        self._open(parts)
        self._put(key, names, units, pd.concat([accounts, account_damaged(self._raw.damaged)]))

    def _open(self, parts: Sequence[str]) -> None:
        raw = self._raw
        self._engine.open_text(raw.paths(parts), raw.columns, root=raw.place, row=raw.row)

    def _before(self, files: Sequence[str]) -> Mapping[str, Any] | None:
        """Return the manifest's entry of the run before if its tables can be extended, else None."""
        before = self._folder.previous(STEP)
        if before is None or before["parameters"]["settings"]["market_names"] != self._settings["market_names"]:
            return None
        old = before["parameters"]
        now = {(part["path"], part["sha256"]) for part in self._raw.parts}
        grown = all((part["path"], part["sha256"]) in now for part in old["parts"])
        return before if grown and list(files[: len(old["files"])]) == old["files"] else None

    def _units(self, files: Sequence[str], before: Mapping[str, Any] | None) -> list[_Unit]:
        """Return the years of RAW in order, rows without date last; unchanged years have their old results."""
        digests = {part["path"]: part["sha256"] for part in self._raw.parts}
        found = self._engine.fetch("file_spans", break_days=FILE_BREAK).to_pylist()
        spans = {files[row["source"]]: [str(row["first_date"]), str(row["last_date"])] for row in found}
        rows = self._engine.fetch("part_years").to_pylist()
        units = []
        for year in sorted({row["year"] for row in rows}, key=lambda year: (year == NO_DATE, year)):
            own = [row for row in rows if row["year"] == year]
            parts = sorted({row["part"] for row in own})
            about = [[file, spans.get(file), self._raw.charts.get(file)] for file in sorted({r["file"] for r in own})]
            key = fingerprint(STEP, VERSION, year, [[part, digests[part]] for part in parts], about)
            units.append(_Unit(year, key, parts))
        if before is not None:
            self._recall(units, before["notes"]["years"])
        return units

    def _recall(self, units: Sequence[_Unit], years: Mapping[str, Any]) -> None:
        """Give unchanged years their old accounts and quarantine."""
        quarantine = self._folder.read_table(QUARANTINE_TABLE)
        accounts = read_accounts(self._folder.read(BY_FILE))
        starts = accumulate((year["quarantined"] for year in years.values()), initial=0)
        first = dict(zip(years, starts, strict=False))
        for unit in units:
            was = years.get(unit.name)
            if was is not None and was["fingerprint"] == unit.fingerprint:
                unit.carried, unit.kept = True, was["kept"]
                unit.quarantine = quarantine.slice(first[unit.name], was["quarantined"])
                unit.accounts = accounts[accounts["year"] == unit.name]

    def _code(self, parts: Sequence[str], before: Mapping[str, Any] | None) -> None:
        self._tell("coding tracks")
        self._open(parts)
        if before is None:
            code_tracks(self._engine)
        else:
            code_tracks(self._engine, known=self._folder.place)

    def _clean(self, unit: _Unit) -> None:
        """Write the observations of one year, and note the outcome of its rows."""
        self._tell(f"cleaning {unit.name}")
        engine = self._engine
        self._open(unit.parts)
        judge_rows(engine, first_year=unit.year, last_year=unit.year)
        unit.accounts = account_by_file(engine.fetch("accounts"), unit.name)
        if unit.accounts["quarantined_rows"].any():
            engine.create("set_aside")
            unit.quarantine = engine.fetch("quarantine")
        if unit.accounts["kept_rows"].any():
            unit.kept = engine.write("observations", self._folder.stage(STEP, unit.table), by="sorted_observations")

    def _put(self, key: str, names: Names, units: Sequence[_Unit], accounts: pd.DataFrame) -> None:
        """Write the tables over all years, and put everything into the folder."""
        self._tell("describing tracks")
        folder, raw = self._folder, self._raw
        written = self._describe(units)
        tracks = self._engine.kept("tracks")
        quarantine = pa.concat_tables([*(unit.quarantine for unit in units), raw.damaged])
        counts = total_counts(accounts)
        reasons = quarantine.group_by("reason").aggregate([([], "count_all")]).sort_by("reason")
        notes = {
            "rows": counts,
            "reasons": dict(zip(reasons["reason"].to_pylist(), reasons["count_all"].to_pylist(), strict=True)),
            "unknown_markets": names.unknown_markets,
            "tracks": tracks.num_rows,
            "years": {
                unit.name: {
                    "fingerprint": unit.fingerprint,
                    "kept": unit.kept,
                    "quarantined": unit.quarantine.num_rows,
                }
                for unit in units
            },
        }
        parameters = {"settings": self._settings, "parts": list(raw.parts), "files": list(names.files)}
        folder.begin(STEP, key, parameters=parameters, notes=notes)
        folder.carry(STEP, [unit.table for unit in units if unit.carried and unit.kept])
        for unit in units:
            if unit.kept and not unit.carried:
                folder.enlist(STEP, unit.table, rows=unit.kept)
        for name, rows in written.items():
            folder.enlist(STEP, f"{name}.parquet", rows=rows)
        folder.put_table(STEP, "tracks.parquet", tracks)
        folder.put_table(STEP, "recordings.parquet", _recordings(tracks, joined=self._settings["recordings"]))
        folder.put_table(STEP, QUARANTINE_TABLE, quarantine)
        folder.put(STEP, "row_accounting.csv", counts_csv(counts))
        by_file = accounts.sort_values(["file", "year"], kind="stable")
        folder.put(STEP, BY_FILE, by_file.to_csv(index=False, lineterminator="\n").encode(), rows=len(by_file))

    def _describe(self, units: Sequence[_Unit]) -> dict[str, int]:
        """Make tracks, write artists and availability, and return table → rows for these two."""
        engine, folder = self._engine, self._folder
        carried = [folder.place / unit.table for unit in units if unit.kept and unit.carried]
        fresh = [folder.stage(STEP, unit.table) for unit in units if unit.kept and not unit.carried]
        if carried or fresh:
            engine.open_table("observations", [*carried, *fresh])
        else:
            engine.view("observations")
        describe_tracks(engine)
        return {name: engine.write(name, folder.stage(STEP, f"{name}.parquet")) for name in CREDITS}


def _recordings(tracks: pa.Table, *, joined: bool) -> pa.Table:
    found = identities(tracks, "recording" if joined else "track")
    order = pc.index_in(tracks["track_id"], found["track_id"])
    table = tracks.select(["track", "track_id"]).append_column("recording", found["identity"].take(order))
    return RECORDINGS.conform(table)

"""Stage 2, clean: makes the star from RAW, with every row accounted for; unchanged years are kept."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from diffusion import SettingError, SourceError
from diffusion.contracts.star import FILE_BREAK, QUARANTINE
from diffusion.engine import Engine, OpenEngine, memory_bytes, open_engine
from diffusion.foreign_text import csv_table
from diffusion.sources.account import RowAccount, check_set_aside
from diffusion.sources.addresses import is_address
from diffusion.sources.cleaning import NO_DATE, Names, code_tracks, judge_rows, learn_names, read_fields
from diffusion.sources.wholeness import check_holes, measure_wholeness
from pipelines.contracts.raw import CLEANED
from pipelines.folders.folder import Folder
from pipelines.folders.lock import reading
from pipelines.folders.manifest import Shape, fingerprint
from pipelines.folders.remote_folder import RemoteFolder
from pipelines.folders.tables import put_views
from pipelines.progress import Report
from pipelines.stages.accounting import (
    COLUMNS,
    COUNTS,
    account_by_file,
    account_damaged,
    check_accounts,
    count_reasons,
    counts_csv,
    read_accounts,
    total_counts,
)
from pipelines.stages.quarantine import Stretch, lines_by_file, write_quarantine
from pipelines.stages.raw_files import LocalRaw, RawFiles, RemoteRaw
from pipelines.stages.raw_folder import DAMAGED, RawFolder, find_raw
from pipelines.stages.recording_keys import key_recordings

STEP: Final = "clean"
VERSION: Final = 2
"""Version of the step; raised when the same input gives other tables."""

MEMORY: Final = "500MB"
"""Default memory limit; the whole process then stays below 1 GB."""

UNCOUNTED: Final = 128_000_000
"""Bytes of the limit, a quarter of it at most, that are left for buffers that the engine does not count."""

COUNTED: Final = "row_accounting.csv"
BY_FILE: Final = "accounting_by_file.csv"
QUARANTINE_TABLE: Final = "quarantine.parquet"
KNOWN: Final = (BY_FILE, QUARANTINE_TABLE, "tracks.parquet", "availability.parquet")
"""Tables of the run before that are read when RAW has grown; where one is not whole, everything is made again."""

TRACK_TABLES: Final = ("tracks", "artists", "availability", "recordings")
"""Tables of tracks."""

READ_BY: Final = ("market_names", "date_format", "first_rank")
"""Settings that decide what a row says."""

BEFORE: Final[Shape] = {
    "parameters": {
        "settings": {"market_names": dict},
        "parts": [{"path": str, "sha256": str}],
        "files": [str],
    },
    "notes": {
        "rows": dict.fromkeys(COUNTS, int),
        "reasons": {"*": int},
        "unknown_markets": {"*": str},
        "said": [str],
        "by_title": bool,
        "tracks": int,
        "years": {"*": {"fingerprint": str, "kept": int, "quarantined": int}},
    },
}
"""What the manifest says of a run of this step."""


def clean_charts(
    raw: str | Path,
    folder: Folder | RemoteFolder,
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
    codes; the result is the same as from a new start. At an address all years are cleaned anew when one has changed.

    Parameters
    ----------
    raw
        A folder made by ``ingest``, or a folder of Parquet files of text, such as ``full`` of the prior study; or the
        address of one.
    folder
        Folder for the star (CLEAN), on this machine or at an address.
    market_names
        Additional market names → a known name or code.
    accept
        Conditions that are accepted, as in `diffusion.sources.reading.ReadingOptions`.
    recordings
        Whether ids of one recording are joined in ``recordings.parquet`` by `diffusion.identities` (default True);
        otherwise each id is its own recording.
    memory_limit
        Memory for the rows, beyond which they spill to disk (default 500MB). The process takes 400 MB more at most.
    open_engine
        Function that opens the engine (default: DuckDB in this process).
    tell
        Function that is told the progress.

    Returns
    -------
    dict
        ``rows``: ``raw_rows`` (the sum of the next three), ``kept_rows``, ``duplicate_rows``, ``quarantined_rows`` and
        ``repaired_rows`` and ``tied_rows`` (parts of the kept); ``reasons``: reason → rows in quarantine;
        ``wholeness``: sentences on holes and cadences; ``unknown_markets``: name → message; ``said``: lines about
        ids, and market names that no row has; ``tracks``: their number; ``years``: year → ``fingerprint``, ``kept``,
        ``quarantined``.

    Raises
    ------
    DataSaysNoError
        When more than 1 % of the rows are set aside or tied, or most charts have holes, and `accept` does not name it.
    SourceError
        When RAW cannot be read or is not as its manifest says, or a row is not accounted for.
    SettingError
        When RAW is the folder itself, or at an address that the engine does not reach, or `memory_limit` is no amount
        of memory.
    OutputError
        When the folder cannot be written, or a run is at work in RAW.
    """
    limit = _counted(memory_bytes(memory_limit))
    if _same_place(raw, folder.place):
        raise SettingError(f"'{raw}' is RAW itself; name another folder for what is cleaned with --out")
    with ExitStack() as held:
        engine: Engine | None = None
        stored: RawFiles
        if is_address(raw):
            engine = held.enter_context(open_engine(memory_limit=limit))
            stored = RemoteRaw(engine.remote(raw))
        else:
            stored = LocalRaw(Path(raw))
            if stored.has_folder(""):
                held.enter_context(reading(stored.place))
        found = find_raw(stored)
        settings = {
            "market_names": dict(market_names or {}),
            "accept": sorted(accept),
            "recordings": recordings,
            "date_format": found.date_format,
            "first_rank": found.first_rank,
        }
        told = [list(found.files), dict(found.charts), dict(found.date_forms)]
        key = fingerprint(STEP, VERSION, found.parts, told, found.damaged, settings)
        if not folder.unchanged(STEP, key, BEFORE):
            folder.check_free(STEP, [*(f"{name}.parquet" for name in TRACK_TABLES), QUARANTINE_TABLE, COUNTED, BY_FILE])
            found.check(tell)
            engine = engine or held.enter_context(open_engine(memory_limit=limit))
            _Cleaning(engine, found, folder, settings, tell).run(key)
    put_views(folder, {STEP: CLEANED})
    return folder.notes(STEP)


def _same_place(raw: str | Path, place: Path | str) -> bool:
    return _whole(raw) == _whole(place)


def _whole(place: str | Path) -> str:
    """Return the whole path of a folder of this machine, also of one that is given as an address; else the address."""
    if is_address(place) and not place.lower().startswith("file://"):
        return place.rstrip("/")
    return str(Path(str(place).partition("://")[2] if is_address(place) else place).resolve())


def _counted(limit: int) -> str:
    """Return how much of a memory limit in bytes the engine may count."""
    return f"{int(limit - min(limit / 4, UNCOUNTED)) // 1000}KB"


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
        Rows set aside, in order.
    reasons
        Reason → rows set aside; empty where the year's tables are kept.
    tables
        Files of the year's observations below CLEAN → their rows, in order.
    """

    year: int
    fingerprint: str
    parts: list[str]
    carried: bool = False
    kept: int = 0
    accounts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
    quarantine: list[Stretch] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    tables: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the year: its number, or unknown."""
        return "unknown" if self.year == NO_DATE else str(self.year)

    @property
    def quarantined(self) -> int:
        """Number of rows set aside."""
        return int(self.accounts["quarantined_rows"].sum())

    @property
    def place(self) -> str:
        """Path of the folder of the year's observations below CLEAN."""
        return f"observations/year={self.year}"


class _Cleaning:
    """One run that reads RAW and writes CLEAN."""

    def __init__(
        self,
        engine: Engine,
        raw: RawFolder,
        folder: Folder | RemoteFolder,
        settings: Mapping[str, Any],
        tell: Report,
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
            date_format=self._raw.date_format,
            date_forms=self._raw.date_forms,
            first_rank=self._raw.first_rank,
        )
        files = list(names.files)
        before = self._before(files, names)
        units = self._units(files, before)
        changed = [unit for unit in units if not unit.carried]
        parts = sorted({part for unit in changed for part in unit.parts}) or [self._raw.parts[0]["path"]]
        self._code(parts, before, names)
        for unit in changed:
            self._clean(unit)
        accounts = pd.concat([unit.accounts for unit in units], ignore_index=True)
        check_accounts(accounts, names.files)
        self._open(parts)
        self._put(key, names, units, accounts)

    def _open(self, parts: Sequence[str]) -> None:
        raw = self._raw
        self._engine.open_text(raw.paths(parts), raw.columns, root=raw.stored.place, row=raw.row)

    def _before(self, files: Sequence[str], names: Names) -> Mapping[str, Any] | None:
        """Return the manifest's entry of the run before if its tables can be extended, else None."""
        before = self._folder.previous(STEP, BEFORE)
        if before is None or any(before["parameters"]["settings"].get(k) != self._settings[k] for k in READ_BY):
            return None
        if before["notes"].get("by_title") != names.by_title:
            return None
        old = before["parameters"]
        now = {(part["path"], part["sha256"]) for part in self._raw.parts}
        grown = all((part["path"], part["sha256"]) in now for part in old["parts"])
        if not grown or list(files[: len(old["files"])]) != old["files"]:
            return None
        whole = [self._folder.whole(STEP, name) for name in KNOWN]
        return before if all(whole) else None

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
            self._recall(units, before["notes"]["years"], before["artifacts"])
        return units

    def _recall(self, units: Sequence[_Unit], years: Mapping[str, Any], artifacts: Sequence[Mapping[str, Any]]) -> None:
        """Give unchanged years their old tables, accounts and quarantine."""
        quarantine = Path(self._folder.place, QUARANTINE_TABLE)
        accounts = read_accounts(self._folder.read(BY_FILE))
        starts = accumulate((year["quarantined"] for year in years.values()), initial=0)
        first = dict(zip(years, starts, strict=False))
        for unit in units:
            was = years.get(unit.name)
            if was is None or was["fingerprint"] != unit.fingerprint:
                continue
            tables = {one["path"]: one["rows"] for one in artifacts if one["path"].startswith(f"{unit.place}/")}
            if sum(tables.values()) != was["kept"] or not all(self._folder.whole(STEP, name) for name in tables):
                continue
            unit.carried, unit.kept, unit.tables = True, was["kept"], tables
            unit.quarantine = [Stretch(quarantine, first[unit.name], was["quarantined"])]
            unit.accounts = accounts[accounts["year"] == unit.name]

    def _code(self, parts: Sequence[str], before: Mapping[str, Any] | None, names: Names) -> None:
        self._tell("coding tracks")
        self._open(parts)
        code_tracks(self._engine, known=Path(self._folder.place) if before else None, by_title=names.by_title)

    def _clean(self, unit: _Unit) -> None:
        """Write the observations of one year, and note the outcome of its rows."""
        self._tell(f"cleaning {unit.name}")
        engine = self._engine
        self._open(unit.parts)
        judge_rows(engine, first_year=unit.year, last_year=unit.year)
        outcomes = engine.fetch("accounts")
        unit.accounts, unit.reasons = account_by_file(outcomes, unit.name), count_reasons(outcomes)
        if unit.reasons:
            engine.create("set_aside")
            aside = self._folder.stage_aside(STEP, f"set_aside/{unit.name}")
            unit.quarantine = [Stretch(_at(aside, name)) for name in engine.write_parts("quarantine", aside)]
        if unit.accounts["kept_rows"].any():
            place = self._folder.stage_parts(STEP, unit.place)
            written = engine.write_parts("observations", place, by="sorted_observations")
            unit.tables = {f"{unit.place}/{name}": rows for name, rows in written.items()}
            unit.kept = sum(written.values())

    def _put(self, key: str, names: Names, units: Sequence[_Unit], accounts: pd.DataFrame) -> None:
        """Write the tables over all years, and put everything into the folder."""
        self._tell("describing tracks")
        folder = self._folder
        written = self._describe(units)
        damaged = [Stretch(self._raw.stored.here(DAMAGED, self._engine.scratch(DAMAGED)))] if self._raw.damaged else []
        counted = self._set_aside(units, damaged)
        accounts = pd.concat([accounts, *(account_damaged(lines_by_file(table)) for table in damaged)])
        counts = total_counts(accounts)
        reasons = dict(sorted(counted.items()))
        wholeness = self._judge(counts, reasons)
        notes = {
            "rows": counts,
            "reasons": reasons,
            "wholeness": wholeness,
            "unknown_markets": names.unknown_markets,
            "said": list(names.said()),
            "by_title": names.by_title,
            "tracks": written["tracks"],
            "years": {
                unit.name: {"fingerprint": unit.fingerprint, "kept": unit.kept, "quarantined": unit.quarantined}
                for unit in units
            },
        }
        parameters = {"settings": self._settings, "parts": list(self._raw.parts), "files": list(names.files)}
        folder.begin(STEP, key, parameters=parameters, notes=notes)
        folder.carry(STEP, [name for unit in units if unit.carried for name in unit.tables])
        for name, rows in ((name, rows) for unit in units if not unit.carried for name, rows in unit.tables.items()):
            folder.enlist(STEP, name, rows=rows)
        for name, rows in written.items():
            folder.enlist(STEP, f"{name}.parquet", rows=rows)
        folder.enlist(STEP, QUARANTINE_TABLE, rows=counted.total())
        folder.put(STEP, COUNTED, counts_csv(counts))
        by_file = accounts.sort_values(["file", "year"], kind="stable")
        folder.put(
            STEP, BY_FILE, csv_table(by_file).to_csv(index=False, lineterminator="\n").encode(), rows=len(by_file)
        )

    def _set_aside(self, units: Sequence[_Unit], damaged: Sequence[Stretch]) -> Counter[str]:
        """Write the rows set aside and the damaged lines as one table, and return reason → rows."""
        folder = self._folder
        aside = [stretch for unit in units for stretch in unit.quarantine]
        if isinstance(folder, Folder):
            return write_quarantine(folder.stage(STEP, QUARANTINE_TABLE), [*aside, *damaged])
        last = self._engine.scratch("last.parquet")
        counted = sum((unit.reasons for unit in units), write_quarantine(last, damaged))
        joined = folder.join(
            STEP, QUARANTINE_TABLE, [*(stretch.path for stretch in aside), folder.there(last)], QUARANTINE
        )
        if joined != counted.total():
            raise SourceError(f"{counted.total():,} rows were set aside, but {joined:,} are in quarantine; clean again")
        return counted

    def _judge(self, counts: Mapping[str, int], reasons: Mapping[str, int]) -> list[str]:
        """Refuse what the user has not accepted; return sentences on holes and cadences of the observations."""
        account = RowAccount(
            counts["raw_rows"], counts["kept_rows"], counts["duplicate_rows"], 0, reasons, counts["tied_rows"]
        )
        check_set_aside(account, self._raw.stored.place, self._settings["accept"])
        wholeness = measure_wholeness(self._engine)
        check_holes(wholeness, self._raw.stored.place, self._settings["accept"])
        return wholeness.said()

    def _describe(self, units: Sequence[_Unit]) -> dict[str, int]:
        """Write the tables of tracks, and return table → rows."""
        engine, folder = self._engine, self._folder
        carried = [Path(folder.place, name) for unit in units if unit.carried for name in unit.tables]
        places = {unit.place: folder.stage_parts(STEP, unit.place) for unit in units if not unit.carried}
        fresh = [
            _at(places[unit.place], PurePosixPath(name).name)
            for unit in units
            if not unit.carried
            for name in unit.tables
        ]
        if carried or fresh:
            engine.open_table("observations", [*carried, *fresh])
        else:
            engine.view("observations")
        read_fields(engine)
        files = {name: folder.stage(STEP, f"{name}.parquet") for name in TRACK_TABLES}
        rows = {"tracks": engine.write("tracks", files["tracks"])}
        engine.open_table("tracks", [files["tracks"]])
        keys = engine.scratch("recording_keys.parquet")
        tracks = folder.here(files["tracks"], engine.scratch("tracks.parquet"))
        key_recordings(tracks, keys, joined=self._settings["recordings"])
        engine.open_table("recording_keys", [folder.there(keys)])
        return rows | {name: engine.write(name, file) for name, file in files.items() if name not in rows}


def _at(place: Path | str, name: str) -> Path | str:
    """Return the path or address of a file in a folder."""
    return place / name if isinstance(place, Path) else f"{place}/{name}"

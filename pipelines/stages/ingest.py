"""Stage 1, ingest: chart files become RAW: Parquet by year with all rows and columns, without filtering."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os.path import commonpath
from pathlib import Path
from typing import Any, Final, cast

import polars as pl
import pyarrow as pa

from diffusion import OutputError, SettingError, SourceError
from diffusion.sources.csv_files import DAMAGED
from diffusion.sources.layouts import FileKind, list_files, recognise
from pipelines.contracts.raw import AUX_FULL, AUX_SLIM
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import digest_of, file_facts, fingerprint, read_manifest, to_json
from pipelines.progress import Report
from pipelines.reference.auxiliary import PROFILE, auxiliary_lookup, profile_csv
from pipelines.stages.chart_files import open_chart_file
from pipelines.stages.partitions import Partitions, partitions
from pipelines.stages.profile import Profile
from pipelines.stages.raw_folder import INGESTED
from pipelines.stages.raw_rows import Reading, column_names, full_rows, slim_rows

STEP: Final = "ingest"
VERSION: Final = 1
"""Version of the step; raised when the same input gives other tables."""

DAMAGED_TABLE: Final = "damaged.parquet"
DISTINCT_TABLE: Final = "distinct_values.parquet"


@dataclass(frozen=True, slots=True)
class Options:
    """Options for reading chart files.

    Attributes
    ----------
    columns
        Our column → the files' column, as in `diffusion.open_charts`.
    encoding
        Encoding of files that are neither UTF-8 nor UTF-16 (default None: recognised from the bytes).
    aux
        Folder of auxiliary tables whose columns are joined to the rows (default None).
    slim_only
        Whether to leave out ``full``, the text of all columns (default False). Values that cannot be read as their type
        are then lost, and RAW cannot be cleaned: only for a quick look.
    """

    columns: Mapping[str, str]
    encoding: str | None = None
    aux: Path | None = None
    slim_only: bool = False


def ingest(
    paths: Sequence[str | Path], folder: Folder, *, options: Options, append: bool = False, tell: Report
) -> dict[str, Any]:
    """Write chart files into RAW, unless nothing has changed, and return the notes.

    Parameters
    ----------
    paths
        Files, globs or folders: CSV, also .gz and .zst, and Parquet.
    folder
        Folder for RAW.
    options
        Options for reading the files.
    append
        Whether to add the files to RAW (default False). A file whose content is in RAW already is skipped, even under
        another name, so that appending twice changes nothing.
    tell
        Function that is told the progress.

    Returns
    -------
    dict
        ``sources``: one dict per file, in order: ``path``, ``bytes``, ``sha256``, ``rows``, ``damaged``, ``layout``,
        ``encoding``, ``chart`` (its name where rows give none); ``profile``: see `Profile`; ``columns``: those of the
        source, in order; ``unknown_markets``: their names; ``empty``: files without rows; ``runs``: number of runs that
        added files.

    Raises
    ------
    SourceError
        When no file is found, or a file is not a chart file.
    OutputError
        When the folder cannot be written.
    """
    kinds = {file: kind for path in paths for file, kind in list_files(path).items()}
    files = _named_files(paths, list(kinds))
    settings: dict[str, Any] = {"columns": dict(options.columns), "encoding": options.encoding}
    settings |= {"aux": _aux_digest(options.aux), "slim_only": options.slim_only}
    before = folder.previous(STEP, INGESTED)
    grown = before if append else None
    if grown and grown["parameters"]["settings"] != settings:
        raise SettingError(
            f"'{folder.place}' was made with other --column, --encoding or --join-aux; append with the same ones"
        )
    facts = _facts(files) if before else None
    if grown and facts is not None and not _is_whole(folder, grown, facts):
        grown = None
    if facts is not None:
        held = grown["notes"]["sources"] if grown else []
        known = {source["sha256"] for source in held}
        files = {path: name for path, name in files.items() if not grown or facts[path]["sha256"] not in known}
        files = _named_apart(files, {source["path"] for source in held})
        wanted = [*held, *(facts[path] | {"path": name} for path, name in files.items())]
        if folder.unchanged(STEP, _fingerprint(wanted, settings), INGESTED):
            return folder.notes(STEP)
    return _Ingestion(folder, options, settings, grown, tell).run(files, kinds, facts)


class _Ingestion:
    """One run that reads files and writes RAW."""

    def __init__(
        self,
        folder: Folder,
        options: Options,
        settings: Mapping[str, Any],
        grown: Mapping[str, Any] | None,
        tell: Report,
    ) -> None:
        self._folder, self._options, self._settings, self._grown, self._tell = folder, options, settings, grown, tell
        notes: Mapping[str, Any] = grown["notes"] if grown else {"sources": [], "columns": [], "runs": 0}
        self._runs = notes["runs"]
        self._sources: list[dict[str, Any]] = list(notes["sources"])
        self._columns = dict.fromkeys(notes["columns"])
        self._profile = Profile.from_notes(notes["profile"], folder.read_table(DISTINCT_TABLE)) if grown else Profile()
        self._damaged = [folder.read_table(DAMAGED_TABLE)] if grown else [DAMAGED.empty_table()]
        self._markets: dict[str, tuple[str, str | None]] = {}
        self._aux = _aux_rows(options.aux)

    def run(
        self, files: Mapping[Path, str], kinds: Mapping[Path, FileKind], facts: Mapping[Path, Mapping[str, Any]] | None
    ) -> dict[str, Any]:
        """Read the files, write everything, and return the notes."""
        with ThreadPoolExecutor(1) as pool, partitions(self._stage, part=f"{self._runs:04d}") as tables:
            digests: Future[Mapping[Path, Mapping[str, Any]]] = pool.submit(lambda: facts or _facts(files))
            try:
                found = {path: self._read(path, kinds[path], name, tables) for path, name in files.items()}
            except BaseException:
                digests.cancel()
                raise
            parts = tables.close()
            self._tell("writing reports")
            self._sources += [{**digests.result()[path], **source} for path, source in found.items()]
        if self._profile.rows + self._profile.damaged == 0:
            raise SourceError(f"no rows in {_few(list(files.values()))}: there is nothing below a header")
        return self._put(parts)

    def _stage(self, name: str) -> Path:
        return self._folder.stage(STEP, name)

    def _read(self, path: Path, kind: FileKind, name: str, tables: Partitions) -> dict[str, Any]:
        """Read one file into the tables, and return its entry in the notes."""
        source: dict[str, Any] = {"path": name, "rows": 0, "damaged": 0, "layout": "", "encoding": ""}
        if not path.stat().st_size:
            return source
        file = open_chart_file(path, kind, encoding=self._options.encoding)
        layout, columns = recognise(file.names, path, self._options.columns)
        names = column_names(file.names)
        ours = {key: names[theirs] if theirs else None for key, theirs in columns.items()}
        reading = Reading(name, names, ours, "top200" if columns["streams"] else "viral50", self._markets)
        self._columns |= dict.fromkeys(names.values())
        for block, share in file.blocks:
            self._tell(f"reading {name}", share)
            full = full_rows(block, reading)
            slim = slim_rows(full, reading)
            self._profile.add(full, slim, list(names.values()), len(block.damaged))
            whole = {} if self._options.slim_only else {"full": self._with_aux(full, AUX_FULL)}
            tables.add(whole | {"slim": self._with_aux(slim, AUX_SLIM)})
            self._damaged.append(block.damaged_table(name))
            source["rows"] += full.height
            source["damaged"] += len(block.damaged)
        return source | {"layout": layout.name, "encoding": file.encoding, "chart": reading.chart}

    def _with_aux(self, rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """Return rows with the columns of the auxiliary tables for their market, if these are used."""
        if self._aux is None:
            return rows
        return rows.join(self._aux.select("market", *columns), on="market", how="left", maintain_order="left")

    def _put(self, parts: Mapping[str, int]) -> dict[str, Any]:
        folder, columns = self._folder, list(self._columns)
        unknown = {name for name, code in self._markets.values() if code is None}
        notes = {
            "sources": self._sources,
            "profile": self._profile.notes(),
            "columns": columns,
            "unknown_markets": sorted(unknown | set(self._grown["notes"]["unknown_markets"] if self._grown else ())),
            "empty": [source["path"] for source in self._sources if not (source["rows"] or source["damaged"])],
            "runs": self._runs + 1,
        }
        key = _fingerprint(self._sources, self._settings)
        folder.begin(STEP, key, parameters={"settings": dict(self._settings)}, notes=notes)
        if self._grown:
            held = [artifact["path"] for artifact in self._grown["artifacts"]]
            folder.carry(STEP, [path for path in held if path.startswith(("full/", "slim/"))])
        for name, rows in parts.items():
            folder.enlist(STEP, name, rows=rows)
        folder.put_table(STEP, DAMAGED_TABLE, pa.concat_tables(self._damaged))
        folder.put_table(STEP, DISTINCT_TABLE, self._profile.distinct_table())
        for name, content in self._profile.reports(columns, join_aux=self._aux is not None).items():
            folder.put(STEP, name, content)
        folder.put(STEP, PROFILE, _aux_profile(self._options.aux))
        return folder.notes(STEP)


def _is_whole(folder: Folder, before: Mapping[str, Any], given: Mapping[Path, Mapping[str, Any]]) -> bool:
    """Return whether RAW can be added to; False where it is damaged and all its files are given, to be read again.

    Raises
    ------
    OutputError
        When RAW is damaged and a file that it was made of is not given.
    """
    held = [artifact["path"] for artifact in before["artifacts"]]
    needed = [DAMAGED_TABLE, DISTINCT_TABLE, *(name for name in held if name.startswith(("full/", "slim/")))]
    damaged = [name for name in needed if not folder.whole(STEP, name)]
    if not damaged:
        return True
    there = {facts["sha256"] for facts in given.values()}
    lacking = [source["path"] for source in before["notes"]["sources"] if source["sha256"] not in there]
    if lacking:
        raise OutputError(
            f"'{folder.place / damaged[0]}' is not as the manifest says, and cannot be made again without "
            f"{_few(lacking)}; ingest all files anew, without --append"
        )
    return False


def _named_files(paths: Sequence[str | Path], files: Sequence[Path]) -> dict[Path, str]:
    """Return chart file → its name in the rows: the path below the common folder of all files."""
    folders = [Path(path) for path in paths if Path(path).is_dir()]
    inside = [file.parent for file in files if not any(file.is_relative_to(folder) for folder in folders)]
    root = Path(commonpath([folder.absolute() for folder in (*folders, *inside)]))
    return {file: file.absolute().relative_to(root).as_posix() for file in files}


def _named_apart(files: Mapping[Path, str], taken: set[str]) -> dict[Path, str]:
    """Return file → name, with a number added to names that are `taken` in RAW."""
    names = {}
    for file, name in files.items():
        free, number = name, 2
        while free in taken:
            free, number = f"{name} ({number})", number + 1
        names[file] = free
    return names


def _facts(files: Mapping[Path, str]) -> dict[Path, dict[str, Any]]:
    return {file: file_facts([file], file.parent)[0] | {"path": name} for file, name in files.items()}


def _fingerprint(sources: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    return fingerprint(
        STEP, VERSION, [[source[fact] for fact in ("path", "bytes", "sha256")] for source in sources], settings
    )


def _aux_rows(aux: Path | None) -> pl.DataFrame | None:
    return None if aux is None else cast(pl.DataFrame, pl.from_arrow(auxiliary_lookup(aux)))


def _aux_digest(aux: Path | None) -> str | None:
    """Return the digest of the auxiliary tables for a fingerprint."""
    return None if aux is None else digest_of(to_json(read_manifest(aux)["steps"]))


def _aux_profile(aux: Path | None) -> bytes:
    tables = {} if aux is None else read_manifest(aux)["steps"]["auxiliary"]["notes"]["tables"]
    return profile_csv(tables, folder="" if aux is None else aux.name)


def _few(names: Sequence[str]) -> str:
    return f"'{names[0]}'" if len(names) == 1 else f"'{names[0]}' and {len(names) - 1} more"

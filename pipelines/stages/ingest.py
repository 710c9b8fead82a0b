"""Stage 1, ingest: chart files become RAW: Parquet by year with all rows and columns, without filtering."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

import polars as pl
import pyarrow as pa

from diffusion import OutputError, SettingError, SourceError
from diffusion.sources.csv_files import DAMAGED
from diffusion.sources.planning import find_source
from diffusion.sources.reading import ReadingOptions
from diffusion.sources.source import ChartFile
from pipelines.contracts.raw import AUX_FULL, AUX_SLIM
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import digest_of, file_facts, fingerprint, read_manifest, to_json
from pipelines.progress import Report
from pipelines.reference.auxiliary import PROFILE, auxiliary_lookup, profile_csv
from pipelines.stages.column_forms import ColumnForms
from pipelines.stages.partitions import Partitions, partitions
from pipelines.stages.profile import Profile
from pipelines.stages.raw_folder import INGESTED
from pipelines.stages.raw_rows import Reading, full_rows, slim_rows

STEP: Final = "ingest"
VERSION: Final = 2
"""Version of the step; raised when the same input gives other tables."""

READING: Final = ("columns", "from_name", "encoding", "date_format", "first_rank")
"""Options for reading that RAW depends on."""

DAMAGED_TABLE: Final = "damaged.parquet"
DISTINCT_TABLE: Final = "distinct_values.parquet"


@dataclass(frozen=True, slots=True)
class Options:
    """Options for reading chart files.

    Attributes
    ----------
    reading
        What the user says about the files.
    aux
        Folder of auxiliary tables whose columns are joined to the rows (default None).
    slim_only
        Whether to leave out ``full``, the text of all columns (default False). Values that cannot be read as their type
        are then lost, and RAW cannot be cleaned: only for a quick look.
    """

    reading: ReadingOptions = field(default_factory=ReadingOptions)
    aux: Path | None = None
    slim_only: bool = False


def ingest(
    paths: Sequence[str | Path],
    folder: Folder,
    *,
    options: Options,
    append: bool = False,
    replace_others: bool = False,
    tell: Report,
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
    replace_others
        Whether RAW of other files, or of other options, may be replaced (default False).
    tell
        Function that is told the progress.

    Returns
    -------
    dict
        ``sources``: one dict per file, in order: ``path``, ``bytes``, ``sha256``, ``member`` (name in an archive),
        ``facts`` (our column → value where the rows have none), ``rows``, ``damaged``, ``layout``, ``encoding``,
        ``chart`` (its name where nothing gives one); ``profile``: see `Profile`; ``columns``: those of the source, in
        order; ``roles``: column of ``full`` → our column, or None; ``said``: lines about what was recognised;
        ``unknown_markets``: their names; ``empty``: files without rows; ``passed_over``: file or folder → why it was
        not read; ``runs``: number of runs that added files.

    Raises
    ------
    SourceError
        When no file is found, or a file is not a chart file.
    OutputError
        When the folder cannot be written, or RAW of other files or options would be replaced.
    """
    said = asdict(options.reading)
    settings = {name: said[name] for name in READING} | {
        "without_market": options.reading.market_names.get(""),
        "aux": _aux_digest(options.aux),
        "slim_only": options.slim_only,
    }
    before = folder.previous(STEP, INGESTED)
    grown = before if append else None
    if append and not before and folder.previous(STEP):
        raise OutputError(
            f"the manifest of '{folder.place}' was changed by hand or is of an older version; ingest all files anew, "
            "without --append"
        )
    if grown and grown["parameters"]["settings"] != settings:
        raise SettingError(f"'{folder.place}' was made with other options; append with the same ones")
    held = grown["notes"]["sources"] if grown else []
    source = find_source(paths, options.reading, chart=held[0]["chart"] if held else None)
    files, digests = list(source.files), _digests(source.paths) if before else None
    if grown and digests is not None and not _is_whole(folder, grown, digests):
        grown, held = None, []
    if before and digests is not None and not append and not replace_others:
        _check_kept(folder.place, before, settings, [_facts(file, digests) for file in files])
    if digests is not None:
        known = {_content(one) for one in held}
        files = [file for file in files if _content(_facts(file, digests)) not in known]
        files = _named_apart(files, {one["path"] for one in held})
        wanted = [*held, *(_facts(file, digests) for file in files)]
        if folder.unchanged(STEP, _fingerprint(wanted, settings), INGESTED):
            return folder.notes(STEP)
    notes = {"passed_over": source.passed_over, "said": list(source.said)}
    return _Ingestion(folder, options, settings, grown, tell).run(files, digests, notes)


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
        notes: Mapping[str, Any] = grown["notes"] if grown else {"sources": [], "columns": [], "roles": {}, "runs": 0}
        self._runs = notes["runs"]
        self._sources: list[dict[str, Any]] = list(notes["sources"])
        self._columns = dict.fromkeys(notes["columns"])
        self._roles: dict[str, str | None] = dict(notes["roles"])
        self._profile = Profile.from_notes(notes["profile"], folder.read_table(DISTINCT_TABLE)) if grown else Profile()
        self._damaged = [folder.read_table(DAMAGED_TABLE)] if grown else [DAMAGED.empty_table()]
        self._markets: dict[str, tuple[str, str | None]] = {}
        self._aux = _aux_rows(options.aux)

    def run(
        self, files: Sequence[ChartFile], known: Mapping[Path, Mapping[str, Any]] | None, notes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Read the files, write everything, and return the notes, which begin with `notes`."""
        with ThreadPoolExecutor(1) as pool, partitions(self._stage, part=f"{self._runs:04d}") as tables:
            paths = list(dict.fromkeys(file.listed.path for file in files))
            digests: Future[Mapping[Path, Mapping[str, Any]]] = pool.submit(lambda: known or _digests(paths))
            try:
                forms = ColumnForms(files, self._options.reading, [one["date_form"] for one in self._sources])
                found = [self._read(file, tables, forms) for file in files]
            except BaseException:
                digests.cancel()
                raise
            parts = tables.close()
            self._tell("writing reports")
            told = [_facts(file, digests.result()) for file in files]
            self._sources += [facts | source for facts, source in zip(told, found, strict=True)]
        if self._profile.rows + self._profile.damaged == 0:
            raise SourceError(f"no rows in {_few([file.name for file in files])}: there is nothing below a header")
        return self._put(parts, notes)

    def _stage(self, name: str) -> Path:
        return self._folder.stage(STEP, name)

    def _read(self, file: ChartFile, tables: Partitions, forms: ColumnForms) -> dict[str, Any]:
        """Read one file into the tables, and return what was found for its entry in the notes."""
        reading = Reading.of(file, self._roles, self._markets, forms)
        self._roles |= reading.roles
        self._columns |= dict.fromkeys(reading.names.values())
        rows, damaged = 0, 0
        for block, share in file.blocks():
            self._tell(f"reading {file.name}", share)
            full = full_rows(block, reading)
            slim = slim_rows(full, reading)
            self._profile.add(full, slim, list(reading.names.values()), len(block.damaged))
            whole = {} if self._options.slim_only else {"full": self._with_aux(full, AUX_FULL)}
            tables.add(whole | {"slim": self._with_aux(slim, AUX_SLIM)})
            self._damaged.append(block.damaged_table(file.name))
            rows += full.height
            damaged += len(block.damaged)
        return {
            "rows": rows,
            "damaged": damaged,
            "layout": file.layout,
            "encoding": file.opened.encoding,
            "chart": file.chart,
            "date_form": forms.date_form(file.name),
        }

    def _with_aux(self, rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """Return rows with the columns of the auxiliary tables for their market, if these are used."""
        if self._aux is None:
            return rows
        return rows.join(self._aux.select("market", *columns), on="market", how="left", maintain_order="left")

    def _put(self, parts: Mapping[str, int], found: Mapping[str, Any]) -> dict[str, Any]:
        folder, columns = self._folder, list(self._columns)
        unknown = {name for name, code in self._markets.values() if code is None}
        notes = {
            **found,
            "sources": self._sources,
            "profile": self._profile.notes(),
            "columns": columns,
            "roles": self._roles,
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


def _check_kept(
    place: Path, before: Mapping[str, Any], settings: Mapping[str, Any], given: Sequence[Mapping[str, Any]]
) -> None:
    """Check that RAW was made with the same options, of files that are given again; they may have changed.

    Raises
    ------
    OutputError
        When it was not.
    """
    ways = "name another --out, or give --replace"
    if before["parameters"]["settings"] != settings:
        raise OutputError(f"'{place}' was made with other options; {ways}")
    there = {one[fact] for one in given for fact in ("path", "sha256")}
    lacking = [one["path"] for one in before["notes"]["sources"] if not there & {one["path"], one["sha256"]}]
    if lacking:
        raise OutputError(f"'{place}' was made of {_few(lacking)}, not given now; add to it with --append, {ways}")


def _named_apart(files: Sequence[ChartFile], taken: set[str]) -> list[ChartFile]:
    """Return files with a number added to names that are `taken` in RAW."""
    named = []
    for file in files:
        free, number = file.name, 2
        while free in taken:
            free, number = f"{file.name} ({number})", number + 1
        named.append(replace(file, name=free))
    return named


def _digests(paths: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    return {path: file_facts([path], path.parent)[0] for path in paths}


def _facts(file: ChartFile, digests: Mapping[Path, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what identifies a file in the notes."""
    named = {"path": file.name, "member": file.listed.member, "facts": dict(file.facts)}
    return {**digests[file.listed.path], **named}


def _content(source: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the content of a file, of which the facts in its name are a part."""
    return source["sha256"], source["member"], tuple(sorted(source["facts"].items()))


def _fingerprint(sources: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    told = ("path", "bytes", "sha256", "facts")
    return fingerprint(STEP, VERSION, [[source[fact] for fact in told] for source in sources], settings)


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

"""The tables of a folder that have a contract: listed, as views for SQL, and as ``views.sql`` for anyone's DuckDB."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

from diffusion.chart_views import MARKETS_ONLY
from diffusion.contracts import CHART_ROWS, OBSERVATIONS, Contract
from diffusion.engine import View, quoted_name, quoted_text, view_statement
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import digest_of, fingerprint
from pipelines.folders.remote_folder import RemoteFolder

Contracts = Mapping[str, Mapping[str, Contract]]
"""Step → name or pattern of its tables → contract, as in `pipelines.artifacts.ARTIFACTS`."""

VIEWS: Final = "views"
"""Name of ``views.sql`` in the manifest."""

VERSION: Final = 1
"""Raised when ``views.sql`` of the same tables reads otherwise."""

HEAD: Final = """\
-- The tables of this folder as views, for DuckDB 1.2 or later: on its command line, in R, in Python.
-- Names of files are relative, so start in this folder:
--     cd FOLDER
--     duckdb -init views.sql
-- or run this file anywhere after
--     SET file_search_path = 'FOLDER';
-- Made by chart-diffusion, and made again when the tables change.
"""


@dataclass(frozen=True, slots=True)
class FolderTable:
    """A table of a folder.

    Attributes
    ----------
    step
        Step that made it.
    contract
        Columns, and what one row is.
    paths
        Its files below the folder.
    rows
        Number of rows; None where the manifest does not count them.
    where
        Condition for its rows, in SQL; empty for all rows of the files.
    """

    step: str
    contract: Contract
    paths: tuple[str, ...]
    rows: int | None
    where: str = ""


class CheckedFolder(Protocol):
    """A folder that returns the paths of its artifacts after a check."""

    def path(self, name: str) -> Path:
        """Return the path of an artifact."""


def tables_there(steps: Mapping[str, Mapping[str, Any]], contracts: Contracts) -> dict[str, FolderTable]:
    """Return name → table, for the contracted tables in the steps of a manifest.

    A table of one file is called as the file; a table of several files as its contract. Of tables of one name the
    first is taken: Parquet before CSV. `charts` is added to `observations`: the rows without Global.
    """
    found: dict[str, FolderTable] = {}
    for step, tables in contracts.items():
        artifacts = steps[step]["artifacts"] if step in steps else []
        for pattern, contract in tables.items():
            there = [artifact for artifact in artifacts if fnmatchcase(artifact["path"], pattern)]
            name = contract.name if "*" in pattern else PurePosixPath(pattern).stem
            if not there or name in found:
                continue
            paths = tuple(sorted(artifact["path"] for artifact in there))
            counts = [artifact.get("rows") for artifact in there]
            rows = None if None in counts else sum(counts)
            if contract == OBSERVATIONS:
                found["charts"] = FolderTable(step, CHART_ROWS, paths, None, MARKETS_ONLY)
            found[name] = FolderTable(step, contract, paths, rows)
    return found


def views_of(tables: Mapping[str, FolderTable], folder: CheckedFolder) -> dict[str, View]:
    """Return name → view over the files of a folder, which are checked when SQL names the view."""

    def view(table: FolderTable) -> View:
        return View(table.contract, lambda: [folder.path(name) for name in table.paths], table.where)

    return {name: view(table) for name, table in tables.items()}


def views_sql(tables: Mapping[str, FolderTable]) -> str:
    """Return the statements that create views of tables and comment on them, for use in their folder."""
    return "\n".join([HEAD, *(line for name in tables for line in _statements(name, tables[name]))])


def put_views(folder: Folder | RemoteFolder, contracts: Contracts) -> None:
    """Put ``views.sql`` into a folder, unless the file is there already."""
    content = views_sql(tables_there(folder.manifest()["steps"], contracts)).encode()
    key = fingerprint(VIEWS, VERSION, digest_of(content))
    if not folder.unchanged(VIEWS, key):
        folder.begin(VIEWS, key, parameters={}, notes={})
        folder.put(VIEWS, "views.sql", content)


def _statements(name: str, table: FolderTable) -> Iterator[str]:
    shown, contract = quoted_name(name), table.contract
    yield view_statement(name, View(contract, list, table.where), table.paths)
    yield f"COMMENT ON VIEW {shown} IS {quoted_text(f'A row is {contract.row}.')};"
    for column in contract.columns:
        yield f"COMMENT ON COLUMN {shown}.{quoted_name(column.name)} IS {quoted_text(column.meaning)};"
    yield ""

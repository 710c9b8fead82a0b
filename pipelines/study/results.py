"""Results of a study's steps, read back as tables, entries and graph, during a run and afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Protocol, overload

import pandas as pd
import pyarrow as pa

from diffusion import Absences, Calendar, Charts, Entries, EventRules, SettingError
from diffusion.contracts import Contract
from diffusion.display import Displayed
from diffusion.engine import Workers, select_rows, unknown_table, workers
from diffusion.finding import find_recordings, first_places
from diffusion.frames import As, frame_of
from graphs import SCORES, MarketGraph
from graphs.baseline import Baseline, baseline
from pipelines.folders.manifest import Shape
from pipelines.folders.tables import Contracts, FolderTable, tables_there, views_of
from pipelines.formatting import many

SHAPES: Final[Mapping[str, Shape]] = {
    "entries": {
        "parameters": {"min_periods": int, "washout": int, "identity": str, "top": (int, None)},
        "notes": {
            **dict.fromkeys(("layout", "chart", "first_date", "last_date", "events"), str),
            **dict.fromkeys(("cadence_days", "markets", "tracks", "entries", "left_censored", "upper_top"), int),
            "cohort": [str],
            "tracks_of_all": int,
            "artists_whole": bool,
            "rows": {"read": int, "kept": int, "duplicates": int, "aggregate": int, "set_aside": {"*": int}},
            "other_charts": {"*": int},
            "groups": {"*": [str]},
            "absent": {"*": [str]},
            "not_made": {"*": str},
        },
    },
    "graph": {
        "notes": {
            **dict.fromkeys(("window", "transitions", "ties", "exposed"), int),
            "chart": str,
            "unmatched": {"*": {"pairs": int, "markets": [str]}},
            "not_made": {"*": str},
        }
    },
    "direct": {"notes": {"not_made": {"*": str}}},
    "survival": {"notes": {"caveats": [str], "horizon": int, "own": (str, None), "not_made": {"*": str}}},
    "effects": {
        "notes": {"same": [str], "of_artists": [str], "strata": [str], "missing": {"*": int}, "not_made": {"*": str}}
    },
    "states": {"notes": {"caveats": [str], "not_made": {"*": str}}},
}
"""Step → what its entry in the manifest must be to be read; of other steps the manifest's own shape is enough."""


@dataclass(frozen=True, slots=True)
class Maker:
    """A step of a study, as the one that makes tables.

    Attributes
    ----------
    tables
        Name → contract, for the tables that it may make.
    computed
        What it makes, as the subject of a sentence: "the graph was".
    command
        Command that makes it.
    """

    tables: Mapping[str, Contract]
    computed: str
    command: str


class ResultsFolder(Protocol):
    """A folder that results are read from: that of a run, or a finished folder."""

    place: Path

    def manifest(self) -> dict[str, Any]:
        """Return the manifest."""

    def path(self, name: str) -> Path:
        """Return the path of an artifact."""

    def holds(self, name: str) -> bool:
        """Return whether the folder has an artifact of this name."""

    def read_table(self, name: str) -> pa.Table:
        """Return an artifact as a table."""

    def notes(self, step: str) -> dict[str, Any]:
        """Return the notes of a step."""

    def parameters(self, step: str) -> dict[str, Any]:
        """Return the parameters of a step."""


class Results(Displayed):
    """Results of the steps of a study; each table is read when it is first needed.

    `pipelines.open_study` opens those of a finished folder. In a notebook, the list of `tables` is shown.

    Parameters
    ----------
    folder
        Folder of the results.
    makers
        Step → its tables and the command that makes it.

    Attributes
    ----------
    before
        While a run makes steps: what its folder held before, where the charts have grown since; None otherwise.
    charts
        While a run makes steps: function that returns the charts, opened.
    workers
        Function that returns the processes that make sums over tracks, None for this process; of another engine only
        while a run makes steps.
    """

    def __init__(self, folder: ResultsFolder, makers: Mapping[str, Maker]) -> None:
        self.folder = folder
        self.before: Results | None = None
        self.charts: Callable[[], Charts] = _not_open
        self.workers: Callable[[], Workers | None] = workers
        self._makers = makers

    def _facts(self) -> str:
        return f" in '{self.folder.place}': {many(len(self._there), 'table')}"

    def _repr_html_(self) -> str:
        return f"<p>{len(self._there)} tables</p>{self.tables.to_html(index=False)}"

    @property
    def contracts(self) -> Contracts:
        """Contracts of the tables that the steps may make: step → name of the file → contract."""
        return {
            step: {f"{name}.parquet": contract for name, contract in maker.tables.items()}
            for step, maker in self._makers.items()
        }

    @property
    def tables(self) -> pd.DataFrame:
        """The tables that were made: `table` (its name), `step`, `rows` (their number), `one_row` (what a row is)."""
        rows = [(name, one.step, one.rows, one.contract.row) for name, one in self._there.items()]
        return pd.DataFrame(rows, columns=["table", "step", "rows", "one_row"]).astype({"rows": "Int64"})

    @property
    def _there(self) -> dict[str, FolderTable]:
        return tables_there(self.folder.manifest()["steps"], self.contracts)

    def holds(self, table: str) -> bool:
        """Return whether a table was made."""
        return self.folder.holds(f"{table}.parquet")

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as a frame: dates as timestamps, whole numbers that may be missing as ``Int64``.

        Raises
        ------
        SettingError
            When it is not there, with the reason or the command that makes it, or was changed.
        """
        found = self.arrow(name)
        contract = next(maker.tables[name] for maker in self._makers.values() if name in maker.tables)
        return frame_of(found, whole=frozenset(column.name for column in contract.columns if column.nullable))

    def arrow(self, name: str) -> pa.Table:
        """Return a table as Arrow; see `table`."""
        if not self.holds(name):
            raise SettingError(self._missing(name))
        return self.folder.read_table(f"{name}.parquet")

    def _missing(self, name: str) -> str:
        """Return the message that a table is not there, and why, or how to make it."""
        step = next((step for step, maker in self._makers.items() if name in maker.tables), None)
        if step is None:
            return f"{unknown_table(name, self._there)} ('{self.folder.place}')"
        return f"'{self.folder.place}' holds no table '{name}'; {self.why_not(name)}"

    def why_not(self, name: str, *, sent: bool = False) -> str:
        """Return why a table of the steps was not made, or how to make it; what is `sent` does not name the folder."""
        step = next(step for step, maker in self._makers.items() if name in maker.tables)
        if step not in self.folder.manifest()["steps"]:
            return f"make it with: {self._makers[step].command}{'' if sent else f' --out {self.folder.place}'}"
        reasons = self.notes(step).get("not_made", {})
        return f"not made: {reasons.get(name) or '; '.join(reasons.values()) or 'not asked for'}"

    @overload
    def sql(self, query: str, *, as_: Literal["pandas"] = "pandas") -> pd.DataFrame: ...

    @overload
    def sql(self, query: str, *, as_: Literal["arrow"]) -> pa.Table: ...

    def sql(self, query: str, *, as_: As = "pandas") -> pd.DataFrame | pa.Table:
        """Return what one SELECT in DuckDB's SQL says of the `tables`, which are read only.

        Parameters
        ----------
        query
            The SELECT. Other statements, other files and functions that read files are refused.
        as_
            ``pandas`` (default) or ``arrow``. In pandas, whole numbers of which some are missing are ``Int64``.

        Raises
        ------
        SettingError
            When the SQL is refused or fails, or a table that it names was changed.
        """
        with select_rows(query, views_of(self._there, self.folder)) as rows:
            table = rows.table()
        return table if as_ == "arrow" else frame_of(table)

    def find(self, text: str, *, artist: str | None = None) -> pd.DataFrame:
        """Return the recordings with an entry whose title or artist is called so, as `diffusion.Charts.find`.

        In place of the best rank there is `entry_rank`, the best rank on a day of entry.
        """
        tracks = self.folder.read_table("tracks.parquet")
        return find_recordings(text, tracks, first_places(self.entries.table), artist=artist)

    def notes(self, step: str) -> dict[str, Any]:
        """Return the notes of a step."""
        return self.folder.notes(step)

    def parameters(self, step: str) -> dict[str, Any]:
        """Return the parameters of a step."""
        return self.folder.parameters(step)

    @cached_property
    def entries(self) -> Entries:
        """Entries with coverage calendar, rules, artists and licences."""
        return self._entries("entries", self.parameters("entries")["top"])

    @property
    def upper_entries(self) -> Entries | None:
        """Entries into the upper half of the charts; None where there are none."""
        return (
            self._entries("upper_entries", self.notes("entries")["upper_top"]) if self.holds("upper_entries") else None
        )

    @cached_property
    def absences(self) -> Absences | None:
        """When tracks left every chart; None where it could not be said."""
        if not self.holds("absences"):
            return None
        notes, identity = self.notes("entries"), self.parameters("entries")["identity"]
        return Absences(self.arrow("absences"), notes["chart"], notes["absence_periods"], identity)

    def _entries(self, name: str, top: int | None) -> Entries:
        calendar = Calendar(self.arrow("coverage"))
        given = self.parameters("entries")
        rules = EventRules(calendar.chart, top, *(given[key] for key in ("min_periods", "washout", "identity")))
        table, withheld, tracks = (self.arrow(table) for table in (name, "withheld", "tracks"))
        notes = self.notes("entries")
        groups = {str(group): tuple(members) for group, members in notes["groups"].items()}
        return Entries(
            table, calendar, rules, withheld, tracks, tuple(notes["cohort"]), groups=groups, workers=self.workers()
        )

    @cached_property
    def graph(self) -> MarketGraph:
        """The market graph."""
        notes = self.notes("graph")
        return MarketGraph(
            self.table("markets").drop(columns=list(SCORES)),
            self.table("edges"),
            lags=self.table("lags"),
            window=int(notes["window"]),
            chart=str(notes["chart"]),
            entries=self.entries,
        )

    @cached_property
    def baseline(self) -> Baseline:
        """The baseline of which market comes next, fitted to the entries when it is first needed."""
        return baseline(self.entries)


def _not_open() -> Charts:
    raise SettingError("the charts are open only while a run makes steps; open them with diffusion.open_charts")

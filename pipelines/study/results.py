"""Results of a study's steps, read back as tables, entries and graph, during a run and afterwards."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import pandas as pd
import pyarrow as pa

from diffusion import Absences, Calendar, Entries, EventRules
from diffusion.contracts import Contract
from graphs import SCORES, MarketGraph, contracts
from graphs.baseline import Baseline, baseline
from pipelines.folders.finished import FinishedFolder
from pipelines.folders.manifest import Shape

SHAPES: Final[Mapping[str, Shape]] = {
    "entries": {
        "parameters": {"min_periods": int, "washout": int, "identity": str, "top": (int, None)},
        "notes": {
            **dict.fromkeys(("layout", "chart", "first_date", "last_date", "events"), str),
            **dict.fromkeys(("cadence_days", "markets", "tracks", "entries", "left_censored", "upper_top"), int),
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
            "unmatched": {"*": int},
            "not_made": {"*": str},
        }
    },
    "direct": {"notes": {"not_made": {"*": str}}},
    "survival": {"notes": {"caveats": [str], "horizon": int, "own": (str, None), "not_made": {"*": str}}},
    "effects": {"notes": {"same": [str], "missing": {"*": int}, "not_made": {"*": str}}},
    "states": {"notes": {"caveats": [str], "not_made": {"*": str}}},
}
"""Step → what its entry in the manifest must be to be read; of other steps the manifest's own shape is enough."""


class ResultsFolder(Protocol):
    """A folder that results are read from: that of a run, or a finished folder."""

    def holds(self, name: str) -> bool:
        """Return whether the folder has an artifact of this name."""

    def read_table(self, name: str) -> pa.Table:
        """Return an artifact as a table."""

    def notes(self, step: str) -> dict[str, Any]:
        """Return the notes of a step."""

    def parameters(self, step: str) -> dict[str, Any]:
        """Return the parameters of a step."""


class Results:
    """Results of the steps of a study; each table is read when it is first needed.

    Parameters
    ----------
    folder
        Folder of the results.
    """

    def __init__(self, folder: ResultsFolder) -> None:
        self.folder = folder

    def holds(self, table: str) -> bool:
        """Return whether a table was made."""
        return self.folder.holds(f"{table}.parquet")

    def table(self, name: str) -> pd.DataFrame:
        """Return the table ``NAME.parquet``, with dates as timestamps."""
        frame: pd.DataFrame = self.folder.read_table(f"{name}.parquet").to_pandas(date_as_object=False)
        return frame

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
        return Absences(self.folder.read_table("absences.parquet"), notes["chart"], notes["absence_periods"], identity)

    def _entries(self, name: str, top: int | None) -> Entries:
        calendar = Calendar(self.folder.read_table("coverage.parquet"))
        given = self.parameters("entries")
        rules = EventRules(calendar.chart, top, *(given[key] for key in ("min_periods", "washout", "identity")))
        table, withheld, tracks = (self.folder.read_table(f"{table}.parquet") for table in (name, "withheld", "tracks"))
        groups = {str(group): tuple(members) for group, members in self.notes("entries")["groups"].items()}
        return Entries(table, calendar, rules, withheld, tracks, groups=groups)

    @cached_property
    def graph(self) -> MarketGraph:
        """The market graph."""
        notes = self.notes("graph")
        nodes, edges = (_whole(self.table(table.name), table) for table in (contracts.MARKETS, contracts.EDGES))
        return MarketGraph(
            nodes.drop(columns=list(SCORES)),
            edges,
            lags=self.table("lags"),
            window=int(notes["window"]),
            chart=str(notes["chart"]),
            timelines=self.entries.timelines,
        )

    @cached_property
    def baseline(self) -> Baseline:
        """The baseline of which market comes next, fitted to the entries when it is first needed."""
        return baseline(self.entries)


def _whole(table: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Return a table with whole numbers where the contract has them, also where some are missing."""
    whole = [column.name for column in contract.columns if column.nullable and pa.types.is_integer(column.type)]
    return table.astype(dict.fromkeys(whole, "Int64"))


def open_results(place: str | Path) -> Results:
    """Return the results that a finished folder holds.

    Raises
    ------
    SettingError
        When there is no manifest; and later, when a table is missing or was changed.
    """
    return Results(FinishedFolder(Path(place), SHAPES))

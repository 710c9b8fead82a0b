"""Results of a study's steps as the values that they were made from, in the middle of a run and afterwards."""

from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from diffusion import Calendar, Entries, EventRules
from graphs import SCORES, MarketGraph
from pipelines.folders.finished import FinishedFolder


class Shelf(Protocol):
    """Where results lie: the folder of a run, or a finished one."""

    def holds(self, name: str) -> bool:
        """Return whether there is an artifact of this name."""

    def read_table(self, name: str) -> pa.Table:
        """Return an artifact that is a table."""

    def notes(self, step: str) -> dict[str, Any]:
        """Return the notes of a step."""

    def parameters(self, step: str) -> dict[str, Any]:
        """Return the parameters of a step."""


class Results:
    """What the steps of a study made; tables are read when they are asked for.

    Parameters
    ----------
    shelf
        Where they lie.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def holds(self, table: str) -> bool:
        """Return whether a table was made."""
        return self.shelf.holds(f"{table}.parquet")

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by its name without ending; dates as timestamps."""
        frame: pd.DataFrame = self.shelf.read_table(f"{name}.parquet").to_pandas(date_as_object=False)
        return frame

    def notes(self, step: str) -> dict[str, Any]:
        """Return what a step found."""
        return self.shelf.notes(step)

    def parameters(self, step: str) -> dict[str, Any]:
        """Return what a step was made with."""
        return self.shelf.parameters(step)

    @cached_property
    def entries(self) -> Entries:
        """The entries with their coverage calendar, rules, artists and licences."""
        calendar = Calendar(self.shelf.read_table("coverage.parquet"))
        given = self.parameters("entries")
        rules = EventRules(calendar.chart, *(given[name] for name in ("top", "min_periods", "washout", "identity")))
        artists = self.shelf.read_table("tracks.parquet").select(["track_id", "artist"])
        table, withheld = (self.shelf.read_table(f"{name}.parquet") for name in ("entries", "withheld"))
        return Entries(table, calendar, rules, withheld, artists)

    @cached_property
    def graph(self) -> MarketGraph:
        """The market graph."""
        notes = self.notes("graph")
        nodes, edges, lags = (self.table(name) for name in ("markets", "edges", "lags"))
        return MarketGraph(
            nodes.drop(columns=list(SCORES)),
            edges,
            lags=lags,
            window=int(notes["window"]),
            chart=str(notes["chart"]),
            timelines=self.entries.timelines,
        )


def open_results(place: str | Path) -> Results:
    """Return the results that a finished folder holds.

    Raises
    ------
    SettingError
        When there is no manifest; later, when a table is asked for that the folder does not hold as it was made.
    """
    return Results(FinishedFolder(Path(place)))

"""The coverage calendar: which market's chart was observed when, how deep, with which gaps."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.contracts import COVERAGE
from diffusion.conventions import WINDOW_DAILY, WINDOW_WEEKLY
from diffusion.engine import OpenEngine, open_engine
from diffusion.markets import market_names


@dataclass(frozen=True, repr=False)
class Calendar:
    """What was observed of one chart; everything said of tracks is conditional on it.

    Attributes
    ----------
    coverage
        One row per market and observed date, as `diffusion.contracts.COVERAGE` says.
    open_engine
        What opens the engine for relations made from it, and from entries that carry it.
    """

    coverage: pa.Table
    open_engine: OpenEngine = open_engine

    def __post_init__(self) -> None:
        object.__setattr__(self, "coverage", COVERAGE.conform(self.coverage))
        if len(pc.unique(self.coverage["chart"])) > 1:
            raise ValueError("a calendar is of one chart; this coverage mixes several")

    def __repr__(self) -> str:
        return f"<Calendar of {self.chart}: {len(self.markets)} markets, {self.first_date} to {self.last_date}>"

    @cached_property
    def spans(self) -> pa.Table:
        """One row per stretch of a market's coverage without a long gap, as `diffusion.contracts.SPANS` says."""
        with self.open_engine() as engine:
            engine.register("coverage", self.coverage)
            return engine.fetch("spans")

    @property
    def chart(self) -> str:
        """Name of the chart."""
        return str(self.coverage["chart"][0].as_py())

    @cached_property
    def markets(self) -> list[str]:
        """Codes of the markets observed, in order."""
        return sorted(pc.unique(self.coverage["market"]).to_pylist())

    @property
    def first_date(self) -> date:
        """First date on which any market was observed."""
        day: date = pc.min(self.coverage["date"]).as_py()
        return day

    @property
    def last_date(self) -> date:
        """Last date on which any market was observed."""
        day: date = pc.max(self.coverage["date"]).as_py()
        return day

    @cached_property
    def cadence(self) -> int:
        """Days from one chart to the next: the most frequent distance (the shorter of a draw), else 1."""
        gaps = (self._frame["date"] - self._frame["previous"]).dropna().dt.days
        return int(gaps.mode().iloc[0]) if len(gaps) else 1

    @property
    def default_window(self) -> int:
        """Days: the usual window of a transition, 60 on daily and 56 (8 weeks) on weekly charts."""
        return WINDOW_WEEKLY if self.cadence == 7 else WINDOW_DAILY

    def by_market(self) -> pd.DataFrame:
        """Return the coverage of every market.

        Returns
        -------
        DataFrame
            One row per market: `market`, `name`, `first_date`, `last_date`, `dates` (observed), `missing` (dates of the
            cadence between first and last that were not), `spans` (stretches without a long gap), `depth_least`,
            `depth_median` (rows per chart), `stale` (charts equal to the one before).
        """
        groups = self._frame.groupby("market", sort=True)
        table = groups.agg(
            first_date=("date", "min"),
            last_date=("date", "max"),
            dates=("date", "size"),
            spans=("span", "max"),
            depth_least=("depth", "min"),
            depth_median=("depth", "median"),
            stale=("stale", "sum"),
        ).reset_index()
        due = (table["last_date"] - table["first_date"]).dt.days // self.cadence + 1
        table.insert(4, "missing", (due - table["dates"]).clip(lower=0))
        names = market_names(table["market"])
        table.insert(1, "name", table["market"].map(names))
        return table

    def unseen_dates(self) -> list[date]:
        """Return the dates of the cadence, between the first and the last, on which no market was observed."""
        due = pd.date_range(self.first_date, self.last_date, freq=f"{self.cadence}D")
        return [day.date() for day in due.difference(pd.DatetimeIndex(self._frame["date"]))]

    @cached_property
    def _frame(self) -> pd.DataFrame:
        frame: pd.DataFrame = self.coverage.to_pandas(date_as_object=False)
        return frame

"""The coverage calendar: when each market's chart was observed, with how many rows and which gaps."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.contracts import COVERAGE
from diffusion.conventions import WINDOW_DAILY, WINDOW_WEEKLY
from diffusion.display import Displayed
from diffusion.engine import open_engine
from diffusion.frames import frame_of
from diffusion.markets import market_names


@dataclass(frozen=True, repr=False)
class Calendar(Displayed):
    """The dates on which each market's chart was observed; all results about tracks are conditional on them.

    Attributes
    ----------
    coverage
        One row per market and observed date; columns as in `diffusion.contracts.COVERAGE`.

    Examples
    --------
    >>> entries.calendar  # entries = diffusion.open_sample().entries()
    <Calendar of top50: 67 markets, 2021-03-25 to 2021-06-30>
    >>> entries.calendar.by_market()[["market", "dates", "missing"]].head(2)
      market  dates  missing
    0     AE     89        9
    1     AR     89        9
    """

    coverage: pa.Table

    def __post_init__(self) -> None:
        object.__setattr__(self, "coverage", COVERAGE.conform(self.coverage))
        if len(pc.unique(self.coverage["chart"])) > 1:
            raise ValueError("a calendar holds one chart, but this coverage has several")

    def _facts(self) -> str:
        return f" of {self.chart}: {len(self.markets)} markets, {self.first_date} to {self.last_date}"

    def _shown(self) -> pd.DataFrame:
        return self.by_market()

    def to_pandas(self) -> pd.DataFrame:
        """Return the coverage as a frame, with dates as ``datetime64``."""
        return self._frame.copy()

    def arrow(self, name: Literal["spans", "periods"], *, min_periods: int = 1) -> pa.Table:
        """Return the table of the method of this name as Arrow, typed as its contract says; `min_periods` of spans."""
        if min_periods not in self._spans:
            number = self._frame.groupby(["market", "span"])["date"].rank(method="first")
            with open_engine() as engine:
                engine.register("coverage", self.coverage.filter(pa.array(number >= min_periods)))
                self._spans[min_periods] = engine.fetch("spans")
        spans = self._spans[min_periods]
        if name == "spans":
            return spans
        with open_engine() as engine:
            engine.register("coverage", self.coverage)
            engine.register("spans", spans)
            return engine.fetch("periods")

    @cached_property
    def _spans(self) -> dict[int, pa.Table]:
        """Least periods of a stay → spans that were asked for; they travel with the calendar to other processes."""
        return {}

    def spans(self, *, min_periods: int = 1) -> pd.DataFrame:
        """Return one row per stretch of a market's coverage without a long gap.

        Parameters
        ----------
        min_periods
            Only the part of each stretch in which a stay of so many charts can be dated (default 1: all of it). It can
            first be seen on the stretch's chart of that number. Shorter stretches are left out.

        Returns
        -------
        DataFrame
            Columns as in `diffusion.contracts.SPANS`.
        """
        return frame_of(self.arrow("spans", min_periods=min_periods))

    def periods(self) -> pd.DataFrame:
        """Return one row per observed date, and whether it is a period; columns as in `diffusion.contracts.PERIODS`."""
        return frame_of(self.arrow("periods"))

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
        """Days from one chart to the next: the most frequent difference (the smallest of equals), else 1."""
        gaps = (self._frame["date"] - self._frame["previous"]).dropna().dt.days
        return int(gaps.mode().iloc[0]) if len(gaps) else 1

    @property
    def default_window(self) -> int:
        """Default window of a transition in days: 60 on daily charts, 56 (8 weeks) on weekly charts."""
        return WINDOW_WEEKLY if self.cadence == 7 else WINDOW_DAILY

    def by_market(self) -> pd.DataFrame:
        """Return the coverage of every market.

        Returns
        -------
        DataFrame
            One row per market: `market`, `name`, `first_date`, `last_date`, `dates` (observed dates), `missing`
            (expected dates between the first and the last that were not observed), `spans` (stretches without a long
            gap), `depth_least` and `depth_median` (rows per chart), `stale` (charts equal to the one before).
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
        """Return the expected dates, between the first and the last, on which no market was observed."""
        due = pd.date_range(self.first_date, self.last_date, freq=f"{self.cadence}D")
        return [day.date() for day in due.difference(pd.DatetimeIndex(self._frame["date"]))]

    @cached_property
    def _frame(self) -> pd.DataFrame:
        return frame_of(self.coverage)

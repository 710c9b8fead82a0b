"""How whole charts are: depth, missing ranks, cadence; the rule for charts with holes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from diffusion.contracts.star import AGGREGATE
from diffusion.display import Displayed
from diffusion.engine import Engine
from diffusion.errors import DataSaysNoError
from diffusion.frames import frame_of

HOLE_PERCENT: Final = 5
"""A chart has holes when more than this share of its ranks, from 1 to the deepest, is missing, in per cent.

Of 22,000 real charts (weekly and daily Top 200, daily Top 50 and Top 10, weekly Viral 50 with charts of 1 to 52 rows)
none lacks more than 4 %. With nine of ten rows left, 61 % (Top 10) to 99 % (Top 200) of them lack more than 5 %."""

MOST: Final = 0.5
"""Charts are read only with consent when more than this share of them has holes."""

MEANING: Final = "so entries and lags mean little: a track that is not seen may have been on the chart"


@dataclass(frozen=True, slots=True, repr=False)
class Wholeness(Displayed):
    """How whole the charts of a source are.

    Attributes
    ----------
    by_market
        One row per chart and market, Global included: the columns of `diffusion.contracts.WHOLENESS`, and `absent`:
        dates between the first and the last, at the market's cadence, without a chart.
    """

    by_market: pd.DataFrame

    def _facts(self) -> str:
        return f" of the charts of {self.by_market['market'].nunique()} markets"

    def _shown(self) -> pd.DataFrame:
        return self.by_market

    def holes(self) -> dict[str, str]:
        """Return chart → what is missing, in words, for charts of which most dates and markets have holes."""
        return {chart: _missing(own) for chart, own in self._charts() if own["with_holes"].sum() > MOST * _size(own)}

    def markets_with_holes(self) -> dict[str, list[str]]:
        """Return chart → markets in which most dates have holes, for charts of which most have none."""
        found = {
            chart: list(own.loc[own["with_holes"] > MOST * own["dates"], "market"]) for chart, own in self._charts()
        }
        return {chart: markets for chart, markets in found.items() if markets and chart not in self.holes()}

    def cadences(self) -> dict[str, str]:
        """Return chart → the cadences of its markets, in words, for charts whose markets differ in cadence."""
        return {
            chart: _cadences(own.dropna(subset=["cadence"]))
            for chart, own in self._charts()
            if len(own["cadence"].dropna().unique()) > 1
        }

    def said(self) -> list[str]:
        """Return a sentence on each chart with holes and each chart of several cadences."""
        holes = [f"the chart {chart} has holes: {missing}, {MEANING}" for chart, missing in self.holes().items()]
        some = [
            f"the chart {chart} has holes in {', '.join(markets)} on most dates; entries there mean little"
            for chart, markets in self.markets_with_holes().items()
        ]
        return [*holes, *some, *(f"the chart {chart}: {words}" for chart, words in self.cadences().items())]

    def _charts(self) -> Iterator[tuple[str, pd.DataFrame]]:
        markets = self.by_market[self.by_market["market"] != AGGREGATE]
        for chart, own in markets.groupby("chart", sort=True):
            yield str(chart), own


def measure_wholeness(engine: Engine) -> Wholeness:
    """Return how whole the charts in `observations` are; `chart_depths` is then a table of the engine."""
    engine.create("chart_depths")
    table = frame_of(engine.fetch("wholeness", hole_percent=HOLE_PERCENT))
    table = table.astype({"cadence": "Int64", "longest_step": "Int64"})
    due = (table["last_date"] - table["first_date"]).dt.days // table["cadence"].fillna(1) + 1
    return Wholeness(table.assign(absent=(due - table["dates"]).clip(lower=0).astype("int64")))


def check_holes(wholeness: Wholeness, path: str | Path, accept: Collection[str]) -> None:
    """Check that most charts are whole, or that holes are accepted (``holes``).

    Raises
    ------
    DataSaysNoError
        When most charts have holes, without consent.
    """
    if "holes" in accept:
        return
    for chart, missing in wholeness.holes().items():
        raise DataSaysNoError(
            f"the chart {chart} in '{path}' has holes: {missing}, {MEANING}; give whole charts, or go on: "
            "--accept holes"
        )


def cadence_words(days: int) -> str:
    """Return a cadence in words: ``daily``, ``weekly`` or ``every 3 days``."""
    return {1: "daily", 7: "weekly"}.get(days, f"every {days} days")


def _size(own: pd.DataFrame) -> int:
    return int(own["dates"].sum())


def _missing(own: pd.DataFrame) -> str:
    """Return how many ranks and dates of a chart are missing, in words."""
    days = (own["last_date"].max() - own["first_date"].min()).days
    dates = days // int(own["cadence"].min()) + 1 if own["cadence"].notna().any() else 1
    due = max(dates * len(own), _size(own))
    return (
        f"{own['chart_rows'].sum() / _size(own):.1f} of {own['depth_most'].max()} ranks where there are any, "
        f"{own['without_first'].sum() / _size(own):.0%} of the charts lack rank 1, "
        f"{due - _size(own):,} of {due:,} are absent"
    )


def _cadences(own: pd.DataFrame) -> str:
    """Return the cadences of markets in words, from the rarest, and what they do to order and ties."""
    groups = own.groupby("cadence")["market"].agg(list)
    groups = groups.iloc[groups.map(len).argsort(kind="stable")]
    few = "; ".join(f"{', '.join(groups[days])} {cadence_words(int(days))}" for days in groups.index[:-1])
    others, days = groups.iloc[-1], int(groups.index[-1])
    named = f"the other {len(others)} markets" if len(others) > 1 else others[0]
    slow = int(own["cadence"].max())
    return (
        f"{few}; {named} {cadence_words(days)}: an entry on a chart that comes every {slow} days is known to {slow} "
        "days only, so such markets seem to come later than they do, and entries elsewhere within these days are ties"
    )

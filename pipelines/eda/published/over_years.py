"""Claims of what changes from year to year: charts grow apart, local songs gain, charts turn over faster."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from pipelines.eda.published.claim import Answer, Claim, Estimate, change
from pipelines.eda.published.trends import Trend, yearly_levels, yearly_trend
from pipelines.eda.published.weekly import weekly_series

SMALL: Final = 0.02
"""Change per year, as a share, that would not be worth speaking of."""

_NULL: Final = "a series about a fixed level, with a season, that forgets within a few months"
_MARKETS: Final = "Among the markets that are on the charts for the whole time, on one date a week."

APART: Final = Claim(
    "apart",
    "Charts of different countries grow apart",
    "Bello & Garcia 2021, doi 10.1057/s41599-021-00855-1",
    "change per year of the log of the mean Jaccard index of two charts of one date",
    _NULL,
    f"{_MARKETS} They measured the diversity of songs, artists and labels of 39 countries; here it is what pairs of "
    "charts have in common, whose fall may also come from charts that turn over at other times.",
)

LOCAL: Final = Claim(
    "local",
    "Local music gains",
    "Way, Garcia-Gathright & Cramer 2020, ICWSM 14",
    "change per year of the log of the share of places that artists of the market hold",
    _NULL,
    f"{_MARKETS} Where artists come from is not in the charts: an artist is of a market while it has at least half of "
    "the artist's places of the last quarter. That counts stars abroad as local nowhere, and says nothing of "
    "listening below the charts.",
)

_TURNOVER: Final = "Schneider & Gros 2019, doi 10.1098/rsos.190944, arXiv 1908.10694"
_ALBUMS: Final = (
    f"{_MARKETS} They had album charts of five decades; here it is songs in a few years, and the rules by which a "
    "service makes its charts may change as well."
)

STAYS: Final = Claim(
    "shorter_stays",
    "Charts turn over faster from year to year: stays get shorter",
    _TURNOVER,
    "change per year of the log of the mean stay, in charts a week apart",
    _NULL,
    _ALBUMS,
)

MOVES: Final = Claim(
    "larger_moves",
    "Charts turn over faster from year to year: ranks change more",
    _TURNOVER,
    "change per year of the log of the mean change of rank in a week",
    _NULL,
    _ALBUMS,
)

MEASURES: Final[Mapping[str, tuple[Claim, bool, str]]] = {
    "overlap": (APART, False, "What two charts have in common"),
    "local": (LOCAL, True, "The share of local artists"),
    "stay": (STAYS, False, "The mean stay"),
    "moved": (MOVES, True, "The mean change of rank in a week"),
}
"""Measure → claim, whether it says that the measure rises, and its name in a sentence."""


def yearly_measures(weeks: pd.DataFrame) -> dict[str, tuple[Floats, Floats]]:
    """Return measure → days and values over the weeks, as natural logarithms.

    Parameters
    ----------
    weeks
        Table `chart_weeks` of a study.

    Notes
    -----
    The mean stay is what the tracks that leave in a week imply: one over their share. Stays that were not over when the
    charts ended count in the weeks that were seen, so that it is not short at the end.
    """
    found = {name: weekly_series(weeks, name) for name in ("overlap", "local", "moved")}
    day, stayed = weekly_series(weeks, "stayed")
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = {name: (own, _finite(np.log(value))) for name, (own, value) in found.items()}
        return logs | {"stay": (day, _finite(-np.log(1 - stayed)))}


def _finite(value: Floats) -> Floats:
    return np.where(np.isfinite(value), value, np.nan)


def yearly_claims(weeks: pd.DataFrame) -> list[Answer]:
    """Return the claims of change over the years."""
    series = yearly_measures(weeks)
    return [
        (claim, lambda name=name: changed(*series[name], markets=weeks["market"].nunique(), measure=name))  # type: ignore[misc]
        for name, (claim, _, _) in MEASURES.items()
    ]


def changed(day: Floats, value: Floats, *, markets: int, measure: str) -> Estimate:
    """Return how a measure changed from year to year.

    Parameters
    ----------
    day, value
        As in `pipelines.eda.published.trends.yearly_trend`; the value a logarithm.
    markets
        Markets behind it.
    measure
        A key of `MEASURES`.

    Raises
    ------
    DataSaysNoError
        When there are less than two years.
    """
    _, rises, words = MEASURES[measure]
    trend = yearly_trend(day, value)
    if not trend.error > 0:
        raise DataSaysNoError("the charts do not change at all, so that nothing says how sure a trend is")
    low, high = trend.change - trend.reach, trend.change + trend.reach
    return Estimate(
        f"{words} changed by {change(np.expm1(trend.change))} a year (95 %: {change(np.expm1(low))} to "
        f"{change(np.expm1(high))}), in {markets} markets.",
        trend.change,
        low,
        high,
        trend.p,
        trend.weeks,
        "weeks",
        matters=SMALL if rises else -SMALL,
        more=rises,
        detectable=trend.detectable,
    )


def year_table(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return every measure's level by year; columns as in `pipelines.contracts.published.CHART_YEARS`."""
    parts = []
    for name, (day, value) in yearly_measures(weeks).items():
        levels = yearly_levels(day, value, _trend(day, value))
        levels[["level", "low", "high"]] = np.exp(levels[["level", "low", "high"]])
        parts.append(levels.assign(measure=name, markets=weeks["market"].nunique()))
    return pd.concat(parts, ignore_index=True)


def _trend(day: Floats, value: Floats) -> Trend | None:
    try:
        return yearly_trend(day, value)
    except DataSaysNoError:
        return None

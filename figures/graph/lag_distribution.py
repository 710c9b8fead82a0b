"""Distribution of the lags of transitions."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator, StrMethodFormatter

from diffusion import SettingError
from figures.page.checks import checked
from figures.page.given import Graph, lags_of
from figures.page.scales import in_percent
from figures.page.style import BLUE, VERMILION, Page, applied, say_empty


def lag_distribution(lags: pd.DataFrame | Graph, *, joint: int | None = None, window: int | None = None) -> Figure:
    """Return a figure of the number of transitions by lag and, below it, their cumulative share with the median.

    Table: `lags` of `graphs.market_graph`, with `entered` added up by day; or the graph itself.

    Parameters
    ----------
    lags
        One row per lag: `days` (1 … window) and `transitions`; a day without a row has no transitions. Or a
        graph, which holds all three.
    joint
        Number of ties (pairs of entries without an observed order), which the notes mention.
    window
        Longest lag counted, in days.

    Raises
    ------
    SettingError
        When a column is missing, a count is negative, a day with transitions is outside the window, or a day has two
        rows.

    Examples
    --------
    >>> figure = lag_distribution(pd.DataFrame({"days": [7, 14], "transitions": [3, 1]}), joint=2, window=56)
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['transitions', 'cumulative share']
    """
    by_day, joint, window = lags_of(lags, joint, window)
    table = checked(by_day, "lags", numbers=["days", "transitions"]).sort_values("days")
    if not (table["transitions"] >= 0).all():
        raise SettingError("the table 'lags' has counts that are negative or missing")
    table = table[table["transitions"] > 0]
    if not (table["days"].between(1, window) & (table["days"] % 1 == 0)).all():
        raise SettingError(f"the table 'lags' has transitions on days outside 1 … {window}")
    if table["days"].duplicated().any():
        raise SettingError("the table 'lags' has more than one row for a day")
    with applied():
        return _drawn(table, joint, window)


def _drawn(table: pd.DataFrame, joint: int, window: int) -> Figure:
    total = int(table["transitions"].sum())
    noun = "transition" if total == 1 else "transitions"
    notes = [
        f"{total:,} {noun} within {window} days. Not counted: {joint:,} ties, pairs of entries "
        "whose order was not observed."
    ]
    page = Page("Lags of transitions", notes, height=3.7)
    upper, lower = page.constrain().subplots(2, 1, sharex=True, height_ratios=[3, 2])
    upper.set_ylabel("transitions")
    lower.set_ylabel("cumulative share")
    lower.set_xlabel("lag between the two entries (days)")
    lower.set_ylim(0, 1.02)
    lower.xaxis.set_major_locator(MultipleLocator(7 * max(1, round(window / 70))))
    in_percent(lower.yaxis)
    upper.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    upper.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    lower.set_xlim(0, window + 0.5)
    if total:
        _bars(upper, table, window)
        _shares(lower, table, window)
    else:
        say_empty(upper, "no transition within the window")
        upper.set_ylim(0, 1)
    return page.done()


def _bars(ax: Axes, table: pd.DataFrame, window: int) -> None:
    """Draw a bar per lag, as wide as the distance between lags (7 days for weekly charts)."""
    step = min(math.gcd(*(int(day) for day in table["days"])), 7)
    ax.bar(table["days"], table["transitions"], width=0.8 * step, color=BLUE)
    ax.set_xlim(0, window + step / 2)
    ax.grid(axis="y")


def _shares(ax: Axes, table: pd.DataFrame, window: int) -> None:
    days = table["days"].to_numpy()
    shares = (table["transitions"].cumsum() / table["transitions"].sum()).to_numpy()
    half = int(days[np.searchsorted(shares, 0.5)])
    ax.step([0, *days, window], [0, *shares, shares[-1]], where="post", color=BLUE, linewidth=1.4)
    ax.plot([0, half, half], [0.5, 0.5, 0], color=VERMILION, linewidth=1, linestyle=(0, (4, 2)))
    words = f"median: half within {half} day{'s' if half != 1 else ''}"
    late = half > 0.6 * window
    place = (half - 0.01 * window, "right") if late else (half + 0.01 * window, "left")
    ax.text(place[0], 0.12, words, ha=place[1], color=VERMILION)
    ax.grid(axis="y")

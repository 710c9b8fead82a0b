"""Share of tracks that ever enter each market, or that entered by the end of follow-up."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError, SettingError, market_names
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import BLUE, INNER, TEXT_SIZE, Page, applied
from figures.page.text import shortened
from figures.survival.confidence import confidence

_ROW: Final = 0.16
_HEAD: Final = 0.25
_FOOT: Final = 0.42
_NAMES: Final = 1.5
"""Width of the names of markets in inches."""

_WORDS: Final = 2.75
"""Width of the reading in inches."""


def cured_share(
    table: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    title: str = "Share of waits that ever end in an entry, by market",
    cluster: str = "artist",
    most: int = 80,
) -> Figure:
    """Return the share of waits that ever end in an entry, by market, the largest on top, from zero.

    The cured share is the rest: those that never enter; it stands in words at the right. Where follow-up does not
    suffice to tell those that never enter from those that have not entered yet, the mark is hollow, and the words say
    "not entered by day h" instead.

    Table: `cured` of a study; it is made of `cured_share` of `survival.cure`.

    Parameters
    ----------
    table
        One row per market: `market`, `share` (cured, or not entered by day `by_day`; 0 … 1), `low`, `high` (its 95 %
        interval, NaN where there is none), `suffices` (whether follow-up suffices), `by_day`.
    names
        Code → name (default: the English names).
    title
        Title; markup in it has no effect.
    cluster
        What the intervals take as independent: ``artist`` (default), ``track`` or ``independent``; for the note.
    most
        Markets drawn at most (default 80), those where the largest share enters.

    Raises
    ------
    DataSaysNoError
        When no market has a share.
    SettingError
        When a column is missing, a market has two rows, a share is outside 0 … 1 or its interval, or `most` is below 1.

    Examples
    --------
    >>> table = pd.DataFrame({"market": ["SE", "US"], "share": [0.97, 0.99], "low": [0.96, 0.985],
    ...     "high": [0.98, 0.995], "suffices": [True, False], "by_day": [180, 180]})
    >>> [text.get_text() for text in cured_share(table).axes[0].texts]
    ['97.0 % never enter (96.0–98.0)', '99.00 % not entered by day 180 (98.50–99.50)']
    """
    if most < 1:
        raise SettingError(f"most is {most}; it must be 1 or more")
    rows = checked(table, "cured", texts=["market"], numbers=["share", "low", "high", "suffices", "by_day"])
    rows = rows.dropna(subset=["share"])
    if rows.empty:
        raise DataSaysNoError("there is no market to draw; the table 'cured' has no known share")
    if rows["market"].duplicated().any():
        raise SettingError("the table 'cured' has more than one row for a market")
    shares = rows[["share", "low", "high"]]
    if (shares < 0).any(axis=None) or (shares > 1).any(axis=None):
        raise SettingError("the table 'cured' has a share or a bound outside 0 … 1")
    if ((rows["share"] < rows["low"]) | (rows["share"] > rows["high"])).any():
        raise SettingError("the table 'cured' has a share outside its interval")
    known = market_names(rows["market"]) | dict(names or {})
    rows = rows.assign(name=rows["market"].map(known)).sort_values(["share", "market"])
    with applied():
        return _drawn(rows[:most], title, cluster, of=len(rows))


def _drawn(rows: pd.DataFrame, title: str, cluster: str, *, of: int) -> Figure:
    height = _ROW * len(rows)
    page = Page(title, _notes(rows, cluster, of), height=_FOOT + height + _HEAD)
    ax = page.place(_NAMES, _FOOT, INNER - _NAMES - _WORDS, height)
    ax.hlines(range(len(rows)), 1 - rows["high"], 1 - rows["low"], color=BLUE, linewidth=1.2)
    for place, row in enumerate(rows.to_dict("records")):
        inner = BLUE if row["suffices"] else "white"
        ax.plot(1 - row["share"], place, marker="o", markersize=4, color=BLUE, markerfacecolor=inner, clip_on=False)
        text = ax.text(1.02, place, _reading(row), va="center", transform=ax.get_yaxis_transform())
        text.set_parse_math(False)
    ax.set_yticks(range(len(rows)), [shortened(name, size=TEXT_SIZE, room=_NAMES * 72 - 8) for name in rows["name"]])
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    ax.tick_params(axis="y", length=0, labelsize=TEXT_SIZE)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    top = 1 - float(rows[["share", "low"]].min().min())
    ax.set_xlim(0, min(1.02, 1.05 * top) if top > 0 else 1)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    in_percent(ax.xaxis)
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("share of waits that end in an entry")
    _legend(ax, rows)
    return page.done()


def _reading(row: dict[Hashable, Any]) -> str:
    """Return the share of a market in words, with as many decimals as tell it from all."""
    share, low, high = (100 * row[name] for name in ("share", "low", "high"))
    digits = 1 if share < 98.95 else 2
    said = "never enter" if row["suffices"] else f"not entered by day {row['by_day']:.0f}"
    interval = "" if np.isnan(low + high) else f" ({low:.{digits}f}–{high:.{digits}f})"
    return f"{share:.{digits}f} % {said}{interval}"


def _legend(ax: Axes, rows: pd.DataFrame) -> None:
    """Say above the axes what full and hollow marks are, as far as there are any."""
    suffices = rows["suffices"].astype(bool)
    kinds = [(BLUE, "ever", suffices.any()), ("white", "by the end of follow-up", not suffices.all())]
    marks = [
        Line2D([], [], color=BLUE, markerfacecolor=inner, marker="o", markersize=4, linewidth=0, label=label)
        for inner, label, there in kinds
        if there
    ]
    ax.legend(handles=marks, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1, handletextpad=0.2)


def _notes(rows: pd.DataFrame, cluster: str, of: int) -> list[str]:
    notes = [confidence(rows, "Lines", cluster, each="market")]
    if not rows["suffices"].all():
        notes.append(
            "Hollow: entries go on at the end of follow-up, or are too few to tell, so that a share that never enters "
            "cannot be told from one that has not entered yet."
        )
    if len(rows) < of:
        notes.append(f"Drawn are {len(rows)} of {of} markets, those where the largest share enters.")
    return [" ".join(filter(None, notes))]

"""Shares of waits by state and day: still charting, left every chart, entered."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.given import Curves, curves_of
from figures.page.scales import in_percent
from figures.page.step_lines import at_risk_table
from figures.page.style import BLUE, GROUP_STYLES, INK, NO_DATA, TEXT_SIZE, Page, applied
from figures.page.text import shortened
from figures.survival.confidence import confidence

_AFTER: Final = GROUP_STYLES[5][0]
_LEFT: Final = NO_DATA
_CHARTING: Final = "#e5d590"

_SUM: Final = 1e-6
"""How far the three shares of a day may be from one in sum."""


def states(
    table: pd.DataFrame | Curves,
    *,
    title: str = "Where waits stand",
    cluster: str | None = None,
    since: str = "debut",
) -> Figure:
    """Return the shares of waits that entered, whose track is charting, and whose track left every chart, by day.

    The three are stacked above, from zero to one. Below, the share that entered has an axis of its own, from zero, with
    its band; what entered after the track had left every chart has a colour of its own.

    Table: `curves` of `survival.states`, or its result itself.

    Parameters
    ----------
    table
        One row per day, from day 0 without gaps: `days`, `at_risk`, `charting`, `left`, `entered` (shares with sum 1),
        `low`, `high` (band of `entered`, may be NaN), `entered_after_left` (share, part of `entered`). Or a
        result that holds it.
    title
        Title; markup in it has no effect.
    cluster
        What the band takes as independent: ``artist`` (default for a table), ``track`` or ``independent``; for the
        note. A result says it itself.
    since
        Start of the clock, for the axis (default ``debut``).

    Raises
    ------
    DataSaysNoError
        When there is no day.
    SettingError
        When a column is missing, days have gaps, or shares are outside 0 … 1 or do not sum to 1.

    Examples
    --------
    >>> table = pd.DataFrame({"days": [0, 1, 2], "at_risk": [9, 9, 8], "charting": [1.0, 0.9, 0.5],
    ...     "left": [0.0, 0.0, 0.3], "entered": [0.0, 0.1, 0.2], "low": [0.0, 0.05, 0.1], "high": [0.0, 0.2, 0.4],
    ...     "entered_after_left": [0.0, 0.0, 0.02]})
    >>> [ax.get_ylabel() for ax in states(table).axes]
    ['share of waits', 'share entered', 'state']
    """
    shares = ["charting", "left", "entered", "entered_after_left"]
    curves, _, cluster = curves_of(table, None, cluster)
    rows = checked(curves, "states", numbers=["days", "at_risk", *shares, "low", "high"]).sort_values("days")
    if rows.empty:
        raise DataSaysNoError("there is no day to draw; the table 'states' is empty")
    if not np.array_equal(rows["days"], np.arange(len(rows))):
        raise SettingError("the days of the table 'states' are not 0, 1, 2 … without gaps; give it one group")
    whole = rows[["charting", "left", "entered"]].sum(axis=1)
    within = rows[shares].ge(-_SUM).all(axis=None) and (rows["entered_after_left"] <= rows["entered"] + _SUM).all()
    if not within or (whole - 1).abs().max() > _SUM or whole.isna().any():
        raise SettingError("the shares of a day in the table 'states' are outside 0 … 1, or do not sum to 1")
    with applied():
        return _drawn(rows, title, cluster, since)


def _drawn(rows: pd.DataFrame, title: str, cluster: str, since: str) -> Figure:
    page = Page(title, _notes(rows, cluster), height=4.9)
    figure = page.constrain(above=0.25)
    upper, lower, below = figure.subplots(3, 1, sharex=True, height_ratios=[2.1, 2.1, 0.35])
    days, entered, charting = rows["days"], rows["entered"], rows["charting"]
    for low, high, colour in (
        (entered, entered + charting, _CHARTING),
        (entered + charting, np.ones(len(rows)), _LEFT),
    ):
        upper.fill_between(days, low, high, step="post", color=colour, linewidth=0)
    for ax in (upper, lower):
        after = rows["entered_after_left"]
        ax.fill_between(days, 0, entered - after, step="post", color=BLUE, linewidth=0)
        ax.fill_between(days, entered - after, entered, step="post", color=_AFTER, linewidth=0)
    upper.set_ylim(0, 1)
    _own_axis(lower, rows)
    for ax, label in ((upper, "share of waits"), (lower, "share entered")):
        in_percent(ax.yaxis)
        ax.set_ylabel(label)
    last = int(days.iloc[-1])
    lower.set_xlim(0, max(last, 1))
    lower.set_xlabel(shortened(f"days since {since}", size=TEXT_SIZE, room=300), parse_math=False)
    lower.tick_params(axis="x", labelbottom=True)
    at_risk_table(below, [("not entered", rows)], last, title="waits at risk", label="state", room=80)
    _legend(page)
    return page.done()


def _own_axis(ax: Axes, rows: pd.DataFrame) -> None:
    """Set the axis of the share entered from zero to above its band, and draw the band as two lines."""
    top = float(np.nanmax(rows[["entered", "high"]].to_numpy()))
    ax.set_ylim(0, min(1.02, 1.06 * top) if top > 0 else 1)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.grid(axis="y")
    for bound in ("low", "high"):
        ax.step(rows["days"], rows[bound], where="post", color=INK, linewidth=0.8, linestyle=(0, (4, 2)))


def _legend(page: Page) -> None:
    patches = [
        Patch(color=colour, label=label, linewidth=0)
        for colour, label in (
            (BLUE, "entered"),
            (_AFTER, "entered after leaving every chart"),
            (_CHARTING, "not entered, charting"),
            (_LEFT, "not entered, left every chart"),
        )
    ]
    top = page.rect[0], page.rect[1] + page.rect[3]
    legend = page.figure.legend(handles=patches, loc="upper left", bbox_to_anchor=top, ncols=4, handlelength=1.2)
    legend.set_in_layout(False)


def _notes(rows: pd.DataFrame, cluster: str) -> list[str]:
    notes = ["A track that left every chart may return: leaving does not end a wait."]
    notes.append(confidence(rows, "Dashed, share entered", cluster, each="day"))
    if not rows["entered"].iloc[-1] > 0:
        notes.append("No wait ended in an entry.")
    return [" ".join(filter(None, notes))]

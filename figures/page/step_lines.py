"""Parts of figures with curves over days: a legend above, and a table of the numbers at risk below."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.page.style import INNER, MUTED, SMALL_SIZE, TEXT_SIZE
from figures.page.text import shortened, width

ROW: Final = 0.16
"""Height in inches of a line of the table of numbers at risk."""

_LEGEND_KEY: Final = 5.8
"""Width of a column of the legend without its name, in font sizes: line, padding and gap to the next column."""


def legend_above(ax: Axes, lines: Sequence[tuple[str, Line2D]], *, left: float) -> None:
    """Draw a legend above `ax`.

    Names are set afterwards, because matplotlib hides labels that begin with ``_``.

    Parameters
    ----------
    ax
        Axes of the curves.
    lines
        Name and line of each curve.
    left
        Points from the margin to the left end of the axes.
    """
    column = max(width(name, TEXT_SIZE) for name, _ in lines) + _LEGEND_KEY * TEXT_SIZE
    legend = ax.legend(
        [line for _, line in lines],
        ["group"] * len(lines),
        loc="lower left",
        bbox_to_anchor=(0, 1.01),
        ncols=max(1, min(4, int((INNER * 72 - left) // column))),
        handlelength=3,
        borderaxespad=0,
        borderpad=0.2,
    )
    for text, (name, _) in zip(legend.get_texts(), lines, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def at_risk_table(
    ax: Axes,
    groups: Sequence[tuple[str, pd.DataFrame]],
    horizon: int,
    *,
    title: str,
    label: str,
    room: float,
    cadence: int = 1,
    headed: bool = False,
) -> None:
    """Write a table of the numbers at risk on round days, one line per group; a dash after the end of its follow-up.

    Parameters
    ----------
    ax
        Axes of the table.
    groups
        Name of each group and its rows with `days`, `at_risk`; a day without a row gets a dash.
    horizon
        Last day of the axis.
    title
        Title of the table, such as ``waits at risk``.
    label
        Label of the lines, such as ``group``.
    room
        Width of a name in points.
    cadence
        Days from one observation to the next (default 1); the days shown are multiples of it.
    headed
        Whether the days are written above, because the axis of the curves is not above the table (default False).
    """
    steps = MaxNLocator(8 if cadence > 1 else 6, steps=[1, 1.5, 2, 3, 5, 6, 7, 10], integer=True)
    ticks = steps.tick_values(0, horizon // cadence)
    days = [int(tick) * cadence for tick in ticks if 0 <= tick * cadence <= horizon]
    ax.set_ylim(len(groups) - 0.4, -0.6)
    names = [shortened(name, size=TEXT_SIZE, room=room) for name, _ in groups]
    ax.set_yticks(range(len(groups)), names, parse_math=False)
    for line, (_, group) in enumerate(groups):
        known = group.dropna(subset=["at_risk"])
        counts = dict(zip(known["days"].astype(int), known["at_risk"], strict=True))
        for day in days:
            words = f"{counts[day]:,.0f}" if day in counts else "–"
            side = "left" if day == 0 else "right" if day == horizon else "center"
            ax.text(day, line, words, ha=side, va="center", size=SMALL_SIZE)
    ax.set_title(f"{title}, by day" if headed else title, size=SMALL_SIZE, color=MUTED, pad=14 if headed else 2)
    ax.set_xticks(days)
    ax.set_ylabel(label)
    ax.tick_params(length=0, labelbottom=False, labeltop=headed)
    ax.tick_params(axis="y", pad=8)
    ax.spines[:].set_visible(False)

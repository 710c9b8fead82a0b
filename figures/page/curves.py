"""Curves of shares by day with their bands, and a table of the numbers at risk below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.page.scales import in_percent
from figures.page.step_lines import ROW, at_risk_table, legend_above
from figures.page.style import BLUE, GROUP_STYLES, INNER, NO_DATA_HATCH, TEXT_SIZE, Page
from figures.page.text import shortened, wrapped

_TOGETHER: Final = 2
"""Curves that share a panel at most; of more, each has a panel of its own."""

_PANEL: Final = 1.45
"""Height of a small panel in inches, without its title and axis."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of a figure.

    Attributes
    ----------
    name
        What it is of.
    rows
        One row per day: `days` (from 0), `share` (0 … 1), `low`, `high` (its band, may be NaN).
    at_risk
        One row per day: `days`, `at_risk`.
    mark
        Marker at its end; empty for none.
    """

    name: str
    rows: pd.DataFrame
    at_risk: pd.DataFrame
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """Texts of a figure of curves: `across` and `up` for the axes, `counted` and `group` for the table below.

    `room` is the width of the names in points.
    """

    across: str
    up: str
    counted: str
    group: str
    room: float


def curves_height(count: int) -> float:
    """Return the height in inches of `count` curves and their table."""
    lines, _ = _grid(count)
    return (3.6 if lines == 0 else 0.55 + lines * (_PANEL + 0.2)) + ROW * (count + 1.4)


def draw_curves(
    page: Page, curves: Sequence[Curve], words: Words, *, last: int, end: float, top: float, cadence: int = 1
) -> Figure:
    """Draw curves from zero and the table below, and return the figure.

    One or two curves share a panel. Of more, each has a panel with its band, and the others are grey lines in it, so
    that no band covers another.

    Parameters
    ----------
    page
        Page of the height `curves_height`.
    curves
        Curves, at most eight.
    words
        Texts.
    last
        Last day of the table.
    end, top
        Ends of the two axes.
    cadence
        Days from one observation to the next, for the days of the table (default 1).
    """
    lines, columns = _grid(len(curves))
    panels, table = _panels(page, curves, words, lines, columns)
    for place, ax in enumerate(panels):
        ax.set(xlim=(0, end), ylim=(0, top))
        _label(ax, place, len(panels), columns, words, small=bool(lines))
    if lines:
        table.set_xlim(0, end)
    named = [(curve.name, curve.at_risk) for curve in curves]
    room, headed = words.room, bool(lines)
    at_risk_table(table, named, last, title=words.counted, label=words.group, room=room, cadence=cadence, headed=headed)
    return page.done()


def _panels(page: Page, curves: Sequence[Curve], words: Words, lines: int, columns: int) -> tuple[list[Axes], Axes]:
    """Draw the curves; return the axes of the panels, and those of the table."""
    figure, table = page.constrain(), ROW * (len(curves) + 1)
    if not lines:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.9, table])
        _shared_panel(upper, curves, words.room)
        return [upper], lower
    grid = figure.add_gridspec(lines + 1, columns, height_ratios=[_PANEL] * lines + [table])
    panels = [figure.add_subplot(grid[place // columns, place % columns]) for place in range(len(curves))]
    for place, ax in enumerate(panels):
        _own_panel(ax, curves, place, room=INNER * 72 / columns - 40)
    return panels, figure.add_subplot(grid[lines, :])


def _label(ax: Axes, place: int, count: int, columns: int, words: Words, *, small: bool) -> None:
    """Set the ticks of a panel, and its labels where no panel is below or at the left."""
    ax.yaxis.set_major_locator(MaxNLocator(4 if small else 6, steps=[1, 2, 2.5, 5, 10]))
    in_percent(ax.yaxis)
    ax.tick_params(axis="x", labelbottom=True)
    ax.tick_params(axis="y", labelleft=place % columns == 0)
    ax.grid(axis="y")
    if place + columns >= count:
        ax.set_xlabel(shortened(words.across, size=TEXT_SIZE, room=INNER * 68 / columns), parse_math=False)
    if place % columns == 0:
        ax.set_ylabel("\n".join(wrapped(words.up, size=TEXT_SIZE, room=95 if small else 200, lines=2)))


def others_note(count: int) -> str:
    """Return what the grey lines are; empty where the curves share a panel."""
    return "Grey lines: the others." if count > _TOGETHER else ""


def _grid(count: int) -> tuple[int, int]:
    """Return lines and columns of small panels; no line where the curves share a panel."""
    if count <= _TOGETHER:
        return 0, 1
    columns = {3: 3, 4: 2}.get(count, 3 if count <= 6 else 4)
    return -(-count // columns), columns


def _own_panel(ax: Axes, curves: Sequence[Curve], own: int, *, room: float) -> None:
    """Draw one curve with its band over the others, which are thin and grey."""
    for place, curve in enumerate(curves):
        if place != own:
            ax.step(curve.rows["days"], curve.rows["share"], where="post", color=NO_DATA_HATCH, linewidth=0.7)
    _draw(ax, curves[own], BLUE, "solid")
    ax.set_title(shortened(curves[own].name, size=8, room=room), parse_math=False)


def _shared_panel(ax: Axes, curves: Sequence[Curve], room: float) -> None:
    lines = [
        (curve.name, _draw(ax, curve, colour, dash))
        for curve, (colour, dash) in zip(curves, GROUP_STYLES, strict=False)
    ]
    if len(curves) > 1:
        legend_above(ax, lines, left=room + 40)


def _draw(ax: Axes, curve: Curve, colour: str, dash: str | tuple[int, tuple[float, ...]]) -> Line2D:
    """Draw a curve, its band, and the mark at its end."""
    rows, band = curve.rows, curve.rows.dropna(subset=["low", "high"])
    if len(band) > 1:
        ax.fill_between(band["days"], band["low"], band["high"], step="post", color=colour, alpha=0.16, linewidth=0)
    (line,) = ax.step(rows["days"], rows["share"], where="post", color=colour, linestyle=dash)
    if curve.mark:
        size, width = (9, 1.6) if curve.mark == "|" else (3.5, 1.0)
        end = rows["days"].iloc[-1], rows["share"].iloc[-1]
        ax.plot(*end, marker=curve.mark, color=colour, markersize=size, markeredgewidth=width)
    return line


def top_of(shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Return the upper end of an axis of shares from zero: above all of them, at most 1.02; one where all are zero."""
    most = float(np.nanmax(shares, initial=0.0))
    return min(1.02, 1.06 * most) if most > 0 else 1.0

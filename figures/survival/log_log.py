"""Complementary log–log of survival by group: curves that keep their distance where hazards are proportional."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.scales import log_ticks
from figures.page.step_lines import legend_above
from figures.page.style import GROUP_STYLES, TEXT_SIZE, Page, applied
from figures.page.text import shortened

_NAME_ROOM: Final = 105.0
"""Width of the name of a group in points."""


def log_log_curves(table: pd.DataFrame, *, title: str, since: str = "debut") -> Figure:
    """Return log(−log(share not entered)) of each group against days on a logarithmic axis.

    Parameters
    ----------
    table
        One row per group and day with an entry: `group`, `days` (above 0), `log_minus_log`. Groups are in order of
        appearance; the first eight are drawn.
    title
        Title; markup in it has no effect.
    since
        Start of the clock, for the axis (default ``debut``).

    Raises
    ------
    DataSaysNoError
        When there is no row.
    SettingError
        When a column is missing, a day of a group occurs twice or is not above 0, or a curve falls.

    Examples
    --------
    >>> table = pd.DataFrame({"group": "all", "days": [1, 4, 9], "log_minus_log": [-4.6, -3.9, -3.5]})
    >>> [ax.get_xscale() for ax in log_log_curves(table, title="Proportional?").axes]
    ['log']
    """
    rows = checked(table, "log_log", texts=["group"], numbers=["days", "log_minus_log"]).dropna()
    rows = rows.sort_values("days", kind="stable")
    if rows.empty:
        raise DataSaysNoError("there is no curve to draw; the table 'log_log' is empty")
    if (rows["days"] <= 0).any() or rows.duplicated(["group", "days"]).any():
        raise SettingError("the table 'log_log' has a day that is not above 0, or one that occurs twice in a group")
    if (rows.groupby("group")["log_minus_log"].diff() < -1e-9).any():
        raise SettingError("the table 'log_log' has a curve that falls")
    groups = list(table["group"].astype(str).unique())
    with applied():
        return _drawn({name: rows[rows["group"] == name] for name in groups[: len(GROUP_STYLES)]}, title, since, groups)


def _drawn(curves: dict[str, pd.DataFrame], title: str, since: str, groups: list[str]) -> Figure:
    notes = ["Where hazards are proportional the curves keep the same distance from each other."]
    if len(curves) < len(groups):
        notes.append(f"Drawn are the first {len(curves)} of {len(groups)} groups.")
    page = Page(title, [" ".join(notes)], height=3.2)
    ax = page.constrain().add_subplot()
    ax.set_xscale("log")
    lines: list[tuple[str, Line2D]] = []
    for (name, rows), (colour, dash) in zip(curves.items(), GROUP_STYLES, strict=False):
        (line,) = ax.step(rows["days"], rows["log_minus_log"], where="post", color=colour, linestyle=dash)
        ax.plot(rows["days"].iloc[-1:], rows["log_minus_log"].iloc[-1:], marker="o", markersize=3, color=colour)
        lines.append((shortened(name, size=TEXT_SIZE, room=_NAME_ROOM), line))
    days = np.concatenate([rows["days"].to_numpy() for rows in curves.values()])
    low, high = float(days.min()), float(days.max())
    ax.set_xlim(low / 1.05, high * 1.05)
    ticks = log_ticks(low, high, most=8) if low < high else [low]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FixedFormatter([f"{tick:,.6g}" for tick in ticks]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.set_xlabel(shortened(f"days since {since} (logarithmic)", size=TEXT_SIZE, room=300), parse_math=False)
    ax.set_ylabel("log(−log(share not entered))")
    ax.grid(axis="y")
    if len(lines) > 1:
        legend_above(ax, lines, left=40)
    return page.done()

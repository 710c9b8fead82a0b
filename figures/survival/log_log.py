"""Complementary log–log of survival by group: curves that keep their distance where hazards are proportional."""

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.scales import log_ticks
from figures.page.style import GROUP_STYLES, INNER, SMALL_SIZE, TEXT_SIZE, Page, applied
from figures.page.text import shortened

_NAME_ROOM: Final = 105.0
"""Width of the name of a group in points."""

_PANELS: Final = 6
"""Panels drawn at most."""


def log_log_curves(table: pd.DataFrame, *, title: str = "Are hazards proportional?", since: str = "debut") -> Figure:
    """Return log(−log(share not entered)) of each group against days on a logarithmic axis, a panel per grouping.

    Table: `survival.log_log`.

    Parameters
    ----------
    table
        One row per grouping, group and day with an entry: `by` (name of the grouping), `group`, `days` (above 0),
        `log_minus_log`. Groupings and groups are in order of appearance; the first six panels are drawn, and the first
        eight groups of each.
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
    >>> table = pd.DataFrame({"by": "none", "group": "all", "days": [1, 4, 9], "log_minus_log": [-4.6, -3.9, -3.5]})
    >>> [ax.get_xscale() for ax in log_log_curves(table).axes]
    ['log']
    """
    rows = checked(table, "log_log", texts=["by", "group"], numbers=["days", "log_minus_log"]).dropna()
    if rows.empty:
        raise DataSaysNoError("there is no curve to draw; the table 'log_log' is empty")
    if (rows["days"] <= 0).any() or rows.duplicated(["by", "group", "days"]).any():
        raise SettingError("the table 'log_log' has a day that is not above 0, or one that occurs twice in a group")
    rows = rows.sort_values("days", kind="stable")
    if (rows.groupby(["by", "group"])["log_minus_log"].diff() < -1e-9).any():
        raise SettingError("the table 'log_log' has a curve that falls")
    names = list(table["by"].astype(str).unique())
    order = list(table["group"].astype(str).unique())
    panels = {name: rows[rows["by"] == name] for name in names[:_PANELS]}
    with applied():
        return _drawn(panels, order, title, since, _notes(panels, len(names)))


def _drawn(panels: dict[str, pd.DataFrame], order: list[str], title: str, since: str, notes: list[str]) -> Figure:
    columns = min(len(panels), 2)
    lines = -(-len(panels) // columns)
    page = Page(title, notes, height=2.6 * lines)
    figure = page.constrain()
    axes = list(figure.subplots(lines, columns, sharex=True, squeeze=False).flat)
    low, high = (float(end) for end in pd.concat(panels.values())["days"].agg(["min", "max"]))
    for ax, (name, rows) in zip(axes, panels.items(), strict=False):
        groups = [group for group in order if (rows["group"] == group).any()]
        _panel(ax, {group: rows[rows["group"] == group] for group in groups[: len(GROUP_STYLES)]})
        ax.set_title(shortened(name, size=8, room=INNER * 72 / columns - 60), parse_math=False)
        ax.set_xlabel(shortened(f"days since {since} (logarithmic)", size=TEXT_SIZE, room=220), parse_math=False)
        ax.tick_params(axis="x", labelbottom=True)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    for ax in axes[::columns]:
        ax.set_ylabel("log(−log(share not entered))")
    ticks = log_ticks(low, high, most=6) if low < high else [low]
    axes[0].set_xlim(low / 1.05, high * 1.05)
    axes[0].xaxis.set_major_locator(FixedLocator(ticks))
    axes[0].xaxis.set_major_formatter(FixedFormatter([f"{tick:,.6g}" for tick in ticks]))
    axes[0].xaxis.set_minor_locator(NullLocator())
    return page.done()


def _panel(ax: Axes, curves: dict[str, pd.DataFrame]) -> None:
    """Draw the curves of one grouping, with a legend where there are several; names are set afterwards."""
    ax.set_xscale("log")
    drawn = []
    for rows, (colour, dash) in zip(curves.values(), GROUP_STYLES, strict=False):
        (line,) = ax.step(rows["days"], rows["log_minus_log"], where="post", color=colour, linestyle=dash)
        ax.plot(rows["days"].iloc[-1:], rows["log_minus_log"].iloc[-1:], marker="o", markersize=3, color=colour)
        drawn.append(line)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.grid(axis="y")
    if len(curves) < 2:
        return
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.04 * len(curves) * (high - low) - 0.1 * (high - low), high)
    legend = ax.legend(drawn, ["group"] * len(drawn), loc="lower right", fontsize=SMALL_SIZE, handlelength=2.2)
    for text, name in zip(legend.get_texts(), curves, strict=True):
        text.set_parse_math(False)
        text.set_text(shortened(name, size=SMALL_SIZE, room=_NAME_ROOM))


def _notes(panels: dict[str, pd.DataFrame], of: int) -> list[str]:
    notes = ["Where hazards are proportional the curves of a panel keep the same distance from each other."]
    if len(panels) < of:
        notes.append(f"Drawn are the first {len(panels)} of {of} groupings.")
    crowded = [rows["group"] for rows in panels.values() if len(rows["group"].unique()) > len(GROUP_STYLES)]
    if crowded:
        notes.append(f"Drawn are the first {len(GROUP_STYLES)} groups of a panel.")
    return [" ".join(notes)]

"""Share of waits that have entered on two sides, and the difference below."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.step_lines import ROW, at_risk_table, legend_above
from figures.page.style import GROUP_STYLES, INK, MUTED, TEXT_SIZE, Page, applied
from figures.page.text import shortened

_NAME_ROOM: Final = 105.0
"""Width of the name of a side in points."""


def curve_difference(table: pd.DataFrame, *, a: str = "a", b: str = "b") -> Figure:
    """Return the curves of two sides with their bands, the difference with its band, and the waits at risk.

    Table: `table` of `survival.curve_difference`.

    Parameters
    ----------
    table
        One row per day from 0: `days`, `at_risk_a`, `at_risk_b` (waits), `share_a`, `low_a`, `high_a`, `share_b`,
        `low_b`, `high_b` (share entered, 0 … 1, with its band), `difference`, `low`, `high`, as
        `survival.curve_difference` returns them.
    a, b
        Names of the two sides.

    Raises
    ------
    DataSaysNoError
        When the table has no row.
    SettingError
        When a column is missing or days have gaps.

    Examples
    --------
    >>> day = {"days": [0, 1], "at_risk_a": [9, 9], "at_risk_b": [8, 8], "difference": [0, 0.1], "low": [0, -0.1],
    ...     "high": [0, 0.3]}
    >>> sides = {f"{name}_{side}": [0, 0.1] for side in "ab" for name in ("share", "low", "high")}
    >>> [ax.get_ylabel() for ax in curve_difference(pd.DataFrame(day | sides)).axes]
    ['share of waits that have entered', 'a less b, in points of %', 'side']
    """
    sides = [f"{part}_{side}" for side in ("a", "b") for part in ("at_risk", "share", "low", "high")]
    rows = checked(table, "curves", numbers=["days", *sides, "difference", "low", "high"])
    if rows.empty:
        raise DataSaysNoError("there is no curve to draw; the table 'curves' is empty")
    if not np.array_equal(rows["days"], np.arange(len(rows))):
        raise SettingError("the days of the table 'curves' are not 0, 1, 2 … without gaps")
    with applied():
        return _drawn(rows, a, b)


def _drawn(rows: pd.DataFrame, a: str, b: str) -> Figure:
    height = 3 * ROW
    note = "Bands: 95 % confidence by artist, for each day by itself: that one leaves 0 on some day says little."
    page = Page("Share of waits that have entered, and the difference", [note], height=4.6 + height)
    upper, middle, lower = page.constrain().subplots(3, 1, sharex=True, height_ratios=[2.4, 1.5, height])
    _curves(upper, rows, a, b)
    colour = GROUP_STYLES[6][0]
    middle.fill_between(rows["days"], rows["low"], rows["high"], step="post", color=colour, alpha=0.16, linewidth=0)
    middle.step(rows["days"], rows["difference"], where="post", color=INK)
    middle.axhline(0, color=MUTED, linewidth=0.6)
    middle.set_ylabel("\n".join(_less(a, b)), parse_math=False)
    middle.yaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    middle.yaxis.set_major_formatter(FuncFormatter(_points))
    middle.set_xlabel("days since debut")
    for ax in (upper, middle):
        ax.tick_params(axis="x", labelbottom=True)
        ax.grid(axis="y")
    last = int(rows["days"].iloc[-1])
    upper.set_xlim(0, last or 1)
    groups = [
        (name, rows[["days", f"at_risk_{side}"]].set_axis(["days", "at_risk"], axis=1))
        for side, name in (("a", a), ("b", b))
    ]
    at_risk_table(lower, groups, last or 1, title="waits at risk", label="side", room=_NAME_ROOM)
    return page.done()


def _curves(ax: Axes, rows: pd.DataFrame, a: str, b: str) -> None:
    lines = []
    for (side, name), (colour, dash) in zip((("a", a), ("b", b)), GROUP_STYLES, strict=False):
        low, high = rows[f"low_{side}"], rows[f"high_{side}"]
        ax.fill_between(rows["days"], low, high, step="post", color=colour, alpha=0.16, linewidth=0)
        steps = ax.step(rows["days"], rows[f"share_{side}"], where="post", color=colour, linestyle=dash)
        lines.append((shortened(name, size=TEXT_SIZE, room=2 * _NAME_ROOM), steps[0]))
    most = float(np.nanmax(rows[["share_a", "share_b", "high_a", "high_b"]].iloc[1:].to_numpy(), initial=0.0))
    ax.set_ylim(0, min(1.02, 1.06 * most) if most else 1)
    ax.set_ylabel("share of waits that have entered")
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    in_percent(ax.yaxis)
    legend_above(ax, lines, left=_NAME_ROOM + 40)


def _less(a: str, b: str) -> list[str]:
    whole = f"{a} less {b}, in points of %"
    if shortened(whole, size=TEXT_SIZE, room=110) == whole:
        return [whole]
    return [shortened(part, size=TEXT_SIZE, room=110) for part in (f"{a} less", f"{b},", "in points of %")]


def _points(value: float, _: int) -> str:
    """Return a difference of shares in points of %, with its sign."""
    return f"{100 * value:+.3g}".replace("-", "−") if value else "0"

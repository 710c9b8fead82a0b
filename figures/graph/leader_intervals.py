"""Scores of markets with their intervals, and rank groups of the measure that is tested."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from diffusion import DataSaysNoError, SettingError, market_names
from figures.graph.measures import beside_size, titled
from figures.page.checks import checked
from figures.page.style import BLUE, MUTED, SMALL_SIZE, TEXT_SIZE, Page, applied, say_empty
from figures.page.text import shortened, shown, wrapped

_ROW: Final = 0.145
"""Height of a market's row in inches."""

_HEAD: Final = 0.72
"""Height of a panel's title and axis in inches."""

_ROWS: Final = 60
"""Rows of markets on a page at most, over all rows of panels."""

_PANELS: Final = 12
"""Panels drawn at most."""


def leader_intervals(
    table: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    size_tau: Mapping[str, float] | None = None,
    most: int = 30,
) -> Figure:
    """Return a panel per measure with the score and interval of each market, rank 1 on top.

    Adjacent markets of one rank group share a line at the right, with the name of the group.

    Table: `leaders()` of `graphs.market_graph`.

    Parameters
    ----------
    table
        One row per measure and market: `market`, `measure`, `score`, `low`, `high` (NaN where there is no interval),
        `rank` (1 leads; NaN where the score is not defined or artists are too few, and then the market is left out),
        `group` (any text or number; missing, or no column, for measures that are not tested). Panels are in order of
        appearance; the first twelve are drawn.
    names
        Code → name (default: the English names).
    size_tau
        Measure → rank correlation with size, which stands in the title (default: not said), as
        `graphs.leaders.bootstrap.tau_with_size` returns them.
    most
        Markets per panel at most (default 30), those with the best ranks; fewer where there are many rows of panels.

    Raises
    ------
    DataSaysNoError
        When the table has no row.
    SettingError
        When a column is missing, a market has two rows for a measure, or `low` is above `high`.

    Examples
    --------
    >>> table = pd.DataFrame({"market": ["SE", "US"], "measure": "net_flow", "score": [-4, 4], "low": [-7, 1],
    ...     "high": [-1, 7], "rank": [2, 1], "group": [2, 1]})
    >>> [tick.get_text() for tick in leader_intervals(table).axes[0].get_yticklabels()]
    ['United States', 'Sweden']
    """
    if most < 1:
        raise SettingError(f"most is {most}, but a ranking has 1 market or more")
    rows = checked(table, "leaders", texts=["market", "measure"], numbers=["score", "low", "high", "rank"])
    groups = table["group"] if "group" in table.columns else [None] * len(rows)
    rows = rows.assign(group=[_group(value) for value in groups])
    panels = _panels(rows)
    known = market_names(rows["market"].unique()) | dict(names or {})
    rows = rows.assign(name=rows["market"].map(known))
    drawn = {measure: rows.loc[panel.index] for measure, panel in [*panels.items()][:_PANELS]}
    with applied():
        return _drawn(drawn, size_tau or {}, most, of=len(panels))


def _group(value: object) -> str:
    """Return a rank group as text: empty where it is missing, whole numbers without a decimal point."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else shown(value)


def _panels(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    panels = {str(measure): panel for measure, panel in rows.groupby("measure", sort=False)}
    if not panels:
        raise DataSaysNoError("there is no market to rank; the table 'leaders' is empty")
    for measure, panel in panels.items():
        if panel["market"].duplicated().any():
            raise SettingError(f"the measure '{shown(measure)[:40]}' has more than one row for a market")
    if (rows["low"] > rows["high"]).any():
        raise SettingError("the table 'leaders' has an interval whose low end is above its high end")
    return panels


def _drawn(panels: Mapping[str, pd.DataFrame], size_tau: Mapping[str, float], most: int, *, of: int) -> Figure:
    if not any(panel["rank"].notna().any() for panel in panels.values()):
        raise DataSaysNoError("no market has enough artists for an interval")
    columns = len(panels) if len(panels) <= 3 else 2 if len(panels) == 4 else 3
    lines = -(-len(panels) // columns)
    most = min(most, max(_ROWS // lines, 1))
    largest = max(int(panel["rank"].notna().sum()) for panel in panels.values())
    rows = max(min(most, largest), 3)
    notes = _notes(panels, most, of, tau=bool(size_tau))
    page = Page("Scores of markets, with intervals", notes, height=lines * (_HEAD + _ROW * rows))
    figure = page.constrain()
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for ax, (measure, panel) in zip(axes, panels.items(), strict=False):
        ranked = panel.dropna(subset=["rank", "score"]).sort_values(["rank", "market"])[:most]
        _panel(ax, ranked, measure, rows, columns=columns)
        title = beside_size(measure, size_tau)
        ax.set_title(shortened(title, size=8, room=170 if columns < 3 else 104), parse_math=False)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    figure.align_ylabels()
    return page.done()


def _panel(ax: Axes, ranked: pd.DataFrame, measure: str, rows: int, *, columns: int) -> None:
    unit = titled(measure)[1]
    room, across = (96, 170) if columns < 3 else (70, 104)
    ax.set_xlabel("\n".join(wrapped(unit, size=TEXT_SIZE, room=across, lines=2)), parse_math=False)
    ax.set_ylabel("market")
    ax.set_ylim(rows - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    places = np.arange(len(ranked))
    names = [shortened(name, size=TEXT_SIZE, room=room) for name in ranked["name"]]
    ax.set_yticks(places, names, size=TEXT_SIZE, parse_math=False)
    if ranked.empty:
        ax.set_xlim(0, 1)
        say_empty(ax, "not defined for any market")
        return
    if ranked["group"].ne("").any():
        _groups(ax, list(ranked["group"]))
    ends = ranked.dropna(subset=["low", "high"])
    ax.hlines(places[ranked.index.isin(ends.index)], ends["low"], ends["high"], color=BLUE, linewidth=1.2)
    ax.scatter(ranked["score"], places, c=BLUE, s=13, zorder=3)
    _across(ax, ranked)


def _across(ax: Axes, ranked: pd.DataFrame) -> None:
    """Set the horizontal axis to contain all intervals, with a line at zero where zero is on the axis."""
    reach = ranked[["score", "low", "high"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(reach)), float(np.nanmax(reach))
    pad = 0.05 * (high - low) or 0.5 * (abs(high) or 1)
    ax.set_xlim(low - pad, high + pad)
    ax.grid(axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    if low - pad < 0 < high + pad:
        ax.axvline(0, color=MUTED, linewidth=0.6)


def _groups(ax: Axes, groups: list[str]) -> None:
    """Draw a line at the right of adjacent markets of one group, and write the group's name beside its first row."""
    changes = [place for place in range(len(groups)) if not place or groups[place] != groups[place - 1]]
    across = ax.get_yaxis_transform()
    for first, end in zip(changes, [*changes[1:], len(groups)], strict=True):
        ax.plot([1.01, 1.01], [first - 0.3, end - 0.7], color=MUTED, linewidth=1.2, transform=across, clip_on=False)
        name = shortened(groups[first], size=SMALL_SIZE, room=30)
        ax.text(1.03, first, name, size=SMALL_SIZE, color=MUTED, va="center", parse_math=False, transform=across)


def _notes(panels: Mapping[str, pd.DataFrame], most: int, of: int, *, tau: bool) -> list[str]:
    everywhere = {market for panel in panels.values() for market in panel["market"]}
    shown_most = max(min(most, int(panel["rank"].notna().sum())) for panel in panels.values())
    notes = ["Lines: 95 % interval of each market by itself."]
    if any(panel["group"].ne("").any() for panel in panels.values()):
        notes.append(
            "At the right: rank groups of the measure that is tested. The markets of a group do not "
            "differ significantly from its first market, allowing for all comparisons; intervals need not overlap."
        )
    if tau:
        notes.append("τ: rank correlation (Kendall) with size, the number of entries; near 1, a ranking repeats size.")
    if shown_most < len(everywhere):
        notes.append(f"Shown are the first {shown_most} of {len(everywhere)} markets in each panel.")
    if len(panels) < of:
        notes.append(f"Drawn are the first {len(panels)} of {of} measures.")
    undefined = {titled(name)[0]: int(panel["rank"].isna().sum()) for name, panel in panels.items()}
    if any(undefined.values()):
        counts = ", ".join(f"{shown(title)[:40]} for {count}" for title, count in undefined.items() if count)
        notes.append(f"Left out where not defined or of too few artists: {counts}.")
    return [" ".join(notes)]

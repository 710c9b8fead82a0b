"""Markets ranked by three measures and by size."""

from collections.abc import Mapping
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from diffusion import DataSaysNoError, SettingError
from figures.graph.measures import MEASURES, beside_size
from figures.page.checks import checked
from figures.page.given import Graph, table_in
from figures.page.style import BLUE, MUTED, TEXT_SIZE, VERMILION, Page, applied, say_empty
from figures.page.text import shortened

_MEASURES: Final = {measure: MEASURES[measure] for measure in ("net_flow", "springrank", "betweenness", "entries")}


_COUNTS: Final = ("net_flow", "entries")


def leader_chart(
    leaders: pd.DataFrame | Graph, *, size_tau: Mapping[str, float] | None = None, most: int = 12
) -> Figure:
    """Return four rankings of markets side by side: net flow, SpringRank, betweenness, and size for comparison.

    PageRank and hub scores are not drawn: they order markets much as their size does.

    Table: `nodes` of `graphs.market_graph`, or the graph itself.

    Parameters
    ----------
    leaders
        One row per market: `market`, `name`, `net_flow` (tracks), `springrank`, `betweenness`, `entries` (tracks).
        Where a measure is NaN, the market is left out of its panel. Or a graph.
    size_tau
        Measure → rank correlation with size, which stands in the title (default: not said), as
        `graphs.leaders.bootstrap.tau_with_size` returns them.
    most
        Markets per panel at most (default 12), those with the largest values; equal ones are in order of code.

    Raises
    ------
    DataSaysNoError
        When there is no market.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> leaders = pd.DataFrame({"market": ["SE", "US"], "name": ["Sweden", "USA"], "net_flow": [-4, 4],
    ...     "springrank": [0.4, 0.6], "betweenness": [0.0, 0.0], "entries": [90, 80]})
    >>> [ax.get_title(loc="left") for ax in leader_chart(leaders, size_tau={"springrank": 0.41}).axes]
    ['Net flow', 'SpringRank (τ .41)', 'Betweenness', 'Size (no graph)']
    """
    if most < 1:
        raise SettingError(f"most is {most}, but a ranking has 1 market or more")
    table = checked(table_in(leaders, "nodes"), "leaders", texts=["market", "name"], numbers=list(_MEASURES))
    if table.empty:
        raise DataSaysNoError("there is no market to rank; the table 'leaders' is empty")
    with applied():
        return _drawn(table, size_tau or {}, most)


def _drawn(table: pd.DataFrame, size_tau: Mapping[str, float], most: int) -> Figure:
    rows = min(most, len(table))
    notes = _notes(table, rows, size_tau)
    page = Page("Markets ranked by three measures, and by size", notes, height=2 * (0.75 + 0.165 * max(rows, 4)))
    figure = page.constrain()
    for measure, ax in zip(_MEASURES, figure.subplots(2, 2).flat, strict=True):
        ranked = table.dropna(subset=[measure]).sort_values([measure, "market"], ascending=[False, True])[:most]
        _panel(ax, ranked, measure, rows)
        ax.set_title(beside_size(measure, size_tau))
    figure.align_ylabels()
    return page.done()


def _panel(ax: Axes, ranked: pd.DataFrame, measure: str, rows: int) -> None:
    unit = _MEASURES[measure][1]
    names = [shortened(name, size=TEXT_SIZE, room=84) for name in ranked["name"]]
    places = range(len(names))
    colours = [BLUE if value >= 0 else VERMILION for value in ranked[measure]]
    ax.hlines(places, 0, ranked[measure], colors=colours, linewidth=1.4)
    ax.scatter(ranked[measure], places, c=colours, s=16, zorder=3)
    ax.set_xlabel(unit)
    ax.set_ylabel("market")
    ax.set_yticks(places, names, size=TEXT_SIZE, parse_math=False)
    ax.set_ylim(max(rows, 4) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=measure in _COUNTS))
    if measure in _COUNTS:
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if ranked.empty:
        ax.set_xlim(0, 1)
        say_empty(ax, "not defined for any market")
        return
    ax.axvline(0, color=MUTED, linewidth=0.6)
    if not ranked[measure].any():
        ax.set_xlim(-0.05, 1)
        say_empty(ax, "zero for every market")


def _notes(table: pd.DataFrame, rows: int, size_tau: Mapping[str, float]) -> list[str]:
    counted = f"The {rows} largest of {len(table)} markets" if rows < len(table) else f"All {len(table)} markets"
    notes = [f"{counted} in each panel. The scores describe; none is tested."]
    if size_tau:
        notes.append("τ: rank correlation (Kendall) with size, the number of entries; near 1, a ranking repeats size.")
    undefined = {_MEASURES[measure][0]: int(table[measure].isna().sum()) for measure in _MEASURES}
    if any(undefined.values()):
        counts = ", ".join(f"{title} for {count}" for title, count in undefined.items() if count)
        notes.append(f"Left out where not defined: {counts}.")
    return [" ".join(notes)]

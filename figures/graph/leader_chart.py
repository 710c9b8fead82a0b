"""Markets ranked by four measures."""

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from diffusion import DataSaysNoError, SettingError
from figures.graph.measures import MEASURES
from figures.page.checks import checked
from figures.page.given import Graph, table_in
from figures.page.style import BLUE, MUTED, TEXT_SIZE, VERMILION, Page, applied, say_empty
from figures.page.text import shortened

_MEASURES: Final = {measure: MEASURES[measure] for measure in ("net_flow", "pagerank", "hub", "betweenness")}


def leader_chart(leaders: pd.DataFrame | Graph, *, most: int = 12) -> Figure:
    """Return four rankings of markets side by side: net flow, PageRank, hub score and betweenness.

    Table: `scores()` of `graphs.market_graph`, or the graph itself.

    Parameters
    ----------
    leaders
        One row per market: `market`, `name`, `net_flow` (tracks), `pagerank`, `hub`, `betweenness`. Where a measure is
        NaN, the market is left out of its panel. Or a graph.
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
    ...     "pagerank": [0.4, 0.6], "hub": [0.2, 0.8], "betweenness": [0.0, 0.0]})
    >>> [ax.get_title(loc="left") for ax in leader_chart(leaders).axes]
    ['Net flow', 'PageRank', 'HITS hub', 'Betweenness']
    """
    if most < 1:
        raise SettingError(f"most is {most}, but a ranking has 1 market or more")
    table = checked(table_in(leaders, "nodes"), "leaders", texts=["market", "name"], numbers=list(_MEASURES))
    if table.empty:
        raise DataSaysNoError("there is no market to rank; the table 'leaders' is empty")
    with applied():
        return _drawn(table, most)


def _drawn(table: pd.DataFrame, most: int) -> Figure:
    rows = min(most, len(table))
    page = Page("Markets ranked by four measures", _notes(table, rows), height=2 * (0.75 + 0.165 * max(rows, 4)))
    figure = page.constrain()
    for measure, ax in zip(_MEASURES, figure.subplots(2, 2).flat, strict=True):
        ranked = table.dropna(subset=[measure]).sort_values([measure, "market"], ascending=[False, True])[:most]
        _panel(ax, ranked, measure, rows)
    figure.align_ylabels()
    return page.done()


def _panel(ax: Axes, ranked: pd.DataFrame, measure: str, rows: int) -> None:
    title, unit = _MEASURES[measure]
    names = [shortened(name, size=TEXT_SIZE, room=84) for name in ranked["name"]]
    places = range(len(names))
    colours = [BLUE if value >= 0 else VERMILION for value in ranked[measure]]
    ax.hlines(places, 0, ranked[measure], colors=colours, linewidth=1.4)
    ax.scatter(ranked[measure], places, c=colours, s=16, zorder=3)
    ax.set_title(title)
    ax.set_xlabel(unit)
    ax.set_ylabel("market")
    ax.set_yticks(places, names, size=TEXT_SIZE, parse_math=False)
    ax.set_ylim(max(rows, 4) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=measure == "net_flow"))
    if measure == "net_flow":
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if ranked.empty:
        ax.set_xlim(0, 1)
        say_empty(ax, "not defined for any market")
        return
    ax.axvline(0, color=MUTED, linewidth=0.6)
    if not ranked[measure].any():
        ax.set_xlim(-0.05, 1)
        say_empty(ax, "zero for every market")


def _notes(table: pd.DataFrame, rows: int) -> list[str]:
    notes = [f"The {rows} largest of {len(table)} markets in each panel." if rows < len(table) else "All markets."]
    undefined = {_MEASURES[measure][0]: int(table[measure].isna().sum()) for measure in _MEASURES}
    if any(undefined.values()):
        counts = ", ".join(f"{title} for {count}" for title, count in undefined.items() if count)
        notes.append(f"Left out where not defined: {counts}.")
    return notes

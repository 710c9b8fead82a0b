"""The largest flows between markets as arrows on a map of the world."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from diffusion import SettingError
from figures.maps.atlas import (
    STRIP,
    Atlas,
    arrow_key,
    by_traffic,
    draw,
    located,
    numbered,
    origin,
    strongest,
    traffic_key,
    unlocated,
)
from figures.page.checks import checked
from figures.page.given import Graph, flows_of
from figures.page.style import SMALL_SIZE, Page, applied, say_empty

_ARROW: Final = "#3b3b3b9e"
_ARROWS: Final = 40
_COLOURS: Final = "PuOr"


def flow_map(edges: pd.DataFrame | Graph, markets: pd.DataFrame | None = None, *, most: int | None = None) -> Figure:
    """Return a world map with a dot for every market and an arrow for each of the largest flows.

    Markets that receive more than they send are squares.
    Arrows run from source to target, take the shorter way round the world and bend to the right; wider arrows have more
    tracks. Where five markets or more lie in and around Europe, a second panel enlarges it.

    Table: `edges` and `scores()` of `graphs.market_graph`, or the graph itself.

    Parameters
    ----------
    edges
        One row per ordered pair: `source`, `target`, `tracks`; or a graph.
    markets
        One row per market: `market`, `net_flow`, `out_tracks`, `in_tracks`, and `name`, `latitude`, `longitude`
        (default: those of the reference table). A market whose position is NaN is not drawn, and a note says so.
    most
        Arrows at most, those with most tracks (default: two for each market, 40 at most; more cannot be told apart).

    Raises
    ------
    DataSaysNoError
        When no market has a known position.
    SettingError
        When a column is missing or a market has two rows.

    References
    ----------
    Šavrič, Patterson & Jenny 2019, The Equal Earth map projection, doi 10.1080/13658816.2018.1504949.

    Examples
    --------
    >>> from matplotlib.patches import FancyArrowPatch
    >>> markets = pd.DataFrame({"market": ["SE", "US"], "name": ["Sweden", "USA"], "latitude": [62, 40],
    ...     "longitude": [16, -98], "net_flow": [4, -4], "out_tracks": [6, 2], "in_tracks": [2, 6]})
    >>> edges = pd.DataFrame({"source": ["SE", "US"], "target": ["US", "SE"], "tracks": [6, 2]})
    >>> len([patch for patch in flow_map(edges, markets).axes[0].patches if isinstance(patch, FancyArrowPatch)])
    2
    """
    if most is not None and most < 1:
        raise SettingError(f"most is {most}, but a map has 1 arrow or more")
    pairs, nodes = flows_of(edges, markets)
    pairs = checked(pairs, "edges", texts=["source", "target"], numbers=["tracks"])
    pairs = pairs[(pairs["tracks"] > 0) & (pairs["source"] != pairs["target"])]
    places = located(nodes, texts=[], numbers=["net_flow", "out_tracks", "in_tracks"])
    drawn = by_traffic(places)
    arrows = strongest(numbered(pairs, drawn), min(2 * len(drawn), _ARROWS) if most is None else most)
    limit = drawn["net_flow"].abs().max()
    colours = ScalarMappable(Normalize(-limit, limit) if limit > 0 else Normalize(-1, 1), _COLOURS)
    atlas = Atlas(
        drawn.assign(
            colour=[*colours.to_rgba(drawn["net_flow"].fillna(0).to_numpy())],
            marker=np.where(drawn["net_flow"] < 0, "s", "o"),
        ),
        arrows.assign(colour=_ARROW),
    )
    with applied():
        return _drawn(atlas, colours, _notes(atlas, pairs, places))


def _drawn(atlas: Atlas, colours: ScalarMappable, notes: list[str]) -> Figure:
    title = "The largest flows of tracks between markets"
    page = Page(title, notes, height=STRIP + atlas.height)
    top = draw(page, atlas, bottom=STRIP)
    if atlas.arrows.empty:
        say_empty(top, "no track went from one market on the map to another")
    bar = page.figure.colorbar(colours, cax=page.place(0.15, 0.39, 2.6, 0.09), orientation="horizontal")
    bar.locator, bar.formatter = MaxNLocator(5, integer=True), StrMethodFormatter("{x:,.0f}")
    bar.set_label("net flow: transitions sent minus received", size=SMALL_SIZE)
    bar.ax.tick_params(labelsize=SMALL_SIZE)
    arrow_key(page.place(3.15, 0.06, 2.0, 0.47), atlas, colour=_ARROW)
    traffic_key(page.place(5.3, 0.06, 2.0, 0.47), atlas)
    return page.done()


def _notes(atlas: Atlas, edges: pd.DataFrame, places: pd.DataFrame) -> list[str]:
    drawn = (
        f"Drawn are {len(atlas.arrows):,} of {len(edges):,} flows, those with most tracks. A track counts for a pair "
        "when it enters the target after the source, within the window. Squares receive more than they send. Arrows "
        "are not routes."
    )
    return [drawn, *unlocated(places, edges, "flows"), origin(atlas)]

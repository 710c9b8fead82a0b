"""The backbone (pairs beyond the baseline) on a map of the world."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure

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
from figures.page.scales import log_ticks
from figures.page.style import MUTED, SMALL_SIZE, Page, applied, say_empty

_COLOURS: Final = ListedColormap(colormaps["YlOrRd"](np.linspace(0.42, 1.0, 256)))
_DOT: Final = "#ffffff"


def backbone_map(
    edges: pd.DataFrame | Graph, markets: pd.DataFrame | None = None, *, level: float = 0.05, most: int = 60
) -> Figure:
    """Return a world map with an arrow for every pair beyond the baseline: q ≤ `level`.

    Wider arrows have more tracks, darker arrows a higher lift. Arrows take the shorter way round the world. Where five
    markets or more lie in and around Europe, a second panel enlarges it.

    Table: `graphs.baseline.edge_table`, with `scores()` of `graphs.market_graph`; or the graph with these columns.

    Parameters
    ----------
    edges
        One row per ordered pair: `source`, `target`, `tracks`, `lift` (observed / expected tracks), `q` (false
        discovery rate). Pairs that were not tested have NaN and are not drawn. Or a graph with these columns.
    markets
        One row per market: `market`, `out_tracks`, `in_tracks`, and `name`, `latitude`, `longitude` (default: those of
        the reference table). A market whose position is NaN is not drawn, and a note says so.
    level
        Largest `q` drawn, above 0 and up to 1 (default .05).
    most
        Arrows at most (default 60), those with most tracks.

    Raises
    ------
    DataSaysNoError
        When no market has a known position.
    SettingError
        When a column is missing, `level` or a `q` is outside 0 … 1, a lift is negative, or a market or pair has two
        rows.

    Examples
    --------
    >>> from matplotlib.patches import FancyArrowPatch
    >>> markets = pd.DataFrame({"market": ["SE", "US"], "name": ["Sweden", "USA"], "latitude": [62, 40],
    ...     "longitude": [16, -98], "out_tracks": [6, 2], "in_tracks": [2, 6]})
    >>> edges = pd.DataFrame({"source": ["SE", "US"], "target": ["US", "SE"], "tracks": [6, 2], "lift": [1.5, 0.8],
    ...     "q": [0.01, 0.7]})
    >>> len([patch for patch in backbone_map(edges, markets).axes[0].patches if isinstance(patch, FancyArrowPatch)])
    1
    """
    if most < 1:
        raise SettingError(f"most is {most}, but a map has 1 arrow or more")
    if not 0 < level <= 1:
        raise SettingError(f"level is {level}, but a false discovery rate is above 0 and at most 1")
    pairs, nodes = flows_of(edges, markets)
    table = _pairs(pairs)
    backbone = table[(table["q"] <= level) & (table["tracks"] > 0) & (table["lift"] > 0)]
    places = located(nodes, texts=[], numbers=["out_tracks", "in_tracks"])
    drawn = by_traffic(places)
    arrows = strongest(numbered(backbone, drawn), most)
    scale = ScalarMappable(_norm(arrows["lift"]), _COLOURS)
    atlas = Atlas(
        drawn.assign(colour=_DOT, marker="o"),
        arrows.assign(colour=[*scale.to_rgba(arrows["lift"].to_numpy(), alpha=0.9)]),
    )
    notes = _notes(atlas, table, backbone, level)
    with applied():
        return _drawn(atlas, scale, [*notes, *unlocated(places, backbone, "arrows"), origin(atlas)], level)


def _pairs(edges: pd.DataFrame) -> pd.DataFrame:
    table = checked(edges, "edges", texts=["source", "target"], numbers=["tracks", "lift", "q"])
    table = table[table["source"] != table["target"]]
    if table.duplicated(["source", "target"]).any():
        raise SettingError("the table 'edges' has more than one row for a pair; one row per ordered pair is drawn")
    if not table["q"].dropna().between(0, 1).all():
        raise SettingError("the table 'edges' has q outside 0 … 1")
    if (table["lift"] < 0).any():
        raise SettingError("the table 'edges' has a negative lift")
    return table


def _norm(lifts: "pd.Series[float]") -> LogNorm:
    if lifts.empty:
        return LogNorm(1, 10)
    low, high = float(lifts.min()), float(lifts.max())
    return LogNorm(low, max(high, 1.05 * low))


def _drawn(atlas: Atlas, scale: ScalarMappable, notes: list[str], level: float) -> Figure:
    title = "Pairs beyond the baseline: more tracks follow than expected"
    page = Page(title, notes, height=STRIP + atlas.height)
    top = draw(page, atlas, bottom=STRIP)
    if atlas.arrows.empty:
        say_empty(top, f"no pair of markets on the map has q ≤ {level:g}")
    else:
        _lift_scale(page, scale)
    arrow_key(page.place(3.15, 0.06, 2.0, 0.47), atlas, colour=MUTED)
    traffic_key(page.place(5.3, 0.06, 2.0, 0.47), atlas)
    return page.done()


def _lift_scale(page: Page, scale: ScalarMappable) -> None:
    ticks = log_ticks(*scale.get_clim())
    place = page.place(0.15, 0.39, 2.6, 0.09)
    bar = page.figure.colorbar(scale, cax=place, orientation="horizontal", ticks=ticks, format="%g")
    bar.minorticks_off()
    bar.set_label("colour of an arrow: lift (observed over expected tracks)", size=SMALL_SIZE)
    bar.ax.tick_params(labelsize=SMALL_SIZE)


def _notes(atlas: Atlas, table: pd.DataFrame, backbone: pd.DataFrame, level: float) -> list[str]:
    drawn = len(atlas.arrows)
    said = (
        f"Of {len(table):,} ordered pairs, {len(backbone):,} have more tracks than market sizes and likeness give "
        f"(q ≤ {level:g}, a false discovery rate)."
    )
    if drawn < len(backbone):
        said += f" Drawn are the {drawn:,} with most tracks."
    unknown = int(table["q"].isna().sum())
    if unknown:
        said += f" {unknown:,} were not tested: too few tracks are expected."
    return [said + " Arrows are not routes."]

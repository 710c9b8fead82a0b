"""The flows between markets as arrows on a map of the world."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from diffusion import DataSaysNoError, SettingError
from figures.geography import Array, equal_earth, label_places, outlines
from figures.style import INK, INNER, MUTED, SMALL_SIZE, Page, applied, say_empty
from figures.tables import checked
from figures.text import shortened, width

_LAND: Final = "#e9e7e2"
_ARROW: Final = "#3b3b3b"
_COLOURS: Final = "PuOr"
_WORLD: Final = (-2.68, -1.06, 2.68, 1.33)
_EUROPE: Final = (-0.40, 0.665, 0.72, 1.215)
"""Left, bottom, right and top of the two panels, in the units of the projection."""

_CROWDED: Final = 5
"""From so many markets on, Europe gets a panel of its own."""

_STRIP: Final = 0.68
_GAP: Final = 0.08
_DOT: Final = 6.5
_SHAFT: Final = 2.3
"""Radius of the largest dot and width of the largest arrow, in points."""


@dataclass(frozen=True, slots=True)
class _Flows:
    """What is drawn: markets with positions, their flows, and the scales both share.

    Attributes
    ----------
    markets
        One row per market with known position, by total flow from the largest: `name`, `net_flow`, `total`, `x`, `y`.
    arrows
        One row per flow, from the smallest: `source`, `target` (rows of `markets`) and `tracks`.
    colours
        Of `net_flow`, the same on both sides of zero.
    """

    markets: pd.DataFrame
    arrows: pd.DataFrame
    colours: ScalarMappable

    def radius(self, total: Array) -> Array:
        """Return the radius in points of dots whose area is proportional to `total` tracks."""
        radii: Array = np.maximum(_DOT * np.sqrt(total / max(self.markets["total"].max(), 1)), 1.3)
        return radii

    def shaft(self, tracks: float) -> float:
        """Return the width in points of the arrow of so many tracks."""
        return max(_SHAFT * tracks / float(self.arrows["tracks"].max()), 0.3)

    def within(self, box: tuple[float, float, float, float]) -> "pd.Series[bool]":
        """Return, by market, whether it lies in a box given as left, bottom, right, top."""
        return self.markets["x"].between(box[0], box[2]) & self.markets["y"].between(box[1], box[3])


def flow_map(edges: pd.DataFrame, markets: pd.DataFrame, *, most: int = 40) -> Figure:
    """Return a world map with a dot for every market and an arrow for every large flow.

    Arrows run from source to target, bend to the same side seen from their source, and are as wide as the flow is
    large. Where five markets or more lie in and around Europe, a second panel enlarges it.

    Parameters
    ----------
    edges
        One row per ordered pair: `source`, `target`, `tracks`.
    markets
        One row per market: `market`, `name`, `latitude`, `longitude` (degrees, NaN where unknown: not drawn, but
        counted below the map), `net_flow`, `out_tracks`, `in_tracks`.
    most
        Arrows at most, the largest by `tracks`.

    Raises
    ------
    DataSaysNoError
        When no market has a known position.
    SettingError
        When a column is missing or a market stands there twice.

    References
    ----------
    Šavrič, Patterson & Jenny 2019, The Equal Earth map projection, doi 10.1080/13658816.2018.1504949.

    Examples
    --------
    >>> markets = pd.DataFrame({"market": ["SE", "US"], "name": ["Sweden", "USA"], "latitude": [62, 40],
    ...     "longitude": [16, -98], "net_flow": [4, -4], "out_tracks": [6, 2], "in_tracks": [2, 6]})
    >>> edges = pd.DataFrame({"source": ["SE", "US"], "target": ["US", "SE"], "tracks": [6, 2]})
    >>> len([patch for patch in flow_map(edges, markets).axes[0].patches if isinstance(patch, FancyArrowPatch)])
    2
    """
    if most < 1:
        raise SettingError(f"most is {most}, but a map has 1 arrow or more")
    edges = checked(edges, "edges", texts=["source", "target"], numbers=["tracks"])
    edges = edges[(edges["tracks"] > 0) & (edges["source"] != edges["target"])]
    places = _placed(markets)
    flows = _flows(edges, places, most)
    with applied():
        return _drawn(flows, _notes(flows, edges, places))


def _placed(markets: pd.DataFrame) -> pd.DataFrame:
    """Return all markets with x and y on the map, NaN where the position is not known."""
    numbers = ["latitude", "longitude", "net_flow", "out_tracks", "in_tracks"]
    table = checked(markets, "markets", texts=["market", "name"], numbers=numbers)
    if table["market"].duplicated().any():
        twice = table["market"][table["market"].duplicated()].iloc[0]
        raise SettingError(f"the table 'markets' has more than one row for '{twice}'")
    known = table["latitude"].between(-90, 90) & table["longitude"].between(-180, 180)
    if not known.any():
        raise DataSaysNoError(f"none of the {len(table)} markets has a known position, so there is no map to draw")
    x, y = equal_earth(table["longitude"].where(known).to_numpy(), table["latitude"].where(known).to_numpy())
    return table.assign(x=x, y=y, total=(table["out_tracks"] + table["in_tracks"]).fillna(0))


def _flows(edges: pd.DataFrame, places: pd.DataFrame, most: int) -> _Flows:
    drawn = places.dropna(subset=["x", "y"]).sort_values(["total", "market"], ascending=[False, True]).reset_index()
    rows = pd.Series(drawn.index, index=drawn["market"])
    arrows = edges[edges["source"].isin(rows.index) & edges["target"].isin(rows.index)]
    arrows = arrows.sort_values(["tracks", "source", "target"], ascending=[False, True, True])[:most][::-1]
    arrows = arrows.assign(source=arrows["source"].map(rows), target=arrows["target"].map(rows))
    limit = drawn["net_flow"].abs().max()
    norm = Normalize(-limit, limit) if limit > 0 else Normalize(-1, 1)
    return _Flows(drawn, arrows.reset_index(drop=True), ScalarMappable(norm, _COLOURS))


def _drawn(flows: _Flows, notes: list[str]) -> Figure:
    detail = int(flows.within(_EUROPE).sum()) >= _CROWDED
    world, europe = _height(_WORLD), _height(_EUROPE) if detail else 0.0
    lower = _STRIP + (europe + _GAP if detail else 0)
    page = Page("Where charting tracks go: the largest flows between markets", notes, height=lower + world)
    top = page.place(0, lower, INNER, world)
    _panel(top, flows, _WORLD, elsewhere=_EUROPE if detail else None)
    if detail:
        _panel(page.place(0, _STRIP, INNER, europe), flows, _EUROPE, elsewhere=None)
    if flows.arrows.empty:
        say_empty(top, "no track went from one market on the map to another")
    _scale(page, flows)
    _arrow_key(page.place(3.15, 0.06, 2.0, 0.47), flows)
    _dot_key(page.place(5.3, 0.06, 2.0, 0.47), flows)
    return page.done()


def _height(box: tuple[float, float, float, float]) -> float:
    return INNER * (box[3] - box[1]) / (box[2] - box[0])


def _panel(
    ax: Axes,
    flows: _Flows,
    box: tuple[float, float, float, float],
    *,
    elsewhere: tuple[float, float, float, float] | None,
) -> None:
    """Draw the part of the map in `box`; arrows and labels that lie in `elsewhere` are left to another panel."""
    ax.set(xlim=(box[0], box[2]), ylim=(box[1], box[3]), xticks=[], yticks=[], facecolor="#f7f9fb")
    ax.spines[:].set(visible=True, edgecolor="#cccccc")
    ax.add_collection(PolyCollection(outlines(), facecolor=_LAND, edgecolor="white", linewidth=0.4), autolim=False)
    left_out = flows.within(elsewhere) if elsewhere else pd.Series(False, index=flows.markets.index)
    if elsewhere:
        size = (elsewhere[2] - elsewhere[0], elsewhere[3] - elsewhere[1])
        ax.add_patch(Rectangle(elsewhere[:2], *size, fill=False, edgecolor=MUTED, linewidth=0.6, linestyle=(0, (3, 2))))
        ax.text(elsewhere[0], elsewhere[3] + 0.01, "enlarged below", size=6, color=MUTED)
    _arrows(ax, flows, skipped=left_out)
    table = flows.markets
    sizes = (2 * flows.radius(table["total"].to_numpy())) ** 2
    colours = flows.colours.to_rgba(table["net_flow"].fillna(0).to_numpy())
    ax.scatter(table["x"], table["y"], s=sizes, c=colours, edgecolor=INK, linewidth=0.5, zorder=3)
    _labels(ax, flows, box, skipped=left_out)


def _arrows(ax: Axes, flows: _Flows, *, skipped: "pd.Series[bool]") -> None:
    table, radii = flows.markets, flows.radius(flows.markets["total"].to_numpy())
    for source, target, tracks in flows.arrows[["source", "target", "tracks"]].itertuples(index=False):
        if skipped[source] and skipped[target]:
            continue
        ends = [(float(table["x"][market]), float(table["y"][market])) for market in (source, target)]
        gaps = float(radii[source]), float(radii[target]) + 0.6
        ax.add_patch(_arrow(ends, flows.shaft(tracks), gaps=gaps, bend=0.22))


def _arrow(
    ends: Sequence[tuple[float, float]], shaft: float, *, gaps: tuple[float, float] = (0, 0), bend: float = 0.0
) -> FancyArrowPatch:
    """Return an arrow from the first to the second end, `shaft` points wide, that stops short of both by `gaps`."""
    return FancyArrowPatch(
        ends[0],
        ends[1],
        connectionstyle=f"arc3,rad={bend}",
        arrowstyle="-|>,head_length=0.45,head_width=0.2",
        mutation_scale=6 + 2.4 * shaft,
        shrinkA=gaps[0],
        shrinkB=gaps[1],
        linewidth=shaft,
        color=_ARROW,
        alpha=0.62,
        zorder=2,
    )


def _labels(ax: Axes, flows: _Flows, box: tuple[float, float, float, float], *, skipped: "pd.Series[bool]") -> None:
    table = flows.markets
    unit = 72 * INNER / (box[2] - box[0])
    dots = (table[["x", "y"]].to_numpy() - np.asarray(box[:2])) * unit
    names = [[shortened(text, size=SMALL_SIZE, room=80) for text in table[column]] for column in ("name", "market")]
    sizes = np.array([[[width(text, SMALL_SIZE), SMALL_SIZE * 1.15] for text in texts] for texts in names])
    inside = flows.within(box) & ~skipped
    wanted = [dot for dot in range(len(table)) if inside[dot]]
    frame = (2.0, 2.0, 72 * INNER - 2, unit * (box[3] - box[1]) - 2)
    radii = flows.radius(table["total"].to_numpy())
    halo = [withStroke(linewidth=1.6, foreground="white")]
    for dot, (label, left, bottom) in label_places(dots, radii, sizes, wanted, frame=frame).items():
        x, y = box[0] + left / unit, box[1] + (bottom + 0.25 * SMALL_SIZE) / unit
        ax.text(x, y, names[label][dot], size=SMALL_SIZE, zorder=4, path_effects=halo, parse_math=False)


def _scale(page: Page, flows: _Flows) -> None:
    bar = page.figure.colorbar(flows.colours, cax=page.place(0.15, 0.39, 2.6, 0.09), orientation="horizontal")
    bar.locator, bar.formatter = MaxNLocator(5, integer=True), StrMethodFormatter("{x:,.0f}")
    bar.set_label("colour of a dot: net flow (tracks sent minus received)", size=SMALL_SIZE)
    bar.ax.tick_params(labelsize=SMALL_SIZE)


def _arrow_key(ax: Axes, flows: _Flows) -> None:
    ax.set(xlim=(0, 2.0), ylim=(0, 1))
    ax.set_axis_off()
    if flows.arrows.empty:
        return
    tracks = flows.arrows["tracks"]
    for place, value in enumerate(sorted({int(tracks.min()), int(tracks.max())})):
        start = 0.05 + 0.95 * place
        ax.add_patch(_arrow([(start, 0.75), (start + 0.45, 0.75)], flows.shaft(value)))
        ax.text(start + 0.52, 0.75, f"{value:,}", va="center", size=SMALL_SIZE)
    ax.text(0.05, 0.06, "width of an arrow: tracks", size=SMALL_SIZE)


def _dot_key(ax: Axes, flows: _Flows) -> None:
    ax.set(xlim=(0, 2.0), ylim=(0, 1))
    ax.set_axis_off()
    largest = int(flows.markets["total"].max())
    if not largest:
        return
    for place, value in enumerate(sorted({max(largest // 10, 1), largest})):
        size = float(2 * flows.radius(np.array([value]))[0]) ** 2
        ax.scatter([0.15 + 0.8 * place], [0.75], s=size, c="white", edgecolor=INK, linewidth=0.5)
        ax.text(0.3 + 0.8 * place, 0.75, f"{value:,}", va="center", size=SMALL_SIZE)
    ax.text(0.05, 0.06, "area of a dot: tracks sent + received", size=SMALL_SIZE)


def _notes(flows: _Flows, edges: pd.DataFrame, places: pd.DataFrame) -> list[str]:
    unknown = places["market"][places["x"].isna()]
    listed = {*places["market"]} - {*unknown}
    lost = edges[~(edges["source"].isin(listed) & edges["target"].isin(listed))]
    notes = [
        f"Drawn are {len(flows.arrows):,} of {len(edges):,} flows, the largest by tracks; a track counts for a pair "
        "when it enters the target after the source, within the window. Arrows bend alike seen from their source and "
        "are no routes."
    ]
    if len(unknown) or len(lost):
        notes.append(
            f"Not drawn for want of a position: {', '.join(sorted(unknown)) or 'unlisted markets'}, with {len(lost):,} "
            "flows."
        )
    notes.append(
        "Outlines and borders: Natural Earth, which draws them as they are held in fact; no position is taken. "
        "Equal Earth projection. Where a name does not fit, its ISO code stands, or nothing."
    )
    return notes

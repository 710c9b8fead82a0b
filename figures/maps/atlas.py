"""Markets and arrows on a map of the world, with a second panel for Europe where many markets lie there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import FancyArrowPatch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError, market_names, reference_table
from figures.maps.geography import Array, arc, equal_earth, globe, label_places, outlines, way
from figures.maps.inset import Box, enlarged, within
from figures.page.checks import check_is_table, checked
from figures.page.style import INK, INNER, MUTED, SMALL_SIZE, Page
from figures.page.text import enumerated, shortened, width

Colour = str | tuple[float, float, float, float]

WORLD: Final[Box] = (-2.72, -1.06, 2.72, 1.33)
EUROPE: Final[Box] = (-0.40, 0.665, 0.72, 1.215)

CROWDED: Final = 5
"""Number of markets in Europe from which Europe gets a panel of its own."""

STRIP: Final = 0.68
"""Height of the legends below the map in inches."""

ORIGIN: Final = (
    "Outlines and de facto borders: Natural Earth; no position is taken. Equal Earth projection. "
    "Names that do not fit are ISO codes or left out."
)
_EDGE: Final = " Diamonds at the edge of the lower panel are markets elsewhere."

BEND: Final = 0.22
"""Distance of an arrow's control point from its chord, as a share of the chord."""

_EDGE_BEND: Final = 0.07
"""The same for arrows that end at the edge of a panel."""

_OCEAN: Final = "#f7f9fb"
_LAND: Final = "#e9e7e2"
_AREAS: Final = {"o": 1.0, "s": 0.79, "^": 1.57, "D": 0.79, "v": 1.57, "P": 1.41, "X": 1.41, "h": 1.21, "p": 1.32}
"""Marker → factor that gives it the area of a circle of the same radius."""

_CORNERS: Final = 1.2
"""Extent of a mark that is no circle, in radii."""

_GAP: Final = 0.08
_DOT: Final = 6.5
_SHAFT: Final = 2.3
"""Radius of the largest dot and width of the largest arrow, in points."""

_FRAME: Final = "#cccccc"


@dataclass(frozen=True, slots=True)
class Atlas:
    """Markets and arrows of a map.

    Attributes
    ----------
    markets
        One row per market, the most important first: `market`, `name`, `longitude`, `latitude`, `x`, `y` (as `located`
        returns them), `radius` (points), `colour`, `marker`.
    arrows
        One row per arrow, the least important first: `source`, `target` (row numbers of `markets`), `shaft` (width in
        points), `colour`.
    """

    markets: pd.DataFrame
    arrows: pd.DataFrame

    @property
    def crowded(self) -> bool:
        """Whether Europe gets a panel of its own."""
        return int(within(self.markets, EUROPE).sum()) >= CROWDED

    @property
    def height(self) -> float:
        """Height of all panels in inches."""
        return _height(WORLD) + (_height(EUROPE) + _GAP if self.crowded else 0)


def located(markets: pd.DataFrame, *, texts: list[str], numbers: list[str]) -> pd.DataFrame:
    """Return the named columns of all markets, with `x` and `y` on the map, NaN where the position is not known.

    Parameters
    ----------
    markets
        One row per market: `market`, `name`, `latitude`, `longitude` (degrees), and the columns named. Names, or
        positions, that are no column are those of the reference table.
    texts, numbers
        Names of further columns.

    Raises
    ------
    DataSaysNoError
        When no market has a known position.
    SettingError
        When a column is missing or a market has two rows.
    """
    table = checked(
        _with_places(markets), "markets", texts=["market", "name", *texts], numbers=["latitude", "longitude", *numbers]
    )
    if table["market"].duplicated().any():
        twice = table["market"][table["market"].duplicated()].iloc[0]
        raise SettingError(f"the table 'markets' has more than one row for '{twice}'")
    known = table["latitude"].between(-90, 90) & table["longitude"].between(-180, 180)
    if not known.any():
        raise DataSaysNoError(f"none of the {len(table)} markets has a known position, so there is no map to draw")
    x, y = equal_earth(table["longitude"].where(known).to_numpy(), table["latitude"].where(known).to_numpy())
    return table.assign(x=x, y=y)


def _with_places(markets: pd.DataFrame) -> pd.DataFrame:
    """Return the markets with names and positions; what the table lacks comes from the reference table."""
    check_is_table(markets, "markets")
    if "market" not in markets.columns:
        return markets
    known = reference_table().set_index("market")
    made = {} if "name" in markets.columns else {"name": markets["market"].map(market_names(markets["market"]))}
    if "latitude" not in markets.columns and "longitude" not in markets.columns:
        made |= {name: markets["market"].map(known[name]) for name in ("latitude", "longitude")}
    return markets.assign(**made)


def unlocated(places: pd.DataFrame, edges: pd.DataFrame, flows: str) -> list[str]:
    """Return a note on the markets without position and on the edges not drawn for that reason, or no note.

    Parameters
    ----------
    places
        Markets, as `located` returns them.
    edges
        Edges to draw: `source`, `target`.
    flows
        Noun for the edges in the note.
    """
    unknown = places["market"][places["x"].isna()]
    listed = {*places["market"]} - {*unknown}
    lost = edges[~(edges["source"].isin(listed) & edges["target"].isin(listed))]
    if not len(unknown) and not len(lost):
        return []
    who = enumerated(sorted(unknown)) or "unlisted markets"
    return [f"Not drawn because the position is not known: {who}, with {len(lost):,} {flows}."]


def numbered(edges: pd.DataFrame, markets: pd.DataFrame) -> pd.DataFrame:
    """Return the edges between the given markets, with `source` and `target` as row numbers of `markets`."""
    rows = pd.Series(np.arange(len(markets)), index=markets["market"])
    inside = edges[edges["source"].isin(rows.index) & edges["target"].isin(rows.index)]
    return inside.assign(source=inside["source"].map(rows), target=inside["target"].map(rows))


def by_traffic(places: pd.DataFrame) -> pd.DataFrame:
    """Return the markets with a position, with `total` (transitions sent and received) and `radius`, largest first."""
    drawn = places.dropna(subset=["x", "y"])
    drawn = drawn.assign(total=(drawn["out_tracks"] + drawn["in_tracks"]).fillna(0))
    drawn = drawn.sort_values(["total", "market"], ascending=[False, True], ignore_index=True)
    return drawn.assign(radius=_radii(drawn["total"].to_numpy(), float(drawn["total"].max())))


def strongest(arrows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the `most` arrows with most tracks, the largest last, with their width `shaft` in points."""
    ranked = arrows.sort_values(["tracks", "source", "target"], ascending=[False, True, True])[:most][::-1]
    shaft = np.maximum(_SHAFT * ranked["tracks"] / ranked["tracks"].max(), 0.3)
    return ranked.assign(shaft=shaft).reset_index(drop=True)


def origin(atlas: Atlas) -> str:
    """Return the note on the outlines and names of a map, and on the marks at the edge of its second panel."""
    over = atlas.crowded and (within(atlas.markets, EUROPE).to_numpy()[_ends(atlas)].sum(axis=1) == 1).any()
    return ORIGIN + _EDGE if over else ORIGIN


def draw(page: Page, atlas: Atlas, *, bottom: float) -> Axes:
    """Draw the map above `bottom` (inches) and return the axes of the world.

    Where Europe has a panel of its own, its arrows to and from other parts of the world end at the edge of that panel,
    at a mark with the name of the other market; on the map of the world they are whole.
    """
    world, europe = _height(WORLD), _height(EUROPE)
    top = page.place(0, bottom + atlas.height - world, INNER, world)
    _ground(top, WORLD)
    left_out = within(atlas.markets, EUROPE).to_numpy() & atlas.crowded
    if atlas.crowded:
        _frame(top, EUROPE)
    places = atlas.markets[["longitude", "latitude"]].to_numpy(dtype=float)
    beyond = atlas.arrows.iloc[np.flatnonzero(~left_out[_ends(atlas)].all(axis=1))]
    whole = Atlas(atlas.markets, beyond)
    _arrows(top, whole, WORLD, lambda source, target: way(places[source], places[target], bend=BEND))
    _dots(top, whole)
    _labels(top, whole, WORLD, np.flatnonzero(within(atlas.markets, WORLD) & ~left_out).tolist())
    if atlas.crowded:
        _inset(
            page.place(0, bottom, INNER, europe), Atlas(*enlarged(atlas.markets, atlas.arrows, EUROPE, _unit(EUROPE)))
        )
    return top


def _inset(ax: Axes, part: Atlas) -> None:
    """Draw the panel of Europe; the names of markets beyond its edge come first, so that each has its place."""
    _ground(ax, EUROPE)
    places, edge = part.markets[["x", "y"]].to_numpy(dtype=float), part.markets["edge"].to_numpy(dtype=bool)
    bends = np.where(edge, _EDGE_BEND, BEND)
    _arrows(
        ax,
        part,
        EUROPE,
        lambda source, target: [arc(places[source], places[target], float(min(bends[source], bends[target])))],
    )
    _dots(ax, part)
    _labels(ax, part, EUROPE, [*np.flatnonzero(edge), *np.flatnonzero(~edge)])


def arrow_key(ax: Axes, atlas: Atlas, *, colour: Colour) -> None:
    """Draw the legend of arrow widths: the narrowest and the widest arrow; nothing where there is no arrow."""
    ax.set(xlim=(0, 2.0), ylim=(0, 1))
    ax.set_axis_off()
    if atlas.arrows.empty:
        return
    ends = atlas.arrows.iloc[[0, -1]].drop_duplicates("tracks")
    for place, (value, shaft) in enumerate(ends[["tracks", "shaft"]].itertuples(index=False)):
        start = 0.05 + 0.95 * place
        ax.add_patch(_arrow(np.array([[start, 0.75], [start + 0.45, 0.75]]), shaft, colour))
        ax.text(start + 0.52, 0.75, f"{value:,.0f}", va="center", size=SMALL_SIZE)
    ax.text(0.05, 0.06, "width of an arrow: tracks", size=SMALL_SIZE)


def traffic_key(ax: Axes, atlas: Atlas) -> None:
    """Draw the legend of dot areas: the largest dot and one of a tenth; nothing where there are no transitions."""
    ax.set(xlim=(0, 2.0), ylim=(0, 1))
    ax.set_axis_off()
    largest = int(atlas.markets["total"].max())
    if not largest:
        return
    for place, value in enumerate(sorted({max(largest // 10, 1), largest})):
        size = float(2 * _radii(np.array([value]), largest)[0]) ** 2
        ax.scatter([0.15 + 0.8 * place], [0.75], s=size, c="white", edgecolor=INK, linewidth=0.5)
        ax.text(0.3 + 0.8 * place, 0.75, f"{value:,}", va="center", size=SMALL_SIZE)
    ax.text(0.05, 0.06, "area of a dot: transitions sent + received", size=SMALL_SIZE)


def _ends(atlas: Atlas) -> NDArray[np.int64]:
    """Return the row numbers of the ends of each arrow, (arrows, 2)."""
    return atlas.arrows[["source", "target"]].to_numpy(dtype=np.int64)


def _height(box: Box) -> float:
    return INNER * (box[3] - box[1]) / (box[2] - box[0])


def _radii(total: Array, largest: float) -> Array:
    """Return the radius in points of dots whose area is proportional to `total` tracks."""
    radii: Array = np.maximum(_DOT * np.sqrt(total / max(largest, 1)), 1.3)
    return radii


def _unit(box: Box) -> float:
    """Return the length in points of one unit of the projection."""
    return 72 * INNER / (box[2] - box[0])


def _ground(ax: Axes, box: Box) -> None:
    """Draw sea and land of the part of the map in `box`."""
    ax.set(xlim=(box[0], box[2]), ylim=(box[1], box[3]), xticks=[], yticks=[], facecolor="none")
    ax.spines[:].set(visible=box is not WORLD, edgecolor=_FRAME)
    sphere = PolyCollection([globe()], facecolor=_OCEAN, edgecolor=_FRAME, linewidth=0.5)
    ax.add_collection(sphere, autolim=False)
    ax.add_collection(PolyCollection(outlines(), facecolor=_LAND, edgecolor="white", linewidth=0.4), autolim=False)


def _frame(ax: Axes, box: Box) -> None:
    """Mark the part of the world that a panel enlarges."""
    size = (box[2] - box[0], box[3] - box[1])
    ax.add_patch(Rectangle(box[:2], *size, fill=False, edgecolor=MUTED, linewidth=0.6, linestyle=(0, (3, 2))))
    ax.text(box[0], box[3] + 0.01, "enlarged below", size=SMALL_SIZE, color=MUTED)


def _dots(ax: Axes, atlas: Atlas) -> None:
    for marker, group in atlas.markets.groupby("marker", sort=False):
        look = str(marker)
        sizes = (2 * group["radius"]) ** 2 * _AREAS[look]
        dots = ax.scatter(group["x"], group["y"], s=sizes, c=list(group["colour"]), marker=look, zorder=3)
        dots.set(edgecolor=INK, linewidth=0.5)


def _arrows(ax: Axes, atlas: Atlas, box: Box, path: Callable[[int, int], list[Array]]) -> None:
    """Draw the arrows along their paths: one piece each, or two where a path goes over the edge of the world."""
    unit, radii = _unit(box), atlas.markets["radius"].to_numpy(dtype=float)
    for source, target, shaft, colour in atlas.arrows[["source", "target", "shaft", "colour"]].itertuples(index=False):
        pieces = path(source, target)
        gaps = float(radii[source]) / unit, (float(radii[target]) + 0.6) / unit
        pieces[0] = _beyond(pieces[0], gaps[0])
        pieces[-1] = _beyond(pieces[-1][::-1], gaps[1])[::-1]
        for piece in pieces[:-1]:
            ax.add_patch(PathPatch(Path(piece), fill=False, linewidth=shaft, edgecolor=colour, zorder=2))
        ax.add_patch(_arrow(pieces[-1], shaft, colour))


def _beyond(points: Array, gap: float) -> Array:
    """Return the part of a line that is more than `gap` from its beginning; its last segment where there is none."""
    away = np.hypot(*(points - points[0]).T)
    first = int(np.argmax(away > gap))
    if away[first] <= gap:
        return points[-2:]
    share = (gap - away[first - 1]) / (away[first] - away[first - 1])
    return np.vstack([points[first - 1] + share * (points[first] - points[first - 1]), points[first:]])


def _arrow(points: Array, shaft: float, colour: Colour) -> FancyArrowPatch:
    """Return an arrow along a line, with a shaft of the given width in points."""
    return FancyArrowPatch(
        path=Path(points),
        arrowstyle="-|>,head_length=0.45,head_width=0.2",
        mutation_scale=6 + 2.4 * shaft,
        linewidth=shaft,
        color=colour,
        zorder=2,
    )


def _labels(ax: Axes, atlas: Atlas, box: Box, wanted: Sequence[int]) -> None:
    """Write the names of the wanted markets, the most important first, as far as there is room."""
    table, unit = atlas.markets, _unit(box)
    dots = (table[["x", "y"]].to_numpy() - np.asarray(box[:2])) * unit
    names = [[shortened(text, size=SMALL_SIZE, room=80) for text in table[column]] for column in ("name", "market")]
    sizes = np.array([[[width(text, SMALL_SIZE), SMALL_SIZE * 1.15] for text in texts] for texts in names])
    frame = (2.0, 2.0, 72 * INNER - 2, unit * (box[3] - box[1]) - 2)
    radii = table["radius"].to_numpy(dtype=float) * np.where(table["marker"] == "o", 1, _CORNERS)
    halo = [withStroke(linewidth=1.6, foreground="white")]
    for dot, (label, left, bottom) in label_places(dots, radii, sizes, wanted, frame=frame).items():
        x, y = box[0] + left / unit, box[1] + (bottom + 0.25 * SMALL_SIZE) / unit
        ax.text(x, y, names[label][dot], size=SMALL_SIZE, zorder=4, path_effects=halo, parse_math=False)

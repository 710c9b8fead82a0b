"""Communities of markets on a map of the world."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffusion import SettingError
from figures.maps.atlas import ORIGIN, Atlas, draw, located
from figures.page.style import INK, INNER, SMALL_SIZE, TEXT_SIZE, Page, applied
from figures.page.text import by_size, community_name, counted, enumerated, labels, shortened, width

_STYLES: Final = (
    ("#0072b2", "o"),
    ("#e69f00", "s"),
    ("#009e73", "^"),
    ("#cc79a7", "D"),
    ("#56b4e9", "v"),
    ("#d55e00", "P"),
    ("#f0e442", "X"),
    ("#222222", "h"),
)
"""Colour (Okabe & Ito 2008) and shape of each community, the largest first."""

_OTHER: Final = ("#b0b0b0", "p")
"""Look of markets of smaller communities, and of none."""

_LINE: Final = 0.165
_DOT: Final = 6.0
"""Radius in points of a mark with stability 1."""

_LEAST: Final = 1.8


def community_map(markets: pd.DataFrame, *, title: str = "Communities of markets that exchange tracks") -> Figure:
    """Return a world map with the colour and shape of each market's community, and a list of the communities below.

    The area of a mark is proportional to the market's stability. The eight largest communities have a colour each,
    distinct for colour-blind readers, and a shape each; the others are grey.

    Table: `markets` of `graphs.communities.stability`.

    Parameters
    ----------
    markets
        One row per market: `market`, `community` (any text or number, may be missing), `stability` (0 … 1, see
        `graphs.communities.Stability`; may be NaN), and `name`, `latitude`, `longitude` (default: those of the
        reference table). A market whose position is NaN is only listed.
    title
        Title of the figure.

    Raises
    ------
    DataSaysNoError
        When no market has a known position.
    SettingError
        When a column is missing, a stability is outside 0 … 1, or a market has two rows.

    Examples
    --------
    >>> markets = pd.DataFrame({"market": ["SE", "NO", "US"], "name": ["Sweden", "Norway", "USA"],
    ...     "latitude": [62, 61, 40], "longitude": [16, 10, -98], "community": [1, 1, 2], "stability": [0.9, 0.8, 0.7]})
    >>> [text.get_text() for text in community_map(markets).axes[1].texts][:2]
    ['community 1 · 2 markets', 'NO SE']
    """
    places = located(markets, texts=[], numbers=["stability"])
    if "community" not in markets.columns:
        raise SettingError(f"the table 'markets' lacks community; it has {', '.join(map(str, markets.columns))}")
    if not places["stability"].dropna().between(0, 1).all():
        raise SettingError("the table 'markets' has a stability outside 0 … 1")
    places = places.assign(community=labels(markets["community"]))
    ranked = by_size(places["community"].tolist(), places["market"])
    looks = dict(zip(ranked, _STYLES, strict=False))
    drawn = places.dropna(subset=["x", "y"]).sort_values(["stability", "market"], ascending=[False, True])
    radius = np.maximum(_DOT * np.sqrt(drawn["stability"].fillna(0.25)), _LEAST)
    look = [looks.get(name, _OTHER) for name in drawn["community"]]
    atlas = Atlas(
        drawn.assign(
            radius=radius, colour=[colour for colour, _ in look], marker=[marker for _, marker in look]
        ).reset_index(drop=True),
        pd.DataFrame({"source": [], "target": [], "shaft": [], "colour": []}).astype({"source": int, "target": int}),
    )
    with applied():
        return _drawn(atlas, places, ranked, title)


def _drawn(atlas: Atlas, places: pd.DataFrame, ranked: list[str], title: str) -> Figure:
    members = {name: sorted(places["market"][places["community"] == name]) for name in ranked[: len(_STYLES)]}
    rest = sorted(places["market"][~places["community"].isin(members)])
    lines = [
        (f"{shortened(community_name(name), size=TEXT_SIZE, room=90)} · {counted(len(codes))}", codes, look)
        for (name, codes), look in zip(members.items(), _STYLES, strict=False)
    ]
    if rest:
        lines.append((f"other or none · {counted(len(rest))}", rest, _OTHER))
    below = _LINE * len(lines) + 0.32
    page = Page(title, _notes(places, ranked), height=atlas.height + below)
    draw(page, atlas, bottom=below)
    _list(page.place(0, 0.22, INNER, _LINE * len(lines)), lines)
    _stability_key(page.place(0, 0, INNER, 0.2))
    return page.done()


def _list(ax: Axes, lines: list[tuple[str, list[str], tuple[str, str]]]) -> None:
    """Write a line per community: mark, name, number of markets, and as many codes as fit."""
    ax.set(xlim=(0, INNER * 72), ylim=(len(lines), 0))
    ax.set_axis_off()
    start = 18 + max(width(head, TEXT_SIZE) for head, _, _ in lines) + 10
    for place, (head, codes, (colour, marker)) in enumerate(lines):
        ax.scatter([9], [place + 0.5], s=36, c=colour, marker=marker, edgecolor=INK, linewidth=0.5)
        ax.text(18, place + 0.5, head, size=TEXT_SIZE, va="center", parse_math=False)
        listed = shortened(" ".join(codes), size=SMALL_SIZE, room=INNER * 72 - start - 6)
        ax.text(start, place + 0.5, listed, size=SMALL_SIZE, va="center", parse_math=False)


def _stability_key(ax: Axes) -> None:
    ax.set(xlim=(0, INNER * 72), ylim=(0, 1))
    ax.set_axis_off()
    for place, value in enumerate((0.25, 0.5, 1.0)):
        ax.scatter([9 + 46 * place], [0.5], s=4 * _DOT**2 * value, c="white", edgecolor=INK, linewidth=0.5)
        ax.text(18 + 46 * place, 0.5, f"{100 * value:.0f} %", size=SMALL_SIZE, va="center")
    ax.text(
        18 + 46 * 3 - 6,
        0.5,
        "area of a mark: stability (overlap of the market's community with that in bootstrap graphs)",
        size=SMALL_SIZE,
        va="center",
    )


def _notes(places: pd.DataFrame, ranked: list[str]) -> list[str]:
    notes = []
    if len(ranked) > len(_STYLES):
        notes.append(f"{len(ranked)} communities; the {len(_STYLES)} largest have a colour and shape.")
    if places["stability"].isna().any():
        notes.append(f"{int(places['stability'].isna().sum())} markets without stability have a mark as for 25 %.")
    unknown = sorted(places["market"][places["x"].isna()])
    if unknown:
        notes.append(f"Listed but not on the map, because the position is not known: {enumerated(unknown)}.")
    return [" ".join(notes), ORIGIN] if notes else [ORIGIN]

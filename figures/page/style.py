"""One look for all figures: sizes, colours, and the room for a title above and notes below the axes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from figures.page.text import wrapped

WIDTH: Final = 7.5
"""Width of every figure in inches: a text column of A4 or Letter."""

_MARGIN: Final = 0.1
_LEADING: Final = 1.35

INNER: Final = WIDTH - 2 * _MARGIN
"""Width between the margins in inches."""

TITLE_SIZE: Final = 10.0
TEXT_SIZE: Final = 7.5
SMALL_SIZE: Final = 6.5
"""Size of notes in points; nothing but the labels of a full matrix is smaller, and those are no less than 6."""

INK: Final = "#222222"
MUTED: Final = "#5a5a5a"
RULE: Final = "#dddddd"
NO_DATA: Final = "#ededed"
NO_DATA_HATCH: Final = "#b3b3b3"

BLUE: Final = "#0072b2"
VERMILION: Final = "#d55e00"

GROUP_STYLES: Final[tuple[tuple[str, str | tuple[int, tuple[float, ...]]], ...]] = (
    ("#0072b2", "solid"),
    ("#d55e00", (0, (5, 1.5))),
    ("#009e73", (0, (1.2, 1.2))),
    ("#cc79a7", (0, (5, 1.5, 1.2, 1.5))),
    ("#e69f00", "solid"),
    ("#56b4e9", (0, (5, 1.5))),
    ("#222222", (0, (1.2, 1.2))),
    ("#8a7f00", (0, (5, 1.5, 1.2, 1.5))),
)
"""Colour (Okabe & Ito 2008, its yellow darkened) and dash of each group in order; at most eight can be told apart."""

_RC: Final[dict[str, Any]] = {
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT_SIZE,
    "text.color": INK,
    "text.hinting": "none",
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT_SIZE,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8.0,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.5,
    "legend.fontsize": TEXT_SIZE,
    "legend.frameon": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "chart-diffusion",
}


@contextmanager
def applied() -> Iterator[None]:
    """Return a context in which matplotlib's defaults, not the user's settings, and this style hold."""
    with style.context(["default", _RC]):
        yield


class Page:
    """A figure with its title above and its notes below, and the space between them for axes.

    Parameters
    ----------
    title, notes
        Given as they are; wrapped to the page and cleaned of what the font cannot draw.
    height
        Height of the space for axes, in inches; title and notes come on top of it.
    """

    def __init__(self, title: str, notes: Sequence[str], *, height: float) -> None:
        room = 72 * INNER * 0.95  # another renderer's hinting may widen a line a little
        head = wrapped(title, size=TITLE_SIZE, room=room, lines=2)
        foot = [line for note in notes for line in wrapped(note, size=SMALL_SIZE, room=room, lines=4)]
        above = _MARGIN * 1.6 + len(head) * TITLE_SIZE * _LEADING / 72
        below = _MARGIN * (1.6 if foot else 1) + len(foot) * SMALL_SIZE * _LEADING / 72
        total = above + height + below
        self.height = total
        self.figure = Figure(figsize=(WIDTH, total), facecolor="white")
        self.rect = (_MARGIN / WIDTH, below / total, INNER / WIDTH, height / total)
        _put(self.figure, head, top=1 - _MARGIN / total, size=TITLE_SIZE, colour=INK)
        _put(self.figure, foot, top=(below - _MARGIN * 0.6) / total, size=SMALL_SIZE, colour=MUTED)

    def constrain(self, *, above: float = 0.0) -> Figure:
        """Return the figure, its axes still to come, set to fit all axes between title and notes.

        Parameters
        ----------
        above
            Inches below the title that are kept free, for a legend of all axes.
        """
        left, bottom, width, height = self.rect
        rect = (left, bottom, width, height - above / self.height)
        self.figure.set_layout_engine("constrained", rect=rect, w_pad=0.03, h_pad=0.05)
        return self.figure

    def place(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Return axes at a place given in inches from the lower left of the space between title and notes."""
        x, y = self.rect[0] + left / WIDTH, self.rect[1] + bottom / self.height
        return self.figure.add_axes((x, y, width / WIDTH, height / self.height))

    def done(self) -> Figure:
        """Return the figure with its layout carried out and fixed, so that every rendering is the same.

        The layout solver's last digits depend on what was solved before in the process, so places are rounded.
        """
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")
        for ax in self.figure.axes:
            left, bottom, width, height = ax.get_position().bounds
            ax.set_position((round(left, 4), round(bottom, 4), round(width, 4), round(height, 4)))
        return self.figure


def _put(figure: Figure, lines: Sequence[str], *, top: float, size: float, colour: str) -> None:
    step = size * _LEADING / 72 / figure.get_figheight()
    for place, line in enumerate(lines):
        text = figure.text(_MARGIN / WIDTH, top - place * step, line, va="top", size=size, color=colour)
        text.set_parse_math(False)
        text.set_in_layout(False)


def add_colorbar(figure: Figure, colours: ScalarMappable, ax: Axes, label: str, **options: Any) -> Axes:
    """Return the axes of a slim colour scale beside or below `ax`."""
    bar = figure.colorbar(colours, ax=ax, **options)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar.ax


def say_empty(ax: Axes, line: str) -> Artist:
    """Return the text put in the middle of axes that have nothing to show."""
    ground = {"facecolor": "white", "edgecolor": "none"}
    place: dict[str, Any] = {"transform": ax.transAxes, "ha": "center", "va": "center", "zorder": 5}
    return ax.text(0.5, 0.5, line, color=MUTED, parse_math=False, bbox=ground, **place)

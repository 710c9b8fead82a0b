"""The style of all figures: sizes, colours, and a page with a title above and notes below the axes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from figures.page.scope import scope_notes
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
"""Size of notes in points: no text is smaller."""

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
    ("#6b6200", (0, (5, 1.5, 1.2, 1.5))),
)
"""Colour (Okabe & Ito 2008, with an olive for yellow) and dash of up to eight groups, in order."""

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
    """Return a context with this style on top of matplotlib's defaults; the user's settings have no effect in it."""
    with style.context(["default", _RC]):
        yield


class Page:
    """A figure with a title above, notes below, and space for axes between them.

    Parameters
    ----------
    title, notes
        Texts; they are wrapped, and characters that the font lacks are replaced. Within `figures.about` the last note
        is on the charts and their period.
    height
        Height of the space for axes in inches; title and notes are added to it.
    """

    def __init__(self, title: str, notes: Sequence[str], *, height: float) -> None:
        room = 72 * INNER * 0.95  # lines may be a little wider in another renderer
        head = wrapped(title, size=TITLE_SIZE, room=room, lines=2)
        said = [*notes, *scope_notes()]
        foot = [line for note in said for line in wrapped(note, size=SMALL_SIZE, room=room, lines=4)]
        above = _MARGIN * 1.6 + len(head) * TITLE_SIZE * _LEADING / 72
        below = _MARGIN * (1.6 if foot else 1) + len(foot) * SMALL_SIZE * _LEADING / 72
        total = above + height + below
        self.height = total
        self.figure = Figure(figsize=(WIDTH, total), facecolor="white")
        self.rect = (_MARGIN / WIDTH, below / total, INNER / WIDTH, height / total)
        _put(self.figure, head, top=1 - _MARGIN / total, size=TITLE_SIZE, colour=INK)
        _put(self.figure, foot, top=(below - _MARGIN * 0.6) / total, size=SMALL_SIZE, colour=MUTED)

    def constrain(self, *, above: float = 0.0) -> Figure:
        """Return the figure with a layout that fits all axes between title and notes; add the axes afterwards.

        Parameters
        ----------
        above
            Height in inches to keep free below the title, for a legend of all axes (default 0).
        """
        left, bottom, width, height = self.rect
        rect = (left, bottom, width, height - above / self.height)
        self.figure.set_layout_engine("constrained", rect=rect, w_pad=0.03, h_pad=0.05)
        return self.figure

    def place(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Return new axes; place and size are in inches, from the lower left of the space between title and notes."""
        x, y = self.rect[0] + left / WIDTH, self.rect[1] + bottom / self.height
        return self.figure.add_axes((x, y, width / WIDTH, height / self.height))

    def done(self) -> Figure:
        """Return the figure with its layout computed and fixed, so that every rendering is the same.

        Positions are rounded, because the last digits of the layout depend on earlier layouts in the process.
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
    """Return the axes of a narrow colour scale beside or below `ax`."""
    bar = figure.colorbar(colours, ax=ax, **options)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar.ax


def say_empty(ax: Axes, line: str) -> Artist:
    """Write a line in the middle of axes without data, and return it."""
    ground = {"facecolor": "white", "edgecolor": "none"}
    place: dict[str, Any] = {"transform": ax.transAxes, "ha": "center", "va": "center", "zorder": 5}
    return ax.text(0.5, 0.5, line, color=MUTED, parse_math=False, bbox=ground, **place)

"""Journeys: how soon further markets are entered, and how the number of markets grows for each kind."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from diffusion import DataSaysNoError
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.step_lines import ROW, at_risk_table, legend_above
from figures.page.style import BLUE, GROUP_STYLES, MUTED, SMALL_SIZE, Page, applied, say_empty
from figures.page.text import shortened

_ALL: Final = "all"
_ORDINALS: Final = {1: "first", 2: "second", 3: "third"}
_ROOM: Final = 50
"""Width of a name beside the table of numbers at risk, in points."""

_ACROSS: Final = 3
"""Panels in a row."""

_LEGEND: Final = 26
"""Height of a legend of two lines in points."""

_IN_LINE: Final = 4
"""Names in a line of a legend."""

_TITLE_ROOM: Final = 150
"""Width of the title of a panel in points."""


def first_markets_chart(first_markets: pd.DataFrame) -> Figure:
    """Return two panels of curves: the first, second and third further market, and the first by markets on day 0.

    Table: `first_markets` of `pipelines.eda.journeys.first_markets.first_market_tables`; a study has it as a table.

    Parameters
    ----------
    first_markets
        One row per group, further market and day: `by` (``all``, ``footprint``, others are not drawn), `group`, `extra`
        (1, 2, 3), `days`, `at_risk`, `share`, `share_low`, `share_high` (NaN for none).

    Raises
    ------
    DataSaysNoError
        When there is no track.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> curve = pd.DataFrame({"by": "all", "group": "all", "extra": 1, "days": [0, 1], "at_risk": [9, 9],
    ...     "share": [0.0, 0.1], "share_low": [0.0, 0.0], "share_high": [0.0, 0.3]})
    >>> [ax.get_title(loc="left") for ax in first_markets_chart(curve).axes][::2]
    ['further markets', 'the first one, by markets on day 0']
    """
    numbers = ["extra", "days", "at_risk", "share", "share_low", "share_high"]
    table = checked(first_markets, "first_markets", texts=["by", "group"], numbers=numbers)
    if table.empty:
        raise DataSaysNoError("there is no track to draw; the table 'first_markets' is empty")
    every = table[table["by"] == _ALL]
    there = [(extra, name) for extra, name in _ORDINALS.items() if extra in every["extra"].to_numpy()]
    overall = {name: every[every["extra"] == extra] for extra, name in there}
    sized = table[(table["by"] == "footprint") & (table["extra"] == 1)]
    by_size = {str(size): own for size, own in sized.groupby("group", sort=False)}
    rows = [ROW * (len(groups) + 1) for groups in (overall, by_size)]
    with applied():
        page = Page("Time from the debut to the first further markets", _notes(every), height=5.6 + sum(rows))
        axes = page.constrain().subplots(4, 1, height_ratios=[1.9, rows[0], 1.9, rows[1]], sharex=True)
        last = int(table["days"].max())
        _curves(axes[0], overall, last, "further markets")
        _curves(axes[2], by_size, last, "the first one, by markets on day 0")
        for ax, groups, label in ((axes[1], overall, "market"), (axes[3], by_size, "day 0")):
            at_risk_table(ax, [*groups.items()], last, title="tracks at risk", label=label, room=_ROOM)
        return page.done()


def _curves(ax: Axes, groups: Mapping[str, pd.DataFrame], last: int, title: str) -> None:
    """Draw the shares that have entered as steps, with their bands."""
    lines: list[tuple[str, Line2D]] = []
    top = 0.0
    for (name, group), (colour, dash) in zip(groups.items(), GROUP_STYLES, strict=False):
        band = group.dropna(subset=["share_low", "share_high"])
        ax.fill_between(
            band["days"], band["share_low"], band["share_high"], step="post", color=colour, alpha=0.14, linewidth=0
        )
        steps = ax.step(group["days"], group["share"], where="post", color=colour, linestyle=dash)
        lines.append((shortened(name, size=SMALL_SIZE, room=_ROOM), steps[0]))
        top = max(top, float(np.nanmax(group[["share", "share_high"]].to_numpy())))
    ax.set_title(title, pad=_LEGEND if len(lines) > _IN_LINE else _LEGEND / 2)
    ax.set_xlim(0, last)
    ax.set_ylim(0, min(1.02, 1.06 * top) if top > 0 else 1)
    ax.set_xlabel("days since debut")
    ax.set_ylabel("share of tracks that have entered")
    ax.tick_params(axis="x", labelbottom=True)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    in_percent(ax.yaxis)
    ax.grid(axis="y")
    if lines:
        legend_above(ax, lines, left=80)
    else:
        say_empty(ax, "no track")


def _notes(every: pd.DataFrame) -> list[str]:
    tracks = int(every["at_risk"].max()) if len(every) else 0
    return [
        f"{tracks:,} tracks with a timed debut. One minus Kaplan–Meier; a track is censored when the coverage of a "
        "market ends that it had not entered on day 0. Bands: 95 %, by artist, for each day by itself; none with fewer "
        "than ten effective artists. Markets of day 0 are not counted as further ones."
    ]


def journeys_chart(kinds: pd.DataFrame, courses: pd.DataFrame) -> Figure:
    """Return one panel per kind of journey: markets entered by day, median and quartiles.

    Table: `journey_kinds` or `journey_stability`, with `journey_courses`, of a study.

    Parameters
    ----------
    kinds
        One row per kind: `kind`, `tracks`, `share`, `share_low`, `share_high` (NaN for none); for clusters also `name`
        and `jaccard` (stability, 0 … 1).
    courses
        One row per kind and day: `kind`, `days`, `q25`, `median`, `q75` (markets). The kind that stays in one market is
        not drawn.

    Raises
    ------
    DataSaysNoError
        When no track goes anywhere.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> kinds = pd.DataFrame({"kind": ["fast global"], "tracks": [40], "share": [0.2], "share_low": [0.1],
    ...     "share_high": [0.3]})
    >>> courses = pd.DataFrame({"kind": "fast global", "days": [0, 1], "q25": [1, 2], "median": [1, 3], "q75": [2, 5]})
    >>> journeys_chart(kinds, courses).axes[0].get_title(loc="left")
    'fast global'
    """
    clusters = "jaccard" in kinds
    texts, shares = ["kind", *(["name"] if clusters else [])], ["tracks", "share", "share_low", "share_high"]
    table = checked(kinds, "kinds", texts=texts, numbers=[*shares, *(["jaccard"] if clusters else [])])
    lines = checked(courses, "courses", texts=["kind"], numbers=["days", "q25", "median", "q75"])
    moving = lines.groupby("kind")["q75"].max()
    drawn = table[table["kind"].map(moving).fillna(0) > 1]
    if drawn.empty:
        raise DataSaysNoError("no kind of journey goes beyond one market")
    down = -(-len(drawn) // _ACROSS)
    title = "Kinds of journeys that the data tell apart" if clusters else "Kinds of journeys, by definition"
    with applied():
        page = Page(title, _kind_notes(table, drawn), height=1.75 * down + 0.2)
        grid = page.constrain().subplots(down, _ACROSS, sharex=True, sharey=True, squeeze=False)
        for ax, row in zip(grid.flat, drawn.to_dict("records"), strict=False):
            _course(ax, row["name"] if clusters else row["kind"], lines[lines["kind"] == row["kind"]])
            _written(ax, row)
        for ax in grid.flat[len(drawn) :]:
            ax.set_axis_off()
        for ax in grid[:, 0]:
            ax.set_ylabel("markets entered")
        for place in range(len(drawn)):
            if place + _ACROSS >= len(drawn):
                grid.flat[place].set_xlabel("days since debut")
                grid.flat[place].tick_params(labelbottom=True)
        return page.done()


def _course(ax: Axes, name: str, course: pd.DataFrame) -> None:
    """Draw the median and the quartiles of the markets entered by day."""
    ax.fill_between(course["days"], course["q25"], course["q75"], step="post", color=BLUE, alpha=0.2, linewidth=0)
    ax.step(course["days"], course["median"], where="post", color=BLUE)
    ax.set_title(shortened(name, size=8, room=_TITLE_ROOM))
    ax.set_yscale("log", base=2)
    ax.set_ylim(0.9, 400)
    ax.set_xlim(0, float(course["days"].max()))
    ax.yaxis.set_major_locator(FixedLocator([1, 2, 4, 8, 16, 32, 64]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.grid(axis="y")


def _written(ax: Axes, row: Mapping[Hashable, Any]) -> None:
    """Write the tracks, their share with its interval, and the stability."""
    share, low, high = (100 * row[name] for name in ("share", "share_low", "share_high"))
    text = f"{row['tracks']:,.0f} tracks\n{share:.1f} %" + ("" if np.isnan(low) else f" ({low:.1f} to {high:.1f})")
    if "jaccard" in row:
        text += f"\nstability {row['jaccard']:.2f}"
    ax.text(0.03, 0.97, text, transform=ax.transAxes, va="top", size=SMALL_SIZE, color=MUTED)


def _kind_notes(table: pd.DataFrame, drawn: pd.DataFrame) -> list[str]:
    tracks, left = int(table["tracks"].sum()), table[~table["kind"].isin(drawn["kind"])]
    others = "; ".join(f"{kind}, {count:,.0f}" for kind, count in zip(left["kind"], left["tracks"], strict=True))
    return [
        f"{tracks:,} tracks with a whole window. Line: median of the markets entered by the day, those of day 0 "
        "included (logarithmic); band: quartiles. Percentages: share of these tracks, with its 95 % interval by artist."
        + (f" Not drawn: {others} tracks." if others else "")
    ]

"""How tracks go through charts: quantiles of rank chart by chart, and how long first stays and absences last."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import BLUE, GROUP_STYLES, INK, Page, applied, say_empty

_QUANTILES: Final = ("q10", "q25", "median", "q75", "q90")
_POINTS: Final = {"entry": "aligned at the entry", "best rank": "aligned at the best rank"}
_STREAM_SHARES: Final = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
_ALL: Final = "all"


def trajectory_profiles(profiles: pd.DataFrame, *, depth: int, every: str) -> Figure:
    """Return the ranks of trajectories chart by chart, after the entry and around the best rank, and how many are left.

    A track that is off the chart is drawn below its last place, so that all panels are of the same trajectories.

    Table: `trajectory_profiles` of `pipelines.eda.trajectories.trajectory_tables`; a study has it as a table.

    Parameters
    ----------
    profiles
        One row per point, measure and chart: `aligned` (``entry``, ``best rank``), `measure` (``rank``, ``streams``),
        `charts` (from the point), `followed` (trajectories), `on_chart` (share), `q10`, `q25`, `median`, `q75`, `q90`
        (rank, or log10 of streams relative to the most; NaN off the chart).
    depth
        Last place of the chart.
    every
        Time from one chart to the next, for the axis.

    Raises
    ------
    DataSaysNoError
        When no trajectory was followed.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> row = {"measure": "rank", "followed": 40, "q10": 3, "q25": 9, "median": 20, "q75": 41, "q90": 48}
    >>> table = pd.DataFrame([{"aligned": "entry", "charts": day, "on_chart": 1 - day / 9} | row for day in range(4)])
    >>> [ax.get_ylabel() for ax in trajectory_profiles(table, depth=50, every="day").axes]
    ['rank', '', 'share on the chart', '']
    """
    numbers = ["charts", "followed", "on_chart", *_QUANTILES]
    table = checked(profiles, "trajectory_profiles", texts=["aligned", "measure"], numbers=numbers)
    if table.empty:
        raise DataSaysNoError("no trajectory was followed to be drawn; the table 'trajectory_profiles' is empty")
    streams = table[table["measure"] == "streams"]
    least = float(streams[list(_QUANTILES)].min().min()) - 0.08 if len(streams) else -1.0
    with applied():
        page = Page("How tracks rise and fall on the charts", _notes(table, every), height=6.4 if len(streams) else 4.6)
        heights = [2, 1, 1.6] if len(streams) else [2, 1]
        grid = page.constrain().subplots(len(heights), 2, sharex="col", sharey="row", height_ratios=heights)
        for column, (aligned, title) in enumerate(_POINTS.items()):
            own = table[table["aligned"] == aligned].sort_values("charts")
            rank = own[own["measure"] == "rank"]
            grid[0, column].set_title(title)
            _rank_bands(grid[0, column], rank, depth)
            _left(grid[1, column], rank)
            if len(streams):
                _stream_bands(grid[2, column], own[own["measure"] == "streams"], least)
            grid[-1, column].set_xlabel(f"charts after the {'entry' if aligned == 'entry' else 'best rank'}")
        for row, name in zip(grid, ("rank", "share on the chart", "streams, of the most"), strict=False):
            row[0].set_ylabel(name)
        return page.done()


def _rank_bands(ax: Axes, rank: pd.DataFrame, depth: int) -> None:
    below = depth * 1.06
    _bands(ax, rank.assign(**{name: rank[name].fillna(below) for name in _QUANTILES}))
    ax.set_ylim(below, 0.5)
    ax.set_yticks([place for place in (1, *np.linspace(0, depth, 6)[1:].round().astype(int)) if place <= depth])
    ax.axhline(depth + 0.5, color=INK, linewidth=0.6, linestyle=(0, (2, 2)))


def _stream_bands(ax: Axes, streams: pd.DataFrame, least: float) -> None:
    if streams.empty:
        say_empty(ax, "no streams")
        return
    _bands(ax, streams.assign(**{name: streams[name].fillna(least) for name in _QUANTILES}))
    ax.set_ylim(least, 0.02)
    shown = [share for share in _STREAM_SHARES if np.log10(share) > least]
    ax.set_yticks(np.log10(shown), [f"{share:.0%}" for share in shown])


def _bands(ax: Axes, rows: pd.DataFrame) -> None:
    ax.fill_between(rows["charts"], rows["q10"], rows["q90"], color=BLUE, alpha=0.13, linewidth=0)
    ax.fill_between(rows["charts"], rows["q25"], rows["q75"], color=BLUE, alpha=0.22, linewidth=0)
    ax.plot(rows["charts"], rows["median"], color=BLUE)
    ax.grid(axis="y")


def _left(ax: Axes, rank: pd.DataFrame) -> None:
    if rank.empty:
        say_empty(ax, "none was followed")
    ax.plot(rank["charts"], rank["on_chart"], color=BLUE)
    ax.set_ylim(0, 1.02)
    in_percent(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.grid(axis="y")


def _notes(table: pd.DataFrame, every: str) -> list[str]:
    followed = table.groupby("aligned")["followed"].max()
    counts = ", ".join(f"{int(followed[aligned]):,} at the {aligned}" for aligned in _POINTS if aligned in followed)
    return [
        f"Trajectories (tracks in markets) followed for all these charts, one every {every}: {counts}. Line: median; "
        "bands: middle half and middle 80 %. Below the dashed line, and at the lower end of streams: off the "
        "chart. Around its best rank every series "
        "rises and falls, also one of pure chance."
    ]


def persistence_chart(persistence: pd.DataFrame, comebacks: pd.DataFrame | None, *, every: str) -> Figure:
    """Return the share of first stays that last longer, by charts, and the share of tracks that came back, by days.

    Table: `persistence` and `comebacks` of `pipelines.eda.trajectories.trajectory_tables`; a study has them as tables.

    Parameters
    ----------
    persistence
        One row per group and number of charts: `group`, `length`, `at_risk`, `share` (0 … 1), `low`, `high`.
    comebacks
        One row per group and number of days: `group`, `length`, `at_risk`, `share_back`, `low`, `high`; None where no
        first stay ended.
    every
        Time from one chart to the next, for the axis.

    Raises
    ------
    DataSaysNoError
        When there is no curve.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> curve = pd.DataFrame({"group": "all", "length": [0, 1, 2], "at_risk": [9, 9, 4], "share": [1.0, 0.5, 0.4],
    ...     "low": [1.0, 0.3, 0.2], "high": [1.0, 0.7, 0.6]})
    >>> [ax.get_title("left") for ax in persistence_chart(curve, None, every="day").axes]
    ['first stay', 'after it']
    """
    numbers = ["length", "at_risk", "low", "high"]
    stays = checked(persistence, "persistence", texts=["group"], numbers=[*numbers, "share"])
    if stays.empty:
        raise DataSaysNoError("there is no curve to draw; the table 'persistence' is empty")
    stays = _parted(stays)
    count = stays.groupby("group", sort=False)["at_risk"].max().astype(int)
    with applied():
        notes = [
            "First spells of tracks in markets, entry timed: "
            + ", ".join(f"{name} {number:,}" for name, number in count.items())
            + ". Bands: 95 %, by artist, for each length by itself; exits not seen are censored (Kaplan–Meier)."
        ]
        page = Page("How long tracks stay, and whether they come back", notes, height=3.2)
        left, right = page.constrain().subplots(1, 2)
        _curves(left, stays, "share")
        left.set(title="first stay", xlabel=f"charts on the list, one every {every}", ylabel="share that stays longer")
        right.set(title="after it", xlabel="days since the first stay", ylabel="share that has come back")
        if comebacks is None:
            say_empty(right, "no first stay ended")
        else:
            again = checked(comebacks, "comebacks", texts=["group"], numbers=[*numbers, "share_back"])
            _curves(right, _parted(again), "share_back")
        return page.done()


def _parted(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of the groups that part all; those of all where there are no such groups."""
    parts = curves[curves["group"] != _ALL]
    return curves if parts.empty else parts


def _curves(ax: Axes, curves: pd.DataFrame, share: str) -> None:
    lines = []
    for (name, own), (colour, dash) in zip(curves.groupby("group", sort=False), GROUP_STYLES, strict=False):
        band = own.dropna(subset=["low", "high"])
        ax.fill_between(band["length"], band["low"], band["high"], step="post", color=colour, alpha=0.16, linewidth=0)
        lines += ax.step(own["length"], own[share], where="post", color=colour, linestyle=dash, label=str(name))
    ax.set_xlim(0, max(float(curves["length"].max()), 1))
    ax.set_ylim(0, 1.02 if share == "share" else min(1.02, 1.1 * max(float(curves["high"].max()), 0.01)))
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    in_percent(ax.yaxis)
    ax.grid(axis="y")
    if len(lines) > 1:
        ax.legend(loc="best")

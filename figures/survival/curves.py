"""Share of waits that have entered, by day, with the number at risk below."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.given import Curves, curves_of
from figures.page.step_lines import ROW, at_risk_table, legend_above
from figures.page.style import GROUP_STYLES, SMALL_SIZE, TEXT_SIZE, Page, applied
from figures.page.text import shortened, shown
from figures.survival.confidence import confidence

_NAME_ROOM: Final = 105.0
"""Width of the name of a group in points."""


def survival_curves(
    curves: pd.DataFrame | Curves,
    *,
    title: str = "How many have entered",
    horizon: int | None = None,
    cluster: str | None = None,
    since: str = "debut",
) -> Figure:
    """Return the share of each group that has entered, with its band, and a table of the waits at risk on round days.

    The share is one minus survival, and the axis begins at zero: where few enter, an axis that begins high would make
    small differences look large.

    Table: `curves` of `survival.breakthrough`, or its result itself.

    Parameters
    ----------
    curves
        One row per group and day, from day 0 to the last day of the group's follow-up without gaps: `group`, `days`,
        `at_risk`, `events` (waits), `survival` (0 … 1), `low`, `high` (95 % band, may be NaN). Groups are drawn in
        order of appearance; of more than eight, those with the largest number at risk. Or a result that holds it.
    title
        Title; markup in it has no effect.
    horizon
        Last day drawn (default: that of the result, or the last of a table). A group whose follow-up ends earlier gets
        a mark and a note.
    cluster
        What the bands take as independent, as in `survival.breakthrough`: ``artist`` (default for a table), ``track``
        or ``independent``; for the note. A result says it itself.
    since
        Start of the clock, for the axis (default ``debut``).

    Raises
    ------
    DataSaysNoError
        When there is no group.
    SettingError
        When `horizon` is below 1, a column is missing, days have gaps, or a survival is outside 0 … 1.

    Examples
    --------
    >>> curves = pd.DataFrame({"group": "all", "days": [0, 1, 2], "at_risk": [9, 9, 8], "events": [0, 1, 0],
    ...     "survival": [1.0, 8 / 9, 8 / 9], "low": [1.0, 0.7, 0.7], "high": [1.0, 0.97, 0.97]})
    >>> [ax.get_xlabel() for ax in survival_curves(curves, title="Waits", horizon=2).axes]
    ['days since debut', '']
    """
    table, horizon, cluster = curves_of(curves, horizon, cluster)
    if horizon < 1:
        raise SettingError(f"horizon is {horizon} days; it must be 1 or more")
    numbers = ["days", "at_risk", "events", "survival", "low", "high"]
    groups = _groups(checked(table, "curves", texts=["group"], numbers=numbers))
    within = {name: group[group["days"] <= horizon] for name, group in _largest(groups).items()}
    with applied():
        return _drawn(within, title, horizon, since, _notes(within, horizon, cluster, of=len(groups)))


def _groups(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    groups = {str(name): group.sort_values("days") for name, group in table.groupby("group", sort=False)}
    if not groups:
        raise DataSaysNoError("there is no curve to draw; the table 'curves' is empty")
    for name, group in groups.items():
        if not np.array_equal(group["days"], np.arange(len(group))):
            raise SettingError(f"the days of the group '{shown(name)[:40]}' are not 0, 1, 2 … without gaps")
        if not group["survival"].between(0, 1).all():
            raise SettingError(f"the group '{shown(name)[:40]}' has survival outside 0 … 1")
    return groups


def _largest(groups: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the groups that are drawn, at most eight, those with the most waits at risk, in the order given."""
    at_risk = pd.Series({name: group["at_risk"].max() for name, group in groups.items()})
    kept = {*at_risk.sort_values(ascending=False, kind="stable").index[: len(GROUP_STYLES)]}
    return {name: group for name, group in groups.items() if name in kept}


def _drawn(groups: Mapping[str, pd.DataFrame], title: str, horizon: int, since: str, notes: Sequence[str]) -> Figure:
    alpha = 0.16 if len(groups) <= 4 else 0.09
    table_height = ROW * (len(groups) + 1)
    page = Page(title, notes, height=3.6 + table_height)
    upper, lower = page.constrain().subplots(2, 1, sharex=True, height_ratios=[2.9, table_height])
    lines: list[tuple[str, Line2D]] = []
    for (name, group), (colour, dash) in zip(groups.items(), GROUP_STYLES, strict=False):
        band = group.dropna(subset=["low", "high"])
        low, high = 1 - band["high"], 1 - band["low"]
        upper.fill_between(band["days"], low, high, step="post", color=colour, alpha=alpha, linewidth=0)
        steps = upper.step(group["days"], 1 - group["survival"], where="post", color=colour, linestyle=dash)
        lines.append((shortened(name, size=TEXT_SIZE, room=_NAME_ROOM), steps[0]))
        if group["days"].iloc[-1] < horizon:
            end = group.iloc[-1]
            upper.plot(end["days"], 1 - end["survival"], marker="|", markersize=9, markeredgewidth=1.6, color=colour)
    upper.set_ylim(0, _top(groups))
    last = int(np.max([group["days"].max() for group in groups.values()]))
    upper.set_xlim(0, last * 1.02 if 0 < last < horizon else horizon)
    upper.set_ylabel("share of waits that have entered")
    upper.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    upper.yaxis.set_major_formatter(PercentFormatter(1))
    upper.set_xlabel(shortened(f"days since {since}", size=TEXT_SIZE, room=300), parse_math=False)
    upper.tick_params(axis="x", labelbottom=True)
    upper.grid(axis="y")
    if len(groups) > 1:
        legend_above(upper, lines, left=_NAME_ROOM + 40)
    counted = min(last, horizon) or horizon
    at_risk_table(lower, [*groups.items()], counted, title="waits at risk", label="group", room=_NAME_ROOM)
    return page.done()


def _top(groups: Mapping[str, pd.DataFrame]) -> float:
    """Return the upper end of the vertical axis: above all curves and bands, at most one; one where nobody entered."""
    least = min(float(np.nanmin(group[["survival", "low"]].to_numpy())) for group in groups.values())
    return min(1.02, 1.06 * (1 - least)) if least < 1 else 1.0


def _notes(groups: Mapping[str, pd.DataFrame], horizon: int, cluster: str, *, of: int) -> list[str]:
    bands = confidence(pd.concat([*groups.values()]), "Bands", cluster, each="day")
    notes = [bands or "No confidence bands are given."]
    if len(groups) < of:
        notes.append(f"Drawn are {len(groups)} of {of} groups, those with the most waits at risk.")
    if not sum(group["events"].sum() for group in groups.values()):
        notes.append("No wait ended in an entry.")
    notes.append(_early(groups, horizon))
    return [" ".join(filter(None, notes))]


def _early(groups: Mapping[str, pd.DataFrame], horizon: int) -> str:
    """Return which groups end before the horizon; empty where none does."""
    last = {name: int(group["days"].iloc[-1]) for name, group in groups.items()}
    short = {name: day for name, day in last.items() if day < horizon}
    if not short:
        return ""
    if len({*last.values()}) == 1:
        return f"Follow-up ends on day {last.popitem()[1]}, before day {horizon}."
    ends = ", ".join(f"{shortened(name, size=SMALL_SIZE, room=_NAME_ROOM)} (day {day})" for name, day in short.items())
    return f"Follow-up ends before day {horizon}, at the vertical mark: {ends}."

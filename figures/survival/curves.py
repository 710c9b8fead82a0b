"""Share of waits that have entered, by day, with the number at risk below."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.curves import Curve, Words, curves_height, draw_curves, others_note, top_of
from figures.page.given import Curves, curves_of
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
    small differences look large. One or two groups share a panel. Of more, each has a panel with its band, and the
    others are grey lines in it.

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
    page = Page(title, notes, height=curves_height(len(groups)))
    last = int(np.max([group["days"].max() for group in groups.values()]))
    curves = [
        Curve(
            shortened(name, size=TEXT_SIZE, room=_NAME_ROOM),
            group.assign(share=1 - group["survival"], low=1 - group["high"], high=1 - group["low"]),
            at_risk=group,
            mark="|" if group["days"].iloc[-1] < horizon else "",
        )
        for name, group in groups.items()
    ]
    words = Words(f"days since {since}", "share of waits that have entered", "waits at risk", "group", room=_NAME_ROOM)
    top = top_of(np.concatenate([curve.rows[["share", "high"]].to_numpy().ravel() for curve in curves]))
    end = last * 1.02 if 0 < last < horizon else horizon
    return draw_curves(page, curves, words, last=min(last, horizon) or horizon, end=end, top=top)


def _notes(groups: Mapping[str, pd.DataFrame], horizon: int, cluster: str, *, of: int) -> list[str]:
    bands = confidence(pd.concat([*groups.values()]), "Bands", cluster, each="day")
    notes = [bands or "No confidence bands are given.", others_note(len(groups))]
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

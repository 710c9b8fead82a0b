"""Lag curves: cumulative incidence of entries into a target after the entry into a source, with bands, by pair."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from diffusion import DataSaysNoError, SettingError, market_names
from figures.page.checks import checked
from figures.page.curves import Curve, Words, curves_height, draw_curves, others_note, top_of
from figures.page.given import Pair, pairs_of
from figures.page.style import GROUP_STYLES, SMALL_SIZE, TEXT_SIZE, Page, applied
from figures.page.text import shortened, shown

_NAME_ROOM: Final = 130.0
"""Width of the names of a pair in points."""

_WORDS: Final = Words(
    "days since the entry into the source", "share that followed", "tracks at risk", "pair", room=_NAME_ROOM
)


def lag_curves(curves: pd.DataFrame | Pair | Sequence[Pair], *, names: Mapping[str, str] | None = None) -> Figure:
    """Return the share of exposed tracks that followed within each lag, by pair, with the tracks at risk below.

    One or two pairs share a panel. Of more, each has a panel with its band, and the others are grey lines in it.

    Table: `diffusion.lag_curve` of the `lags` of `graphs.market_graph`; or what its `flow` returns, one or several.

    Parameters
    ----------
    curves
        One row per pair and day: `source`, `target`, `days` (from 0; between rows the curve is constant), `at_risk`
        (tracks), `incidence` (0 … 1), `low`, `high` (95 % band, may be NaN). The first eight pairs are drawn, in order
        of appearance. The last row of a pair is the end of its follow-up. Or pairs that hold their curve.
    names
        Code → name (default: the English names).

    Raises
    ------
    DataSaysNoError
        When there is no pair.
    SettingError
        When a column is missing, a day of a pair occurs twice or is no whole number of 0 or more, or an incidence is
        outside 0 … 1, falls, or is not 0 on day 0.

    Examples
    --------
    >>> curves = pd.DataFrame({"source": "SE", "target": "NO", "days": [1, 2], "at_risk": [9, 8],
    ...     "incidence": [1 / 9, 2 / 9], "low": [0.02, 0.05], "high": [0.3, 0.5]})
    >>> [ax.get_xlabel() for ax in lag_curves(curves).axes]
    ['days since the entry into the source', '']
    """
    numbers = ["days", "at_risk", "incidence", "low", "high"]
    table = checked(pairs_of(curves), "curves", texts=["source", "target"], numbers=numbers)
    known = market_names({*table["source"], *table["target"]}) | dict(names or {})
    pairs = _pairs(table, known)
    with applied():
        return _drawn(pairs[: len(GROUP_STYLES)], of=len(pairs))


def _pairs(table: pd.DataFrame, names: Mapping[str, str]) -> list[tuple[str, pd.DataFrame]]:
    """Return label and rows of every pair, in order of day from day 0."""
    groups = list(table.groupby(["source", "target"], sort=False))
    if not groups:
        raise DataSaysNoError("there is no lag curve to draw; the table 'curves' is empty")
    pairs = []
    for (source, target), rows in groups:
        rows = rows.sort_values("days")
        _refuse(rows, f"{shown(source)[:20]} → {shown(target)[:20]}")
        start = {"days": 0.0, "at_risk": rows["at_risk"].iloc[0], "incidence": 0.0, "low": 0.0, "high": 0.0}
        rows = pd.concat([pd.DataFrame([start]), rows[rows["days"] > 0]], ignore_index=True)
        pairs.append((_arrowed(names[str(source)], names[str(target)]), rows))
    return pairs


def _arrowed(source: str, target: str) -> str:
    """Return the names of a pair with an arrow between them; both are cut where they are too long."""
    whole = f"{shown(source)} → {shown(target)}"
    if shortened(whole, size=TEXT_SIZE, room=_NAME_ROOM) == whole:
        return whole
    return " → ".join(shortened(name, size=TEXT_SIZE, room=_NAME_ROOM / 2 - 6) for name in (source, target))


def _refuse(rows: pd.DataFrame, pair: str) -> None:
    days = rows["days"]
    if not ((days >= 0) & (days % 1 == 0)).all() or days.duplicated().any():
        raise SettingError(f"the days of '{pair}' are not whole numbers of 0 or more, each once")
    incidence = rows["incidence"]
    if not incidence.between(0, 1).all() or (incidence.diff() < -1e-9).any():
        raise SettingError(f"the incidence of '{pair}' is outside 0 … 1, missing, or falls")
    if incidence[days == 0].any():
        raise SettingError(f"the incidence of '{pair}' is not 0 on day 0; tracks that follow on day 0 are ties")


def _drawn(pairs: list[tuple[str, pd.DataFrame]], *, of: int) -> Figure:
    title = "How soon tracks enter the target after the source"
    page = Page(title, _notes(pairs, of), height=curves_height(len(pairs)))
    last = max(int(rows["days"].iloc[-1]) for _, rows in pairs) or 1
    curves = [
        Curve(name, rows.rename(columns={"incidence": "share"}), at_risk=_each_day(rows), mark="o")
        for name, rows in pairs
    ]
    top = top_of(np.concatenate([rows[["incidence", "high"]].to_numpy().ravel() for _, rows in pairs]))
    cadence = min(math.gcd(*(int(day) for _, rows in pairs for day in rows["days"])), 7) or 1
    return draw_curves(page, curves, _WORDS, last=last, end=1.015 * last, top=top, cadence=cadence)


def _each_day(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the tracks at risk on every day; between rows nobody leaves, so a day has the number of the next row."""
    days = pd.RangeIndex(int(rows["days"].iloc[-1]) + 1, name="days")
    return rows.set_index("days")[["at_risk"]].reindex(days).bfill().reset_index()


def _notes(pairs: list[tuple[str, pd.DataFrame]], of: int) -> list[str]:
    banded = any(rows.iloc[1:][["low", "high"]].notna().all(axis=1).any() for _, rows in pairs)
    notes = ["Bands: 95 % confidence, for each day by itself." if banded else "No confidence bands are given."]
    notes.append("One minus Kaplan–Meier over the exposed tracks; ties are left out.")
    notes.append(others_note(len(pairs)))
    if len(pairs) < of:
        notes.append(f"Drawn are the first {len(pairs)} of {of} pairs.")
    none = [name for name, rows in pairs if not rows["incidence"].iloc[-1]]
    if none:
        notes.append(f"No track followed: {', '.join(none)}.")
    last = max(rows["days"].iloc[-1] for _, rows in pairs)
    short = [(name, int(rows["days"].iloc[-1])) for name, rows in pairs if rows["days"].iloc[-1] < last]
    if short:
        ends = ", ".join(f"{shortened(name, size=SMALL_SIZE, room=_NAME_ROOM)} (day {day})" for name, day in short)
        notes.append(f"Follow-up ends early: {ends}.")
    return [" ".join(filter(None, notes))]

"""Positions and ends of the latest chart of every market, and of the chart before it."""

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import LONG_GAP
from pipelines.features.history import History
from pipelines.features.rows import Positions


def latest_two(known: History, day: int) -> Ints:
    """Return, (2, m), the days of each market's latest chart within 28 days, and of the one within 28 days before it.

    A day is −1 where there is no such chart.
    """
    rows = known.observed.between(day - LONG_GAP, day)
    latest = np.full(len(known.markets), -1)
    latest[rows.market] = rows.day  # in order of day: the last stays
    rows = known.observed.between(day - 2 * LONG_GAP, day)
    earlier = (rows.day < latest[rows.market]) & (rows.day >= latest[rows.market] - LONG_GAP)
    before = np.full(len(known.markets), -1)
    before[rows.market[earlier]] = rows.day[earlier]
    return np.stack([latest, before])


def rows_on(known: History, days: Ints) -> Positions:
    """Return the rows of one chart per market, in order of day.

    Parameters
    ----------
    days
        (m,): day of each market's chart, −1 for none. Global has none.
    """
    wanted = days[days >= 0]
    if not len(wanted):
        return known.positions.between(0, -1)
    rows = known.positions.between(int(wanted.min()), int(wanted.max()))
    return where(rows, rows.day == np.append(days, -1)[rows.market])


def where(rows: Positions, chosen: Flags) -> Positions:
    """Return the rows that are chosen."""
    return Positions(*(getattr(rows, name)[chosen] for name in rows.__slots__))


def placed(rows: Positions, track: Ints, markets: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return, (n, m) each, rank and streams of tracks, given in order of code, on charts; NaN where not on it."""
    found = np.full((2, len(track), markets), np.nan, np.float32)
    at = np.minimum(np.searchsorted(track, rows.track), len(track) - 1)
    ours = track[at] == rows.track
    found[:, at[ours], rows.market[ours]] = rows.rank[ours], rows.streams[ours]
    return found[0], found[1]


def ends(known: History, days: Ints) -> tuple[NDArray[np.float32], Floats]:
    """Return, (m,) each, last position and streams of one chart per market; NaN and 0 where there is none.

    Parameters
    ----------
    days
        (m,): day of each market's chart, −1 for none.
    """
    length, streams = np.full(len(days), np.nan, np.float32), np.zeros(len(days))
    wanted = days[days >= 0]
    if len(wanted):
        charts = known.ends.between(int(wanted.min()), int(wanted.max()))
        here = charts.day == np.append(days, -1)[charts.market]
        length[charts.market[here]], streams[charts.market[here]] = charts.rank[here], charts.streams[here]
    return length, streams

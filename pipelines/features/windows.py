"""Debuts whose horizon is over: where they began, which markets they could enter, and which they entered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Floats, Ints
from diffusion.conventions import LONG_GAP
from pipelines.features.history import History
from pipelines.features.observations import debuts
from pipelines.features.scene import Scene, open_markets


@dataclass(frozen=True, slots=True)
class Windows:
    """Follow-up of n tracks with a timed debut, from the debut to the horizon, in order of track.

    Attributes
    ----------
    track, debut
        (n,): code of the track and day of its debut.
    senders
        (n, m): markets of the footprint that are past their washout.
    at_risk
        (n, m): markets outside the footprint that were open on the debut and followed to the horizon or to the entry.
    entered
        (n, m): markets at risk that the track entered within the horizon.
    days
        (n, m): days from the debut to the entry, NaN where it did not enter within the horizon.
    """

    track: Ints
    debut: Days
    senders: Flags
    at_risk: Flags
    entered: Flags
    days: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.track)


def closed_windows(known: History, first: int, last: int, horizon: int) -> Windows:
    """Return the windows of the debuts of the days ``first … last``; the last of them must be over by now."""
    debut = debuts(known)
    entries = known.entries.between(first, last + horizon)
    own = debut[entries.track]
    inside = (own >= first) & (own <= last) & (entries.day <= own + horizon)
    track, row = np.unique(entries.track[inside], return_inverse=True)
    market, since = entries.market[inside], (entries.day - own)[inside]
    days = np.full((len(track), len(known.markets)), np.nan, np.float32)
    days[row, market] = since
    senders = np.zeros(days.shape, np.bool_)
    senders[row, market] = (since == 0) & entries.timed[inside]
    timed = senders.any(axis=1)
    kept, days, senders = track[timed].astype(np.int64), days[timed], senders[timed]
    at_risk = _followed(known, debut[kept], horizon, days > 0) & ~np.equal(days, 0) & ~_withheld(known, kept)
    return Windows(kept, debut[kept], senders, at_risk, at_risk & (days > 0), days)


def opened(known: History, day: int) -> Ints:
    """Return, (m,), the first day of the stretch of coverage that holds a day; −1 where a market is not in coverage."""
    rows = known.observed.between(day - LONG_GAP, day)
    first = np.full(len(known.markets), -1, np.int64)
    first[rows.market] = rows.opened  # in order of day: the latest stretch stays
    return first


def depths(known: History, day: int) -> Floats:
    """Return, (m,), the rows of each market's latest chart within 28 days; NaN where there is none."""
    rows = known.observed.between(day - LONG_GAP, day)
    depth = np.full(len(known.markets), np.nan)
    depth[rows.market] = rows.depth
    return depth


def positions(known: History, scene: Scene) -> NDArray[np.float32]:
    """Return, (n, m), weights of markets: 1.5 at the top of the latest chart to 0.5 at its end or off it.

    Markets not entered weigh 0.
    """
    height = 1 - (scene.rank - 1) / np.maximum(depths(known, scene.day), 1)
    weights: NDArray[np.float32] = np.where(scene.entered, 0.5 + np.nan_to_num(height).clip(0, 1), 0).astype(np.float32)
    return weights


def _followed(known: History, debut: Days, horizon: int, entered: Flags) -> Flags:
    """Return, (n, m): whether the market was open on the debut, and in the same coverage until the horizon or entry."""
    followed = np.zeros(entered.shape, np.bool_)
    for day in map(int, np.unique(debut)):
        start, then = opened(known, day), opened(known, day + horizon)
        at = debut == day
        followed[at] = open_markets(known, day) & ((start == then) | entered[at])
    return followed


def _withheld(known: History, track: Ints) -> Flags:
    """Return, (n, m): whether a track has no licence for a market."""
    banned = np.zeros((len(track), len(known.markets)), np.bool_)
    owner, market = known.withheld
    at = np.searchsorted(track, owner)
    ours = at < len(track)
    ours[ours] = track[at[ours]] == owner[ours]
    banned[at[ours], market[ours]] = True
    return banned

"""Timed entries as slots that a null fills anew."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffusion.timelines import Timelines
from graphs.nulls.watch import Watch

Index = NDArray[np.int32]

ABSENT = -1
"""Day that stands for no timed entry; days of entries are 0 or more."""


@dataclass(frozen=True, slots=True)
class Slots:
    """The timed entries of n tracks in m markets, by track, then day, then market. Days count from `Watch.first`.

    Attributes
    ----------
    tracks, markets
        n and m.
    track, market, day
        (k,): the entry's track, market and day.
    debut
        (n,): the track's first day.
    cluster
        (n,): number of the track's cluster, from 0 without holes.
    fixed
        (n, m): entries that are not timed; they stay where they are and cannot be made again.
    """

    tracks: int
    markets: int
    track: Index
    market: Index
    day: Index
    debut: Index
    cluster: Index
    fixed: NDArray[np.bool_]

    def of_tracks(self, kept: NDArray[np.bool_]) -> "Slots":
        """Return the slots of some tracks, (n,) flags, numbered anew."""
        number = np.cumsum(kept) - 1
        mine = kept[self.track]
        return Slots(
            tracks=int(kept.sum()),
            markets=self.markets,
            track=number[self.track[mine]].astype(np.int32),
            market=self.market[mine],
            day=self.day[mine],
            debut=self.debut[kept],
            cluster=np.unique(self.cluster[kept], return_inverse=True)[1].astype(np.int32),
            fixed=self.fixed[kept],
        )

    def dated(self) -> NDArray[np.bool_]:
        """Return the tracks with entries on two days or more: the others say nothing about order, (n,) flags."""
        later = np.zeros(self.tracks, np.bool_)
        later[self.track[self.day > self.debut[self.track]]] = True
        return later

    def days(self) -> Index:
        """Return the day of every track's timed entry into every market, (n, m); `ABSENT` where there is none."""
        return days_by_market(self, self.market, self.day)


def timed_slots(timelines: Timelines, watched: Watch) -> Slots:
    """Return the timed entries of the tracks that have any and whose debut is timed too."""
    timed = timelines.timed
    owners = np.unique(timelines.track[timed])
    number = np.full(len(timelines.track_ids), -1, np.int32)
    number[owners] = np.arange(len(owners))
    fixed = np.zeros((len(owners), len(timelines.markets)), np.bool_)
    still = ~timed & (number[timelines.track] >= 0)
    fixed[number[timelines.track[still]], timelines.market[still]] = True
    track = number[timelines.track[timed]]
    day = (timelines.day[timed] - watched.first).astype(np.int32)
    first = np.searchsorted(track, np.arange(len(owners)))
    return Slots(
        tracks=len(owners),
        markets=len(timelines.markets),
        track=track,
        market=timelines.market[timed].astype(np.int32),
        day=day,
        debut=day[first],
        cluster=np.unique(timelines.cluster[owners], return_inverse=True)[1].astype(np.int32),
        fixed=fixed,
    )


def days_by_market(slots: Slots, market: Index, day: Index) -> Index:
    """Return (n, m): the day of every track's entry into every market under a filling, `ABSENT` where there is none."""
    table = np.full((slots.tracks, slots.markets), ABSENT, np.int32)
    table[slots.track, market] = day
    return table

"""Other tracks that share something with the observed ones, such as an artist or a title, and where they have been."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Floats, Ints
from pipelines.features.history import History
from pipelines.features.standings import latest_two, rows_on


class RowsByKey:
    """Finds the rows of a growing array by their key.

    Rows up to some place are kept in order of key; what came since is looked at separately, until it is a quarter of
    the rows. What is found does not depend on that. One instance serves one array of one history.
    """

    def __init__(self) -> None:
        self._keys: Ints = np.zeros(0, np.int64)
        self._rows: Ints = np.zeros(0, np.int64)

    def find(self, keys: NDArray[np.integer], wanted: NDArray[np.integer]) -> tuple[Ints, Ints]:
        """Return index into `wanted` and row of every row whose key is wanted, in order of both.

        Parameters
        ----------
        keys
            (r,): keys of the rows so far.
        wanted
            Keys to look for, in any order; a key may come several times.
        """
        done = len(self._rows)
        if not done <= len(keys) <= done + done // 4:
            self._rows = np.argsort(keys, kind="stable")
            self._keys = keys[self._rows].astype(np.int64)
            done = len(keys)
        late = np.argsort(keys[done:], kind="stable")
        at, row = _found(self._keys, self._rows, wanted)
        late_at, late_row = _found(keys[done:][late], late + done, wanted)
        at, row = np.concatenate([at, late_at]), np.concatenate([row, late_row])
        order = np.argsort(at, kind="stable")
        return at[order], row[order]


def _found(keys: NDArray[np.integer], rows: Ints, wanted: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Return index into `wanted` and row, for rows given in order of key."""
    low = np.searchsorted(keys, wanted)
    size = np.searchsorted(keys, wanted, side="right") - low
    at = np.repeat(np.arange(len(wanted)), size)
    place = np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(low, size)
    return at, rows[place]


@dataclass(frozen=True, slots=True)
class Relatives:
    """Tracks in groups, their entries, and their positions on the latest charts. A track may be in several groups.

    Attributes
    ----------
    shape
        Numbers of groups and markets.
    group, track
        (q,): group and track of every member, in order of group.
    debut
        (q,): day of the member's first entry; 2^31 − 1 where it has none.
    member, market, day, rank
        (e,): number of the member, market, day and position of every entry.
    now_member, now_market, now_rank
        (c,): the same for every position on a latest chart.
    """

    shape: tuple[int, int]
    group: Ints
    track: Ints
    debut: Days
    member: Ints
    market: Ints
    day: Days
    rank: Ints
    now_member: Ints
    now_market: Ints
    now_rank: Ints

    @classmethod
    def of(cls, known: History, day: int, entries: RowsByKey, groups: int, group: Ints, track: Ints) -> Self:
        """Return the relatives that are known at the end of a day.

        Parameters
        ----------
        known
            History until the day.
        entries
            Rows of the entries of that history, by track.
        groups
            Number of groups.
        group, track
            As the attributes.
        """
        member, row = entries.find(known.entries.track, track)
        debut = np.full(len(track), np.iinfo(np.int32).max, np.int32)
        np.minimum.at(debut, member, known.entries.day[row])
        now = rows_on(known, latest_two(known, day)[0])
        now_member, now_row = RowsByKey().find(now.track, track)
        return cls(
            shape=(groups, len(known.markets)),
            group=group,
            track=track,
            debut=debut,
            member=member,
            market=known.entries.market[row].astype(np.int64),
            day=known.entries.day[row],
            rank=known.entries.rank[row].astype(np.int64),
            now_member=now_member,
            now_market=now.market[now_row].astype(np.int64),
            now_rank=now.rank[now_row].astype(np.int64),
        )

    def members(self, chosen: Flags | None = None) -> Floats:
        """Return, (g,), the number of members of every group, of all or of those chosen, (q,)."""
        return np.bincount(self.group, chosen, minlength=self.shape[0]).astype(np.float64)

    def entries(self, weight: Floats | Flags | None = None) -> Floats:
        """Return, (g, m), the number of entries, or the sum of their weights, (e,)."""
        return self._sums(self.member, self.market, weight)

    def now(self) -> Floats:
        """Return, (g, m), the number of members on the latest chart."""
        return self._sums(self.now_member, self.now_market, None)

    def first(self) -> Floats:
        """Return, (g, m), the day of the first entry; NaN without one."""
        return self._least(self.member, self.market, self.day)

    def last(self) -> Floats:
        """Return, (g, m), the day of the last entry; NaN without one."""
        return -self._least(self.member, self.market, -self.day)

    def best_entry(self) -> Floats:
        """Return, (g, m), the best position at an entry; NaN without one."""
        return self._least(self.member, self.market, self.rank)

    def best_now(self) -> Floats:
        """Return, (g, m), the best position on the latest chart; NaN without one."""
        return self._least(self.now_member, self.now_market, self.now_rank)

    def _sums(self, member: Ints, market: Ints, weight: Floats | Flags | None) -> Floats:
        groups, markets = self.shape
        cell = self.group[member] * markets + market
        return np.bincount(cell, weight, minlength=groups * markets).reshape(self.shape).astype(np.float64)

    def _least(self, member: Ints, market: Ints, value: NDArray[np.integer]) -> Floats:
        least = np.full(self.shape, np.nan)
        np.fmin.at(least, (self.group[member], market), value)
        return least

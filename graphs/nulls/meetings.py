"""Where the tracks of one cluster met two markets, and which of the two came first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphs.nulls.slots import Slots
from graphs.nulls.watch import Watch

Whole = NDArray[np.int64]
Table = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Meetings:
    """One cluster and two of m markets that tracks of the cluster both entered, v times; counts of those tracks.

    Attributes
    ----------
    markets
        m.
    low, high
        (v,): the two markets, the lower number first.
    forth, back
        (v,): tracks that entered `low` (`high`) first: the order was observed, and the other market was in coverage
        and past its washout on that day, so that it could have been first.
    joint
        (v,): tracks of which neither order was observed.
    made_forth, made_back
        (v,): those of `forth` (`back`) that entered the other market within the window: transitions.
    """

    markets: int
    low: Whole
    high: Whole
    forth: Whole
    back: Whole
    joint: Whole
    made_forth: Whole
    made_back: Whole

    def both_ways(self, forth: NDArray[np.generic], back: NDArray[np.generic]) -> Table:
        """Return sums over meetings by pair of markets, (m, m): `forth` from low to high, `back` from high to low."""
        cell = np.concatenate((self.low * self.markets + self.high, self.high * self.markets + self.low))
        value = np.concatenate((forth, back)).astype(float)
        return np.bincount(cell, value, self.markets**2).astype(np.int64).reshape(self.markets, self.markets)

    def design(self) -> NDArray[np.float64]:
        """Return Σ n² / Σ n of every pair's transitions, n of a cluster, (m, m); 1 without transitions.

        It is the factor by which clusters whose tracks go together make the variance of a count of tracks larger than
        if each track were alone.
        """
        total = self.both_ways(self.made_forth, self.made_back)
        squares = self.both_ways(self.made_forth**2, self.made_back**2)
        return np.where(total > 0, squares / np.maximum(total, 1), 1.0)


def meetings(slots: Slots, watched: Watch, *, window: int) -> Meetings:
    """Return the meetings of timed entries.

    Parameters
    ----------
    window
        Days within which a transition must happen, the bound included.
    """
    ever = watched.windows(len(watched.allowed))
    begin, sizes = np.searchsorted(slots.track, np.arange(slots.tracks)), np.bincount(slots.track)
    keys, kinds = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
    for size in np.unique(sizes):
        alike = begin[sizes == size][:, None]
        # slots of a track are in order of day, so the first of two is the earlier or tied
        one, two = ((alike + place).ravel() for place in np.triu_indices(int(size), 1))
        cell = slots.day[two].astype(np.int64) * slots.markets + slots.market[two]
        since = slots.day[one] - ever[0].ravel()[cell]
        ahead = (since >= 0) & (since <= ever[1].ravel()[cell])
        joint = slots.day[one] > watched.without.ravel()[cell]
        made = ahead & (slots.day[two] - slots.day[one] <= window)
        low, high = np.minimum(slots.market[one], slots.market[two]), np.maximum(slots.market[one], slots.market[two])
        key = (slots.cluster[slots.track[one]].astype(np.int64) * slots.markets + low) * slots.markets + high
        # 0 joint, 1 and 2 one way, 3 and 4 the other
        kind = np.where(joint, 0, np.where(slots.market[one] == low, 1, 3) + made).astype(np.int8)
        keys.append(key[ahead | joint])
        kinds.append(kind[ahead | joint])
    distinct, place = np.unique(np.concatenate(keys), return_inverse=True)
    counts = np.bincount(place * 5 + np.concatenate(kinds), minlength=len(distinct) * 5).reshape(-1, 5)
    return Meetings(
        markets=slots.markets,
        low=distinct // slots.markets % slots.markets,
        high=distinct % slots.markets,
        forth=counts[:, 1] + counts[:, 2],
        back=counts[:, 3] + counts[:, 4],
        joint=counts[:, 0],
        made_forth=counts[:, 2],
        made_back=counts[:, 4],
    )

"""Lead shares: how often a market is entered before others, as observed and as expected under the order null."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from graphs.nulls import Slots, Watch, order_days

PERMUTATIONS: Final = 100


@dataclass(frozen=True, slots=True)
class LeadShares:
    """Lead shares of m markets in a set of tracks.

    A cluster that reached two markets casts one vote on the pair: for the market that more of its tracks entered
    first, in an observed order. An equal number both ways is a tie.

    Attributes
    ----------
    votes
        (m,): votes on the market's pairs, without ties.
    share
        (m,): share of these votes for the market; NaN without votes.
    expected
        (m,): the same share under the order null, over all permutations together; NaN without votes there.
    """

    votes: Ints
    share: Floats
    expected: Floats

    @property
    def excess(self) -> Floats:
        """(m,): `share` minus `expected`."""
        return self.share - self.expected


def lead_shares(
    slots: Slots, watched: Watch, *, permutations: int = PERMUTATIONS, generator: np.random.Generator
) -> LeadShares:
    """Return every market's lead share, as observed and as expected under the order null.

    Parameters
    ----------
    slots
        Timed entries, as `graphs.nulls.timed_slots` returns them.
    watched
        Days on which each market was observed, as `graphs.nulls.watch` returns them.
    permutations
        Draws from the order null (default 100); `graphs.nulls.order_days` says what it holds fixed.
    generator
        Source of the random draws.
    """
    slots = slots.of_tracks(slots.dated())
    pairs = _EntryPairs.of(slots)
    won, cast = pairs.votes(slots, watched, slots.day)
    won_by_chance, cast_by_chance = np.zeros((2, slots.markets))
    if slots.tracks:
        for day in order_days(slots, watched, permutations=permutations, generator=generator):
            drawn = pairs.votes(slots, watched, day)
            won_by_chance += drawn[0]
            cast_by_chance += drawn[1]
    return LeadShares(cast, _share(won, cast), _share(won_by_chance, cast_by_chance))


def _share(won: NDArray[np.number], cast: NDArray[np.number]) -> Floats:
    return np.where(cast > 0, won / np.maximum(cast, 1), np.nan)


@dataclass(frozen=True, slots=True)
class _EntryPairs:
    """All pairs of entries of one track, sorted so that pairs of one cluster and the same two markets are adjacent.

    Attributes
    ----------
    one, other
        (p,): numbers of the two entries; the market of `one` has the lower number.
    begins
        (v,): first pair of each vote (a cluster and two markets).
    low, high
        (v,): the two markets of each vote.
    """

    one: Ints
    other: Ints
    begins: Ints
    low: Ints
    high: Ints

    @classmethod
    def of(cls, slots: Slots) -> "_EntryPairs":
        """Return the pairs of entries of all tracks."""
        first = np.searchsorted(slots.track, np.arange(slots.tracks))
        sizes = np.bincount(slots.track, minlength=slots.tracks)
        parts = [np.empty((2, 0), np.int64)]
        for size in np.unique(sizes):
            pair = np.stack(np.triu_indices(int(size), 1))
            parts.append((first[sizes == size][:, None] + pair[:, None, :]).reshape(2, -1))
        one, other = np.concatenate(parts, axis=1)
        swapped = slots.market[one] > slots.market[other]
        one, other = np.where(swapped, other, one), np.where(swapped, one, other)
        low, high = slots.market[one].astype(np.int64), slots.market[other].astype(np.int64)
        key = (slots.cluster[slots.track[one]] * np.int64(slots.markets) + low) * slots.markets + high
        order = np.argsort(key, kind="stable")
        begins = np.flatnonzero(np.diff(key[order], prepend=-1))
        return cls(one[order], other[order], begins, low[order][begins], high[order][begins])

    def votes(self, slots: Slots, watched: Watch, day: NDArray[np.int32]) -> tuple[Ints, Ints]:
        """Return the votes for each market and all votes on its pairs, ties left out, (m,) each.

        Parameters
        ----------
        slots, watched
            As in `lead_shares`.
        day
            Day of each entry, observed or drawn.
        """
        if not len(self.begins):
            return np.zeros(slots.markets, np.int64), np.zeros(slots.markets, np.int64)
        without = watched.without[day, slots.market]
        ahead = (day[self.one] <= without[self.other]).astype(np.int32) - (day[self.other] <= without[self.one])
        for_low = np.add.reduceat(ahead, self.begins)
        ends = [
            np.bincount(market[side], minlength=slots.markets)
            for market, side in ((self.low, for_low > 0), (self.high, for_low < 0))
        ]
        part = [np.bincount(market[for_low != 0], minlength=slots.markets) for market in (self.low, self.high)]
        return ends[0] + ends[1], part[0] + part[1]

"""How often a market is first where two markets meet, and how often chance would have it first."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from graphs.nulls import Slots, Watch, order_days

PERMUTATIONS: Final = 100


@dataclass(frozen=True, slots=True)
class LeadShares:
    """How m markets lead in a set of tracks.

    Attributes
    ----------
    votes
        (m,): untied votes that the market was part of. A vote is of one cluster that reached two markets, and goes to
        the market that more of its tracks entered first in an observed order; as many each way is a tie.
    share
        (m,): share of those votes that the market got; NaN without votes.
    expected
        (m,): the same under the order null, all permutations together; NaN where they give it no votes.
    """

    votes: Ints
    share: Floats
    expected: Floats

    @property
    def excess(self) -> Floats:
        """(m,): `share` minus `expected`: how much more often the market is first than its tracks' dates make it."""
        return self.share - self.expected


def lead_shares(
    slots: Slots, watched: Watch, *, permutations: int = PERMUTATIONS, generator: np.random.Generator
) -> LeadShares:
    """Return every market's lead share against the order null.

    Parameters
    ----------
    slots
        Timed entries, as `graphs.nulls.timed_slots` returns them.
    watched
        What was watched when, as `graphs.nulls.watch` returns it.
    permutations
        Orders to draw; see `graphs.nulls.order_days` for what they hold fixed (default 100).
    generator
        Where chance comes from.
    """
    slots = slots.of_tracks(slots.dated())
    meetings = _Meetings.of(slots)
    won, met = meetings.votes(slots, watched, slots.day)
    won_by_chance, met_by_chance = np.zeros((2, slots.markets))
    if slots.tracks:
        for day in order_days(slots, watched, permutations=permutations, generator=generator):
            more = meetings.votes(slots, watched, day)
            won_by_chance += more[0]
            met_by_chance += more[1]
    return LeadShares(met, _share(won, met), _share(won_by_chance, met_by_chance))


def _share(won: NDArray[np.number], met: NDArray[np.number]) -> Floats:
    return np.where(met > 0, won / np.maximum(met, 1), np.nan)


@dataclass(frozen=True, slots=True)
class _Meetings:
    """Every two entries of one track, together where they are of one cluster and of the same markets.

    Attributes
    ----------
    one, other
        (p,): places of the two slots; the market of the first has the lower number.
    begins
        (v,): where each vote's meetings begin.
    low, high
        (v,): its two markets.
    """

    one: Ints
    other: Ints
    begins: Ints
    low: Ints
    high: Ints

    @classmethod
    def of(cls, slots: Slots) -> "_Meetings":
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
        """Return the votes that each market won, and all it was part of, (m,) each, for given days of the slots."""
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

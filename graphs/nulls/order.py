"""The order null: which of a track's markets came first is left to chance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphs.nulls.slots import ABSENT, Index, Slots
from graphs.nulls.watch import Watch

ATTEMPTS = 4
"""Fresh permutations that a cluster is offered per filling before it goes on in small steps."""

STEPS = 20
"""Small steps, each swaps two markets of a cluster, for clusters that found no allowed fresh permutation."""

Whole = NDArray[np.int64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Chain:
    """Clusters as blocks of markets, and how far their permutations have come; `sigma` and `day` change in place.

    Attributes
    ----------
    cluster, market
        (u,): the distinct pairs of cluster and market, by cluster.
    place
        (k,): the slot's pair among them.
    owner
        (k,): the slot's cluster.
    sigma
        (u,): the pair whose day each pair gets, where the track has it; a permutation within each cluster.
    day
        (k,): day of every slot's entry under `sigma`.
    observed
        (n · m,): day of every track's observed entry into every market, `ABSENT` where there is none.
    row
        (k,): where the slot's track begins in `observed`.
    entries
        (k,): all slots, by cluster.
    """

    slots: Slots
    watched: Watch
    cluster: Whole
    market: Whole
    place: Places
    owner: Whole
    sigma: Places
    day: Index
    observed: Index
    row: Whole
    entries: Places

    @classmethod
    def of(cls, slots: Slots, watched: Watch) -> "_Chain":
        owner = slots.cluster[slots.track].astype(np.int64)
        pairs, place = np.unique(owner * slots.markets + slots.market, return_inverse=True)
        cluster, market = np.divmod(pairs, slots.markets)
        sigma, row = np.arange(len(pairs)), slots.track.astype(np.int64) * slots.markets
        days = slots.days().ravel()
        entries = np.argsort(owner, kind="stable")
        return cls(slots, watched, cluster, market, place, owner, sigma, slots.day.copy(), days, row, entries)

    def move(self, generator: np.random.Generator) -> None:
        """Draw the next permutation of every cluster."""
        pairs, entries = np.arange(len(self.cluster)), self.entries
        for _ in range(ATTEMPTS):
            if not len(pairs):
                return
            shuffled = pairs[np.argsort(self.cluster[pairs] + generator.random(len(pairs)))]
            stuck = self._follow(pairs, shuffled, entries)
            pairs, entries = pairs[stuck[self.cluster[pairs]]], entries[stuck[self.owner[entries]]]
        begin = np.flatnonzero(np.diff(self.cluster[pairs], prepend=-1))
        size = np.diff(begin, append=len(pairs))
        for _ in range(STEPS if len(pairs) else 0):
            one, two = (pairs[begin + generator.integers(0, size)] for _ in range(2))
            self._follow(np.concatenate((one, two)), self.sigma[np.concatenate((two, one))], entries)

    def _follow(self, pairs: Places, goal: Places, entries: Places) -> NDArray[np.bool_]:
        """Point pairs at their goals in every cluster of `entries` where that is allowed; return where it is not."""
        before = self.sigma[pairs]
        self.sigma[pairs] = goal
        day = self._days(entries)
        stuck = np.zeros(int(self.cluster[-1]) + 1, np.bool_)
        refused = ~self.watched.allowed[day, self.slots.market[entries]]
        stuck[self.owner[entries[refused]]] = True
        goes = ~stuck[self.owner[entries]]
        self.day[entries[goes]] = day[goes]
        back = stuck[self.cluster[pairs]]
        self.sigma[pairs[back]] = before[back]
        return stuck

    def _days(self, entries: Places) -> Index:
        """Return the days that entries get under σ, each track's other markets left out of its cycles."""
        row, point = self.row[entries], self.sigma[self.place[entries]]
        day: Index = self.observed[row + self.market[point]]
        lost = np.flatnonzero(day == ABSENT)
        while len(lost):
            point[lost] = self.sigma[point[lost]]
            day[lost] = self.observed[row[lost] + self.market[point[lost]]]
            lost = lost[day[lost] == ABSENT]
        return day


def order_days(slots: Slots, watched: Watch, *, permutations: int, generator: np.random.Generator) -> Iterator[Index]:
    """Yield the day of every slot, (k,), as often as asked, markets permuted over their tracks' own days.

    Held fixed: every track's markets and its days, ties among them too; entries that are not timed. An entry falls only
    on a day when its market was in coverage and past its washout. Not held: how many entries a market has on a date.

    Tracks of one cluster move as a block. One permutation σ of all the block's markets is drawn, and each track takes
    it without the markets that it does not have: they are left out of the cycles of σ, so that market x gets the
    track's day in the first of σ(x), σ(σ(x)), … that the track has. That is a uniform permutation for every single
    track [1]_, and tracks with the same markets agree and disagree after it as they did before. A permutation is
    allowed when it is for all the block's tracks.

    Notes
    -----
    A Markov chain that starts from the data and is uniform over the allowed permutations: each block is offered
    `ATTEMPTS` fresh uniform ones and takes the first that is allowed, so that fillings of unrestricted blocks are
    independent; one that found none is offered `STEPS` swaps of two of its markets, and takes those that are allowed.

    References
    ----------
    .. [1] Pitman, J. (2006). Combinatorial Stochastic Processes, §3.1: uniform permutations are consistent under
       deletion from cycles. doi 10.1007/b11601500.
    """
    chain = _Chain.of(slots, watched)
    for _ in range(permutations):
        chain.move(generator)
        yield chain.day.copy()

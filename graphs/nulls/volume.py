"""The volume null: on each date, which track entered which market is left to chance."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from graphs.nulls.slots import Index, Slots

BURN_IN = 500
"""Sweeps before the first filling. In real charts a twentieth of the way from the data to the null is left after 100,
about a hundredth after 500; what is left makes p larger."""

SWEPT = 100_000
"""Entries that sweeps go over from one filling to the next, so that few entries, which cost little, are swept often."""

LEAST_SWEEPS, MOST_SWEEPS = 4, 20
"""Sweeps from one filling to the next, whatever the number of entries."""

TAKING_PART = 0.5
"""Share of the pairs that take part in a sweep: fewer would waste it, more get into each other's way."""


def volume_markets(slots: Slots, *, permutations: int, generator: np.random.Generator) -> Iterator[Index]:
    """Yield the market of every slot, (k,), as often as asked, markets swapped between tracks entering on one day.

    Held fixed: every market's timed entries on every day; every track's days and its number of timed entries on each;
    entries that are not timed. No track enters a market twice. Not held: anything that ties a track to markets, such as
    its language, its artist, or which markets it entered before, and the order in which it could have entered them.

    Notes
    -----
    A Markov chain that starts from the data. In one sweep the slots of each day are paired at random, without a look
    at what they hold, and half of the pairs swap their markets, all at once. A pair stands back when one of its two
    markets occurs a second time at one of its two tracks, be it entered or offered by another pair. What decides that
    is the same after the sweep as before, so that the sweep undoes itself: every sweep maps the fillings one to one,
    and the chain is uniform over the fillings that swaps can reach. The first filling comes after `BURN_IN` sweeps and
    every next one 4 to 20 sweeps later. Consecutive fillings are alike where tracks are in nearly every market: their
    late entries find few partners. Single swaps, which sweeps contain, are those of randomised bipartite graphs with
    fixed degrees [1]_, within days.

    References
    ----------
    .. [1] Gotelli, N. J. (2000). Null model analysis of species co-occurrence patterns. Ecology 81, 2606–2621. doi
       10.1890/0012-9658(2000)081[2606:NMAOSC]2.0.CO;2.
    """
    order = np.lexsort((generator.random(len(slots.market)), slots.day))
    market = slots.market[order].astype(np.int64)
    # tracks by debut, so that what one day's swaps look at lies together in memory
    by_debut = np.argsort(slots.debut, kind="stable")
    row = np.argsort(by_debut)[slots.track[order]] * slots.markets
    # how often a track holds or is offered a market: at most once for each of its slots, and once more
    held = slots.fixed[by_debut].astype(np.min_scalar_type(slots.markets + 1)).ravel()
    held[row + market] += 1
    _, place, size = np.unique(slots.day[order], return_inverse=True, return_counts=True)
    within = np.arange(len(order)) - (np.cumsum(size) - size)[place]
    thinning = min(max(SWEPT // max(len(order), 1), LEAST_SWEEPS), MOST_SWEEPS)
    for turn in range(permutations):
        for _ in range(thinning if turn else BURN_IN):
            # a reflection pairs x with c − x: every two slots of a day are a pair for exactly one c
            here = np.flatnonzero(generator.random(len(order), np.float32) < TAKING_PART)
            mine = within[here]
            further = generator.integers(0, size)[place[here]] - 2 * mine
            further += np.where(further < -mine, size[place[here]], 0)
            ahead = further > 0
            _sweep(row, market, held, here[ahead], (here + further)[ahead])
        filling = np.empty_like(slots.market)
        filling[order] = market
        yield filling


def _sweep(
    row: NDArray[np.int64],
    market: NDArray[np.int64],
    held: NDArray[np.unsignedinteger],
    one: NDArray[np.intp],
    two: NDArray[np.intp],
) -> None:
    """Swap the markets of the pairs of slots that do not get into each other's way, in place."""
    row_one, row_two, mine, yours = row[one], row[two], market[one], market[two]
    keeps, comes, goes, gives = row_one + mine, row_one + yours, row_two + mine, row_two + yours
    once = held.dtype.type(1)  # of its own type: numpy's way for mixed types takes thirty times as long
    np.add.at(held, comes, once)
    np.add.at(held, goes, once)
    free = (held[keeps] == 1) & (held[gives] == 1) & (held[comes] == 1) & (held[goes] == 1)
    np.subtract.at(held, comes[~free], once)
    np.subtract.at(held, goes[~free], once)
    held[keeps[free]] = held[gives[free]] = 0
    market[one[free]], market[two[free]] = yours[free], mine[free]

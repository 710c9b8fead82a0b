"""Observed and expected steps of every ordered pair, and their sums of squares over artists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.errors import SettingError
from graphs.baseline.fit import Baseline, Version
from graphs.baseline.steps import Steps

CELLS_AT_ONCE: Final = 4_000_000
"""Pairs of markets times artists that are looked at together."""


@dataclass(frozen=True, slots=True)
class PairSums:
    """Sums over the steps that follow an entry into a market, (m, m) each: rows are senders, columns are entered.

    A step counts for a sender that was entered within the window before it, in observed order: not after the last chart
    on which the entered market was seen without the track.

    Attributes
    ----------
    observed
        Steps into the market.
    expected
        Sum of P(b | R).
    model
        Sum of P(b | R) · (1 − P(b | R)): variance of `observed` if steps were independent.
    oo, oe, ee
        Sums over artists of observed², observed · expected and expected², those being the artist's own.
    oo_back, oe_back, ee_back
        The same with the second factor that of the opposite direction.
    """

    observed: Floats
    expected: Floats
    model: Floats
    oo: Floats
    oe: Floats
    ee: Floats
    oo_back: Floats
    oe_back: Floats
    ee_back: Floats

    @classmethod
    def of(cls, baseline: Baseline, *, window: int, version: Version = "likeness") -> Self:
        """Return the sums of a baseline.

        Parameters
        ----------
        window
            Days within which the sender was entered before, the bound included.
        version
            Which P, as `Baseline.probabilities` has it.

        Raises
        ------
        SettingError
            When the window is below 1.
        """
        if window < 1:
            raise SettingError(f"window is {window} days; it must be at least 1")
        m = len(baseline.steps.markets)
        total, chance = np.zeros((9, m, m)), baseline.probabilities(version=version)
        for rows, artist in by_artist(baseline.steps):
            expected, observed, model = _of_artists(baseline.steps, rows, artist, chance[rows], window)
            total[0] += observed.sum(axis=0)
            total[1] += expected.sum(axis=0)
            total[2] += model
            for place, (one, other) in enumerate(((observed, observed), (observed, expected), (expected, expected))):
                total[3 + place] += np.einsum("gab,gab->ab", one, other)
                total[6 + place] += np.einsum("gab,gba->ab", one, other)
        return cls(*total)

    def clustered(self, lift: Floats | float) -> Floats:
        """Return the variance of ``observed − lift · expected`` by artist, (m, m)."""
        return np.maximum(self.oo - 2 * lift * self.oe + lift**2 * self.ee, 0)

    def clustered_order(self, lift: Floats, share: Floats) -> Floats:
        """Return the variance by artist of ``(1 − share) · (o − lift · e) − share · (o' − lift · e')``, (m, m).

        Primes stand for the opposite direction; `lift` is that of both directions, `share` that of all expected steps.
        """
        here = self.oo - 2 * lift * self.oe + lift**2 * self.ee
        both = self.oo_back - lift * (self.oe_back + self.oe_back.T) + lift**2 * self.ee_back
        return np.maximum((1 - share) ** 2 * here + share**2 * here.T - 2 * share * (1 - share) * both, 0)


def by_artist(steps: Steps) -> Iterator[tuple[slice, Ints]]:
    """Yield the steps of whole artists in blocks, and the artist of every step, numbered from 0 in the block."""
    heads = np.flatnonzero(np.diff(steps.artist, prepend=-1))
    ends = np.append(heads, len(steps))
    size = max(CELLS_AT_ONCE // len(steps.markets) ** 2, 1)
    for at in range(0, len(heads), size):
        own = ends[at : at + size + 1]
        rows = slice(int(own[0]), int(own[-1]))
        yield rows, np.repeat(np.arange(len(own) - 1), np.diff(own))


def _of_artists(steps: Steps, rows: slice, artist: Ints, chance: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Return expected and observed steps of every artist and pair, (g, m, m), and the model's variance, (m, m)."""
    m, market = len(steps.markets), steps.market[rows]
    expected, model = np.zeros((int(artist[-1]) + 1, m, m)), np.zeros((m, m))
    observed = np.zeros_like(expected)
    for source in range(m):
        after, ordered = steps.followed(source, window, rows)
        if not len(after):
            continue
        own = chance[after] * ordered
        heads = np.flatnonzero(np.diff(artist[after], prepend=-1))
        expected[artist[after][heads], source] = np.add.reduceat(own, heads, axis=0)
        model[source] = (own * (1 - own)).sum(axis=0)
        seen = after[ordered[np.arange(len(after)), market[after]]]
        np.add.at(observed[:, source], (artist[seen], market[seen]), 1)
    return expected, observed, model

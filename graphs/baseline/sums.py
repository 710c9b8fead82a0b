"""Observed and expected steps of every ordered pair, and their sums of squares over artists."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, Self

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.display import Displayed
from diffusion.errors import SettingError
from diffusion.parts import Arrays
from graphs.baseline.chances import Chances, Version
from graphs.baseline.fit import Baseline
from graphs.baseline.step_parts import StepPart
from graphs.baseline.steps import Steps

Kernel = Literal["indicator", "decaying"]
"""Weight of a step by its lag: 1 within the window, or halved with every quarter of it."""

Ties = Literal["apart", "first", "last"]
"""What a tie counts for: nothing, or the direction from the market with the lower number, or the other one."""

CELLS_AT_ONCE: Final = 4_000_000
"""Pairs of markets times artists that are looked at together."""


@dataclass(frozen=True, slots=True, repr=False)
class PairSums(Displayed):
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

    Examples
    --------
    >>> PairSums(*[np.ones((2, 2))] * 9)
    <PairSums of 2 markets: 4 observed, 4 expected>
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
    def of(
        cls,
        baseline: Baseline,
        *,
        window: int,
        version: Version = "likeness",
        kernel: Kernel = "indicator",
        ties: Ties = "apart",
    ) -> Self:
        """Return the sums of a baseline.

        Parameters
        ----------
        window
            Days within which the sender was entered before, the bound included.
        version
            Which P, as `Baseline.probabilities` has it.
        kernel
            ``indicator``: every step counts 1 (default); ``decaying``: less the longer its lag, and so does what is
            expected of it.
        ties
            ``apart``: steps on one date are no senders of each other (default). ``first``: each counts as if it came
            after those into markets with a lower number, and is a choice from what they left; ``last``: with a higher.

        Raises
        ------
        SettingError
            When the window is below 1.
        """
        if window < 1:
            raise SettingError(f"window is {window} days; it must be at least 1")
        work = partial(_sums, chances=baseline.chances(version), window=window, kernel=kernel, ties=ties)
        return cls(*baseline.parts.summed(work)["sums"])

    def _facts(self) -> str:
        observed, expected = self.observed.sum(), self.expected.sum()
        return f" of {len(self.observed)} markets: {observed:,.0f} observed, {expected:,.0f} expected"

    def clustered(self, lift: Floats | float) -> Floats:
        """Return the variance of ``observed − lift · expected`` by artist, (m, m)."""
        return np.maximum(self.oo - 2 * lift * self.oe + lift**2 * self.ee, 0)

    def clustered_order(self, lift: Floats | float, share: Floats) -> Floats:
        """Return the variance by artist of ``(1 − share) · (o − lift · e) − share · (o' − lift · e')``, (m, m).

        Primes stand for the opposite direction; `lift` is that of both directions, `share` that of all expected steps.
        """
        here = self.oo - 2 * lift * self.oe + lift**2 * self.ee
        both = self.oo_back - lift * (self.oe_back + self.oe_back.T) + lift**2 * self.ee_back
        return np.maximum((1 - share) ** 2 * here + share**2 * here.T - 2 * share * (1 - share) * both, 0)


def _sums(own: StepPart, chances: Chances, window: int, kernel: Kernel, ties: Ties) -> Arrays:
    """Return the sums over the artists of a part, (9, m, m), in the order of `PairSums`."""
    steps, chance = own.steps, chances.of_all(own)
    m = len(steps.markets)
    total = np.zeros((9, m, m))
    for rows, artist in by_artist(steps):
        following = _Following(steps, rows, artist, chance[rows], window, kernel, ties)
        parts = [following.after(source) for source in range(m)]
        sender = np.repeat(np.arange(m), [len(part[0]) for part in parts])
        who, observed, expected = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:3])
        total[2] += np.stack([part[3] for part in parts])
        _add(total, sender, who, observed, expected)
    return {"sums": total}


def by_artist(steps: Steps) -> Iterator[tuple[slice, Ints]]:
    """Yield the steps of whole artists in blocks, and the artist of every step, numbered from 0 in the block."""
    heads = np.flatnonzero(np.diff(steps.artist, prepend=-1))
    ends = np.append(heads, len(steps))
    size = max(CELLS_AT_ONCE // len(steps.markets) ** 2, 1)
    for at in range(0, len(heads), size):
        own = ends[at : at + size + 1]
        rows = slice(int(own[0]), int(own[-1]))
        yield rows, np.repeat(np.arange(len(own) - 1), np.diff(own))


@dataclass(frozen=True, slots=True)
class _Following:
    """Steps of some artists, and how they count after an entry into a market."""

    steps: Steps
    rows: slice
    artist: Ints
    chance: Floats
    window: int
    kernel: Kernel
    ties: Ties

    def after(self, source: int) -> tuple[Ints, Floats, Floats, Floats]:
        """Return the artists with steps after a source, their observed and expected, (r, m), and the variance, (m,)."""
        after, weight = self._weights(source)
        chance = self.chance[after]
        if self.ties != "apart":
            tied, allowed = self._tied(source)
            # the source is taken, so that the others share its chance
            left = self.chance[tied] / np.maximum(1 - self.chance[tied, source], np.finfo(float).tiny)[:, None]
            after, weight, chance = np.append(after, tied), np.vstack([weight, allowed]), np.vstack([chance, left])
            order = np.argsort(self.artist[after], kind="stable")
            after, weight, chance = after[order], weight[order], chance[order]
        expected, market = chance * weight, self.steps.market[self.rows][after]
        model = (weight * expected - expected**2).sum(axis=0)
        observed = np.zeros_like(expected)
        place = np.arange(len(after))
        observed[place, market] = weight[place, market]
        if not len(after):
            return after, observed, expected, model
        heads = np.flatnonzero(np.diff(self.artist[after], prepend=-1))
        sums = (np.add.reduceat(values, heads, axis=0) for values in (observed, expected))
        return self.artist[after][heads], *sums, model

    def _weights(self, source: int) -> tuple[Ints, Floats]:
        """Return the steps after an entry into the source, and their weights by market, (r, m)."""
        after, ordered = self.steps.followed(source, self.window, self.rows)
        weight = ordered.astype(np.float64)
        if self.kernel == "decaying":
            lag = self.steps.lag[self.rows, source][after]
            weight *= np.exp2(-4 * lag / self.window)[:, None]
        return after, weight

    def _tied(self, source: int) -> tuple[Ints, Floats]:
        """Return the steps on one date with one into the source, and 1 for the markets that count as coming after."""
        track, day, market = (column[self.rows] for column in (self.steps.track, self.steps.day, self.steps.market))
        date = np.cumsum((np.diff(track, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0)) - 1
        with_source = np.bincount(date[market == source], minlength=len(track) and date[-1] + 1) > 0
        tied = np.flatnonzero(with_source[date] & (market != source))
        number = np.arange(len(self.steps.markets))
        allowed = number > source if self.ties == "first" else number < source
        return tied, np.tile(allowed.astype(np.float64), (len(tied), 1))


def _add(total: Floats, sender: Ints, who: Ints, observed: Floats, expected: Floats) -> None:
    """Add sums over artists; rows are one sender of one artist, by sender."""
    m = observed.shape[1]
    pairs = ((observed, observed), (observed, expected), (expected, expected))
    kept, heads = np.unique(sender, return_index=True)
    for place, values in ((0, observed), (1, expected), *((3 + at, a * b) for at, (a, b) in enumerate(pairs))):
        total[place, kept] += np.add.reduceat(values, heads, axis=0) if len(heads) else 0
    row_of = np.full((int(who.max(initial=-1)) + 1, m), -1)
    row_of[who, sender] = np.arange(len(who))
    back = row_of[who]
    row, market = np.nonzero(back >= 0)
    other, pair = back[row, market], sender[row] * m + market
    for at, (one, two) in enumerate(pairs):
        product = one[row, market] * two[other, sender[row]]
        total[6 + at] += np.bincount(pair, product, minlength=m * m).reshape(m, m)

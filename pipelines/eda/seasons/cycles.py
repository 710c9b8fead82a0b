"""Patterns that repeat with the year or the week: effect of every place, and what chance makes; months of the year."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from diffusion.arrays import Flags, Floats
from diffusion.conventions import CONFIDENCE

DRAWS: Final = 1_999
"""Draws of what chance makes; with the observed pattern itself, p is a multiple of 1/2,000."""

LEAST_YEARS: Final = 3
"""Repetitions of the months below which nothing is tested; a year more of charts is needed, for the level around."""

LEAST_BLOCKS: Final = 10
"""Weeks, or weeks with holidays, below which nothing is tested: signs of 10 can be drawn in 1,024 ways."""

POWER: Final = 0.8
"""Chance with which the size that is called detectable is found."""

MONTHS: Final = 12
DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Pattern:
    """Effects of the places of a cycle: months of the year, days of the week.

    Attributes
    ----------
    effect
        (p,): deviation from the level around, NaN where nothing is known; relative for ratios.
    error
        (p,): standard error; NaN where nothing is tested.
    drawn
        (r, p): effects in standard errors as chance makes them; r is 0 where nothing is tested.
    repeats
        Whole years, or weeks, that the effects are means of.
    """

    effect: Floats
    error: Floats
    drawn: Floats
    repeats: int

    @property
    def tested(self) -> bool:
        """Whether there are enough repetitions to test."""
        return len(self.drawn) > 0

    @property
    def known(self) -> Flags:
        """(p,): places with an effect and an error."""
        return np.isfinite(self.effect) & np.isfinite(self.error) & (self.error > 0)

    @property
    def _largest(self) -> Floats:
        largest: Floats = np.abs(self.drawn[:, self.known]).max(axis=1, initial=0)
        return largest

    @property
    def p(self) -> float:
        """Chance of an effect as many errors from 0 as the largest, if no place differed; NaN if nothing is tested."""
        if not self.tested or not self.known.any():
            return float("nan")
        seen = np.abs(self.effect[self.known] / self.error[self.known]).max()
        return float((1 + (self._largest >= seen * (1 - 1e-9)).sum()) / (1 + len(self.drawn)))

    @property
    def reach(self) -> Floats:
        """(p,): half the width of the simultaneous 95 % intervals; NaN where nothing is tested."""
        if not self.tested:
            return np.full(len(self.effect), np.nan)
        return float(np.quantile(self._largest, CONFIDENCE)) * self.error

    @property
    def detectable(self) -> float:
        """Effect of one place that would be found four times in five; NaN where nothing is tested."""
        if not self.tested or not self.known.any():
            return float("nan")
        return float(np.median((self.reach + stats.norm.ppf(POWER) * self.error)[self.known]))

    def behind_best(self) -> tuple[Floats, Floats, Floats]:
        """Return how far every place is from the best of the others, with bounds that hold together, (p,) each.

        The upper bound is 0 where the place is shown not to be the best; the lower is 0 where it is shown to be.

        Notes
        -----
        Multiple comparisons with the best [1]_, with unequal errors [2]_; critical values from `drawn`.

        References
        ----------
        .. [1] Hsu, J. C. (1984). Constrained simultaneous confidence intervals for multiple comparisons with the best.
           Annals of Statistics 12, 1136-1144. doi 10.1214/aos/1176346732.
        .. [2] Edwards, D. G. & Hsu, J. C. (1983). Multiple comparisons with the best treatment. JASA 78, 965-971. doi
           10.1080/01621459.1983.10477047.
        """
        behind, low, high = (np.full(len(self.effect), np.nan) for _ in range(3))
        places = np.flatnonzero(self.known)
        if not self.tested or len(places) < 2:
            return behind, low, high
        effect, chance = self.effect[places], self.drawn[:, places] * self.error[places]
        apart = effect[:, None] - effect[None, :]
        others = ~np.eye(len(places), dtype=np.bool_)
        bound = np.array([
            np.quantile((chance[:, others[own]] - chance[:, [own]]).max(axis=1), CONFIDENCE)
            for own in range(len(places))
        ])  # fmt: skip
        nearest = np.where(others, apart, np.inf).min(axis=1)
        upper = np.maximum(nearest + bound, 0)
        rivals = others & (upper > 0)[None, :]
        lower = np.where(rivals, apart - bound[None, :], np.inf).min(axis=1)
        behind[places], high[places] = nearest, upper
        low[places] = np.where(rivals.any(axis=1), np.minimum(lower, 0), 0)
        return behind, low, high


def months_pattern(value: Floats, first: int, *, ratio: bool, generator: np.random.Generator) -> Pattern:
    """Return the pattern of the months of the year.

    Parameters
    ----------
    value
        (n,): value of every month in order, NaN where it is not known.
    first
        Month of the first, 0 for January.
    ratio
        Whether deviations are relative to the level around, or differences from it.
    generator
        Source of chance.

    Notes
    -----
    The level around a month is the centred mean of twelve months, both ends counted half, so that a trend makes no
    season. Up to two missing months in a row are bridged by a straight line for that level and have no deviation. The
    effect of a month is the mean of its deviations, less that of all months. Tested is whether months differ more than
    when every year, a row of twelve deviations, is turned around its circle by a random number of months: turning keeps
    how months of one year hang together and loses only which month is which. Errors are pooled over the months.
    """
    deviation = _deviations(value, ratio)
    there = np.flatnonzero(np.isfinite(deviation))
    nothing = np.full(MONTHS, np.nan)
    if not len(there):
        return Pattern(nothing, nothing, np.empty((0, MONTHS)), 0)
    begin, end = int(there[0]), int(there[-1]) + 1
    rows = np.full((-(-(end - begin) // MONTHS), MONTHS), np.nan)
    rows.ravel()[: end - begin] = deviation[begin:end]
    repeats, shift = len(there) // MONTHS, (first + begin) % MONTHS
    rows -= np.nanmean(_pooled(rows)[0])
    mean, error = _pooled(rows[None])
    if repeats < LEAST_YEARS:
        return Pattern(np.roll(mean[0], shift), nothing, np.empty((0, MONTHS)), repeats)
    turned = _turned(rows, generator)
    drawn_mean, drawn_error = _pooled(turned)
    drawn = np.divide(drawn_mean, drawn_error, out=np.zeros(drawn_mean.shape), where=drawn_error > 0)
    return Pattern(np.roll(mean[0], shift), np.roll(error[0], shift), np.roll(drawn, shift, axis=1), repeats)


def _deviations(value: Floats, ratio: bool) -> Floats:
    """Return the deviations from the level around; NaN where the value or the level is not known."""
    half = MONTHS // 2
    deviation = np.full(len(value), np.nan)
    if len(value) <= MONTHS:
        return deviation
    level = np.convolve(_bridged(value), np.r_[0.5, np.ones(MONTHS - 1), 0.5] / MONTHS, "valid")
    inner = value[half:-half]
    relative = np.divide(inner, level, out=np.full(len(level), np.nan), where=level > 0)
    deviation[half:-half] = relative if ratio else inner - level
    return deviation


def _bridged(value: Floats) -> Floats:
    """Return values with up to two missing ones in a row put on a straight line."""
    there = np.flatnonzero(np.isfinite(value))
    places = np.arange(len(value))
    if not len(there):
        return value
    after = np.searchsorted(there, places)
    inside = (after > 0) & (after < len(there))
    gap = np.where(inside, there[np.minimum(after, len(there) - 1)] - there[np.maximum(after - 1, 0)] - 1, 0)
    line = np.interp(places, there, value[there])
    return np.where(np.isnan(value) & inside & (gap <= 2), line, value)


def _pooled(rows: Floats) -> tuple[Floats, Floats]:
    """Return the mean of every column of rows, (…, k, p), and its error with one variance for all columns."""
    there = np.isfinite(rows)
    count = there.sum(axis=-2)
    mean = np.divide(np.where(there, rows, 0).sum(axis=-2), count, out=np.full(count.shape, np.nan), where=count > 0)
    left = np.where(there, rows - mean[..., None, :], 0)
    degrees = np.maximum(count.sum(axis=-1) - (count > 0).sum(axis=-1), 1)
    variance = (left**2).sum(axis=(-1, -2)) / degrees
    return mean, np.sqrt(variance[..., None] / np.maximum(count, 1))


def _turned(rows: Floats, generator: np.random.Generator) -> Floats:
    """Return draws, (r, k, p), in which every row is turned by a random number of places."""
    years, places = rows.shape
    by = generator.integers(0, places, (DRAWS, years))
    at = (np.arange(places) + by[..., None]) % places
    return np.take_along_axis(np.broadcast_to(rows, (DRAWS, years, places)), at, axis=2)


def flipped(parts: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the errors of sums of independent parts, (p,), and what the sums are in errors by chance, (r, p).

    Parameters
    ----------
    parts
        (b, p): what every block adds to the sums; by chance, each block has its sign at random.
    generator
        Source of chance.
    """
    signs = generator.choice(np.array([-1.0, 1.0]), (DRAWS, len(parts)))
    squares = (parts**2).sum(axis=0)

    def errors(sums: Floats) -> Floats:
        variance: Floats = (squares - sums**2 / len(parts)) * len(parts) / max(len(parts) - 1, 1)
        return np.sqrt(np.maximum(variance, 0))

    drawn = signs @ parts
    size = errors(drawn)
    return errors(parts.sum(axis=0)), np.divide(drawn, size, out=np.zeros(drawn.shape), where=size > 0)

"""The test that two rates are the same, when tracks and artists may be on both sides."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy import stats
from scipy.sparse import csr_array

from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import LEAST_EXPOSED
from diffusion.risk.follow_up import UNSEEN
from graphs.comparison.sides import Followed
from graphs.leaders.groups import LEAST_ARTISTS

LEAST_EXPECTED: Final = 3.0
"""Transitions that must be expected on either side, were both rates the same, before their difference is tested."""

SMALLEST: Final = 1e-9
"""Least that is left of all tracks without one artist."""


def effective(sizes: Floats, number: Floats | float = 1.0) -> Floats:
    """Return (Σ n)² / Σ n², (m,): the number of artists or tracks of equal weight; 0 where there are none.

    Parameters
    ----------
    sizes
        (c, m): weights.
    number
        (c, m): how many have each weight (default: one).
    """
    squares = (number * sizes**2).sum(axis=0)
    total = (number * sizes).sum(axis=0)
    return np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1.0), 0.0)


@dataclass(frozen=True, slots=True)
class Pulls:
    """With what weight tracks and artists pull a difference up or down: 1 / n of a side with n tracks; (m,) each.

    Attributes
    ----------
    tracks_up, tracks_down, artists_up, artists_down
        Effective numbers of tracks and artists, (Σ w)² / Σ w².
    larger
        By how much larger the variance is where the tracks of an artist behave as one, as a share of it.
    up
        (c, m): which artists pull the difference up.
    """

    tracks_up: Floats
    tracks_down: Floats
    artists_up: Floats
    artists_down: Floats
    larger: Floats
    up: Flags

    @classmethod
    def of(cls, a: Followed, b: Followed, members: list[csr_array], together: Ints) -> Self:
        """Return the weights of two sides with `together` tracks in both, (m,)."""
        own, other = (side.seen.sum(axis=0).astype(np.float64) for side in (a, b))
        weight, against = 1 / np.maximum(own, 1), 1 / np.maximum(other, 1)
        number = np.stack([own - together, other - together, together])
        each = np.stack([weight, -against, weight - against])
        of_artist = (members[0] @ a.seen.astype(np.float64)) * weight - (
            members[1] @ b.seen.astype(np.float64)
        ) * against
        squares = (number * each**2).sum(axis=0)
        return cls(
            effective(np.maximum(each, 0), number),
            effective(np.maximum(-each, 0), number),
            effective(np.maximum(of_artist, 0)),
            effective(np.maximum(-of_artist, 0)),
            np.maximum((of_artist**2).sum(axis=0) / np.where(squares > 0, squares, 1.0) - 1, 0.0),
            of_artist > 0,
        )

    @property
    def tracks(self) -> Floats:
        """(m,): the smaller effective number of tracks."""
        return np.minimum(self.tracks_up, self.tracks_down)

    @property
    def artists(self) -> Floats:
        """(m,): the smaller effective number of artists."""
        return np.minimum(self.artists_up, self.artists_down)


@dataclass(frozen=True, slots=True)
class SameRate:
    """The test that two rates are the same, (m,) each.

    Attributes
    ----------
    p
        Two-sided probability; meaningless where not `tested`.
    tested
        Whether there is enough on both sides.
    spread, skewness
        Standard deviation of the difference of the rates, were they the same, and the skewness of the model's.
    shared
        Tracks followed in both.
    alike
        Whether all tracks are in both, with the same follow-up.
    """

    p: Floats
    tested: Flags
    spread: Floats
    skewness: Floats
    shared: Ints
    alike: Flags

    @classmethod
    def of(cls, a: Followed, b: Followed, length: int, members: list[csr_array], both: tuple[Ints, Ints]) -> Self:
        """Return the test of two sides that are followed to the same day; `both` are the rows of tracks in both."""
        hazard = Hazard.of(a, b, length)
        one, other = hazard.residuals(a, 0), hazard.residuals(b, 1)
        seen = a.seen[both[0]] & b.seen[both[1]]
        days = np.where(seen, np.minimum(a.days[both[0]], b.days[both[1]]), UNSEEN)
        together = seen.sum(axis=0)
        pulls = Pulls.of(a, b, members, together)
        model, skew = hazard.moments(days)
        single = (one**2).sum(axis=0) + (other**2).sum(axis=0)
        single -= 2 * np.where(seen, one[both[0]] * other[both[1]], 0.0).sum(axis=0)
        by_artist = members[0] @ one - members[1] @ other
        wider = _widening((by_artist**2).sum(axis=0) - single, model, pulls.larger, hazard.entered.sum(axis=(0, 2)))
        up, down = _by_side(by_artist, members[0] @ a.seen + members[1] @ b.seen, pulls.up)
        score = other.sum(axis=0) - one.sum(axis=0)
        same = seen & (a.days[both[0]] == b.days[both[1]]) & (a.entered[both[0]] == b.entered[both[1]])
        alike = (same.sum(axis=0) == a.seen.sum(axis=0)) & (same.sum(axis=0) == b.seen.sum(axis=0))
        enough = (pulls.tracks >= LEAST_EXPOSED) & (pulls.artists >= LEAST_ARTISTS)
        return cls(
            np.maximum(
                _gamma_p(score, model * wider, skew * wider**2),
                _t_p(score, up, down, pulls.artists_up - 1, pulls.artists_down - 1),
            ),
            enough & (hazard.rate * pulls.tracks >= LEAST_EXPECTED) & (model > 0),
            (1 - hazard.rate) * np.sqrt(np.maximum(model * wider, up + down)),
            skew * np.sqrt(wider) / np.where(model > 0, model, 1.0) ** 1.5,
            together,
            alike,
        )


@dataclass(frozen=True, slots=True)
class Hazard:
    """The hazard of two sides together, by day, were both the same.

    Attributes
    ----------
    at_risk, entered
        (2, m, length): tracks at risk and entries of the two sides.
    hazard
        (m, length): share of those at risk who enter; 0 where all do, which says nothing of the difference.
    staying
        (m, length): one minus that.
    """

    at_risk: Floats
    entered: Floats
    hazard: Floats
    staying: Floats

    @classmethod
    def of(cls, a: Followed, b: Followed, length: int) -> Self:
        """Return the hazard of two sides."""
        went, stayed = (
            np.stack(part).astype(np.float64) for part in zip(a.counts(length), b.counts(length), strict=True)
        )
        at_risk = np.cumsum((went + stayed)[..., ::-1], axis=-1)[..., ::-1]
        hazard = went.sum(axis=0) / np.maximum(at_risk.sum(axis=0), 1)
        hazard = np.where(hazard < 1, hazard, 0.0)
        return cls(at_risk, went, hazard, 1 - hazard)

    @property
    def rate(self) -> Floats:
        """(m,): probability of an entry by the last day."""
        rate: Floats = 1 - self.staying.prod(axis=-1)
        return rate

    def residuals(self, followed: Followed, side: int) -> Floats:
        """Return, (k, m), what each track of a side takes from its summed hazard: expected less entered."""
        at_risk = self.at_risk[side]
        each = np.where((at_risk > 0) & (self.hazard > 0), 1 / np.maximum(at_risk, 1), 0.0) / self.staying
        expected = followed.at(np.cumsum(self.hazard * each, axis=-1))
        residuals: Floats = expected - np.where(followed.entered, followed.at(each), 0.0)
        return residuals

    def moments(self, days: Ints) -> tuple[Floats, Floats]:
        """Return, (m,) each, variance and third moment of the difference of summed hazards, with independent tracks.

        `days`, (k, m), is the follow-up of the tracks in both; below 0 for a track that is not.
        """
        a, b = (np.where(side > 0, 1 / np.maximum(side, 1), 0.0) for side in self.at_risk)
        second = self.hazard / self.staying
        third = self.hazard * (1 - 2 * self.hazard) / self.staying**2
        both = np.stack([second * -2 * a * b, third * 3 * a * b * (b - a)])
        there = np.cumsum(both, axis=-1)[:, np.arange(days.shape[1]), np.maximum(days, 0)]
        off = np.where(days >= 0, there, 0.0).sum(axis=1)
        variance = (second * (a + b)).sum(axis=-1) + off[0]
        return np.maximum(variance, 0.0), (third * (a**2 - b**2)).sum(axis=-1) + off[1]


def _by_side(by_artist: Floats, sizes: Floats, up: Flags) -> tuple[Floats, Floats]:
    """Return, (m,) each, the variance by artist of those who pull the difference up, and of the others.

    An artist with a large share of all tracks draws the hazard to itself; its part is divided by one minus the share.
    """
    kept = 1 - sizes / np.maximum(sizes.sum(axis=0), 1)
    squares = (by_artist / np.maximum(kept, SMALLEST)) ** 2
    return np.where(up, squares, 0.0).sum(axis=0), np.where(up, 0.0, squares).sum(axis=0)


def _widening(beyond: Floats, model: Floats, larger: Floats, entered: Floats) -> Floats:
    """Return, (m,), the factor by which artists widen the variance; 1 where they do not.

    One tightness, 0 … 1, is estimated over all m rates, weighted by their entries, as in
    `diffusion.pairs.variance.Several.widening`.
    """
    there = model > 0
    most = float((entered * larger)[there].sum())
    shown = float((entered[there] * beyond[there] / model[there]).sum())
    return 1 + (min(max(shown / most, 0.0), 1.0) if most else 0.0) * larger


def _gamma_p(score: Floats, variance: Floats, third: Floats) -> Floats:
    """Return, (m,), two-sided p by a gamma tail (Pearson III)."""
    known = variance > 0
    scale = np.sqrt(np.where(known, variance, 1.0))
    z, skew = score / scale, third / scale**3
    tail = np.minimum(stats.pearson3.sf(z, skew), stats.pearson3.cdf(z, skew))
    return np.where(known, np.minimum(2 * tail, 1.0), np.nan)


def _t_p(score: Floats, up: Floats, down: Floats, free_up: Floats, free_down: Floats) -> Floats:
    """Return, (m,), two-sided p by a t tail with the variance of either side, and Satterthwaite's freedom."""
    total = up + down
    parts = up**2 / np.maximum(free_up, 1) + down**2 / np.maximum(free_down, 1)
    free = np.where(parts > 0, total**2 / np.where(parts > 0, parts, 1.0), 1.0)
    known = total > 0
    return np.where(
        known, 2 * stats.t.sf(np.abs(score) / np.sqrt(np.where(known, total, 1.0)), np.maximum(free, 1)), 0.0
    )

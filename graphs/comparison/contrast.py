"""The difference of two rates, when tracks and artists may be in both: interval, test, and what would be found."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy import stats
from scipy.sparse import csr_array

from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import FDR, LEAST_EXPOSED
from diffusion.pairs.curves import interval
from diffusion.pairs.variance import Spread, source_widening
from diffusion.risk.influence import left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from graphs.comparison.sides import Followed, shared
from graphs.leaders.groups import LEAST_ARTISTS

LEAST_EXPECTED: Final = 3.0
"""Transitions that must be expected on either side, were both rates the same, before their difference is tested."""

POWER: Final = 0.8
"""Share of the differences of the size `detectable` that would be found."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Rates of one side by a day, (m,) each, with what every artist adds.

    Attributes
    ----------
    entered, exposed
        Tracks that entered by the day, and tracks followed.
    rate, low, high
        One minus Kaplan–Meier, and its 95 % interval by artist.
    artists
        Effective number of artists, (Σ n)² / Σ n², where n is the number of followed tracks of each.
    change
        (c, m): by how much the logarithm of survival changes when the artist is left out; 0 for artists without tracks.
    """

    entered: Ints
    exposed: Ints
    rate: Floats
    low: Floats
    high: Floats
    artists: Floats
    change: Floats

    @classmethod
    def of(cls, followed: Followed, length: int, members: csr_array) -> Self:
        """Return the rates of followed tracks; `members`, (c, k), says which tracks are of which artist."""
        went, stayed = followed.counts(length)
        curves = KaplanMeier.of_ends(went, stayed)
        total = (went * curves.loss).sum(axis=1)
        own = followed.at(curves.variance)
        lost = np.where(followed.entered, followed.at(curves.loss), 0.0)
        share = (members @ own) / np.where(total > 0, total, 1.0)
        change = left_out(members @ (own - lost), share)
        sizes = members @ followed.seen.astype(np.float64)
        reach = members @ (followed.seen & (followed.days == followed.last)).astype(np.float64)
        spread = Spread(
            (change**2).sum(axis=0),
            curves.variance[:, -1] * source_widening(followed.days, followed.entered, followed.artist),
            (sizes > 0).sum(axis=0) - 1.0,
            (reach > 0).sum(axis=0).astype(np.int64),
        )
        low, high = interval(curves.staying[:, -1], curves.over[:, -1], spread)
        exposed = followed.seen.sum(axis=0)
        known = exposed > 0
        rate = np.where(known, curves.incidence[:, -1], np.nan)
        low, high = np.where(known, low, np.nan), np.where(known, high, np.nan)
        return cls(went.sum(axis=1), exposed, rate, low, high, _effective(sizes), change)


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two rates and their difference, (m,) each.

    Attributes
    ----------
    a, b
        The rates.
    followed_to
        Day by which both are taken: the shorter of the longest follow-ups; below 0 where a side has no track.
    shared
        Tracks followed in both.
    difference, low, high
        Rate of a less that of b, and its 95 % interval.
    p
        Of the hypothesis that both are the same; NaN where that cannot be tested.
    spread
        Standard deviation of the difference, were both the same.
    """

    a: Rate
    b: Rate
    followed_to: Ints
    shared: Ints
    difference: Floats
    low: Floats
    high: Floats
    p: Floats
    spread: Floats


def contrast(a: Followed, b: Followed) -> Contrast:
    """Return rates of two sides, and their difference with its interval and p.

    Notes
    -----
    Both rates are taken by the same day: the shorter of the two longest follow-ups, market by market.

    The interval is built from those of the two rates [1]_, which keep their asymmetry where few tracks enter, and the
    correlation of the rates over artists. Where every track is in both, with the same follow-up, it is 0 to 0.

    `p` tests that both rates are the same, with the hazard of both together: the sum of the differences of hazards,
    day by day. It is the larger of two. The model's: tracks are independent but for the tightness of artists, with the
    tail of a gamma (Pearson III) with the variance and skewness of that sum, as few tracks enter. The artists': a tail
    of t with the variance by artist. Tracks in both count by the difference of their weights, so that a part is tested
    against the rest.

    Whether a pair is tested does not depend on how the entries divide: `LEAST_EXPOSED` tracks and `LEAST_ARTISTS`
    artists on either side (effective numbers, by the weights with which they pull the difference up, or down), with
    `LEAST_EXPECTED` entries expected among each. Where p is above .05 the interval is widened to hold 0, so that both
    say the same.

    References
    ----------
    .. [1] Zou, G. Y. & Donner, A. (2008). Construction of confidence limits about effect measures: a general approach.
       Statistics in Medicine 27, 1693–1702. doi 10.1002/sim.3095.
    """
    last = np.minimum(a.last, b.last)
    a, b = a.until(last), b.until(last)
    length = int(last.max(initial=0)) + 1
    artists = np.unique(np.concatenate([a.artist, b.artist]))
    members = [_members(side.artist, artists) for side in (a, b)]
    one, other = (Rate.of(side, length, own) for side, own in zip((a, b), members, strict=True))
    both = shared(a, b)
    test = SameRate.of(a, b, length, members, both)
    known = last >= 0
    difference = np.where(known, one.rate - other.rate, np.nan)
    low, high = difference_interval(one, other, _correlation(one.change, other.change))
    alike = test.alike
    low, high = np.where(alike, 0.0, low), np.where(alike, 0.0, high)
    p = np.where(known & test.tested, test.p, np.nan)
    above = p > FDR
    low, high = np.where(above, np.minimum(low, 0.0), low), np.where(above, np.maximum(high, 0.0), high)
    return Contrast(
        one,
        other,
        last,
        test.shared,
        np.where(alike, 0.0, difference),
        np.where(known, low, np.nan),
        np.where(known, high, np.nan),
        p,
        test.spread,
    )


def difference_interval(a: Rate, b: Rate, correlation: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of the difference of two estimates from the bounds of each and their correlation, (m,)."""
    difference = a.rate - b.rate
    bounds = []
    for up, down in ((a.rate - a.low, b.high - b.rate), (a.high - a.rate, b.rate - b.low)):
        square = up**2 + down**2 - 2 * correlation * up * down
        bounds.append(np.sqrt(np.maximum(square, 0)))
    return difference - bounds[0], difference + bounds[1]


def _correlation(a: Floats, b: Floats) -> Floats:
    """Return the correlation of two rates over artists, (m,), from the change each artist makes; 0 where not known."""
    finite = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    one, other = np.where(finite, a, 0.0), np.where(finite, b, 0.0)
    scale = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.where(scale > 0, (one * other).sum(axis=0) / np.where(scale > 0, scale, 1.0), 0.0)


def _effective(sizes: Floats, number: Floats | float = 1.0) -> Floats:
    """Return (Σ n)² / Σ n² over artists or kinds of tracks, (m,); 0 where there are none; `number` is how many of each.
    """
    squares = (number * sizes**2).sum(axis=0)
    total = (number * sizes).sum(axis=0)
    return np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1.0), 0.0)


def _members(artist: Ints, artists: Ints) -> csr_array:
    """Return, (c, k), 1 where a track is of the artist."""
    row = np.searchsorted(artists, artist)
    return csr_array((np.ones(len(row)), (row, np.arange(len(row)))), shape=(len(artists), len(row)))


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
        of_artist = (members[0] @ a.seen.astype(np.float64)) * weight - (members[1] @ b.seen.astype(np.float64)) * against
        squares = (number * each**2).sum(axis=0)
        return cls(
            *(_effective(np.maximum(sign * each, 0), number) for sign in (1, -1)),
            *(_effective(np.maximum(sign * of_artist, 0)) for sign in (1, -1)),
            np.maximum((of_artist**2).sum(axis=0) / np.where(squares > 0, squares, 1.0) - 1, 0.0),
            of_artist > 0,
        )


@dataclass(frozen=True, slots=True)
class SameRate:
    """The test that two rates are the same, (m,) each.

    Attributes
    ----------
    p
        Two-sided probability; meaningless where not `tested`.
    tested
        Whether there is enough on both sides.
    spread
        Standard deviation of the difference of the rates, were they the same.
    shared
        Tracks followed in both.
    alike
        Whether all tracks are in both, with the same follow-up.
    """

    p: Floats
    tested: Flags
    spread: Floats
    shared: Ints
    alike: Flags

    @classmethod
    def of(cls, a: Followed, b: Followed, length: int, members: list[csr_array], both: tuple[Ints, Ints]) -> Self:
        """Return the test of two sides that are followed to the same day; `both` are the rows of tracks in both."""
        hazard = Hazard.of(a, b, length)
        one, other = hazard.residuals(a, hazard.at_risk[0]), hazard.residuals(b, hazard.at_risk[1])
        seen = a.seen[both[0]] & b.seen[both[1]]
        days = np.where(seen, np.minimum(a.days[both[0]], b.days[both[1]]), -1)
        together = seen.sum(axis=0)
        pulls = Pulls.of(a, b, members, together)
        model, skew = hazard.moments(days)
        single = (one**2).sum(axis=0) + (other**2).sum(axis=0)
        single -= 2 * np.where(seen, one[both[0]] * other[both[1]], 0.0).sum(axis=0)
        exposed = [side.seen.sum(axis=0) for side in (a, b)]
        sizes = sum(own @ side.seen.astype(np.float64) for own, side in zip(members, (a, b), strict=True))
        kept = 1 - sizes / np.maximum(exposed[0] + exposed[1], 1)
        by_artist = members[0] @ one - members[1] @ other
        went = hazard.entered.sum(axis=(0, 2))
        wider = _widening((by_artist**2).sum(axis=0) - single, model, pulls.larger, went)
        robust = by_artist / np.maximum(kept, 1e-9)
        up, down = (np.where(side, robust**2, 0.0).sum(axis=0) for side in (pulls.up, ~pulls.up))
        score = other.sum(axis=0) - one.sum(axis=0)
        same = seen & (a.days[both[0]] == b.days[both[1]]) & (a.entered[both[0]] == b.entered[both[1]])
        expected = hazard.rate * np.minimum(pulls.tracks_up, pulls.tracks_down)
        return cls(
            np.maximum(
                _gamma_p(score, model * wider, skew * wider**2),
                _t_p(score, up, down, pulls.artists_up - 1, pulls.artists_down - 1),
            ),
            (np.minimum(pulls.tracks_up, pulls.tracks_down) >= LEAST_EXPOSED)
            & (np.minimum(pulls.artists_up, pulls.artists_down) >= LEAST_ARTISTS)
            & (expected >= LEAST_EXPECTED)
            & (model > 0),
            (1 - hazard.rate) * np.sqrt(np.maximum(model * wider, up + down)),
            together,
            (same.sum(axis=0) == exposed[0]) & (same.sum(axis=0) == exposed[1]),
        )


@dataclass(frozen=True, slots=True)
class Hazard:
    """The hazard of two sides together, by day, were both the same.

    Attributes
    ----------
    at_risk, entered
        (2, m, length): tracks at risk and entries of the two sides.
    hazard
        (m, length): share of those at risk who enter.
    staying
        (m, length): one minus that; 1 where all at risk enter, which says nothing of the difference.
    """

    at_risk: Floats
    entered: Floats
    hazard: Floats
    staying: Floats

    @classmethod
    def of(cls, a: Followed, b: Followed, length: int) -> Self:
        """Return the hazard of two sides."""
        went, stayed = (np.stack(part).astype(np.float64) for part in zip(a.counts(length), b.counts(length), strict=True))
        at_risk = np.cumsum((went + stayed)[..., ::-1], axis=-1)[..., ::-1]
        hazard = went.sum(axis=0) / np.maximum(at_risk.sum(axis=0), 1)
        hazard = np.where(hazard < 1, hazard, 0.0)
        return cls(at_risk, went, hazard, 1 - hazard)

    @property
    def rate(self) -> Floats:
        """(m,): probability of an entry by the last day."""
        rate: Floats = 1 - self.staying.prod(axis=-1)
        return rate

    def residuals(self, followed: Followed, at_risk: Floats) -> Floats:
        """Return, (k, m), what each track takes from the summed hazard of its side: expected less entered."""
        each = np.where(at_risk > 0, 1 / np.maximum(at_risk, 1), 0.0) / self.staying
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
    """Return, (m,), two-sided p by a t tail, with the variance of either side and Satterthwaite's degrees of freedom."""
    total = up + down
    parts = up**2 / np.maximum(free_up, 1) + down**2 / np.maximum(free_down, 1)
    free = np.where(parts > 0, total**2 / np.where(parts > 0, parts, 1.0), 1.0)
    known = total > 0
    return np.where(known, 2 * stats.t.sf(np.abs(score) / np.sqrt(np.where(known, total, 1.0)), np.maximum(free, 1)), 0.0)

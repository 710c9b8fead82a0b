"""The difference of two rates, when tracks and artists may be in both: interval, test, and what would be found."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from diffusion.arrays import Floats, Ints
from diffusion.conventions import FDR
from diffusion.pairs.curves import interval
from diffusion.pairs.differences import Estimate, correlation, difference_interval
from diffusion.pairs.variance import Spread, source_widening
from diffusion.risk.influence import left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from graphs.comparison.same_rate import SameRate, effective
from graphs.comparison.sides import Followed, shared


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
        return cls(went.sum(axis=1), exposed, rate, low, high, effective(sizes), change)

    @property
    def estimate(self) -> Estimate:
        """The rates with their intervals."""
        return Estimate(self.rate, self.low, self.high)


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
    spread, skewness
        Standard deviation of the difference, were both the same, and its skewness.
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
    skewness: Floats


def contrast(a: Followed, b: Followed) -> Contrast:
    """Return rates of two sides, and their difference with its interval and p.

    Notes
    -----
    Both rates are taken by the same day: the shorter of the two longest follow-ups, market by market.

    The interval is built from those of the two rates, which keep their asymmetry where few tracks enter, and the
    correlation of the rates over artists (`diffusion.pairs.differences.difference_interval`). Where every track is on
    both sides, with the same follow-up, it is 0 to 0.

    `p` tests that both rates are the same, with the hazard of both sides together: the sum of the differences of
    hazards, day by day. It is the larger of two. The model's: tracks are independent but for the tightness of artists,
    with the tail of a gamma (Pearson III) that has the variance and skewness of that sum, because few tracks enter. The
    artists': a tail of t with the variance by artist. Tracks on both sides count by the difference of their weights, so
    that a part is tested against the rest.

    Whether a pair is tested does not depend on how the entries divide between the sides: there must be `LEAST_EXPOSED`
    tracks and `LEAST_ARTISTS` artists on either side (effective numbers, by the weights with which they pull the
    difference up, or down), with `LEAST_EXPECTED` entries expected among them. Where p is above .05 the interval is
    widened to hold 0, so that both say the same.
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
    low, high = difference_interval(one.estimate, other.estimate, correlation(one.change, other.change))
    alike = test.alike & known
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
        test.skewness,
    )


def _members(artist: Ints, artists: Ints) -> csr_array:
    """Return, (c, k), 1 where a track is of the artist."""
    row = np.searchsorted(artists, artist)
    return csr_array((np.ones(len(row)), (row, np.arange(len(row)))), shape=(len(artists), len(row)))

"""How often a market comes before another, of the tracks that enter both in observed order: a description."""

from typing import Final

import numpy as np
from scipy import special, stats

from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from graphs.baseline.sums import PairSums

LEAST_ARTISTS: Final = 10
"""Effective number of artists below which a share has no interval."""


def lead_columns(sums: PairSums) -> dict[str, Floats]:
    """Return the share of the steps either way that go this way, (m, m), its interval, and the share expected.

    Returns
    -------
    dict
        `lead_share`, `lead_share_low`, `lead_share_high` and `lead_expected`; NaN where no track entered both in
        observed order, the interval also with less than `LEAST_ARTISTS` effective artists, `lead_expected` where no
        step is expected.

    Notes
    -----
    The interval is Jeffreys' for as many independent tracks as would scatter like these do by artist. They are at most
    the tracks, and at least the effective number of artists, (Σ n)² / Σ n² with n the tracks of an artist: so many they
    would be if the tracks of an artist all went one way. The number is smaller the fewer artists the scatter is known
    from, by the ratio of quantiles of Student's t [1]_. In eight worlds, artists with homes among them, the intervals
    hold .955 to .962 of the shares that a very large sample has.

    References
    ----------
    .. [1] Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of
       positive counts estimated from survey data. Survey Methodology 24, 193–201.
    """
    both, expected = sums.observed + sums.observed.T, sums.expected + sums.expected.T
    share = np.where(both > 0, sums.observed / np.maximum(both, 1), np.nan)
    low, high = _interval(share, both, effective_artists(sums), sums.clustered_order(0.0, np.nan_to_num(share)))
    return {
        "lead_share": share,
        "lead_share_low": low,
        "lead_share_high": high,
        "lead_expected": np.where(expected > 0, sums.expected / np.where(expected > 0, expected, 1), np.nan),
    }


def effective_artists(sums: PairSums) -> Floats:
    """Return the effective number of artists of the tracks that entered both markets in observed order, (m, m)."""
    both = sums.observed + sums.observed.T
    return both**2 / np.maximum(sums.oo + sums.oo.T + 2 * sums.oo_back, 1)


def _interval(share: Floats, tracks: Floats, artists: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % interval of shares; `variance` is that of the tracks that go this way."""
    outside = (1 - CONFIDENCE) / 2
    alone = np.nan_to_num(share * (1 - share)) * tracks**2
    number = np.clip(np.where(variance > 0, alone / np.where(variance > 0, variance, 1), 0), artists, tracks)
    known = np.maximum(artists, LEAST_ARTISTS)
    number *= (stats.t.isf(outside, np.maximum(tracks, known) - 1) / stats.t.isf(outside, known - 1)) ** 2
    ahead, behind = np.nan_to_num(share) * number + 0.5, (1 - np.nan_to_num(share)) * number + 0.5
    few = (artists < LEAST_ARTISTS) | np.isnan(share)
    low, high = (np.where(few, np.nan, special.betaincinv(ahead, behind, tail)) for tail in (outside, 1 - outside))
    return low, high

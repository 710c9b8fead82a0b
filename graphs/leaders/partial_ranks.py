"""Partial rank correlation over markets, joined over several pairs of periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from scipy.stats import t as student

from diffusion.arrays import Floats, Ints
from diffusion.display import Displayed

LEAST_PAIRS: Final = 3
"""Fewest pairs of periods for a joint correlation."""

MOST_POWERS: Final = 3
"""Highest power of the ranks of a variable held fixed."""

LEAST_FREE: Final = 2
"""Fewest degrees of freedom for the correlation of one pair of periods."""


@dataclass(frozen=True, slots=True, repr=False)
class RankPair(Displayed):
    """Values of k markets in one pair of periods.

    Attributes
    ----------
    market
        (k,): numbers of the markets.
    score
        (k,): predictor, from the first period.
    outcome
        (k,): what is predicted, from the second period.
    fixed
        (k, c): variables held fixed.
    drawn
        (r, k): the outcome as it would be r times if it were noise alone, with whatever makes markets vary together;
        without any (r = 0), p is by permutations alone.
    """

    market: Ints
    score: Floats
    outcome: Floats
    fixed: Floats
    drawn: Floats

    def _facts(self) -> str:
        return f" of {len(self.market)} markets"

    def without(self, market: int) -> "RankPair":
        """Return the pair without a market."""
        kept = self.market != market
        return RankPair(self.market[kept], self.score[kept], self.outcome[kept], self.fixed[kept], self.drawn[:, kept])


@dataclass(frozen=True, slots=True)
class Association:
    """A correlation over several pairs of periods.

    Attributes
    ----------
    by_pair
        Correlation in each pair of periods; NaN where it is not defined.
    rho, low, high
        Joint correlation and its 95 % interval; NaN where fewer than three pairs have a correlation.
    p
        Two-sided p-value of the joint correlation.
    """

    by_pair: list[float]
    rho: float
    low: float
    high: float
    p: float

    def row(self) -> dict[str, float]:
        """Return the columns `pairs` (pairs of periods used), `rho`, `low`, `high`, `p`."""
        pairs = sum(not np.isnan(rho) for rho in self.by_pair)
        return {"pairs": pairs, "rho": self.rho, "low": self.low, "high": self.high, "p": self.p}


def association(
    pairs: Sequence[RankPair], *, markets: int, shuffles: int, seed: int, interval: bool = True
) -> Association:
    """Return the partial Spearman correlation of score and outcome given the variables held fixed, all pairs together.

    Parameters
    ----------
    pairs
        One per pair of periods.
    markets
        Number of markets in all; a pair of periods may have fewer.
    shuffles
        Permutations for p.
    seed
        Seed of the permutations.
    interval
        Whether the interval is computed, which takes most of the time (default True); NaN otherwise.

    Notes
    -----
    In each pair of periods, ranks are regressed on polynomials of the ranks of the variables held fixed (`curves`), and
    the residuals are correlated. The pairs are joined by Fisher's z, weighted by degrees of freedom less one. For p the
    residuals of the score are permuted, regressed again on the variables held fixed, and correlated again
    (semi-partialing [1]_). All pairs use the same permutation of the markets; a pair leaves markets that it lacks out
    of the cycles, which gives a uniform permutation of its own markets [2]_. Permutations take markets for alike; but
    an outcome may be sure in some and noise in others, and what one market gains its partner loses. So outcomes drawn
    as noise take the place of those observed, too, and p is the larger of both. The interval is z ± t times the
    jackknife error; the jackknife leaves one market out of all pairs at a time.

    References
    ----------
    .. [1] Dekker, D., Krackhardt, D. & Snijders, T. (2007). Sensitivity of MRQAP tests. doi 10.1007/s11336-007-9016-1.
    .. [2] Pitman, J. (2006). Combinatorial Stochastic Processes, §3.1. doi 10.1007/b11601500.
    """
    parts = [_Residuals.of(pair) for pair in pairs]
    by_pair = [np.nan if part is None else part.correlation() for part in parts]
    defined = [(pair, part) for pair, part in zip(pairs, parts, strict=True) if part is not None]
    if len(defined) < LEAST_PAIRS:
        return Association(by_pair, np.nan, np.nan, np.nan, np.nan)
    z = _joined([part for _, part in defined])
    permuted = _permuted(defined, markets, shuffles, np.random.default_rng(seed))
    noise = _weights([part for _, part in defined]) @ np.stack([part.drawn(pair.drawn) for pair, part in defined])
    # what equals the data must count in spite of rounding
    reached = [np.abs(by_chance) >= abs(z) - 1e-9 for by_chance in (permuted, noise) if len(by_chance)]
    p = max((1 + int(reach.sum())) / (len(reach) + 1) for reach in reached)
    low, high = _jackknife([pair for pair, _ in defined], z) if interval else (np.nan, np.nan)
    return Association(by_pair, float(np.tanh(z)), low, high, p)


@dataclass(frozen=True, slots=True)
class _Residuals:
    """Residuals of the ranks of score and outcome (k,), the projection (k, k) onto residuals, degrees of freedom."""

    market: Ints
    score: Floats
    outcome: Floats
    projection: Floats
    free: int

    @classmethod
    def of(cls, pair: RankPair) -> "_Residuals | None":
        """Return the residuals, None where they are 0 or have too few degrees of freedom."""
        k = len(pair.market)
        if k <= LEAST_FREE + 2:
            return None
        known = curves(pair.fixed)
        base, size, _ = np.linalg.svd(known, full_matrices=False)
        base = base[:, size > 1e-9 * size[0]]
        projection = np.eye(k) - base @ base.T
        score, outcome = (projection @ rankdata(values) for values in (pair.score, pair.outcome))
        free = k - base.shape[1] - 1
        nothing = min(float(score @ score), float(outcome @ outcome)) < 1e-9 * k
        return None if nothing or free < LEAST_FREE else cls(pair.market, score, outcome, projection, free)

    def correlation(self) -> float:
        """Return the partial rank correlation."""
        both = self.score @ self.outcome / np.sqrt((self.score @ self.score) * (self.outcome @ self.outcome))
        return float(both)

    def permuted(self, order: NDArray[np.intp]) -> Floats:
        """Return the correlations after permuting the residuals of the score, (b,), for b orders, (b, k)."""
        score = self.score[order] @ self.projection
        size = np.sqrt(np.square(score).sum(axis=1) * (self.outcome @ self.outcome))
        both: Floats = score @ self.outcome / np.maximum(size, 1e-300)
        return both

    def drawn(self, outcome: Floats) -> Floats:
        """Return Fisher's z of the score with other outcomes, (r,), for r outcomes, (r, k); 0 where one is constant."""
        other = rankdata(outcome, axis=1) @ self.projection
        size = np.sqrt(np.square(other).sum(axis=1) * (self.score @ self.score))
        return fisher_z(other @ self.score / np.maximum(size, 1e-300), len(self.market))


def curves(fixed: Floats) -> Floats:
    """Return the columns on which ranks are regressed, (k, 1 + …): a constant, and powers of every variable's ranks.

    Up to the third power each, as far as the powers of all variables together are no more than a third of the markets.
    A straight line in ranks leaves size in both sides where they bend with it, and takes it for what they share.

    Parameters
    ----------
    fixed
        (k, c): variables held fixed; one that is equal for all markets has no column.
    """
    k = len(fixed)
    varying = fixed[:, np.ptp(fixed, axis=0) > 0]
    if not varying.shape[1]:
        return np.ones((k, 1))
    ranks = 2 * (rankdata(varying, axis=0) - (k + 1) / 2) / k
    powers = np.clip(k // 3 // varying.shape[1], 1, MOST_POWERS)
    return np.column_stack([np.ones(k), *(ranks**power for power in range(1, powers + 1))])


def _joined(parts: Sequence[_Residuals]) -> float:
    """Return Fisher's z of all pairs together."""
    z = np.array([fisher_z(part.correlation(), len(part.market)) for part in parts])
    return float(z @ _weights(parts))


def _weights(parts: Sequence[_Residuals]) -> Floats:
    free = np.array([part.free - 1 for part in parts], float)
    weights: Floats = free / free.sum()
    return weights


def fisher_z(correlation: Floats | float, markets: int) -> Floats:
    """Return Fisher's z of rank correlations over k = `markets` markets; finite for correlations of ±1.

    A correlation of ±1 is reduced by half a step: exchanging two neighbouring ranks changes it by 12 / (k³ − k).
    """
    largest = 1 - 6 / (markets**3 - markets)
    z: Floats = np.arctanh(np.clip(correlation, -largest, largest))
    return z


def _permuted(
    defined: Sequence[tuple[RankPair, _Residuals]], markets: int, shuffles: int, generator: np.random.Generator
) -> Floats:
    """Return the joint z under permutations of the markets, (b,)."""
    taking_part = np.unique(np.concatenate([part.market for _, part in defined]))
    where = np.full(markets, -1)
    where[taking_part] = np.arange(len(taking_part))
    sigma = generator.permuted(np.tile(np.arange(len(taking_part)), (shuffles, 1)), axis=1)
    parts = [part for _, part in defined]
    permuted = [fisher_z(part.permuted(_within(sigma, where[part.market])), len(part.market)) for part in parts]
    z: Floats = _weights(parts) @ np.stack(permuted)
    return z


def _within(sigma: NDArray[np.intp], there: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the permutations of k of the u markets, (b, k), that b permutations of all, (b, u), induce.

    Markets outside `there` are left out of the cycles. The k markets are numbered from 0 in the order of `there`.
    """
    place = np.full(sigma.shape[1], -1)
    place[there] = np.arange(len(there))
    row = np.arange(len(sigma))[:, None]
    point = sigma[:, there]
    while (lost := place[point] < 0).any():
        point = np.where(lost, sigma[row, point], point)
    return place[point]


def _jackknife(pairs: Sequence[RankPair], z: float) -> tuple[float, float]:
    """Return the 95 % interval of the joint correlation, NaN where a market cannot be left out."""
    names = np.unique(np.concatenate([pair.market for pair in pairs]))
    others = []
    for market in names:
        parts = [part for pair in pairs if (part := _Residuals.of(pair.without(market))) is not None]
        if len(parts) < len(pairs):
            return np.nan, np.nan
        others.append(_joined(parts))
    n = len(names)
    error = np.sqrt((n - 1) / n * np.square(np.array(others) - np.mean(others)).sum())
    reach = float(student.ppf(0.975, n - 1)) * error
    return float(np.tanh(z - reach)), float(np.tanh(z + reach))

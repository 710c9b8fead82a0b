"""Partial rank correlation over markets, several periods together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from scipy.stats import t as student

from diffusion.arrays import Floats, Ints

LEAST_PAIRS: Final = 3
"""Pairs of periods without which nothing is said of all of them together."""

LEAST_FREE: Final = 2
"""Degrees of freedom that a pair's correlation must have left."""


@dataclass(frozen=True, slots=True)
class RankPair:
    """One pair of periods.

    Attributes
    ----------
    market
        (k,): numbers of the markets.
    score, outcome
        (k,): what predicts, and what is predicted.
    fixed
        (k, c): what is held fixed.
    """

    market: Ints
    score: Floats
    outcome: Floats
    fixed: Floats

    def without(self, market: int) -> "RankPair":
        """Return the pair without a market."""
        kept = self.market != market
        return RankPair(self.market[kept], self.score[kept], self.outcome[kept], self.fixed[kept])


@dataclass(frozen=True, slots=True)
class Association:
    """A correlation over several pairs of periods.

    Attributes
    ----------
    by_pair
        The correlation in every pair; NaN where it says nothing.
    rho, low, high
        All together, and its 95 % interval; NaN with fewer than three pairs that say something.
    p
        Two-sided.
    """

    by_pair: list[float]
    rho: float
    low: float
    high: float
    p: float

    def row(self) -> dict[str, float]:
        """Return the numbers of a table's row."""
        pairs = sum(not np.isnan(rho) for rho in self.by_pair)
        return {"pairs": pairs, "rho": self.rho, "low": self.low, "high": self.high, "p": self.p}


def association(pairs: Sequence[RankPair], *, markets: int, shuffles: int, seed: int) -> Association:
    """Return the partial Spearman correlation of score and outcome, given what is held fixed, pairs together.

    Parameters
    ----------
    pairs
        One for each pair of periods.
    markets
        How many markets there are; those of a pair are some of them.
    shuffles
        Permutations for p.
    seed
        Where chance comes from.

    Notes
    -----
    In each pair, ranks are regressed on the ranks of what is held fixed, and the residuals correlated. Pairs are joined
    by Fisher's z, weighted by degrees of freedom less one. p permutes the residuals of the score, takes what is held
    fixed out of them again, and correlates them anew (semi-partialing [1]_). One permutation of all markets serves
    all pairs: a pair that lacks some leaves them out of its cycles, which is a uniform permutation of its own [2]_. The
    interval is z ± t times its jackknife error, one market left out of all pairs at a time.

    References
    ----------
    .. [1] Dekker, D., Krackhardt, D. & Snijders, T. (2007). Sensitivity of MRQAP tests. doi 10.1007/s11336-007-9016-1.
    .. [2] Pitman, J. (2006). Combinatorial Stochastic Processes, §3.1. doi 10.1007/b11601500.
    """
    parts = [_Residuals.of(pair) for pair in pairs]
    by_pair = [np.nan if part is None else part.correlation() for part in parts]
    said = [(pair, part) for pair, part in zip(pairs, parts, strict=True) if part is not None]
    if len(said) < LEAST_PAIRS:
        return Association(by_pair, np.nan, np.nan, np.nan, np.nan)
    used = [pair for pair, _ in said]
    z = _joined([part for _, part in said])
    moved = _shuffled(said, markets, shuffles, np.random.default_rng(seed))
    # rounding must not turn a shuffle equal to the data away
    p = (1 + int((np.abs(moved) >= abs(z) - 1e-9).sum())) / (shuffles + 1)
    low, high = _jackknife(used, z)
    return Association(by_pair, float(np.tanh(z)), low, high, p)


@dataclass(frozen=True, slots=True)
class _Residuals:
    """What is left of ranks: score and outcome (k,), the projection (k, k) that leaves it, degrees of freedom."""

    market: Ints
    score: Floats
    outcome: Floats
    left: Floats
    free: int

    @classmethod
    def of(cls, pair: RankPair) -> "_Residuals | None":
        """Return the residuals, None where too little is left of them."""
        k = len(pair.market)
        if k <= LEAST_FREE + 2:
            return None
        known = np.column_stack((np.ones(k), rankdata(pair.fixed, axis=0) - (k + 1) / 2))
        base, size, _ = np.linalg.svd(known, full_matrices=False)
        base = base[:, size > 1e-9 * size[0]]
        left = np.eye(k) - base @ base.T
        score, outcome = (left @ rankdata(values) for values in (pair.score, pair.outcome))
        free = k - base.shape[1] - 1
        nothing = min(float(score @ score), float(outcome @ outcome)) < 1e-9 * k
        return None if nothing or free < LEAST_FREE else cls(pair.market, score, outcome, left, free)

    def correlation(self) -> float:
        """Return the partial rank correlation."""
        both = self.score @ self.outcome / np.sqrt((self.score @ self.score) * (self.outcome @ self.outcome))
        return float(both)

    def moved(self, order: NDArray[np.intp]) -> Floats:
        """Return the correlations with the score's residuals in other orders, (b, k)."""
        score = self.score[order] @ self.left
        size = np.sqrt(np.square(score).sum(axis=1) * (self.outcome @ self.outcome))
        both: Floats = score @ self.outcome / np.maximum(size, 1e-300)
        return both


def _joined(parts: Sequence[_Residuals]) -> float:
    """Return Fisher's z of all pairs together."""
    z = np.array([fisher_z(part.correlation(), len(part.market)) for part in parts])
    return float(z @ _weights(parts))


def _weights(parts: Sequence[_Residuals]) -> Floats:
    free = np.array([part.free - 1 for part in parts], float)
    weights: Floats = free / free.sum()
    return weights


def fisher_z(correlation: Floats | float, markets: int) -> Floats:
    """Return Fisher's z of rank correlations over so many markets, that of 1 kept finite.

    A rank correlation of 1 is taken as half a step below: two neighbours that change places cost 12 / (k³ − k).
    """
    surest = 1 - 6 / (markets**3 - markets)
    z: Floats = np.arctanh(np.clip(correlation, -surest, surest))
    return z


def _shuffled(
    said: Sequence[tuple[RankPair, _Residuals]], markets: int, shuffles: int, generator: np.random.Generator
) -> Floats:
    """Return the joint z under permutations of the markets, (b,)."""
    taking_part = np.unique(np.concatenate([part.market for _, part in said]))
    where = np.full(markets, -1)
    where[taking_part] = np.arange(len(taking_part))
    sigma = generator.permuted(np.tile(np.arange(len(taking_part)), (shuffles, 1)), axis=1)
    parts = [part for _, part in said]
    moved = [fisher_z(part.moved(_within(sigma, where[part.market])), len(part.market)) for part in parts]
    z: Floats = _weights(parts) @ np.stack(moved)
    return z


def _within(sigma: NDArray[np.intp], there: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return permutations, (b, u), of some only, (b, k), the others left out of their cycles; as places among those."""
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

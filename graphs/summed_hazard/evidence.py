"""Intervals and p-values of the coefficients: likelihood ratio, and inflation by clusters."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from graphs.summed_hazard.solver import Problem, information, maximum, odds

RATIO_PRECISION: Final = 3e-3
"""Rise of the log-likelihood at which the fit without one sender ends."""

HALVINGS: Final = 80
"""Bisection steps."""

UNTOLD: Final = 1e-8
"""Share of a score's information that is left when all others are fitted; below it, a sender is not identified."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Intervals and p-values of every sender of one target, (m,) each.

    Attributes
    ----------
    low, high
        Bounds of the coefficients, in units of expected entries.
    p
        One-sided, of the coefficient being 0.
    inflation
        Variance of the score by clusters over that by tracks, at least 1.
    """

    low: Floats
    high: Floats
    p: Floats
    inflation: Floats


def evidence(
    task: Problem, beta: Floats, *, senders: int, most: Floats, products: tuple[Floats, Floats] | None
) -> Evidence:
    """Return the evidence on the first `senders` coefficients at the maximum `beta`.

    Parameters
    ----------
    products
        (p, p) each: sums of the outer products of scores by track and by cluster; None takes tracks as independent.

    Notes
    -----
    Where n entries are observed and E·(β + κ) expected, with κ attributed to others, the likelihood is
    n·log(β + κ) − E·β. The profile likelihood of every sender is approximated by this form. It has its maximum at the
    estimate, the curvature that is left when all other coefficients are fitted too, and the likelihood ratio against
    β = 0 with all others fitted again; at an estimate of 0 it has the right slope, curvature and exposure.

    p is the exact probability of n or more entries at β = 0, and `low` the corresponding bound [1]_. `high` is
    conditional on what others can have caused at most [2]_, so it stays meaningful where fewer entries came than
    expected. It is never above the bound that holds if the sender caused all entries that it precedes. A sender that is
    not identified has `low` 0 and that bound as `high`. Exact bounds are a little wide where few entries are attributed
    to the sender; bounds of the likelihood ratio are too narrow there. For dependence within clusters, entries and
    exposures are divided by the inflation of the variance of the scores [3]_.

    References
    ----------
    .. [1] Garwood, F. (1936). Fiducial limits for the Poisson distribution. doi 10.1093/biomet/28.3-4.437.
    .. [2] Zech, G. (1989). Upper limits in experiments with background or measurement errors. doi
       10.1016/0168-9002(89)90795-X.
    .. [3] Rotnitzky, A. & Jewell, N. (1990). Hypothesis testing of regression parameters in semiparametric generalized
       linear models for cluster correlated data. doi 10.1093/biomet/77.3.485.
    """
    slope = odds(task.events @ beta)
    own = information(task.events, slope)
    free = np.flatnonzero(beta > 0)
    weights, precise = _efficient(own, free)
    inflation = np.ones(senders) if products is None else _inflation(weights[:, :senders], *products)
    ratio = _ratios(task, beta, free, senders, most)
    caused = task.events[:, :senders].T @ slope
    counts = _Counts.of(beta[:senders], precise[:senders], ratio, caused, task.survived[:senders])
    low, high = counts.bounds(inflation)
    blurred = precise[:senders] <= UNTOLD * np.diagonal(own)[:senders]
    p = np.where((beta[:senders] > 0) & ~blurred, counts.chance(inflation), 1.0)
    untold = blurred & (caused > 0)
    preceded = (task.events[:, :senders] > 0).sum(axis=0)
    all_its_own = _garwood(preceded / inflation, task.survived[:senders] / inflation)
    high = np.where(untold, all_its_own, np.minimum(high, all_its_own))
    return Evidence(np.where(untold, 0.0, low), high, p, inflation)


def _efficient(own: Floats, free: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the weights (p, p) that make scores efficient, by column, and the information that is left, (p,)."""
    weights = np.eye(len(own))
    inverse = np.linalg.inv(own[np.ix_(free, free)])
    weights[np.ix_(free, np.arange(len(own)))] -= inverse @ own[free]
    precise = np.einsum("ij,ij->j", own, weights)
    weights[np.ix_(free, free)] = inverse / np.diagonal(inverse)
    precise[free] = 1 / np.diagonal(inverse)
    return weights, precise


def _inflation(weights: Floats, by_track: Floats, by_cluster: Floats) -> Floats:
    """Return the variance of every weighted score by clusters over that by tracks, at least 1."""
    alone, together = (np.einsum("ij,ij->j", weights, part @ weights) for part in (by_track, by_cluster))
    ratio: Floats = np.maximum(1.0, np.divide(together, alone, out=np.ones_like(alone), where=alone > 1e-12))
    return ratio


def _ratios(task: Problem, beta: Floats, free: NDArray[np.intp], senders: int, most: Floats) -> Floats:
    """Return twice the fall of the log-likelihood without each sender, (senders,)."""
    ratio = np.zeros(senders)
    best = task.value(beta)
    total = task.events @ beta
    for sender in free[free < senders]:
        owed = task.events[:, sender] * beta[sender] / total
        rest = np.where(task.unit > 0, most, 0.0)
        rest[sender] = 0.0
        start = np.minimum(_taken_over(task, beta, owed, sender, senders), rest)
        fitted = maximum(task, start, most=rest, precision=RATIO_PRECISION)
        ratio[sender] = max(2 * (best - task.value(fitted)), 0.0)
    return ratio


def _taken_over(task: Problem, beta: Floats, owed: Floats, sender: int, senders: int) -> Floats:
    """Return the coefficients after the other senders and the background took over the sender's part of each event."""
    rows = np.flatnonzero(owed > 0)
    some = np.where(np.arange(len(beta)) >= senders, np.maximum(beta, 1.0), beta)
    some[sender] = 0.0
    there = task.events[rows] * some
    parts = there.sum(axis=1)
    taken: Floats = beta + np.divide(owed[rows], parts, out=np.zeros_like(parts), where=parts > 0) @ there
    return taken


@dataclass(frozen=True, slots=True)
class _Counts:
    """Poisson counts equivalent to each profile likelihood: `count` entries, `exposure`·(β + `beside`) expected."""

    count: Floats
    beside: Floats
    exposure: Floats

    @classmethod
    def of(cls, top: Floats, precise: Floats, ratio: Floats, caused: Floats, survived: Floats) -> "_Counts":
        """Return the Poisson counts whose likelihoods C·log(β + κ) − E·β are those of the profiles; see `evidence`."""
        positive, known = top > 0, np.maximum(precise, 1e-300)
        best = np.where(positive, top, 1.0)
        share = _share(ratio / (2 * known * best**2))
        count = np.where(positive, known * (best / share) ** 2, caused**2 / known)
        beside = np.where(positive, best * (1 / share - 1), caused / known)
        return cls(count, beside, np.where(positive, count * share / best, survived))

    def chance(self, inflation: Floats) -> Floats:
        """Return the probability of as many entries or more at β = 0."""
        chance: Floats = special.gammainc(self.count / inflation, self.exposure * self.beside / inflation)
        return chance

    def bounds(self, inflation: Floats) -> tuple[Floats, Floats]:
        """Return the bounds of β ≥ 0."""
        tail = (1 - CONFIDENCE) / 2
        count, each = self.count / inflation, self.exposure / inflation
        with np.errstate(divide="ignore", invalid="ignore"):
            low = np.where(count > 0, special.gammaincinv(count, tail) / each, 0.0) - self.beside
            room = tail * special.gammaincc(count + 1, each * self.beside)
            high = special.gammainccinv(count + 1, room) / each - self.beside
        return np.maximum(np.nan_to_num(low, nan=0.0), 0.0), np.where(each > 0, high, np.inf)


def _garwood(count: Floats, exposure: Floats) -> Floats:
    """Return the upper bounds of rates that brought `count` entries in `exposure`; infinite without exposure."""
    with np.errstate(divide="ignore"):
        return np.where(exposure > 0, special.gammainccinv(count + 1, (1 - CONFIDENCE) / 2) / exposure, np.inf)


def _share(height: Floats) -> Floats:
    """Return u = β̂ / (β̂ + κ) in (0, 1) for which (−log(1 − u) − u) / u² is `height`; at the ends beyond them."""
    low, high = np.full_like(height, 1e-3), np.full_like(height, 1 - 1e-12)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = (-np.log1p(-middle) - middle) / middle**2 > height
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return low

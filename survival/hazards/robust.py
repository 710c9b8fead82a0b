"""Covariance of coefficients when waits of one cluster depend on each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from diffusion import DataSaysNoError
from diffusion.arrays import Floats, Ints
from diffusion.risk.influence import left_out
from survival.counting.counted import Clusters, CountedWaits
from survival.hazards.baseline import Baseline
from survival.hazards.likelihood import Likelihood
from survival.hazards.maximum import Maximum

AT_ONCE: Final = 30_000_000
"""Most values by cell, day and coefficient that are held at once."""


@dataclass(frozen=True, slots=True)
class Covariance:
    """Covariance of coefficients.

    Attributes
    ----------
    matrix
        (p, p): covariance.
    freedom
        (p,): degrees of freedom of each coefficient; infinite for independent waits.
    """

    matrix: Floats
    freedom: Floats


def covariance(
    waits: CountedWaits, baseline: Baseline, likelihood: Likelihood, found: Maximum, families: Sequence[Ints] = ()
) -> Covariance:
    """Return the covariance of all coefficients; `families` are the places of each family of effects.

    Raises
    ------
    DataSaysNoError
        When all waits are of one cluster.

    Notes
    -----
    With independent waits: the inverse of the information with the penalty. With clusters: Σ u uᵀ + I⁻¹ P I⁻¹ over the
    clusters' influences u, each divided by one minus the cluster's share of the information on the coefficient (to
    first order, the jackknife that leaves out one cluster at a time). The second part, with the penalty P, is the
    uncertainty about shrunk effects; it is zero without a penalty.

    Degrees of freedom are 1 / Σ share² − 1 for clusters, and the number of effects less one for a family of effects.
    They are put together by Satterthwaite's rule, in proportion to the parts of the variance.

    References
    ----------
    Bell & McCaffrey 2002, Survey Methodology 28, 169–181 (the divisor). Carter, Schnepel & Steigerwald 2017 (degrees of
    freedom), doi 10.1162/REST_a_00639.
    """
    if waits.clusters is None:
        return Covariance(found.inverse, np.full(len(found.coefs), np.inf))
    if waits.clusters.number < 2:
        raise DataSaysNoError(
            f"all waits are of one {waits.cluster}: nothing shows how much {waits.cluster}s differ; set cluster to "
            f"'independent'"
        )
    influence, share = influences(waits, waits.clusters, baseline, likelihood, found)
    influence = left_out(influence, share)
    drawn = (found.inverse * found.penalty) @ found.inverse
    with np.errstate(invalid="ignore"):
        matrix = influence.T @ influence + drawn
        parts = [(np.diag(matrix) - np.diag(drawn), 1 / (share**2).sum(axis=0) - 1)]
        for places in families:
            own = (found.inverse[:, places] ** 2 * found.penalty[places]).sum(axis=1)
            parts.append((own, np.full(len(own), len(places) - 1.0)))
        unsure = sum((part / np.diag(matrix)) ** 2 / freedom for part, freedom in parts)
    return Covariance(matrix, 1 / unsure)


def influences(
    waits: CountedWaits, clusters: Clusters, baseline: Baseline, likelihood: Likelihood, found: Maximum
) -> tuple[Floats, Floats]:
    """Return, (c, p) each, the influence of each cluster on each coefficient, and its share of the information on it.

    The influence is the cluster's score times the inverse information.
    """
    exposure, rate = likelihood.exposure, likelihood.rate(found.coefs)
    cumulated = exposure.in_intervals(rate.value)
    weight = rate.slope**2 / np.expm1(rate.value)
    step = max(1, AT_ONCE // waits.opened.size)
    influence, share = [], []
    for at in range(0, len(found.coefs), step):
        moves = likelihood.columns.predictors(found.inverse[at : at + step])
        drift = rate.slope[..., None] * moves
        entry = exposure.all_in_intervals(drift) / -np.expm1(-cumulated)[:, None]
        influence.append(clusters.sums(by_day(-drift, baseline, waits.horizon), entry))
        risk = by_day(weight[..., None] * moves**2, baseline, waits.horizon)
        share.append(clusters.sums(risk, np.zeros_like(entry)))
    shares = np.concatenate(share, axis=1)
    return np.concatenate(influence, axis=1), shares / shares.sum(axis=0)


def by_day(value: Floats, baseline: Baseline, horizon: int) -> Floats:
    """Return, (g, horizon + 1, p), values by cell and period, (g, k, p), summed up to the end of each day."""
    days: Ints = np.arange(horizon + 1)
    summed: Floats = baseline.overlap(np.zeros_like(days), np.minimum(days, baseline.last)) @ value
    return summed

"""Fit of a parametric model to counted waits by maximum likelihood, from several starts."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from survival.counting.counted import CountedWaits
from survival.counting.formula import Design
from survival.regression.distributions import Law
from survival.regression.interval_fit import IntervalFit, matrices
from survival.regression.interval_likelihood import IntervalLikelihood, parts_of
from survival.regression.search import Climb, climb
from survival.regression.uncertainty import Uncertainty, inverse_information

FEW_STEPS: Final = 10
"""Evaluations of the likelihood from each start, to choose one."""

STEPS: Final = 200
"""Most evaluations of the likelihood from the chosen start."""

RUNAWAY: Final = 50.0
"""Standard error, of a coefficient times the range of its covariate, from which on the waits do not say its value."""


def likelihood_of(law: Law, counted: CountedWaits, designs: tuple[Design | None, ...]) -> IntervalLikelihood:
    """Return the likelihood of counted waits."""
    return IntervalLikelihood(counted, matrices(designs, counted.values), law.log_survival)


def fit_at(
    law: Law,
    designs: tuple[Design | None, ...],
    names: tuple[str, ...],
    likelihood: IntervalLikelihood,
    peak: Climb,
) -> IntervalFit:
    """Return the model at the maximum of its likelihood.

    Raises
    ------
    DataSaysNoError
        When the waits do not bound a coefficient.
    """
    _check_coefficients(likelihood, names, peak)
    counted = likelihood.counted
    waits = counted.opened.sum(axis=1)
    return IntervalFit(
        law,
        designs,
        names,
        peak.theta,
        Uncertainty.of(likelihood, names, peak.theta, peak.curvature.hessian),
        peak.curvature.value,
        tuple(np.average(design, axis=0, weights=waits)[None] for design in likelihood.designs),
        counted.horizon,
        counted.cluster,
    )


def largest(likelihood: IntervalLikelihood, starts: Sequence[Floats]) -> Climb:
    """Return the maximum of a likelihood.

    A few steps are taken from each start. The search goes on from the best of these points, and from the next only
    where it ends nowhere.

    Raises
    ------
    DataSaysNoError
        When no start converges.
    """
    first = [climb(likelihood.at, start, FEW_STEPS) for start in starts]
    for point in sorted(first, key=lambda climbed: -np.nan_to_num(climbed.curvature.value, nan=-np.inf)):
        found = point if point.ended else climb(likelihood.at, point.theta, STEPS)
        if found.ended:
            return found
    raise DataSaysNoError(
        "the fit did not converge: the waits do not say which values fit best; use fewer covariates or another family"
    )


def check_entries(counted: CountedWaits) -> None:
    """Refuse waits without an entry, or none at all."""
    waits, entries = int(counted.opened.sum()), int(counted.events.count.sum())
    if entries == 0:
        raise DataSaysNoError(f"none of {waits:,} waits ended with an entry: there is no time until an entry to fit")


def _check_coefficients(likelihood: IntervalLikelihood, names: tuple[str, ...], peak: Climb) -> None:
    """Refuse coefficients that the waits do not bound: they would run to infinity, step by step."""
    variance = np.diag(inverse_information(peak.curvature.hessian))
    error = np.sqrt(np.where(variance > 0, variance, np.inf))
    width = np.concatenate([np.abs(design).max(axis=0) for design in likelihood.designs])
    for part, design in zip(parts_of(likelihood.designs), likelihood.designs, strict=True):
        width[part][1:] = np.ptp(design, axis=0)[1:]
    worst = int(np.argmax(error * width))
    if not error[worst] * width[worst] < RUNAWAY:
        raise DataSaysNoError(
            f"the waits do not bound the coefficient '{names[worst]}', which ran to {peak.theta[worst]:.1f}: too few "
            f"entries, or all of them at one of its values; leave it out, or join classes"
        )

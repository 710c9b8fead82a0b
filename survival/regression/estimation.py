"""Fit of a parametric model to counted waits: maximum likelihood, from several starts, with what it cannot say refused."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from survival.regression.distributions import Law
from survival.regression.interval_fit import IntervalFit, matrices
from survival.regression.interval_likelihood import IntervalLikelihood, parts_of
from survival.regression.newton import Curvature, maximum
from survival.regression.uncertainty import Uncertainty, inverse_information
from survival.waits.counted import CountedWaits
from survival.waits.formula import Design

RUNAWAY: Final = 50.0
"""Standard error, of a coefficient times the range of its covariate, from which on the waits do not say its value."""


def likelihood_of(law: Law, counted: CountedWaits, designs: tuple[Design | None, ...]) -> IntervalLikelihood:
    """Return the likelihood of counted waits."""
    return IntervalLikelihood(counted, matrices(designs, counted.values), law.log_survival)


def fitted(
    law: Law,
    designs: tuple[Design | None, ...],
    names: tuple[str, ...],
    likelihood: IntervalLikelihood,
    starts: Sequence[Floats],
) -> IntervalFit:
    """Return the model with the largest likelihood that is found from several starts, (p,) each.

    Raises
    ------
    DataSaysNoError
        When no start converges, or the waits do not bound a coefficient.
    """
    theta, curvature = largest(likelihood, starts)
    check_coefficients(likelihood, names, theta, curvature)
    counted = likelihood.counted
    waits = counted.opened.sum(axis=1)
    return IntervalFit(
        law,
        designs,
        names,
        theta,
        Uncertainty.of(likelihood, theta, curvature.hessian),
        curvature.value,
        tuple(np.average(design, axis=0, weights=waits)[None] for design in likelihood.designs),
        counted.horizon,
        counted.cluster,
    )


def largest(likelihood: IntervalLikelihood, starts: Sequence[Floats]) -> tuple[Floats, Curvature]:
    """Return the largest of the maxima found from several starts: coefficients and curvature.

    Raises
    ------
    DataSaysNoError
        When no start converges.
    """
    found, failed = [], None
    for start in starts:
        try:
            found.append(maximum(likelihood.at, start))
        except DataSaysNoError as error:
            failed = error
    if failed is not None and not found:
        raise failed
    return max(found, key=lambda pair: pair[1].value)


def check_entries(counted: CountedWaits) -> None:
    """Refuse waits without an entry, or none at all."""
    waits, entries = int(counted.opened.sum()), int(counted.events.count.sum())
    if entries == 0:
        raise DataSaysNoError(f"none of {waits:,} waits ended with an entry: there is no time until an entry to fit")


def check_coefficients(likelihood: IntervalLikelihood, names: tuple[str, ...], theta: Floats, curve: Curvature) -> None:
    """Refuse coefficients that the waits do not bound: they would run to infinity, step by step."""
    error = np.sqrt(np.diag(inverse_information(curve.hessian)))
    width = np.concatenate([np.abs(design).max(axis=0) for design in likelihood.designs])
    for part, design in zip(parts_of(likelihood.designs), likelihood.designs, strict=True):
        width[part][1:] = np.ptp(design, axis=0)[1:]
    worst = int(np.argmax(error * width))
    if not error[worst] * width[worst] < RUNAWAY:
        raise DataSaysNoError(
            f"the waits do not bound the coefficient '{names[worst]}' (it stands at {theta[worst]:.1f} and would go on): "
            f"entries at one of its values only, or too few entries; leave it out, or join classes"
        )

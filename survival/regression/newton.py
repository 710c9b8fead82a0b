"""Maximum of the partial likelihood, or a named reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from survival.regression.partial_likelihood import Point, TieMethod, Ties
from survival.regression.penalty import ElasticNet
from survival.regression.risk_sums import RiskSums

STEPS: Final = 40
"""Most steps. Where there is a maximum, about five are needed."""

LARGEST_STEP: Final = 5.0
"""Largest change of the logarithm of a relative hazard in one step."""

SETTLED: Final = 1e-6
"""Largest change of a coefficient, in standard deviations of its covariate, that ends the steps.

Steps converge quadratically: after a step of this size, the error is of the order of its square.
"""

HALVINGS: Final = 30
"""Most times that a step is halved."""

NAMED: Final = 4
"""Most covariates that a message names."""

ROUNDING: Final = 1e-12
"""Share of the logarithm of the likelihood that is rounding."""

UNKNOWN: Final = 1e-10
"""Information about a standardised covariate per event, beyond that of others, below which nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Maximum:
    """Maximum of the partial likelihood.

    Attributes
    ----------
    point
        The likelihood there.
    ties
        How tied events are taken.
    information
        (p, p): minus its second derivative there, without a penalty.
    null_log_likelihood
        Logarithm of the likelihood where all coefficients are 0.
    """

    point: Point
    ties: Ties
    information: Floats
    null_log_likelihood: float


def maximum(sums: RiskSums, ties: TieMethod, penalty: ElasticNet, names: Sequence[str]) -> Maximum:
    """Return the maximum of the partial likelihood less the penalty, by Newton's steps.

    Raises
    ------
    DataSaysNoError
        When nobody has the event, nobody is left to compare those with the event with, a covariate does not differ
        among those at risk, or the likelihood grows without end in a coefficient (a covariate separates).
    """
    _check_events(sums)
    tied = Ties.of(sums.times, ties)
    point = Point.of(sums, tied, np.zeros(sums.x.shape[1]))
    null, information = point.log_likelihood, point.information()
    free = penalty.ridge == 0 and penalty.lasso == 0
    if free and (unknown := _unknown(information, sums)) is not None:
        raise DataSaysNoError(
            f"'{names[unknown]}' does not differ among those at risk when somebody enters, or only as the covariates "
            f"before it do; leave it out"
        )
    for _ in range(STEPS):
        try:
            step = penalty.step(point.coefficients, point.gradient(), information)
        except np.linalg.LinAlgError:
            break
        reach = np.abs(sums.x @ step).max(initial=0.0)
        step *= min(1.0, LARGEST_STEP / max(reach, LARGEST_STEP))
        point = _better(point, tied, step, penalty)
        information = point.information()
        if np.abs(step).max(initial=0.0) < SETTLED:
            if free and _unknown(information, sums) is not None:
                break
            return Maximum(point, tied, information, null)
    raise _endless(point.coefficients, sums, names)


def _better(point: Point, ties: Ties, step: Floats, penalty: ElasticNet) -> Point:
    """Return the likelihood after a step, halved until the likelihood does not fall."""
    before = point.log_likelihood - penalty.cost(point.coefficients)
    found = point
    for halving in range(HALVINGS):
        found = Point.of(point.sums, ties, point.coefficients + step / 2**halving)
        if found.log_likelihood - penalty.cost(found.coefficients) >= before - ROUNDING * abs(before):
            break
    return found


def _check_events(sums: RiskSums) -> None:
    """Refuse data without events, or with nobody to compare those with an event with."""
    if not len(sums.times.time):
        raise DataSaysNoError("no wait ended with an entry: there is nothing to fit")
    if sums.times.alone.all():
        raise DataSaysNoError(
            "whenever somebody enters, all at risk do: there is nobody to compare them with; a Cox model needs waits "
            "that go on when others end"
        )


def _unknown(information: Floats, sums: RiskSums) -> int | None:
    """Return the first covariate of which the waits at risk say nothing beyond the covariates before it."""
    left, least = information.copy(), UNKNOWN * sums.times.weight.sum()
    for at in range(len(left)):
        if not left[at, at] > least:
            return at
        left -= np.outer(left[at], left[at]) / left[at, at]
    return None


def _endless(coefficients: Floats, sums: RiskSums, names: Sequence[str]) -> DataSaysNoError:
    """Return the error for a likelihood without maximum; it names what has run far."""
    spread = np.nan_to_num(coefficients * np.ptp(sums.x, axis=0))
    far = np.abs(spread) > np.abs(spread).max() / 2
    running = [
        f"'{name}' (to {'infinity' if width > 0 else '0'})"
        for name, width, runs in zip(names, spread, far, strict=True)
        if runs
    ]
    named = ", ".join(running[:NAMED]) + (f" and {len(running) - NAMED:,} more" if len(running) > NAMED else "")
    return DataSaysNoError(
        f"the hazard ratio of {named} has no end: all entries are on one side of it; leave it out, put it "
        f"in wider classes, or give a penalizer"
    )

"""Sums over risk sets: all that the partial likelihood needs of waits, be they rows or counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from diffusion.arrays import Flags, Floats, Ints

Terms = Sequence[tuple[Floats, Floats]]
"""Pairs of a value by subject, (n,), and one by event time, (T,): the sum of their products."""

Column = Callable[[], tuple[Terms, Terms]]
"""Makes what a subject adds at each event time at which it is at risk, and what its own event adds."""

ROWS_AT_ONCE: Final = 16_384
"""Subjects per block, so that a block stays in the cache."""


@dataclass(frozen=True, slots=True)
class EventTimes:
    """Distinct times with an event, sorted by stratum and time; arrays are (T,).

    Attributes
    ----------
    stratum
        Number of the stratum.
    time
        The time.
    count
        Number of events.
    weight
        Sum of the case weights of the events.
    alone
        Whether all at risk have their event, so that there is nobody to compare them with.
    """

    stratum: Ints
    time: Floats
    count: Ints
    weight: Floats
    alone: Flags


class Totals(NamedTuple):
    """Totals of relative hazards θ and of θ · x at each event time, weighted by case.

    Attributes
    ----------
    risk, risk_x
        (T,) and (T, p): over all at risk.
    entry, entry_x
        (T,) and (T, p): over those with an event.
    """

    risk: Floats
    risk_x: Floats
    entry: Floats
    entry_x: Floats


class Ends(NamedTuple):
    """Counts over all strata at each distinct time at which a time at risk ends, (u,) each, in order of time."""

    time: Floats
    at_risk: Ints
    entered: Ints
    ended: Ints


class RiskSums(Protocol):
    """Subjects (rows, or cells of waits) and sums over those at risk."""

    @property
    def x(self) -> Floats:
        """(n, p): covariates, centred and scaled."""

    @property
    def times(self) -> EventTimes:
        """Distinct times with an event."""

    @property
    def entered_x(self) -> Floats:
        """(T, p): sum of x over the events of each time, weighted by case."""

    @property
    def followed(self) -> Floats:
        """(s,): last time at risk in each stratum."""

    def totals(self, hazard: Floats) -> Totals:
        """Return the totals of relative hazards, (n,)."""

    def exposure(self, risk: Floats, entry: Floats) -> Floats:
        """Return, (n,), the sum of `risk` over the event times at risk, less that of `entry` at the own event times."""

    def by_cluster(self, columns: Sequence[Column]) -> Floats:
        """Return, (c, q), the sum of each of q columns by cluster."""

    def ends(self) -> Ends:
        """Return the counts at each time at which a time at risk ends."""


def products(x: Floats, weight: Floats) -> Floats:
    """Return, (p, p), Σ weight · x · xᵀ over n subjects."""
    total = np.zeros((x.shape[1], x.shape[1]))
    for first in range(0, len(x), ROWS_AT_ONCE):
        block = x[first : first + ROWS_AT_ONCE]
        total += block.T @ (block * weight[first : first + ROWS_AT_ONCE, None])
    return total


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation of each covariate over the rows, (p,) each."""

    mean: Floats
    deviation: Floats

    def standardise(self, matrix: Floats) -> Floats:
        """Replace covariates by their distance from the mean, in standard deviations; return them."""
        matrix -= self.mean
        matrix /= self.deviation
        return matrix


def scale_of(matrix: Floats, rows: Floats) -> Scale:
    """Return the scale of covariates, (n, p), where each stands for a number of rows, (n,)."""
    number = rows.sum()
    mean = rows @ matrix / number
    squares = np.zeros(matrix.shape[1])
    for first in range(0, len(matrix), ROWS_AT_ONCE):
        block = matrix[first : first + ROWS_AT_ONCE] - mean
        squares += rows[first : first + ROWS_AT_ONCE] @ np.square(block, out=block)
    return Scale(mean, np.sqrt(squares / max(number - 1, 1)))

"""Cox's partial likelihood with tied events, after Efron or Breslow, from sums over risk sets."""

from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from diffusion.arrays import Floats, Ints
from survival.regression.risk_sums import EventTimes, RiskSums, Totals, products

TieMethod = Literal["efron", "breslow"]
TIE_METHODS: tuple[TieMethod, ...] = get_args(TieMethod)


@dataclass(frozen=True, slots=True)
class Ties:
    """How events of one time are taken one after the other.

    After Efron, the k-th of D tied events, from k = 0, meets a risk set from which the fraction k/D of all D is taken
    off. After Breslow nothing is taken off. With case weights, each of them has the mean weight of the D events.

    Attributes
    ----------
    weight
        (T,): sum of the case weights of the events.
    tied
        Indices of the event times with tied events; none after Breslow.
    place, fraction
        Event time and k/D of each event of these, in order of time.
    starts
        Where each event time begins in these.
    mean
        Mean weight of the events, by event time with ties.
    """

    weight: Floats
    tied: Ints
    place: Ints
    fraction: Floats
    starts: Ints
    mean: Floats

    @classmethod
    def of(cls, times: EventTimes, ties: TieMethod) -> Self:
        """Return the ties at these times."""
        tied = np.flatnonzero((times.count > 1) & (ties == "efron"))
        count = times.count[tied]
        starts = np.cumsum(count) - count
        rank = np.arange(count.sum()) - np.repeat(starts, count)
        return cls(times.weight, tied, np.repeat(tied, count), rank / np.repeat(count, count), starts,
                   times.weight[tied] / count)  # fmt: skip

    def inverses(self, risk: Floats, entry: Floats) -> "Inverses":
        """Return the inverses of the totals that the events meet."""
        return Inverses(self, 1 / risk, 1 / (risk[self.place] - self.fraction * entry[self.place]))


@dataclass(frozen=True, slots=True)
class Inverses:
    """One over the total hazard that each event meets: by event time without ties, and by event with them."""

    ties: Ties
    single: Floats
    several: Floats

    def sums(self, power: int, order: int) -> Floats:
        """Return, (T,), the sum over the events of weight · fraction**order / total**power."""
        found = self.ties.weight * self.single**power if order == 0 else np.zeros_like(self.single)
        if len(self.ties.tied):
            found[self.ties.tied] = self._of_tied(self.ties.fraction**order * self.several**power)
        return found

    def log(self) -> float:
        """Return the sum over the events of weight · log total."""
        found = self.ties.weight * -np.log(self.single)
        if len(self.ties.tied):
            found[self.ties.tied] = self._of_tied(-np.log(self.several))
        return float(found.sum())

    def _of_tied(self, value: Floats) -> Floats:
        found: Floats = self.ties.mean * np.add.reduceat(value, self.ties.starts)
        return found


@dataclass(frozen=True, slots=True)
class Point:
    """The partial likelihood at one value of the coefficients.

    Attributes
    ----------
    sums
        The subjects.
    coefficients
        (p,): coefficients of the covariates, which are centred and scaled.
    hazard
        (n,): relative hazard of each subject.
    totals
        Totals of the relative hazards.
    inverses
        One over the totals that the events meet.
    risk, entry
        (T,): what one subject at risk with relative hazard 1 has as expected events at each event time, and what is
        taken off for one with an event. The sum of `risk` is the cumulative baseline hazard.
    log_likelihood
        Logarithm of the partial likelihood.
    """

    sums: RiskSums
    coefficients: Floats
    hazard: Floats
    totals: Totals
    inverses: Inverses
    risk: Floats
    entry: Floats
    log_likelihood: float

    @classmethod
    def of(cls, sums: RiskSums, ties: Ties, coefficients: Floats) -> Self:
        """Return the partial likelihood of the coefficients."""
        hazard: Floats = np.exp(sums.x @ coefficients)
        totals = sums.totals(hazard)
        inverses = ties.inverses(totals.risk, totals.entry)
        log_likelihood = float((sums.entered_x @ coefficients).sum()) - inverses.log()
        risk, entry = inverses.sums(1, 0), inverses.sums(1, 1)
        return cls(sums, coefficients, hazard, totals, inverses, risk, entry, log_likelihood)

    @property
    def mean_x(self) -> tuple[Floats, Floats]:
        """(T, p) each: the mean of x times the hazard that an event adds, summed over the events of each time.

        The first is for one at risk; the second is what is taken off for one with an event.
        """
        totals, inverses = self.totals, self.inverses
        first, second, third = (inverses.sums(2, order)[:, None] for order in range(3))
        return (
            first * totals.risk_x - second * totals.entry_x,
            second * totals.risk_x - third * totals.entry_x,
        )

    def expected_x(self) -> Floats:
        """Return, (T, p), the sum over the events of the mean of x in the set that each meets."""
        found: Floats = self.risk[:, None] * self.totals.risk_x - self.entry[:, None] * self.totals.entry_x
        return found

    def gradient(self) -> Floats:
        """Return, (p,), the derivative of the logarithm."""
        found: Floats = (self.sums.entered_x - self.expected_x()).sum(axis=0)
        return found

    def information(self, factor: Floats | None = None) -> Floats:
        """Return, (p, p), minus the second derivative; each event time counts by a factor, (T,), if there is one.

        The sum over event times of the mean of x · xᵀ is one product over all subjects, because a subject's hazard
        counts by the sum of `risk` over the event times at which it is at risk.
        """
        by = np.ones_like(self.risk) if factor is None else factor
        exposure = self.sums.exposure(self.risk * by, self.entry * by)
        squares = products(self.sums.x, self.hazard * exposure)
        (risk, entry), totals = self.mean_x, self.totals
        by_risk, by_entry = (totals.risk_x * by[:, None]).T, (totals.entry_x * by[:, None]).T
        found: Floats = squares - by_risk @ risk + by_entry @ entry
        return found

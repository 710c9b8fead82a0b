"""Errors of coefficients when waits of one artist or track are dependent, in linear time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from scipy.stats import t as student

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from diffusion.risk.influence import ALONE
from diffusion.risk.kaplan_meier import TAIL
from survival.regression.newton import Maximum
from survival.regression.partial_likelihood import Point
from survival.regression.risk_sums import Column, Terms


@dataclass(frozen=True, slots=True)
class Influence:
    """Influence of each of c clusters on the coefficients of standardised covariates; arrays are (c, p).

    Attributes
    ----------
    change
        Change of the coefficients when the cluster gets more weight, to first order.
    left_out
        Change of the coefficients when the cluster is left out, with the sign turned, to first order in the others.
    share
        The cluster's share of what is known of each coefficient; they sum to 1 over the clusters.
    """

    change: Floats
    left_out: Floats
    share: Floats

    @classmethod
    def of(cls, maximum: Maximum, names: Sequence[str]) -> Self:
        """Return the influence of clusters at the maximum of the likelihood.

        Raises
        ------
        DataSaysNoError
            When all that is known of a coefficient comes from one cluster.

        Notes
        -----
        A cluster draws the fit to itself, so its influence is too small. The remedy is Bell and McCaffrey's for a
        regression on two columns: a constant for the baseline hazard, and v · x for the coefficient. It needs the
        cluster's share of all events that are expected, its share of what is known of the coefficient, and the product
        of the two columns.

        References
        ----------
        Bell & McCaffrey 2002, Survey Methodology 28, 169–181.
        """
        inverse = np.linalg.inv(maximum.information).astype(np.float64, copy=False)
        known, width = np.diag(inverse), len(names)
        ways = Ways.of(maximum.point, inverse)
        sums = ways.by_cluster()
        change, toward, share = (sums[:, at * width : (at + 1) * width] for at in range(3))
        share = share / known
        beyond, weight = sums[:, -2:-1], sums[:, -1:] / ways.events
        kept = (1 - weight) * (1 - share) - toward**2 / (known * ways.events)
        for name, least in zip(names, kept.min(axis=0), strict=True):
            if least < 1 - ALONE:
                raise DataSaysNoError(
                    f"all that is known of '{name}' comes from one cluster, so its error cannot be told; leave it out, "
                    f"or take waits as independent"
                )
        return cls(change, (toward * beyond / ways.events + (1 - weight) * change) / kept, share)

    @property
    def freedom(self) -> Floats:
        """(p,): degrees of freedom of the error of each coefficient: effective number of clusters less one.

        References
        ----------
        Carter, Schnepel & Steigerwald 2017 (effective numbers from shares), doi 10.1162/REST_a_00639.
        """
        found: Floats = 1 / (self.share**2).sum(axis=0) - 1
        return found


def quantile(freedom: Floats) -> Floats:
    """Return the quantile of the t distribution for two-sided 95 % intervals; infinite degrees are the normal."""
    return np.asarray(student.ppf(1 - TAIL, freedom), np.float64)


@dataclass(frozen=True, slots=True)
class Ways:
    """Sums over each cluster, for v · x, with v a column of the inverse of the information.

    A subject is compared with the mean of those at risk, at each event time at which it is. With tied events, Efron's
    sets follow each other, and of one with an event less and less is at risk.

    Attributes
    ----------
    point
        Likelihood at its maximum.
    inverse
        (p, p): inverse of the information.
    met
        (T, p): mean of v · x among those at risk, averaged over the events of the time.
    means, squares
        (T, p) each: that mean by hazard, and its square by hazard: for one at risk, and what is taken off for one with
        an event.

    References
    ----------
    Lin & Wei 1989, doi 10.1080/01621459.1989.10478874. Therneau & Grambsch 2000, Modeling Survival Data, §4.2 and §7.1,
    doi 10.1007/978-1-4757-3294-8.
    """

    point: Point
    inverse: Floats
    met: Floats
    means: tuple[Floats, Floats]
    squares: tuple[Floats, Floats]

    @classmethod
    def of(cls, point: Point, inverse: Floats) -> Self:
        """Return the sums for the columns of the inverse of the information."""
        totals, inverses = point.totals, point.inverses
        of_risk, of_entry = totals.risk_x @ inverse, totals.entry_x @ inverse
        cubes = [inverses.sums(3, order)[:, None] for order in range(4)]
        square, product, of_square = of_risk**2, of_risk * of_entry, of_entry**2
        squares = [cubes[at] * square - 2 * cubes[at + 1] * product + cubes[at + 2] * of_square for at in range(2)]
        risk, entry = point.mean_x
        met = point.expected_x() @ inverse / point.sums.times.weight[:, None]
        return cls(point, inverse, met, (risk @ inverse, entry @ inverse), (squares[0], squares[1]))

    @property
    def events(self) -> float:
        """Sum of the weights of all events."""
        return float(self.point.sums.times.weight.sum())

    def by_cluster(self) -> Floats:
        """Return, (c, 3 · p + 2), for each v the residual, expected score and information; residual, expected events.

        The residual of the score is what the events add to it, v · x less its mean, less the expected score: what would
        be added if everybody had the events that are expected of them. The information is the cluster's part of the
        variance of v · x among those at risk, summed up over the events.
        """
        width = range(len(self.inverse))
        columns: list[Column] = []
        for way in (self._residual, self._expected, self._information):
            columns += [partial(way, at) for at in width]
        return self.point.sums.by_cluster([*columns, self._events_beyond, self._events_expected])

    def _residual(self, at: int) -> tuple[Terms, Terms]:
        own, ones, hazard = self._own(at), np.ones_like(self.point.hazard), self.point.hazard
        risk, entry = self._both((-hazard * own, hazard), (self.means,), at)
        return risk, [*entry, (own, np.ones(len(self.met))), (ones, -self.met[:, at])]

    def _expected(self, at: int) -> tuple[Terms, Terms]:
        hazard = self.point.hazard
        return self._both((hazard * self._own(at), -hazard), (self.means,), at)

    def _information(self, at: int) -> tuple[Terms, Terms]:
        own, hazard = self._own(at), self.point.hazard
        weighted = hazard * own
        return self._both((weighted * own, -2 * weighted, hazard), (self.means, self.squares), at)

    def _events_beyond(self) -> tuple[Terms, Terms]:
        ones = np.ones_like(self.point.hazard)
        risk, entry = self._both((-self.point.hazard,), (), 0)
        return risk, [*entry, (ones, np.ones_like(self.point.risk))]

    def _events_expected(self) -> tuple[Terms, Terms]:
        return self._both((self.point.hazard,), (), 0)

    def _own(self, at: int) -> Floats:
        own: Floats = self.point.sums.x @ self.inverse[:, at]
        return own

    def _both(
        self, by_subject: Sequence[Floats], at_times: Sequence[tuple[Floats, Floats]], at: int
    ) -> tuple[Terms, Terms]:
        """Return the terms of those at risk, and what is taken off for those with an event."""
        risk = [self.point.risk, *(part[0][:, at] for part in at_times)]
        entry = [-self.point.entry, *(-part[1][:, at] for part in at_times)]
        return list(zip(by_subject, risk, strict=True)), list(zip(by_subject, entry, strict=True))

"""Errors of coefficients when waits of one artist or track are dependent, in linear time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.stats import t as student

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from diffusion.risk.influence import ALONE
from diffusion.risk.kaplan_meier import TAIL
from survival.regression.newton import Maximum
from survival.regression.partial_likelihood import Point
from survival.regression.risk_sums import Terms


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
        ways = Ways.of(maximum.point, inverse)
        known = np.diag(inverse)
        toward, share = ways.expected(), ways.information() / known
        change = ways.entered() - toward
        expected, events = ways.events()
        weight = expected / events.sum()
        kept = (1 - weight) * (1 - share) - toward**2 / (known * events.sum())
        for name, least in zip(names, kept.min(axis=0), strict=True):
            if least < 1 - ALONE:
                raise DataSaysNoError(
                    f"all that is known of '{name}' comes from one cluster, so its error cannot be told; leave it out, "
                    f"or take waits as independent"
                )
        left_out = (toward * (events - expected) / events.sum() + (1 - weight) * change) / kept
        return cls(change, left_out, share)

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
    """Sums over each cluster, for v · x, with v a column of the inverse of the information: (c, p) arrays.

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
        The same by hazard, and its square by hazard: for one at risk, and what is taken off for one with an event.

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

    def entered(self) -> Floats:
        """Return what the events add to the score: v · x less its mean among those at risk."""
        ones = np.ones((len(self.point.hazard), 1))

        def terms(block: slice) -> tuple[Terms, Terms]:
            one = np.ones((len(self.met), 1))
            return [], [(self.point.sums.x @ self.inverse[:, block], one), (ones, -self.met[:, block])]

        return self.point.sums.by_cluster(terms, len(self.inverse))

    def expected(self) -> Floats:
        """Return what events would add to the score if all had those that are expected of them."""

        def terms(block: slice) -> tuple[Terms, Terms]:
            own = self.point.hazard[:, None] * (self.point.sums.x @ self.inverse[:, block])
            return self._both((own, -self.point.hazard[:, None]), (self.means,), block)

        return self.point.sums.by_cluster(terms, len(self.inverse))

    def information(self) -> Floats:
        """Return the cluster's part of the variance of v · x among those at risk, summed up over the events."""

        def terms(block: slice) -> tuple[Terms, Terms]:
            own = self.point.sums.x @ self.inverse[:, block]
            weighted = self.point.hazard[:, None] * own
            by_subject = weighted * own, -2 * weighted, self.point.hazard[:, None]
            return self._both(by_subject, (self.means, self.squares), block)

        return self.point.sums.by_cluster(terms, len(self.inverse))

    def _both(
        self, by_subject: Sequence[Floats], at_times: Sequence[tuple[Floats, Floats]], block: slice
    ) -> tuple[Terms, Terms]:
        """Return the terms of those at risk, and what is taken off for those with an event."""
        risk = [self.point.risk[:, None], *(part[0][:, block] for part in at_times)]
        entry = [-self.point.entry[:, None], *(-part[1][:, block] for part in at_times)]
        return list(zip(by_subject, risk, strict=True)), list(zip(by_subject, entry, strict=True))

    def events(self) -> tuple[Floats, Floats]:
        """Return, (c, 1) each, the events that are expected, and those that were."""
        one = np.ones_like(self.point.risk)[:, None]
        hazard, ones = self.point.hazard[:, None], np.ones((len(self.point.hazard), 1))
        expected = self.point.sums.by_cluster(lambda block: self._both((hazard,), (), block), 1)
        return expected, self.point.sums.by_cluster(lambda _: ([], [(ones, one)]), 1)

"""Errors of coefficients when waits of one artist or track are dependent, in linear time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.stats import t as student

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from diffusion.risk.influence import ALONE, left_out
from diffusion.risk.kaplan_meier import TAIL
from survival.regression.newton import Maximum
from survival.regression.partial_likelihood import Point
from survival.regression.risk_sums import Terms


@dataclass(frozen=True, slots=True)
class Influence:
    """Influence of each of c clusters on the coefficients of standardised covariates.

    Attributes
    ----------
    change
        (c, p): change of the coefficients when the cluster gets more weight, to first order.
    share
        (c, p): the cluster's share of what is known of each coefficient; they sum to 1 over the clusters.
    """

    change: Floats
    share: Floats

    @classmethod
    def of(cls, maximum: Maximum, names: Sequence[str]) -> Self:
        """Return the influence of clusters at the maximum of the likelihood.

        Raises
        ------
        DataSaysNoError
            When all that is known of a coefficient comes from one cluster.
        """
        point = maximum.point
        inverse = np.linalg.inv(maximum.information).astype(np.float64, copy=False)
        share = _shares(point, inverse)
        for name, largest in zip(names, share.max(axis=0), strict=True):
            if largest > ALONE:
                raise DataSaysNoError(
                    f"all that is known of '{name}' comes from one cluster, so its error cannot be told; leave it out, "
                    f"or take waits as independent"
                )
        return cls(_scores(point) @ inverse, share)

    @property
    def left_out(self) -> Floats:
        """(c, p): change of the coefficients when the cluster is left out, to first order, with the sign turned."""
        return left_out(self.change, self.share)

    @property
    def freedom(self) -> Floats:
        """(p,): degrees of freedom of the error of each coefficient: effective number of clusters less one."""
        found: Floats = 1 / (self.share**2).sum(axis=0) - 1
        return found


def quantile(freedom: Floats) -> Floats:
    """Return the quantile of the t distribution for two-sided 95 % intervals; infinite degrees are the normal."""
    return np.asarray(student.ppf(1 - TAIL, freedom), np.float64)


def _scores(point: Point) -> Floats:
    """Return, (c, p), the score residuals by cluster.

    Notes
    -----
    A subject has the sum over its event times of (x − mean of x among those at risk), weighted by its events less those
    expected of it. With tied events, Efron's sets follow each other, and of one with an event less and less is taken.

    References
    ----------
    Lin & Wei 1989, doi 10.1080/01621459.1989.10478874. Therneau & Grambsch 2000, Modeling Survival Data, §4.2 and §7.1,
    doi 10.1007/978-1-4757-3294-8.
    """
    own, hazard = point.sums.x, point.hazard[:, None]
    risk, entry = point.mean_x
    met = point.expected_x() / point.sums.times.weight[:, None]
    ones, one = np.ones((len(own), 1)), np.ones((len(met), 1))

    def terms(block: slice) -> tuple[Terms, Terms]:
        weighted = hazard * own[:, block]
        at_risk = [(-weighted, point.risk[:, None]), (hazard, risk[:, block])]
        of_event = [(weighted, point.entry[:, None]), (-hazard, entry[:, block])]
        return at_risk, [(own[:, block], one), (ones, -met[:, block]), *of_event]

    return point.sums.by_cluster(terms, own.shape[1])


def _shares(point: Point, inverse: Floats) -> Floats:
    """Return, (c, p), the share of each cluster in the information about each coefficient.

    With v the column of the inverse of the information, it is the cluster's part of the variance of v · x among those
    at risk, summed up over the events, and divided by v · information · v.
    """
    totals, inverses = point.totals, point.inverses
    of_risk, of_entry = totals.risk_x @ inverse, totals.entry_x @ inverse
    second = [inverses.sums(2, order)[:, None] for order in range(3)]
    third = [inverses.sums(3, order)[:, None] for order in range(4)]
    means = [second[at] * of_risk - second[at + 1] * of_entry for at in range(2)]
    squares = [
        third[at] * of_risk**2 - 2 * third[at + 1] * of_risk * of_entry + third[at + 2] * of_entry**2 for at in range(2)
    ]
    hazard = point.hazard[:, None]

    def terms(block: slice) -> tuple[Terms, Terms]:
        own = point.sums.x @ inverse[:, block]
        weighted = hazard * own
        by_subject = weighted * own, -2 * weighted, hazard
        at_risk, of_event = (
            (part[:, None], mean[:, block], square[:, block])
            for part, mean, square in zip((point.risk, point.entry), means, squares, strict=True)
        )
        return list(zip(by_subject, at_risk, strict=True)), [
            (-values, at_times) for values, at_times in zip(by_subject, of_event, strict=True)
        ]

    return point.sums.by_cluster(terms, len(inverse)) / np.diag(inverse)

"""Uncertainty of a parametric model, robust to clusters of dependent waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy import linalg
from scipy.special import stdtrit

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from diffusion.risk.influence import ALONE, left_out
from diffusion.risk.kaplan_meier import TAIL
from survival.regression.interval_likelihood import IntervalLikelihood

LEAST: Final = 1e-100
"""Information that stands for none."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Uncertainty of p coefficients, and of what is computed from them.

    Attributes
    ----------
    likelihood
        Likelihood whose maximum the coefficients are.
    theta
        (p,): the coefficients.
    inverse
        (p, p): covariance matrix by the model: the inverse of the information.
    influence
        (c, p): change of the coefficients when a cluster gets more weight, to first order; None where waits are
        independent.
    variance
        (p, p): covariance matrix, robust to clusters where there are any.
    freedom
        (p,): degrees of freedom of the error of each coefficient; infinite where waits are independent.

    Notes
    -----
    With clusters, the variance of a coefficient, or of anything else that is computed from coefficients, is the sum
    over clusters of the squares of how much it changes, to first order, when the cluster is left out: its influence,
    divided by one minus the cluster's share in the information about it (negative information counts as none). The
    degrees of freedom are 1 / Σ share² − 1.

    References
    ----------
    Lin & Wei 1989, doi 10.1080/01621459.1989.10478874. Bell & McCaffrey 2002, Survey Methodology 28, 169–181. Carter,
    Schnepel & Steigerwald 2017, doi 10.1162/REST_a_00639.
    """

    likelihood: IntervalLikelihood
    theta: Floats
    inverse: Floats
    influence: Floats | None
    variance: Floats
    freedom: Floats

    @classmethod
    def of(cls, likelihood: IntervalLikelihood, names: Sequence[str], theta: Floats, hessian: Floats) -> Self:
        """Return the uncertainty at the maximum of a likelihood.

        Raises
        ------
        DataSaysNoError
            When all that is known of a coefficient comes from one cluster.
        """
        inverse, counted = inverse_information(hessian), likelihood.counted
        if counted.clusters is None:
            return cls(likelihood, theta, inverse, None, inverse, np.full(len(theta), np.inf))
        daily = likelihood.daily(theta)
        influence = likelihood.scores(daily, counted.clusters) @ inverse
        share = _shares(likelihood.information(daily, inverse, counted.clusters))
        for name, largest in zip(names, share.max(axis=0), strict=True):
            if largest > ALONE:
                raise DataSaysNoError(
                    f"all that is known of '{name}' comes from one {counted.cluster}: its error cannot be told; leave "
                    f"it out, or take waits as independent"
                )
        change = left_out(influence, share)
        return cls(likelihood, theta, inverse, influence, change.T @ change, _freedom(share))

    def half_width(self, gradients: Floats) -> Floats:
        """Return, (n,), half the width of 95 % intervals of functions of the coefficients.

        Infinite where all that is known of a function comes from one cluster.

        Parameters
        ----------
        gradients
            (n, p): derivatives of the functions.
        """
        clusters = self.likelihood.counted.clusters
        if self.influence is None or clusters is None:
            error: Floats = np.sqrt(np.einsum("np,pq,nq->n", gradients, self.inverse, gradients))
            return quantile(np.inf) * error
        information = self.likelihood.information(
            self.likelihood.daily(self.theta), self.inverse @ gradients.T, clusters
        )
        share = _shares(information)
        change = left_out(self.influence @ gradients.T, share)
        error = np.sqrt((change**2).sum(axis=0))
        return quantile(_freedom(share)) * error


def quantile(freedom: Floats | float) -> Floats:
    """Return the quantile of the t distribution for two-sided 95 % intervals; infinite degrees are the normal."""
    return np.asarray(stdtrit(freedom, 1 - TAIL), np.float64)


def inverse_information(hessian: Floats) -> Floats:
    """Return the inverse of minus a matrix of second derivatives, by way of one with a diagonal of 1."""
    information = -hessian
    size = np.sqrt(np.maximum(np.diag(information), LEAST))
    inverse: Floats = linalg.pinvh(information / np.outer(size, size), rtol=0.0) / np.outer(size, size)
    return inverse


def _shares(information: Floats) -> Floats:
    """Return the shares of clusters, (c, n), in the information about n functions; negative information is none."""
    some = np.maximum(information, 0)
    share: Floats = some / np.maximum(some.sum(axis=0), LEAST)
    return share


def _freedom(share: Floats) -> Floats:
    """Return the degrees of freedom from the shares of clusters; at least 1."""
    freedom: Floats = np.maximum(1 / np.maximum((share**2).sum(axis=0), LEAST) - 1, 1.0)
    return freedom

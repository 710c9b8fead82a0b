"""Uncertainty of the coefficients of a parametric model, robust to clusters of dependent waits."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import linalg
from scipy.special import stdtrit

from diffusion.arrays import Floats
from diffusion.risk.influence import ALONE
from diffusion.risk.kaplan_meier import TAIL
from survival.regression.interval_likelihood import IntervalLikelihood


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Uncertainty of p coefficients.

    Attributes
    ----------
    variance
        (p, p): covariance matrix.
    concentration
        (p, p): Σ over clusters of the products of their shares in the information about two coefficients; 0 where waits
        are independent.
    """

    variance: Floats
    concentration: Floats

    @classmethod
    def of(cls, likelihood: IntervalLikelihood, theta: Floats, hessian: Floats) -> Self:
        """Return the uncertainty at the maximum: model-based, or robust to clusters where the waits have them.

        Notes
        -----
        Robust: the sum over clusters of the products of how much the coefficients change, to first order, when the
        cluster is left out. That is its score times the inverse information, divided by one minus its share in the
        information about the coefficient. The degrees of freedom are 1 / Σ share² − 1.

        References
        ----------
        Lin & Wei 1989, doi 10.1080/01621459.1989.10478874. Bell & McCaffrey 2002, Survey Methodology 28, 169–181.
        Carter, Schnepel & Steigerwald 2017, doi 10.1162/REST_a_00639.
        """
        inverse = inverse_information(hessian)
        clusters = likelihood.counted.clusters
        if clusters is None:
            return cls(inverse, np.zeros_like(inverse))
        scores, information = likelihood.by_cluster(theta, inverse, clusters)
        share = np.clip(information / np.diag(inverse), 0, ALONE)
        change = scores @ inverse / (1 - share)
        return cls(change.T @ change, share.T @ share)

    def errors(self, gradients: Floats) -> tuple[Floats, Floats]:
        """Return, (n,) each, standard errors and degrees of freedom of n functions by their gradients, (n, p).

        The shares of a cluster in the information about a function are those about the coefficients, weighted by how
        much each adds to the variance.
        """
        variance = np.einsum("np,pq,nq->n", gradients, self.variance, gradients)
        weight = gradients**2 * np.diag(self.variance)
        weight /= np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        together = np.einsum("np,pq,nq->n", weight, self.concentration, weight)
        freedom = 1 / np.maximum(together, np.finfo(np.float64).tiny) - 1
        return np.sqrt(np.maximum(variance, 0)), np.maximum(freedom, 1.0)

    def interval(self, gradients: Floats) -> Floats:
        """Return, (n,), half the width of the 95 % intervals of functions by their gradients."""
        error, freedom = self.errors(gradients)
        half: Floats = error * stdtrit(freedom, 1 - TAIL)
        return half


def inverse_information(hessian: Floats) -> Floats:
    """Return the inverse of minus a matrix of second derivatives, by way of one with a diagonal of 1."""
    information = -hessian
    size = np.sqrt(np.maximum(np.diag(information), np.finfo(np.float64).tiny))
    inverse: Floats = linalg.pinvh(information / np.outer(size, size), rtol=0.0) / np.outer(size, size)
    return inverse

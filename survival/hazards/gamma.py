"""Likelihood of waits whose clusters each share a gamma factor."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from diffusion.arrays import Floats, Ints
from survival.counting.counted import Clusters
from survival.hazards.model import Model
from survival.hazards.robust import AT_ONCE, by_day

SMALL: Final = 1e-4
"""Value up to which a difference of logarithms is taken from its series."""


@dataclass(frozen=True, slots=True)
class Histories:
    """What clusters did, as far as the likelihood is concerned; (c,) each.

    Attributes
    ----------
    entered
        Entries.
    hazard
        Hazard cumulated over all waits; within the interval of an entry, half of it.
    width
        Sum over entries of (hazard in the interval)² / 24.
    """

    entered: Ints
    hazard: Floats
    width: Floats

    def log_likelihood(self, theta: float) -> Floats:
        """Return, (c,), the log-likelihood of each cluster, without its sum of the log hazards in intervals."""
        number = np.arange(max(int(self.entered.max(initial=0)), 1))
        rising = np.append(0.0, np.cumsum(np.log1p(theta * number)))[self.entered]
        return rising - exponent(self.hazard, self.entered, theta) + self.width * self._square(theta)

    def slopes(self, theta: float) -> tuple[Floats, Floats, Floats]:
        """Return, (c,) each, the derivatives of the log-likelihood by theta, `hazard` and `width`."""
        entered, hazard = self.entered, self.hazard
        number = np.arange(max(int(entered.max(initial=0)), 1))
        rising = np.append(0.0, np.cumsum(number / (1 + theta * number)))[entered]
        square = self._square(theta)
        ratios = entered / (1 + theta * entered) + (entered + 1) / (1 + theta * (entered + 1))
        by_theta = rising + hazard**2 * _bend(theta * hazard) - entered * hazard / (1 + theta * hazard)
        by_theta += self.width * square * (ratios - 2 * hazard / (1 + theta * hazard))
        by_hazard = -self.factor(theta) - 2 * theta * self.width * square / (1 + theta * hazard)
        return by_theta, by_hazard, square

    def factor(self, theta: float) -> Floats:
        """Return, (c,), the expected factor of each cluster given what it did."""
        return (1 + theta * self.entered) / (1 + theta * self.hazard)

    def _square(self, theta: float) -> Floats:
        """Return the expected square of the factor."""
        return self.factor(theta) * (1 + theta * (self.entered + 1)) / (1 + theta * self.hazard)


def exponent(hazard: Floats, entered: Ints, theta: float) -> Floats:
    """Return (1 / θ + entered) · log(1 + θ · hazard); hazard at θ = 0."""
    if theta == 0:
        return hazard
    grown = np.log1p(theta * hazard)
    return grown / theta + grown * entered


def _bend(x: Floats) -> Floats:
    """Return (log(1 + x) − x / (1 + x)) / x²."""
    near = x < SMALL
    far = np.where(near, 1.0, x)
    series = 0.5 - 2 * x / 3 + 3 * x**2 / 4
    bend: Floats = np.where(near, series, (np.log1p(far) - far / (1 + far)) / far**2)
    return bend


@dataclass(frozen=True)
class GammaLikelihood:
    """Log-likelihood of a model with cloglog link, times a gamma factor with mean 1 and variance θ by cluster.

    Notes
    -----
    Given the factor u, a cluster has the likelihood exp(−u A₀) Π (1 − exp(−u Λ)), with the hazard A₀ cumulated while
    nothing happened, and the hazard Λ in each entry's interval. log(1 − exp(−x)) = log x − x/2 + x²/24 − x⁴/2880 + …,
    so that the likelihood is u^D exp(−u A) Π Λ · exp(u² Σ Λ²/24) for D entries and A = A₀ + Σ Λ/2. Over a gamma factor
    this is closed:

        Γ(D + 1/θ) / Γ(1/θ) · θ^D · (1 + θ A)^−(D + 1/θ) · Π Λ · exp(Σ Λ²/24 · E[u² | D, A]).

    What is left out is about (u Λ)⁴/2880 per entry: 3e-4 in the log-likelihood where u Λ is 1, nothing where an entry
    on one day is rare. The exact likelihood is a sum of 2^D terms of alternating sign.

    One evaluation sums over all waits, two values for each coefficient, because a cluster's likelihood is not a sum
    over its cells.
    """

    model: Model
    clusters: Clusters

    def histories(self, coefs: Floats) -> Histories:
        """Return what clusters did under the coefficients."""
        return self._sums_by_cluster(coefs)[0]

    def value(self, coefs: Floats, theta: float) -> tuple[float, Floats]:
        """Return the log-likelihood, and its gradient by the coefficients and the logarithm of theta, (p + 1,)."""
        likelihood = self.model.likelihood
        rate = likelihood.rate(coefs)
        interval = likelihood.exposure.in_intervals(rate.value)
        histories, hazard, width = self._sums_by_cluster(coefs)
        value = histories.log_likelihood(theta).sum() + likelihood.exposure.count @ np.log(interval)
        by_theta, by_hazard, by_width = histories.slopes(theta)
        per_day = likelihood.exposure.to_slots(likelihood.exposure.count / interval)
        gradient = likelihood.columns.totals(per_day * rate.slope) + by_hazard @ hazard + by_width @ width
        return float(value), np.append(gradient, theta * by_theta.sum())

    def scores(self, coefs: Floats, theta: float) -> Floats:
        """Return, (c, p + 1), the gradient of each cluster's log-likelihood."""
        histories, hazard, width = self._sums_by_cluster(coefs)
        by_theta, by_hazard, by_width = histories.slopes(theta)
        rate, moves = self._moves(coefs)
        exposure = self.model.likelihood.exposure
        entry = exposure.all_in_intervals(moves) / exposure.in_intervals(rate)[:, None]
        own = self._sums(np.zeros_like(moves), entry)
        own += by_hazard[:, None] * hazard + by_width[:, None] * width
        return np.column_stack([own, theta * by_theta])

    def _moves(self, coefs: Floats) -> tuple[Floats, Floats]:
        """Return the rate, (g, k), and its derivatives by the coefficients, (g, k, p)."""
        rate = self.model.likelihood.rate(coefs).value
        return rate, rate[..., None] * self.model.likelihood.columns.predictors(np.eye(len(coefs)))

    def _sums_by_cluster(self, coefs: Floats) -> tuple[Histories, Floats, Floats]:
        """Return what clusters did, and the derivatives of their `hazard` and `width`, (c, p) each; in one pass."""
        exposure = self.model.likelihood.exposure
        rate, moves = self._moves(coefs)
        interval, inside = exposure.in_intervals(rate)[:, None], exposure.all_in_intervals(moves)
        none = np.zeros((*rate.shape, 2))
        risk = np.concatenate([none, rate[..., None], moves, np.zeros_like(moves)], axis=2)
        event = [np.ones_like(interval), interval**2 / 24, -interval / 2, -inside / 2, interval * inside / 12]
        entered, width, hazard, *others = self._sums(risk, np.concatenate(event, axis=1)).T
        by_hazard, by_width = np.split(np.array(others).T, 2, axis=1)
        return Histories(np.rint(entered).astype(np.int64), hazard, width), by_hazard, by_width

    def _sums(self, risk: Floats, event: Floats) -> Floats:
        """Return, (c, p), sums over each cluster's waits of values by cell and period, and of values by entry."""
        baseline, horizon = self.model.layout.baseline, self.model.waits.horizon
        step = max(1, AT_ONCE // self.model.waits.opened.size)
        parts = [
            self.clusters.sums(by_day(risk[..., at : at + step], baseline, horizon), event[:, at : at + step])
            for at in range(0, event.shape[1], step)
        ]
        return np.concatenate(parts, axis=1)

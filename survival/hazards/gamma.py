"""Likelihood of waits whose clusters each share a gamma factor."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from diffusion.arrays import Floats, Ints
from survival.counting.counted import Clusters
from survival.hazards.likelihood import Rate
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

    One evaluation sums once over all waits for each coefficient, because a cluster's likelihood is not a sum over its
    cells.
    """

    model: Model
    clusters: Clusters

    def histories(self, coefs: Floats) -> Histories:
        """Return what clusters did under the coefficients."""
        rate = self.model.likelihood.rate(coefs).value
        interval = self.model.likelihood.exposure.in_intervals(rate)
        zero = np.zeros_like(rate)
        sums = self._sums([rate, zero, zero], [-interval / 2, np.ones(len(interval)), interval**2 / 24])
        return Histories(np.rint(sums[:, 1]).astype(np.int64), sums[:, 0], sums[:, 2])

    def value(self, coefs: Floats, theta: float) -> tuple[float, Floats]:
        """Return the log-likelihood, and its gradient by the coefficients and the logarithm of theta, (p + 1,)."""
        histories = self.histories(coefs)
        by_theta, by_hazard, by_width = histories.slopes(theta)
        exposure = self.model.likelihood.exposure
        rate = self.model.likelihood.rate(coefs)
        interval = exposure.in_intervals(rate.value)
        value = histories.log_likelihood(theta).sum() + exposure.count @ np.log(interval)
        gradient = self.model.likelihood.columns.totals(exposure.to_slots(exposure.count / interval) * rate.slope)
        hazard, width = self._moves(rate, interval)
        gradient += by_hazard @ hazard + by_width @ width
        return float(value), np.append(gradient, theta * by_theta.sum())

    def scores(self, coefs: Floats, theta: float) -> Floats:
        """Return, (c, p + 1), the gradient of each cluster's log-likelihood."""
        by_theta, by_hazard, by_width = self.histories(coefs).slopes(theta)
        exposure = self.model.likelihood.exposure
        rate = self.model.likelihood.rate(coefs)
        interval = exposure.in_intervals(rate.value)
        hazard, width = self._moves(rate, interval)
        entries = [exposure.in_intervals(move) / interval for move in self._columns(rate)]
        own = self._sums([np.zeros_like(rate.value)] * len(entries), entries)
        return np.column_stack([by_hazard[:, None] * hazard + own + by_width[:, None] * width, theta * by_theta])

    def _moves(self, rate: Rate, interval: Floats) -> tuple[Floats, Floats]:
        """Return, (c, p) each, the derivatives of `Histories.hazard` and `Histories.width` by the coefficients."""
        moves = self._columns(rate)
        inside = [self.model.likelihood.exposure.in_intervals(move) for move in moves]
        hazard = self._sums(moves, [-move / 2 for move in inside])
        return hazard, self._sums([np.zeros_like(rate.value)] * len(inside), [interval * move / 12 for move in inside])

    def _columns(self, rate: Rate) -> list[Floats]:
        """Return, p times (g, k), the derivative of the rate by each coefficient."""
        unit = np.eye(len(self.model.layout.names))
        return [rate.slope * self.model.likelihood.columns.predictor(row) for row in unit]

    def _sums(self, risk: list[Floats], event: list[Floats]) -> Floats:
        """Return, (c, p), sums over each cluster's waits of values by cell and period, and of values by entry."""
        baseline, horizon = self.model.layout.baseline, self.model.waits.horizon
        step = max(1, AT_ONCE // self.model.waits.opened.size)
        parts = []
        for at in range(0, len(risk), step):
            days = np.stack([by_day(value, baseline, horizon) for value in risk[at : at + step]], axis=-1)
            parts.append(self.clusters.sums(days, np.column_stack(event[at : at + step])))
        return np.concatenate(parts, axis=1)

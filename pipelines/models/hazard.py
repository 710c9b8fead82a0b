"""The discrete-time hazard of entry: one logistic regression of entry in each period, given none before."""

from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats
from pipelines.models.draws import thinned
from pipelines.models.examples import Examples, Forecast

ROWS: Final = 200_000
"""Rows that it is fitted on, more or less."""

PERIODS: Final = 8
"""Periods that the horizon is divided into at most."""

RIDGE: Final = 10.0
"""Penalty on half the sum of the squared coefficients of standardised features."""


class Hazard:
    """Discrete-time hazard with an intercept per period and proportional odds in the features.

    Missing values are replaced by medians, and values beyond those fitted on by the nearest. It is fitted on a sample
    that prefers observations with an entry, with weights that make up for it.

    Parameters
    ----------
    cadence
        Days from one chart to the next; periods are whole multiples of it.
    seed
        Seed of the sample.
    """

    def __init__(self, cadence: int, seed: int = 0) -> None:
        self.cadence = cadence
        self.seed = seed

    def fit(self, examples: Examples) -> Self:
        """Return this model, fitted by penalised maximum likelihood."""
        from scipy.optimize import minimize

        charts = max(examples.horizon // self.cadence, 1)
        step = self.cadence * -(-charts // PERIODS)
        self.ends = np.minimum(step * np.arange(1, -(-examples.horizon // step) + 1), examples.horizon)
        rows, weights = thinned(examples, ROWS, self.seed)
        values = examples.values[rows].astype(np.float64)
        self.medians = np.array([np.median(v[np.isfinite(v)]) if np.isfinite(v).any() else 0.0 for v in values.T])
        values = np.where(np.isfinite(values), values, self.medians)
        self.low, self.high = values.min(axis=0), values.max(axis=0)
        self.means, self.scales = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)
        scaled = self._standardised(values)
        period = np.where(examples.entered[rows], np.searchsorted(self.ends, examples.days[rows]), len(self.ends))
        periods, features = len(self.ends), scaled.shape[1]
        at_risk = weights[:, None] * (np.arange(periods) <= period[:, None])
        now = weights[:, None] * (np.arange(periods) == period[:, None])
        start = np.log((now.sum(axis=0) + 0.5) / (at_risk.sum(axis=0) + 1))

        def loss(beta: Floats) -> tuple[float, Floats]:
            score = scaled @ beta[periods:]
            z = score[:, None] + beta[:periods]
            hazard = 1 / (1 + np.exp(-z))
            rest = at_risk * hazard - now
            total = (at_risk * np.logaddexp(0, z) - now * z).sum() + RIDGE / 2 * (beta[periods:] ** 2).sum()
            slopes = scaled.T @ rest.sum(axis=1) + RIDGE * beta[periods:]
            return float(total), np.concatenate([rest.sum(axis=0), slopes])

        begin = np.concatenate([start, np.zeros(features)])
        self.beta: Floats = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the probability of entry by the end of each period, and the median day given entry."""
        periods = len(self.ends)
        values = np.where(np.isfinite(examples.values), examples.values, self.medians.astype(np.float32))
        score = self._standardised(values) @ self.beta[periods:]
        stay = np.cumsum(-np.logaddexp(0, score[:, None] + self.beta[:periods]), axis=1)
        by = -np.expm1(stay)
        half = np.argmax(by >= by[:, -1:] / 2, axis=1)
        return Forecast(by[:, -1], self.ends[half].astype(np.float64), by, tuple(int(day) for day in self.ends))

    def _standardised(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        inside = values.clip(self.low.astype(values.dtype), self.high.astype(values.dtype))
        centred: NDArray[np.floating] = (inside - self.means.astype(values.dtype)) / self.scales.astype(values.dtype)
        return centred

"""Linear regression by batch gradient descent, written out: the way to the closed form, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from diffusion import SettingError
from diffusion.arrays import Floats

RATES: Final = (0.001, 0.01, 0.05, 0.1)
"""Learning rates whose curves are compared."""

_DIVERGED: Final = 1e12
"""Multiple of the first loss at which steps end, because the learning rate is too large."""


class GradientDescent(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Linear regression, with a ridge penalty if wanted, fitted by batch gradient descent from zero.

    Every step looks at all rows and goes against the gradient of the loss

        mean((y − X w − b)²) + ridge / n · |w|²,

    so that ``ridge`` is the ``alpha`` of scikit-learn's `Ridge`. Columns should be standardised before: the number of
    steps grows with the ratio of the largest to the smallest curvature of the loss.

    Parameters
    ----------
    rate
        Learning rate: the share of the gradient that a step goes. Steps converge below `rate_limit`, and diverge above
        it. None is half of the limit, which never overshoots (default).
    iterations
        Number of steps at most (default 2,000).
    tolerance
        Steps end when the largest part of the gradient is below this (default 1e-10); 0 goes all steps.
    ridge
        Weight of the penalty (default 0). The intercept is not penalised.

    Attributes
    ----------
    coef_
        (f,): w.
    intercept_
        b.
    losses_
        Loss before the first step and after each.
    n_iter_
        Number of steps.

    Examples
    --------
    >>> model = GradientDescent(tolerance=1e-12).fit([[-1.0], [0.0], [1.0]], [1.0, 3.0, 5.0])
    >>> round(float(model.coef_[0]), 6), round(float(model.intercept_), 6)
    (2.0, 3.0)
    """

    coef_: Floats
    intercept_: float
    losses_: Floats
    n_iter_: int
    n_features_in_: int

    def __init__(
        self, *, rate: float | None = None, iterations: int = 2_000, tolerance: float = 1e-10, ridge: float = 0.0
    ) -> None:
        self.rate = rate
        self.iterations = iterations
        self.tolerance = tolerance
        self.ridge = ridge

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Return this model, fitted.

        Raises
        ------
        SettingError
            When a parameter is out of range, or the learning rate is too large to converge.
        """
        rows, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        _refuse(self.rate, self.iterations, self.ridge)
        sums = _Sums.of(rows, target, self.ridge)
        rate = sums.rate_limit() / 2 if self.rate is None else self.rate
        weights, losses = sums.descend(rate, self.iterations, self.tolerance)
        if not np.isfinite(losses[-1]) or losses[-1] > losses[0]:
            raise SettingError(
                f"the learning rate {rate:g} diverges; on these columns it must be below {sums.rate_limit():.3g}"
            )
        self.intercept_, self.coef_ = float(weights[0]), weights[1:]
        self.losses_, self.n_iter_ = losses, len(losses) - 1
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return, (n,), the predictions."""
        check_is_fitted(self)
        rows: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        return rows @ self.coef_ + self.intercept_


def rate_limit(rows: Floats, *, ridge: float = 0.0) -> float:
    """Return the learning rate from which gradient descent diverges: 2 / the largest curvature of the loss."""
    return _Sums.of(rows, np.zeros(len(rows)), ridge).rate_limit()


def closed_form(X: ArrayLike, y: ArrayLike, *, ridge: float = 0.0) -> Floats:
    """Return, (f + 1,), intercept and coefficients at the minimum of the loss: least squares, solved at once.

    The penalty enters as a row for each column, with the square root of `ridge` in that column and the target 0.
    """
    rows = np.asarray(X, np.float64)
    penalty = np.sqrt(ridge) * np.eye(rows.shape[1] + 1)[1:]
    design = np.vstack([np.column_stack([np.ones(len(rows)), rows]), penalty])
    solution: Floats = np.linalg.lstsq(design, np.append(y, np.zeros(len(penalty))), rcond=None)[0]
    return solution


def learning_curves(
    X: ArrayLike, y: ArrayLike, rates: Sequence[float] = RATES, *, iterations: int = 300, ridge: float = 0.0
) -> pd.DataFrame:
    """Return the loss after every step, for each learning rate.

    Returns
    -------
    DataFrame
        One row per rate and step: `rate`, `iteration` (from 0, before the first step), `loss`, and `excess`, the loss
        beyond that of the closed form. The rows of a rate end where its loss is a thousand times that of the first.
    """
    rows, target = np.asarray(X, np.float64), np.asarray(y, np.float64)
    for rate in rates:
        _refuse(rate, iterations, ridge)
    sums = _Sums.of(rows, target, ridge)
    least = sums.loss(closed_form(rows, target, ridge=ridge))
    parts = []
    for rate in rates:
        _, losses = sums.descend(rate, iterations, 0.0)
        losses = losses[: np.argmax([*(losses > 1_000 * losses[0]), True]) + 1]
        parts.append({"rate": rate, "iteration": np.arange(len(losses)), "loss": losses, "excess": losses - least})
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)


@dataclass(frozen=True, slots=True)
class _Sums:
    """The loss as a function of the weights: what it needs of all rows, summed up once.

    With the design X, the column of ones first, the loss is ``w'Aw − 2 b'w + c`` and its gradient ``2 (Aw − b)``, where
    A = (X'X + penalty) / n, b = X'y / n and c = y'y / n.
    """

    curvature: Floats
    slope: Floats
    level: float

    @classmethod
    def of(cls, rows: Floats, target: Floats, ridge: float) -> Self:
        """Return the sums over all rows; the penalty of the intercept is 0."""
        design = np.column_stack([np.ones(len(rows)), rows])
        penalty = np.diag(np.append(0.0, np.full(rows.shape[1], ridge)))
        n = len(rows)
        return cls((design.T @ design + penalty) / n, design.T @ target / n, float(target @ target) / n)

    def rate_limit(self) -> float:
        """Return 2 / the largest curvature."""
        return float(1 / np.linalg.eigvalsh(self.curvature)[-1])

    def loss(self, weights: Floats) -> float:
        """Return the loss."""
        return float(weights @ self.curvature @ weights - 2 * self.slope @ weights + self.level)

    def descend(self, rate: float, iterations: int, tolerance: float) -> tuple[Floats, Floats]:
        """Return the weights after the last step, and the loss before the first step and after each."""
        weights = np.zeros(len(self.slope))
        losses = [self.loss(weights)]
        for _ in range(iterations):
            gradient = 2 * (self.curvature @ weights - self.slope)
            if np.abs(gradient).max() < tolerance:
                break
            weights = weights - rate * gradient
            losses.append(self.loss(weights))
            if losses[-1] > _DIVERGED * (1 + losses[0]):
                break
        return weights, np.array(losses)


def _refuse(rate: Any, iterations: int, ridge: float) -> None:
    if rate is not None and not rate > 0:
        raise SettingError(f"learning rate: {rate}; give a number above 0")
    if iterations < 1 or ridge < 0:
        raise SettingError(
            f"iterations: {iterations}, ridge: {ridge}; give 1 or more iterations, and a ridge of 0 or more"
        )

"""Linear regression by batch gradient descent, written out: the way to the closed form, step by step."""

from collections.abc import Sequence
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
        rate = rate_limit(rows, ridge=self.ridge) / 2 if self.rate is None else self.rate
        weights, losses = _descend(rows, target, rate, self.iterations, self.tolerance, self.ridge)
        if not np.isfinite(losses[-1]) or losses[-1] > losses[0]:
            limit = rate_limit(rows, ridge=self.ridge)
            raise SettingError(f"the learning rate {rate:g} diverges; on these columns it must be below {limit:.3g}")
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
    design = np.column_stack([np.ones(len(rows)), rows])
    curvature = 2 / len(rows) * (design.T @ design + np.diag(_penalties(rows.shape[1], ridge)))
    return float(2 / np.linalg.eigvalsh(curvature)[-1])


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
    design = np.column_stack([np.ones(len(rows)), rows])
    least = _loss(design, target, closed_form(rows, target, ridge=ridge), ridge)
    parts = []
    for rate in rates:
        _, losses = _descend(rows, target, rate, iterations, 0.0, ridge)
        losses = losses[: np.argmax([*(losses > 1_000 * losses[0]), True]) + 1]
        parts.append({"rate": rate, "iteration": np.arange(len(losses)), "loss": losses, "excess": losses - least})
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)


def _descend(
    rows: Floats, target: Floats, rate: float, iterations: int, tolerance: float, ridge: float
) -> tuple[Floats, Floats]:
    """Return intercept and coefficients after the last step, and the loss before the first step and after each."""
    design = np.column_stack([np.ones(len(rows)), rows])
    penalty = _penalties(rows.shape[1], ridge)
    weights = np.zeros(design.shape[1])
    losses = [_loss(design, target, weights, ridge)]
    for _ in range(iterations):
        gradient = 2 / len(design) * (design.T @ (design @ weights - target) + penalty * weights)
        if np.abs(gradient).max() < tolerance:
            break
        weights = weights - rate * gradient
        losses.append(_loss(design, target, weights, ridge))
        if losses[-1] > _DIVERGED * (1 + losses[0]):
            break
    return weights, np.array(losses)


def _loss(design: Floats, target: Floats, weights: Floats, ridge: float) -> float:
    residual = target - design @ weights
    return float((residual @ residual + ridge * weights[1:] @ weights[1:]) / len(design))


def _penalties(columns: int, ridge: float) -> Floats:
    """Return the weight of the penalty of the intercept, which is 0, and of every column."""
    return np.append(0.0, np.full(columns, ridge))


def _refuse(rate: Any, iterations: int, ridge: float) -> None:
    if rate is not None and not rate > 0:
        raise SettingError(f"learning rate: {rate}; give a number above 0")
    if iterations < 1 or ridge < 0:
        raise SettingError(
            f"iterations: {iterations}, ridge: {ridge}; give 1 or more iterations, and a ridge of 0 or more"
        )

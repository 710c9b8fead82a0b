"""Linear, ridge, lasso and elastic net as scikit-learn Pipelines, and the paths of their coefficients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge, enet_path
from sklearn.pipeline import Pipeline

from diffusion.arrays import Floats
from pipelines.models.gradient_descent import GradientDescent
from pipelines.models.preparation import Columns, preparation

Kind = Literal["linear", "ridge", "lasso", "elastic net", "gradient descent"]
"""Kinds of linear models."""

_STEPS: Final = 20_000
"""Passes of coordinate descent at most."""


@dataclass(frozen=True, slots=True)
class Linear:
    """One linear model.

    Attributes
    ----------
    kind
        Kind of model.
    alpha
        Weight of the penalty; None for a model without one.
    l1_ratio
        Share of the absolute penalty of an elastic net; None for other models.
    """

    kind: Kind
    alpha: float | None = None
    l1_ratio: float | None = None

    def estimator(self) -> Any:
        """Return the scikit-learn estimator, for columns that are prepared."""
        if self.kind == "ridge":
            return Ridge(alpha=self.alpha)
        if self.kind == "lasso":
            return Lasso(alpha=self.alpha, max_iter=_STEPS, precompute=True)
        if self.kind == "elastic net":
            return ElasticNet(alpha=self.alpha, l1_ratio=self.l1_ratio, max_iter=_STEPS, precompute=True)
        return LinearRegression() if self.kind == "linear" else GradientDescent()

    def pipeline(self, columns: Columns) -> Pipeline:
        """Return preparation and model as one Pipeline, for the columns of a frame."""
        return Pipeline([("prepare", preparation(columns)), ("model", self.estimator())])


RIDGE_ALPHAS: Final = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
LASSO_ALPHAS: Final = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
ELASTIC_NET_ALPHAS: Final = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
L1_RATIOS: Final = (0.2, 0.5, 0.8)

GRID: Final = (
    Linear("linear"),
    Linear("gradient descent"),
    *(Linear("ridge", alpha) for alpha in RIDGE_ALPHAS),
    *(Linear("lasso", alpha) for alpha in LASSO_ALPHAS),
    *(Linear("elastic net", alpha, ratio) for alpha in ELASTIC_NET_ALPHAS for ratio in L1_RATIOS),
)
"""Models of the seed baseline: the prior study's kinds and alphas, and gradient descent."""


def coefficient_paths(
    prepared: Floats,
    target: Floats,
    terms: Sequence[str],
    *,
    ridge: Sequence[float] = tuple(np.logspace(6, -2, 33)),
    lasso: Sequence[float] = tuple(np.logspace(1, -4, 26)),
    l1_ratio: float = 0.5,
) -> pd.DataFrame:
    """Return the coefficients of ridge, lasso and elastic net from the largest alpha to the smallest.

    Parameters
    ----------
    prepared
        (n, f): prepared columns.
    target
        (n,): what is predicted.
    terms
        Names of the f columns.
    ridge, lasso
        Alphas, falling; those of the lasso are also those of the elastic net.
    l1_ratio
        Share of the absolute penalty of the elastic net (default .5).

    Returns
    -------
    DataFrame
        One row per model, alpha and term: `model`, `alpha`, `term`, `coefficient`.
    """
    centred, deviation = prepared - prepared.mean(axis=0), target - target.mean()
    parts = [_path("ridge", ridge, _ridge_path(centred, deviation, ridge), terms)]
    for model, ratio in (("lasso", 1.0), ("elastic net", l1_ratio)):
        found = enet_path(centred, deviation, l1_ratio=ratio, alphas=lasso, max_iter=_STEPS, precompute=True)
        parts.append(_path(model, lasso, found[1], terms))
    return pd.concat(parts, ignore_index=True)


def _ridge_path(centred: Floats, deviation: Floats, alphas: Sequence[float]) -> Floats:
    """Return, (f, a), the coefficients of ridge for each alpha, from one decomposition."""
    sizes, vectors = np.linalg.eigh(centred.T @ centred)
    turned = vectors.T @ (centred.T @ deviation)
    shrunk: Floats = turned[:, None] / (np.maximum(sizes, 0)[:, None] + np.asarray(alphas))
    return vectors @ shrunk


def _path(model: str, alphas: Sequence[float], coefficients: Floats, terms: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": model,
            "alpha": np.repeat(np.asarray(alphas, np.float64), len(terms)),
            "term": list(terms) * len(alphas),
            "coefficient": coefficients.T.ravel(),
        }
    )

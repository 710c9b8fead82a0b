"""Linear, ridge, lasso and elastic net as scikit-learn Pipelines, and the paths of their coefficients."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge, enet_path
from sklearn.pipeline import Pipeline

from diffusion.arrays import Floats
from pipelines.models.gradient_descent import GradientDescent
from pipelines.models.preparation import Columns, preparation

Kind = Literal["linear", "ridge", "lasso", "elastic net", "gradient descent"]
"""Kinds of linear models."""

_PASSES: Final = 2_000
"""Passes of coordinate descent at most."""

_LEAST: Final = 1e-10
"""Least share of the largest eigenvalue of the sums of products from which a direction counts as one of the columns."""


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
            return Lasso(alpha=self.alpha, max_iter=_PASSES, precompute=True)
        if self.kind == "elastic net":
            return ElasticNet(alpha=self.alpha, l1_ratio=self.l1_ratio, max_iter=_PASSES, precompute=True)
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


def fitted_grid(prepared: Floats, target: Floats, models: Sequence[Linear] = GRID) -> tuple[Floats, Floats]:
    """Return, (k,) and (k, f), intercept and coefficients of k models of the same prepared columns.

    They are those of `Linear.estimator`, fitted together: the sums over the rows are made once, ridge has one
    decomposition, and lasso and elastic net go along their path from the largest alpha to the smallest.
    """
    middle, level = prepared.mean(axis=0), target.mean()
    centred = prepared - middle
    gram, slope = centred.T @ centred, centred.T @ (target - level)
    coefficients = np.zeros((len(models), prepared.shape[1]))
    for kind in {model.kind for model in models}:
        at = [place for place, model in enumerate(models) if model.kind == kind]
        if kind == "gradient descent":
            coefficients[at] = GradientDescent().fit(prepared, target).coef_
        elif kind in ("linear", "ridge"):
            coefficients[at] = _shrunk(gram, slope, [models[place].alpha or 0.0 for place in at]).T
        else:
            for ratio in {models[place].l1_ratio for place in at}:
                places = [place for place in at if models[place].l1_ratio == ratio]
                places.sort(key=lambda place: -(models[place].alpha or 0.0))
                alphas = [models[place].alpha or 0.0 for place in places]
                coefficients[places] = _path(centred, target - level, gram, slope, alphas, ratio).T
    return level - coefficients @ middle, coefficients


def _shrunk(gram: Floats, slope: Floats, alphas: Sequence[float]) -> Floats:
    """Return, (f, a), the coefficients of ridge for each alpha; with 0, the least squares of least length."""
    sizes, vectors = np.linalg.eigh(gram)
    told = sizes > _LEAST * sizes[-1]
    turned = vectors[:, told].T @ slope
    shrunk: Floats = vectors[:, told] @ (turned[:, None] / (sizes[told, None] + np.asarray(alphas)))
    return shrunk


def _path(
    centred: Floats, deviation: Floats, gram: Floats, slope: Floats, alphas: Sequence[float], l1_ratio: float | None
) -> Floats:
    """Return, (f, a), the coefficients of lasso or elastic net for each alpha, falling."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ends after `_PASSES` where columns nearly repeat others
        found = enet_path(
            centred, deviation, l1_ratio=1.0 if l1_ratio is None else l1_ratio, alphas=np.asarray(alphas),
            precompute=gram, Xy=slope, max_iter=_PASSES,
        )  # fmt: skip
    coefficients: Floats = found[1]
    return coefficients


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
    models = [Linear("ridge", alpha) for alpha in ridge]
    models += [Linear("lasso", alpha) for alpha in lasso]
    models += [Linear("elastic net", alpha, l1_ratio) for alpha in lasso]
    _, coefficients = fitted_grid(prepared, target, models)
    return pd.DataFrame(
        {
            "model": np.repeat([model.kind for model in models], len(terms)),
            "alpha": np.repeat([float(model.alpha or 0) for model in models], len(terms)),
            "term": list(terms) * len(models),
            "coefficient": coefficients.ravel(),
        }
    )

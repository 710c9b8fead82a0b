"""Logistic regression of entries, with an absolute or a squared penalty."""

from typing import Final, Literal, Self

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from diffusion.arrays import Floats
from pipelines.models.draws import short_seed
from pipelines.models.examples import Examples, Forecast
from pipelines.models.preparation import Columns, preparation
from pipelines.models.summaries import summary

Penalty = Literal["l1", "l2"]
"""``l1``: absolute, which leaves columns out; ``l2``: squared."""

_STEPS: Final = 1_000
"""Steps of the solver at most."""


class Logistic:
    """Logistic regression on all features of the candidates, as a scikit-learn Pipeline; the base rate is kept.

    Parameters
    ----------
    penalty
        ``l2`` (default) or ``l1``.
    strength
        Inverse weight of the penalty, C in scikit-learn (default 1).
    seed
        Seed of the order in which the solver of ``l1`` takes the rows.

    Attributes
    ----------
    pipeline
        Preparation and model, once fitted.
    """

    pipeline: Pipeline

    def __init__(self, penalty: Penalty = "l2", strength: float = 1.0, seed: int = 0) -> None:
        self.penalty = penalty
        self.strength = strength
        self.seed = seed

    def fit(self, examples: Examples) -> Self:
        """Return this model, fitted."""
        frame = _frame(examples)
        columns = Columns.of(frame)
        absolute = self.penalty == "l1"
        model = LogisticRegression(
            C=self.strength, l1_ratio=float(absolute), solver="saga" if absolute else "lbfgs", max_iter=_STEPS,
            random_state=short_seed(self.seed),
        )  # fmt: skip
        self.pipeline = Pipeline([("prepare", preparation(columns)), ("model", model)]).fit(frame, examples.entered)
        self.usual_days = float(np.nanmedian(examples.days)) if examples.entered.any() else np.nan
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the probability of entry; the expected days are the median of the entries that it was fitted on."""
        p: Floats = self.pipeline.predict_proba(_frame(examples))[:, 1]
        return Forecast(p, np.full(len(examples), self.usual_days))

    def coefficients(self) -> "pd.Series[float]":
        """Return term → coefficient of the prepared columns."""
        terms = self.pipeline["prepare"].get_feature_names_out()
        return pd.Series(self.pipeline["model"].coef_[0], terms, name="coefficient")


def entry_summary(examples: Examples) -> pd.DataFrame:
    """Return coefficients with p-values of a logistic regression without penalty, clustered by primary artist.

    Columns are those of `pipelines.models.summaries.summary`.
    """
    frame = _frame(examples)
    prepare = preparation(Columns.of(frame))
    matrix = np.asarray(prepare.fit_transform(frame), np.float64)
    terms = [str(term) for term in prepare.get_feature_names_out()]
    return summary(matrix, examples.entered.astype(np.float64), terms, examples.artist, response="flag")


def _frame(examples: Examples) -> pd.DataFrame:
    return pd.DataFrame(examples.values, columns=examples.names)

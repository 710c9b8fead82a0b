"""Classifiers of scikit-learn on all features: logistic regression and a random forest."""

from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from pipelines.models.baselines import usual_days
from pipelines.models.draws import short_seed, thinned
from pipelines.models.examples import Examples, Forecast

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

LOGISTIC_ROWS: Final = 400_000
"""Rows that the logistic regression is fitted on, more or less."""

FOREST_ROWS: Final = 150_000
"""Rows that the forest is fitted on, more or less."""

BLOCK: Final = 200_000
"""Rows predicted together."""


class Classifier:
    """A classifier of scikit-learn; missing values are replaced by medians, beside columns that say where.

    It is fitted on all observations with an entry and on a sample of the others, with weights that make up for it.

    Parameters
    ----------
    estimator
        Classifier that takes weights.
    rows
        Rows that it is fitted on, more or less.
    scaled
        Whether the features are standardised first, after values beyond those fitted on were moved to the nearest.
    seed
        Seed of the sample.
    """

    def __init__(self, estimator: Any, *, rows: int, scaled: bool, seed: int = 0) -> None:
        self.estimator = estimator
        self.rows = rows
        self.scaled = scaled
        self.seed = seed

    def fit(self, examples: Examples) -> Self:
        """Return this model, fitted."""
        rows, weights = thinned(examples, self.rows, self.seed)
        self.pipeline = self._pipeline()
        name = self.pipeline.steps[-1][0]
        self.pipeline.fit(examples.values[rows], examples.entered[rows], **{f"{name}__sample_weight": weights})
        self.days = usual_days(examples)
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the probabilities of entry."""
        blocks = range(0, len(examples), BLOCK)
        p = [self.pipeline.predict_proba(examples.values[at : at + BLOCK])[:, 1] for at in blocks]
        return Forecast(np.concatenate([np.zeros(0), *p]), np.full(len(examples), self.days))

    def _pipeline(self) -> "Pipeline":
        from sklearn.base import clone
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import MinMaxScaler, StandardScaler

        filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        scaled = [MinMaxScaler(clip=True), StandardScaler()] if self.scaled else []
        return make_pipeline(filled, *scaled, clone(self.estimator))


def logistic(seed: int = 0) -> Classifier:
    """Return a logistic regression with a ridge penalty on standardised features."""
    from sklearn.linear_model import LogisticRegression

    return Classifier(LogisticRegression(C=0.1, max_iter=300, tol=1e-3), rows=LOGISTIC_ROWS, scaled=True, seed=seed)


def forest(seed: int = 0) -> Classifier:
    """Return a random forest."""
    from sklearn.ensemble import RandomForestClassifier

    trees = RandomForestClassifier(
        100, min_samples_leaf=20, max_features="sqrt", n_jobs=1, random_state=short_seed(seed)
    )
    return Classifier(trees, rows=FOREST_ROWS, scaled=False, seed=seed)

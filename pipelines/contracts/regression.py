"""Contracts of the regression of chart rows: the seed baseline, what features add, coefficients and learning curves."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

_FEATURES: Final = Column(
    "features",
    _TEXT,
    "columns of the model: seed (audio, chart, explicit, continent), audio (its numbers alone), market, last chart "
    "(the market's, and market), ours (all features, and market), without last chart (ours but for the row's market)",
)
_ROWS: Final = Column(
    "rows", _TEXT, "rows of the chart: drawn (at random), or followed (of tracks drawn at random, with a chart before)"
)
_SPLIT: Final = Column(
    "split", _TEXT, "rows tested: random (a quarter of them), artists (of a quarter of the artists), later (later days)"
)
_MODEL: Final = Column("model", _TEXT, "linear, gradient descent, ridge, lasso or elastic net")
_ALPHA: Final = Column("alpha", _NUMBER, "weight of the penalty, a number of its own; null without one", nullable=True)
_INTERVAL: Final = "95 %, clustered by artist; null with fewer than two artists"

SEED_BASELINE: Final = Contract(
    "seed_baseline",
    "one model on one set of columns, rows and split",
    (
        _ROWS,
        _SPLIT,
        _FEATURES,
        _MODEL,
        _ALPHA,
        Column("l1_ratio", _NUMBER, "0 … 1: share of the absolute penalty; null for other models", nullable=True),
        Column("train_rows", _COUNT, "number of rows trained on"),
        Column("test_rows", _COUNT, "number of rows tested"),
        Column("train_r2", _NUMBER, "R², share of the variance of the training rows"),
        Column("train_rmse", _NUMBER, "root mean squared error of the training rows, log streams or position"),
        Column("r2", _NUMBER, "R², share of the variance of the test rows"),
        Column("r2_low", _NUMBER, f"share: lower bound of r2, {_INTERVAL}", nullable=True),
        Column("r2_high", _NUMBER, f"share: upper bound of r2, {_INTERVAL}", nullable=True),
        Column("rmse", _NUMBER, "root mean squared error of the test rows, log streams or position"),
        Column("cv_r2", _NUMBER, "share: mean R² of five folds of the training rows, of the kind of the split"),
        Column("cv_r2_sd", _NUMBER, "share: standard deviation of R² over the folds"),
        Column("chosen", _FLAG, "the best cv_r2 of its model on the columns, rows and split"),
    ),
    ("rows", "split", "features", "model", "alpha", "l1_ratio"),
)

FEATURE_GAINS: Final = Contract(
    "feature_gains",
    "two sets of columns on the same rows and split, each with its best model by cv_r2",
    (
        _ROWS,
        _SPLIT,
        _FEATURES,
        Column("reference", _TEXT, "columns that they are compared with, named as features"),
        Column("r2_gain", _NUMBER, "share: R² on the test rows less that of the reference"),
        Column("low", _NUMBER, f"share: lower bound of r2_gain, {_INTERVAL}", nullable=True),
        Column("high", _NUMBER, f"share: upper bound of r2_gain, {_INTERVAL}", nullable=True),
        Column("artists", _COUNT, "number of artists, as clusters, in the test rows of all tracks"),
    ),
    ("rows", "split", "features", "reference"),
)

_TERM: Final = Column("term", _TEXT, "prepared column: standardised number, indicator of missing values, or category")

REGRESSION_COEFFICIENTS: Final = Contract(
    "regression_coefficients",
    "one coefficient of a linear model without penalty on the training rows",
    (
        _ROWS,
        _SPLIT,
        _FEATURES,
        _TERM,
        Column("coefficient", _NUMBER, "change of the target per unit: a standard deviation, or 1 of a category"),
        Column("standard_error", _NUMBER, "standard error of the coefficient per unit, clustered by artist"),
        Column("statistic", _NUMBER, "ratio of coefficient and standard error"),
        Column("p", _NUMBER, "probability of such a coefficient or a larger one if it is 0"),
        Column("low", _NUMBER, "lower bound of the coefficient per unit, 95 % by artist"),
        Column("high", _NUMBER, "upper bound of the coefficient per unit, 95 % by artist"),
        Column("clusters", _COUNT, "number of artists, as clusters, in the training rows"),
    ),
    ("rows", "split", "features", "term"),
)

COEFFICIENT_PATHS: Final = Contract(
    "coefficient_paths",
    "one coefficient of a model with a penalty, at one weight of the penalty",
    (
        _ROWS,
        _SPLIT,
        _FEATURES,
        Column("model", _TEXT, "ridge, lasso or elastic net"),
        Column("alpha", _NUMBER, "weight of the penalty, a number of its own"),
        _TERM,
        Column("coefficient", _NUMBER, "change of the target per unit: a standard deviation, or 1 of a category"),
    ),
    ("rows", "split", "features", "model", "alpha", "term"),
)

LEARNING_RATES: Final = Contract(
    "learning_rates",
    "one step of gradient descent at one learning rate",
    (
        Column("rate", _NUMBER, "learning rate: share of the gradient that a step goes"),
        Column("iteration", _COUNT, "number of steps done"),
        Column("loss", _NUMBER, "mean squared error of the training rows, squared unit of the target"),
        Column("excess", _NUMBER, "loss beyond that of the closed form, squared unit of the target"),
    ),
    ("rate", "iteration"),
)

REGRESSION: Final = (SEED_BASELINE, FEATURE_GAINS, REGRESSION_COEFFICIENTS, COEFFICIENT_PATHS, LEARNING_RATES)
"""All of them, each a Parquet file of its name."""

AS_CSV: Final = (SEED_BASELINE, FEATURE_GAINS)
"""Those that are written as CSV as well."""

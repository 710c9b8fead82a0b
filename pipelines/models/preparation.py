"""How columns are prepared for linear models: missing values filled, numbers standardised, categories one-hot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from diffusion.arrays import Flags, Floats

_LEAST: Final = 1e-7
"""Least size of what earlier columns leave of a column of length 1 that is independent of them."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a frame that a linear model is fitted on.

    Attributes
    ----------
    numbers
        Names of columns with numbers.
    categories
        Name of a column with categories → its categories. They are given, not learned, so that a category which only
        later rows have is no surprise; the first is the reference.
    """

    numbers: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """All names, numbers first."""
        return [*self.numbers, *self.categories]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Columns":
        """Return the columns of a frame that say something: a column with one value throughout is left out."""
        told = [str(name) for name in frame if len(frame[name].unique()) > 1]
        numbers = tuple(name for name in told if pd.api.types.is_numeric_dtype(frame[name]))
        return cls(numbers, {name: tuple(sorted(frame[name].unique())) for name in told if name not in numbers})


def preparation(columns: Columns) -> ColumnTransformer:
    """Return the transformer of the columns, to be fitted on training rows.

    Numbers: the median of the training rows for a missing value, with an indicator column where any was missing; then
    mean 0 and standard deviation 1. Categories: a column for each but the first.
    """
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    encoder = OneHotEncoder(drop="first", categories=[[*each] for each in columns.categories.values()])
    parts = [
        ("numbers", Pipeline([("fill", fill), ("scale", StandardScaler())]), list(columns.numbers)),
        ("categories", encoder, list(columns.categories)),
    ]
    filled = [part for part in parts if part[2]]
    return ColumnTransformer(filled, sparse_threshold=0, verbose_feature_names_out=False)


def independent(matrix: Floats) -> Flags:
    """Return which columns are no sum of earlier ones and the constant: the first of equal columns is kept.

    Examples
    --------
    >>> independent(np.array([[1.0, 2, 5], [2, 4, 5], [3, 6, 5]])).tolist()
    [True, False, False]
    """
    centred = matrix - matrix.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    told = scale > _LEAST * np.maximum(1, np.abs(matrix).max(axis=0, initial=0)) * np.sqrt(len(matrix))
    remainders = np.abs(np.diag(np.linalg.qr(centred[:, told] / scale[told], mode="r")))
    kept: Flags = told.copy()
    kept[told] = np.append(remainders, np.zeros(told.sum() - len(remainders))) > _LEAST
    return kept

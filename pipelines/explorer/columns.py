"""Columns of numbers in a page: the smallest kind of number that holds them, as base64."""

import base64
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Column = dict[str, str]
"""`kind` (``u1``, ``u2``, ``u4``, ``i4``, ``f4``) and `data` (little-endian numbers in base64)."""

_WHOLE: Final = ("u1", "u2", "u4", "i4")


def column(values: NDArray[Any]) -> Column:
    """Return numbers as a column; whole numbers and flags exactly, others as 32-bit floats, NaN where missing.

    Raises
    ------
    OverflowError
        When a whole number needs more than 32 bits.

    Examples
    --------
    >>> column(np.array([1, 2, 258]))
    {'kind': 'u2', 'data': 'AQACAAIB'}
    """
    kind = "f4" if values.dtype.kind == "f" else _whole_kind(values)
    numbers = values.astype(f"<{kind}")
    return {"kind": kind, "data": base64.b64encode(numbers.tobytes()).decode("ascii")}


def _whole_kind(values: NDArray[Any]) -> str:
    least, most = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for kind in _WHOLE:
        bounds = np.iinfo(kind)
        if bounds.min <= least and most <= bounds.max:
            return kind
    raise OverflowError(f"whole numbers from {least:,} to {most:,} need more than 32 bits")


def columns_of(table: pd.DataFrame) -> dict[str, Column]:
    """Return the columns of a table of numbers and flags; those with missing values become floats."""
    return {str(name): column(_plain(table[name])) for name in table}


def _plain(values: "pd.Series[Any]") -> NDArray[Any]:
    if values.dtype == np.bool_:
        return values.to_numpy()
    whole = pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any()
    return values.to_numpy(dtype=np.int64 if whole else np.float64, na_value=0 if whole else np.nan)

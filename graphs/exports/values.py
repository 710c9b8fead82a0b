"""Attribute values of nodes and edges that other tools can read: text, truth values, whole and finite numbers."""

import math
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from numbers import Integral, Real
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Value: TypeAlias = str | bool | int | float

ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold: most control characters, lone surrogates, U+FFFE and U+FFFF."""

LONGEST_INTEGER: Final = 2**63
"""Whole numbers of this size and above do not fit the 64 bits of GraphML and GEXF."""

SMALLEST_NUMBER: Final = sys.float_info.min
"""Smallest normal number, about 2.2e-308. igraph rejects a file with a number nearer to 0."""


def text(value: str) -> str:
    """Return `value` with each character that XML cannot hold replaced by U+FFFD.

    Examples
    --------
    >>> text('Mø & <b>\\x00')
    'Mø & <b>�'
    """
    return ILLEGAL.sub("\ufffd", value)


def column_values(column: "pd.Series[Any]") -> list[Value | None]:
    """Return a column as Python values of one type; None for missing values, empty texts and numbers not finite.

    Dates become ISO text. A column with whole and other numbers becomes floats, so that it has one type. A number
    nearer to 0 than `SMALLEST_NUMBER`, such as a very small p-value, becomes `SMALLEST_NUMBER` with its sign, not 0.

    Raises
    ------
    TypeError
        When the column holds values of another type, or of several types.
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        return _numbers(column.to_numpy(np.float64))
    values = [_plain(value, column.name) for value in column]
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    if len(kinds) > 1:
        raise TypeError(f"column '{column.name}' mixes {', '.join(sorted(kind.__name__ for kind in kinds))}")
    return values


def _numbers(values: NDArray[np.float64]) -> list[Value | None]:
    """Return numbers as `column_values` does, without a look at each."""
    tiny = (values != 0) & (np.abs(values) < SMALLEST_NUMBER)
    plain = np.where(tiny, np.copysign(SMALLEST_NUMBER, values), values).astype(object)
    plain[~np.isfinite(values)] = None
    return list(plain)


def records(table: pd.DataFrame) -> list[dict[str, Value]]:
    """Return the rows of a table as dicts without the missing values.

    Raises
    ------
    ValueError
        When two columns have the same name.
    TypeError
        As for `column_values`.
    """
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise ValueError(f"two columns have the name '{twice[0]}'; an attribute needs one of its own")
    columns = {str(name): column_values(table[name]) for name in table.columns}
    rows = zip(*columns.values(), strict=True)
    return [{name: v for name, v in zip(columns, row, strict=True) if v is not None} for row in rows]


def types(elements: Iterable[Mapping[str, Value]]) -> dict[str, type]:
    """Return attribute → type, for the attributes of nodes or of edges, in order of first appearance.

    Raises
    ------
    TypeError
        When an attribute has values of two types, or of a type other than text, truth value or number.
    """
    found: dict[str, type] = {}
    for element in elements:
        for name, value in element.items():
            if found.setdefault(name, type(value)) is not type(value):
                raise TypeError(
                    f"'{name}' is {found[name].__name__} in one place and {type(value).__name__} in another"
                )
    unknown = {name for name, kind in found.items() if kind not in (str, bool, int, float)}
    if unknown:
        raise TypeError(f"files have no type for {', '.join(sorted(unknown))}")
    return found


def identity(code: str) -> str:
    """Return the id of a node or an attribute unchanged.

    Raises
    ------
    ValueError
        When it is empty or holds characters that XML cannot hold; if they were replaced, two ids might become equal.
    """
    if not code or text(code) != code:
        raise ValueError(f"files take no id like {code!r}; it must hold characters, and no control characters")
    return code


def spelled(value: Value) -> str:
    """Return `value` as text for GraphML and GEXF: ``true``, the shortest exact digits, or text that XML can hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return text(value) if isinstance(value, str) else repr(value)


def _plain(value: object, column: object) -> Value | None:
    """Return `value` as str, bool, int or float; None where it is missing, empty or not finite."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = pd.Timestamp(value) if isinstance(value, np.datetime64) else value.item()
    if isinstance(value, bool):
        return value
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, str):
        return value or None
    if isinstance(value, Integral):
        if abs(int(value)) >= LONGEST_INTEGER:
            raise TypeError(f"column '{column}' holds {value}, which does not fit 64 bits")
        return int(value)
    if isinstance(value, Real):
        return _number(float(value))
    raise TypeError(f"column '{column}' holds {value!r}; files take text, truth values, numbers and dates")


def _number(value: float) -> float | None:
    """Return a number that every reader accepts, None where it is not finite."""
    if not math.isfinite(value):
        return None
    return math.copysign(SMALLEST_NUMBER, value) if 0 < abs(value) < SMALLEST_NUMBER else value

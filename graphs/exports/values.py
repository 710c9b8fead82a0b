"""What a node or an edge may carry into another tool: text, truth values, whole numbers and finite numbers."""

import math
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from numbers import Integral, Real
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

Value: TypeAlias = str | bool | int | float

ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold in any spelling: most control characters, lone surrogates, U+FFFE and U+FFFF."""

LONGEST_INTEGER: Final = 2**63
"""Whole numbers from here on do not fit the 64 bits that GraphML and GEXF give them."""

SMALLEST_NUMBER: Final = sys.float_info.min
"""igraph refuses a whole file for one number nearer to 0 than this, about 2.2e-308."""


def text(value: str) -> str:
    """Return `value` with U+FFFD in the place of each character that XML cannot hold; all else as it is.

    Examples
    --------
    >>> text('Mø & <b>\\x00')
    'Mø & <b>�'
    """
    return ILLEGAL.sub("\ufffd", value)


def column_values(column: "pd.Series[Any]") -> list[Value | None]:
    """Return a column as Python values of one type; None where there is nothing to say.

    Nothing to say are missing values, numbers that are not finite, and empty text. Dates become ISO text. Whole numbers
    among other numbers become floats, so that no name has two types. A number nearer to 0 than `SMALLEST_NUMBER`, as a
    p-value may be, becomes that number with its sign: it stays apart from 0.

    Raises
    ------
    TypeError
        When the column holds something else, or things of several kinds.
    """
    values = [_plain(value, column.name) for value in column]
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    if len(kinds) > 1:
        raise TypeError(f"column '{column.name}' mixes {', '.join(sorted(kind.__name__ for kind in kinds))}")
    return values


def records(table: pd.DataFrame) -> list[dict[str, Value]]:
    """Return the rows of a table as dicts that lack what is missing.

    Raises
    ------
    ValueError
        When two columns have one name.
    TypeError
        When a column holds what files have no type for, or things of several kinds.
    """
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise ValueError(f"two columns have the name '{twice[0]}'; an attribute needs one of its own")
    columns = {str(name): column_values(table[name]) for name in table.columns}
    rows = zip(*columns.values(), strict=True)
    return [{name: v for name, v in zip(columns, row, strict=True) if v is not None} for row in rows]


def types(elements: Iterable[Mapping[str, Value]]) -> dict[str, type]:
    """Return the type of every name that nodes or edges carry, in order of first appearance.

    Raises
    ------
    TypeError
        When a name has values of two types, or of a type that files have no word for.
    """
    found: dict[str, type] = {}
    for element in elements:
        for name, value in element.items():
            if found.setdefault(name, type(value)) is not type(value):
                raise TypeError(
                    f"'{name}' is {found[name].__name__} in one place and {type(value).__name__} in another"
                )
    strange = {name for name, kind in found.items() if kind not in (str, bool, int, float)}
    if strange:
        raise TypeError(f"files have no type for {', '.join(sorted(strange))}")
    return found


def identity(code: str) -> str:
    """Return the id of a node or an attribute as it is.

    Raises
    ------
    ValueError
        When it is empty or holds characters that files cannot: two ids might become one.
    """
    if not code or text(code) != code:
        raise ValueError(f"files take no id like {code!r}; it must hold characters, and no control characters")
    return code


def spelled(value: Value) -> str:
    """Return `value` as GraphML and GEXF spell it: ``true``, shortest digits that give the number back, clean text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return text(value) if isinstance(value, str) else repr(value)


def _plain(value: object, column: object) -> Value | None:
    """Return `value` as str, bool, int or float, None where there is nothing to say."""
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
    """Return a number that every reader takes, None where it is not finite."""
    if not math.isfinite(value):
        return None
    return math.copysign(SMALLEST_NUMBER, value) if 0 < abs(value) < SMALLEST_NUMBER else value

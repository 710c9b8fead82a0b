"""Whether the first row of a table names its columns, and these names."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from diffusion.errors import SourceError

_SORTS: Final = {
    "date": re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ].*)?"),
    "number": re.compile(r"[#+\-]?\d[\d.,:\s\u00a0\u202f]*[%KMB]?", re.IGNORECASE),
    "link": re.compile(r"\w+://.*|spotify:\w+:.*"),
}
"""What a field may be → how it looks."""

NO_TEXT: Final = "is not UTF-8 text; name its encoding, such as --encoding latin-1"
"""What is said of a file whose names of columns are not text."""


def first_full_row(rows: Sequence[Sequence[str]], width: int) -> int:
    """Return the place of the first row that is not much emptier than usual: a note may stand in a row of its own.

    Parameters
    ----------
    rows
        Fields of the first rows; at least one has `width` fields.
    width
        Number of fields of a row of the table.
    """
    filled = [sum(bool(field.strip()) for field in row) if len(row) == width else -1 for row in rows]
    usual = median([count for count in filled if count > 0] or [0])
    return next(place for place, count in enumerate(filled) if count >= usual / 2)


def names_columns(table: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns: most of its fields are not what the fields below them are."""
    first = [_sort(field) for field in table[0]]
    below = zip(*([_sort(field) for field in row] for row in table[1:]), strict=True)
    votes = 0
    for mine, others in zip(first, below, strict=False):
        sorts = Counter(filter(None, others)).most_common(1)
        if mine and sorts and sorts[0][0] != "text":
            votes += 1 if mine != sorts[0][0] else -1
    return votes > 0 or (votes == 0 and set(first) <= {"text", ""})


def _sort(field: str) -> str:
    """Return what a field is: a number, a date, a link, other text, or nothing."""
    text = field.strip()
    for sort, pattern in _SORTS.items():
        if pattern.fullmatch(text):
            return sort
    return "text" if text else ""


def distinct_names(fields: Sequence[str], file: Path) -> tuple[str, ...]:
    """Return the names of columns; of those without a name, the second and later ones are called by their place.

    Raises
    ------
    SourceError
        When a name is not text, or two columns have the same one.
    """
    names = [field.strip() for field in fields]
    if any(sign in name for name in names for sign in "\0\N{REPLACEMENT CHARACTER}"):
        raise SourceError(f"'{file}' {NO_TEXT}")
    bare = [place for place, name in enumerate(names) if not name]
    for place in bare[1:]:
        names[place] = f"column {place + 1}"
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise SourceError(f"'{file}' has two columns called '{twice}'")
    return tuple(names)


def numbered(width: int) -> tuple[str, ...]:
    """Return the names of columns without a header: ``1``, ``2``, …"""
    return tuple(str(place) for place in range(1, width + 1))

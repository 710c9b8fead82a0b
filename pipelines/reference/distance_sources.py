"""Files of cultural distances: a square matrix or a long list, read as one list of pairs."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffusion import SourceError
from pipelines.reference.small_csv import SmallCsv, read_small_csv
from pipelines.reference.territories import country_name, territory_key

NAME_COLUMNS = frozenset({"country", "source_country", "source", "country_name", "countries"})
"""Possible names of the column with the rows' names in a square matrix; without any of them, it is the first."""

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", ".", "<na>"})
"""Cells, in lower case, without a distance. In a column of codes "NA" is Namibia and never missing."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_NAMELESS = re.compile(r"(unnamed(:\s*\d+)?|\.\.\.\d+)?", re.IGNORECASE)
_SOURCE = re.compile(r"(source|from|origin|orig)([ _].*)?|.*(1|_o|_i|_a)", re.IGNORECASE)
_TARGET = re.compile(r"(target|to|destination|dest)([ _].*)?|.*(2|_d|_j|_b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pair:
    """One cell of a source: the distance from one name to another, None if it is missing."""

    source: str
    target: str
    distance: float | None


@dataclass(frozen=True, slots=True)
class PairList:
    """All pairs of a source, in its order, with its layout and encoding."""

    pairs: tuple[Pair, ...]
    layout: str
    encoding: str


def read_pairs(path: str | Path) -> PairList:
    """Return the pairs of a square matrix or of a long list of three columns.

    Raises
    ------
    SourceError
        When the file cannot be read, has neither layout, names a row or column twice, or has a distance that is
        negative or not a number.
    """
    source = _without_nameless(read_small_csv(path))
    column = next((i for i, name in enumerate(source.header) if name.lower() in NAME_COLUMNS), 0)
    square = source.take([column, *(i for i in range(len(source.header)) if i != column)])
    rows, columns = _territories(row[0] for row in square.rows), _territories(square.header[1:])
    if rows == columns:
        layout = f"square matrix, {len(square.rows)} × {len(square.header) - 1}"
        return PairList(tuple(_from_square(square)), layout, source.encoding)
    order = _long_order(source)
    if order is None:
        raise SourceError(_neither(square, rows, columns))
    long = source.take(order)
    layout = "long list ({}, {}, {})".format(*long.header)
    return PairList(tuple(_from_long(long)), layout, source.encoding)


def _without_nameless(source: SmallCsv) -> SmallCsv:
    """Return the source without nameless columns that are empty or, as the first column, number the rows."""
    keep = []
    running = [str(number) for number in range(len(source.rows))]
    for position, name in enumerate(source.header):
        cells = [row[position] for row in source.rows]
        index = position == 0 and cells in (running, [str(int(number) + 1) for number in running])
        if not _NAMELESS.fullmatch(name) or (any(cells) and not index):
            keep.append(position)
    for position in keep[1:]:
        if _NAMELESS.fullmatch(source.header[position]):
            raise SourceError(f"'{source.path}': column {position + 1} has cells and no name; name it or remove it")
    return source.take(keep)


def _territories(names: Iterable[str]) -> frozenset[str]:
    return frozenset(territory_key(country_name(name)) for name in names)


def _from_square(square: SmallCsv) -> Iterator[Pair]:
    """Yield the cells of a matrix row by row; the first column names the rows."""
    for what, names in (("column", square.header[1:]), ("row", [row[0] for row in square.rows])):
        blank = [index for index, name in enumerate(names, start=1) if not country_name(name)]
        if blank:
            raise SourceError(f"'{square.path}': {what} {blank[0]} of the matrix has no name; name it or remove it")
        twice = [name for name, count in Counter(name.casefold() for name in names).items() if count > 1]
        if twice:
            shown = next(name for name in names if name.casefold() == twice[0])
            raise SourceError(f"'{square.path}' has the {what} '{shown}' twice; remove one of them")
    targets = [country_name(name) for name in square.header[1:]]
    for line, (name, *cells) in zip(square.lines, square.rows, strict=True):
        source = country_name(name)
        for target, cell in zip(targets, cells, strict=True):
            yield Pair(source, target, _distance(cell, f"'{square.path}' line {line}, {source} to {target}"))


def _from_long(long: SmallCsv) -> Iterator[Pair]:
    """Yield the rows of a list with the columns source, target and distance."""
    for line, (first, second, cell) in zip(long.lines, long.rows, strict=True):
        source, target = country_name(first), country_name(second)
        if not source or not target:
            raise SourceError(f"'{long.path}' line {line} lacks the name of a country; correct the line or remove it")
        yield Pair(source, target, _distance(cell, f"'{long.path}' line {line}, {source} to {target}"))


def _long_order(source: SmallCsv) -> list[int] | None:
    """Return the positions of source, target and distance in a list of three columns; None if it is not such a list.

    The distances are the column with most numbers. Of the others, the first is the source, unless its name says target
    and the name of the second says source.
    """
    if len(source.header) != 3:
        return None
    numbers = [sum(1 for row in source.rows if _NUMBER.fullmatch(row[column])) for column in range(3)]
    distance = max(range(3), key=lambda column: (numbers[column], column))
    first, second = (column for column in range(3) if column != distance)
    if not numbers[distance] or numbers[first] == len(source.rows) or numbers[second] == len(source.rows):
        return None
    swapped = _TARGET.fullmatch(source.header[first]) and _SOURCE.fullmatch(source.header[second])
    return [second, first, distance] if swapped else [first, second, distance]


def _distance(cell: str, where: str) -> float | None:
    if cell.lower() in MISSING:
        return None
    value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    if not math.isfinite(value):
        raise SourceError(f"{where}: '{cell[:40]}' is no distance; give a number, or nothing where there is none")
    if value < 0:
        raise SourceError(f"{where}: the distance {cell[:40]} is negative; give distances, not similarities")
    return value


def _neither(square: SmallCsv, rows: frozenset[str], columns: frozenset[str]) -> str:
    """Return the message for a file that is neither a square matrix nor a long list."""
    only_rows = _only(square, [row[0] for row in square.rows], columns)
    only_columns = _only(square, square.header[1:], rows)
    parts = [f"{kind} only: {names}" for kind, names in (("rows", only_rows), ("columns", only_columns)) if names]
    return (
        f"'{square.path}' is not a square matrix ({len(square.rows)} rows, {len(square.header) - 1} columns; "
        f"{'; '.join(parts)}) and not a list of source, target and distance; give one of these"
    )


def _only(square: SmallCsv, names: Sequence[str], others: frozenset[str]) -> str:
    """Return the first names that are missing on the other side of the matrix."""
    lacking = [name[:40] for name in names if territory_key(country_name(name)) not in others]
    return ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")

"""Cells of waits: combinations of the values of variables, by kind of track and market."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError
from diffusion.arrays import Flags, Floats, Ints
from survival.counting.spans import distinct_columns
from survival.counting.variables import ARTIST_HERE, OF_TRACKS, ORIGIN, Values, Variables

MOST: Final = 20_000_000
"""Most combinations of kinds of tracks and markets."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of episodes.

    Attributes
    ----------
    kind
        (k,): kind of each episode.
    cell
        (kinds, m): cell by kind of track and market.
    values
        One row per cell: the value of each variable.
    """

    kind: Ints
    cell: Ints
    values: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers that are put in classes where there are many different ones.

    Attributes
    ----------
    levels
        (l,): different numbers in order; NaN last, where there is one.
    size
        (l,): episodes with each; where the number depends on the market too, summed over the markets.
    """

    levels: Floats
    size: Floats

    @classmethod
    def united(cls, parts: list[Self]) -> Self:
        """Return the numbers of all parts of the tracks."""
        levels, at = np.unique(np.concatenate([part.levels for part in parts]), return_inverse=True)
        return cls(levels, np.bincount(at, np.concatenate([part.size for part in parts])).astype(np.float64))

    def classes(self, most: int) -> tuple[Values, Ints]:
        """Return the mean of each class, NaN last, and, (l,), the class of each number.

        At most `most` numbers are classes themselves; more are put in so many classes of about equal size.
        """
        known = ~np.isnan(self.levels)
        if known.sum() <= most:
            return self.levels, np.arange(len(self.levels))
        levels, size = self.levels[known], self.size[known]
        middle = (np.cumsum(size) - size / 2) / max(float(size.sum()), np.finfo(np.float64).tiny)
        of_level: Ints = np.unique((middle * most).astype(np.int64), return_inverse=True)[1]
        share = np.bincount(of_level, size)
        mean = np.bincount(of_level, size * levels) / np.where(share > 0, share, 1.0)
        place: Ints = np.full(len(self.levels), len(mean))
        place[known] = of_level
        return (mean if known.all() else np.append(mean, np.nan)), place


@dataclass(frozen=True, slots=True)
class Classes:
    """How numbers are put in classes.

    Attributes
    ----------
    most
        Most classes of a variable.
    whole
        Variable → its numbers of all tracks, where those at hand are a part (`numbers_of`); none where they are all.
    """

    most: int
    whole: Mapping[str, Numbers]

    def put(self, name: str, own: Numbers, codes: Ints) -> tuple[Values, Ints]:
        """Return the mean of each class of a variable, and the class of each value; `codes` are indices in `own`."""
        numbers = self.whole.get(name, own)
        levels, place = numbers.classes(self.most)
        return levels, place[np.searchsorted(numbers.levels, own.levels)][codes]


@dataclass(frozen=True, slots=True)
class _Coded:
    """One variable of all waits, as numbers of its levels.

    Attributes
    ----------
    levels
        Distinct values.
    codes
        (r, m) or (r, 1): index of the level by row and market.
    row
        (k,): row of each episode.
    numbers
        Numbers of these episodes, which were put in classes; None for another kind of variable.
    """

    levels: Values
    codes: Ints
    row: Ints
    numbers: Numbers | None = None


def cells_of(
    variables: Variables,
    names: tuple[str, ...],
    track: Ints,
    entered: Flags,
    which: Ints,
    origin: Ints | None,
    *,
    classes: Classes,
) -> Cells:
    """Return the cells of episodes.

    Parameters
    ----------
    names
        Names of variables that there are.
    track
        (k,): index of each episode's track.
    entered
        (s, m): distinct sets of markets entered so far.
    which
        (k,): index of each episode's set.
    origin
        (k,): market for which the episode is counted; None without the variable ``origin``.
    classes
        How numbers of tracks, artists and pairs with many different values are put in classes, each with its mean.

    Raises
    ------
    DataSaysNoError
        When there are too many combinations.
    """
    markets = len(variables.timelines.markets)
    coded = [_coded(variables, name, track, entered, which, origin, classes) for name in names]
    nothing = np.zeros(len(track), np.int64)
    rows, kind = distinct_columns(np.stack([nothing, *(one.row for one in coded)]))
    kinds = rows.shape[1]
    if kinds * markets > MOST:
        raise DataSaysNoError(
            f"{', '.join(names)} have {kinds:,} combinations of values in tracks, too many to count in {markets} "
            "markets; use fewer variables or classes"
        )
    by_wait = [
        np.broadcast_to(one.codes[row], (kinds, markets)).ravel() for one, row in zip(coded, rows[1:], strict=True)
    ]
    levels, cell = distinct_columns(np.stack([np.zeros(kinds * markets, np.int64), *by_wait]))
    values = {name: one.levels[at] for name, one, at in zip(names, coded, levels[1:], strict=True)}
    return Cells(kind, cell.reshape(-1, markets), pd.DataFrame(values, index=range(levels.shape[1])))


def numbers_of(
    variables: Variables, names: tuple[str, ...], track: Ints, entered: Flags, which: Ints
) -> dict[str, Numbers]:
    """Return the numbers of those variables that are put in classes; arguments as in `cells_of`."""
    alone = Classes(1, {})
    coded = {name: _coded(variables, name, track, entered, which, None, alone) for name in variables.in_classes(names)}
    return {name: one.numbers for name, one in coded.items() if one.numbers is not None}


def _coded(
    variables: Variables, name: str, track: Ints, entered: Flags, which: Ints, origin: Ints | None, classes: Classes
) -> _Coded:
    """Return a variable of the waits of episodes, as numbers of its levels."""
    if name == ORIGIN and origin is not None:
        codes = np.array(variables.timelines.markets, object)
        return _Coded(codes, np.arange(len(codes))[:, None], origin)
    if (values := variables.of_market(name)) is not None:
        levels, codes = _levels(values)
        return _Coded(levels, codes[None], np.zeros(len(track), np.int64))
    if (values := variables.of_track(name)) is not None:
        levels, codes = _levels(values)
        numbers = None
        if name not in OF_TRACKS and values.dtype.kind == "f":
            numbers = Numbers(levels, np.bincount(codes[track], minlength=len(levels)).astype(np.float64))
            levels, codes = classes.put(name, numbers, codes)
        return _Coded(levels, np.arange(len(levels))[:, None], codes[track], numbers)
    if (values := variables.of_entered(name, entered)) is not None:
        levels, codes = _levels(values)
        return _Coded(levels, np.arange(len(levels))[:, None], codes[which])
    if (both := variables.of_both(name)) is not None:
        distinct, at = distinct_rows(both[1])
        return _Coded(both[0], distinct, at[track])
    if name == ARTIST_HERE:
        here, at = distinct_rows(variables.artist_before())
        return _Coded(np.array(["no", "yes"], object), here.astype(np.int64), at[track])
    values = variables.of_pairs(name, entered)
    levels, codes = _levels(values)
    numbers = None
    if values.dtype.kind == "f":
        number = np.bincount(which, minlength=len(entered)).astype(np.float64)
        weights = np.broadcast_to(number[:, None], codes.shape).ravel()
        numbers = Numbers(levels, np.asarray(np.bincount(codes.ravel(), weights, len(levels)), np.float64))
        levels, codes = classes.put(name, numbers, codes)
    distinct, at = distinct_rows(codes)
    return _Coded(levels, distinct, at[which], numbers)


def _levels(values: Values) -> tuple[Values, Ints]:
    """Return the distinct values in order, and the index of each value."""
    found, distinct = pd.factorize(values.ravel(), sort=True, use_na_sentinel=False)
    return np.asarray(distinct, values.dtype), found.astype(np.int64).reshape(values.shape)


def distinct_rows(rows: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """Return the distinct rows of a table, and which of them each row is."""
    table = np.packbits(rows, axis=1) if rows.dtype == np.bool_ else np.ascontiguousarray(rows)
    whole = table.view(np.dtype((np.void, table.dtype.itemsize * table.shape[1]))).ravel()
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], which.astype(np.int64)

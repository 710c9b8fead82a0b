"""Cells of waits: combinations of the values of variables, by kind of track and market."""

from dataclasses import dataclass
from typing import Any, Final

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
    """

    levels: Values
    codes: Ints
    row: Ints


def cells_of(
    variables: Variables,
    names: tuple[str, ...],
    track: Ints,
    entered: Flags,
    which: Ints,
    origin: Ints | None,
    *,
    classes: int,
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
        Numbers of tracks, artists and pairs with more different values are put in so many classes, each with its mean.

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


def _coded(
    variables: Variables, name: str, track: Ints, entered: Flags, which: Ints, origin: Ints | None, classes: int
) -> _Coded:
    """Return a variable of the waits of episodes, as numbers of its levels."""
    if name == ORIGIN and origin is not None:
        codes = np.array(variables.timelines.markets, object)
        return _Coded(codes, np.arange(len(codes))[:, None], origin)
    if (values := variables.of_market(name)) is not None:
        levels, codes = _levels(values)
        return _Coded(levels, codes[None], np.zeros(len(track), np.int64))
    if (values := variables.of_track(name)) is not None:
        number = np.bincount(track, minlength=len(values)).astype(np.float64)
        levels, codes = _levels(values, None if name in OF_TRACKS else number, classes)
        return _Coded(levels, np.arange(len(levels))[:, None], codes[track])
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
    number = np.bincount(which, minlength=len(entered)).astype(np.float64)
    levels, codes = _levels(values, number[:, None], classes)
    distinct, at = distinct_rows(codes)
    return _Coded(levels, distinct, at[which])


def _levels(values: Values, weights: Floats | None = None, classes: int = 0) -> tuple[Values, Ints]:
    """Return the distinct values in order, and the index of each value.

    With `weights`, more than `classes` different numbers are put in so many classes of about equal weight, each with
    its mean.
    """
    found, distinct = pd.factorize(values.ravel(), sort=True, use_na_sentinel=False)
    codes: Ints = found.astype(np.int64).reshape(values.shape)
    levels = np.asarray(distinct, values.dtype)
    known = ~pd.isna(levels)
    if weights is None or values.dtype.kind != "f" or known.sum() <= classes:
        return levels, codes
    size = np.bincount(codes.ravel(), np.broadcast_to(weights, values.shape).ravel(), len(levels))[known]
    middle = (np.cumsum(size) - size / 2) / max(float(size.sum()), np.finfo(np.float64).tiny)
    of_level: Ints = np.unique((middle * classes).astype(np.int64), return_inverse=True)[1]
    share = np.bincount(of_level, size)
    mean = np.bincount(of_level, size * levels[known]) / np.where(share > 0, share, 1.0)
    place: Ints = np.full(len(levels), len(mean))
    place[known] = of_level
    return (mean if known.all() else np.append(mean, np.nan)), place[codes]


def distinct_rows(rows: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """Return the distinct rows of a table, and which of them each row is."""
    table = np.packbits(rows, axis=1) if rows.dtype == np.bool_ else np.ascontiguousarray(rows)
    whole = table.view(np.dtype((np.void, table.dtype.itemsize * table.shape[1]))).ravel()
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], which.astype(np.int64)

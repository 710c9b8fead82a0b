"""The enlarged panel of a map: its markets, and those beyond its edge that its arrows go to or come from."""

from typing import Final

import numpy as np
import pandas as pd

from figures.maps.geography import Array, equal_earth

Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in the units of the projection."""

_RADIUS: Final = 1.4
"""Radius in points of the mark of a market beyond the edge."""

_MARGIN: Final = 4.0
"""Distance of such a mark from the edge, in points."""

_APART: Final = (9.5, 46.0)
"""Least distance in points of two marks at one edge: at the left and right, and at the top and bottom."""


def within(markets: pd.DataFrame, box: Box) -> "pd.Series[bool]":
    """Return whether each market lies in a box."""
    return markets["x"].between(box[0], box[2]) & markets["y"].between(box[1], box[3])


def enlarged(markets: pd.DataFrame, arrows: pd.DataFrame, box: Box, unit: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the markets and arrows of a panel; arrows over its edge end there, one mark for each market beyond.

    A market beyond is marked where the straight line to it crosses the edge, moved along the edge where marks would
    cover each other.

    Parameters
    ----------
    markets, arrows
        As the attributes of `figures.maps.atlas.Atlas`.
    box
        The panel.
    unit
        Points for one unit of the projection.

    Returns
    -------
    markets
        Those within, in order, with `edge` False; then a row for each market beyond, with `edge` True and its place at
        the edge as `x` and `y`.
    arrows
        Those with an end within, with `source` and `target` as row numbers of these markets.
    """
    inside = within(markets, box).to_numpy()
    ends = arrows[["source", "target"]].to_numpy(dtype=int)
    kept = arrows[inside[ends].any(axis=1)]
    ends = ends[inside[ends].any(axis=1)]
    beyond = np.unique(ends[~inside[ends]])
    partners = [np.unique(ends[(ends == market).any(axis=1)]) for market in beyond]
    places = [
        _crossing(markets.iloc[near[near != market]], markets.iloc[market], box)
        for market, near in zip(beyond, partners, strict=True)
    ]
    marks = markets.iloc[beyond].assign(radius=_RADIUS, colour="white", marker="D", edge=True)
    marks[["x", "y"]] = _spread(np.array(places).reshape(-1, 2), box, unit)
    drawn = pd.concat(
        [markets[inside].assign(edge=False), marks] if len(marks) else [markets[inside].assign(edge=False)]
    )
    number = pd.Series(np.arange(len(drawn)), index=drawn.index)
    renamed = kept.assign(source=number[ends[:, 0]].to_numpy(), target=number[ends[:, 1]].to_numpy())
    return drawn.reset_index(drop=True), renamed


def _crossing(near: pd.DataFrame, far: "pd.Series[float]", box: Box) -> tuple[float, float]:
    """Return where the line from the middle of the markets within to a market beyond leaves the box."""
    middle = near[["x", "y"]].mean().to_numpy(dtype=float)
    apart = float(far["longitude"]) - float(near["longitude"].mean())
    turn = -360.0 * np.sign(apart) if abs(apart) > 180 else 0.0
    x, y = equal_earth(np.array([float(far["longitude"]) + turn]), np.array([float(far["latitude"])]))
    step = np.array([x[0], y[0]]) - middle
    limits = [(box[2 if step[0] > 0 else 0] - middle[0]) / step[0] if step[0] else np.inf]
    limits.append((box[3 if step[1] > 0 else 1] - middle[1]) / step[1] if step[1] else np.inf)
    place = middle + step * min(limits)
    return float(place[0]), float(place[1])


def _spread(places: Array, box: Box, unit: float) -> Array:
    """Return places at the edge of a box, a little within, and apart from each other along it."""
    margin = _MARGIN / unit
    low, high = np.array(box[:2]) + margin, np.array(box[2:]) - margin
    spread = np.clip(places, low, high)
    for side, (axis, bound) in enumerate(((0, low[0]), (0, high[0]), (1, low[1]), (1, high[1]))):
        here = np.flatnonzero(np.isclose(spread[:, axis], bound))
        if side >= 2:
            here = np.array([at for at in here if not np.isclose(spread[at, 0], (low[0], high[0])).any()], dtype=int)
        along = 1 - axis
        spread[here, along] = _apart(spread[here, along], low[along], high[along], _APART[axis] / unit)
    return spread


def _apart(values: Array, low: float, high: float, least: float) -> Array:
    """Return values moved as little as their order allows so that neighbours are `least` apart, within the bounds.

    Examples
    --------
    >>> _apart(np.array([9.5, 9.0, 1.0]), 0.0, 10.0, 2.0).tolist()
    [10.0, 8.0, 1.0]
    """
    order = np.argsort(values, kind="stable")
    moved = values[order].copy()
    least = min(least, (high - low) / max(len(values) - 1, 1))
    for at in range(1, len(moved)):
        moved[at] = max(moved[at], moved[at - 1] + least)
    ceiling = high
    for at in range(len(moved) - 1, -1, -1):
        moved[at] = min(moved[at], ceiling)
        ceiling = moved[at] - least
    result = np.empty_like(moved)
    result[order] = moved
    return result

"""Median lags, for all pairs together or for each pair, from the credits of a fit."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from diffusion.arrays import Floats
from graphs.summed_hazard.design import Design
from graphs.summed_hazard.lags import median_grid, reached

SPREAD: Final = 0.5
"""Prior standard deviation of the logarithm of a pair's median lag around that of all pairs."""


class LagWeights:
    """How well each median lag of a grid explains the credits of every pair.

    Attributes
    ----------
    grid
        (g,) days.
    worth
        (targets, m, g): expected log-likelihood of the pair's credited lags, its α fitted for each.
    """

    __slots__ = ("grid", "worth")

    def __init__(self, designs: Sequence[Design], credits: Sequence[Floats], *, window: int, cadence: int) -> None:
        self.grid = median_grid(window, cadence)
        reach = reached(self.grid, window)
        self.worth = np.stack([_worth(d, c, reach) for d, c in zip(designs, credits, strict=True)])

    def shared(self) -> float:
        """Return the median lag (days) that suits all pairs best."""
        return float(_highest(self.worth.sum(axis=(0, 1)), self.grid))

    def by_pair(self, middle: float) -> Floats:
        """Return every pair's median lag (days), drawn towards `middle` where there is little to see; (targets, m)."""
        prior = -0.5 * np.square(np.log(self.grid / middle) / SPREAD)
        own: Floats = _highest(self.worth + prior, self.grid)
        return own


def _worth(design: Design, credit: Floats, reach: Floats) -> Floats:
    """Return (m, g): Σ credit·log(step) − (Σ credit)·log(exposure), for each median of the grid.

    Parameters
    ----------
    credit
        (c,): of each possible transmission.
    """
    senders, kinds = len(design.survived), len(design.kinds)
    step = np.maximum(reach[:, design.kinds[:, 1]] - reach[:, design.kinds[:, 0]], 1e-300)
    code = design.sender.astype(np.int64) * kinds + design.kind
    by_kind = np.bincount(code, credit, senders * kinds).reshape(senders, kinds)
    chances = np.bincount(code, design.scale[design.row], senders * kinds).reshape(senders, kinds)
    exposure = np.maximum(design.survived @ reach.T + chances @ step.T, 1e-300)
    worth: Floats = by_kind @ np.log(step).T - by_kind.sum(axis=1)[:, None] * np.log(exposure)
    return worth


def _highest(worth: Floats, grid: Floats) -> Floats:
    """Return where on the grid the last axis is highest, by a parabola through the highest point and its neighbours."""
    best = np.clip(worth.argmax(axis=-1), 1, len(grid) - 2)
    left, top, right = (np.take_along_axis(worth, best[..., None] + d, -1)[..., 0] for d in (-1, 0, 1))
    bend = left - 2 * top + right
    shift = np.where(bend < 0, (left - right) / np.where(bend < 0, 2 * bend, 1), np.sign(right - left))
    highest: Floats = np.exp(np.log(grid[0]) + (best + np.clip(shift, -1, 1)) * np.log(grid[1] / grid[0]))
    return highest

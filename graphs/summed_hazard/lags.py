"""The lag density: exponential, cut off at the window, scaled to integrate to 1."""

from typing import Final

import numpy as np

from diffusion.arrays import Floats

SHORTEST: Final = 1 / 16
"""Shortest median lag tried, as a share of the cadence: shorter ones differ little between two charts."""

LONGEST: Final = 0.45
"""Longest median lag, as a share of the window; at one half the density would be flat."""

MEDIANS_TRIED: Final = 48
"""Number of median lags tried."""


def rate_of(median: Floats, window: int) -> Floats:
    """Return the rate θ (per day) of the density with the given medians (days, below half the window).

    Solves 1 − e^(−θ·median) = (1 − e^(−θ·window)) / 2 by fixed-point steps.

    Examples
    --------
    >>> rate_of(np.array([7.0, 20.0]), 60).round(4).tolist()
    [0.0986, 0.0241]
    """
    theta: Floats = np.log(2) / median
    for _ in range(200):
        before, theta = theta, -np.log1p(np.expm1(-theta * window) / 2) / median
        if (np.abs(theta - before) <= 1e-14 * theta).all():
            break
    return theta


def reached(median: Floats, window: int) -> Floats:
    """Return F, the share of transmissions that are over x days after the sender's entry, for x = 0 … window.

    Parameters
    ----------
    median
        (...,) days.

    Returns
    -------
    array
        (..., window + 1), from 0 to 1.

    Examples
    --------
    >>> reached(np.array([7.0]), 60)[0, [0, 7, 60]].round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    theta = rate_of(median, window)[..., None]
    share: Floats = np.expm1(-theta * np.arange(window + 1)) / np.expm1(-theta * window)
    return share


def observable(median: Floats, window: int, cadence: int) -> Floats:
    """Return the share of transmissions that arrive after the chart on which the sender's entry was observed.

    The sender's entry is uniform between that chart and the one before. The other transmissions arrive between the same
    two charts and are observed as ties.

    Examples
    --------
    >>> observable(np.array([1.0, 7.0, 20.0]), 60, 7).round(2).tolist()
    [0.2, 0.72, 0.9]
    """
    theta = rate_of(median, window)
    shown = -np.expm1(-theta * cadence) / (theta * cadence)
    share: Floats = (shown - np.exp(-theta * window)) / -np.expm1(-theta * window)
    return share


def median_grid(window: int, cadence: int) -> Floats:
    """Return the median lags (days) that are tried, at equal distances on a logarithmic scale."""
    return np.geomspace(min(SHORTEST * cadence, LONGEST * window / 2), LONGEST * window, MEDIANS_TRIED)

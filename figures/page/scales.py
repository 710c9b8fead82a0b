"""Round numbers for scales."""

import math
from typing import Final

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

_DIGITS: Final = (
    (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    (1.0, 2.0, 5.0),
    (1.0, 3.0),
    (1.0,),
)
"""First digits of the ticks of a scale, from the finest to the coarsest."""


def log_ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Return at most `most` round numbers from `low` to `high` for a logarithmic scale; the two ends if there are none.

    Examples
    --------
    >>> log_ticks(1.2, 40)
    [2.0, 5.0, 10.0, 20.0]
    >>> log_ticks(1.21, 1.29)
    [1.21, 1.29]
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in _DIGITS:
        ticks = [float(f"{digit * 10.0**decade:.6g}") for decade in decades for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= most:
            break
    return ticks if len(ticks) >= 2 else [low, high]


def classes(values: NDArray[np.float64], *, most: int) -> list[float]:
    """Return the bounds of at most `most` classes by the quantiles of the values, rounded to two digits.

    The higher a class, the fewer values it has, so that the largest stand out. All values lie within; without a value
    there is one class from zero to one.

    Examples
    --------
    >>> classes(np.linspace(0.01, 0.3, 30), most=3)
    [0.01, 0.14, 0.24, 0.3]
    >>> classes(np.array([0.25, 0.25]), most=9)
    [0.24, 0.26]
    """
    if not len(values):
        return [0.0, 1.0]
    inner = [float(f"{value:.2g}") for value in np.quantile(values, 1 - np.linspace(1, 0, most + 1)[1:-1] ** 1.5)]
    low, high = float(values.min()), float(values.max())
    unit = 10.0 ** (math.floor(math.log10(high)) - 1)
    least = 10.0 ** (math.floor(math.log10(low)) - 1)
    ends = float(f"{math.floor(low / least + 1e-9) * least:.2g}"), float(f"{math.ceil(high / unit - 1e-9) * unit:.2g}")
    if ends[0] == ends[1]:
        return [float(f"{ends[0] - unit:.2g}"), float(f"{ends[1] + unit:.2g}")]
    return sorted({*ends, *(value for value in inner if ends[0] < value < ends[1])})


def in_percent(axis: Axis) -> None:
    """Write the ticks of an axis of shares in percent."""
    axis.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))


def percent(share: float) -> str:
    """Return a share as a percentage without idle digits.

    Examples
    --------
    >>> percent(0.0), percent(0.0025), percent(0.12), percent(1.0)
    ('0 %', '0.25 %', '12 %', '100 %')
    """
    return f"{100 * share:.3g} %"

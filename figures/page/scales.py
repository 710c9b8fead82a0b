"""Round numbers for scales."""

import math
from typing import Final

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

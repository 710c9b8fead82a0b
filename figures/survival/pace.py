"""Hazard ratios in words."""

import math


def pace(ratio: float, low: float, high: float) -> str:
    """Return a hazard ratio with its interval in words.

    Where the interval contains one, the words do not say which side is faster.

    Examples
    --------
    >>> pace(1.84, 1.5, 2.2)
    'enters 1.8 times as fast (1.5–2.2)'
    >>> pace(0.92, 0.6, 1.3)
    'no difference shown (0.60–1.3)'
    >>> pace(1.31, 1.27, 1.36)
    'enters 1.31 times as fast (1.27–1.36)'
    """
    if math.isnan(ratio):
        return "not estimated"
    if math.isnan(low) or math.isnan(high):
        return f"enters {times(ratio)} times as fast (no interval)"
    texts = [[times(value, digits) for value in (ratio, low, high)] for digits in (2, 3)]
    best, least, most = texts[0] if len({*texts[0]}) == 3 else texts[1]
    interval = f"({least}{' to ' if '<' in least or '>' in most else '–'}{most})"
    return f"no difference shown {interval}" if low <= 1 <= high else f"enters {best} times as fast {interval}"


def times(ratio: float, digits: int = 2) -> str:
    """Return a ratio with a number of digits, or as many as it takes to tell it from one, at most four decimals.

    Examples
    --------
    >>> times(0.0512), times(0.996), times(1.004), times(23.4), times(12345.0), times(0.0004)
    ('0.051', '0.996', '1.004', '23', '>1,000', '<0.001')
    """
    if not 0.001 <= ratio <= 1000:
        return "<0.001" if ratio < 1 else ">1,000"
    decimals = digits - 1 - math.floor(math.log10(ratio))
    if ratio != 1:
        decimals = max(decimals, min(4, math.ceil(-math.log10(abs(ratio - 1)))))
    return f"{ratio:,.{max(decimals, 0)}f}"

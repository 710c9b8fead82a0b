"""Numbers fixed by the definitions: washout, gaps, windows and horizons in days; levels of tests and intervals."""

from typing import Final

LONG_GAP: Final = 28
"""Days: a gap between two observed dates of a market is long when it exceeds this; a long gap is not bridged."""

ABSENCE: Final = 28
"""Days: default time without a track on any chart after which it has left."""

WASHOUT: Final = 28
"""Days: default time after a market's first observed date during which entries are left-censored."""

HORIZON: Final = 180
"""Days: default length of follow-up after a track's debut."""

WINDOW_DAILY: Final = 60
"""Days: default window of a transition on daily charts."""

WINDOW_WEEKLY: Final = 56
"""Days: default window of a transition on weekly charts (8 weeks)."""

LONGEST: Final = 36_500
"""Days: upper limit of windows, washouts and horizons (a hundred years)."""

LARGEST_SEED: Final = 2**63 - 1
"""Upper limit of a seed of random numbers."""

LEAST_EXPOSED: Final = 30
"""Least number of exposed tracks for which a pair's rate is ranked or drawn in full colour."""

FDR: Final = 0.05
"""False discovery rate, and significance level of a single test."""

CONFIDENCE: Final = 0.95
"""Confidence level of every interval and band."""

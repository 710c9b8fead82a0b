"""Numbers that the definitions fix: washout, gaps, windows and horizons in days, and levels of tests and intervals."""

from typing import Final

LONG_GAP: Final = 28
"""Days: where two observed dates of a market are further apart than this, the gap is long and is not bridged."""

WASHOUT: Final = 28
"""Days: default time after a market's first observed date in which an entry is left-censored."""

HORIZON: Final = 180
"""Days: default length of follow-up after a track's debut."""

WINDOW_DAILY: Final = 60
"""Days: default window of a transition on daily charts."""

WINDOW_WEEKLY: Final = 56
"""Days: default window of a transition on weekly charts (8 weeks)."""

LONGEST: Final = 36_500
"""Days: the longest window, washout or horizon that makes sense, a hundred years."""

LEAST_EXPOSED: Final = 30
"""Tracks that must be exposed before a pair's rate is ranked or drawn in full colour."""

FDR: Final = 0.05
"""False discovery rate, and level of a single test, at which something is called found."""

CONFIDENCE: Final = 0.95
"""Coverage of every interval and band."""

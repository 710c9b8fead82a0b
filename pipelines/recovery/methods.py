"""The methods compared: scores of pairs and markets by method, and intervals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from diffusion import Entries, lag_curve, transitions
from diffusion.arrays import Floats
from diffusion.simulation.truth import DAYS
from graphs.netinf import netinf, track_cascades
from graphs.summed_hazard import SummedHazard, summed_hazard

TUNED: Final = 4.0
"""Per day: the rate of netinf that finds most edges in these simulations, of 1, 2, 4, 8 and 16; chosen in hindsight."""

Quantity = Literal["rate", "lag_curve", "alpha"]
"""Quantities with intervals."""


@dataclass(frozen=True, slots=True)
class Given:
    """Input of all methods: the observed entries, and results that several methods use.

    Attributes
    ----------
    entries
        Observed entries.
    window
        Days within which a transition must happen.
    pairs
        Transitions; columns as in `diffusion.contracts.TRANSITIONS`.
    direct
        The summed-hazard model, fitted with defaults.
    """

    entries: Entries
    window: int
    pairs: pd.DataFrame
    direct: SummedHazard

    @classmethod
    def of(cls, entries: Entries, *, window: int) -> "Given":
        """Return the input of all methods from entries."""
        pairs = transitions(entries, window=window).to_pandas()
        return cls(entries, window, pairs, summed_hazard(entries, window=window))

    @property
    def markets(self) -> list[str]:
        """Codes of the m markets, in order."""
        return self.entries.calendar.markets

    def square(self, table: pd.DataFrame, column: str, *, fill: float = np.nan) -> Floats:
        """Return a column of a table by `source` and `target` as a matrix, (m, m); `fill` where there is no value."""
        markets = pd.Index(self.markets)
        square = np.full((len(markets), len(markets)), fill)
        values = table[column].to_numpy(float, na_value=np.nan)
        at = tuple(markets.get_indexer(pd.Index(table[end])) for end in ("source", "target"))
        square[at] = values
        return np.where(np.isnan(square), fill, square)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores by one method.

    Attributes
    ----------
    edges
        (m, m): by source and target; higher means more likely an edge. NaN where the method has no score.
    leaders
        (m,): by market; higher means more of a leader.
    """

    edges: Floats
    leaders: Floats


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of one quantity for each pair.

    Attributes
    ----------
    quantity
        ``rate``, ``lag_curve`` or ``alpha``.
    days
        Lag in days, for a lag curve; None for other quantities.
    low, high
        (m, m): bounds of the 95 % intervals; NaN where there is none.
    """

    quantity: Quantity
    days: int | None
    low: Floats
    high: Floats


def _counts(evidence: Given) -> Scores:
    """Counts: tracks with the transition; leaders by net flow."""
    tracks = evidence.square(evidence.pairs, "tracks", fill=0.0)
    return Scores(tracks, tracks.sum(axis=1) - tracks.sum(axis=0))


def _rate(evidence: Given) -> Scores:
    """Rate of the transition; leaders by its sum."""
    return _summed(evidence.square(evidence.pairs, "rate"))


def _netinf(evidence: Given, rate: float) -> Scores:
    """Gain at which greedy netinf adds the edge, with `rate` per day; leaders by its sum."""
    cascades = track_cascades(evidence.entries.timelines)
    return _summed(evidence.square(netinf(cascades, edges=len(evidence.pairs), rate=rate), "gain"))


def _alpha(evidence: Given) -> Scores:
    """α without penalty; leaders by its sum (clout)."""
    return _summed(evidence.direct.matrix("alpha"))


def _alpha_shrunk(evidence: Given) -> Scores:
    """α under its prior; leaders by its sum."""
    return _summed(evidence.direct.matrix("shrunk"))


def _alpha_p(evidence: Given) -> Scores:
    """p-value of α, smallest first; leaders by the number of pairs with p ≤ .05."""
    p = evidence.direct.matrix("p")
    return Scores(-p, (p <= 0.05).sum(axis=1).astype(np.float64))


def _summed(edges: Floats) -> Scores:
    """Return scores with leaders by the sum over targets; NaN counts as 0."""
    return Scores(edges, np.nansum(edges, axis=1))


METHODS: Final[Mapping[str, Callable[[Given], Scores]]] = {
    "counts": _counts,
    "rate": _rate,
    "netinf": lambda evidence: _netinf(evidence, 1.0),
    "netinf_tuned": lambda evidence: _netinf(evidence, TUNED),
    "alpha": _alpha,
    "alpha_shrunk": _alpha_shrunk,
    "alpha_p": _alpha_p,
}
"""Method → function that scores pairs and markets. `netinf` has rate 1 per day, `netinf_tuned` has `TUNED`."""


def intervals(evidence: Given) -> tuple[Intervals, ...]:
    """Return the intervals of α, of rates, and of lag curves at `DAYS`; pairs with shorter follow-up are left out."""
    alpha = Intervals("alpha", None, evidence.direct.matrix("low"), evidence.direct.matrix("high"))
    whole = evidence.pairs[evidence.pairs["followed_to"] >= evidence.window]
    low, high = (evidence.square(whole, name) for name in ("rate_low", "rate_high"))
    return (alpha, Intervals("rate", None, low, high), *_bands(evidence))


def _bands(evidence: Given) -> tuple[Intervals, ...]:
    """Return the bands of the lag curves at `DAYS`; a curve is constant between its days."""
    curve = lag_curve(evidence.entries.lags(window=evidence.window).to_pandas())
    pairs = evidence.pairs[["source", "target", "followed_to"]]
    found: list[Intervals] = []
    for days in DAYS:
        upto = curve[curve["days"] <= days].groupby(["source", "target"]).last().reset_index()
        table = pairs[pairs["followed_to"] >= days].merge(upto, on=["source", "target"], how="left")
        found.append(Intervals("lag_curve", days, evidence.square(table, "low"), evidence.square(table, "high")))
    return tuple(found)

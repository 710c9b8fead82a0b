"""What is compared: for every method a score of each pair and of each market, and the intervals it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from diffusion import Entries, lag_curve, transitions
from diffusion.arrays import Floats
from diffusion.simulation.truth import DAYS
from graphs.influence import Influence, direct_edges
from graphs.influence.netinf import netinf, track_cascades
from graphs.significance import edge_significance

TUNED: Final = 4.0
"""Per day: the rate at which netinf finds the edges of these simulations best, of 1, 2, 4, 8 and 16: hindsight."""

PERMUTATIONS: Final = 100
"""Fillings under each null."""

Quantity = Literal["rate", "lag_curve", "alpha"]
"""What there are intervals of."""


@dataclass(frozen=True, slots=True)
class Given:
    """What methods are given: the observed entries, and what several of them use.

    Attributes
    ----------
    entries
        As observed.
    window
        Days within which a transition must happen.
    pairs
        The transitions, as `diffusion.contracts.TRANSITIONS` says.
    nulls
        What `graphs.significance.edge_significance` says of every pair.
    direct
        Direct edges, fitted with all defaults.
    """

    entries: Entries
    window: int
    pairs: pd.DataFrame
    nulls: pd.DataFrame
    direct: Influence

    @classmethod
    def of(cls, entries: Entries, *, window: int, seed: int) -> "Given":
        """Return the evidence in entries; `seed` is that of the nulls."""
        nulls = edge_significance(entries.timelines, window=window, permutations=PERMUTATIONS, seed=seed)
        pairs = transitions(entries, window=window).to_pandas()
        return cls(entries, window, pairs, nulls, direct_edges(entries, window=window))

    @property
    def markets(self) -> list[str]:
        """Codes of the m markets, in order."""
        return self.entries.calendar.markets

    def square(self, table: pd.DataFrame, column: str, *, fill: float = np.nan) -> Floats:
        """Return (m, m) a column of a table with one row per `source` and `target`; `fill` where there is no row."""
        markets = pd.Index(self.markets)
        square = np.full((len(markets), len(markets)), fill)
        values = table[column].to_numpy(float, na_value=np.nan)
        at = tuple(markets.get_indexer(pd.Index(table[end])) for end in ("source", "target"))
        square[at] = values
        return np.where(np.isnan(square), fill, square)


@dataclass(frozen=True, slots=True)
class Scores:
    """What one method says.

    Attributes
    ----------
    edges
        (m, m): by source and target, the higher the surer of an edge; NaN where it says nothing.
    leaders
        (m,): the higher the more the market leads.
    """

    edges: Floats
    leaders: Floats


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of one quantity for every pair.

    Attributes
    ----------
    quantity
        ``rate``, ``lag_curve`` or ``alpha``.
    days
        Days after the source, of a lag curve; None else.
    low, high
        (m, m): the 95 % bounds; NaN where there are none.
    """

    quantity: Quantity
    days: int | None
    low: Floats
    high: Floats


def _counts(evidence: Given) -> Scores:
    """Plain counts: the tracks that made the transition; leaders by net flow."""
    tracks = evidence.square(evidence.pairs, "tracks", fill=0.0)
    return Scores(tracks, tracks.sum(axis=1) - tracks.sum(axis=0))


def _rate(evidence: Given) -> Scores:
    """The rate of the transition; leaders by its sum."""
    return _summed(evidence.square(evidence.pairs, "rate"))


def _lead_share(evidence: Given) -> Scores:
    """The share of the clusters that reached both in which the source was first; leaders by its mean."""
    share = evidence.square(evidence.nulls, "lead_share")
    known = ~np.isnan(share)
    mean = np.where(known, share, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return Scores(share, np.where(known.any(axis=1), mean, np.nan))


def _lift(evidence: Given) -> Scores:
    """Transitions over those that the volume null expects; leaders by its sum."""
    return _summed(evidence.square(evidence.nulls, "lift"))


def _volume_p(evidence: Given) -> Scores:
    """The p against the volume null, small ones first; leaders by the transitions above the null's."""
    return _tested(evidence, "p", "expected")


def _order_p(evidence: Given) -> Scores:
    """The p against the order null, small ones first; leaders by the transitions above the null's."""
    return _tested(evidence, "p_order", "expected_order")


def _tested(evidence: Given, p: str, expected: str) -> Scores:
    tracks = evidence.square(evidence.pairs, "tracks", fill=0.0)
    excess = tracks - evidence.square(evidence.nulls, expected, fill=0.0)
    return Scores(-evidence.square(evidence.nulls, p), excess.sum(axis=1))


def _netinf(evidence: Given, rate: float) -> Scores:
    """The gain at which greedy netinf adds the edge, at that rate per day; leaders by its sum."""
    cascades = track_cascades(evidence.entries.timelines)
    return _summed(evidence.square(netinf(cascades, edges=len(evidence.pairs), rate=rate), "gain"))


def _alpha(evidence: Given) -> Scores:
    """The unpenalised α; leaders by its sum, their clout."""
    return _summed(evidence.direct.matrix("alpha"))


def _alpha_shrunk(evidence: Given) -> Scores:
    """α under its prior; leaders by its sum."""
    return _summed(evidence.direct.matrix("shrunk"))


def _alpha_p(evidence: Given) -> Scores:
    """The p of α, small ones first; leaders by the number of edges held to be direct."""
    return Scores(-evidence.direct.matrix("p"), np.nansum(evidence.direct.matrix("direct"), axis=1))


def _summed(edges: Floats) -> Scores:
    """Return scores whose leaders are those with the largest sums over targets, where NaN adds nothing."""
    return Scores(edges, np.nansum(edges, axis=1))


METHODS: Final[Mapping[str, Callable[[Given], Scores]]] = {
    "counts": _counts,
    "rate": _rate,
    "lead_share": _lead_share,
    "lift": _lift,
    "volume_p": _volume_p,
    "order_p": _order_p,
    "netinf": lambda evidence: _netinf(evidence, 1.0),
    "netinf_tuned": lambda evidence: _netinf(evidence, TUNED),
    "alpha": _alpha,
    "alpha_shrunk": _alpha_shrunk,
    "alpha_p": _alpha_p,
}
"""Method → what scores the pairs and the markets. `netinf` has its usual rate, `netinf_tuned` that of `TUNED`."""


def intervals(evidence: Given) -> tuple[Intervals, ...]:
    """Return the intervals of α, of the rates, and of the lag curves at `DAYS`, as far as they were followed."""
    alpha = Intervals("alpha", None, evidence.direct.matrix("low"), evidence.direct.matrix("high"))
    whole = evidence.pairs[evidence.pairs["followed_to"] >= evidence.window]
    low, high = (evidence.square(whole, name) for name in ("rate_low", "rate_high"))
    return (alpha, Intervals("rate", None, low, high), *_bands(evidence))


def _bands(evidence: Given) -> tuple[Intervals, ...]:
    """Return the bands of the lag curves at `DAYS`; the curve of a pair stays as it is until its next day."""
    curve = lag_curve(evidence.entries.lags(window=evidence.window).to_pandas())
    pairs = evidence.pairs[["source", "target", "followed_to"]]
    found: list[Intervals] = []
    for days in DAYS:
        upto = curve[curve["days"] <= days].groupby(["source", "target"]).last().reset_index()
        table = pairs[pairs["followed_to"] >= days].merge(upto, on=["source", "target"], how="left")
        found.append(Intervals("lag_curve", days, evidence.square(table, "low"), evidence.square(table, "high")))
    return tuple(found)

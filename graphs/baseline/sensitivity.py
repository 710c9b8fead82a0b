"""What becomes of the edges under other definitions: window, kernel, depth, classes of age, ties, halves of time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from diffusion.arrays import Flags, Floats
from diffusion.conventions import FDR
from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError
from graphs.baseline.edges import log_lift, order_p, presence_p, seen
from graphs.baseline.fit import Baseline, fitted_again, in_days
from graphs.baseline.sums import Kernel, PairSums, Ties
from graphs.false_discovery import adjusted
from graphs.parallel import BASELINES_AT_ONCE, in_order

COARSER: Final = (1, 8, 29)
"""Days after the debut at which the classes of age begin where they are coarser."""

FINER: Final = (1, 2, 3, 4, 6, 8, 11, 15, 22, 29, 44, 61, 91)
"""The same where they are finer."""

TIES: Final[tuple[Ties, Ties]] = ("first", "last")
"""All ties for the market with the lower number, and all for the other."""


def sensitivity_table(baseline: Baseline, *, window: int | None = None, upper: Entries | None = None) -> pd.DataFrame:
    """Return how many edges other definitions find, and how many of the base's, `graphs.contracts.SENSITIVITY`.

    Parameters
    ----------
    baseline
        The baseline of all entries.
    window
        Days within which the target must follow, the bound included (default: 60, on weekly charts 56).
    upper
        Entries into the upper half of the charts, with the same calendar (default: no such variant).

    Returns
    -------
    DataFrame
        One row per variant; a variant that has no steps is left out.

    Notes
    -----
    Each variant changes one thing. ``decaying``: a step weighs half as much with every quarter of the window that its
    lag is longer; for the order, weights below 1 are tested as if they were whole steps, so that fewer pairs are
    ordered. ``ties for``: all ties of a pair count for the direction that is judged; ``ties against``: for the opposite
    one; in the base they count for neither. The halves are those of the time from the first step to the last, each with
    a baseline of its own; the second is held against the first.

    Examples
    --------
    >>> list(graphs.baseline.sensitivity_table(base))  # base = graphs.baseline.baseline(entries)
    ['variant', 'against', 'tested', 'edges', 'found_again', 'ordered', 'correlation']
    """
    window = baseline.entries.calendar.default_window if window is None else window
    variants = {"base": lambda: _Judged.of(PairSums.of(baseline, window=window))} | _variants(baseline, window, upper)
    judged = zip(variants, in_order(_judged, variants.values(), most=BASELINES_AT_ONCE), strict=True)
    known, rows = {name: own for name, own in judged if own is not None}, []
    for name, own in known.items():
        against = "first half" if name == "second half" and "first half" in known else "base"
        rows.append({"variant": name, "against": against} | _compared(own, known[against]))
    return pd.DataFrame(rows)


def _judged(judge: "Callable[[], _Judged]") -> "_Judged | None":
    """Return what a variant finds; None where it has no steps."""
    try:
        return judge()
    except DataSaysNoError:
        return None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is found of all pairs, (m, m) each: p and p of the order, NaN where not tested, and logarithms of lifts."""

    p: Floats
    p_order: Floats
    log: Floats

    @classmethod
    def of(cls, sums: PairSums) -> Self:
        tested = seen(sums)
        p = np.where(tested, presence_p(sums), np.nan)
        p_order = np.where(tested & tested.T, order_p(sums), np.nan)
        return cls(p, p_order, log_lift(sums))

    @property
    def edge(self) -> Flags:
        edge: Flags = adjusted(self.p) <= FDR
        return edge

    @property
    def ordered(self) -> Flags:
        ordered: Flags = self.edge & (adjusted(self.p_order) <= FDR)
        return ordered

    def where(self, kept: Flags, other: Self) -> "_Judged":
        """Return this for some pairs, and another for the rest."""
        return _Judged(*(np.where(kept, getattr(self, name), getattr(other, name)) for name in ("p", "p_order", "log")))


def _variants(baseline: Baseline, window: int, upper: Entries | None) -> dict[str, Callable[[], _Judged]]:
    """Return the functions that judge all pairs, by variant."""

    def judged(window: int = window, kernel: Kernel = "indicator", **changes: Any) -> _Judged:
        other = fitted_again(baseline, **changes) if changes else baseline
        return _Judged.of(PairSums.of(other, window=window, kernel=kernel))

    days, _ = baseline.parts.days
    half = (int(days[0]) + int(days[-1])) // 2  # the last day of the first half
    found: dict[str, Callable[[], _Judged]] = {
        "window halved": partial(judged, window=max(window // 2, 1)),
        "window doubled": partial(judged, window=2 * window),
        "decaying": partial(judged, kernel="decaying"),
        "upper half": partial(judged, entries=upper),
        "coarser ages": partial(judged, ages=COARSER),
        "finer ages": partial(judged, ages=FINER),
        "ties for": partial(_with_ties, baseline, window, against=False),
        "ties against": partial(_with_ties, baseline, window, against=True),
        "first half": partial(judged, kept=partial(in_days, last=half)),
        "second half": partial(judged, kept=partial(in_days, first=half + 1)),
    }
    if upper is None:
        del found["upper half"]
    return found


def _with_ties(baseline: Baseline, window: int, *, against: bool) -> _Judged:
    """Judge every pair with its ties for the direction that is judged, or all against it."""
    first, last = (_Judged.of(PairSums.of(baseline, window=window, ties=ties)) for ties in TIES)
    # of a pair in the upper triangle the source has the lower number: ties are its own where the lower number is first
    upper = np.triu(np.ones(first.p.shape, np.bool_))
    return last.where(upper, first) if against else first.where(upper, last)


def _compared(own: _Judged, other: _Judged) -> dict[str, float]:
    """Return what is found, and how much of it agrees with what another variant finds."""
    tested, edge, known = ~np.isnan(own.p), own.edge, other.edge
    both = tested & ~np.isnan(other.p)
    scatter = both.any() and min(own.log[both].std(), other.log[both].std()) > 0
    return {
        "tested": int(tested.sum()),
        "edges": int(edge.sum()),
        "found_again": float(edge[known].mean()) if known.any() else np.nan,
        "ordered": int(own.ordered.sum()),
        "correlation": float(np.corrcoef(own.log[both], other.log[both])[0, 1]) if scatter else np.nan,
    }

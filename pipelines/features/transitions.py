"""Tables of transitions between markets, learned from windows that are over, with or without forgetting."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats
from pipelines.features.history import History
from pipelines.features.windows import Windows, closed_windows

PRIOR: Final = 10.0
"""Tracks by which the rate of a pair is shrunk to the market's own: so many at the rate of all tracks are added."""


class Transitions:
    """Transitions from the markets of the footprint within a horizon, counted as soon as the horizon is over.

    Parameters
    ----------
    horizon
        Days within which an entry counts.
    half_life
        Days after which a window counts half; None: windows count for ever.
    """

    def __init__(self, horizon: int, half_life: float | None = None) -> None:
        self.horizon = horizon
        self.half_life = half_life
        self._closed_until = np.iinfo(np.int32).min
        self._tables: dict[str, Floats] = {}

    def advance(self, known: History, day: int) -> Windows:
        """Count the windows that were over by a day and not counted before; return them."""
        last = day - self.horizon
        first = max(self._closed_until + 1, known.first_day)
        windows = closed_windows(known, first, last, self.horizon)
        if not self._tables:
            m = len(known.markets)
            shapes = {"credits": (m, m), "entries": (m, m), "exposed": (m, m), "entered": (m,), "at_risk": (m,)}
            self._tables = {name: np.zeros(shape) for name, shape in shapes.items()}
        if last >= first:
            if self.half_life is not None:
                for table in self._tables.values():
                    table *= 0.5 ** ((last - first + 1) / self.half_life)
            self._count(windows)
            self._closed_until = last
        return windows

    def _count(self, windows: Windows) -> None:
        senders = windows.senders.astype(np.float64)
        entered, at_risk = windows.entered.astype(np.float64), windows.at_risk.astype(np.float64)
        footprint = np.equal(windows.days, 0).sum(axis=1, keepdims=True)
        tables = self._tables
        tables["credits"] += (senders / footprint).T @ entered
        tables["entries"] += senders.T @ entered
        tables["exposed"] += senders.T @ at_risk
        tables["entered"] += entered.sum(axis=0)
        tables["at_risk"] += at_risk.sum(axis=0)

    def market_rates(self) -> Floats:
        """Return, (m,), the share of the tracks at risk that entered each market, shrunk to that of all markets."""
        entered, at_risk = self._tables["entered"], self._tables["at_risk"]
        overall = entered.sum() / max(at_risk.sum(), 1)
        rates: Floats = (entered + PRIOR * overall) / (at_risk + PRIOR)
        return rates

    def credit_rates(self) -> Floats:
        """Return, (m, m), credits per exposed track of the sender (rows), shrunk to the receiver's own rate."""
        return self._rates("credits")

    def rates(self) -> Floats:
        """Return, (m, m), the share of the sender's exposed tracks that entered the receiver, shrunk likewise."""
        return self._rates("entries")

    def _rates(self, name: str) -> Floats:
        rates: Floats = (self._tables[name] + PRIOR * self.market_rates()) / (self._tables["exposed"] + PRIOR)
        return rates

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array of what was counted."""
        return {
            **{name: table.copy() for name, table in self._tables.items()},
            "closed_until": np.array(self._closed_until),
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from what was counted."""
        self._tables = {name: np.array(table, np.float64) for name, table in state.items() if name != "closed_until"}
        self._closed_until = int(state["closed_until"])


def either(rates: Floats, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return, (n, m), the chance that at least one market leads to entry: one minus the product of (1 − rate) ^ weight.

    Parameters
    ----------
    rates
        (m, m), sender in rows.
    weights
        (n, m): how much each market entered counts, 0 for the others.

    Examples
    --------
    >>> either(np.array([[0.5, 0.75], [0.5, 0.5]]), np.array([[1, 1], [0, 2]], np.float32)).tolist()
    [[0.75, 0.875], [0.75, 0.75]]
    """
    # in double precision, so that chances that are equal have one place
    missed = weights.astype(np.float64) @ np.log1p(-rates.clip(0, 0.99))
    chance: NDArray[np.float32] = -np.expm1(missed).astype(np.float32)
    return chance

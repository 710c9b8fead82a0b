"""How much tracks spread lately, against what was expected of their footprints."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from graphs.next_market import StepRate
from pipelines.features.history import History
from pipelines.features.observations import debuts
from pipelines.features.scene import open_markets
from pipelines.features.windows import opened

HALF_LIFE: Final = 1 / 3
"""Horizons after which a debut counts half."""

SPAN: Final = 4
"""Horizons after which a debut is forgotten."""

PRIOR: Final = 20.0
"""Entries, as many as expected, that are added to those of the debuts."""


class Level:
    """Entries seen so far over entries expected so far, of recent debuts; windows not over count by their age.

    Parameters
    ----------
    horizon
        Days after the debut within which entries count.

    References
    ----------
    Breslow, N. E. & Day, N. E. (1987). Statistical methods in cancer research II, chapter 2 (indirect standardisation).
    IARC Scientific Publications 82.
    """

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self._days: Ints = np.zeros(0, np.int64)
        self._expected: Floats = np.zeros(0)
        self._seen: Floats = np.zeros(0)

    def advance(self, known: History, day: int, rate: StepRate | None) -> None:
        """Count the entries of a day, and add its debuts with what the rate expects of them."""
        entries = known.entries.between(day, day)
        debut = debuts(known)[entries.track]
        place = np.searchsorted(self._days, debut)
        ours = (place < len(self._days)) & (debut < day) & (day - debut <= self.horizon)
        ours[ours] = self._days[place[ours]] == debut[ours]
        # only markets that could be entered from the debut on were expected
        start = opened(known, day)[entries.market] + known.rules.washout
        ours &= start <= debut
        self._seen += np.bincount(place[ours], minlength=len(self._days))[: len(self._days)]
        kept = self._days > day - SPAN * self.horizon
        self._days, self._expected, self._seen = self._days[kept], self._expected[kept], self._seen[kept]
        if rate is not None:
            self._days = np.append(self._days, day)
            self._expected = np.append(self._expected, _expected(known, day, debut == day, rate))
            self._seen = np.append(self._seen, 0.0)

    def value(self, day: int, rate: StepRate) -> float:
        """Return entries seen over entries expected; 1 where nothing was expected yet."""
        age = day - self._days
        weight = 0.5 ** (age / (HALF_LIFE * self.horizon))
        due = weight @ (self._expected * rate.arrived[np.minimum(age, self.horizon)])
        return float((weight @ self._seen + PRIOR) / (due + PRIOR))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array: the debuts that count."""
        return {"days": self._days.copy(), "expected": self._expected.copy(), "seen": self._seen.copy()}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state that `state` returned."""
        self._days = np.array(state["days"], np.int64)
        self._expected, self._seen = np.array(state["expected"], np.float64), np.array(state["seen"], np.float64)


def _expected(known: History, day: int, new: NDArray[np.bool_], rate: StepRate) -> float:
    """Return the expected entries of all tracks with a timed debut on a day."""
    entries = known.entries.between(day, day)
    track, row = np.unique(entries.track[new], return_inverse=True)
    footprint = np.zeros((len(track), len(known.markets)), np.bool_)
    footprint[row, entries.market[new]] = True
    timed = np.bincount(row, entries.timed[new], minlength=len(track)) > 0
    at_risk = (open_markets(known, day) & ~footprint).sum(axis=1)
    return float(rate.expected(footprint[timed], at_risk[timed]).sum())

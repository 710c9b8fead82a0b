"""Co-charting features: in which markets tracks of the markets entered so far chart as well."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Flags, Floats, Ints
from pipelines.features.history import History
from pipelines.features.registry import Feature, Values
from pipelines.features.relatives import RowsByKey
from pipelines.features.scene import Scene

HALF_LIVES: Final = {"lasting": None, "recent": 1.6, "fresh": 0.25}
"""Table → horizons after which an entry counts half; None: entries count for ever."""

RIDGES: Final = {"lasting": 0.02, "recent": 0.05, "fresh": 0.15}
"""Table → ridge, as a share of one plus the mean of the diagonal; the less a table holds, the more."""

PRIOR: Final = 5.0
"""Entries without company that are added to those of a market before the cosine is taken."""


def _charting(name: str, meaning: str) -> Feature:
    return Feature(name, "score", meaning, ("charts",), "as of", "cross-border")


class CoCharting:
    """Regressions of charting in a market on charting in the others, over all tracks so far.

    A track of k markets counts 1 / √k for every pair of them, from the entry into the later one on.

    Parameters
    ----------
    horizon
        Days within which entries count.
    """

    features: Final = (
        _charting(
            "charting_regression_lasting", "Ridge regression of charting in the market on charting in the other "
            "markets (all entries so far), at the markets entered, divided by the root of their number."
        ),
        _charting("charting_regression_recent", "The same, entries counting half after 1.6 horizons."),
        _charting("charting_regression_fresh", "The same, entries counting half after a quarter of the horizon."),
        _charting(
            "charting_cosine", "Cosine between the tracks of the market and those of a market entered, with 5 entries "
            "more of each; mean over the markets entered."
        ),
    )  # fmt: skip

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self._entries = RowsByKey()
        self._tables: dict[str, Floats] = {}
        self._day = -1

    def advance(self, known: History, day: int) -> None:
        """Count the day's entries with all entries of their tracks."""
        m = len(known.markets)
        if not self._tables:
            self._tables = {name: np.zeros((m, m)) for name in HALF_LIVES}
        charted, today = charted_by_now(known, self._entries, day)[1:]
        weighted = today / np.sqrt(np.maximum(charted.sum(axis=1, keepdims=True), 1))
        pairs = weighted.T @ (charted & ~today)
        for name, half_life in HALF_LIVES.items():
            if half_life is not None and self._day >= 0:
                self._tables[name] *= 0.5 ** ((day - self._day) / (half_life * self.horizon))
            self._tables[name] += pairs + pairs.T + weighted.T @ today
        self._day = day

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        entered = scene.entered.astype(np.float64)
        number = np.maximum(entered.sum(axis=1, keepdims=True), 1)
        found = {
            f"charting_regression_{name}": entered @ co_charting(table, RIDGES[name]) / np.sqrt(number)
            for name, table in self._tables.items()
        }
        found["charting_cosine"] = entered @ _cosines(self._tables["lasting"]) / number
        return {name: values.astype(np.float32) for name, values in found.items()}

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array: the tables, and the day they stand at."""
        return {**{name: table.copy() for name, table in self._tables.items()}, "day": np.array(self._day)}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state that `state` returned."""
        self._tables = {name: np.array(state[name], np.float64) for name in HALF_LIVES if name in state}
        self._day = int(state["day"])
        self._entries = RowsByKey()


def charted_by_now(known: History, entries: RowsByKey, day: int) -> tuple[Ints, Flags, Flags]:
    """Return the tracks that enter on a day, in order, and, (n, m) each, where they have entered and enter that day.

    Parameters
    ----------
    known
        History until the day.
    entries
        Rows of the entries of that history, by track.
    """
    new = known.entries.between(day, day)
    track, row = np.unique(new.track, return_inverse=True)
    charted = np.zeros((len(track), len(known.markets)), np.bool_)
    at, place = entries.find(known.entries.track, track)
    charted[at, known.entries.market[place]] = True
    today = np.zeros_like(charted)
    today[row, new.market] = True
    return track.astype(np.int64), charted, today


def co_charting(together: Floats, ridge: float) -> Floats:
    """Return, (m, m), the ridge regression of entry into each market (columns) on entry into the others.

    The coefficients of all markets follow from one inverse P of the table with the ridge: − P[a, b] / P[b, b].

    Parameters
    ----------
    together
        (m, m): how often tracks have entered both markets.
    ridge
        Ridge, as a share of one plus the mean of the diagonal over the markets that have entries.

    References
    ----------
    Steck, H. (2019). Embarrassingly shallow autoencoders for sparse data. WWW '19, doi 10.1145/3308558.3313710.
    """
    seen = max(np.count_nonzero(np.diag(together)), 1)  # not all markets: some of them open later
    inverse = np.linalg.inv(together + np.eye(len(together)) * ridge * (1 + np.trace(together) / seen))
    coefficients: Floats = -inverse / np.diag(inverse)
    np.fill_diagonal(coefficients, 0)
    return coefficients


def _cosines(together: Floats) -> Floats:
    """Return, (m, m), the table over the roots of its diagonal, to which `PRIOR` is added."""
    size = np.sqrt(np.diag(together) + PRIOR)
    cosines: Floats = together / size / size[:, None]
    return cosines

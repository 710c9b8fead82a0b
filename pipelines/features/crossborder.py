"""Cross-border features: what entries into the markets entered so far have meant for entry into the market."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats
from pipelines.features.cocharting import co_charting
from pipelines.features.history import History
from pipelines.features.observations import debuts
from pipelines.features.regional import extreme
from pipelines.features.registry import Feature, Known, Values
from pipelines.features.scene import Scene
from pipelines.features.transitions import Transitions, either
from pipelines.features.windows import Windows, positions

LAG_PRIOR: Final = 5.0
"""Entries at the market's own lags that are added to those of a pair before the median is taken."""

TIE_PRIOR: Final = 10.0
"""Entries without a tie that are added to those of a market."""

RIDGE: Final = 0.05
"""Ridge of the regression on co-charting, as a share of one plus the mean of the diagonal."""


def _cross(name: str, unit: str, meaning: str, known: Known = "closed windows") -> Feature:
    return Feature(name, unit, meaning, ("charts",), known, "cross-border")


class CrossBorder:
    """Transitions, lags, ties and steps between the markets entered so far and the market.

    Parameters
    ----------
    horizon
        Days within which entries count.
    """

    features: Final = (
        _cross(
            "transition_chance", "0 … 1", "Chance of entry within the horizon: credits (1 / size of the footprint for "
            "each sender) per exposed track, shrunk, combined over the markets entered as independent chances."
        ),
        _cross("transition_chance_recent", "0 … 1", "The same, windows counting half after two horizons."),
        _cross("transition_chance_soon", "0 … 1", "The same for entry within a quarter of the horizon."),
        _cross(
            "transition_chance_weighted", "0 … 1", "`transition_chance` with markets entered weighted by rank: 1.5 at "
            "the top of the latest chart, 0.5 at its end or off it."
        ),
        _cross("transition_share", "share", "`transition_chance` as a share of its sum over the markets not entered."),
        _cross("transition_total", "entries", "Sum of `transition_chance` over the open markets not entered."),
        _cross(
            "transition_rate_most", "0 … 1", "Largest share, over the markets entered, of exposed tracks that entered "
            "the market within the horizon (shrunk)."
        ),
        _cross("transition_rate_mean", "0 … 1", "Mean of that share over the markets entered."),
        _cross("transition_lift", "ratio", "`transition_rate_mean` over the market's share among all tracks."),
        _cross(
            "transition_lag", "days", "Median days from debut to entry of tracks with a market entered in their "
            "footprint; mean over the markets entered, weighted by their credits."
        ),
        _cross("transition_lag_least", "days", "The least of those medians."),
        _cross(
            "tie_share", "share", "Share of a market's entries that fell on the date of the track's entry into this "
            "market, each split by the other markets of the date; mean over the markets entered.", "as of"
        ),
        _cross("tie_share_recent", "share", "The same, entries counting half after two horizons.", "as of"),
        _cross(
            "tie_regression", "score", "Ridge regression of entry on a date on the other entries of the date (recent "
            "entries), at the markets entered, divided by the root of their number.", "as of"
        ),
        _cross(
            "step_flow", "entries", "Recent entries into the market after one into a market entered, within a horizon "
            "of the debut, split by the markets entered before; per entry into that market; summed.", "as of"
        ),
    )  # fmt: skip

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.half_life = 2.0 * horizon
        self._transitions = {
            "all": Transitions(horizon),
            "recent": Transitions(horizon, self.half_life),
            "soon": Transitions(max(1, horizon // 4), self.half_life),
        }
        self._tables: dict[str, NDArray[np.float64]] = {}
        self._day = -1

    def advance(self, known: History, day: int) -> None:
        """Take in the charts of a day."""
        m = len(known.markets)
        if not self._tables:
            shapes = {"lags": (m, m, self.horizon), "market_lags": (m, self.horizon)}
            shapes |= dict.fromkeys(("ties", "ties_recent", "together", "steps"), (m, m))
            shapes |= dict.fromkeys(("entries", "entries_recent"), (m,))
            self._tables = {name: np.zeros(shape) for name, shape in shapes.items()}
        for name, transitions in self._transitions.items():
            windows = transitions.advance(known, day)
            if name == "all":
                self._count_lags(windows)
        if self._day >= 0:
            for name in ("ties_recent", "together", "entries_recent", "steps"):
                self._tables[name] *= 0.5 ** ((day - self._day) / self.half_life)
        self._day = day
        self._count_entries(known, day)

    def _count_lags(self, windows: Windows) -> None:
        row, target = np.nonzero(windows.entered)
        lag = windows.days[row, target].astype(np.int64) - 1
        np.add.at(self._tables["market_lags"], (target, lag), 1.0)
        entry, source = np.nonzero(windows.senders[row])
        np.add.at(self._tables["lags"], (source, target[entry], lag[entry]), 1.0)

    def _count_entries(self, known: History, day: int) -> None:
        """Count the ties of a day's entries, and the steps to them from the markets entered before."""
        m, tables = len(known.markets), self._tables
        recent = known.entries.between(day - self.horizon, day)
        today = recent.day == day
        track, row = np.unique(recent.track[today], return_inverse=True)
        new = np.zeros((len(track), m))
        new[row, recent.market[today]] = 1
        size = new.sum(axis=1, keepdims=True)
        ties = (new / np.maximum(size - 1, 1)).T @ new
        np.fill_diagonal(ties, 0)
        for suffix in ("", "_recent"):
            tables[f"ties{suffix}"] += ties
            tables[f"entries{suffix}"] += new.sum(axis=0)
        tables["together"] += (new / np.sqrt(np.maximum(size, 1))).T @ new
        at = np.searchsorted(track, recent.track[~today])
        ours = at < len(track)
        ours[ours] = track[at[ours]] == recent.track[~today][ours]
        before = np.zeros((len(track), m))
        before[at[ours], recent.market[~today][ours]] = 1
        before[debuts(known)[track] < day - self.horizon] = 0  # began too long ago
        tables["steps"] += (before / np.maximum(before.sum(axis=1, keepdims=True), 1)).T @ new

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        entered = scene.entered.astype(np.float32)
        number = np.maximum(entered.sum(axis=1, keepdims=True), 1)
        found = {
            **self._chances(known, scene, entered),
            **self._rates(scene, entered / number),
            **self._lags(scene, entered),
            **self._ties(entered, number),
        }
        return found

    def _chances(self, known: History, scene: Scene, entered: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        rates = {name: transitions.credit_rates() for name, transitions in self._transitions.items()}
        chance = either(rates["all"], entered)
        possible = np.where(scene.open & ~scene.entered, chance, 0)
        total = possible.sum(axis=1)
        return {
            "transition_chance": chance,
            "transition_chance_recent": either(rates["recent"], entered),
            "transition_chance_soon": either(rates["soon"], entered),
            "transition_chance_weighted": either(rates["all"], positions(known, scene)),
            "transition_share": chance / np.where(total > 0, total, np.nan)[:, None],
            "transition_total": total,
        }

    def _rates(self, scene: Scene, shares: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        transitions = self._transitions["all"]
        rates = transitions.rates().astype(np.float32)
        mean = shares @ rates
        own = transitions.market_rates().astype(np.float32)
        return {
            "transition_rate_most": extreme(scene, rates, most=True),
            "transition_rate_mean": mean,
            "transition_lift": mean / np.where(own > 0, own, np.nan),
        }

    def _lags(self, scene: Scene, entered: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        medians = self.lag_medians().astype(np.float32)
        weights = np.where(np.isfinite(medians), self._transitions["all"].credit_rates(), 0).astype(np.float32)
        total = entered @ weights
        total[total == 0] = np.nan
        lag: NDArray[np.float32] = entered @ (weights * np.nan_to_num(medians)) / total
        return {"transition_lag": lag, "transition_lag_least": extreme(scene, medians, most=False)}

    def _ties(self, entered: NDArray[np.float32], number: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        tables = self._tables
        found = {}
        for suffix in ("", "_recent"):
            share = tables[f"ties{suffix}"] / (tables[f"entries{suffix}"][:, None] + TIE_PRIOR)
            found[f"tie_share{suffix}"] = entered @ share.astype(np.float32) / number
        # in double precision, so that scores that are equal have one place
        exact = entered.astype(np.float64)
        found["tie_regression"] = (exact @ co_charting(tables["together"], RIDGE) / np.sqrt(number)).astype(np.float32)
        flow = tables["steps"] / (tables["entries_recent"][:, None] + TIE_PRIOR)
        found["step_flow"] = (exact @ flow).astype(np.float32)
        return found

    def lag_medians(self) -> Floats:
        """Return, (m, m), median days from debut to entry, sender in rows; NaN where the market was never entered."""
        own = self._tables["market_lags"]
        number = own.sum(axis=1, keepdims=True)
        share = own / np.where(number > 0, number, np.nan)
        running = np.cumsum(self._tables["lags"] + LAG_PRIOR * share, axis=2)
        median = np.argmax(running >= running[:, :, -1:] / 2 - 1e-9, axis=2) + 1.0
        return np.where(number[:, 0] > 0, median, np.nan)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array: everything learned so far."""
        parts = {
            f"{name}.{part}": array
            for name, transitions in self._transitions.items()
            for part, array in transitions.state().items()
        }
        return {**{name: table.copy() for name, table in self._tables.items()}, "day": np.array(self._day), **parts}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state that `state` returned."""
        for name, transitions in self._transitions.items():
            own = {key: array for key, array in state.items() if key.startswith(f"{name}.")}
            transitions.restore({key.removeprefix(f"{name}."): array for key, array in own.items()})
        self._tables = {
            key: np.array(array, np.float64) for key, array in state.items() if "." not in key and key != "day"
        }
        self._day = int(state["day"])

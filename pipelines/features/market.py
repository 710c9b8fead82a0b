"""State of the market: how often tracks enter it, how many newcomers its charts had lately, and how old they were."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats
from pipelines.features.history import History
from pipelines.features.observations import debuts
from pipelines.features.registry import Feature, Known, Values
from pipelines.features.scene import Scene
from pipelines.features.transitions import Transitions
from pipelines.features.windows import depths

CHARTS: Final = 13
"""Latest charts of each market that are remembered: a quarter of weekly charts."""

FEW: Final = 4
"""Latest charts that tell what the market is like now."""

_COUNTS: Final = ("newcomers", "imports", "import_ages", "depth", "charts")


def _market(name: str, unit: str, meaning: str, known: Known = "as of") -> Feature:
    return Feature(name, unit, meaning, ("charts",), known, "regional")


class Market:
    """Base rate of the market, and its newcomers on its latest charts.

    A newcomer is a track's first entry into the market; an import is one that had entered another market before.

    Parameters
    ----------
    horizon
        Days within which entries count.
    """

    features: Final = (
        _market(
            "market_rate", "0 … 1", "Share of the tracks at risk that entered the market within the horizon, shrunk to "
            "that of all markets.", "closed windows",
        ),
        _market(
            "market_rate_recent", "0 … 1", "The same, windows counting half after two horizons.", "closed windows"
        ),
        _market("newcomers_few", "tracks", f"Newcomers per chart on the market's latest {FEW} charts."),
        _market("newcomers_many", "tracks", f"Newcomers per chart on the market's latest {CHARTS} charts."),
        _market("imports_few", "tracks", f"Imports per chart on the market's latest {FEW} charts."),
        _market("import_share", "share", f"Share of imports among the newcomers of the latest {CHARTS} charts."),
        _market("import_age", "days", f"Mean days from debut to import, imports of the latest {CHARTS} charts."),
        _market("turnover", "share", f"Newcomers per position on the latest {FEW} charts."),
        _market("chart_depth", "positions", "Positions on the market's latest chart."),
    )  # fmt: skip

    def __init__(self, horizon: int) -> None:
        self._rates = {"all": Transitions(horizon), "recent": Transitions(horizon, 2.0 * horizon)}
        self._latest: dict[str, Floats] = {}

    def advance(self, known: History, day: int) -> None:
        """Take in the charts of a day."""
        for transitions in self._rates.values():
            transitions.advance(known, day)
        m = len(known.markets)
        if not self._latest:
            self._latest = {name: np.zeros((CHARTS, m)) for name in _COUNTS}
        charts, entries = known.observed.between(day, day), known.entries.between(day, day)
        age = day - debuts(known)[entries.track]
        own = {
            "newcomers": np.bincount(entries.market, minlength=m),
            "imports": np.bincount(entries.market[age > 0], minlength=m),
            "import_ages": np.bincount(entries.market, age, minlength=m),
            "depth": np.bincount(charts.market, charts.depth, minlength=m),
            "charts": np.bincount(charts.market, minlength=m),
        }
        here = own["charts"] > 0
        for name, rows in self._latest.items():
            rows[1:, here] = rows[:-1, here]
            rows[0, here] = own[name][here]

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the markets of a day."""
        few = {name: rows[:FEW].sum(axis=0) for name, rows in self._latest.items()}
        many = {name: rows.sum(axis=0) for name, rows in self._latest.items()}
        found = {
            "market_rate": self._rates["all"].market_rates(),
            "market_rate_recent": self._rates["recent"].market_rates(),
            "newcomers_few": _ratio(few["newcomers"], few["charts"]),
            "newcomers_many": _ratio(many["newcomers"], many["charts"]),
            "imports_few": _ratio(few["imports"], few["charts"]),
            "import_share": _ratio(many["imports"], many["newcomers"]),
            "import_age": _ratio(many["import_ages"], many["imports"]),
            "turnover": _ratio(few["newcomers"], few["depth"]),
            "chart_depth": depths(known, scene.day),
        }
        return {name: values.astype(np.float32) for name, values in found.items()}

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array: everything learned so far."""
        rates = {f"{name}.{key}": one for name, part in self._rates.items() for key, one in part.state().items()}
        return {**{name: rows.copy() for name, rows in self._latest.items()}, **rates}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state that `state` returned."""
        self._latest = {name: np.array(state[name], np.float64) for name in _COUNTS if name in state}
        for name, transitions in self._rates.items():
            own = {key.removeprefix(f"{name}."): one for key, one in state.items() if key.startswith(f"{name}.")}
            transitions.restore(own)


def _ratio(number: Floats, of: Floats) -> Floats:
    """Return number / of, NaN where `of` is 0."""
    ratio: Floats = number / np.where(of > 0, of, np.nan)
    return ratio

"""Graph features: the choice of the next market, the baseline, leaders and communities, as of the last cut-off."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats
from diffusion.errors import DataSaysNoError
from graphs.next_market import Preferences, StepRate
from pipelines.features.graph_fits import baseline_arrays, choice_arrays
from pipelines.features.history import History
from pipelines.features.level import Level
from pipelines.features.places import add_places, with_places
from pipelines.features.registry import Feature, Values
from pipelines.features.scene import Scene

CUTOFF: Final = 14
"""Days from one cut-off to the next."""

TOGETHER_EVERY: Final = 6
"""Cut-offs from one fit of the preferences within footprints to the next: it is the slowest of the regular fits."""


def _graph(name: str, unit: str, meaning: str) -> Feature:
    return Feature(name, unit, meaning, ("charts",), "as of", "graph")


class Graph:
    """Scores of the market and of the markets entered so far, fitted at cut-offs to all that was seen by then.

    Given that there was a step, where it went does not depend on when follow-up ended: open windows count with what was
    seen so far.

    Parameters
    ----------
    horizon
        Days after the debut within which entries count.
    """

    features: Final = (
        _graph(
            "choice_share", "share", "Chance that the market is next, given that the track enters one of the open "
            "markets: choice model of the markets entered so far (`graphs.next_market_choice`).",
        ),
        *with_places(
            _graph("choice_score", "log", "Log of the market's weight in that choice, its mean over open markets 0.")
        ),
        _graph("choice_size", "log", "The market's size in that choice: its weight for a track without affinities."),
        _graph("choice_affinity", "log", "What the markets entered add to the logarithm of the market's weight."),
        _graph("choice_together", "log", "What the markets entered add to it within footprints of one date."),
        _graph("choice_focus", "bits", "Bits by which that choice is more certain than one among equal markets."),
        _graph(
            "step_rate", "entries", "Expected entries within the horizon after a debut in the markets entered so far "
            "(Poisson regression on windows that are over).",
        ),
        _graph(
            "step_level", "ratio", "Entries seen over entries expected so far, of recent debuts (half as much after a "
            "third of the horizon).",
        ),
        _graph("step_any", "0 … 1", "Chance of any entry within the horizon: 1 − exp(− `step_rate` × `step_level`)."),
        _graph(
            "step_chance", "0 … 1", "Chance of entry into the market: 1 − exp(− `step_rate` × `step_level` × "
            "`choice_share`).",
        ),
        _graph(
            "baseline_size", "log", "The market's size at the track's age in the baseline (`graphs.baseline`), fitted "
            "each time the history has doubled.",
        ),
        _graph("baseline_likeness", "log", "Mean, over the markets entered, of the log likeness in that baseline."),
        _graph("target_out_share", "share", "Steps from the market as a share of those from and to it."),
        _graph("leader_out_share", "share", "Mean of that share over the markets entered."),
        _graph("leader_springrank", "score", "Mean SpringRank of the markets entered, on credited steps."),
        _graph("leader_pagerank", "share", "Sum of the PageRanks on the reversed flow of the markets entered."),
        _graph("same_community", "share", "Share of the markets entered in the market's community (Leiden)."),
    )  # fmt: skip

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self._cutoffs = 0
        self._learned: dict[str, Floats] = {}
        self._level = Level(horizon)

    def advance(self, known: History, day: int) -> None:
        """Take in the charts of a day: fit again where a cut-off has been passed, and count entries."""
        self._fit(known, day)
        self._level.advance(known, day, self._rate())

    def _rate(self) -> StepRate | None:
        learned = self._learned
        if "rate_level" not in learned:
            return None
        return StepRate(float(learned["rate_level"]), learned["coefficient"], learned["reach"], learned["arrived"])

    def _fit(self, known: History, day: int) -> None:
        passed = (day - known.first_day) // CUTOFF
        if passed <= self._cutoffs:
            return
        seen = known.until(known.first_day + passed * CUTOFF)
        together = passed // TOGETHER_EVERY > self._cutoffs // TOGETHER_EVERY
        doubled = passed.bit_length() > self._cutoffs.bit_length()
        try:
            self._learned |= choice_arrays(seen, self.horizon, self._learned, together=together)
            if doubled:
                self._learned |= baseline_arrays(seen, self.horizon)
        except DataSaysNoError:
            pass  # too little has been seen: what is missing stays missing until the next cut-off
        self._cutoffs = passed

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        missing = np.full(scene.since_entry.shape, np.nan, np.float32)
        found: dict[str, NDArray[np.float32]] = {feature.name: missing for feature in self.features}
        if "size" in self._learned:
            found |= self._choice(scene) | self._standing(scene)
        rate = self._rate()
        if rate is not None:
            found |= self._steps(scene, rate, found["choice_share"])
        if "baseline_size" in self._learned:
            found |= self._baseline(scene)
        return add_places(self.features, found, scene)

    def _choice(self, scene: Scene) -> dict[str, NDArray[np.float32]]:
        learned = self._learned
        fit = Preferences(learned["size"], learned["affinity"])
        at_risk = scene.open & ~scene.entered
        log = np.where(at_risk, fit.log_weights(scene.entered), np.nan)
        number = at_risk.sum(axis=1, keepdims=True)
        share = fit.chances(scene.entered, at_risk)
        bits = (share * np.log2(np.where(share > 0, share, 1))).sum(axis=1)
        middle = np.where(at_risk, log, 0).sum(axis=1, keepdims=True) / np.maximum(number, 1)
        together = Preferences(np.zeros(len(fit.size)), learned["together"])
        alone = Preferences(np.zeros(len(fit.size)), fit.affinity)
        return {
            "choice_share": np.where(at_risk, share, np.nan).astype(np.float32),
            "choice_score": (log - middle).astype(np.float32),
            "choice_size": fit.size.astype(np.float32),
            "choice_affinity": alone.log_weights(scene.entered),
            "choice_together": together.log_weights(scene.entered),
            "choice_focus": (np.log2(np.maximum(number[:, 0], 1)) + bits).astype(np.float32),
        }

    def _steps(self, scene: Scene, rate: StepRate, share: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        number = (scene.open & ~scene.entered).sum(axis=1)
        expected = rate.expected(scene.entered, number)
        level = self._level.value(scene.day, rate)
        return {
            "step_rate": expected.astype(np.float32),
            "step_level": np.full(len(expected), level, np.float32),
            "step_any": -np.expm1(-level * expected).astype(np.float32),
            "step_chance": -np.expm1(-level * expected[:, None] * share).astype(np.float32),
        }

    def _standing(self, scene: Scene) -> dict[str, NDArray[np.float32]]:
        """Return the leaders' scores of the markets entered, and the share of them in the market's community."""
        learned = self._learned
        entered = scene.entered.astype(np.float64)
        shares = entered / np.maximum(entered.sum(axis=1, keepdims=True), 1)
        found = {
            "target_out_share": learned["out_share"],
            "leader_out_share": shares @ np.nan_to_num(learned["out_share"], nan=0.5),
            "leader_springrank": shares @ learned["springrank"],
            "leader_pagerank": entered @ learned["pagerank"],
            "same_community": shares @ learned["same_community"],
        }
        return {name: values.astype(np.float32) for name, values in found.items()}

    def _baseline(self, scene: Scene) -> dict[str, NDArray[np.float32]]:
        learned = self._learned
        entered = scene.entered.astype(np.float64)
        shares = entered / np.maximum(entered.sum(axis=1, keepdims=True), 1)
        old = np.maximum(np.searchsorted(learned["baseline_age"], scene.age + 1, side="right") - 1, 0)
        return {
            "baseline_size": learned["baseline_size"][old].astype(np.float32),
            "baseline_likeness": (shares @ learned["baseline_likeness"]).astype(np.float32),
        }

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array: everything learned so far."""
        learned = {name: np.array(values) for name, values in self._learned.items()}
        level = {f"level.{name}": values for name, values in self._level.state().items()}
        return {**learned, **level, "cutoffs": np.array(self._cutoffs)}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state that `state` returned."""
        self._cutoffs = int(state["cutoffs"])
        self._level.restore({name: state[f"level.{name}"] for name in self._level.state()})
        self._learned = {
            name: np.array(values, np.float64)
            for name, values in state.items()
            if name != "cutoffs" and not name.startswith("level.")
        }

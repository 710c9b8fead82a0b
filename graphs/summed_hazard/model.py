"""The model of all targets: coefficients and median lags are estimated in turn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Self

import numpy as np

from diffusion.arrays import Floats
from diffusion.errors import SettingError
from graphs.parallel import in_order
from graphs.summed_hazard.background import Cells
from graphs.summed_hazard.design import Design, target_design
from graphs.summed_hazard.followup import Tracks
from graphs.summed_hazard.lags import LONGEST, reached
from graphs.summed_hazard.shapes import LagWeights
from graphs.summed_hazard.solver import PRECISION, Problem, maximum, problem

Lag = Literal["pair", "shared"] | float

HIGHEST_ALPHA: Final = 20.0
"""Upper bound of α and of daily hazards. It is reached where every exposed track entered at once."""

ROUNDS: Final = 25
"""Rounds of lags and coefficients at most."""

LAG_PRECISION: Final = 0.01
"""Relative change of the median lags per round at which they have converged."""

ROUGH: Final = 1e-2
"""Rise of the log-likelihood that ends a fit of coefficients before the lags have converged."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit of t targets.

    Attributes
    ----------
    designs
        t of them.
    medians
        (t, m) days.
    coefficients
        (t, m + q): α of every sender, then the daily hazard of every background cell; 0 where nothing is exposed.
    middle
        Days: median lag of all pairs.
    window, cadence
        Days.
    """

    designs: tuple[Design, ...]
    medians: Floats
    coefficients: Floats
    middle: float
    window: int
    cadence: int

    @classmethod
    def start(cls, designs: Sequence[Design], *, middle: float, window: int, cadence: int) -> Self:
        """Return a fit not yet made."""
        senders, cells = len(designs[0].survived), len(designs[0].survived_days)
        return cls(
            designs=tuple(designs),
            medians=np.full((len(designs), senders), middle),
            coefficients=np.full((len(designs), senders + cells), np.nan),
            middle=middle,
            window=window,
            cadence=cadence,
        )

    def reach(self, target: int) -> Floats:
        """Return F of every sender, (m, w + 1)."""
        return reached(self.medians[target], self.window)

    def task(self, target: int, penalty: float = 0.0) -> Problem:
        """Return the likelihood of one target, with an exponential prior on α of rate `penalty`."""
        return target_problem(self.designs[target], self.reach(target), penalty)

    def fitted(self, *, penalty: float = 0.0, precision: float = PRECISION) -> "Fit":
        """Return the fit with the best coefficients for its lags, beginning from those that it has."""

        def best(target: int) -> Floats:
            task, old = self.task(target, penalty), self.coefficients[target]
            start = None if np.isnan(old).any() else old * task.unit
            beta = maximum(task, start, most=HIGHEST_ALPHA * task.unit, precision=precision)
            return np.divide(beta, task.unit, out=np.zeros_like(beta), where=task.unit > 0)

        return replace(self, coefficients=np.stack(in_order(best, range(len(self.designs)))))

    def credits(self, target: int) -> tuple[Floats, Floats]:
        """Return the share of each possible transmission (c,) and of each background cell (k, q) in its event.

        Shares are proportional to the integrated hazards within the event's interval; those of an event add up to 1.
        """
        design, reach = self.designs[target], self.reach(target)
        senders = len(design.survived)
        alpha, hazard = self.coefficients[target, :senders], self.coefficients[target, senders:]
        step = (reach[:, design.kinds[:, 1]] - reach[:, design.kinds[:, 0]])[design.sender, design.kind]
        sent = alpha[design.sender] * step * design.scale[design.row]
        own = design.event_days * hazard
        total = np.bincount(design.row, sent, len(design.track)) + own.sum(axis=1)
        return sent / total[design.row], own / total[:, None]

    def value(self) -> float:
        """Return the log-likelihood."""
        tasks = ((self.task(target), self.coefficients[target]) for target in range(len(self.designs)))
        return sum(task.value(known * task.unit) for task, known in tasks)


def target_problem(design: Design, reach: Floats, penalty: float = 0.0) -> Problem:
    """Return the likelihood of one target's entries; coefficients are those of the senders, then the background's."""
    events = np.hstack([design.events_by_sender(reach), design.event_days])
    survived = np.concatenate([np.einsum("ax,ax->a", design.survived, reach), design.survived_days])
    # sums of shares that cancel leave rounding behind, which is no exposure
    survived = np.where(survived > 1e-9, survived, 0.0)
    return problem(events, survived, np.r_[np.full(len(reach), penalty), np.zeros(len(design.survived_days))])


def designs_of(tracks: Tracks, cells: Cells, *, window: int, horizon: int, weight: Floats) -> list[Design]:
    """Return the designs of all markets."""
    return in_order(
        lambda market: target_design(tracks, cells, market, window=window, horizon=horizon, weight=weight),
        range(len(tracks.markets)),
    )


def fit_with_lags(designs: Sequence[Design], lag: Lag, *, window: int, cadence: int) -> Fit:
    """Return the fit of the targets, with a median lag of each pair, of all pairs, or as given (days).

    Lags and coefficients are found in turn (EM): credits say which lags were seen, the best lags for them give new
    credits.
    """
    if isinstance(lag, (int, float)):
        _check_lag(lag, window)
        return Fit.start(designs, middle=float(lag), window=window, cadence=cadence).fitted()
    if lag not in ("pair", "shared"):
        raise SettingError(f"lag is '{lag}'; allowed are 'pair', 'shared' and a number of days")
    fit = Fit.start(designs, middle=min(2.0 * cadence, LONGEST * window), window=window, cadence=cadence)
    for _ in range(ROUNDS):
        fit = fit.fitted(precision=ROUGH)
        credits = [fit.credits(target)[0] for target in range(len(designs))]
        weights = LagWeights(designs, credits, window=window, cadence=cadence)
        middle = weights.shared()
        medians = weights.by_pair(middle) if lag == "pair" else np.full_like(fit.medians, middle)
        moved = _change(fit, credits, medians)
        fit = replace(fit, middle=middle, medians=medians)
        if moved < LAG_PRECISION:
            break
    return fit.fitted()


def _check_lag(lag: float, window: int) -> None:
    if not 0 < lag <= LONGEST * window:
        most = LONGEST * window
        raise SettingError(f"a median lag of {lag:g} days does not fit a window of {window}; give at most {most:g}")


def _change(fit: Fit, credits: Sequence[Floats], medians: Floats) -> float:
    """Return by how much the median lags change on average, relative, pairs counted by their credits."""
    total = moved = 0.0
    for target, (design, credit) in enumerate(zip(fit.designs, credits, strict=True)):
        weight = np.bincount(design.sender, credit, medians.shape[1])
        moved += float(weight @ np.abs(np.log(medians[target] / fit.medians[target])))
        total += float(weight.sum())
    return moved / total if total else 0.0

"""A score of forecasts of when, for candidates whose markets were not all observed to the horizon."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from diffusion.arrays import Floats
from pipelines.backtest.held_out import HeldOut
from pipelines.models.examples import Examples, Forecast
from survival.validation.outcomes import Outcomes
from survival.validation.scores import brier_terms

TIMES: Final = 8
"""Days up to the horizon at which probabilities are scored, at most."""


def times_of(horizon: int, cadence: int) -> tuple[int, ...]:
    """Return the days at which probabilities are scored: multiples of the cadence, the horizon last.

    Examples
    --------
    >>> times_of(56, 7), times_of(14, 1), times_of(10, 7)
    ((7, 14, 21, 28, 35, 42, 49, 56), (2, 4, 6, 8, 10, 12, 14), (7, 10))
    """
    charts = -(-horizon // cadence)
    step = cadence * -(-charts // TIMES)
    return (*range(step, horizon, step), horizon)


def with_curve(forecast: Forecast, train: Examples, times: Sequence[int]) -> Forecast:
    """Return a forecast with probabilities of entry by the days `times`, the last the horizon.

    The probability of a forecast without a curve is spread over the days as the entries of the training part are.
    """
    if forecast.by is None:
        days = np.sort(train.days[train.entered])
        share = np.searchsorted(days, times, side="right") / max(len(days), 1)
        return replace(forecast, by=forecast.p[:, None] * share, days=tuple(times))
    known = np.concatenate([[0], forecast.days])
    by = np.concatenate([np.zeros((len(forecast.p), 1)), forecast.by], axis=1)
    right = np.searchsorted(known, times).clip(1)
    part = (np.asarray(times) - known[right - 1]) / (known[right] - known[right - 1])
    return replace(forecast, by=by[:, right - 1] * (1 - part) + by[:, right] * part, days=tuple(times))


def timing_parts(held: HeldOut, forecast: Forecast) -> dict[str, Floats]:
    """Return name → (n,): what each observation adds to the integrated Brier score, and to that of the usual shares.

    Each candidate counts at each of the forecast's days while it is known whether the track had entered, weighted as in
    `survival.validation.scores.brier_score`. The usual share at a time is the weighted share that had entered. A
    forecast without a curve adds nothing.
    """
    found = {"timing_squares": np.zeros(held.size), "timing_usual": np.zeros(held.size)}
    if forecast.by is None:
        return found
    until = np.where(held.entered, held.days, np.minimum(held.follow_up, held.horizon))
    outcomes = Outcomes.of(until, held.entered)
    for column, time in enumerate(forecast.days):
        if time > outcomes.censoring.last[0]:
            break  # nothing is known of later times
        share = outcomes.entry_weights(time).sum() / len(until)
        usual = np.full(len(until), 1 - share)
        for name, survival in (("timing_squares", 1 - forecast.by[:, column]), ("timing_usual", usual)):
            found[name] += np.bincount(held.observation, brier_terms(outcomes, survival, time), held.size)
    return found

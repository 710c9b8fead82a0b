"""Simple forecasts that every model must beat: chance, base rates, transitions, a rule of languages."""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diffusion import SettingError
from diffusion.arrays import Flags, Floats, Ints
from pipelines.features.history import History
from pipelines.features.scene import EntryIndex
from pipelines.models.examples import Examples, Forecast

PRIOR: Final = 10.0
"""Tracks at a market's own rate that are added to those of a pair of markets, and at the overall rate to a market's."""


LEAST: Final = 1e-6
"""Least chance, share or scale in a logarithm or quotient."""

CLEAR: Final = 3.0
"""Standard errors below which a slope counts as none."""

QUARTERS: Final = (0.0, 0.25, 0.5, 0.75)
"""Bounds of the classes of a share."""


class Chance:
    """Candidates in random order, all with the overall rate of entry.

    Parameters
    ----------
    seed
        Seed of the order.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, examples: Examples) -> Self:
        """Return this model, with the overall rate."""
        self.rate = float(examples.entered.mean())
        self.days = usual_days(examples)
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the rate, apart from a millionth part of it that orders the candidates."""
        part = np.random.default_rng(self.seed).random(len(examples))
        return Forecast(self.rate * (1 + 1e-6 * (part - 0.5)), np.full(len(examples), self.days))


class MarketRates:
    """The rate at which tracks enter each market, from wherever they are."""

    def fit(self, examples: Examples) -> Self:
        """Return this model, with the rates of the markets, shrunk to the overall rate."""
        m = int(examples.market.max(initial=0)) + 1
        self.overall = float(examples.entered.mean())
        at_risk, entered = (np.bincount(examples.market, weights, m) for weights in (None, examples.entered))
        self.rates: Floats = (entered + PRIOR * self.overall) / (at_risk + PRIOR)
        self.days = usual_days(examples)
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the rate of each candidate's market, or the overall rate where the market was no candidate before."""
        return Forecast(self.of(examples.market), np.full(len(examples), self.days))

    def of(self, market: NDArray[np.integer]) -> Floats:
        """Return, (k,), the rate of each market."""
        rates = np.append(self.rates, self.overall)
        found: Floats = rates[np.minimum(market, len(self.rates))]
        return found


class TransitionTable:
    """Rates of entry by market entered before, one pair at a time, combined as if they were independent chances.

    Parameters
    ----------
    history
        Charts, for the markets that tracks had entered by the day of an observation.
    credited
        Whether an entry counts 1 / f for each of the f markets entered before (default: 1 for each, so that tracks with
        many markets count many times).
    """

    def __init__(self, history: History, *, credited: bool = False) -> None:
        self.history = history
        self.credited = credited

    def fit(self, examples: Examples) -> Self:
        """Return this model, with the rates of pairs of markets, shrunk to the receiver's own rate."""
        m = len(self.history.markets)
        own = MarketRates().fit(examples)
        row, before = self._before(examples)
        share = before / np.maximum(before.sum(axis=1, keepdims=True), 1) if self.credited else before
        at_risk, entered = np.zeros((2, len(before), m))
        at_risk[row, examples.market] = 1
        entered[row, examples.market] = examples.entered
        rates = own.of(np.arange(m))
        self.rates: Floats = (share.T @ entered + PRIOR * rates) / (before.T @ at_risk + PRIOR)
        self.days = own.days
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the chance that at least one of the markets entered before leads to entry."""
        row, before = self._before(examples)
        none = before @ np.log1p(-self.rates.clip(0, 0.99))
        return Forecast(-np.expm1(none[row, examples.market]), np.full(len(examples), self.days))

    def _before(self, examples: Examples) -> tuple[Ints, Floats]:
        row, since = days_since_entries(self.history, examples)
        return row, np.isfinite(since).astype(np.float64)


class Rule:
    """The market's base rate times the lift of candidates with about the same values of some shares.

    Parameters
    ----------
    features
        Names of features that are shares, 0 … 1. Their classes are zero, and quarters above it.
    """

    def __init__(self, features: Sequence[str]) -> None:
        self.features = tuple(features)

    def fit(self, examples: Examples) -> Self:
        """Return this model: entries over those expected from base rates, by class of the candidates."""
        self.markets = MarketRates().fit(examples)
        group = self._class(examples)
        groups = (len(QUARTERS) + 1) ** len(self.features)
        expected = np.bincount(group, self.markets.of(examples.market), groups)
        self.lifts: Floats = (np.bincount(group, examples.entered, groups) + PRIOR) / (expected + PRIOR)
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return base rate times lift, at most one."""
        p = self.markets.of(examples.market) * self.lifts[self._class(examples)]
        return Forecast(np.minimum(p, 1.0), np.full(len(examples), self.markets.days))

    def _class(self, examples: Examples) -> Ints:
        group = np.zeros(len(examples), np.int64)
        for name in self.features:
            share = np.nan_to_num(needed(examples, name))
            group = (len(QUARTERS) + 1) * group + np.searchsorted(QUARTERS, share, side="left")
        return group


class NextMarket:
    """Which market is next, and how many a track will enter; the weight of both is fitted by logistic regression.

    Parameters
    ----------
    weights
        Names of features whose sum is the logarithm of a market's weight in the choice of the next one; or a single one
        that is a chance of entry, if `chance`.
    steps
        Name of the feature that says how many markets the track is expected to enter (default: the sum of its chances).
    chance
        Whether the weight is a chance.
    """

    def __init__(self, weights: Sequence[str], steps: str | None = None, *, chance: bool = False) -> None:
        self.weights = tuple(weights)
        self.steps = steps
        self.chance = chance

    def fit(self, examples: Examples) -> Self:
        """Return this model, with the level."""
        self.level = Logit.fit(self._variables(examples), examples.entered)
        self.days = usual_days(examples)
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the probabilities; equal for all markets of a track where entries do not go with the choice."""
        return Forecast(self.level.predict(self._variables(examples)), np.full(len(examples), self.days))

    def _variables(self, examples: Examples) -> Floats:
        """Return, (k, 2), the logarithms of the market's share among the candidates, and of the steps."""
        values = [np.nan_to_num(needed(examples, name)) for name in self.weights]
        weight = np.maximum(values[0], LEAST) if self.chance else np.exp(np.sum(values, axis=0))
        row = examples.number
        total = np.bincount(row, weight)[row]
        steps = total if self.steps is None else np.nan_to_num(needed(examples, self.steps))
        variables: Floats = np.log(np.stack([np.maximum(weight / total, LEAST), np.maximum(steps, LEAST)], axis=1))
        return variables


class Logit:
    """Logistic regression on a few variables that go with entry, by Newton's method.

    Attributes
    ----------
    beta
        Intercept and slopes. A slope below `CLEAR` standard errors is 0, so that a variable that does not go with entry
        orders nothing.
    low, high
        (v,): least and greatest values fitted on, which stand for those beyond.
    """

    def __init__(self, beta: Floats, low: Floats, high: Floats) -> None:
        self.beta, self.low, self.high = beta, low, high

    @classmethod
    def fit(cls, variables: Floats, entered: Flags) -> Self:
        """Return the regression of entry on variables, (k, v)."""
        middle, scale = variables.mean(axis=0), np.maximum(variables.std(axis=0), LEAST)
        design = np.concatenate([np.ones((len(variables), 1)), (variables - middle) / scale], axis=1)
        kept = np.ones(design.shape[1], np.bool_)
        while True:
            beta = np.zeros(design.shape[1])
            beta[kept], errors = _newton(design[:, kept], entered)
            unclear = np.zeros(len(kept), np.bool_)
            unclear[kept] = beta[kept] < CLEAR * errors
            unclear[0] = False
            if not unclear.any():
                break
            kept &= ~unclear
        slopes = beta[1:] / scale
        return cls(np.append(beta[0] - slopes @ middle, slopes), variables.min(axis=0), variables.max(axis=0))

    def predict(self, variables: Floats) -> Floats:
        """Return, (k,), the probabilities at values of the variables."""
        p: Floats = 1 / (1 + np.exp(-(self.beta[0] + variables.clip(self.low, self.high) @ self.beta[1:])))
        return p


def _newton(design: Floats, entered: Flags) -> tuple[Floats, Floats]:
    """Return the coefficients of a logistic regression with a slight ridge, and their standard errors."""
    rate = np.clip(entered.mean(), LEAST, 1 - LEAST)
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(rate / (1 - rate))
    ridge = 1e-6 * np.eye(len(beta))
    for _ in range(50):
        mean = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        information = (design * (mean * (1 - mean))[:, None]).T @ design + ridge
        step = np.linalg.solve(information, design.T @ (entered - mean) - ridge @ beta)
        beta += step
        if np.abs(step).max() < 1e-9:
            break
    return beta, np.sqrt(np.diag(np.linalg.inv(information)))


def usual_days(examples: Examples) -> float:
    """Return the median of the days to an entry; the horizon where there is no entry."""
    days = examples.days[examples.entered]
    return float(np.median(days)) if len(days) else float(examples.horizon)


def needed(examples: Examples, feature: str) -> Floats:
    """Return, (k,), the values of a feature.

    Raises
    ------
    SettingError
        When the examples do not have it.
    """
    if feature not in examples.names:
        raise SettingError(f"the model needs the feature '{feature}', which the examples do not have")
    return examples.column(feature).astype(np.float64)


def days_since_entries(history: History, examples: Examples) -> tuple[Ints, Floats]:
    """Return the row of each candidate's observation, (k,), and the days since its entries by then, (n, m).

    The days are NaN where the track had not entered the market.
    """
    first, row = examples.first, examples.number
    track, day = examples.track[first], examples.day[first]
    index = EntryIndex.of(history)
    since = index.since(track, history.last_day, len(history.markets)) - (history.last_day - day)[:, None]
    return row, np.where(since >= 0, since, np.nan).astype(np.float64)

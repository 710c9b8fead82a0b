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
    """Which market is next, times how many a track will enter, with the level fitted by logistic regression.

    Parameters
    ----------
    weights
        Names of features whose sum is the logarithm of a market's weight in the choice of the next one.
    steps
        Name of the feature that says how many markets the track is expected to enter.
    """

    def __init__(self, weights: Sequence[str], steps: str) -> None:
        self.weights = tuple(weights)
        self.steps = steps

    def fit(self, examples: Examples) -> Self:
        """Return this model, with the level."""
        self.level = Logit.fit(self._variable(examples), examples.entered)
        self.days = usual_days(examples)
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the probability at the product's logit."""
        return Forecast(self.level.predict(self._variable(examples)), np.full(len(examples), self.days))

    def _variable(self, examples: Examples) -> Floats:
        """Return, (k,), the logit of the share of the candidate among its observation's, times the steps."""
        weight = np.exp(sum(np.nan_to_num(needed(examples, name)) for name in self.weights))
        row = np.cumsum(np.diff(examples.observation, prepend=-1) != 0) - 1
        share = weight / np.bincount(row, weight)[row]
        return logit(share * np.nan_to_num(needed(examples, self.steps)))


class Chances:
    """One feature that is a chance of entry, as it is, with the level fitted by logistic regression.

    Parameters
    ----------
    feature
        Name of the feature.
    """

    def __init__(self, feature: str) -> None:
        self.feature = feature

    def fit(self, examples: Examples) -> Self:
        """Return this model, with the level."""
        self.level = Logit.fit(self._variable(examples), examples.entered)
        self.days = usual_days(examples)
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the probability at the chance."""
        return Forecast(self.level.predict(self._variable(examples)), np.full(len(examples), self.days))

    def _variable(self, examples: Examples) -> Floats:
        return logit(np.nan_to_num(needed(examples, self.feature)))


class Logit:
    """Logistic regression on one variable that goes with entry, by Newton's method.

    Attributes
    ----------
    beta
        Intercept and slope. Where the slope is below two standard errors, it is 0 and the forecast is the overall rate.
    """

    def __init__(self, beta: Floats) -> None:
        self.beta = beta

    def predict(self, x: Floats) -> Floats:
        """Return, (k,), the probabilities at values of the variable."""
        p: Floats = 1 / (1 + np.exp(-(self.beta[0] + self.beta[1] * x)))
        return p

    @classmethod
    def fit(cls, x: Floats, entered: Flags) -> Self:
        """Return the regression of entry on a variable."""
        rate = np.clip(entered.mean(), 1e-6, 1 - 1e-6)
        level = np.array([np.log(rate / (1 - rate)), 0.0])
        middle, scale = float(x.mean()), float(x.std())
        if scale == 0:
            return cls(level)
        z = (x - middle) / scale
        beta = level.copy()
        for _ in range(50):
            mean = 1 / (1 + np.exp(-(beta[0] + beta[1] * z)))
            weight, rest = mean * (1 - mean), entered - mean
            cross = (weight * z).sum()
            information = np.array([[weight.sum(), cross], [cross, (weight * z * z).sum()]])
            step = np.linalg.solve(information + 1e-9 * np.eye(2), np.array([rest.sum(), (rest * z).sum()]))
            beta += step
            if np.abs(step).max() < 1e-9:
                break
        if beta[1] < 2 * np.sqrt(np.linalg.inv(information + 1e-9 * np.eye(2))[1, 1]):
            return cls(level)
        return cls(np.array([beta[0] - beta[1] * middle / scale, beta[1] / scale]))


def logit(chance: Floats) -> Floats:
    """Return log-odds, of chances no nearer to 0 and 1 than a millionth."""
    inside = chance.clip(1e-6, 1 - 1e-6)
    odds: Floats = np.log(inside / (1 - inside))
    return odds


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
    first = np.flatnonzero(np.diff(examples.observation, prepend=-1))
    row = np.cumsum(np.diff(examples.observation, prepend=-1) != 0) - 1
    track, day = examples.track[first], examples.day[first]
    index = EntryIndex.of(history)
    since = index.since(track, history.last_day, len(history.markets)) - (history.last_day - day)[:, None]
    return row, np.where(since >= 0, since, np.nan).astype(np.float64)

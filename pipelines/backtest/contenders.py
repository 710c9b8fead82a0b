"""The models of a backtest, by name: baselines first, the default forecaster last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from diffusion import SettingError
from pipelines.features.history import History
from pipelines.models.baselines import Chance, MarketRates, NextMarket, Rule, TransitionTable
from pipelines.models.classifiers import FOREST_ROWS, LOGISTIC_ROWS, forest, logistic
from pipelines.models.examples import Model
from pipelines.models.forecaster import Forecaster
from pipelines.models.hazard import ROWS as HAZARD_ROWS
from pipelines.models.hazard import Hazard
from pipelines.models.prior_recipe import PriorRecipe

DEFAULT: Final = "default"

THREADS: Final = 2
"""Threads of the boosted models, unless another number is asked for; the numbers do not depend on it."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A model of a backtest.

    Attributes
    ----------
    name
        Name on the command line and in tables.
    words
        What it is, in a few words.
    make
        Function of charts, seed and number of threads that returns the model, not fitted.
    simple
        Whether it is a simple baseline, which every model is held against.
    """

    name: str
    words: str
    make: Callable[[History, int, int], Model]
    simple: bool = False


def _logistic(history: History, seed: int, threads: int) -> Model:
    return logistic(seed)


def _forest(history: History, seed: int, threads: int) -> Model:
    return forest(seed)


def _hazard(history: History, seed: int, threads: int) -> Model:
    return Hazard(history.cadence, seed)


def _prior_recipe(history: History, seed: int, threads: int) -> Model:
    return PriorRecipe(history, seed, threads)


def _default(history: History, seed: int, threads: int) -> Model:
    return Forecaster(seed=seed, threads=threads)


CONTENDERS: Final = (
    Contender("random", "candidates in random order", lambda history, seed, threads: Chance(seed), simple=True),
    Contender("market_rate", "base rate of the market", lambda history, seed, threads: MarketRates(), simple=True),
    Contender(
        "language",
        "base rate of the market by languages and continent shared with the markets entered",
        lambda history, seed, threads: Rule(("overlap_most", "same_language", "same_continent")),
        simple=True,
    ),
    Contender(
        "transitions",
        "transition table, noisy-or",
        lambda history, seed, threads: TransitionTable(history),
        simple=True,
    ),
    Contender(
        "credits",
        "transition table with credit split over the markets entered, noisy-or",
        lambda history, seed, threads: TransitionTable(history, credited=True),
        simple=True,
    ),
    Contender(
        "hazard_table",
        "hazards by market, age and reach",
        lambda history, seed, threads: NextMarket(("hazard_chance",), chance=True),
    ),
    Contender(
        "baseline",
        "which market next by the baseline of sizes and likeness, times the expected entries",
        lambda history, seed, threads: NextMarket(("baseline_size", "baseline_likeness"), "spread_entries"),
    ),
    Contender(
        "graph",
        "the graph alone: which market next by the choice model, times the expected entries",
        lambda history, seed, threads: NextMarket(("choice_score",), "spread_entries"),
    ),
    Contender("logistic", f"logistic regression, ridge, on about {LOGISTIC_ROWS:,} candidates", _logistic),
    Contender("hazard", f"discrete-time hazard, ridge, on about {HAZARD_ROWS:,} candidates", _hazard),
    Contender("forest", f"random forest on about {FOREST_ROWS:,} candidates", _forest),
    Contender("prior_recipe", "recipe of the prior study: ranker of tracks that spread", _prior_recipe),
    Contender(DEFAULT, "the default forecaster", _default),
)
"""All models, in the order of tables."""


def contenders(names: Sequence[str] | None = None) -> tuple[Contender, ...]:
    """Return the models of these names, in the order of tables (default: all).

    Raises
    ------
    SettingError
        When a name is unknown.
    """
    known = [contender.name for contender in CONTENDERS]
    for name in names or ():
        if name not in known:
            raise SettingError(f"no model '{name}'; there are {', '.join(known)}")
    return tuple(contender for contender in CONTENDERS if names is None or contender.name in names)

"""The models of a backtest, by name: baselines first, the default forecaster last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from diffusion import SettingError
from pipelines.features.history import History
from pipelines.models.baselines import Chance, MarketRates, Rule, TransitionTable
from pipelines.models.examples import Model

DEFAULT: Final = "default"


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
        Function of charts and seed that returns the model, not fitted.
    """

    name: str
    words: str
    make: Callable[[History, int], Model]


CONTENDERS: Final = (
    Contender("random", "candidates in random order", lambda history, seed: Chance(seed)),
    Contender("market_rate", "base rate of the market", lambda history, seed: MarketRates()),
    Contender("transitions", "transition table, noisy-or", lambda history, seed: TransitionTable(history)),
    Contender(
        "credits",
        "transition table with credit split over the footprint, noisy-or",
        lambda history, seed: TransitionTable(history, credited=True),
    ),
    Contender(
        "language",
        "base rate of the market by languages and continent shared with the markets entered",
        lambda history, seed: Rule(("overlap_most", "same_language", "same_continent")),
    ),
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

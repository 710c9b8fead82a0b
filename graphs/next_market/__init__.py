"""Which market comes next, given the markets entered so far: a choice model learned from entries alone."""

from graphs.next_market.choices import Choices, Seen, footprint_choices, step_choices
from graphs.next_market.fit import Preferences, fitted
from graphs.next_market.model import NextMarketChoice, next_market_choice, next_preferences, together_preferences

__all__ = [
    "Choices",
    "NextMarketChoice",
    "Preferences",
    "Seen",
    "fitted",
    "footprint_choices",
    "next_market_choice",
    "next_preferences",
    "step_choices",
    "together_preferences",
]

"""Which market comes next, and how many, given the markets entered so far: learned from entries alone."""

from graphs.next_market.choices import Choices, Seen, footprint_choices, step_choices
from graphs.next_market.fit import Preferences, fitted
from graphs.next_market.model import NextMarketChoice, next_market_choice, next_preferences, together_preferences
from graphs.next_market.rate import StepRate, step_rate

__all__ = [
    "Choices",
    "NextMarketChoice",
    "Preferences",
    "Seen",
    "StepRate",
    "fitted",
    "footprint_choices",
    "next_market_choice",
    "next_preferences",
    "step_choices",
    "step_rate",
    "together_preferences",
]

"""What chance alone would do: charts redrawn with the order of markets, or their presence, left to chance."""

from graphs.nulls.meetings import Meetings, meetings
from graphs.nulls.order import order_days, order_moments
from graphs.nulls.slots import Slots, timed_slots, transition_counts
from graphs.nulls.tails import LEAST_FOR_SPREAD, adjusted, chance, count_tail
from graphs.nulls.volume import volume_markets
from graphs.nulls.watch import Watch, watch

__all__ = [
    "LEAST_FOR_SPREAD",
    "Meetings",
    "Slots",
    "Watch",
    "adjusted",
    "chance",
    "count_tail",
    "meetings",
    "order_days",
    "order_moments",
    "timed_slots",
    "transition_counts",
    "volume_markets",
    "watch",
]

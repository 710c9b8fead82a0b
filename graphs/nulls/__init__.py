"""The order null: charts redrawn with the order of each track's markets left to chance; validity uses it."""

from graphs.nulls.order import order_days
from graphs.nulls.slots import Slots, timed_slots
from graphs.nulls.watch import Watch, watch

__all__ = ["Slots", "Watch", "order_days", "timed_slots", "watch"]

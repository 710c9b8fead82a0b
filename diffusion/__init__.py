"""Charts, markets, distances and the tables of events: the package that all others build on.

In examples, `entries` is ``diffusion.open_sample().entries()``, `graph` is ``graphs.market_graph(entries)``, and `base`
is ``graphs.baseline.baseline(entries)``.
"""

from diffusion.absences import Absences
from diffusion.calendar import Calendar
from diffusion.charts import Charts
from diffusion.distances import join_distances, pair_table, unmatched_pairs
from diffusion.entries import Entries, transitions
from diffusion.errors import (
    DataSaysNoError,
    DiffusionError,
    EngineError,
    OutputError,
    SettingError,
    SourceError,
    UnknownMarketError,
)
from diffusion.event_rules import EventRules
from diffusion.groups import ByGroup
from diffusion.markets import market_names, reference_table, resolve
from diffusion.opening import open_charts, open_sample
from diffusion.pairs.transitions import lag_curve
from diffusion.recordings import Identity, identities
from diffusion.sources.account import RowAccount

__all__ = [
    "Absences",
    "ByGroup",
    "Calendar",
    "Charts",
    "DataSaysNoError",
    "DiffusionError",
    "EngineError",
    "Entries",
    "EventRules",
    "Identity",
    "OutputError",
    "RowAccount",
    "SettingError",
    "SourceError",
    "UnknownMarketError",
    "identities",
    "join_distances",
    "lag_curve",
    "market_names",
    "open_charts",
    "open_sample",
    "pair_table",
    "reference_table",
    "resolve",
    "transitions",
    "unmatched_pairs",
]

"""Contracts of the tables of a backtest."""

import pyarrow as pa

from diffusion.contracts import Column, Contract

_NUMBER, _COUNT, _TEXT = pa.float64(), pa.int64(), pa.string()

PREDICTIONS = Contract(
    "predictions",
    "one test candidate of a truth file",
    (
        Column("track_id", _TEXT, "track"),
        Column("market", _TEXT, "market, spelled as in the truth file"),
        Column("p_enter", _NUMBER, "probability of entry within the horizon, 0 … 1"),
        Column("expected_days", _NUMBER, "days: median time to the entry, given that it enters within the horizon"),
    ),
    ("track_id", "market"),
)

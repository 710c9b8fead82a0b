"""Contracts of the tables of the step `forecast`."""

import pyarrow as pa

from diffusion.contracts import Column, Contract

_NUMBER, _COUNT, _TEXT = pa.float64(), pa.int64(), pa.string()

FORECAST_SCORES = Contract(
    "forecast_scores",
    "one metric of a model on later tracks, which it was not fitted on",
    (
        Column("model", _TEXT, "model"),
        Column("metric", _TEXT, "name of the metric"),
        Column("value", _NUMBER, "share, ratio or days: its value", nullable=True),
        Column("low", _NUMBER, "share, ratio or days: lower end of its 95 % interval", nullable=True),
        Column("high", _NUMBER, "share, ratio or days: upper end of its 95 % interval", nullable=True),
        Column("baseline", _TEXT, "simple model with the highest pooled recall"),
        Column("gain", _NUMBER, "share, ratio or days: value minus that of the baseline", nullable=True),
        Column("gain_low", _NUMBER, "share, ratio or days: lower end of its 95 % interval, paired", nullable=True),
        Column("gain_high", _NUMBER, "share, ratio or days: upper end of its 95 % interval, paired", nullable=True),
        Column("observations", _COUNT, "tracks, each looked at once"),
        Column("entries", _COUNT, "entries within the horizon"),
    ),
    ("model", "metric"),
)

FORECAST_CALIBRATION = Contract(
    "forecast_calibration",
    "one class of candidates (pairs of a later track and a market that it may enter) of a model",
    (
        Column("model", _TEXT, "model"),
        Column("kind", _TEXT, "decile (tenth of the predictions) or market"),
        Column("group", _TEXT, "number of the tenth, or market"),
        Column("day", _COUNT, "days: horizon"),
        Column("candidates", _COUNT, "pairs of track and market"),
        Column("entries", _COUNT, "entries within the horizon"),
        Column("predicted", _NUMBER, "0 … 1: mean probability predicted"),
        Column("observed", _NUMBER, "share that entered, 0 … 1"),
        Column("low", _NUMBER, "lower end of its 95 % interval, 0 … 1"),
        Column("high", _NUMBER, "upper end of its 95 % interval, 0 … 1"),
    ),
    ("model", "kind", "group"),
)

FORECASTS = Contract(
    "forecasts",
    "one track that is on a chart, and one of the ten markets that it is most likely to enter next",
    (
        Column("track_id", _TEXT, "track"),
        Column("title", _TEXT, "title", nullable=True),
        Column("artist", _TEXT, "artists", nullable=True),
        Column("as_of", pa.date32(), "last date of the charts, from which days are counted"),
        Column("entered", _COUNT, "markets that the track has entered"),
        Column("expected_entries", _NUMBER, "markets that it is expected to enter within the horizon"),
        Column("market", _TEXT, "market that it has not entered"),
        Column(
            "p_by_7", _NUMBER, "probability of entry within 7 days; missing if the horizon is shorter", nullable=True
        ),
        Column("p_by_14", _NUMBER, "probability of entry within 14 days, likewise", nullable=True),
        Column("p_by_28", _NUMBER, "probability of entry within 28 days, likewise", nullable=True),
        Column("p_enter", _NUMBER, "probability of entry within the horizon"),
        Column("expected_days", _NUMBER, "days: median time to the entry, given that it enters within the horizon"),
        Column("days_low", _NUMBER, "days: lower end of the 80 % interval of that time"),
        Column("days_high", _NUMBER, "days: upper end of it"),
    ),
    ("track_id", "market"),
)

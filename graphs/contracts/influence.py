"""Contracts of direct influence: its edges, the credits of every entry, the background, and sums by market."""

import pyarrow as pa

from diffusion.contracts import ENTRIES, TRANSITIONS, Column, Contract

_TEXT, _AGE, _COUNT, _NUMBER = pa.string(), pa.int32(), pa.int64(), pa.float64()

_NOT_EXPOSED = "null where no track was exposed"

INFLUENCE = Contract(
    "influence",
    "one ordered pair of markets",
    (
        *TRANSITIONS.pick("source", "target"),
        Column(
            "alpha",
            _NUMBER,
            "entries into target expected per entry into source: a hazard summed over the window (a share of 1 − e^−α "
            f"of the tracks not yet in target follows); {_NOT_EXPOSED}",
            nullable=True,
        ),
        Column("low", _NUMBER, f"entries: lower bound of the 95 % interval of alpha; {_NOT_EXPOSED}", nullable=True),
        Column("high", _NUMBER, f"entries: upper bound of the 95 % interval of alpha; {_NOT_EXPOSED}", nullable=True),
        Column("p", _NUMBER, f"probability of so large an alpha or larger if it were 0; {_NOT_EXPOSED}", nullable=True),
        Column(
            "q",
            _NUMBER,
            "false discovery rate (share) at which the pair would be reported, Benjamini–Hochberg over all pairs; "
            f"{_NOT_EXPOSED}",
            nullable=True,
        ),
        Column("direct", pa.bool_(), "q is at most .05 and low above 0"),
        Column(
            "shrunk",
            _NUMBER,
            f"entries: alpha drawn towards 0, for ranking and forecasts; {_NOT_EXPOSED}",
            nullable=True,
        ),
        Column("credits", _NUMBER, "entries into target attributed to source"),
        Column("exposed", _COUNT, "tracks at risk in target after they entered source"),
        Column("exposure", _NUMBER, "exposed tracks, each counted by the share of the lags for which it was followed"),
        Column("joint", _COUNT, "tracks that entered both markets without an observed order (ties)"),
        Column(
            "alpha_if_ties",
            _NUMBER,
            "entries: alpha if source had been first in every tie, with ties counted as exposed; null where no track "
            "was exposed or tied",
            nullable=True,
        ),
        Column("lag_median", _NUMBER, "days: median of the modelled lags"),
        Column("observable", _NUMBER, "share of the modelled lags that end after source's own chart interval"),
        Column(
            "inflation", _NUMBER, "ratio: variance by clusters (tracks of one artist and debut) / variance by tracks"
        ),
    ),
    TRANSITIONS.key,
)

CREDITS = Contract(
    "credits",
    "one entry and possible cause",
    (
        *ENTRIES.pick("track_id", "market"),
        Column("source", _TEXT, "market that may have caused the entry; null for the background", nullable=True),
        Column("credit", _NUMBER, "share of the entry attributed to source; the credits of one entry add up to 1"),
    ),
    ("track_id", "market", "source"),
)

BACKGROUND = Contract(
    "background",
    "one market, period and age class of tracks: entries attributed to no other market",
    (
        *ENTRIES.pick("market"),
        Column("period", _TEXT, "name of the calendar year"),
        Column("age_from", _AGE, "days after the debut at which the class begins, not included"),
        Column("age_to", _AGE, "days after the debut at which the class ends, included"),
        Column("hazard", _NUMBER, "entries per track and day; null where no track was at risk", nullable=True),
        Column("credits", _NUMBER, "entries attributed to no other market"),
        Column("exposure", _NUMBER, "track-days at risk"),
    ),
    ("market", "period", "age_from"),
)

CLOUT = Contract(
    "clout",
    "one market",
    (
        *ENTRIES.pick("market"),
        Column("clout", _NUMBER, "entries elsewhere expected per entry: sum of alpha over targets"),
        Column("susceptibility", _NUMBER, "entries expected per entry into every other market: sum of alpha"),
        Column("sent", _NUMBER, "entries elsewhere attributed to the market"),
        Column("received", _NUMBER, "entries of the market attributed to other markets"),
        Column("background", _NUMBER, "entries of the market attributed to no other market"),
    ),
    ("market",),
)

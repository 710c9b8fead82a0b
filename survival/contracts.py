"""Contracts of the survival curves and their summary."""

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

_BY = Column("by", _TEXT, "grouping: none, continent, language_match or footprint_size")
_GROUP = Column("group", _TEXT, "name of the group; 'all' where by is none")

CURVES = Contract(
    "survival",
    "one group of waits and day since the debut, from 0 to the last day at risk or the horizon",
    (
        _BY,
        _GROUP,
        Column("days", _COUNT, "days since the debut"),
        Column("at_risk", _COUNT, "waits at risk on that day; on day 0, waits at risk from the start"),
        Column("events", _COUNT, "entries on that day"),
        Column("survival", _NUMBER, "share of waits without an entry by the end of the day, Kaplan–Meier"),
        Column("low", _NUMBER, "share: lower bound of the 95 % band by artist, for each day by itself"),
        Column("high", _NUMBER, "share: upper bound of the 95 % band by artist, for each day by itself"),
    ),
    ("by", "group", "days"),
)

SUMMARY = Contract(
    "survival_summary",
    "one group of waits",
    (
        _BY,
        _GROUP,
        Column("waits", _COUNT, "waits in the group"),
        Column("events", _COUNT, "waits that ended with an entry"),
        Column("median_days", _COUNT, "days until half have entered; null where fewer than half enter", nullable=True),
        Column("share_entered", _NUMBER, "share entered by day restricted_to"),
        Column("restricted_mean_days", _NUMBER, "mean days without an entry, up to day restricted_to"),
        Column("restricted_to", _COUNT, "days since the debut, the same for all groups of one by"),
        Column("followed_to", _COUNT, "days since the debut: the last day at risk, at most the horizon"),
        Column(
            "effective_clusters",
            _NUMBER,
            "effective number of artists behind the band on day followed_to; null where no wait ended with an entry",
            nullable=True,
        ),
    ),
    ("by", "group"),
)

"""Contracts of the survival curves and their summary."""

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

_BY = Column("by", _TEXT, "grouping: none, continent, language_match, footprint_size, or names of variables")
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
        Column("share_entered", _NUMBER, "share of waits with an entry by the end of the day: one minus survival"),
        Column("share_low", _NUMBER, "share: lower bound of share_entered, one minus high"),
        Column("share_high", _NUMBER, "share: upper bound of share_entered, one minus low"),
        Column("cumulative_hazard", _NUMBER, "entries per wait at risk, summed up to the day, Nelson–Aalen"),
        Column("hazard_low", _NUMBER, "lower bound of cumulative_hazard, 95 % by artist, for each day by itself"),
        Column("hazard_high", _NUMBER, "upper bound of cumulative_hazard; infinite while survival may be 0"),
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
        Column("median_low", _COUNT, "days: lower bound of the median, 95 % by artist; null where none", nullable=True),
        Column("median_high", _COUNT, "days: upper bound of the median; null where there is none", nullable=True),
        Column("share_entered", _NUMBER, "share entered by day restricted_to"),
        Column("share_low", _NUMBER, "share: lower bound of share_entered, 95 % by artist"),
        Column("share_high", _NUMBER, "share: upper bound of share_entered"),
        Column("restricted_mean_days", _NUMBER, "mean days without an entry, up to day restricted_to"),
        Column("restricted_mean_low", _NUMBER, "days: lower bound; null where none enter", nullable=True),
        Column("restricted_mean_high", _NUMBER, "days: upper bound; null where none enter", nullable=True),
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

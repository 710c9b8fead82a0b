"""Contracts of the tables of stays on the charts: spells, the trajectories that they make, and their profiles."""

from typing import Final

import pyarrow as pa

from diffusion.contracts.contract import Column, Contract

_TEXT, _DATE, _COUNT, _FLAG = pa.string(), pa.date32(), pa.int64(), pa.bool_()

_TRACK = Column("track_id", _TEXT, "id of the track, or of the recording where ids of one recording are joined")
_MARKET = Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market")
_BEST = (
    Column("best_rank", pa.int32(), "best position, 1 is best"),
    Column("best_on", _DATE, "first date at the best rank"),
    Column("best_until", _DATE, "last date at the best rank"),
)

SPELLS = Contract(
    "spells",
    "one track, market and spell: a stay on observed charts in a row, without a long gap",
    (
        _TRACK,
        _MARKET,
        Column("spell", _COUNT, "number of the spell in the market, from 1"),
        Column("first_date", _DATE, "first date of the spell"),
        Column("last_date", _DATE, "last date of the spell"),
        Column("charts", _COUNT, "observed charts that it lasts"),
        *_BEST,
        Column("streams", _COUNT, "streams of all its charts; null where a chart shows none", nullable=True),
        Column(
            "left_censored", _FLAG, "it stands on the first chart of a stretch of coverage: it may have begun before"
        ),
        Column("right_censored", _FLAG, "it stands on the last chart of a stretch of coverage: it may go on"),
        Column(
            "away",
            _COUNT,
            "days from the last date of the spell before; null for the first spell, and where a long gap lies between",
            nullable=True,
        ),
    ),
    ("track_id", "market", "spell"),
)

TRAJECTORIES = Contract(
    "trajectories",
    "one track and market: the track's spells there put together",
    (
        _TRACK,
        _MARKET,
        Column("entry", _DATE, "first date on the chart"),
        Column("left_censored", _FLAG, "the entry falls within the washout, so the true entry is unknown"),
        Column("charts", _COUNT, "charts with the track, of all spells"),
        *_BEST,
        Column("days_to_best", _COUNT, "days from the entry to the first date at the best rank"),
        Column("last_date", _DATE, "last date on the chart"),
        Column("right_censored", _FLAG, "the last spell may go on after the market's coverage"),
        Column("spells", _COUNT, "number of stays in the market, spells"),
        Column("returns", _COUNT, "number of re-entries that were observed: spells after an exit in the same stretch"),
        Column("first_charts", _COUNT, "charts of the first spell"),
        Column("first_until", _DATE, "last date of the first spell"),
        Column("first_ended", _FLAG, "the exit after the first spell was observed; otherwise the spell is censored"),
        Column(
            "away",
            _COUNT,
            "days from the last date of the first spell to the re-entry; null where none was observed",
            nullable=True,
        ),
        Column("followed", _COUNT, "days from the last date of the first spell to the end of the stretch of coverage"),
        Column("one_chart", _FLAG, "the track was on one chart of the market alone"),
        Column("streams", _COUNT, "streams of all charts; null where a chart shows none", nullable=True),
    ),
    ("track_id", "market"),
)

PROFILES = Contract(
    "profiles",
    "one point that trajectories are aligned at, number of charts from it, measure and value",
    (
        Column("aligned", _TEXT, "entry, or best rank (the first date at it)"),
        Column("charts", _COUNT, "observed charts after the point; negative before"),
        Column("measure", _TEXT, "rank; or streams, relative to the trajectory's most within the charts counted"),
        Column(
            "value",
            _COUNT,
            "position on the chart; of streams, hundredths of log10 of their ratio to the most, cut down",
        ),
        Column("trajectories", _COUNT, "number of tracks in markets with this value, of those followed"),
        Column("followed", _COUNT, "number of tracks in markets for which all charts counted were observed"),
    ),
    ("aligned", "charts", "measure", "value"),
)

STAY_RELATIONS: Final = (SPELLS, TRAJECTORIES, PROFILES)
"""Contracts of the tables of stays, which the engine returns."""

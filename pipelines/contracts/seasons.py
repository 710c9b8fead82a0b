"""Contracts of the tables of seasons."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

_CYCLE = Column("cycle", _TEXT, "'month' of the year or 'weekday'")
_MEASURE = Column(
    "measure",
    _TEXT,
    "entries: timed entries per market and day on which they can be dated; streams: of a whole chart, relative to the "
    "market's mean; crossed: entries after the debut, within the window, per track and market at risk, given the ages of the tracks; debut_travelled, "
    "debut_further: share of tracks that entered a market after their debut, and mean number of such markets, by the "
    "day of debut; release_travelled, release_further: the same of new tracks, by the day of release",
)
_UNIT = "share of the level around for entries, streams and crossed, share for travelled, number of markets for further"
_KIND = Column("unit", _TEXT, "unit of effects: 'relative' to the level, 'share', or 'markets'")
_P = Column("p", _NUMBER, "probability of so large a deviation by chance; null where nothing is tested", nullable=True)
_Q = Column("q", _NUMBER, "probability: q over all tests of this step; null as p", nullable=True)
_FOUND = Column("found", _FLAG, "q is at most .05")

SEASONS: Final = Contract(
    "seasons",
    "one cycle and measure: whether its months, or weekdays, differ",
    (
        _CYCLE,
        _MEASURE,
        _KIND,
        Column("cells", _COUNT, "number of months or days with a value"),
        Column("repeats", _COUNT, "number of whole years with a level around them, or weeks, that are compared"),
        _P,
        Column(
            "detectable", _NUMBER, f"{_UNIT}: deviation of one month or weekday found four times in five; null as p",
            nullable=True,
        ),
        _Q,
        _FOUND,
    ),
    ("cycle", "measure"),
)  # fmt: skip

SEASON_EFFECTS: Final = Contract(
    "season_effects",
    "one cycle, measure and month, or weekday",
    (
        _CYCLE,
        _MEASURE,
        _KIND,
        Column("place", _COUNT, "number of the month, or of the weekday, 1 for January or Monday"),
        Column("name", _TEXT, "its name"),
        Column("cells", _COUNT, "number of months or days with a value"),
        Column(
            "level", _NUMBER, "mean value, trend included: ratio to the average for entries, streams and crossed, share "
            "for travelled, number of markets for further",
        ),
        Column(
            "effect", _NUMBER, f"{_UNIT}: mean deviation from the level around; null where no level is known",
            nullable=True,
        ),
        Column(
            "low", _NUMBER, f"{_UNIT}: lower bound of the effect, 95 % for all places together; null where not tested",
            nullable=True,
        ),
        Column("high", _NUMBER, f"{_UNIT}: upper bound, likewise", nullable=True),
        Column("behind", _NUMBER, f"{_UNIT}: effect minus the best of the others; null where not tested", nullable=True),
        Column(
            "behind_low", _NUMBER, f"{_UNIT}: lower bound of it, 95 % for all places together; 0 where it is shown best",
            nullable=True,
        ),
        Column(
            "behind_high", _NUMBER, f"{_UNIT}: upper bound, likewise; 0 where it is shown not to be the best",
            nullable=True,
        ),
    ),
    ("cycle", "measure", "place"),
)  # fmt: skip

_HELD = "what happened over what the same weekdays one to four weeks before and after lead to expect"
_BLOCKS = Column("blocks", _NUMBER, "effective number of calendar weeks with holidays, 1 / Σ share²")
_NULL = "null with fewer than 10 effective weeks"

HOLIDAY_WEEKS: Final = Contract(
    "holiday_weeks",
    "one measure and market, or all: the week around its public holidays",
    (
        Column("measure", _TEXT, "entries, streams or crossed, as in seasons"),
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market; 'all' for all markets"),
        Column("holidays", _COUNT, "number of public holidays with comparable weeks"),
        _BLOCKS,
        Column("ratio", _NUMBER, f"ratio: {_HELD}"),
        Column("low", _NUMBER, f"ratio: lower bound of its 95 % interval; {_NULL}", nullable=True),
        Column("high", _NUMBER, f"ratio: upper bound, likewise; {_NULL}", nullable=True),
        Column("detectable", _NUMBER, f"share: deviation from 1 that is found four times in five; {_NULL}", nullable=True),
        Column("p", _NUMBER, "probability of so large a deviation by chance; null for one market and where not tested",
               nullable=True),
        _Q,
        _FOUND,
    ),
    ("measure", "market"),
)  # fmt: skip

HOLIDAY_DAYS: Final = Contract(
    "holiday_days",
    "one measure and day before or after public holidays, all markets together",
    (
        Column("measure", _TEXT, "entries, streams or crossed, as in seasons"),
        Column("days", _COUNT, "days from the holiday; from its chart on weekly charts"),
        Column("holidays", _COUNT, "number of public holidays with comparable days"),
        _BLOCKS,
        Column("ratio", _NUMBER, f"ratio: {_HELD}"),
        Column("low", _NUMBER, f"ratio: lower bound, 95 % for all days together; {_NULL}", nullable=True),
        Column("high", _NUMBER, f"ratio: upper bound, likewise; {_NULL}", nullable=True),
    ),
    ("measure", "days"),
)

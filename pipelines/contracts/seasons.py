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
    "market's mean; crossed: entries after the debut, within the window, per track and market at risk, given the ages "
    "of the tracks; debut_travelled, debut_further: share of tracks that entered a market after their debut, and mean "
    "number of such markets, by the day of debut; release_travelled, release_further: the same of new tracks, by the "
    "day of release",
)
_KIND = Column("unit", _TEXT, "unit of effects: 'relative' to the level around, 'share' of tracks, or 'markets'")
_FOUND = Column("found", _FLAG, "q is at most .05")


def _perhaps(name: str, meaning: str) -> Column:
    return Column(name, _NUMBER, meaning, nullable=True)


_P = _perhaps("p", "probability of so large a deviation by chance; null where nothing is tested")
_Q = _perhaps("q", "probability: q over all tests of this step; null as p")
_UNIT = "number in the unit of the row"

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
        _perhaps("detectable", f"{_UNIT}: deviation of one month or weekday found four times in five; null as p"),
        _Q,
        _FOUND,
    ),
    ("cycle", "measure"),
)

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
        Column("level", _NUMBER, "ratio to the average if relative, share, or number of markets: mean, trend included"),
        _perhaps("effect", f"{_UNIT}: mean deviation from the level around; null where no level is known"),
        _perhaps("low", f"{_UNIT}: lower bound of the effect, 95 % for all places together; null where not tested"),
        _perhaps("high", f"{_UNIT}: upper bound of the effect, likewise"),
        _perhaps("behind", f"{_UNIT}: effect minus the best of the others; null where not tested"),
        _perhaps("behind_low", f"{_UNIT}: lower bound of it, 95 % for all places together; 0 where it is shown best"),
        _perhaps("behind_high", f"{_UNIT}: upper bound of it, likewise; 0 where it is shown not to be the best"),
    ),
    ("cycle", "measure", "place"),
)

_RATIO = Column(
    "ratio",
    _NUMBER,
    "ratio: what happened over what the same weekdays one to four weeks before and after lead to expect",
)
_BLOCKS = Column("blocks", _NUMBER, "effective number of calendar weeks with holidays, 1 / Σ share²: their weeks")
_NULL = "null with fewer than 10 effective weeks"

HOLIDAY_WEEKS: Final = Contract(
    "holiday_weeks",
    "one measure and market, or all: the week around its public holidays",
    (
        Column("measure", _TEXT, "entries, streams or crossed, as in seasons"),
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market; 'all' for all markets"),
        Column("holidays", _COUNT, "number of days: public holidays with comparable weeks"),
        _BLOCKS,
        _RATIO,
        _perhaps("low", f"ratio: lower bound of its 95 % interval; {_NULL}"),
        _perhaps("high", f"ratio: upper bound of its 95 % interval; {_NULL}"),
        _perhaps("detectable", f"share: deviation from 1 that is found four times in five; {_NULL}"),
        _perhaps("p", "probability of so large a deviation by chance; null for one market and where nothing is tested"),
        _Q,
        _FOUND,
    ),
    ("measure", "market"),
)

HOLIDAY_DAYS: Final = Contract(
    "holiday_days",
    "one measure and day before or after public holidays, all markets together",
    (
        Column("measure", _TEXT, "entries, streams or crossed, as in seasons"),
        Column("days", _COUNT, "days from the holiday; from its chart on weekly charts"),
        Column("holidays", _COUNT, "number of days: public holidays with comparable days"),
        _BLOCKS,
        _RATIO,
        _perhaps("low", f"ratio: lower bound, 95 % for all days together; {_NULL}"),
        _perhaps("high", f"ratio: upper bound, likewise; {_NULL}"),
    ),
    ("measure", "days"),
)

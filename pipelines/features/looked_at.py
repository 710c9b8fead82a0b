"""Which rows of the charts features read: those of the tracks and days asked for, however long the charts are."""

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Ints
from diffusion.timelines import expanded
from pipelines.features.history import History
from pipelines.features.observations import debuts
from pipelines.features.relatives import RowsByKey
from pipelines.features.rows import Asked
from pipelines.features.standings import latest_two


def looked_at(history: History, track: Ints, day: Days) -> Asked:
    """Return the rows of the charts that the features of tracks as of days depend on.

    They are all rows of each track up to its day; those of its relatives on the charts that are the latest then, which
    share a credited artist or the recording; and, as `JointRegression` learns from every debut, those of its primary
    artist's tracks on the charts of the debut. `History.ends` has what is read of all other rows.
    """
    pairs = [_own(history, track, day), _of_relatives(history, track, day), _at_debuts(history)]
    return Asked.of(np.concatenate([own for own, _ in pairs]), np.concatenate([days for _, days in pairs]))


def on_latest_charts(history: History, track: Ints) -> Asked:
    """Return the rows of tracks on the charts that are the latest on the last day."""
    return Asked.of(*_latest(history, track, np.full(len(track), history.last_day)))


def _own(history: History, track: Ints, day: Days) -> tuple[Ints, Days]:
    """Return track and day of the dates of the charts from each track's first day to its day asked for."""
    dates = np.unique(history.ends.day)
    first = np.searchsorted(dates, history.first_seen[track])
    place, sizes = expanded(first, np.searchsorted(dates, day, side="right"))
    return np.repeat(track, sizes), dates[place]


def _of_relatives(history: History, track: Ints, day: Days) -> tuple[Ints, Days]:
    """Return track and day of the relatives of each track on the charts that are the latest on its day."""
    owner, artist = history.credits
    place, sizes = expanded(np.searchsorted(owner, track), np.searchsorted(owner, track, side="right"))
    pair, credit = RowsByKey().find(artist, artist[place])
    row, same = RowsByKey().find(history.recording, history.recording[track])
    days = np.append(np.repeat(day, sizes)[pair], day[row])
    return _latest(history, np.append(owner[credit], same), days)


def _at_debuts(history: History) -> tuple[Ints, Days]:
    """Return track and day of the primary artist's tracks on the charts that are the latest at each debut."""
    debut = debuts(history)
    known = debut <= history.last_day
    artist, day = np.unique(np.stack([history.artist[known], debut[known]]), axis=1)
    pair, credit = RowsByKey().find(history.credits[1], artist)
    return _latest(history, history.credits[0, credit], day[pair])


def _latest(history: History, track: Ints, day: NDArray[np.integer]) -> tuple[Ints, Days]:
    """Return track and day of the charts that are some market's latest on each track's day, of those known by then."""
    known = history.first_seen[track] <= day
    days, at = np.unique(day[known], return_inverse=True)
    latest = [np.unique(charts[charts >= 0]) for charts in (latest_two(history, int(each))[0] for each in days)]
    ends = np.cumsum([len(each) for each in latest], dtype=np.int64)
    place, sizes = expanded(np.append(0, ends[:-1])[at], ends[at])
    return np.repeat(track[known], sizes), np.concatenate([np.zeros(0, np.int32), *latest])[place].astype(np.int32)

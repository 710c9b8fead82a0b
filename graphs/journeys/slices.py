"""Subsets of tracks: by period of debut, by size of the footprint, or by group such as language.

A track belongs to the period of its debut. So it counts once. Its later entries count in the same period, even after
the end of the period.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Flags
from diffusion.display import Displayed
from diffusion.timelines import Timelines

By = Literal["year", "half", "quarter", "month"]

_MONTHS: Final = {"year": 12, "half": 6, "quarter": 3, "month": 1}
_NAMES: Final = {"year": "{0}", "half": "{0}H{1}", "quarter": "{0}Q{1}", "month": "{0}-{1:02}"}
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, repr=False)
class Period(Displayed):
    """A period of days, both bounds included.

    Attributes
    ----------
    name
        ``2019``, ``2019H2``, ``2019Q3``, ``2019-08``, or the first day of a rolling period.
    start, end
        First and last day.
    """

    name: str
    start: date
    end: date

    def _facts(self) -> str:
        return f" {self.name}: {self.start} to {self.end}"


def of_tracks(timelines: Timelines, kept: Flags) -> Timelines:
    """Return the timelines of some of the tracks; markets and their coverage stay the same.

    Tracks and clusters are renumbered; a cluster consists of its kept tracks.

    Parameters
    ----------
    timelines
        Entries as arrays.
    kept
        (n,) flags of the tracks to keep.
    """
    number = np.cumsum(kept, dtype=np.int32) - 1
    mine = kept[timelines.track]
    return replace(
        timelines,
        track_ids=timelines.track_ids[kept],
        starts=np.concatenate(([0], np.cumsum(np.diff(timelines.starts)[kept]))).astype(np.int64),
        track=number[timelines.track[mine]].astype(np.int32),
        market=timelines.market[mine],
        day=timelines.day[mine],
        last_without=timelines.last_without[mine],
        left_censored=timelines.left_censored[mine],
        debut=timelines.debut[kept],
        debut_censored=timelines.debut_censored[kept],
        cluster=np.unique(timelines.cluster[kept], return_inverse=True)[1].astype(np.int64),
    )


def calendar_periods(timelines: Timelines, by: By = "year", *, least_seen: float = 0.0) -> list[Period]:
    """Return the calendar periods from the first to the last day of coverage; the first and last may be incomplete.

    Parameters
    ----------
    timelines
        Entries as arrays.
    by
        Length of a period: ``year`` (default), ``half``, ``quarter`` or ``month``.
    least_seen
        Smallest share of a period's days, 0 … 1, that must lie within coverage (default 0).

    Raises
    ------
    SettingError
        When `by` is none of ``year``, ``half``, ``quarter``, ``month``.
    """
    if by not in get_args(By):
        raise SettingError(f"periods by '{by}' are not known; allowed are {', '.join(get_args(By))}")
    first, last = _coverage(timelines)
    months = _MONTHS[by]
    periods = []
    for place in range(first.year * 12 // months, (last.year * 12 + 11) // months + 1):
        start, after = (date(at * months // 12, at * months % 12 + 1, 1) for at in (place, place + 1))
        seen = (min(after, last + timedelta(1)) - max(start, first)).days
        if seen > 0 and seen >= least_seen * (after - start).days:
            name = _NAMES[by].format(start.year, (start.month - 1) // months + 1)
            periods.append(Period(name, start, after - timedelta(1)))
    return periods


def rolling_periods(timelines: Timelines, *, width: int, step: int) -> list[Period]:
    """Return rolling periods; the first begins on the first day of coverage, and all lie within coverage.

    Parameters
    ----------
    timelines
        Entries as arrays.
    width
        Length of a period in days.
    step
        Days from the start of one period to the start of the next; periods overlap where it is shorter than `width`.

    Raises
    ------
    SettingError
        When a number of days is below 1, or the width is longer than the coverage.
    """
    if width < 1 or step < 1:
        raise SettingError(f"rolling periods of {width} days every {step} days; both must be 1 or more")
    first, last = _coverage(timelines)
    if first + timedelta(width - 1) > last:
        raise SettingError(f"rolling periods of {width} days, but only {(last - first).days + 1} days are covered")
    starts = range(0, (last - first).days + 2 - width, step)
    days = [first + timedelta(start) for start in starts]
    return [Period(day.isoformat(), day, day + timedelta(width - 1)) for day in days]


def debuts_in(timelines: Timelines, period: Period) -> Flags:
    """Return the tracks with a timed debut in the period, (n,) flags."""
    first, last = day_number(period.start), day_number(period.end)
    return ~timelines.debut_censored & (timelines.debut >= first) & (timelines.debut <= last)


def debuting(timelines: Timelines, *, period: Period) -> Timelines:
    """Return the timelines of the tracks with a timed debut in the period."""
    return of_tracks(timelines, debuts_in(timelines, period))


def footprint_sizes(timelines: Timelines) -> NDArray[np.int64]:
    """Return how many markets each track entered on the day of its debut, (n,)."""
    there = timelines.day == timelines.debut[timelines.track]
    return np.bincount(timelines.track[there], minlength=len(timelines.track_ids))


def footprint_classes(timelines: Timelines, bounds: Sequence[int] = (1, 2, 5)) -> dict[str, Flags]:
    """Return class of footprint size → its tracks, (n,) flags.

    Parameters
    ----------
    timelines
        Entries as arrays.
    bounds
        Smallest number of markets of each class, ascending; the last class is open (default: the classes ``1``,
        ``2–4``, ``5+``).

    Raises
    ------
    SettingError
        When the bounds do not ascend, or the first is below 1.
    """
    least = list(bounds)
    if not least or least[0] < 1 or least != sorted(set(least)):
        raise SettingError(f"footprint classes from {', '.join(map(str, least)) or 'nothing'}; give ascending sizes")
    sizes = footprint_sizes(timelines)
    classes = {}
    for low, after in zip(least, [*least[1:], None], strict=True):
        name = f"{low}+" if after is None else str(low) if after == low + 1 else f"{low}–{after - 1}"
        classes[name] = (sizes >= low) & (sizes < (after or np.inf))
    return classes


def track_groups(timelines: Timelines, groups: pd.DataFrame) -> dict[str, Flags]:
    """Return group → its tracks, (n,) flags, in order of name.

    Parameters
    ----------
    timelines
        Entries as arrays.
    groups
        `track_id`, `group` (such as a language), one row per track. Tracks without a row, or with a missing group, are
        in no group.

    Raises
    ------
    DataSaysNoError
        When a track has two rows, or none of the tracks has a group.
    """
    known = groups.dropna(subset=["group"])
    if not known["track_id"].is_unique:
        twice = known.loc[known["track_id"].duplicated(), "track_id"].iloc[0]
        raise DataSaysNoError(f"track '{twice}' has several groups; give one row per track")
    group = known.set_index("track_id")["group"].astype(str).reindex(list(timelines.track_ids)).to_numpy(object)
    names = sorted({name for name in group.tolist() if isinstance(name, str)})
    if not names:
        raise DataSaysNoError(f"none of the {len(group):,} tracks has a group; check that the table has their ids")
    return {name: group == name for name in names}


def day_number(day: date) -> int:
    """Return days since 1970-01-01, as `Timelines` counts them."""
    return (day - _EPOCH).days


def _coverage(timelines: Timelines) -> tuple[date, date]:
    """Return the first and last day on which any market was in coverage."""
    ends = int(timelines.span_first.min()), int(timelines.span_last.max())
    return _EPOCH + timedelta(ends[0]), _EPOCH + timedelta(ends[1])

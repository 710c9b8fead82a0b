"""What becomes of tracks by the day on which they debut or are released."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion import DataSaysNoError, Entries
from diffusion.arrays import Floats, Ints
from pipelines.eda.seasons.market_days import Observed, months_of
from pipelines.eda.travel import Followed

NEW: Final = 28
"""Days from the release to the debut within which a track counts as new; older ones are the catalogue."""

LEAST_TRACKS: Final = 10
"""Tracks below which a month's share or mean is not known."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How far tracks got, by the day with which they are counted; n tracks.

    Attributes
    ----------
    month_day, week_day
        (n,): day, from 1970-01-01, by which the track counts in a month and in a weekday; −1 where it is not known.
    travelled
        (n,): 1 where the track entered a market after its debut, within the window.
    further
        (n,): markets entered after the debut, within the window.
    artist
        (n,): number of the artist.
    """

    month_day: Ints
    week_day: Ints
    travelled: Floats
    further: Floats
    artist: Ints


def debut_outcomes(entries: Entries, observed: Observed, window: int) -> Outcomes:
    """Return the outcomes of tracks by debut.

    The weekday of a debut is not known where one of its markets has no chart on the day before.

    Parameters
    ----------
    entries
        Entries of tracks.
    observed
        Their days.
    window
        Days after the debut.

    Raises
    ------
    DataSaysNoError
        When no track has a timed debut a window before the charts end.
    """
    tracks, lines = Followed.of(entries, window), entries.timelines
    day = lines.debut[tracks.track].astype(np.int64)
    first = (lines.day == lines.debut[lines.track]) & ~lines.left_censored
    loose = first & ~observed.at_risk[lines.day - observed.first, lines.market]
    doubtful = np.bincount(lines.track[loose], minlength=len(lines.debut))[tracks.track] > 0
    return Outcomes(
        day,
        np.where(~doubtful & (lines.cadence == 1), day, -1),
        (tracks.further > 0).astype(float),
        tracks.further.astype(float),
        tracks.cluster,
    )


def release_outcomes(entries: Entries, window: int) -> Outcomes:
    """Return the outcomes of new tracks by release; the weekday is known where release and charts are known to the day.

    On weekly charts, the weekday of the release decides how many entries fall into the week of the debut.

    Raises
    ------
    DataSaysNoError
        When no track has a timed debut a window before the charts end, or none of these debuted within 28 days of a
        release that is known to the month.
    """
    described = entries.described
    if "release_date" not in described.column_names or described["release_date"].null_count == len(described):
        raise DataSaysNoError("the charts have no release dates")
    tracks, lines = Followed.of(entries, window), entries.timelines
    at = pc.index_in(pa.array(lines.track_ids[tracks.track], pa.string()), described["track_id"])
    told = described.select(["release_date", "release_precision"]).take(at).to_pandas()
    release = pd.to_datetime(told["release_date"]).to_numpy("datetime64[D]").astype(np.int64)
    precision = told["release_precision"].to_numpy(object)
    debut = lines.debut[tracks.track].astype(np.int64)
    # a track known to the month counts as new where its month of release ended at most so many days before
    ended = np.where(precision == "month", _month_end(release), release)
    new = np.isin(precision, ["day", "month"]) & (debut >= release) & (debut - ended <= NEW)
    if not new.any():
        raise DataSaysNoError(f"no track debuted within {NEW} days of a release that is known to the month")
    exact = (precision == "day")[new] & (lines.cadence == 1)
    further = tracks.further[new].astype(float)
    days = np.where(exact, release[new], -1)
    return Outcomes(release[new], days, (further > 0).astype(float), further, tracks.cluster[new])


def _month_end(day: Ints) -> Ints:
    month = day.astype("datetime64[D]").astype("datetime64[M]")
    last: Ints = (month + 1).astype("datetime64[D]").astype(np.int64) - 1
    return last


def means(value: Floats, day: Ints) -> tuple[int, Floats, Floats]:
    """Return the first day, the mean of every day (t,), and its tracks (t,); days of −1 are left out.

    Parameters
    ----------
    value, day
        (n,): of tracks.
    """
    known = day >= 0
    day, value = day[known], value[known]
    first = int(day.min(initial=np.iinfo(np.int64).max)) if len(day) else 0
    tracks = np.bincount(day - first)
    sums = np.bincount(day - first, value)
    return first, sums / np.maximum(tracks, 1), tracks.astype(np.float64)


def month_means(value: Floats, day: Ints) -> tuple[int, Floats]:
    """Return the first month from January 1970, and the mean of every month, NaN with fewer than 10 tracks.

    Parameters
    ----------
    value, day
        (n,): of tracks.
    """
    first, mean, tracks = means(value, months_of(day))
    return first, np.where(tracks >= LEAST_TRACKS, mean, np.nan)

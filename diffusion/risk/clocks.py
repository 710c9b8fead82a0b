"""Clocks of waits: since the debut, since the entry into a market, or since the release."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.arrays import Days, Ints
from diffusion.errors import SettingError
from diffusion.risk.risk_set import first_unordered
from diffusion.timelines import Timelines


@dataclass(frozen=True, slots=True)
class Clock:
    """When each track's clock starts, and from when on the track is followed; arrays are (k,).

    Attributes
    ----------
    track
        Index of the track in `Timelines`.
    anchor
        Day from which on the track is followed: its debut, or its entry into the market.
    passed
        Days that the clock shows on that day; 0 but for the clock since the release.
    ordered
        Whether only entries count that were seen to come after the anchor.
    """

    track: Ints
    anchor: Days
    passed: Days
    ordered: bool

    @classmethod
    def since_debut(cls, timelines: Timelines) -> Self:
        """Return the clock that starts on day 0 of each track with a timed debut."""
        track = np.flatnonzero(~timelines.debut_censored)
        return cls(track, timelines.debut[track], np.zeros(len(track), np.int32), ordered=False)

    @classmethod
    def since_entry(cls, timelines: Timelines, market: str) -> Self:
        """Return the clock that starts with each timed entry into a market.

        Raises
        ------
        SettingError
            When the charts have no such market.
        """
        if market not in timelines.markets:
            raise SettingError(f"market '{market}' is not on this chart; there are {', '.join(timelines.markets)}")
        entry = np.flatnonzero(timelines.timed & (timelines.market == timelines.markets.index(market)))
        track = timelines.track[entry].astype(np.int64)
        return cls(track, timelines.day[entry], np.zeros(len(track), np.int32), ordered=True)

    @classmethod
    def since_release(cls, timelines: Timelines, released: pa.Table) -> Self:
        """Return the clock that starts with the release; a track is followed from its debut on.

        A track is seen only once it has a debut, so it is at risk from then on. Tracks with an unknown release, or one
        after their debut, are left out.

        Parameters
        ----------
        released
            `track_id`, `release_date` of any tracks.
        """
        at = pc.index_in(pa.array(timelines.track_ids, pa.string()), released["track_id"].cast(pa.string()))
        dates = released["release_date"].cast(pa.date32()).cast(pa.int32()).take(at)
        day = pc.fill_null(dates, np.iinfo(np.int32).max).to_numpy(zero_copy_only=False).astype(np.int64)
        track = np.flatnonzero(~timelines.debut_censored & (day <= timelines.debut))
        passed = timelines.debut[track] - day[track]
        return cls(track, timelines.debut[track], passed.astype(np.int32), ordered=False)

    def there(self, timelines: Timelines, entries: Ints) -> Days:
        """Return the first day on which the track of each entry has entered, or may have, as this clock sees it."""
        return first_unordered(timelines, entries) if self.ordered else timelines.day[entries]

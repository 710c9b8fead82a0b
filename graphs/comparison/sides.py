"""The two sides of a comparison: their markets, tracks and artists are numbered alike."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from diffusion import Entries
from diffusion.arrays import Days, Flags, Floats, Ints
from diffusion.comparable import common_markets, numbered_artists, numbered_tracks
from diffusion.risk.follow_up import UNSEEN
from diffusion.risk.risk_set import withheld_markets
from diffusion.timelines import Timelines


@dataclass(frozen=True, slots=True)
class Side:
    """One of two sets of entries.

    Attributes
    ----------
    timelines
        The entries as arrays.
    markets
        (m,): index in the timelines of every market that both sides have, in the same order for both.
    track
        (n,): number of every track; a track in both sides has the same number.
    artist
        (n,): number of every track's primary artist, likewise.
    withheld
        (n, markets of the timelines): where tracks have no licence; None where none is known.
    """

    timelines: Timelines
    markets: Ints
    track: Ints
    artist: Ints
    withheld: csr_array | None


def sides(a: Entries, b: Entries) -> tuple[tuple[str, ...], Side, Side]:
    """Return the markets that both have, and the two sides.

    Raises
    ------
    DataSaysNoError
        When they have fewer than two markets in common.
    """
    common = common_markets(a, b)
    one, other = (
        Side(
            each.timelines,
            np.array([each.timelines.markets.index(market) for market in common]),
            tracks,
            artists,
            withheld_markets(each.timelines, each.withheld) if each.withheld.num_rows else None,
        )
        for each, tracks, artists in zip((a, b), numbered_tracks(a, b), numbered_artists(a, b), strict=True)
    )
    return common, one, other


@dataclass(frozen=True, slots=True)
class Followed:
    """Tracks of one side, followed in m markets (or in other respects) from a day of their own.

    Attributes
    ----------
    track, artist
        (k,): numbers as in `Side`.
    since
        (k,): day on which the clock starts.
    days
        (k, m): days to the entry or to the end of follow-up; `UNSEEN` where the track is not followed.
    entered
        (k, m): whether follow-up ends with an entry.
    """

    track: Ints
    artist: Ints
    since: Days
    days: Days
    entered: Flags

    def until(self, last: Ints) -> Self:
        """Return the same followed no longer than so many days, (m,)."""
        days = np.minimum(self.days, last.astype(np.int32))
        return type(self)(self.track, self.artist, self.since, days, self.entered & (self.days <= last))

    @property
    def last(self) -> Ints:
        """(m,): longest follow-up in days, `UNSEEN` where no track is followed."""
        longest: Ints = self.days.max(axis=0, initial=UNSEEN).astype(np.int64)
        return longest

    @property
    def seen(self) -> Flags:
        """(k, m): whether the track is followed."""
        flags: Flags = self.days != UNSEEN
        return flags

    def counts(self, length: int) -> tuple[Ints, Ints]:
        """Return, (m, length) each, how many follow-ups end on each day with an entry, and without."""
        markets = self.days.shape[1]
        cell = (self.entered * markets + np.arange(markets)) * length + self.days
        went = np.bincount(cell[self.seen], minlength=2 * markets * length).reshape(2, markets, length)
        return went[1], went[0]

    def at(self, values: Floats) -> Floats:
        """Return, (k, m), values by market and day, (m, length), on each track's last day; 0 where not followed."""
        own = values[np.arange(len(values)), np.maximum(self.days, 0)]
        return np.where(self.seen, own, 0.0)


def shared(a: Followed, b: Followed) -> tuple[Ints, Ints]:
    """Return the rows of a and of b that are the same track, followed from the same day."""
    _, of_a, of_b = np.intersect1d(a.track, b.track, assume_unique=True, return_indices=True)
    same = a.since[of_a] == b.since[of_b]
    return of_a[same], of_b[same]

"""Journeys of tracks after their debut, in the markets that were observed on its day."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from diffusion import DataSaysNoError, Entries
from diffusion.arrays import Flags, Floats, Ints
from diffusion.markets import reference_table
from diffusion.risk.follow_up import UNSEEN, FollowUp
from diffusion.risk.risk_set import withheld_markets

NEVER: Final = 1 << 30
"""Day of what does not happen."""


@dataclass(frozen=True, slots=True)
class Journeys:
    """The entries of n tracks with a timed debut, e of them, in order of track and day.

    A track is followed in the markets that are in coverage and past their washout on the day of its debut, until the
    coverage of one of them ends. That day depends on when and where it debuts alone.

    Attributes
    ----------
    names
        (n,): ids of the tracks.
    artist
        (n,): number of the artist.
    year
        (n,): year of the debut.
    until
        (n,): days that the track is followed.
    row
        (e,): place of the entry's track.
    market
        (e,): number of the market.
    age
        (e,): days since the debut, at most `until`; 0 for the markets of the footprint.
    continents
        (m, c): which continents each market is on.
    cadence
        Days from one chart to the next.
    """

    names: np.ndarray
    artist: Ints
    year: Ints
    until: Ints
    row: Ints
    market: Ints
    age: Ints
    continents: Flags
    cadence: int

    @classmethod
    def of(cls, entries: Entries, longest: int) -> Self:
        """Return the journeys of entries.

        Parameters
        ----------
        entries
            Entries of tracks.
        longest
            Longest follow-up in days.

        Raises
        ------
        DataSaysNoError
            When no track has a timed debut with another market in coverage.
        """
        lines, follow_up = entries.timelines, FollowUp.of_exposures(entries.timelines, longest)
        days = follow_up.days[follow_up.row(lines.debut)]
        age = (lines.day - lines.debut[lines.track]).astype(np.int64)
        at_once = age == 0
        days[lines.track[at_once], lines.market[at_once]] = UNSEEN
        if entries.withheld.num_rows:
            days[withheld_markets(lines, entries.withheld).nonzero()] = UNSEEN
        followed = days != UNSEEN
        until = np.where(followed, days, NEVER).min(axis=1, initial=NEVER).astype(np.int64)
        kept = ~lines.debut_censored & followed.any(axis=1) & (until > 0)
        if not kept.any():
            raise DataSaysNoError("no track has a timed debut on a day when another market was observed")
        counted = kept[lines.track] & (age <= until[lines.track])
        counted &= at_once | followed[lines.track, lines.market]
        place = np.cumsum(kept) - 1
        return cls(
            names=lines.track_ids[kept],
            artist=lines.cluster[kept],
            year=lines.debut[kept].astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970,
            until=until[kept],
            row=place[lines.track[counted]],
            market=lines.market[counted].astype(np.int64),
            age=age[counted],
            continents=_continents(entries, lines.markets),
            cadence=lines.cadence,
        )

    @property
    def footprint(self) -> Ints:
        """(n,): markets entered on day 0."""
        return self.by(0)

    @property
    def step(self) -> Ints:
        """(e,): 0 for the first entry of each track, 1 for the next, and so on; ties in order of market."""
        starts = np.searchsorted(self.row, np.arange(len(self.until)))
        return np.arange(len(self.row)) - starts[self.row]

    def by(self, day: int) -> Ints:
        """Return, (n,), the markets entered by a day after the debut."""
        return np.bincount(self.row[self.age <= day], minlength=len(self.until))

    def day_of(self, extra: int) -> Ints:
        """Return, (n,), the day of the first, second … entry after that of the debut, `NEVER` where there is none."""
        later = self.age > 0
        row, age = self.row[later], self.age[later]
        rank = np.arange(len(row)) - np.searchsorted(row, row) + 1
        days = np.full(len(self.until), NEVER)
        days[row[rank == extra]] = age[rank == extra]
        return days

    def whole(self, window: int) -> Self:
        """Return the journeys that were followed for a window, cut at its end.

        Raises
        ------
        DataSaysNoError
            When there is none.
        """
        kept = self.until >= window
        if not kept.any():
            raise DataSaysNoError(f"no track was followed for {window} days after a timed debut")
        return self.only(kept, window)

    def only(self, kept: Flags, until: int = NEVER) -> Self:
        """Return some of the journeys, cut at a day (default: none)."""
        counted = kept[self.row] & (self.age <= until)
        place = np.cumsum(kept) - 1
        return type(self)(
            self.names[kept],
            self.artist[kept],
            self.year[kept],
            np.minimum(self.until[kept], until),
            place[self.row[counted]],
            self.market[counted],
            self.age[counted],
            self.continents,
            self.cadence,
        )

    @property
    def reach(self) -> Ints:
        """(n,): markets entered."""
        return np.bincount(self.row, minlength=len(self.until))

    @property
    def half_day(self) -> Ints:
        """(n,): day by which half of the markets after the first one were entered; `NEVER` where there is no other."""
        at = np.searchsorted(self.row, np.arange(len(self.until)))
        reach = self.reach
        days: Ints = np.where(reach > 1, self.age[at + np.minimum(reach // 2, reach - 1)], NEVER)
        return days

    @property
    def crossed(self) -> Ints:
        """(n,): continents that the markets entered are on; markets of unknown continent count for none."""
        there = np.zeros((len(self.until), self.continents.shape[1]), np.bool_)
        for continent, members in enumerate(self.continents.T):
            there[self.row[members[self.market]], continent] = True
        crossed: Ints = there.sum(axis=1)
        return crossed

    def course(self, days: int) -> Floats:
        """Return, (n, days + 1), the markets entered by each day."""
        at = self.row * (days + 1) + np.minimum(self.age, days)
        counts = np.bincount(at, minlength=len(self.until) * (days + 1)).reshape(-1, days + 1)
        return np.cumsum(counts, axis=1, dtype=np.float64)


def _continents(entries: Entries, markets: tuple[str, ...]) -> Flags:
    """Return, (m, c), which continents markets are on; a group of markets is on those of its members."""
    known = reference_table().dropna(subset=["continent"]).set_index("market")["continent"]
    names = sorted(known.unique())
    there = np.zeros((len(markets), len(names)), np.bool_)
    for place, market in enumerate(markets):
        own = known.reindex(entries.groups.get(market, (market,))).dropna()
        there[place, [names.index(name) for name in own]] = True
    return there

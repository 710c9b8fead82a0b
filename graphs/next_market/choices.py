"""Choices of the next market that entries show: which markets had been entered, and which was entered among which."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Floats, Ints
from diffusion.conventions import LONG_GAP
from diffusion.entries import Entries
from diffusion.timelines import NOT_ENTERED

LATER: Final = 0.5
"""Weight of a choice made after the first step: its entries count in the choice from the footprint too."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Entries and coverage up to a day, as arrays. Days count from 1970-01-01.

    Attributes
    ----------
    markets
        Codes of the m markets.
    track, market, day
        (k,): number of the entry's track, index of its market, and its day.
    timed
        (k,): whether the entry is not left-censored.
    chart_market, chart_day, chart_opened
        (c,): index of the market, day, and first day of the stretch of coverage, of every chart; in order of day.
    withheld
        (2, w): numbers of track and market without a licence.
    washout
        Days after the opening of a stretch of coverage within which entries are left-censored.
    """

    markets: tuple[str, ...]
    track: NDArray[np.integer]
    market: NDArray[np.integer]
    day: Days
    timed: Flags
    chart_market: NDArray[np.integer]
    chart_day: Days
    chart_opened: Days
    withheld: Ints
    washout: int

    @classmethod
    def of(cls, entries: Entries) -> Self:
        """Return what entries and their calendar show."""
        lines = entries.timelines
        coverage = entries.calendar.to_pandas().sort_values(["date", "market"])
        opened = coverage.groupby(["market", "span"])["date"].transform("min")
        dates = (column.to_numpy().astype("datetime64[D]").astype(np.int32) for column in (coverage["date"], opened))
        track = {name: number for number, name in enumerate(lines.track_ids)}
        market = {code: number for number, code in enumerate(lines.markets)}
        banned = entries.withheld.to_pandas()
        banned = banned[banned["track_id"].isin(track) & banned["market"].isin(market)]
        chart_day, chart_opened = dates
        return cls(
            markets=lines.markets,
            track=lines.track,
            market=lines.market,
            day=lines.day,
            timed=lines.timed,
            chart_market=coverage["market"].map(market).to_numpy(),
            chart_day=chart_day,
            chart_opened=chart_opened,
            withheld=np.stack([banned["track_id"].map(track), banned["market"].map(market)]).astype(np.int64),
            washout=lines.washout,
        )

    def open_on(self, days: Days) -> Flags:
        """Return, (d, m), which markets are in coverage on each day, past the washout of their stretch of coverage."""
        found = np.zeros((len(days), len(self.markets)), np.bool_)
        for market in range(len(self.markets)):
            here = self.chart_market == market
            if not here.any():
                continue
            day, opened = self.chart_day[here], self.chart_opened[here]
            at = np.searchsorted(day, days, side="right") - 1
            found[:, market] = (at >= 0) & (days - day[at] <= LONG_GAP) & (opened[at] + self.washout <= days)
        return found


@dataclass(frozen=True, slots=True)
class Choices:
    """k choices among m markets.

    Attributes
    ----------
    entered
        (k, m): markets entered before.
    chosen
        (k, m): markets entered then; several are as many choices from the same markets.
    at_risk
        (k, m): markets that could be entered, those chosen among them.
    weight
        (k,): how much a choice counts.
    """

    entered: Flags
    chosen: Flags
    at_risk: Flags
    weight: Floats

    def __len__(self) -> int:
        return len(self.weight)

    def joined(self, other: Self) -> "Choices":
        """Return these choices and others."""
        return Choices(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Journeys:
    """Tracks with a timed debut.

    Attributes
    ----------
    debut
        (n,): day of the debut.
    day
        (n, m): day of the entry into each market, `NOT_ENTERED` where there is none.
    banned
        (n, m): markets without a licence.
    """

    debut: Days
    day: Days
    banned: Flags

    @classmethod
    def of(cls, seen: Seen, *, least: int) -> Self:
        """Return the tracks with a timed debut and at least so many entries, in order of number."""
        size = int(seen.track.max(initial=-1)) + 1
        debut = np.full(size, NOT_ENTERED)
        np.minimum.at(debut, seen.track, seen.day)
        starts = seen.timed & (seen.day == debut[seen.track])
        timed = np.bincount(seen.track[starts], minlength=size) > 0
        tracks = np.flatnonzero(timed & (np.bincount(seen.track, minlength=size) >= least))
        row = np.full(size, -1)
        row[tracks] = np.arange(len(tracks))
        day = np.full((len(tracks), len(seen.markets)), NOT_ENTERED)
        kept = row[seen.track] >= 0
        day[row[seen.track[kept]], seen.market[kept]] = seen.day[kept]
        banned = np.zeros(day.shape, np.bool_)
        track, market = seen.withheld[:, seen.withheld[0] < size]
        ours = row[track] >= 0
        banned[row[track[ours]], market[ours]] = True
        return cls(debut[tracks], day, banned)

    def where(self, chosen: Flags) -> "Journeys":
        """Return the tracks that are chosen."""
        return Journeys(self.debut[chosen], self.day[chosen], self.banned[chosen])

    def first_choices(self, seen: Seen, horizon: int) -> tuple[Flags, Flags]:
        """Return, (n, m) each, the markets at risk after the footprint, and those entered within the horizon."""
        age = self.day - self.debut[:, None]
        days, at = np.unique(self.debut, return_inverse=True)
        at_risk = seen.open_on(days)[at] & (age != 0) & ~self.banned
        return at_risk, at_risk & (age > 0) & (age <= horizon)


def footprint_choices(seen: Seen) -> Choices:
    """Return one choice per market of every footprint of two or more, given the others, as if it had come last.

    Markets of one date have no order, but they tell which go together. The choices of one footprint weigh 1 together.
    """
    journeys = Journeys.of(seen, least=2)
    footprint = journeys.day == journeys.debut[:, None]
    several = footprint.sum(axis=1) > 1
    days, at = np.unique(journeys.debut[several], return_inverse=True)
    open_ = seen.open_on(days)[at]
    row, market = np.nonzero(footprint[several] & open_)
    entered = footprint[several][row]
    entered[np.arange(len(row)), market] = False
    chosen = np.zeros(entered.shape, np.bool_)
    chosen[np.arange(len(row)), market] = True
    at_risk = chosen | (open_[row] & ~entered & ~journeys.banned[several][row])
    return Choices(entered, chosen, at_risk, 1 / footprint[several].sum(axis=1)[row])


def step_choices(seen: Seen, horizon: int) -> Choices:
    """Return the choices of tracks within `horizon` days after their debut, as far as they have been seen.

    Two kinds: from the footprint, all markets entered since; and from the second date on, the markets of a date given
    all entered before, with weight `LATER`.
    """
    journeys = Journeys.of(seen, least=2)
    return _from_footprint(seen, journeys, horizon).joined(_from_later_dates(seen, journeys, horizon))


def _from_footprint(seen: Seen, journeys: Journeys, horizon: int) -> Choices:
    at_risk, chosen = journeys.first_choices(seen, horizon)
    kept = chosen.any(axis=1)
    footprint = journeys.day[kept] == journeys.debut[kept, None]
    return Choices(footprint, chosen[kept], at_risk[kept], np.ones(int(kept.sum())))


def _from_later_dates(seen: Seen, journeys: Journeys, horizon: int) -> Choices:
    age = journeys.day - journeys.debut[:, None]
    row, market = np.nonzero((age > 0) & (age <= horizon))
    row, day = np.unique(np.stack([row, journeys.day[row, market]]), axis=1)
    there = journeys.day[row]
    entered = there < day[:, None]
    days, at = np.unique(day, return_inverse=True)
    at_risk = seen.open_on(days.astype(np.int32))[at] & ~entered & ~journeys.banned[row]
    chosen = at_risk & (there == day[:, None])
    second = entered.sum(axis=1) > (age[row] == 0).sum(axis=1)
    kept = second & chosen.any(axis=1)
    return Choices(entered[kept], chosen[kept], at_risk[kept], np.full(int(kept.sum()), LATER))

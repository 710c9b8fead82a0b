"""How far tracks get: markets entered within the window of their debut, on two sides."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from scipy import stats

from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import CONFIDENCE
from diffusion.risk.follow_up import UNSEEN, End, FollowUp
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.risk.risk_set import wait_risk
from graphs.comparison.contrast import contrast
from graphs.comparison.sides import Followed, Side
from graphs.false_discovery import adjusted
from graphs.leaders.bootstrap import ROUNDING
from graphs.leaders.groups import LEAST_ARTISTS

FURTHER: Final = "markets_entered"
"""Expected number of markets entered after the debut."""

AT_ONCE: Final = "markets_on_debut"
"""Expected number of markets entered on the day of the debut."""

SPREADING: Final = "spreading_share"
"""Share of tracks that enter a market after the debut."""


@dataclass(frozen=True, slots=True)
class FromDebut:
    """Tracks of one side, followed from their debut.

    Attributes
    ----------
    followed
        Follow-up in each common market; entries on the day of the debut count as day 0.
    first
        The same of the first entry after the debut, in one column: a track is followed until the coverage of a market
        ends in which it is still at risk.
    """

    followed: Followed
    first: Followed

    @classmethod
    def of(cls, side: Side, window: int) -> Self:
        """Return the tracks with a timed debut."""
        timelines = side.timelines
        track = np.flatnonzero(~timelines.debut_censored)
        risk = wait_risk(timelines, FollowUp.of_exposures(timelines, window), track, side.withheld)
        days, end = risk.days[:, side.markets], risk.end[:, side.markets]
        at_once, entered = end == End.THERE, end == End.ENTERED
        never = np.int32(window + 1)
        soonest = np.where(entered, days, never).min(axis=1, initial=never)
        at_risk = days != UNSEEN
        known = np.where(at_risk & ~entered, days, never).min(axis=1, initial=never)
        last = np.where(at_risk.any(axis=1), np.minimum(soonest, known), UNSEEN)
        who = side.track[track], side.artist[track], timelines.debut[track]
        return cls(
            Followed(*who, np.where(at_once, 0, days), at_once | entered),
            Followed(*who, last[:, None], ((soonest <= known) & (last != UNSEEN))[:, None]),
        )


def reach_table(a: Side, b: Side, *, window: int) -> pd.DataFrame:
    """Return how far the tracks of both sides get, one row per measure; see `graphs.compare`.

    Notes
    -----
    The least is assumed that censoring allows: the expected number of markets is the sum over the common markets of the
    probability of entry by the day, each one minus Kaplan–Meier over the tracks that debut while the market is in
    coverage and past its washout. Its error is by artist: the sum over markets of what leaving out an artist changes.
    """
    one, other = (FromDebut.of(side, window) for side in (a, b))
    last = np.minimum(one.followed.last, other.followed.last)
    counted = last >= 0
    expected = [_expected(side.followed, last, counted) for side in (one, other)]
    rows = [_row(name, *(each.only(at) for each in expected)) for at, name in enumerate((FURTHER, AT_ONCE))]
    found = contrast(one.first, other.first)
    share = {
        "measure": SPREADING,
        **{
            f"{value}_{name}": float(getattr(side, field)[0])
            for name, side in (("a", found.a), ("b", found.b))
            for value, field in (("value", "rate"), ("low", "low"), ("high", "high"), ("artists", "artists"))
        },
        "difference": found.difference[0],
        "low": found.low[0],
        "high": found.high[0],
        "p": found.p[0],
    }
    table = pd.DataFrame([share, *rows])
    table["q"] = adjusted(table["p"].to_numpy(np.float64))
    table.insert(1, "tracks_a", len(one.followed.track))
    table.insert(2, "tracks_b", len(other.followed.track))
    table["markets"] = int(counted.sum())
    return table


@dataclass(frozen=True, slots=True)
class Expected:
    """Expected numbers of markets, r of them, and what each artist changes.

    Attributes
    ----------
    value
        (r,): expected numbers.
    artist
        (c,): numbers of the artists.
    change
        (c, r): change of the expected number when the artist is left out.
    share
        (c,): share of the tracks.
    """

    value: Floats
    artist: Ints
    change: Floats
    share: Floats

    def only(self, at: int) -> Self:
        """Return one of the numbers."""
        own = slice(at, at + 1)
        return type(self)(self.value[own], self.artist, self.change[:, own], self.share)

    @property
    def artists(self) -> float:
        """Effective number of artists, 1 / Σ share²."""
        return float(1 / (self.share**2).sum()) if len(self.share) else 0.0


def _expected(followed: Followed, last: Ints, counted: Flags) -> Expected:
    """Return the expected number of markets entered after the debut and on its day."""
    own = followed.until(last)
    curves = KaplanMeier.of_ends(*own.counts(int(last.max(initial=0)) + 1))
    start = Followed(own.track, own.artist, own.since, np.minimum(own.days, 0), own.entered & (own.days == 0))
    end_survival, start_survival = curves.survival[:, -1] * counted, curves.survival[:, 0] * counted
    pull = [
        (side.at(curves.variance) - np.where(side.entered, side.at(curves.loss), 0.0)) @ survival
        for side, survival in ((own, end_survival), (start, start_survival))
    ]
    artist, place, sizes = np.unique(own.artist, return_inverse=True, return_counts=True)
    share = sizes / max(len(own.artist), 1)
    changes = np.stack([np.bincount(place, each, len(artist)) for each in (pull[1] - pull[0], -pull[1])], axis=1)
    value = np.array([(start_survival - end_survival).sum(), (counted - start_survival).sum()])
    return Expected(value, artist, changes / np.maximum(1 - share, 1e-9)[:, None], share)


def _row(name: str, a: Expected, b: Expected) -> dict[str, object]:
    """Return one measure of both sides and its difference."""
    row: dict[str, object] = {"measure": name}
    free = []
    for side, own in (("a", a), ("b", b)):
        error, artists = float(np.sqrt((own.change**2).sum())), own.artists
        reach = stats.t.ppf((1 + CONFIDENCE) / 2, max(artists - 1, 1)) * error
        enough = artists >= LEAST_ARTISTS
        value = float(own.value[0])
        row |= {
            f"value_{side}": value,
            f"low_{side}": max(value - reach, 0.0) if enough else np.nan,
            f"high_{side}": value + reach if enough else np.nan,
            f"artists_{side}": artists,
        }
        free.append((error**2, max(artists - 1, 1)))
    every = np.union1d(a.artist, b.artist)
    change = np.zeros((2, len(every)))
    for place, own in enumerate((a, b)):
        change[place, np.searchsorted(every, own.artist)] = own.change[:, 0]
    error = float(np.sqrt(((change[0] - change[1]) ** 2).sum()))
    parts = sum(variance**2 / number for variance, number in free)
    df = (free[0][0] + free[1][0]) ** 2 / parts if parts else 1.0
    difference = float(a.value[0] - b.value[0])
    enough = min(a.artists, b.artists) >= LEAST_ARTISTS
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, df)) * error
    tested = enough and error > ROUNDING
    return row | {
        "difference": difference,
        "low": difference - reach if enough else np.nan,
        "high": difference + reach if enough else np.nan,
        "p": float(2 * stats.t.sf(abs(difference) / error, df)) if tested else np.nan,
    }

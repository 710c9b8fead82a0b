"""Artist features: what the other tracks of the credited artists have done, here and elsewhere."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from pipelines.features.history import History
from pipelines.features.registry import Feature, Known, Values
from pipelines.features.relatives import Relatives, RowsByKey
from pipelines.features.scene import Scene

LASTING: Final = 4
"""Horizons: half-life of what an artist has done lastingly; that of what it has done recently is one horizon."""


def _feature(name: str, unit: str, meaning: str, known: Known = "as of") -> Feature:
    return Feature(name, unit, meaning, ("charts", "tracks"), known, "artist")


class Artist:
    """The primary artist (named first), all credited artists, and those they have worked with.

    Credited are the names in the artist field, parted by commas, and guests named in the title. Another track of an
    artist is any track with its credit, but for the observed one, that has been on a chart by the as-of date. A track's
    window is closed when its debut lies a horizon or more before the as-of date.

    Parameters
    ----------
    horizon
        Days after a debut in which entries count as its spread.
    """

    features: Final = (
        _feature("artist_tracks", "tracks", "Other tracks of the primary artist."),
        _feature("artist_is_new", "0 or 1", "1 if no other track of the primary artist debuted before this one."),
        _feature("artist_gap", "days", "Days from the primary artist's debut before this one to this one."),
        _feature("artist_markets", "markets", "Markets that other tracks of the primary artist have entered."),
        _feature(
            "artist_closed_tracks", "tracks", "Other tracks of the primary artist with a closed window.",
            "closed windows",
        ),
        _feature(
            "artist_spread_share", "share", "Share of those that entered a market after their debut, in their window; "
            "missing without any.", "closed windows",
        ),
        _feature(
            "artist_reach", "markets", "Markets that those entered after their debut, in their window, per track; "
            "missing without any.", "closed windows",
        ),
        _feature("artist_entries_here", "tracks", "Other tracks of the primary artist that have entered the market."),
        _feature("artist_share_here", "share", "Those, divided by its other tracks plus one."),
        _feature(
            "artist_recent_here", "tracks", "Those, each weighted ½^(days since its entry / horizon)."
        ),
        _feature(
            "artist_lasting_here", "tracks", "Those, each weighted ½^(days since its entry / 4 horizons)."
        ),
        _feature(
            "artist_recent_share_here", "share", "artist_lasting_here, divided by its sum over all markets plus ½."
        ),
        _feature(
            "artist_late_share_here", "share", "Of the closed windows of other tracks of the primary artist that did "
            "not debut here, the share that entered here in their window, with 0.01 added above and 1 below.",
            "closed windows",
        ),
        _feature("artist_days_here", "days", "Days since the last entry here of another track of the primary artist."),
        _feature("artist_best_here", "rank", "Best position at an entry here of another track of the primary artist."),
        _feature("artist_now_here", "tracks", "Other tracks of the primary artist on the market's latest chart."),
        _feature("artist_rank_now_here", "rank", "Best position of those."),
        _feature("artist_now", "tracks", "Sum of artist_now_here over all markets."),
        _feature(
            "artist_in_footprint", "tracks", "Sum of artist_entries_here over the markets that this track has entered."
        ),
        _feature("siblings", "tracks", "Other tracks of the primary artist that debuted on the day of this debut."),
        _feature("siblings_here", "tracks", "Those that have entered the market."),
        _feature("siblings_share_here", "share", "Those, divided by the siblings; missing without any."),
        _feature("siblings_markets", "markets", "Markets that any sibling has entered."),
        _feature("credited", "artists", "Artists credited."),
        _feature("credited_tracks_most", "tracks", "The most other tracks of a credited artist."),
        _feature(
            "credited_reach_most", "markets", "The greatest artist_reach of a credited artist.", "closed windows"
        ),
        _feature("credited_entries_here_most", "tracks", "The most artist_entries_here of a credited artist."),
        _feature("credited_entries_here_sum", "tracks", "Sum of artist_entries_here over the credited artists."),
        _feature("credited_lasting_here_most", "tracks", "The greatest artist_lasting_here of a credited artist."),
        _feature("credited_share_here_most", "share", "The greatest artist_share_here of a credited artist."),
        _feature("credited_now_here_sum", "tracks", "Sum of artist_now_here over the credited artists."),
        _feature(
            "guests_share_here_most", "share", "The greatest artist_share_here of a credited artist other than the "
            "primary one; missing without any.",
        ),
        _feature(
            "collaborators", "artists", "Artists not credited here that share a credit with a credited artist on "
            "another track.",
        ),
        _feature(
            "collaborators_entries_most", "entries", "The most entries, of all tracks into all markets, of one of them."
        ),
    )  # fmt: skip

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self._entries_by_artist: Ints = np.zeros(0, np.int64)
        self._credits = RowsByKey()
        self._entries = RowsByKey()

    def advance(self, known: History, day: int) -> None:
        """Count the day's entries of every artist."""
        artists = int(known.credits[1].max(initial=-1)) + 1
        grown = np.zeros(artists, np.int64)
        grown[: len(self._entries_by_artist)] = self._entries_by_artist
        track = known.entries.between(day, day).track
        _, artist = _credits(known, track)
        self._entries_by_artist = grown + np.bincount(artist, minlength=artists)

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        row, artist = _credits(known, scene.track)
        starts = np.searchsorted(row, np.arange(len(scene.track)))
        pair, credit = self._credits.find(known.credits[1], artist)
        other = known.credits[0, credit] != scene.track[row[pair]]
        pair, track = pair[other], known.credits[0, credit[other]]
        others = Relatives.of(known, scene.day, self._entries, len(row), pair, track)
        each = self._per_artist(others, scene, row)
        found = {name: value[starts] for name, value in each.items()}
        found |= _credited(each, row, starts)
        found |= self._collaborators(known, row, pair, track, artist)
        found["artist_in_footprint"] = (found["artist_entries_here"] * scene.entered).sum(axis=1)
        return {name: values.astype(np.float32) for name, values in found.items()}

    def _per_artist(self, others: Relatives, scene: Scene, row: Ints) -> dict[str, Floats]:
        """Return name → values of every credit, (p,) or (p, m); `row` is the credit's observation."""
        debut = (scene.day - scene.age[row]).astype(np.int64)[others.group]
        since = (scene.day - others.day).astype(np.float64)
        tracks, here = others.members(), others.entries()
        lasting = others.entries(0.5 ** (since / (LASTING * self.horizon)))
        before = others.debut < debut
        gap = np.full(len(row), np.nan)
        np.fmin.at(gap, others.group[before], (debut - others.debut)[before])
        now, sibling = others.now(), others.debut == debut
        siblings, siblings_here = others.members(sibling), others.entries(sibling[others.member])
        return {
            "artist_tracks": tracks,
            "artist_is_new": np.equal(others.members(before), 0).astype(np.float64),
            "artist_gap": gap,
            "artist_markets": (here > 0).sum(axis=1),
            "artist_entries_here": here,
            "artist_share_here": here / (tracks[:, None] + 1),
            "artist_recent_here": others.entries(0.5 ** (since / self.horizon)),
            "artist_lasting_here": lasting,
            "artist_recent_share_here": lasting / (lasting.sum(axis=1, keepdims=True) + 0.5),
            "artist_days_here": scene.day - others.last(),
            "artist_best_here": others.best_entry(),
            "artist_now_here": now,
            "artist_rank_now_here": others.best_now(),
            "artist_now": now.sum(axis=1),
            "siblings": siblings,
            "siblings_here": siblings_here,
            "siblings_share_here": _ratio(siblings_here, siblings[:, None]),
            "siblings_markets": (siblings_here > 0).sum(axis=1),
        } | self._spread(others, scene.day)

    def _spread(self, others: Relatives, day: int) -> dict[str, Floats]:
        """Return what became of the closed windows of every credit."""
        closed = others.debut.astype(np.int64) + self.horizon <= day
        after = others.day - others.debut[others.member]
        late = closed[others.member] & (after > 0) & (after <= self.horizon)
        spread = np.zeros(len(closed), np.bool_)
        spread[others.member[late]] = True
        tracks, late_here = others.members(closed), others.entries(late)
        elsewhere = tracks[:, None] - others.entries(closed[others.member] & (after == 0))
        return {
            "artist_closed_tracks": tracks,
            "artist_spread_share": _ratio(others.members(spread), tracks),
            "artist_reach": _ratio(late_here.sum(axis=1), tracks),
            "artist_late_share_here": (late_here + 0.01) / (elsewhere + 1),
        }

    def _collaborators(self, known: History, row: Ints, pair: Ints, track: Ints, artist: Ints) -> dict[str, Floats]:
        """Return how many others the credited artists have worked with, and how far the best of them came."""
        at, other = _credits(known, track)
        artists = len(self._entries_by_artist)
        met = np.unique(row[pair[at]] * artists + other)
        met = met[~np.isin(met, row * artists + artist)]
        n = int(row[-1]) + 1
        most = np.full(n, np.nan)
        np.fmax.at(most, met // artists, self._entries_by_artist[met % artists])
        return {
            "collaborators": np.bincount(met // artists, minlength=n).astype(np.float64),
            "collaborators_entries_most": most,
        }

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the entries of every artist; all else stands in what is known."""
        return {"entries_by_artist": self._entries_by_artist}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state."""
        self._entries_by_artist = state["entries_by_artist"].astype(np.int64)
        self._credits, self._entries = RowsByKey(), RowsByKey()


def _credits(known: History, track: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Return index into `track` and artist of every credit of tracks, in order; the primary artist comes first."""
    low = np.searchsorted(known.credits[0], track)
    size = np.searchsorted(known.credits[0], track, side="right") - low
    at = np.repeat(np.arange(len(track)), size)
    place = np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(low, size)
    return at, known.credits[1, place]


def _credited(each: Mapping[str, Floats], row: Ints, starts: Ints) -> dict[str, Floats]:
    """Return what is taken over all credits of an observation."""
    guest = np.ones(len(row), np.bool_)
    guest[starts] = False
    entries, share = each["artist_entries_here"], each["artist_share_here"]
    return {
        "credited": np.bincount(row).astype(np.float64),
        "credited_tracks_most": np.fmax.reduceat(each["artist_tracks"], starts),
        "credited_reach_most": np.fmax.reduceat(each["artist_reach"], starts),
        "credited_entries_here_most": np.fmax.reduceat(entries, starts),
        "credited_entries_here_sum": np.add.reduceat(entries, starts),
        "credited_lasting_here_most": np.fmax.reduceat(each["artist_lasting_here"], starts),
        "credited_share_here_most": np.fmax.reduceat(share, starts),
        "credited_now_here_sum": np.add.reduceat(each["artist_now_here"], starts),
        "guests_share_here_most": np.fmax.reduceat(np.where(guest[:, None], share, np.nan), starts),
    }


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return a ratio, NaN where `below` is 0."""
    return above / np.where(below > 0, below, np.nan)

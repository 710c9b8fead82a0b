"""Exposure and events of one market, counted once and used for the likelihood at any median lag."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from graphs.summed_hazard.background import Cells
from graphs.summed_hazard.followup import ObservedRisk, Tracks, flat_ranges, observed_risk, unordered

KEY: Final = 1 << 16
"""More than any lag in days: two lags make one number."""


@dataclass(frozen=True, slots=True)
class Design:
    """Exposure and events of one target market, m possible senders and q background cells.

    Attributes
    ----------
    market
        Number of the target.
    survived
        (m, w + 1): exposure without event, as net numbers of tracks at each lag; the exposure of sender a is
        Σₓ ``survived[a, x]``·F(x).
    survived_days
        (q,): the same for the background, track-days.
    track, day
        (k,): track and day of each event.
    row, sender
        (c,): event and sender of each possible transmission; other pairs of event and sender have no exposure.
    kind
        (c,): its lags, as a row of `kinds`.
    kinds
        (j, 2): the lags in days at which the event's interval begins and ends, cut off at the window.
    event_days
        (k, q): days of the event's interval in each background cell.
    scale
        (k,): what the event's hazard is multiplied by (1 without frailty).
    exposed
        (m,): tracks at risk that the sender was followed up in.
    joint
        (m,): tracks with a timed entry into both, of which neither order was observed.
    """

    market: int
    survived: Floats
    survived_days: Floats
    track: Ints
    day: NDArray[np.int32]
    row: NDArray[np.int32]
    sender: NDArray[np.int16]
    kind: NDArray[np.int32]
    kinds: NDArray[np.int64]
    event_days: Floats
    scale: Floats
    exposed: Ints
    joint: Ints

    def events_by_sender(self, reach: Floats) -> Floats:
        """Return the exposure of every event's interval to every sender, (k, m). `reach` is F, (m, w + 1)."""
        steps = reach[:, self.kinds[:, 1]] - reach[:, self.kinds[:, 0]]
        table = np.zeros((len(self.track), len(reach)))
        table[self.row, self.sender] = steps[self.sender, self.kind] * self.scale[self.row]
        return table


def target_design(tracks: Tracks, cells: Cells, market: int, *, window: int, horizon: int, weight: Floats) -> Design:
    """Return the exposure and events of one target market.

    Parameters
    ----------
    weight
        (n,): what every track's hazard is multiplied by; 0 leaves the track out.
    """
    follow = observed_risk(tracks, market, horizon)
    follow = _of_tracks(follow, weight)
    at, low, high = follow.sends_from(tracks, window)
    sender, share = tracks.sender_market[at], weight[tracks.sender_track[at]]
    shape = (len(tracks.markets), window + 1)
    key = sender * shape[1]
    survived: Floats = np.bincount(key + high, share, shape[0] * shape[1]).astype(np.float64)
    survived -= np.bincount(key + low, share, shape[0] * shape[1])
    row, position = _senders_of_events(tracks, follow, window)
    day = tracks.sender_day[position]
    code = (follow.since[row] - day).astype(np.int64) * KEY + np.minimum(follow.day[row] - day, window)
    codes, kind = np.unique(code, return_inverse=True)
    counted = np.zeros(len(tracks.sender_day), np.bool_)
    counted[at[share > 0]] = counted[position] = True
    return Design(
        market=market,
        survived=survived.reshape(shape),
        survived_days=background_survived(tracks, cells, follow, weight),
        track=follow.track,
        day=follow.day,
        row=row.astype(np.int32),
        sender=tracks.sender_market[position].astype(np.int16),
        kind=kind.astype(np.int32),
        kinds=np.column_stack([codes // KEY, codes % KEY]),
        event_days=event_days(tracks, cells, follow) * weight[follow.track][:, None],
        scale=weight[follow.track],
        exposed=np.bincount(tracks.sender_market[counted], minlength=shape[0]),
        joint=_joint(tracks, market),
    )


def background_survived(tracks: Tracks, cells: Cells, follow: ObservedRisk, weight: Floats) -> Floats:
    """Return the track-days without event in every cell, (q,): tracks of one debut and follow-up are counted once."""
    risk = np.flatnonzero(follow.stop > follow.begin)
    rows, which = cells.exposures(tracks.debut[risk], follow.begin[risk], follow.stop[risk])
    days: Floats = np.bincount(which, weight[risk], len(rows)) @ rows
    return days


def event_days(tracks: Tracks, cells: Cells, follow: ObservedRisk) -> Floats:
    """Return the days of every event's interval in every cell, (k, q); nothing counts before the debut."""
    debut = tracks.debut[follow.track]
    return cells.exposure(debut, np.maximum(follow.since, debut), follow.day)


def _of_tracks(follow: ObservedRisk, weight: Floats) -> ObservedRisk:
    """Return the follow-up without the events of tracks that are left out."""
    kept = weight[follow.track] > 0
    if kept.all():
        return follow
    return replace(follow, track=follow.track[kept], since=follow.since[kept], day=follow.day[kept])


def _senders_of_events(tracks: Tracks, follow: ObservedRisk, window: int) -> tuple[Ints, Ints]:
    """Return event and sender of each possible transmission: observed in its market by the event's interval."""
    position, row = flat_ranges(tracks.starts[follow.track], tracks.starts[follow.track + 1])
    lag = follow.since[row] - tracks.sender_day[position]
    kept = (lag >= 0) & (lag < window)
    return row[kept], position[kept]


def _joint(tracks: Tracks, market: int) -> Ints:
    own = tracks.entries[market]
    track, day, since = own.track[own.timed], own.day[own.timed], own.since[own.timed]
    position, row = flat_ranges(tracks.starts[track], tracks.starts[track + 1])
    tied = unordered(since[row], day[row], tracks.sender_since[position], tracks.sender_day[position])
    tied &= tracks.sender_market[position] != market
    return np.bincount(tracks.sender_market[position[tied]], minlength=len(tracks.markets))

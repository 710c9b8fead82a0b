"""Simulated timelines with markets that lead by as much as one likes, for the tests of leaders."""

import numpy as np
from numpy.typing import NDArray

from diffusion.timelines import Timelines

ORIGIN = 18_000
"""Day of the first debut."""

TAIL = 120
"""Days that are watched after the last period."""


def simulated_timelines(
    generator: np.random.Generator,
    lead: NDArray[np.float64],
    *,
    tracks: int,
    days: int,
    volume: float = 0.8,
    cluster: NDArray[np.int64] | None = None,
) -> Timelines:
    """Return tracks that enter markets after exponential delays, whose mean is 12 days / exp(`lead`) of the market.

    Which markets a track enters has nothing to do with when; the numbers of entries of markets are log-normal with
    spread `volume`. All markets are watched every day. Tracks of one `cluster` have the same debut and delays.
    """
    m = len(lead)
    weight = np.exp(generator.normal(0, volume, m))
    owner = np.arange(tracks) if cluster is None else cluster
    breadth = np.minimum(1 + generator.geometric(0.35, tracks), m)
    keys = generator.standard_exponential((tracks, m)) / weight
    there = keys.argsort(axis=1).argsort(axis=1) < breadth[:, None]
    debut = generator.integers(0, days, tracks)[owner]
    delay = np.where(there, generator.exponential(12, (tracks, m))[owner] * np.exp(-lead), np.inf)
    entry = np.floor(debut[:, None] + delay - delay.min(axis=1, keepdims=True))
    track, market = np.nonzero(entry <= days + TAIL)
    day = entry[track, market].astype(np.int32)
    order = np.lexsort((market, day, track))
    track, market, day = track[order], market[order], day[order]
    return Timelines(
        markets=tuple(f"M{number:02}" for number in range(m)),
        track_ids=np.array([f"t{number}" for number in range(tracks)], dtype=object),
        starts=np.searchsorted(track, np.arange(tracks + 1)),
        track=track.astype(np.int32),
        market=market.astype(np.int16),
        day=ORIGIN + day,
        last_without=ORIGIN + day - 1,
        left_censored=np.zeros(len(day), np.bool_),
        debut=(ORIGIN + debut).astype(np.int32),
        debut_censored=np.zeros(tracks, np.bool_),
        cluster=np.unique(owner, return_inverse=True)[1].astype(np.int64),
        span_market=np.arange(m, dtype=np.int16),
        span_first=np.full(m, ORIGIN - 30, np.int32),
        span_last=np.full(m, ORIGIN + days + TAIL, np.int32),
        washout=28,
        cadence=1,
    )

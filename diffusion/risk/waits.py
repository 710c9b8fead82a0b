"""Waits: each track's time at risk in each market outside its footprint, as rows."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from diffusion.arrays import Ints
from diffusion.contracts import WAITS
from diffusion.risk.follow_up import UNSEEN, FollowUp
from diffusion.risk.risk_set import RiskSet, wait_risk, withheld_markets
from diffusion.timelines import Timelines

TRACKS_AT_ONCE: Final = 4_096
"""Tracks per block."""


def wait_table(timelines: Timelines, withheld: pa.Table, *, horizon: int) -> pa.Table:
    """Return one row per track and market outside its footprint; columns as in `diffusion.contracts.WAITS`.

    Parameters
    ----------
    withheld
        Columns as in `diffusion.contracts.WITHHELD`.
    horizon
        Days, the bound included.

    Raises
    ------
    SettingError
        When the horizon is not between 1 and 36,500 days.
    """
    ids, codes = pa.array(timelines.track_ids, pa.string()), pa.array(timelines.markets, pa.string())
    footprint = _footprint_sizes(timelines)
    blocks = [WAITS.schema.empty_table()]
    for tracks, risk in _blocks(timelines, withheld, horizon):
        at, market = np.nonzero(risk.days != UNSEEN)
        track = tracks[at]
        columns = {
            "track_id": ids.take(pa.array(track)),
            "market": codes.take(pa.array(market)),
            "debut": pa.array(timelines.debut[track]).cast(pa.date32()),
            "footprint": footprint[track],
            "start": risk.start[at, market],
            "days": risk.days[at, market],
            "entered": risk.entered[at, market],
        }
        blocks.append(WAITS.conform(pa.table(columns)))
    return pa.concat_tables(blocks)


def _blocks(timelines: Timelines, withheld: pa.Table, horizon: int) -> Iterator[tuple[Ints, RiskSet]]:
    """Yield the indices of tracks with a timed debut, block by block, with their risk set."""
    follow_up = FollowUp.of_waits(timelines, horizon)
    unlicensed = withheld_markets(timelines, withheld) if withheld.num_rows else None
    timed = np.flatnonzero(~timelines.debut_censored)
    for begin in range(0, len(timed), TRACKS_AT_ONCE):
        tracks = timed[begin : begin + TRACKS_AT_ONCE]
        yield tracks, wait_risk(timelines, follow_up, tracks, unlicensed)


def _footprint_sizes(timelines: Timelines) -> Ints:
    """Return the number of markets entered on day 0, (n,)."""
    first = timelines.day == timelines.debut[timelines.track]
    return np.bincount(timelines.track[first], minlength=len(timelines.track_ids))

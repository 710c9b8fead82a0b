"""Waits: each track's time at risk in each market outside its footprint, as rows."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffusion.arrays import Ints
from diffusion.contracts import WAITS
from diffusion.errors import SettingError
from diffusion.risk.follow_up import UNSEEN, FollowUp
from diffusion.risk.risk_set import RiskSet, wait_risk, withheld_markets
from diffusion.timelines import Timelines

TRACKS_AT_ONCE: Final = 4_096
"""Tracks per block."""


def lifelines_frame(waits: pd.DataFrame, *, cluster: NDArray[np.integer], covariates: Sequence[str]) -> pd.DataFrame:
    """Return waits as lifelines has them: one row per wait, all columns numbers, keyed by track and market.

    Parameters
    ----------
    waits
        `track_id`, `market`, `start`, `days`, `entered`, and the covariates; flags may be ``yes`` and ``no``.
    cluster
        (n,): number of each row's cluster.
    covariates
        Names of the columns that become columns of the frame.

    Returns
    -------
    DataFrame
        Indexed by `track_id` and `market`: `duration` (days), `event`, `entry` (day after which the wait is at risk),
        `cluster`, and the covariates. lifelines counts a row as at risk on the day of its entry already, so a delayed
        entry is half a day later here. Where an entry fell between two charts, `duration` is the later.

    Raises
    ------
    SettingError
        When a covariate is text of other values, which lifelines cannot use.
    """
    start = waits["start"].to_numpy()
    frame = pd.DataFrame(
        {
            "duration": waits["days"].to_numpy(),
            "event": waits["entered"].to_numpy(),
            "entry": np.where(start > 0, start + 0.5, 0.0),
            "cluster": cluster,
            **{name: _numbers(waits[name], name) for name in covariates},
        }
    )
    return frame.set_index(pd.MultiIndex.from_frame(waits[["track_id", "market"]]))


def _numbers(values: "pd.Series[Any]", name: str) -> "NDArray[Any]":
    known = values.dropna()
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy()
    if not known.isin(["yes", "no"]).all():
        raise SettingError(f"the covariate '{name}' has texts, such as '{known.iloc[0]}'; lifelines needs numbers")
    return values.map({"yes": 1.0, "no": 0.0}).to_numpy(np.float64)


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

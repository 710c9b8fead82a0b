"""Waits: each track's time at risk in each market outside its footprint, as rows and as counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffusion.arrays import Flags, Ints
from diffusion.contracts import WAIT_COUNTS, WAITS
from diffusion.risk.follow_up import UNSEEN, FollowUp
from diffusion.risk.risk_set import OwnEntries, RiskSet, wait_risk, withheld_markets
from diffusion.timelines import Timelines

TRACKS_AT_ONCE: Final = 4_096
"""Tracks per block."""

MATCHES: Final = (False, True, None)
"""Values of `language_match`: no, yes, unknown."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits (w,) of one block of tracks.

    Attributes
    ----------
    track, market
        Index in `Timelines` of the wait's track and market.
    footprint
        Number of markets that the track entered on day 0.
    match
        Index in `MATCHES`: whether some market of the footprint shares an official language with the market.
    start, days
        Days after the debut: at risk on day t when ``start < t ≤ days``.
    entered
        Whether the wait ends with the entry.
    """

    track: Ints
    market: Ints
    footprint: Ints
    match: Ints
    start: Ints
    days: Ints
    entered: Flags


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


def wait_counts(timelines: Timelines, withheld: pa.Table, languages: pd.DataFrame, *, horizon: int) -> pa.Table:
    """Return waits counted by what they share; columns as in `diffusion.contracts.WAIT_COUNTS`.

    Parameters
    ----------
    withheld
        Columns as in `diffusion.contracts.WITHHELD`.
    languages
        `source`, `target`, `common_language` (1 where two markets share an official language) of ordered pairs.
    horizon
        Days, the bound included.

    Raises
    ------
    SettingError
        When the horizon is not between 1 and 36,500 days.

    Notes
    -----
    The columns that waits share are packed into one whole number. Blocks of tracks are counted one by one and added up.
    """
    markets = len(timelines.markets)
    shape = (markets, markets + 1, len(MATCHES), horizon + 1, horizon + 1, 2)
    kinds, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for waits in wait_blocks(timelines, withheld, languages, horizon=horizon):
        place = (waits.market, waits.footprint, waits.match, waits.start, waits.days, waits.entered.astype(np.int64))
        alike, waits_alike = np.unique(np.ravel_multi_index(place, shape), return_counts=True)
        kinds, counts = _added(np.append(kinds, alike), np.append(counts, waits_alike))
    market, size, matched, start, days, entered = np.unravel_index(kinds, shape)
    columns = {
        "market": pa.array(timelines.markets, pa.string()).take(pa.array(market)),
        "footprint": size,
        "language_match": pa.array(MATCHES, pa.bool_()).take(pa.array(matched)),
        "start": start,
        "days": days,
        "entered": entered > 0,
        "waits": counts,
    }
    return WAIT_COUNTS.conform(pa.table(columns))


def wait_blocks(
    timelines: Timelines,
    withheld: pa.Table,
    languages: pd.DataFrame,
    *,
    horizon: int,
    cluster: NDArray[np.int64] | None = None,
) -> Iterator[Waits]:
    """Yield the waits of all tracks with a timed debut, block by block, in order of track; blocks without one too.

    Parameters
    ----------
    withheld, languages, horizon
        As in `wait_counts`.
    cluster
        (n,): number of each track's cluster. Tracks are then in order of cluster (default: of index).
    """
    shared, known = _common_language(timelines.markets, languages)
    sizes = _footprint_sizes(timelines)
    for tracks, risk in _blocks(timelines, withheld, horizon, cluster):
        at, market = np.nonzero(risk.days != UNSEEN)
        match = _matches(_footprints(timelines, tracks), shared, known)
        start, days, matched = (part[at, market].astype(np.int64) for part in (risk.start, risk.days, match))
        track = tracks[at]
        yield Waits(track, market, sizes[track], matched, start, days, risk.entered[at, market])


def _blocks(
    timelines: Timelines, withheld: pa.Table, horizon: int, cluster: NDArray[np.int64] | None = None
) -> Iterator[tuple[Ints, RiskSet]]:
    """Yield the indices of tracks with a timed debut, block by block, with their risk set; in order of cluster."""
    follow_up = FollowUp.of_waits(timelines, horizon)
    unlicensed = withheld_markets(timelines, withheld) if withheld.num_rows else None
    timed = np.flatnonzero(~timelines.debut_censored)
    if cluster is not None:
        timed = timed[np.argsort(cluster[timed], kind="stable")]
    for begin in range(0, len(timed), TRACKS_AT_ONCE):
        tracks = timed[begin : begin + TRACKS_AT_ONCE]
        yield tracks, wait_risk(timelines, follow_up, tracks, unlicensed)


def _footprint_sizes(timelines: Timelines) -> Ints:
    """Return the number of markets entered on day 0, (n,)."""
    first = timelines.day == timelines.debut[timelines.track]
    return np.bincount(timelines.track[first], minlength=len(timelines.track_ids))


def _footprints(timelines: Timelines, tracks: Ints) -> Flags:
    """Return, (k, m), whether the track entered the market on day 0."""
    own = OwnEntries.of(timelines, tracks)
    first = timelines.day[own.entry] == timelines.debut[tracks][own.row]
    flags = np.zeros((len(tracks), len(timelines.markets)), np.bool_)
    flags[own.row[first], own.market[first]] = True
    return flags


def _common_language(markets: tuple[str, ...], languages: pd.DataFrame) -> tuple[Flags, Flags]:
    """Return, (m, m), whether markets share an official language and, (m,), whether the market's language is known."""
    source, target = (pd.Index(markets).get_indexer(pd.Index(languages[side])) for side in ("source", "target"))
    known = np.isin(np.array(markets, object), languages["source"].to_numpy(object))
    there = (source >= 0) & (target >= 0) & (languages["common_language"] == 1).to_numpy()
    shared = np.zeros((len(markets), len(markets)), np.bool_)
    shared[source[there], target[there]] = True
    return shared, known


def _matches(footprint: Flags, shared: Flags, known: Flags) -> NDArray[np.int8]:
    """Return, (k, m), the index in `MATCHES` for tracks with these footprints, (k, m), and each market.

    One market of the footprint that shares the language makes a match. For no match, all languages must be known.
    """
    some = footprint.astype(np.float32) @ shared.astype(np.float32) > 0
    all_known = known & ~footprint[:, ~known].any(axis=1, keepdims=True)
    return np.where(some, 1, np.where(all_known, 0, 2)).astype(np.int8)


def _added(kinds: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Return each kind once, in order, with the sum of its counts."""
    once, which = np.unique(kinds, return_inverse=True)
    total = np.zeros(len(once), np.int64)
    np.add.at(total, which, counts)
    return once, total

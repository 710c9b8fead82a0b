"""Waits: how long each track was at risk in each market outside its footprint, one by one and counted."""

from collections.abc import Iterator
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
"""Tracks that are looked at side by side."""

MATCHES: Final = (False, True, None)
"""Whether a language is shared, in order: no, yes, not known."""


def wait_table(timelines: Timelines, withheld: pa.Table, *, horizon: int) -> pa.Table:
    """Return one row per track and market outside its footprint, as `diffusion.contracts.WAITS` says.

    Parameters
    ----------
    withheld
        As `diffusion.contracts.WITHHELD`.
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
    """Return how many waits are alike, as `diffusion.contracts.WAIT_COUNTS` says.

    Parameters
    ----------
    withheld
        As `diffusion.contracts.WITHHELD`.
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
    What makes waits alike is written as one whole number. Blocks of tracks are counted by themselves and added up.
    """
    markets = len(timelines.markets)
    shape = (markets, markets + 1, len(MATCHES), horizon + 1, horizon + 1, 2)
    shared, known = _common_language(timelines.markets, languages)
    sizes = _footprint_sizes(timelines)
    kinds, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for tracks, risk in _blocks(timelines, withheld, horizon):
        at, market = np.nonzero(risk.days != UNSEEN)
        match = _matches(_footprints(timelines, tracks), shared, known)
        parts: tuple[NDArray[np.generic], ...] = (match, risk.start, risk.days, risk.entered)
        place = (market, sizes[tracks][at], *(part[at, market].astype(np.int64) for part in parts))
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


def _blocks(timelines: Timelines, withheld: pa.Table, horizon: int) -> Iterator[tuple[Ints, RiskSet]]:
    """Yield numbers of tracks with a timed debut, in blocks and in order, and their risk sets."""
    follow_up = FollowUp.of_waits(timelines, horizon)
    unlicensed = withheld_markets(timelines, withheld) if withheld.num_rows else None
    timed = np.flatnonzero(~timelines.debut_censored)
    for begin in range(0, len(timed), TRACKS_AT_ONCE):
        tracks = timed[begin : begin + TRACKS_AT_ONCE]
        yield tracks, wait_risk(timelines, follow_up, tracks, unlicensed)


def _footprint_sizes(timelines: Timelines) -> Ints:
    """Return the number of markets entered on day 0, by track."""
    first = timelines.day == timelines.debut[timelines.track]
    return np.bincount(timelines.track[first], minlength=len(timelines.track_ids))


def _footprints(timelines: Timelines, tracks: Ints) -> Flags:
    """Return whether the market was entered on day 0, of tracks (k,) and every market."""
    own = OwnEntries.of(timelines, tracks)
    first = timelines.day[own.entry] == timelines.debut[tracks][own.row]
    flags = np.zeros((len(tracks), len(timelines.markets)), np.bool_)
    flags[own.row[first], own.market[first]] = True
    return flags


def _common_language(markets: tuple[str, ...], languages: pd.DataFrame) -> tuple[Flags, Flags]:
    """Return whether two markets share an official language, (m, m), and whether each market's is known, (m,)."""
    source, target = (pd.Index(markets).get_indexer(pd.Index(languages[side])) for side in ("source", "target"))
    known = np.isin(np.array(markets, object), languages["source"].to_numpy(object))
    there = (source >= 0) & (target >= 0) & (languages["common_language"] == 1).to_numpy()
    shared = np.zeros((len(markets), len(markets)), np.bool_)
    shared[source[there], target[there]] = True
    return shared, known


def _matches(footprint: Flags, shared: Flags, known: Flags) -> NDArray[np.int8]:
    """Return the place in `MATCHES` of tracks with these footprints, (k, m) and market, (k, m).

    One market of the footprint that shares the language settles it; without one, all languages must be known.
    """
    some = footprint.astype(np.float32) @ shared.astype(np.float32) > 0
    all_known = known & ~footprint[:, ~known].any(axis=1, keepdims=True)
    return np.where(some, 1, np.where(all_known, 0, 2)).astype(np.int8)


def _added(kinds: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Return every kind once, in order, and the sum of its counts."""
    once, which = np.unique(kinds, return_inverse=True)
    total = np.zeros(len(once), np.int64)
    np.add.at(total, which, counts)
    return once, total

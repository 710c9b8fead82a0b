"""Tests of every pair of markets against chance: its number of transitions, and which market leads."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from diffusion.arrays import Floats, Ints
from diffusion.conventions import CONFIDENCE
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.timelines import Timelines
from graphs.nulls import (
    LEAST_FOR_SPREAD,
    Meetings,
    Slots,
    Watch,
    adjusted,
    chance,
    count_tail,
    meetings,
    order_days,
    order_moments,
    timed_slots,
    transition_counts,
    volume_markets,
    watch,
)

LEAST_PERMUTATIONS: Final = 20
"""Fewest draws from a null for mean and variance of a count."""


def edge_significance(timelines: Timelines, *, window: int, permutations: int = 200, seed: int = 0) -> pd.DataFrame:
    """Return, for every ordered pair of markets, its transitions against both nulls, and which of the two leads.

    Parameters
    ----------
    timelines
        Entries as `diffusion.Entries.timelines` gives them.
    window
        Days within which the target must follow, the bound included.
    permutations
        Draws B from each null (fillings), at least 20 (default 200). Use 1,000 where a q close to a threshold matters:
        from 200 fillings the variance is known to a tenth under the order null, and to a sixth under the volume null,
        whose fillings depend on each other.
    seed
        Seed of the random draws (default 0).

    Returns
    -------
    DataFrame
        One row per ordered pair, by `source`, then `target`:

        - `expected` (tracks), `lift` (tracks / expected), `p`, `q`: transitions against the **volume null**, see
          `graphs.nulls.volume_markets`: do more tracks go this way than expected from market sizes and release dates?
        - `expected_order`, `lift_order`, `p_order`, `q_order`: the same against the **order null**, see
          `graphs.nulls.order_days`: does the target follow more often than with the dates of each track in random
          order?
        - `lead_clusters`: clusters (tracks of one primary artist and debut) that reached both markets, most of whose
          tracks entered the same one first. A track counts when its order was observed, and when the second market was
          in coverage and past its washout on the day of the first entry. The lag does not matter.
        - `lead_share`, `lead_p`: share of these clusters that reached the source first; exact two-sided binomial p
          against ½. `lead_share_low`, `lead_share_high`: Clopper–Pearson 95 % interval.
        - `lead_share_tracks`: the same share with one vote per track, which counts an album many times.
        - `lead_if_against`, `lead_if_for`: `lead_share` if every tied cluster (no order observed, or as many tracks one
          way as the other) had reached the target first, or the source first.

        NaN: p and q where the null gives no tracks and there are none, lift where `expected` is 0, the shares without
        clusters.

    Raises
    ------
    SettingError
        When the window or the number of permutations is too small.
    DataSaysNoError
        When there are fewer than two markets, or no timed entries.

    Notes
    -----
    All p except `lead_p` are one-sided, P(count ≥ observed). For both nulls, p is (1 + number of fillings that reach
    the observed count) / (B + 1) where this number is at least 10. Otherwise it is the upper tail of the count
    distribution with the null's mean and variance (`graphs.nulls.count_tail`). q is by Benjamini–Hochberg on that tail
    for all pairs. The mean is that of the fillings, at least 1/(B + 1); under the order null it has a closed form. The
    variance is that of the fillings; under the order null it is at least the closed form for independent tracks.

    The order null permutes clusters as blocks. The volume null cannot, since tracks of one cluster differ in markets;
    its variance is multiplied by `graphs.nulls.Meetings.design` instead.
    """
    _check(timelines, window, permutations)
    watched = watch(timelines)
    slots = timed_slots(timelines, watched)
    if not slots.tracks:
        raise DataSaysNoError(
            f"none of the {len(timelines.track_ids):,} tracks has a timed entry, so no flow can be tested; "
            f"try a shorter washout ({timelines.washout} days now)"
        )
    met = meetings(slots, watched, window=window)
    volume, order = np.random.default_rng(seed).spawn(2)
    columns = (
        _against_volume(slots, watched, window, met.design(), permutations, volume)
        | _against_order(slots, watched, window, permutations, order)
        | _leads(met)
    )
    markets = np.array(timelines.markets, dtype=object)
    source, target = np.nonzero(~np.eye(len(markets), dtype=bool))
    table = {"source": markets[source], "target": markets[target]}
    return pd.DataFrame(table | {name: values[source, target] for name, values in columns.items()})


def _check(timelines: Timelines, window: int, permutations: int) -> None:
    if window < 1:
        raise SettingError(f"window is {window} days; it must be at least 1")
    if permutations < LEAST_PERMUTATIONS:
        raise SettingError(f"permutations is {permutations}; it must be at least {LEAST_PERMUTATIONS}")
    if len(timelines.markets) < 2:
        found = f"only one market ({timelines.markets[0]})" if timelines.markets else "no market"
        raise DataSaysNoError(f"there is {found}; a flow needs two")


# ── the two nulls ────────────────────────────────────────────────────────────────────────────────────────────────────


def _against_volume(
    slots: Slots, watched: Watch, window: int, design: Floats, permutations: int, generator: np.random.Generator
) -> dict[str, Floats]:
    """Return the columns that compare transitions with the volume null, (m, m) each."""
    windows = watched.windows(window)
    # all tracks swap, but only those with two dates can make a transition
    dated, mine = slots.of_tracks(slots.dated()), slots.dated()[slots.track]
    observed = transition_counts(dated, dated.market, dated.day, windows)
    fillings = volume_markets(slots, permutations=permutations, generator=generator)
    draws = _stacked(transition_counts(dated, market[mine], dated.day, windows) for market in fillings)
    mean = draws.mean(axis=0)
    resolved = np.maximum(mean, 1 / (permutations + 1))
    variance = draws.var(axis=0, ddof=1)
    few = resolved < LEAST_FOR_SPREAD
    tail = count_tail(observed, resolved, np.where(few, np.maximum(variance, resolved), variance) * design)
    p, _ = chance(observed, draws, tail, design=design)
    return _named("", observed, mean, p, tail)


def _against_order(
    slots: Slots, watched: Watch, window: int, permutations: int, generator: np.random.Generator
) -> dict[str, Floats]:
    """Return the columns that compare transitions with the order null, (m, m) each."""
    slots, windows = slots.of_tracks(slots.dated()), watched.windows(window)
    observed = transition_counts(slots, slots.market, slots.day, windows)
    mean, variance = order_moments(slots, watched, windows)
    fillings = order_days(slots, watched, permutations=permutations, generator=generator)
    draws = _stacked(transition_counts(slots, slots.market, day, windows) for day in fillings)
    tail = count_tail(observed, mean, np.maximum(variance, draws.var(axis=0, ddof=1)))
    p, _ = chance(observed, draws, tail)
    return _named("_order", observed, mean, p, tail)


def _stacked(counts: Iterator[Ints]) -> NDArray[np.int32]:
    """Return the counts of all fillings as one array, fillings first."""
    return np.array([count.astype(np.int32) for count in counts])


def _named(null: str, observed: Ints, mean: Floats, p: Floats, tail: Floats) -> dict[str, Floats]:
    """Return the four columns of a null by name; p and q are NaN where expected and observed tracks are 0."""
    untested = (mean == 0) & (observed == 0)
    off_diagonal = ~np.eye(len(observed), dtype=bool)
    return {
        f"expected{null}": mean,
        f"lift{null}": np.where(mean > 0, observed / np.where(mean > 0, mean, 1), np.nan),
        f"p{null}": np.where(untested, np.nan, p),
        f"q{null}": adjusted(np.where(untested | ~off_diagonal, np.nan, tail)),
    }


# ── who leads ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _leads(met: Meetings) -> dict[str, NDArray[np.number]]:
    """Return the columns that say which of two markets was first, (m, m) each."""
    first = met.both_ways(met.forth > met.back, met.back > met.forth)
    even = met.forth == met.back
    tied = met.both_ways(even, even)
    tracks = met.both_ways(met.forth, met.back)
    clusters, every = first + first.T, first + first.T + tied
    low, high = _clopper_pearson(first, clusters)
    return {
        "lead_clusters": clusters,
        "lead_share": _share(first, clusters),
        "lead_p": np.where(clusters > 0, _binomial_p(first, clusters), np.nan),
        "lead_share_low": low,
        "lead_share_high": high,
        "lead_share_tracks": _share(tracks, tracks + tracks.T),
        "lead_if_against": _share(first, every),
        "lead_if_for": _share(first + tied, every),
    }


def _share(part: Ints, whole: Ints) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _binomial_p(first: Ints, clusters: Ints) -> Floats:
    """Return the exact two-sided binomial p of `first` of `clusters`, if both markets were first equally often."""
    more = np.maximum(first, clusters - first)
    # P(X ≥ more) of a fair binomial; for the half and less of an even number of clusters twice that is above 1
    twice: Floats = 2 * special.betainc(np.maximum(more, 1), clusters - more + 1, 0.5)
    return np.minimum(twice, 1.0)


def _clopper_pearson(first: Ints, clusters: Ints) -> tuple[Floats, Floats]:
    """Return the exact interval of a share, NaN without clusters.

    References
    ----------
    Clopper, C. J. & Pearson, E. S. (1934). Biometrika 26, 404–413. doi 10.1093/biomet/26.4.404.
    """
    outside, rest = (1 - CONFIDENCE) / 2, clusters - first
    low = np.where(first > 0, special.betaincinv(np.maximum(first, 1), rest + 1, outside), 0.0)
    high = np.where(rest > 0, special.betaincinv(first + 1, np.maximum(rest, 1), 1 - outside), 1.0)
    return (np.where(clusters > 0, low, np.nan), np.where(clusters > 0, high, np.nan))

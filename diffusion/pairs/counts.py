"""Counts of every ordered pair of markets: who followed whom after how many days, who was watched, who tied."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from diffusion.contracts import LAGS, TIES
from diffusion.follow_up import UNSEEN, Ahead, FollowUp, stretches
from diffusion.pairs.ranges import After, Counts, Sources, expanded, of_several, targets
from diffusion.timelines import Timelines

BLOCK: Final = 8_192
"""Entries that are looked at side by side, so that the work stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Exposed tracks of every ordered pair of m markets by the day on which their follow-up ended.

    Attributes
    ----------
    markets
        Codes of the markets, in the order that numbers them.
    window
        Days within which the target had to follow, the bound included.
    entered
        (m, m, w + 1): exposed tracks by source, target and day after the entry into the source on which they entered
        the target. w is the window, or the longest follow-up that coverage allows where that is shorter.
    censored
        (m, m, w + 1): exposed tracks that did not, by the day on which their follow-up ended.
    joint
        (m, m): tracks with a timed entry into both of which neither order was observed; symmetric.
    """

    markets: tuple[str, ...]
    window: int
    entered: Counts
    censored: Counts
    joint: Counts

    @property
    def tracks(self) -> Counts:
        """(m, m): tracks that made the transition."""
        tracks: Counts = self.entered.sum(axis=2)
        return tracks

    @property
    def exposed(self) -> Counts:
        """(m, m): tracks timed in the source and not yet in the target while it was watched."""
        exposed: Counts = self.tracks + self.censored.sum(axis=2)
        return exposed


@dataclass(frozen=True, slots=True)
class ClusterPairs:
    """Exact counts of every cluster of tracks: what a bootstrap over clusters multiplies by weights.

    Attributes
    ----------
    markets
        Codes of the m markets.
    tracks
        (clusters, m²) of int32: the cluster's transitions; column ``source * m + target``. Row i is the cluster that
        `Timelines.cluster` numbers i.
    exposed
        The same of its exposed tracks.
    """

    markets: tuple[str, ...]
    tracks: csr_array
    exposed: csr_array


def pair_counts(timelines: Timelines, *, window: int) -> PairCounts:
    """Return transitions, exposure and ties of every ordered pair of markets, by day of follow-up.

    Parameters
    ----------
    window
        Days within which the target must follow, the bound included.

    Raises
    ------
    SettingError
        When the window is not between 1 and 36,500 days.

    Notes
    -----
    All entries into a source on one day are followed alike, but for those whose track ever enters the target: exposure
    is counted by source and day, and then corrected for those. A target's possible sources stand side by side in its
    track's timeline, so that every correction is a range of places there.
    """
    ahead = Ahead.of(timelines, window)
    markets, lags = len(timelines.markets), ahead.longest + 1
    sources = Sources.of(timelines, ahead.longest)
    entered = np.zeros((markets, markets, lags), np.int64)
    joint = np.zeros((markets, markets), np.int64)
    censored = _as_if_nobody_followed(timelines, ahead)
    censored[:, :, -1] -= _met(timelines)
    for target, own in enumerate(targets(sources, timelines)):
        entered[:, target] = sources.by_lag(own.lo, own.hi, own.day)
        joint[:, target] = sources.by_market(own.hi, own.place)
        # of the pairs taken off above: those that came in order, too late to be seen, are exposed all the same …
        kept, after = sources.by_market(own.first, own.late), After.of(sources, own)
        # … those not watched were never exposed …
        for begin, end in own.unwatched:
            kept += sources.by_market(*after.between(sources, begin, end))
        # … and those watched for less than the window are to be taken off from another day of follow-up
        for begin, end in own.watched:
            short = after.between(sources, max(begin, end - ahead.longest + 1), end + 1)
            off = sources.by_lag(*short, end)
            censored[:, target] -= off
            kept += off.sum(axis=1)
        censored[:, target, -1] += kept
    censored[np.arange(markets), np.arange(markets)] = 0  # ranges hold the entry itself
    return PairCounts(timelines.markets, window, entered, censored, joint + joint.T)


def transition_lags(timelines: Timelines, *, window: int) -> Counts:
    """Return the transitions of every ordered pair by lag: `PairCounts.entered` without the rest of `pair_counts`."""
    ahead = Ahead.of(timelines, window)
    sources = Sources.of(timelines, ahead.longest)
    lags = [sources.by_lag(own.lo, own.hi, own.day) for own in targets(sources, timelines)]
    return np.stack(lags, axis=1)


def lag_table(counts: PairCounts) -> pa.Table:
    """Return the follow-up of every exposed pair by days, as `diffusion.contracts.LAGS` says."""
    cells = np.nonzero(counts.entered + counts.censored)
    table = _pair_columns(counts.markets, cells[0], cells[1])
    columns = {"days": cells[2], "entered": counts.entered[cells], "censored": counts.censored[cells]}
    return LAGS.conform(pa.table({**table, **columns}))


def tie_table(counts: PairCounts) -> pa.Table:
    """Return the tracks of every pair whose order was not observed, as `diffusion.contracts.TIES` says."""
    cells = np.nonzero(counts.joint)
    return TIES.conform(pa.table({**_pair_columns(counts.markets, *cells), "joint": counts.joint[cells]}))


def _pair_columns(
    markets: tuple[str, ...], source: NDArray[np.integer], target: NDArray[np.integer]
) -> dict[str, pa.Array]:
    codes = pa.array(markets, pa.string())
    return {"source": codes.take(pa.array(source)), "target": codes.take(pa.array(target))}


def cluster_pairs(timelines: Timelines, *, window: int) -> ClusterPairs:
    """Return transitions and exposed tracks of every cluster and ordered pair; sums over clusters are `pair_counts`.

    Parameters
    ----------
    window
        Days within which the target must follow, the bound included.

    Raises
    ------
    SettingError
        When the window is not between 1 and 36,500 days.

    Notes
    -----
    A timed entry is exposed to most markets: on seventy of them `exposed` holds nearly seventy cells for each entry.
    Where the transitions alone are needed, `cluster_transitions` is quicker and smaller by far.
    """
    return ClusterPairs(
        timelines.markets, cluster_transitions(timelines, window=window), _cluster_exposed(timelines, window)
    )


def cluster_transitions(timelines: Timelines, *, window: int) -> csr_array:
    """Return the transitions of every cluster: `ClusterPairs.tracks` alone; parameters and errors as there."""
    ahead = Ahead.of(timelines, window)
    sources = Sources.of(timelines, ahead.longest)
    markets = len(timelines.markets)
    rows, columns = [], []
    for target, own in enumerate(targets(sources, timelines)):
        at, _ = expanded(own.lo, own.hi)
        rows.append(timelines.cluster[sources.track[at]].astype(np.int32))
        columns.append((sources.market[at] * markets + target).astype(np.int32))
    row, column = np.concatenate(rows), np.concatenate(columns)
    shape = (_clusters(timelines), markets * markets)
    table = coo_array((np.ones(len(row), np.int32), (row, column)), shape=shape).tocsr()
    table.sum_duplicates()
    return table


def _cluster_exposed(timelines: Timelines, window: int) -> csr_array:
    """Return the exposed tracks of every cluster, (clusters, m²)."""
    follow_up = FollowUp.of(timelines, window)
    markets, clusters = len(timelines.markets), _clusters(timelines)
    timed = np.flatnonzero(timelines.timed)
    cluster = timelines.cluster[timelines.track[timed]]
    order = np.argsort(cluster, kind="stable")
    timed, cluster = timed[order], cluster[order]
    cells, columns = np.zeros(clusters + 1, np.int64), [np.empty(0, np.int32)]
    for begin in range(0, len(timed), BLOCK):
        block = timed[begin : begin + BLOCK]
        entry, target = np.nonzero(follow_up.of_entries(block)[0] != UNSEEN)
        columns.append((timelines.market[block[entry]].astype(np.int32) * markets + target).astype(np.int32))
        cells[1:] += np.bincount(cluster[begin : begin + BLOCK][entry], minlength=clusters)
    column = np.concatenate(columns)
    table = csr_array((np.ones(len(column), np.int32), column, cells.cumsum()), shape=(clusters, markets * markets))
    table.sum_duplicates()
    return table


def _clusters(timelines: Timelines) -> int:
    return int(timelines.cluster.max(initial=-1)) + 1


# ── counts of whole days and tracks ──────────────────────────────────────────────────────────────────────────────────


def _as_if_nobody_followed(timelines: Timelines, ahead: Ahead) -> Counts:
    """Return who would be exposed, and how long, if no track entered a second market; (m, m, lags)."""
    markets, columns = ahead.days.shape
    timed = timelines.timed
    date = ahead.column(timelines.day[timed])
    cells = np.bincount(timelines.market[timed].astype(np.int64) * columns + date, minlength=markets * columns)
    entries = cells.reshape(markets, columns)
    until = np.cumsum(np.pad(entries, ((0, 0), (1, 0))), axis=1)
    counts = np.zeros((markets, markets, ahead.longest + 1), np.int64)
    for target, begin, end in stretches(timelines):
        start, stop = begin - ahead.first, end - ahead.first + 1
        partly = max(stop - ahead.longest, start)
        counts[:, target, -1] += until[:, partly] - until[:, start]
        counts[:, target, : stop - partly] += entries[:, partly:stop][:, ::-1]
    return counts


def _met(timelines: Timelines) -> Counts:
    """Return in how many tracks a timed entry into one market meets any entry into another; (m, m)."""
    mine = of_several(timelines)[timelines.track]
    timed = mine & ~timelines.left_censored
    entered = np.zeros((len(timelines.track_ids), len(timelines.markets)), np.int32)
    entered[timelines.track[mine], timelines.market[mine]] = 1
    cuts = np.searchsorted(timelines.track[timed], np.arange(len(entered) + 1))
    sent = csr_array((np.ones(timed.sum(), np.int32), timelines.market[timed], cuts), entered.shape)
    return np.asarray(sent.T @ entered, np.int64)

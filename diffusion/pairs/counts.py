"""Counts of every ordered pair of markets: who followed whom after how many days, who was watched, who tied."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from diffusion.arrays import Ints
from diffusion.contracts import LAGS, TIES
from diffusion.pairs.ranges import After, Sources, of_several, targets
from diffusion.risk.follow_up import FollowUp, stretches
from diffusion.timelines import Timelines, expanded


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
    entered: Ints
    censored: Ints
    joint: Ints

    @property
    def tracks(self) -> Ints:
        """(m, m): tracks that made the transition."""
        tracks: Ints = self.entered.sum(axis=2)
        return tracks

    @property
    def exposed(self) -> Ints:
        """(m, m): tracks timed in the source and not yet in the target while it was watched."""
        exposed: Ints = self.tracks + self.censored.sum(axis=2)
        return exposed


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
    Exposure is first counted by source and day, as if no track ever entered a target, and then corrected for the tracks
    that did. A target's possible sources stand side by side in its track's timeline, so every correction is a range of
    places there. `diffusion.risk.risk_set.exposure_risk` gives the same track by track.
    """
    follow_up = FollowUp.of_exposures(timelines, window)
    markets, lags = len(timelines.markets), follow_up.longest + 1
    sources = Sources.of(timelines, follow_up.longest)
    entered = np.zeros((markets, markets, lags), np.int64)
    joint = np.zeros((markets, markets), np.int64)
    censored = _as_if_nobody_followed(timelines, follow_up)
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
            short = after.between(sources, max(begin, end - follow_up.longest + 1), end + 1)
            off = sources.by_lag(*short, end)
            censored[:, target] -= off
            kept += off.sum(axis=1)
        censored[:, target, -1] += kept
    censored[np.arange(markets), np.arange(markets)] = 0  # ranges hold the entry itself
    return PairCounts(timelines.markets, window, entered, censored, joint + joint.T)


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


def cluster_transitions(timelines: Timelines, *, window: int) -> csr_array:
    """Return the transitions of every cluster of tracks: what a bootstrap over clusters multiplies by weights.

    Parameters
    ----------
    window
        Days within which the target must follow, the bound included.

    Returns
    -------
    csr_array
        (clusters, m²) of int32; column ``source * m + target``. Row i is the cluster that `Timelines.cluster` numbers
        i. The sums over clusters are `PairCounts.tracks`.

    Raises
    ------
    SettingError
        When the window is not between 1 and 36,500 days.
    """
    follow_up = FollowUp.of_exposures(timelines, window)
    sources = Sources.of(timelines, follow_up.longest)
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


def _clusters(timelines: Timelines) -> int:
    return int(timelines.cluster.max(initial=-1)) + 1


# ── counts of whole days and tracks ──────────────────────────────────────────────────────────────────────────────────


def _as_if_nobody_followed(timelines: Timelines, follow_up: FollowUp) -> Ints:
    """Return who would be exposed, and how long, if no track entered a second market; (m, m, lags)."""
    columns, markets = follow_up.days.shape
    timed = timelines.timed
    date = follow_up.row(timelines.day[timed])
    cells = np.bincount(timelines.market[timed].astype(np.int64) * columns + date, minlength=markets * columns)
    entries = cells.reshape(markets, columns)
    until = np.cumsum(np.pad(entries, ((0, 0), (1, 0))), axis=1)
    counts = np.zeros((markets, markets, follow_up.longest + 1), np.int64)
    for target, begin, end in stretches(timelines):
        start, stop = begin - follow_up.first, end - follow_up.first + 1
        partly = max(stop - follow_up.longest, start)
        counts[:, target, -1] += until[:, partly] - until[:, start]
        counts[:, target, : stop - partly] += entries[:, partly:stop][:, ::-1]
    return counts


def _met(timelines: Timelines) -> Ints:
    """Return in how many tracks a timed entry into one market meets any entry into another; (m, m)."""
    mine = of_several(timelines)[timelines.track]
    timed = mine & ~timelines.left_censored
    entered = np.zeros((len(timelines.track_ids), len(timelines.markets)), np.int32)
    entered[timelines.track[mine], timelines.market[mine]] = 1
    cuts = np.searchsorted(timelines.track[timed], np.arange(len(entered) + 1))
    sent = csr_array((np.ones(timed.sum(), np.int32), timelines.market[timed], cuts), entered.shape)
    return np.asarray(sent.T @ entered, np.int64)

"""Counts of each ordered pair of markets: transitions by lag, exposed tracks by follow-up, and ties."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from diffusion.arrays import Ints
from diffusion.contracts import LAGS, TIES
from diffusion.pairs.ranges import After, Sources, of_several, targets
from diffusion.risk.follow_up import FollowUp, longest_exposure, stretches
from diffusion.timelines import Timelines, expanded


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Exposed tracks of each ordered pair of m markets, by the day on which their follow-up ends.

    Attributes
    ----------
    markets
        Codes of the markets, in the order of the axes.
    window
        Days within which the target must follow, the bound included.
    entered
        (m, m, w + 1): exposed tracks that entered the target, by source, target and lag in days. w is the window, or
        the longest follow-up that coverage allows if that is shorter.
    censored
        (m, m, w + 1): exposed tracks that did not, by source, target and days to the end of their follow-up.
    joint
        (m, m): ties: tracks with a timed entry into both, with neither order observed; symmetric.
    """

    markets: tuple[str, ...]
    window: int
    entered: Ints
    censored: Ints
    joint: Ints

    @property
    def tracks(self) -> Ints:
        """(m, m): tracks with a transition."""
        tracks: Ints = self.entered.sum(axis=2)
        return tracks

    @property
    def exposed(self) -> Ints:
        """(m, m): tracks timed in the source while the target was observed and not yet entered."""
        exposed: Ints = self.tracks + self.censored.sum(axis=2)
        return exposed


def pair_counts(timelines: Timelines, *, window: int) -> PairCounts:
    """Return transitions, exposed tracks and ties of each ordered pair of markets, by day of follow-up.

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
    Count exposure per market and day as if no track entered a second market; then correct the tracks that did. The
    possible sources of an entry are neighbours in the track's timeline, so each correction is a range of indices.
    `diffusion.risk.risk_set.exposure_risk` gives the same result track by track.
    """
    follow_up = FollowUp.of_exposures(timelines, window)
    markets, lags = len(timelines.markets), follow_up.longest + 1
    sources = Sources.of(timelines, follow_up.longest)
    entered = np.zeros((markets, markets, lags), np.int64)
    joint = np.zeros((markets, markets), np.int64)
    censored = _as_if_nobody_followed(timelines, follow_up)
    censored[:, :, -1] -= _entered_both(timelines)
    for target, own in enumerate(targets(sources, timelines)):
        entered[:, target] = sources.by_lag(own.lo, own.hi, own.day)
        joint[:, target] = sources.by_market(own.hi, own.place)
        # put back pairs in order whose follow-up ended before the entry: they are exposed all the same
        kept, after = sources.by_market(own.first, own.late), After.of(sources, own)
        # put back pairs outside the target's coverage: they were never counted as exposed
        for begin, end in after.met(own.unobserved):
            kept += sources.by_market(*after.between(sources, begin, end))
        # pairs with less follow-up than the window were counted on another day: subtract them there
        for begin, end in after.met(own.observed):
            short = after.between(sources, max(begin, end - follow_up.longest + 1), end + 1)
            off = sources.by_lag(*short, end)
            censored[:, target] -= off
            kept += off.sum(axis=1)
        censored[:, target, -1] += kept
    censored[np.arange(markets), np.arange(markets)] = 0  # ranges hold the entry itself
    return PairCounts(timelines.markets, window, entered, censored, joint + joint.T)


def lag_table(counts: PairCounts) -> pa.Table:
    """Return entered and censored tracks by pair and days of follow-up; columns as in `diffusion.contracts.LAGS`."""
    cells = np.nonzero(counts.entered + counts.censored)
    table = _pair_columns(counts.markets, cells[0], cells[1])
    columns = {"days": cells[2], "entered": counts.entered[cells], "censored": counts.censored[cells]}
    return LAGS.conform(pa.table({**table, **columns}))


def tie_table(counts: PairCounts) -> pa.Table:
    """Return the number of tied tracks of each pair; columns as in `diffusion.contracts.TIES`."""
    cells = np.nonzero(counts.joint)
    return TIES.conform(pa.table({**_pair_columns(counts.markets, *cells), "joint": counts.joint[cells]}))


def _pair_columns(
    markets: tuple[str, ...], source: NDArray[np.integer], target: NDArray[np.integer]
) -> dict[str, pa.Array]:
    codes = pa.array(markets, pa.string())
    return {"source": codes.take(pa.array(source)), "target": codes.take(pa.array(target))}


def cluster_transitions(timelines: Timelines, *, window: int) -> csr_array:
    """Return the number of transitions by cluster and pair, for the bootstrap over clusters.

    Parameters
    ----------
    window
        Days within which the target must follow, the bound included.

    Returns
    -------
    csr_array
        (clusters, m²), int32; column ``source * m + target``. Row i is cluster i of `Timelines.cluster`. The sums over
        clusters are `PairCounts.tracks`.

    Raises
    ------
    SettingError
        When the window is not between 1 and 36,500 days.
    """
    sources = Sources.of(timelines, longest_exposure(timelines, window))
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
    """Return, (m, m, lags), exposed tracks by days of follow-up if no track entered a second market."""
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


def _entered_both(timelines: Timelines) -> Ints:
    """Return, (m, m), the number of tracks with a timed entry into the one market and any entry into the other."""
    mine = of_several(timelines)[timelines.track]
    timed = mine & ~timelines.left_censored
    entered = np.zeros((len(timelines.track_ids), len(timelines.markets)), np.int32)
    entered[timelines.track[mine], timelines.market[mine]] = 1
    cuts = np.searchsorted(timelines.track[timed], np.arange(len(entered) + 1))
    sent = csr_array((np.ones(timed.sum(), np.int32), timelines.market[timed], cuts), entered.shape)
    return np.asarray(sent.T @ entered, np.int64)

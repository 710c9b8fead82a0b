"""NetInf: greedy network inference from cascades, for comparison with the literature."""

import heapq
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.timelines import NEVER, Timelines

EPSILON: Final = 1e-64
"""Likelihood of an entry that no edge explains, as in the original program."""

PAIRS: Final = 2_000_000
"""Pairs of entries made at a time."""


def netinf(cascades: pd.DataFrame, *, edges: int, rate: float = 1.0, epsilon: float = EPSILON) -> pd.DataFrame:
    """Return the edges that explain the cascades best, in the order in which they are found.

    Every event of a cascade is explained by its likeliest source so far, or by none with likelihood `epsilon`; each
    step adds the edge that raises the log-likelihood most. Transmission times are exponential.

    Parameters
    ----------
    cascades
        One row per event: `cascade`, `node`, `time`; a node is in a cascade once. With a column `last_without`, the
        last time at which the node was seen without the event, a source must have come by then; otherwise it must
        have come strictly before. Events of one time are never each other's source.
    edges
        How many at most; fewer come back when no other edge explains anything.
    rate
        Of the exponential, per unit of time (default 1).
    epsilon
        Likelihood of an unexplained event (default 1e-64).

    Returns
    -------
    DataFrame
        One row per edge: `source`, `target`, `gain` (rise of the log-likelihood when it was added), `cascades` (in
        which the edge is possible), `lag_median` (of these, in units of time).

    Raises
    ------
    SettingError
        When a number is out of range, a column is missing or a node is twice in a cascade.
    DataSaysNoError
        When no event can be the source of another.

    References
    ----------
    Gomez-Rodriguez, M., Leskovec, J. & Krause, A. (2010). Inferring networks of diffusion and influence. doi
    10.1145/1835804.1835933.

    Examples
    --------
    >>> events = pd.DataFrame({"cascade": [1, 1, 2, 2], "node": ["a", "b", "a", "b"], "time": [0.0, 1.0, 0.0, 2.0]})
    >>> netinf(events, edges=5)[["source", "target", "cascades", "lag_median"]].values.tolist()
    [['a', 'b', 2, 1.5]]
    """
    _check(cascades, edges, rate, epsilon)
    nodes, node = np.unique(cascades["node"].to_numpy(), return_inverse=True)
    pairs = _EventPairs.of(cascades, node, len(nodes), np.log(rate / epsilon), rate)
    if not len(pairs.edge):
        raise DataSaysNoError("no event comes after another of its cascade, so there is no edge to find")
    chosen = _greedy(pairs, len(cascades), edges)
    bounds = [(pairs.starts[at], pairs.starts[at + 1]) for at, _ in chosen]
    codes = pairs.edge[[at for at, _ in chosen]]
    return pd.DataFrame(
        {
            "source": nodes[codes // len(nodes)],
            "target": nodes[codes % len(nodes)],
            "gain": [gain for _, gain in chosen],
            "cascades": [end - begin for begin, end in bounds],
            "lag_median": [float(np.median(pairs.lag[begin:end])) for begin, end in bounds],
        }
    )


def track_cascades(timelines: Timelines) -> pd.DataFrame:
    """Return every track's timed entries as a cascade, for `netinf`.

    Returns
    -------
    DataFrame
        One row per timed entry: `cascade` (track id), `node` (market), `time` and `last_without` (days from 1970-01-01;
        −∞ at the first observed day of a market).
    """
    kept = timelines.timed
    before = timelines.last_without[kept].astype(np.float64)
    return pd.DataFrame(
        {
            "cascade": timelines.track_ids[timelines.track[kept]],
            "node": np.array(timelines.markets, dtype=object)[timelines.market[kept]],
            "time": timelines.day[kept].astype(np.float64),
            "last_without": np.where(before == NEVER, -np.inf, before),
        }
    )


def _check(cascades: pd.DataFrame, edges: int, rate: float, epsilon: float) -> None:
    missing = {"cascade", "node", "time"} - set(cascades.columns)
    if missing:
        raise SettingError(f"cascades without a column {', '.join(sorted(missing))}; give cascade, node and time")
    if edges < 1:
        raise SettingError(f"{edges} edges cannot be found; give 1 or more")
    if not 0 < rate < np.inf:
        raise SettingError(f"the rate is {rate:g} per unit of time; it must be above 0")
    if not 0 < epsilon < 1:
        raise SettingError(f"epsilon is {epsilon:g}; it must be between 0 and 1")
    if not np.isfinite(cascades["time"].to_numpy(np.float64)).all():
        raise SettingError("some times of the cascades are missing or infinite; leave those events out")
    twice = cascades.duplicated(["cascade", "node"])
    if twice.any():
        first = cascades[twice].iloc[0]
        raise SettingError(f"node '{first['node']}' is twice in cascade '{first['cascade']}'; keep its first event")


@dataclass(frozen=True, slots=True)
class _EventPairs:
    """Pairs of events of one cascade in observed order, by edge.

    Attributes
    ----------
    edge
        (e,): codes of the candidate edges, source · nodes + target, in order.
    starts
        (e + 1,): where each edge's pairs stand.
    event
        (k,): number of the later event.
    lag
        (k,): time between.
    worth
        (k,): log-likelihood of the later event by this source, above that of none.
    """

    edge: Ints
    starts: Ints
    event: NDArray[np.int32]
    lag: Floats
    worth: Floats

    @classmethod
    def of(cls, cascades: pd.DataFrame, node: Ints, nodes: int, constant: float, rate: float) -> Self:
        earlier, later = _ordered_pairs(cascades)
        time = cascades["time"].to_numpy(np.float64)
        lag = time[later] - time[earlier]
        worth = constant - rate * lag
        kept = worth > 0
        code = (node[earlier] * nodes + node[later])[kept]
        order = np.argsort(code, kind="stable")
        edge, starts = np.unique(code[order], return_index=True)
        return cls(
            edge=edge,
            starts=np.append(starts, len(order)),
            event=later[kept][order].astype(np.int32),
            lag=lag[kept][order],
            worth=worth[kept][order],
        )

    def gain(self, at: int, explained: Floats) -> float:
        """Return the rise of the log-likelihood if edge number `at` is added."""
        mine = slice(self.starts[at], self.starts[at + 1])
        return float(np.maximum(self.worth[mine] - explained[self.event[mine]], 0).sum())


def _ordered_pairs(cascades: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return row numbers of the earlier and the later event of every ordered pair of one cascade."""
    _, cascade = np.unique(cascades["cascade"].to_numpy(), return_inverse=True)
    time = cascades["time"].to_numpy(np.float64)
    by_time = np.lexsort((time, cascade))
    first = np.searchsorted(cascade[by_time], np.arange(cascade.max(initial=-1) + 2))[cascade[by_time]]
    before = np.arange(len(by_time)) - first
    parts: list[tuple[Ints, Ints]] = []
    ends = np.cumsum(before)
    for low, high in _slices(ends):
        count = before[low:high]
        later = np.repeat(np.arange(low, high), count)
        step = np.arange(len(later)) - np.repeat(np.cumsum(count) - count, count)
        earlier, later = by_time[first[later] + step], by_time[later]
        if "last_without" in cascades:
            seen = time[earlier] <= np.minimum(cascades["last_without"].to_numpy(np.float64), time)[later]
            seen &= time[earlier] < time[later]
        else:
            seen = time[earlier] < time[later]
        parts.append((earlier[seen], later[seen]))
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _slices(ends: Ints) -> list[tuple[int, int]]:
    """Return ranges of events with about `PAIRS` pairs each."""
    if not len(ends):
        return []
    wanted = np.arange(1, ends[-1] // PAIRS + 1) * PAIRS
    cuts = np.unique(np.concatenate(([0], np.searchsorted(ends, wanted), [len(ends)])))
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


def _greedy(pairs: _EventPairs, events: int, edges: int) -> list[tuple[int, float]]:
    """Return numbers and gains of the chosen edges. Gains only fall, so an old gain bounds the new one from above."""
    explained = np.zeros(events)
    gains = np.add.reduceat(pairs.worth, pairs.starts[:-1])
    heap = [(-float(gain), at, 0) for at, gain in enumerate(gains)]
    heapq.heapify(heap)
    chosen: list[tuple[int, float]] = []
    while heap and len(chosen) < edges:
        bound, at, known = heapq.heappop(heap)
        if known < len(chosen):
            gain = pairs.gain(at, explained)
            if gain > 0:
                heapq.heappush(heap, (-gain, at, len(chosen)))
            continue
        chosen.append((at, -bound))
        mine = slice(pairs.starts[at], pairs.starts[at + 1])
        event = pairs.event[mine]
        explained[event] = np.maximum(explained[event], pairs.worth[mine])
    return chosen

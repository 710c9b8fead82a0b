"""The order null is uniform over what it may fill, and holds what it should."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray
from scipy import stats

from diffusion.timelines import NEVER, Timelines
from graphs import nulls
from tests.random_charts import EXAMPLES, Study, studies

FEW = settings(EXAMPLES, max_examples=10)

LEAST_P = 1e-4
"""A chi-square test of a right chain fails this rarely; seeds are fixed, so that it does not fail at all."""

Matrix = NDArray[np.integer]


def timelines(
    day: Matrix, *, days: int, washout: int = 0, cadence: int = 1, cluster: Matrix | None = None
) -> Timelines:
    """Return timelines of tracks × markets days (−1: not entered), all markets observed every `cadence` days."""
    track, market = np.nonzero(day >= 0)
    order = np.lexsort((market, day[track, market], track))
    track, market = track[order], market[order]
    entry = day[track, market].astype(np.int32)
    debut = np.where(day >= 0, day, days).min(axis=1).astype(np.int32)
    timed_debut = np.isin(np.arange(len(day)), track[(entry == debut[track]) & (entry >= washout)])
    return Timelines(
        markets=tuple(f"M{number:02d}" for number in range(day.shape[1])),
        track_ids=np.array([f"Träck {number:06d}" for number in range(len(day))], object),
        starts=np.searchsorted(track, np.arange(len(day) + 1)),
        track=track.astype(np.int32),
        market=market.astype(np.int16),
        day=entry,
        last_without=np.where(entry > 0, entry - 1, NEVER).astype(np.int32),
        left_censored=entry < washout,
        debut=debut,
        debut_censored=~timed_debut,
        cluster=np.arange(len(day)) if cluster is None else cluster.astype(np.int64),
        span_market=np.arange(day.shape[1], dtype=np.int16),
        span_first=np.zeros(day.shape[1], np.int32),
        span_last=np.full(day.shape[1], days - 1, np.int32),
        washout=washout,
        cadence=1,
    )


def opened(lines: Timelines) -> tuple[nulls.Slots, nulls.Watch]:
    """Return the slots of timelines and what was watched."""
    watched = nulls.watch(lines)
    return nulls.timed_slots(lines, watched), watched


def uniform(seen: Counter[tuple[int, ...]], allowed: Mapping[tuple[int, ...], int]) -> float:
    """Return the chi-square p of fillings drawn, against weights of those that are allowed."""
    assert set(seen) <= set(allowed)
    total, weights = sum(seen.values()), sum(allowed.values())
    expected = [total * weight / weights for weight in allowed.values()]
    assert min(expected) > 10
    return float(stats.chisquare([seen[filling] for filling in allowed], expected).pvalue)


def order_fillings(slots: nulls.Slots, allowed: NDArray[np.bool_]) -> dict[tuple[int, ...], int]:
    """Return all fillings of the order null for tracks of one cluster, with how many permutations make each."""
    markets = sorted(set(slots.market.tolist()))
    own: dict[int, dict[int, int]] = defaultdict(dict)
    for track, market, day in zip(slots.track.tolist(), slots.market.tolist(), slots.day.tolist(), strict=True):
        own[track][market] = day
    fillings: Counter[tuple[int, ...]] = Counter()
    for order in itertools.permutations(markets):
        sigma = dict(zip(markets, order, strict=True))
        days = []
        for track, market in zip(slots.track.tolist(), slots.market.tolist(), strict=True):
            point = sigma[market]
            while point not in own[track]:
                point = sigma[point]
            days.append(own[track][point])
        if allowed[days, slots.market].all():
            fillings[tuple(days)] += 1
    return dict(fillings)


@pytest.mark.parametrize(
    ("days", "launch"),
    [
        ([[3, 4, 4, 6]], 0),
        ([[3, 5, 6, 8]], 5),
        ([[3, 4, 6, -1], [3, -1, 5, 7]], 0),
        ([[3, 4, 6, -1], [3, -1, 5, 7], [3, 5, 5, 5]], 5),
    ],
    ids=["ties", "a market launches", "two tracks of a cluster", "three tracks and a launch"],
)
def test_order_null_is_uniform(days: list[list[int]], launch: int) -> None:
    lines = timelines(np.array(days), days=10, cluster=np.zeros(len(days)))
    lines.span_first[-1] = launch
    slots, watched = opened(lines)
    allowed = order_fillings(slots, watched.allowed)
    assert len(allowed) > 3
    chain = nulls.order_days(slots, watched, permutations=3_000, generator=np.random.default_rng(3))
    assert uniform(Counter(tuple(day.tolist()) for day in chain), allowed) > LEAST_P


def test_order_null_goes_on_in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster of which no fresh permutation is taken is uniform all the same."""
    monkeypatch.setattr("graphs.nulls.order.ATTEMPTS", 0)
    lines = timelines(np.array([[3, 4, 6, -1], [3, -1, 5, 7], [3, 5, 5, 5]]), days=10, cluster=np.zeros(3))
    lines.span_first[-1] = 5
    slots, watched = opened(lines)
    chain = nulls.order_days(slots, watched, permutations=500, generator=np.random.default_rng(4))
    seen = Counter(tuple(day.tolist()) for day in chain)
    assert uniform(seen, order_fillings(slots, watched.allowed)) > LEAST_P


@FEW
@given(studies())
def test_order_null_holds_tracks_days_and_markets(example: Study) -> None:
    slots, watched = opened(example.open().timelines)
    before = Counter(zip(slots.track, slots.day, strict=True))
    for day in nulls.order_days(slots, watched, permutations=3, generator=np.random.default_rng(5)):
        assert Counter(zip(slots.track, day, strict=True)) == before
        assert watched.allowed[day, slots.market].all()


def test_clusters_move_as_a_block() -> None:
    """Tracks alike stay alike; so does each track's difference of days to another with the same markets."""
    days = np.array([[2, 3, 5, 9], [2, 3, 5, 9], [4, 6, 10, 18], [2, 7, 11, 13]])
    slots, watched = opened(timelines(days, days=30, cluster=np.array([0, 0, 0, 1])))
    apart = 0
    for filling in nulls.order_days(slots, watched, permutations=200, generator=np.random.default_rng(6)):
        table = np.zeros((4, 4), int)
        table[slots.track, slots.market] = filling
        assert (table[0] == table[1]).all() and (table[2] == 2 * table[0]).all()
        apart += (np.argsort(table[3]) != np.argsort(table[0])).any()
    assert apart > 150

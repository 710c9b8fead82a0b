"""The nulls are uniform over what they may fill, and significance says what it should."""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray
from scipy import stats

from diffusion import DataSaysNoError, SettingError, open_charts, open_sample
from diffusion.timelines import NEVER, Timelines
from graphs import nulls
from graphs.significance import edge_significance
from tests import twins
from tests.conftest import REAL_DATA
from tests.random_charts import EXAMPLES, Study, studies, study

FEW = settings(EXAMPLES, max_examples=10)

LEAST_P = 1e-4
"""A chi-square test of a right chain fails this rarely; seeds are fixed, so that it does not fail at all."""

EXACT = 1e-12
"""Both sides add and multiply the same few numbers."""

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


def counted(slots: nulls.Slots, watched: nulls.Watch, window: int) -> NDArray[np.int64]:
    """Return the observed transitions."""
    return nulls.transition_counts(slots, slots.market, slots.day, watched.windows(window))


def uniform(seen: Counter[tuple[int, ...]], allowed: Mapping[tuple[int, ...], int]) -> float:
    """Return the chi-square p of fillings drawn, against weights of those that are allowed."""
    assert set(seen) <= set(allowed)
    total, weights = sum(seen.values()), sum(allowed.values())
    expected = [total * weight / weights for weight in allowed.values()]
    assert min(expected) > 10
    return float(stats.chisquare([seen[filling] for filling in allowed], expected).pvalue)


# ── transitions of a filling ─────────────────────────────────────────────────────────────────────────────────────────


@FEW
@given(studies())
def test_observed_transitions_are_those_of_the_definition(example: Study) -> None:
    lines = example.open().timelines
    twin = twins.lags(example.entries, example.spans, washout=example.washout, window=14)
    tracks: Counter[tuple[str, str]] = Counter()
    for row in twin:
        tracks[row["source"], row["target"]] += row["entered"]
    table = counted(*opened(lines), 14)
    number = {market: at for at, market in enumerate(lines.markets)}
    for a, b in itertools.permutations(number, 2):
        assert table[number[a], number[b]] == tracks[a, b]


# ── the volume null ──────────────────────────────────────────────────────────────────────────────────────────────────

VOLUME_CASES = {
    "one day": [[3, 3, -1, -1], [3, -1, 3, -1], [-1, -1, -1, 3], [-1, 3, -1, -1]],
    "tracks on two days": [[3, 3, 5, -1], [-1, 5, -1, 3], [3, -1, 5, -1]],
    "an entry that is not timed": [[3, 3, -1, 0], [3, -1, 3, -1], [-1, -1, -1, 3], [-1, 3, -1, -1]],
}


def volume_fillings(slots: nulls.Slots) -> dict[tuple[int, ...], int]:
    """Return all fillings of the volume null, by brute force; slots of one track and day are not told apart."""
    rows = list(zip(slots.track.tolist(), slots.day.tolist(), slots.market.tolist(), strict=True))
    by_day = {day: [at for at, row in enumerate(rows) if row[1] == day] for _, day, _ in rows}
    fillings = Counter()
    for orders in itertools.product(*(itertools.permutations([rows[a][2] for a in at]) for at in by_day.values())):
        market = [0] * len(rows)
        for at, order in zip(by_day.values(), orders, strict=True):
            for place, value in zip(at, order, strict=True):
                market[place] = value
        pairs = {(track, value) for (track, _, _), value in zip(rows, market, strict=True)}
        if len(pairs) == len(rows) and not any(slots.fixed[pair] for pair in pairs):
            fillings[volume_key(slots, market)] = 1
    return dict(fillings)


def volume_key(slots: nulls.Slots, market: Sequence[int]) -> tuple[int, ...]:
    """Return one number for every track, day and market of a filling, in order."""
    rows = zip(slots.track.tolist(), slots.day.tolist(), market, strict=True)
    return tuple(sorted(track * 10_000 + day * 100 + int(value) for track, day, value in rows))


def reached_by_swaps(slots: nulls.Slots) -> set[tuple[int, ...]]:
    """Return the fillings that come from the observed one by swapping two markets of a day at a time."""
    rows = list(zip(slots.track.tolist(), slots.day.tolist(), strict=True))
    waiting, reached = [slots.market.tolist()], {volume_key(slots, slots.market.tolist())}
    while waiting:
        market = waiting.pop()
        for one, two in itertools.combinations(range(len(rows)), 2):
            swapped = list(market)
            swapped[one], swapped[two] = market[two], market[one]
            pairs = {(track, value) for (track, _), value in zip(rows, swapped, strict=True)}
            wrong = len(pairs) < len(rows) or any(slots.fixed[pair] for pair in pairs)
            key = volume_key(slots, swapped)
            if rows[one][1] == rows[two][1] and not wrong and key not in reached:
                reached.add(key)
                waiting.append(swapped)
    return reached


@pytest.mark.parametrize("name", VOLUME_CASES)
def test_volume_null_is_uniform(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphs.nulls.volume.MOST_SWEEPS", 10)  # a chi-square test needs independent fillings
    slots, _ = opened(timelines(np.array(VOLUME_CASES[name]), days=9, washout=2))
    allowed = volume_fillings(slots)
    assert len(allowed) >= 8 and reached_by_swaps(slots) == set(allowed)
    chain = nulls.volume_markets(slots, permutations=600, generator=np.random.default_rng(1))
    seen = Counter(volume_key(slots, market.tolist()) for market in chain)
    assert uniform(seen, allowed) > LEAST_P


def test_volume_null_keeps_to_what_swaps_reach() -> None:
    """Where tracks have nearly every market, some fillings are further than swaps: they are never seen."""
    days = [[3, 3, 5, -1], [-1, 5, 3, 5], [5, -1, -1, 3], [3, -1, -1, -1]]
    slots, _ = opened(timelines(np.array(days), days=9))
    reached = reached_by_swaps(slots)
    assert len(reached) == 57 and len(volume_fillings(slots)) == 75
    chain = nulls.volume_markets(slots, permutations=300, generator=np.random.default_rng(1))
    seen = {volume_key(slots, market.tolist()) for market in chain}
    assert seen <= reached and len(seen) > 50


@FEW
@given(studies())
def test_volume_null_holds_days_and_sizes(example: Study) -> None:
    slots, _ = opened(example.open().timelines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graphs.nulls.volume.BURN_IN", 20)
        fillings = list(nulls.volume_markets(slots, permutations=3, generator=np.random.default_rng(2)))
    for market in fillings:
        assert Counter(zip(slots.day, market, strict=True)) == Counter(zip(slots.day, slots.market, strict=True))
        assert len(set(zip(slots.track, market, strict=True))) == len(market)
        assert not slots.fixed[slots.track, market].any()


# ── the order null ───────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_order_moments_are_exact_for_free_tracks() -> None:
    days = np.array([[2, 3, 3, 9], [2, 8, -1, 20], [5, 5, -1, -1], [-1, 4, 4, 6]])
    slots, watched = opened(timelines(days, days=30))
    windows = watched.windows(6)
    mean, variance = nulls.order_moments(slots, watched, windows)
    chances = np.zeros((4, 4, 4))
    for track, row in enumerate(days):
        own = np.flatnonzero(row >= 0)
        orders = list(itertools.permutations(row[own].tolist()))
        for order in orders:
            for (a, day_a), (b, day_b) in itertools.permutations(zip(own, order, strict=True), 2):
                chances[track, a, b] += (0 < day_b - day_a <= 6) / len(orders)
    np.testing.assert_allclose(mean, chances.sum(axis=0), atol=1e-6)  # shares are kept in single precision
    np.testing.assert_allclose(variance, (chances * (1 - chances)).sum(axis=0), atol=1e-6)


def test_order_moments_and_permutations_agree(sample: Timelines) -> None:
    slots, watched = opened(sample)
    slots = slots.of_tracks(slots.dated())
    alone = slots.of_tracks(np.bincount(slots.cluster)[slots.cluster] == 1)
    windows = watched.windows(60)
    mean, variance = nulls.order_moments(alone, watched, windows)
    generator = np.random.default_rng(7)
    chain = nulls.order_days(alone, watched, permutations=400, generator=generator)
    draws = np.array([nulls.transition_counts(alone, alone.market, day, windows) for day in chain])
    often = mean > 1
    z = (draws.mean(axis=0) - mean)[often] / np.sqrt(variance[often] / len(draws))
    assert abs(z.mean()) < 0.2 and 0.85 < z.std() < 1.15
    assert (draws.var(axis=0, ddof=1)[often] / variance[often]).mean() == pytest.approx(1, abs=0.03)


# ── p and q ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_count_tail_is_the_named_distribution() -> None:
    count = np.arange(1, 12)
    np.testing.assert_allclose(nulls.count_tail(count, 3.0, 3.0), stats.poisson.sf(count - 1, 3.0), rtol=1e-9)
    np.testing.assert_allclose(
        nulls.count_tail(count, 12.0, 7.2), stats.binom.sf(count - 1, 30, 0.4), rtol=1e-9
    )  # 30 trials of 0.4
    np.testing.assert_allclose(
        nulls.count_tail(count, 3.0, 7.5), stats.nbinom.sf(count - 1, 2, 0.4), rtol=1e-9
    )  # size 2, chance 0.4
    assert nulls.count_tail(0, 3.0, 3.0) == 1
    assert nulls.count_tail(10**6, 3.0, 3.0) > 0


def test_count_tail_meets_the_poisson_binomial() -> None:
    """The exact tail of 60 unequal events, by convolution."""
    chances = np.random.default_rng(8).uniform(0, 0.5, 60)
    exact = np.array([1.0])
    for chance in chances:
        exact = np.convolve(exact, [1 - chance, chance])
    count = np.arange(1, 36)
    tail = nulls.count_tail(count, chances.sum(), (chances * (1 - chances)).sum())
    truth = np.array([exact[c:].sum() for c in count])
    np.testing.assert_allclose(tail[truth > 1e-3], truth[truth > 1e-3], rtol=0.05)
    # further out it is too large
    assert (tail > 0.95 * truth).all()


def test_p_is_of_the_permutations_where_they_resolve_it() -> None:
    draws = np.arange(100)[:, None] * np.ones(3, int)
    p, taken = nulls.chance(np.array([50, 90, 91]), draws, np.array([0.2, 0.3, 0.4]))
    assert taken.tolist() == [True, True, False]
    np.testing.assert_allclose(p, [51 / 101, 11 / 101, 0.4], rtol=EXACT)
    stretched, _ = nulls.chance(np.array([70]), draws[:, :1], np.array([0.2]), design=4.0)
    assert stretched[0] == pytest.approx((1 + 40) / 101)  # 49.5 + 20.5 / 2 = 59.75: 60 … 99 reach it


def test_analytic_and_permutation_p_agree(sample: Timelines) -> None:
    slots, watched = opened(sample)
    slots = slots.of_tracks(slots.dated())
    windows = watched.windows(60)
    observed = counted(slots, watched, 60)
    chain = nulls.order_days(slots, watched, permutations=400, generator=np.random.default_rng(10))
    draws = np.array([nulls.transition_counts(slots, slots.market, day, windows) for day in chain], np.int32)
    mean, variance = nulls.order_moments(slots, watched, windows)
    tail = nulls.count_tail(observed, mean, np.maximum(variance, draws.var(axis=0, ddof=1)))
    p, taken = nulls.chance(observed, draws, tail)
    there = taken & (observed >= 3)
    assert there.sum() > 300
    # counts of clusters are lumpy, so single tails differ; they do not lean to one side
    assert abs(np.median(np.log10(tail[there] / p[there]))) < 0.1
    assert np.quantile(np.abs(np.log10(tail[there] / p[there])), 0.9) < 0.3


# ── who leads ────────────────────────────────────────────────────────────────────────────────────────────────────────


def lead_twin(lines: Timelines) -> dict[tuple[str, str], dict[str, float]]:
    """Return the lead columns by plain counting."""
    spans = [
        (lines.markets[m], int(a), int(b))
        for m, a, b in zip(lines.span_market, lines.span_first, lines.span_last, strict=True)
    ]
    own: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    for at in np.flatnonzero(lines.timed):
        own[lines.track[at]][lines.markets[lines.market[at]]] = int(lines.day[at]), int(lines.last_without[at])

    def ready(market: str, day: int, entry: int) -> bool:
        return any(m == market and a + lines.washout <= day <= b and entry <= b for m, a, b in spans)

    votes: dict[tuple[str, str], dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for track, entries in own.items():
        for one, other in itertools.permutations(entries, 2):
            (a, a_without), (b, b_without) = entries[one], entries[other]
            tally = votes[one, other][int(lines.cluster[track])]
            tally[0] += a <= b_without and ready(other, a, b)
            tally[1] += b <= a_without and ready(one, b, a)
            tally[2] += a > b_without and b > a_without
    table = {}
    for pair in itertools.permutations(lines.markets, 2):
        tallies = [tally for tally in votes[pair].values() if any(tally)]
        first = sum(forth > back for forth, back, _ in tallies)
        clusters = sum(forth != back for forth, back, _ in tallies)
        tracks = sum(forth for forth, _, _ in tallies), sum(forth + back for forth, back, _ in tallies)
        test = stats.binomtest(first, clusters) if clusters else None
        interval = test.proportion_ci() if test else (math.nan, math.nan)
        table[pair] = {
            "lead_clusters": clusters,
            "lead_share": first / clusters if clusters else math.nan,
            "lead_p": test.pvalue if test else math.nan,
            "lead_share_low": interval[0],
            "lead_share_high": interval[1],
            "lead_share_tracks": tracks[0] / tracks[1] if tracks[1] else math.nan,
            "lead_if_against": first / len(tallies) if tallies else math.nan,
            "lead_if_for": (first + len(tallies) - clusters) / len(tallies) if tallies else math.nan,
        }
    return table


def agree_on_leads(lines: Timelines) -> None:
    """Assert that the lead columns are those of the plain count."""
    found = edge_significance(lines, window=14, permutations=20).set_index(["source", "target"])
    twin = pd.DataFrame.from_dict(lead_twin(lines), orient="index")
    pd.testing.assert_frame_equal(found[list(twin)], twin.loc[found.index], check_names=False, check_dtype=False)


@settings(EXAMPLES, max_examples=8)
@given(studies())
def test_leads_of_random_entries(example: Study) -> None:
    lines = example.open().timelines
    if len(lines.markets) > 1 and lines.timed.any():
        agree_on_leads(lines)


def test_leads_of_clusters() -> None:
    generator = np.random.default_rng(11)
    days = np.where(generator.random((60, 5)) < 0.6, generator.integers(0, 12, (60, 5)), -1)
    days[:, 0] = np.maximum(days[:, 0], 0)
    agree_on_leads(timelines(days, days=14, washout=1, cluster=generator.integers(0, 15, 60)))


def test_an_album_is_one_vote() -> None:
    """Fifteen tracks of one album go one way, three of other artists the other; one more is tied."""
    days = np.array([[1, 4]] * 15 + [[5, 2]] * 3 + [[3, 3]])
    cluster = np.array([0] * 15 + [1, 2, 3, 4])
    row = edge_significance(timelines(days, days=20, cluster=cluster), window=10, permutations=20).iloc[0]
    assert (row["lead_clusters"], row["lead_share"], row["lead_p"]) == (4, 0.25, 0.625)
    assert row["lead_share_tracks"] == 15 / 18
    assert (row["lead_if_against"], row["lead_if_for"]) == (1 / 5, 2 / 5)


def test_a_market_that_launched_later_could_not_lead() -> None:
    entered = {f"t{number}": {"SE": 10 + number, "US": 30 + number} for number in range(5)}
    observed = {"SE": range(60), "US": range(20, 60)}
    row = edge_significance(study(observed, entered).open().timelines, window=30, permutations=20).iloc[0]
    assert row["lead_clusters"] == 0 and math.isnan(row["lead_share"]) and math.isnan(row["lead_p"])


# ── the whole table ──────────────────────────────────────────────────────────────────────────────────────────────────

MARKETS, TRACKS, DAYS = 6, 150, 60


def population(generator: np.random.Generator) -> Matrix:
    """Return days of tracks that enter 1 to 6 markets of unlike size over two weeks, markets in no order."""
    size = np.array([6, 5, 4, 3, 2, 1])
    reach = generator.choice(np.arange(1, 7), TRACKS, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    keys = generator.exponential(1 / size, (TRACKS, MARKETS))
    entered = np.argsort(np.argsort(keys, axis=1), axis=1) < reach[:, None]
    day = generator.integers(1, 8, TRACKS)[:, None] * 7 + generator.choice([0, 0, 1, 3, 7], (TRACKS, MARKETS))
    return np.where(entered, np.minimum(day, DAYS - 1), -1)


def redrawn(lines: Timelines, null: str, generator: np.random.Generator) -> Matrix:
    """Return one filling of a null, as days of tracks × markets."""
    slots, watched = opened(lines)
    if null == "volume":
        market, day = next(nulls.volume_markets(slots, permutations=1, generator=generator)), slots.day
    else:
        market, day = slots.market, next(nulls.order_days(slots, watched, permutations=1, generator=generator))
    table = np.full((slots.tracks, slots.markets), -1)
    table[slots.track, market] = day
    return table


def p_values(null: str, *, copies: bool, samples: int = 7) -> NDArray[np.float64]:
    """Return p of data drawn from a null, of single tracks or of albums: copies of a track in one cluster."""
    found = []
    for seed in range(samples):
        generator = np.random.default_rng((12, seed))
        days = redrawn(timelines(population(generator), days=DAYS), null, generator)
        times = generator.choice([1, 1, 1, 2, 6], len(days)) if copies else np.ones(len(days), int)
        cluster = np.repeat(np.arange(len(days)), times)
        lines = timelines(np.repeat(days, times, axis=0), days=DAYS, cluster=cluster)
        table = edge_significance(lines, window=14, permutations=60, seed=seed)
        found.append(table["p" if null == "volume" else "p_order"].to_numpy())
    return np.concatenate(found)


@pytest.mark.parametrize("copies", [False, True], ids=["single tracks", "albums"])
@pytest.mark.parametrize("null", ["volume", "order"])
def test_p_under_the_null_is_not_too_small(null: str, copies: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphs.nulls.volume.MOST_SWEEPS", 4)
    monkeypatch.setattr("graphs.nulls.volume.BURN_IN", 60)  # enough for a few tracks, and already a filling of the null
    p = p_values(null, copies=copies)
    assert len(p) == 7 * 30 and not np.isnan(p).any()
    # 210 p, those of one sample dependent; three standard errors of independent ones
    for level in (0.05, 0.1, 0.25, 0.5):
        assert (p <= level).mean() < level + 3 * math.sqrt(level * (1 - level) / len(p)), level
    if not copies:
        assert (p <= 0.5).mean() > 0.3 and (p <= 0.1).mean() > 0.02


def test_a_planted_edge_is_found() -> None:
    """Four in five of the tracks that enter the fourth market enter the fifth three days later."""
    generator = np.random.default_rng(13)
    days = population(generator)
    planted = (days[:, 3] >= 0) & (generator.random(TRACKS) < 0.8)
    days[planted, 4] = np.minimum(days[planted, 3] + 3, DAYS - 1)
    table = edge_significance(timelines(days, days=DAYS), window=14).set_index(["source", "target"])
    for null in ("", "_order"):
        assert table[f"q{null}"].idxmin() == ("M03", "M04") and table.loc[("M03", "M04"), f"q{null}"] < 0.01
        # what comes before M03 comes before M04 too, by way of it: nothing else is found
        assert {target for _, target in table.index[table[f"q{null}"] < 0.05]} == {"M04"}
    assert table.loc[("M03", "M04"), "lead_share"] > 0.8 and table.loc[("M04", "M03"), "lift_order"] < 1


def test_a_big_repertoire_is_no_leadership() -> None:
    """Two markets of many entries exchange broad tracks and dwarf the others: much flow, lift of one."""
    generator = np.random.default_rng(14)
    big = generator.random((600, 8)) < np.array([0.7, 0.7, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15])
    start = generator.integers(1, 12, 600)[:, None] * 5
    days = np.where(big, start + generator.choice([0, 5, 10], (600, 8)), -1)
    days = days[(days >= 0).any(axis=1)]
    lines = timelines(days, days=80)
    table = edge_significance(lines, window=14).set_index(["source", "target"])
    flows = counted(*opened(lines), 14)
    assert flows[0, 1] > 5 * np.median(flows) and flows[1, 0] > 5 * np.median(flows)
    for pair in (("M00", "M01"), ("M01", "M00")):
        assert 0.85 < table.loc[pair, "lift"] < 1.15 and table.loc[pair, "q"] > 0.05
    assert (table["q"] <= 0.05).sum() == 0


def test_design_is_that_of_the_clusters() -> None:
    days = np.array([[1, 4]] * 5 + [[1, 3]] + [[2, 2], [9, 4]])
    slots, watched = opened(timelines(days, days=40, cluster=np.array([0] * 5 + [1, 2, 3])))
    design = nulls.meetings(slots, watched, window=7).design()
    assert design[0, 1] == (5**2 + 1) / 6 and design[1, 0] == 1


def test_one_album_is_no_flow() -> None:
    """What a dozen tracks of one album do together is not significant; were they of twelve artists, it would be."""
    generator = np.random.default_rng(15)
    days = population(generator)
    album = np.tile([-1, -1, -1, -1, 14, 17], (12, 1))
    cluster = np.concatenate((np.arange(TRACKS), np.full(12, TRACKS)))
    lines = timelines(np.concatenate((days, album)), days=DAYS, cluster=cluster)
    pair = ("M04", "M05")
    together = edge_significance(lines, window=14).set_index(["source", "target"]).loc[pair]
    alone = timelines(np.concatenate((days, album)), days=DAYS)
    apart = edge_significance(alone, window=14).set_index(["source", "target"]).loc[pair]
    assert apart["p"] < 0.01 and apart["p_order"] < 0.01
    assert together["p"] > 0.04 and together["p_order"] > 0.04


def test_table_and_its_missing_values() -> None:
    """A market that no track reaches and one that only footprints reach have no chance, and say so."""
    days = np.array([[1, 4, -1], [2, 9, -1], [3, 3, -1], [5, -1, -1]] * 3)
    table = edge_significance(timelines(days, days=20), window=10, permutations=20)
    assert list(table) == [
        *("source", "target", "expected", "lift", "p", "q"),
        *("expected_order", "lift_order", "p_order", "q_order"),
        *("lead_clusters", "lead_share", "lead_p", "lead_share_low", "lead_share_high", "lead_share_tracks"),
        *("lead_if_against", "lead_if_for"),
    ]
    assert list(zip(table["source"], table["target"], strict=True)) == list(
        itertools.permutations(["M00", "M01", "M02"], 2)
    )
    nowhere = table[(table["source"] == "M02") | (table["target"] == "M02")]
    numbers = nowhere.drop(columns=["source", "target", "expected", "expected_order", "lead_clusters"])
    assert numbers.isna().all(axis=None)
    assert (nowhere[["expected", "expected_order", "lead_clusters"]] == 0).all(axis=None)


def test_entries_on_one_day_say_nothing_of_order() -> None:
    table = edge_significance(timelines(np.array([[3, 3, -1], [4, -1, 4]]), days=9), window=7, permutations=20)
    assert table[["p_order", "q_order", "lift_order", "p", "lead_share"]].isna().all(axis=None)
    assert table["lead_if_for"].dropna().eq(1).all() and table["lead_if_against"].dropna().eq(0).all()


def test_seed_decides() -> None:
    lines = timelines(population(np.random.default_rng(16)), days=DAYS)
    one, same, other = (edge_significance(lines, window=14, permutations=20, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one["expected"].equals(other["expected"])


def test_what_cannot_be_asked() -> None:
    lines = timelines(np.array([[3, 5], [4, 6]]), days=9)
    with pytest.raises(SettingError, match="window is 0 days; it must be at least 1"):
        edge_significance(lines, window=0)
    with pytest.raises(SettingError, match="permutations is 5; it must be at least 20"):
        edge_significance(lines, window=7, permutations=5)
    with pytest.raises(DataSaysNoError, match=r"only one market \(M00\); a flow needs two"):
        edge_significance(timelines(np.array([[3], [4]]), days=9), window=7)
    with pytest.raises(DataSaysNoError, match="none of the 2 tracks has a timed entry"):
        edge_significance(timelines(np.array([[3, 5], [4, 6]]), days=9, washout=9), window=7)
    with pytest.raises(DataSaysNoError, match="none of the 0 tracks has a timed entry"):
        edge_significance(timelines(np.zeros((0, 2), int), days=9), window=7)


# ── real charts ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def sample() -> Timelines:
    """Timelines of the packaged charts."""
    with open_sample() as charts:
        return charts.entries().timelines


def test_volume_chain_has_left_the_data_behind(sample: Timelines) -> None:
    """What the first fillings expect is what later ones do: the burn-in is long enough."""
    slots, watched = opened(sample)
    windows = watched.windows(60)
    chain = nulls.volume_markets(slots, permutations=100, generator=np.random.default_rng(17))
    counts = [nulls.transition_counts(slots, market, slots.day, windows) for market in chain]
    early, late = np.mean(counts[:25], axis=0), np.mean(counts[25:], axis=0)
    observed = counted(slots, watched, 60)
    large = observed >= np.sort(observed, axis=None)[-100]
    # of the way from the data to the null, some hundredths may be left; runs differ by two
    assert abs((early - late)[large].sum() / (observed - late)[large].sum()) < 0.05


@pytest.mark.slow
def test_a_top_flow_of_the_naive_count_is_what_broad_footprints_look_like() -> None:
    path: Path = REAL_DATA / "viral50-weekly-2017-2020"
    if not path.exists():
        pytest.skip("the weekly viral charts are not here; they are measured on, never shipped")
    with open_charts(path) as charts:
        lines = charts.entries().timelines
    table = edge_significance(lines, window=56, permutations=50).set_index(["source", "target"])
    assert table.loc[("NO", "PH"), "lift"] < 1 and table.loc[("NO", "PH"), "q"] > 0.5
    assert 0 < (table["q"] <= 0.05).mean() < 0.5

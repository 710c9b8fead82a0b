"""Pair counts and curves against plain twins, R, lifelines and simulations with known truth."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from numpy.typing import NDArray
from scipy.stats import binomtest
from scipy.stats import t as student

from diffusion import (
    DataSaysNoError,
    Entries,
    SettingError,
    contracts,
    lag_curve,
    open_charts,
    open_sample,
    transitions,
)
from diffusion.pairs.counts import PairCounts, cluster_transitions, lag_table, pair_counts
from diffusion.pairs.curves import interval, lag_band, lag_bands, rate_interval
from diffusion.pairs.transitions import lag_quantiles, transition_table
from diffusion.pairs.variance import Spread, clusters_of_several, daily_sums
from diffusion.risk.follow_up import UNSEEN, FollowUp
from diffusion.risk.kaplan_meier import KaplanMeier, log_log_bounds
from diffusion.risk.risk_set import RiskSet, exposure_risk
from diffusion.simulation.process_worlds import draw_sample
from diffusion.simulation.structures import draw_structure
from diffusion.timelines import Timelines
from tests import twins
from tests.conftest import REFERENCE
from tests.random_charts import EXAMPLES, Study, studies, study
from tests.twins import Row

EXACT = 1e-12
"""Both sides add and multiply a few dozen numbers near 1."""

LIFELINES_TOLERANCE = 1e-9
"""lifelines adds logarithms where we multiply."""

STEP = 1e-6
"""Weight that a cluster is given for a derivative; the error is of its square."""

DERIVATIVE_TOLERANCE = 1e-6

DAILY = list(range(100))
WEEKLY = list(range(0, 301, 7))
EPOCH = date(1970, 1, 1)


@pytest.fixture(scope="module")
def sample() -> Entries:
    """Entries of the packaged charts."""
    with open_sample() as charts:
        return charts.entries()


def with_clusters(timelines: Timelines, clusters: int, seed: int) -> Timelines:
    """Return timelines whose tracks fall into clusters at random, numbered without holes."""
    drawn = np.random.default_rng(seed).integers(0, clusters, len(timelines.track_ids))
    return replace(timelines, cluster=np.unique(drawn, return_inverse=True)[1].astype(np.int64))


# ── plain twins ──────────────────────────────────────────────────────────────────────────────────────────────────────

Exposed = dict[tuple[str, str], list[tuple[str, int, bool]]]


def exposed_tracks(drawn: Study, window: int) -> Exposed:
    """Return by ordered pair the exposed tracks, their days of follow-up, and whether these end with the entry."""
    table: Exposed = defaultdict(list)
    for track_id, own in twins.by_track(drawn.entries).items():
        found = twins.exposures(list(own.values()), drawn.spans, washout=drawn.washout, window=window)
        for pair, ends in found.items():
            table[pair] += [(track_id, days, entered) for days, entered in ends]
    return table


def weighted_log_survival(followed: Sequence[tuple[float, int, bool]]) -> float:
    """Return the logarithm of Kaplan–Meier of weighted tracks, without the factor of a day when all at risk entered."""
    total = 0.0
    for day in sorted({days for _, days, entered in followed if entered}):
        at_risk = sum(weight for weight, days, _ in followed if days >= day)
        entered = sum(weight for weight, days, went in followed if days == day and went)
        if any(days > day or (days == day and not went) for _, days, went in followed):
            total += math.log(1 - entered / at_risk)
    return total


def influences(followed: Sequence[tuple[str, int, bool]], cluster: dict[str, int]) -> list[float]:
    """Return by cluster the derivative of the logarithm of survival by the cluster's weight, as a difference."""
    found = []
    for number in sorted({cluster[track] for track, _, _ in followed}):
        up, down = (
            weighted_log_survival([(1 + step * (cluster[t] == number), days, went) for t, days, went in followed])
            for step in (STEP, -STEP)
        )
        found.append((up - down) / (2 * STEP))
    return found


def widening(found: Exposed, source: str, cluster: dict[str, int]) -> dict[str, float]:
    """Return by target how many times the variance of single tracks is to be expected, at least."""
    shown, most, larger = 0.0, 0.0, {}
    for (a, b), followed in found.items():
        if a != source:
            continue
        sizes = Counter(cluster[track] for track, _, _ in followed)
        larger[b] = sum(size * (size - 1) for size in sizes.values()) / len(followed)
        single = sum(u**2 for u in influences(followed, one_each(cluster)))
        if single > 1e-13:
            tracks = sum(went for _, _, went in followed)
            shown += tracks * (sum(u**2 for u in influences(followed, cluster)) / single - 1)
            most += tracks * larger[b]
    tightness = min(max(shown / most, 0), 1) if most else 0
    return {b: 1 + tightness * value for b, value in larger.items()}


def one_each(cluster: dict[str, int]) -> dict[str, int]:
    """Return every track as a cluster of its own."""
    return {track: number for number, track in enumerate(cluster)}


def hazard_shares(followed: Sequence[tuple[str, int, bool]], cluster: dict[str, int]) -> list[float]:
    """Return by cluster its share of the hazard, in the order of `influences`; 0 where there is no hazard."""
    hazard: dict[int, float] = Counter()
    for day in sorted({days for _, days, entered in followed if entered}):
        at_risk = [cluster[track] for track, days, _ in followed if days >= day]
        went = sum(days == day and entered for _, days, entered in followed)
        if went < len(at_risk):
            for number in at_risk:
                hazard[number] += went / (len(at_risk) - went) / len(at_risk)
    total = sum(hazard.values()) or 1.0
    return [hazard[number] / total for number in sorted({cluster[track] for track, _, _ in followed})]


def plain_interval(
    followed: Sequence[tuple[str, int, bool]], cluster: dict[str, int], wider: float
) -> tuple[float, float]:
    """Return the bounds of the rate as the docstring of `interval` says, step by step."""
    last = max(days for _, days, _ in followed)
    at_risk = len({cluster[track] for track, days, _ in followed if days == last})
    within = math.exp(weighted_log_survival([(1.0, days, went) for _, days, went in followed]))
    surely = 0.025 ** (1 / at_risk)
    low, high = 0.0, 1 - surely
    if within < 1:
        effect, each = influences(followed, cluster), influences(followed, one_each(cluster))
        shares = hazard_shares(followed, cluster)
        low, high = 0.0, 1.0
        if max(shares) < 1 - 1e-9:
            by_cluster = sum((u / (1 - share)) ** 2 for u, share in zip(effect, shares, strict=True))
            variance = max(by_cluster, wider * sum(u**2 for u in each))
            width = student.ppf(0.975, max(len(effect) - 1, 1)) * math.sqrt(variance)
            with np.errstate(over="ignore"):
                low, high = (float(1 - within ** np.exp(sign * width / -math.log(within))) for sign in (-1, 1))
    return (max(low, surely), 1.0) if twins_survival(followed) == 0 else (low, high)


def twins_survival(followed: Sequence[tuple[str, int, bool]]) -> float:
    """Return Kaplan–Meier's survival at the end."""
    return 1 - twins.kaplan_meier([(days, went) for _, days, went in followed])


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(EXAMPLES, max_examples=20)
@given(drawn=studies(), window=st.sampled_from([1, 7, 14, 30, 60, 400]), clusters=st.sampled_from([1, 2, 4, 9]))
def test_counts_by_cluster_are_those_of_single_tracks(drawn: Study, window: int, clusters: int) -> None:
    timelines = with_clusters(drawn.open().timelines, clusters, window)
    counts, pairs = pair_counts(timelines, window=window), cluster_transitions(timelines, window=window)
    cluster = dict(zip(timelines.track_ids, timelines.cluster.tolist(), strict=True))
    m = len(timelines.markets)
    exposed, tracks = np.zeros((m, m), np.int64), np.zeros((timelines.cluster.max() + 1, m, m), np.int64)
    for (a, b), followed in exposed_tracks(drawn, window).items():
        for track, _, entered in followed:
            pair = timelines.markets.index(a), timelines.markets.index(b)
            exposed[pair] += 1
            tracks[(cluster[track], *pair)] += entered
    assert (pairs.toarray().reshape(tracks.shape) == tracks).all()
    assert (exposed == counts.exposed).all() and (tracks.sum(axis=0) == counts.tracks).all()
    twin = twins.lags(drawn.entries, drawn.spans, washout=drawn.washout, window=window)
    assert lag_table(counts).to_pylist() == twin
    ties = {(row["source"], row["target"]): row["joint"] for row in twins.ties(drawn.entries)}
    assert {(a, b): int(counts.joint[i, j]) for i, a in enumerate(timelines.markets) for j, b in
            enumerate(timelines.markets) if counts.joint[i, j]} == ties  # fmt: skip


def many_markets(seed: int, *, markets: int = 40, length: int = 2_000, tracks: int = 400) -> Timelines:
    """Return timelines of many markets watched for long, with late launches, two stretches, ties and early ends."""
    rng = np.random.default_rng(seed)
    codes = [f"M{number:02d}" for number in range(markets)]
    track, market = np.nonzero(rng.random((tracks, markets)) < rng.random((tracks, 1)))
    day = rng.integers(0, length - 400, tracks)[track] + (rng.exponential(120, len(track))).astype(int) // 3 * 3
    launch = np.where(np.arange(markets) % 5 == 0, 500, 0)
    gap = np.where(np.arange(markets) % 3 == 0, rng.integers(600, 1400, markets), length)  # forty days long
    seen = (day >= launch[market]) & (day < length) & ((day < gap[market]) | (day >= gap[market] + 40))
    track, market, day = track[seen], market[seen], day[seen]
    again = day >= gap[market]
    begin = np.where(again, gap[market] + 40, launch[market])
    before = day - rng.integers(1, 9, len(day))
    table = pa.table(
        {
            "track_id": np.char.zfill(track.astype(str), 4),
            "market": np.array(codes)[market],
            "entry": dates(day),
            "last_without": dates(np.where(before < begin, np.where(again, gap[market] - 1, begin - 1), before)),
            "left_censored": day < begin + 28,
        }
    )
    first = np.concatenate([launch, gap[gap < length] + 40])
    last = np.concatenate([np.minimum(gap, length) - 1, np.full((gap < length).sum(), length - 1)])
    spans = pa.table(
        {
            "market": codes + [codes[number] for number in np.flatnonzero(gap < length)],
            "first_date": dates(first),
            "last_date": dates(last),
        }
    )
    artists = pa.table({"track_id": pa.array([], pa.string()), "artist": pa.array([], pa.string())})
    timelines = Timelines.of(table, artists, spans, markets=codes, washout=28, cadence=1)
    return with_clusters(timelines, 90, seed)


def dates(days: NDArray[np.int64]) -> pa.Array:
    """Return days since 1970-01-01 as dates."""
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def risk_from(timelines: Timelines, window: int, entries: NDArray[np.int64]) -> RiskSet:
    """Return the exposure of timed entries to every market."""
    return exposure_risk(timelines, FollowUp.of_exposures(timelines, window), entries)


@pytest.mark.parametrize("window", [7, 60, 365, 3_000])
@pytest.mark.parametrize("which", ["sample", "many markets"])
def test_counts_are_those_of_following_every_entry(which: str, window: int, sample: Entries) -> None:
    """The same by another way: every entry looked up in every market."""
    timelines = sample.timelines if which == "sample" else many_markets(window)
    counts = pair_counts(timelines, window=window)
    entries = np.flatnonzero(timelines.timed)
    risk = risk_from(timelines, window, entries)
    table = np.zeros((2, *counts.entered.shape), np.int64)
    entry, target = np.nonzero(risk.days != UNSEEN)
    place = timelines.market[entries[entry]], target, risk.days[entry, target]
    np.add.at(table, (1 - risk.entered[entry, target].astype(int), *place), 1)
    assert (table[0] == counts.entered).all() and (table[1] == counts.censored).all()
    assert counts.tracks.sum() > 100 and counts.joint.sum() > 100
    pairs = cluster_transitions(timelines, window=window)
    m = len(timelines.markets)
    assert (pairs.sum(axis=0).reshape(m, m) == counts.tracks).all()
    assert pairs.dtype == np.int32
    frame = pd.DataFrame({"track": timelines.track, "market": timelines.market, "day": timelines.day,
                          "before": timelines.last_without})[timelines.timed]  # fmt: skip
    both = frame.merge(frame, on="track").query("market_x != market_y and day_x > before_y and day_y > before_x")
    joint = np.zeros((m, m), np.int64)
    np.add.at(joint, (both["market_x"], both["market_y"]), 1)
    assert (joint == counts.joint).all()


@pytest.mark.parametrize("window", [0, -1, 36_501])
def test_a_window_that_cannot_be_is_refused(sample: Entries, window: int) -> None:
    for counted in (pair_counts, cluster_transitions):
        with pytest.raises(SettingError, match=f"window is {window} days"):
            counted(sample.timelines, window=window)


def test_the_longest_window_takes_no_more_room_than_coverage(sample: Entries) -> None:
    counts = pair_counts(sample.timelines, window=36_500)
    assert counts.entered.shape[2] <= len(sample.calendar.coverage["date"].unique()) + 1
    assert counts.window == 36_500


def test_nothing_entered_and_one_market() -> None:
    empty = study({"SE": DAILY, "US": DAILY}, {}).open().timelines
    counts = pair_counts(empty, window=30)
    assert counts.exposed.sum() == counts.joint.sum() == cluster_transitions(empty, window=30).nnz == 0
    table = transition_table(counts, clusters_of_several(empty, counts))
    assert table.num_rows == 2
    assert {name: table[name].null_count for name in ("rate", "rate_low", "rate_high", "rate_if_ties")} == {
        "rate": 2, "rate_low": 2, "rate_high": 2, "rate_if_ties": 2}  # fmt: skip
    alone = study({"SE": DAILY}, {"t": {"SE": 5}}).open()
    assert transitions(alone).empty and pair_counts(alone.timelines, window=30).exposed.tolist() == [[0]]


def test_track_ids_may_be_any_text() -> None:
    entered = {"Été\u0301 \x00☃": {"SE": 10, "US": 20}, "t": {"SE": 10}, "日本": {"US": 3, "SE": 3}}
    timelines = study({"SE": DAILY, "US": DAILY}, entered).open().timelines
    counts = pair_counts(timelines, window=30)
    assert (counts.tracks[0, 1], counts.exposed[0, 1], counts.joint[0, 1]) == (1, 2, 1)


# ── curves and intervals ─────────────────────────────────────────────────────────────────────────────────────────────


def test_curve_and_variances_are_those_of_r() -> None:
    """R's `survival::survfit` with and without `cluster`; see lag_band.R.

    R's robust error is of the influences. The variance of a band is of the same ones, each over 1 − share.
    """
    tracks = pd.read_csv(REFERENCE / "lag_band_tracks.csv")
    answer = pd.read_csv(REFERENCE / "lag_band_survfit.csv").set_index("days")
    frame = band_of(tracks["days"].to_numpy(), tracks["entered"].to_numpy() > 0, tracks["cluster"].to_numpy())
    own = frame.loc[answer.index]
    for name in ("at_risk", "entered"):
        assert own[name].to_list() == answer[name].to_list()
    for name in ("incidence", "greenwood", "robust"):
        np.testing.assert_allclose(own[name], answer[name], rtol=0, atol=EXACT)
    np.testing.assert_allclose(frame["spread"], frame["left_out"], rtol=0, atol=EXACT)
    assert (own["left_out"] > 1.01 * answer["robust"]).any()
    lags = frame[frame["ended"] > 0].reset_index(names="days").assign(source="SE", target="US")
    curve = lag_curve(lags.assign(censored=lags["ended"] - lags["entered"])).set_index("days")
    for name in ("low", "high"):
        np.testing.assert_allclose(curve[name], answer[name], rtol=0, atol=EXACT)


def band_of(days: NDArray[np.int64], entered: NDArray[np.bool_], cluster: NDArray[np.int64]) -> pd.DataFrame:
    """Return by day the curve of one pair and its standard errors, of the survival itself.

    `robust` and `left_out` are summed up here, cluster by cluster; `spread` is what the intervals take.
    """
    length = int(days.max()) + 1
    ended = np.bincount(days, minlength=length)
    events = np.bincount(days[entered], minlength=length)
    curves = KaplanMeier.of_ends(events, ended - events)
    variance, _, _ = daily_sums(days.astype(np.int32), entered, cluster, curves)
    each, going = np.arange(length), events / (curves.at_risk - events)  # somebody stays on every day
    squares, apart = np.zeros(length), np.zeros(length)
    for number in np.unique(cluster):
        mine = days[cluster == number]
        there = (mine[:, None] >= each).sum(axis=0)
        went = np.bincount(days[entered & (cluster == number)], minlength=length)
        hazard = np.cumsum(there / curves.at_risk * going)
        influence = hazard - np.cumsum(went / (curves.at_risk - events))
        squares += influence**2
        apart += (influence / (1 - hazard / np.maximum(np.cumsum(going), EXACT))) ** 2
    return pd.DataFrame(
        {
            "at_risk": curves.at_risk,
            "entered": events,
            "ended": ended,
            "incidence": curves.incidence,
            "greenwood": np.sqrt(curves.variance) * curves.staying,
            "robust": np.sqrt(squares) * curves.staying,
            "left_out": np.sqrt(apart) * curves.staying,
            "spread": np.sqrt(variance) * curves.staying,
        }
    )


@settings(EXAMPLES, max_examples=15)
@given(drawn=studies(), window=st.sampled_from([7, 30, 60]), clusters=st.sampled_from([1, 2, 3, 6, 99]))
def test_bounds_of_rates_are_those_of_the_plain_twin(drawn: Study, window: int, clusters: int) -> None:
    timelines = with_clusters(drawn.open().timelines, clusters, window)
    counts = pair_counts(timelines, window=window)
    low, high = rate_interval(counts, clusters_of_several(timelines, counts))
    cluster = dict(zip(timelines.track_ids, timelines.cluster.tolist(), strict=True))
    found = exposed_tracks(drawn, window)
    for i, a in enumerate(timelines.markets):
        bands = lag_bands(timelines, a, window=window)
        for j, b in enumerate(timelines.markets):
            if (a, b) not in found:
                assert math.isnan(low[i, j]) and math.isnan(high[i, j]) and b not in bands
                continue
            twin = plain_interval(found[a, b], cluster, widening(found, a, cluster)[b])
            assert (low[i, j], high[i, j]) == pytest.approx(twin, rel=0, abs=DERIVATIVE_TOLERANCE)
            pd.testing.assert_frame_equal(bands[b], lag_band(timelines, a, b, window=window))
            last = bands[b].iloc[-1]
            assert (last["low"], last["high"]) == pytest.approx((low[i, j], high[i, j]), rel=0, abs=EXACT)
            assert last["low"] <= last["incidence"] + EXACT and last["incidence"] <= last["high"] + EXACT


def test_single_tracks_scatter_as_greenwood_says(sample: Entries) -> None:
    timelines = Entries(sample.table, sample.calendar, sample.rules).timelines  # no artists: no clusters
    counts = pair_counts(timelines, window=60)
    curves = KaplanMeier.of_ends(counts.entered, counts.censored)
    low, high = rate_interval(counts, clusters_of_several(timelines, counts))
    between = (curves.staying[..., -1] < 1) & ~curves.over[..., -1]
    narrow = log_log_bounds(curves.staying[..., -1], curves.variance[..., -1], student.ppf(0.975, 1e9))
    assert between.sum() > 1000
    assert (low <= narrow[0] + EXACT)[between].all() and (high >= narrow[1] - EXACT)[between].all()
    pair = np.unravel_index(np.argmax(counts.tracks), counts.tracks.shape)
    a, b = (timelines.markets[at] for at in pair)
    by_track = lag_band(timelines, a, b, window=60)
    plain = lag_curve(sample.lags(window=60)).query("source == @a and target == @b").set_index("days")
    shared = by_track.set_index("days").loc[plain.index]
    np.testing.assert_allclose(shared["incidence"], plain["incidence"], rtol=0, atol=EXACT)
    assert (shared["high"] - shared["low"] >= plain["high"] - plain["low"] - EXACT).all()
    assert (shared["high"] - shared["low"] <= 1.5 * (plain["high"] - plain["low"])).all()


@pytest.mark.parametrize("cadence", [1, 7])
def test_curves_and_bands_are_those_of_lifelines(cadence: int, sample: Entries) -> None:
    timelines, window = (sample.timelines, 60) if cadence == 1 else (simulated(3, 400, cadence=7), 56)
    counts = pair_counts(timelines, window=window)
    curves = lag_curve(lag_table(counts).to_pandas()).set_index(["source", "target", "days"])
    largest = np.argsort(counts.tracks, axis=None)[-4:]
    for source, target in zip(*np.unravel_index(largest, counts.tracks.shape), strict=True):
        own = timelines.timed & (timelines.market == source)
        risk = risk_from(timelines, window, np.flatnonzero(own))
        days, entered = risk.days[:, target], risk.entered[:, target]
        fitted = KaplanMeierFitter().fit(days[days != UNSEEN], entered[days != UNSEEN])
        mine = curves.loc[(timelines.markets[source], timelines.markets[target])]
        mine = mine[mine["incidence"] > 0]
        bounds = fitted.confidence_interval_.loc[mine.index]
        survival = fitted.survival_function_["KM_estimate"].loc[mine.index]
        np.testing.assert_allclose(mine["incidence"], 1 - survival, atol=LIFELINES_TOLERANCE)
        np.testing.assert_allclose(mine["high"], 1 - bounds.iloc[:, 0], atol=LIFELINES_TOLERANCE)
        np.testing.assert_allclose(mine["low"], 1 - bounds.iloc[:, 1], atol=LIFELINES_TOLERANCE)


def test_none_or_all_of_n_have_the_bounds_of_clopper_and_pearson() -> None:
    observed = {"SE": DAILY, "US": DAILY, "FI": DAILY}
    entered = {f"t{n}": {"SE": 5 + n, "US": 10 + n} for n in range(8)}
    table = {(r["source"], r["target"]): r for r in study(observed, entered).open().arrow("transitions").to_pylist()}
    exact = binomtest(8, 8).proportion_ci(0.95, "exact")
    all_of_them = table["SE", "US"]
    assert (all_of_them["rate"], all_of_them["rate_high"]) == (1, 1)
    assert all_of_them["rate_low"] == pytest.approx(exact.low, abs=EXACT)
    none_of_them = table["SE", "FI"]
    assert (none_of_them["rate"], none_of_them["rate_low"]) == (0, 0)
    assert none_of_them["rate_high"] == pytest.approx(binomtest(0, 8).proportion_ci(0.95, "exact").high, abs=EXACT)


def test_one_cluster_says_nothing_of_the_spread() -> None:
    entered = {"a": {"SE": 10, "US": 20}, "b": {"SE": 10}, "c": {"SE": 10}}
    timelines = study({"SE": DAILY, "US": DAILY}, entered).open().timelines
    together = replace(timelines, cluster=np.zeros(3, np.int64))
    counts = pair_counts(together, window=30)
    low, high = rate_interval(counts, clusters_of_several(together, counts))
    assert (low[0, 1], high[0, 1]) == (0, 1)
    band = lag_band(together, "SE", "US", window=30).set_index("days")
    assert band.loc[9, ["low", "high"]].tolist() == pytest.approx([0, 0.975], abs=EXACT)  # none of one
    assert band.loc[10, ["low", "high"]].tolist() == [0, 1]


def test_an_interval_is_as_wide_as_the_larger_variance_and_few_clusters_make_it() -> None:
    staying, over = np.array([0.5]), np.array([False])
    for variance, least, clusters in ((0.01, 0.0, 100), (0.01, 0.02, 100), (0.01, 0.0, 3)):
        spread = Spread(np.array([variance]), np.array([least]), np.array([clusters - 1.0]), np.array([2]))
        expected = log_log_bounds(staying, np.array([max(variance, least)]), student.ppf(0.975, clusters - 1))
        for bound, other in zip(interval(staying, over, spread), expected, strict=True):
            np.testing.assert_allclose(bound, other, rtol=0, atol=EXACT)


def test_ties_that_all_went_one_way_raise_the_rate() -> None:
    entered = {"a": {"SE": 10, "US": 10}, "b": {"SE": 10, "US": 20}, "c": {"SE": 10}, "d": {"SE": 10}}
    table = study({"SE": DAILY, "US": DAILY, "FI": DAILY}, entered).open().arrow("transitions").to_pylist()
    rows = {(row["source"], row["target"]): row for row in table}
    assert (rows["SE", "US"]["rate"], rows["SE", "US"]["rate_if_ties"]) == pytest.approx((1 / 3, 2 / 4))
    assert (rows["US", "SE"]["rate"], rows["US", "SE"]["rate_if_ties"]) == (None, 1)
    assert (rows["SE", "FI"]["rate"], rows["SE", "FI"]["rate_if_ties"]) == (0, 0)
    assert (rows["FI", "SE"]["rate"], rows["FI", "SE"]["rate_if_ties"]) == (None, None)


def test_the_rate_if_ties_is_kaplan_meier_with_the_ties_on_day_0(sample: Entries) -> None:
    counts = pair_counts(sample.timelines, window=60)
    table = transition_table(counts, clusters_of_several(sample.timelines, counts))
    entered = counts.entered.copy()
    entered[..., 0] += counts.joint
    curves = KaplanMeier.of_ends(entered, counts.censored)
    rate = np.where(curves.at_risk[..., 0] > 0, curves.incidence[..., -1], np.nan)
    own = table["rate_if_ties"].to_numpy().astype(float)
    np.testing.assert_allclose(own, rate[~np.eye(len(rate), dtype=bool)], rtol=0, atol=EXACT)


@settings(EXAMPLES, max_examples=60)
@given(lags=st.lists(st.integers(0, 40), max_size=12), share=st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9, 1.0]))
def test_quantiles_from_counts_are_those_of_the_lags(lags: list[int], share: float) -> None:
    found = lag_quantiles(np.bincount(np.array(lags, np.int64), minlength=41), {"q": share})["q"]
    assert math.isnan(found) if not lags else found == pytest.approx(np.quantile(lags, share), rel=0, abs=EXACT)


def test_a_curve_of_nothing_is_empty() -> None:
    curve = lag_curve(contracts.LAGS.schema.empty_table().to_pandas())
    assert len(curve) == 0 and {"at_risk", "incidence", "low", "high"} <= set(curve.columns)


def test_a_band_needs_two_markets_and_somebody_exposed() -> None:
    timelines = study({"SE": DAILY, "US": list(range(5))}, {"t": {"SE": 50}}).open().timelines
    with pytest.raises(DataSaysNoError, match="no track timed in SE was at risk in US"):
        lag_band(timelines, "SE", "US", window=30)
    with pytest.raises(SettingError, match="two markets; both are SE"):
        lag_band(timelines, "SE", "SE", window=30)
    with pytest.raises(SettingError, match="market 'FI' is not on this chart; there are SE, US"):
        lag_band(timelines, "SE", "FI", window=30)


def test_real_weekly_charts_agree_with_lifelines(real_data: object) -> None:
    with open_charts(f"{real_data}/top200-weekly-9regions-2016-2019") as charts:
        entries = charts.entries()
    timelines = entries.timelines
    assert entries.calendar.default_window == 56
    table = transitions(entries).nlargest(3, "tracks")
    for row in table.itertuples():
        a, b = timelines.markets.index(row.source), timelines.markets.index(row.target)
        own = np.flatnonzero(timelines.timed & (timelines.market == a))
        risk = risk_from(timelines, 56, own)
        days, entered = risk.days[:, b], risk.entered[:, b]
        fitted = KaplanMeierFitter().fit(days[days != UNSEEN], entered[days != UNSEEN])
        assert row.rate == pytest.approx(1 - fitted.predict(56), abs=LIFELINES_TOLERANCE)


# ── coverage where the truth is known ────────────────────────────────────────────────────────────────────────────────

TARGETS = ("B", "C", "D", "E", "F")
QUICK = 0.08
"""Probability that a track that will go does so in any one period."""

MONTE_CARLO = 0.008
"""Two standard errors of a share of 0.98 among 1,200 pairs, whose days go together."""

CHECKED_DAYS = (7, 14, 28, 56)
SPAN = 200


def simulated(
    seed: int, clusters: int, *, albums: float = 0.15, chance: float = 0.3, together: float = 0.5, cadence: int = 1
) -> Timelines:
    """Return timelines of clusters that debut in market A and may follow into five others, each by itself.

    A share `albums` of clusters has 5 to 15 tracks, the others one, rarely two. Every track goes to each market with
    probability `chance`, after a geometric lag; in a share `together` of clusters all tracks do as one. The debuts are
    spread over the 200 days of coverage, so that some follow-up is cut short.
    """
    rng = np.random.default_rng(seed)
    size = np.where(rng.random(clusters) < albums, rng.integers(5, 16, clusters), 1 + (rng.random(clusters) < 0.2))
    cluster = np.repeat(np.arange(clusters), size)
    periods = SPAN // cadence
    debut = (1 + rng.integers(0, periods, clusters))[cluster]
    as_one = (rng.random(clusters) < together)[cluster]
    shape = (clusters, len(TARGETS))
    goes = np.where(as_one[:, None], (rng.random(shape) < chance)[cluster], rng.random((len(cluster), 5)) < chance)
    lag = np.where(as_one[:, None], rng.geometric(QUICK, shape)[cluster], rng.geometric(QUICK, (len(cluster), 5)))
    period = np.column_stack([debut, np.where(goes, debut[:, None] + lag, periods + 1)])
    track, market = np.nonzero(period <= periods)
    ids = np.array([f"t{number:05d}" for number in range(len(cluster))])
    day = cadence * period[track, market]
    entries = pa.table(
        {
            "track_id": ids[track],
            "market": np.array(("A", *TARGETS))[market],
            "entry": pa.array(day.astype(np.int32)).cast(pa.date32()),
            "last_without": pa.array((day - cadence).astype(np.int32)).cast(pa.date32()),
            "left_censored": np.zeros(len(day), bool),
        }
    )
    ends = {name: pa.array([at] * 6, pa.int32()).cast(pa.date32()) for name, at in
            (("first_date", 0), ("last_date", SPAN // cadence * cadence))}  # fmt: skip
    return Timelines.of(
        entries,
        pa.table({"track_id": ids, "artist": [f"artist {number}" for number in cluster]}),
        pa.table({"market": ["A", *TARGETS], **ends}),
        markets=["A", *TARGETS],
        washout=0,
        cadence=cadence,
    )


def covered(runs: int, clusters: int, **settings: float) -> tuple[float, float]:
    """Return the shares of intervals, of rates and of lag curves, that hold the truth."""
    chance = settings["chance"]
    rates, bands = [], []
    for seed in range(runs):
        timelines = simulated(1000 + seed, clusters, **settings)
        counts: PairCounts = pair_counts(timelines, window=60)
        low, high = rate_interval(counts, clusters_of_several(timelines, counts))
        truth = chance * (1 - (1 - QUICK) ** 60)
        rates += ((low <= truth) & (truth <= high))[0, 1:].tolist()
        for target in TARGETS:
            band = lag_band(timelines, "A", target, window=60).set_index("days")
            for day in CHECKED_DAYS:
                truth_then = chance * (1 - (1 - QUICK) ** day)
                bands.append(band.loc[day, "low"] <= truth_then <= band.loc[day, "high"])
    assert len(rates) >= 5 * runs and len(bands) >= 20 * runs
    return float(np.mean(rates)), float(np.mean(bands))


def test_intervals_cover_the_truth_where_albums_come_together() -> None:
    rates, bands = covered(20, 80, chance=0.3, together=0.5, albums=0.15)
    assert 0.90 <= rates <= 0.99
    assert 0.90 <= bands <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("together", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("chance", "clusters"), [(0.05, 400), (0.3, 150), (0.6, 150)])
@pytest.mark.parametrize("albums", [0.0, 0.15])
def test_coverage_of_rates_and_lag_curves(albums: float, chance: float, clusters: int, together: float) -> None:
    """Twelve hundred intervals of rates and 4,800 of lag curves from 240 simulations each."""
    rates, bands = covered(240, clusters, chance=chance, together=together, albums=albums)
    assert 0.90 <= rates <= 0.98 + MONTE_CARLO
    assert 0.90 <= bands <= 0.98 + MONTE_CARLO


@pytest.mark.slow
def test_rates_where_one_artist_has_a_third_of_all_tracks() -> None:
    """Rates of 200 samples against those of 100 other samples together, where a sample has 10 transitions or more."""
    own, together, *samples = np.random.default_rng(5).spawn(202)
    structure = draw_structure("giant-artist", own)
    large = transitions(draw_sample(structure, together, tracks=2_000, samples=100).entries)
    truth = large.loc[large["tracks"] >= 1_000, "rate"]
    held = []
    for rng in samples:
        table = transitions(draw_sample(structure, rng, tracks=2_000).entries).loc[truth.index]
        held += ((table["rate_low"] <= truth) & (truth <= table["rate_high"])).to_list()
    assert len(held) >= 200 * 100
    assert 0.93 <= np.mean(held) <= 0.97


def test_bounds_that_know_no_clusters_are_too_narrow() -> None:
    """What the clusters are for: Greenwood's interval misses far more often where albums come together."""
    missed = []
    for seed in range(25):
        timelines = simulated(seed, 80, chance=0.3, together=1.0, albums=0.15)
        curves = lag_curve(lag_table(pair_counts(timelines, window=60)).to_pandas())
        last = curves[curves["source"] == "A"].groupby("target").last()
        truth = 0.3 * (1 - (1 - QUICK) ** 60)
        missed += ((last["low"] > truth) | (last["high"] < truth)).to_list()
    assert np.mean(missed) > 0.2


def row_of(table: pa.Table, source: str, target: str) -> Row:
    """Return one row of transitions."""
    return next(row for row in table.to_pylist() if (row["source"], row["target"]) == (source, target))


def test_the_weekly_window_is_eight_weeks() -> None:
    entries = study({"SE": WEEKLY, "US": WEEKLY}, {"in": {"SE": 70, "US": 126}, "out": {"SE": 70, "US": 133}}).open()
    row = row_of(entries.arrow("transitions"), "SE", "US")
    assert (row["tracks"], row["exposed"], row["lag_median"], row["followed_to"]) == (1, 2, 56, 56)
    assert row["rate"] == 0.5

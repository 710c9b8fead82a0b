"""Comparisons: against closed forms, plain twins and permutations, and silent where there is nothing to find."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

import diffusion
import graphs
from diffusion import Entries, SettingError
from diffusion.pairs.differences import Estimate, difference_interval
from diffusion.risk.follow_up import UNSEEN
from diffusion.simulation.process_worlds import world
from graphs import contracts
from graphs.comparison.contrast import contrast
from graphs.comparison.rates import rate_table
from graphs.comparison.same_rate import Hazard
from graphs.comparison.sides import Followed, shared, sides

Flags = NDArray[np.bool_]


def part(entries: Entries, kept: Flags) -> Entries:
    """Return the entries of some tracks, flags in the order of `Timelines.track_ids`."""
    ids = pa.array(entries.timelines.track_ids[kept], pa.string())
    return replace(entries, table=entries.table.filter(pc.is_in(entries.table["track_id"], ids)))


def dealt(entries: Entries, seed: int, share: float = 0.5) -> Flags:
    """Return which tracks are of artists drawn at random."""
    cluster = entries.timelines.cluster
    kept: Flags = np.random.default_rng(seed).random(cluster.max() + 1)[cluster] < share
    return kept


@pytest.fixture(scope="module")
def homes() -> Entries:
    """Return entries of artists with homes and albums, in 6 markets."""
    return world("homes", tracks=1_500, markets=6, seed=3).entries


def at_once(entered: int, of: int, first: int) -> Followed:
    """Return tracks of an artist each, followed for one day, some of which enter on it."""
    numbers = np.arange(first, first + of)
    flags = (np.arange(of) < entered)[:, None]
    return Followed(numbers, numbers, np.zeros(of, np.int32), np.ones((of, 1), np.int32), flags)


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_proportions_have_the_pooled_variance() -> None:
    """With one day, artists of one track and nobody in both, it is the usual test of two proportions."""
    a, b = at_once(56, 70, 0), at_once(48, 80, 70)
    found = contrast(a, b)
    z, _ = proportions_ztest([56, 48], [70, 80])
    hazard = Hazard.of(a, b, 2)
    score = hazard.residuals(b, 1).sum() - hazard.residuals(a, 0).sum()
    variance, third = hazard.moments(np.zeros((0, 1), np.int32))
    assert score / np.sqrt(variance[0]) == pytest.approx(z)
    pooled, weights = 104 / 150, (1 / 70**2 - 1 / 80**2)
    assert third[0] == pytest.approx(pooled * (1 - pooled) * (1 - 2 * pooled) * weights / (1 - pooled) ** 3)
    assert found.difference[0] == pytest.approx(56 / 70 - 48 / 80)
    assert found.spread[0] == pytest.approx((56 / 70 - 48 / 80) / z, rel=0.01)
    assert found.p[0] == pytest.approx(2 * (1 - 0.99588), abs=0.004)  # Φ(2.64); a skewed tail, and t of artists


def test_the_interval_of_a_difference_is_newcombe_s() -> None:
    """56 of 70 less 48 of 80, from Wilson's intervals: method 10 of Newcombe 1998, Statistics in Medicine 17, 873."""
    estimates = [
        Estimate(*(np.array([each]) for each in (k / n, *proportion_confint(k, n, method="wilson"))))
        for k, n in ((56, 70), (48, 80))
    ]
    low, high = difference_interval(estimates[0], estimates[1], np.zeros(1))
    assert (low[0], high[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


# ── plain twins ──────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(seed: int, overlap: bool) -> tuple[Followed, Followed]:
    """Return two sides of some tracks in two markets; artists have several tracks, on either side or both."""
    rng = np.random.default_rng(seed)
    drawn_sides = []
    days, entered = rng.integers(0, 9, (60, 2)).astype(np.int32), rng.random((60, 2)) < 0.4
    days[rng.random((60, 2)) < 0.1] = UNSEEN
    entered &= days > 0
    artist = rng.integers(0, 25, 60)
    for kept in (rng.random(60) < 0.6, rng.random(60) < 0.5) if overlap else (np.arange(60) < 25, np.arange(60) >= 25):
        own = np.flatnonzero(kept)
        drawn_sides.append(Followed(own, artist[own], np.zeros(len(own), np.int32), days[own], entered[own]))
    return drawn_sides[0], drawn_sides[1]


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_moments_of_the_score_are_those_of_a_loop_over_tracks_and_days(seed: int, overlap: bool) -> None:
    a, b = drawn(seed, overlap)
    last = np.minimum(a.last, b.last)
    a, b = a.until(last), b.until(last)
    length = int(last.max()) + 1
    hazard = Hazard.of(a, b, length)
    rows = shared(a, b)
    both = np.where(a.seen[rows[0]] & b.seen[rows[1]], np.minimum(a.days[rows[0]], b.days[rows[1]]), UNSEEN)
    variance, third = hazard.moments(both)
    residuals = {"a": hazard.residuals(a, 0), "b": hazard.residuals(b, 1)}
    for market in range(2):
        moments = np.zeros(2)
        own = {"a": np.zeros(len(a.track)), "b": np.zeros(len(b.track))}
        for day in range(length):
            both_sides = {"a": a, "b": b}
            there = {name: side.days[:, market] >= day for name, side in both_sides.items()}
            went = {
                name: there[name] & (side.days[:, market] == day) & side.entered[:, market]
                for name, side in both_sides.items()
            }
            total = there["a"].sum() + there["b"].sum()
            h = (went["a"].sum() + went["b"].sum()) / max(total, 1)
            if h == 1:
                h, went = 0.0, {name: flags & False for name, flags in went.items()}
            weights: dict[int, float] = {}
            for name, sign in (("a", 1), ("b", -1)):
                for track in both_sides[name].track[there[name]]:
                    weight = sign / there[name].sum() / (1 - h)
                    weights[track] = weights.get(track, 0.0) + weight
                own[name] += (there[name] * h - went[name]) / max(there[name].sum(), 1) / (1 - h)
            square, cube = (sum(weight**power for weight in weights.values()) for power in (2, 3))
            moments += [h * (1 - h) * square, h * (1 - h) * (1 - 2 * h) * cube]
        assert residuals["a"][:, market] == pytest.approx(own["a"])
        assert residuals["b"][:, market] == pytest.approx(own["b"])
        assert (variance[market], third[market]) == pytest.approx(tuple(moments))


def test_intervals_and_rates_are_those_of_each_side_alone(homes: Entries) -> None:
    kept = dealt(homes, 1)
    a, b = part(homes, kept), part(homes, ~kept)
    edges = graphs.compare(a, b, replicates=2).edges
    assert (edges["followed_to"] == 60).all()
    for name, side in (("a", a), ("b", b)):
        alone = diffusion.transitions(side)
        for ours, theirs in (
            ("tracks", "tracks"), ("exposed", "exposed"), ("rate", "rate"), ("low", "rate_low"), ("high", "rate_high"),
        ):  # fmt: skip
            np.testing.assert_allclose(edges[f"{ours}_{name}"], alone[theirs], rtol=1e-12)


def test_reach_is_a_mean_over_tracks_where_all_are_followed(homes: Entries) -> None:
    """Of tracks that debut a window before the charts end nobody is censored: plain means of what they entered."""
    lines = homes.timelines
    last = int(lines.span_last.max())
    early = (lines.debut <= last - 60) & ~lines.debut_censored
    a, b = part(homes, early & dealt(homes, 1)), part(homes, early & ~dealt(homes, 1))
    reach = graphs.compare(a, b, replicates=2).reach.set_index("measure")
    for name, side in (("a", a), ("b", b)):
        table = side.to_pandas().merge(side.debuts(), on="track_id")
        lag = (pd.to_datetime(table["entry"]) - pd.to_datetime(table["debut"])).dt.days
        at_once = (lag == 0).groupby(table["track_id"]).sum()
        further = lag.between(1, 60).groupby(table["track_id"]).sum()
        assert reach.loc["markets_on_debut", f"value_{name}"] == pytest.approx(at_once.mean())
        assert reach.loc["markets_entered", f"value_{name}"] == pytest.approx(further.mean())
        assert reach.loc["spreading_share", f"value_{name}"] == pytest.approx((further > 0).mean())
        assert reach.loc["spreading_share", f"tracks_{name}"] == len(further)


def test_what_is_one_for_every_track_is_not_tested(homes: Entries) -> None:
    """All debut in one market: that the means of both sides differ by what rounding leaves says nothing."""
    frame = homes.to_pandas()
    first = frame.groupby("track_id")["entry"].transform("min")
    again = ((frame["entry"] == first) & frame.duplicated(["track_id", "entry"])).to_numpy()
    one = replace(homes, table=homes.table.filter(pa.array(~again)))
    for seed in range(5):
        reach = graphs.compare(part(one, dealt(one, seed)), part(one, ~dealt(one, seed)), replicates=2).reach
        (row,) = reach[reach["measure"] == "markets_on_debut"].to_dict("records")
        assert row["difference"] == pytest.approx(0, abs=1e-12) and np.isnan(row["p"])


# ── what both sides share ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_set_does_not_differ_from_itself(homes: Entries) -> None:
    found = graphs.compare(homes, homes, replicates=10)
    assert (found.edges[["difference", "low", "high"]] == 0).all(axis=None)
    assert (found.reach[["difference", "low", "high"]] == 0).all(axis=None)
    assert (found.leaders["difference"] == 0).all()
    assert found.edges["p"].isna().all() and found.reach["p"].isna().all() and found.leaders["p"].isna().all()


def test_the_other_way_round_all_signs_change(homes: Entries) -> None:
    kept = dealt(homes, 2, 0.4)
    there = graphs.compare(part(homes, kept), homes, replicates=50)
    back = graphs.compare(homes, part(homes, kept), replicates=50)
    np.testing.assert_allclose(there.leaders["difference"], -back.leaders["difference"])  # bounds are drawn
    for one, other in ((there.edges, back.edges), (there.reach, back.reach)):
        np.testing.assert_allclose(one["difference"], -other["difference"])
        np.testing.assert_allclose(one["low"], -other["high"], atol=1e-12)
        np.testing.assert_allclose(one["p"], other["p"])


def test_a_part_against_the_whole_is_as_sure_as_against_the_rest(homes: Entries) -> None:
    """Both ask the same question, so both have about the same p, and the difference shrinks with its interval."""
    kept = dealt(homes, 4, 0.4)
    mine = part(homes, kept)
    whole = graphs.compare(mine, homes, replicates=2).edges
    rest = graphs.compare(mine, part(homes, ~kept), replicates=2).edges
    both = whole["p"].notna() & rest["p"].notna()
    assert both.sum() >= 10
    assert np.abs(whole["p"] - rest["p"])[both].max() < 0.1
    assert (whole["high"] - whole["low"])[both].mean() < 0.8 * (rest["high"] - rest["low"])[both].mean()
    assert (whole["shared"] == whole["exposed_a"]).all()


def test_too_few_artists_are_not_tested() -> None:
    """One artist with all tracks of a side says nothing of artists; many of one track each do."""
    a, b = at_once(30, 60, 0), at_once(5, 60, 60)
    assert contrast(a, b).p[0] < 0.001
    one = replace(a, artist=np.zeros(60, np.int64))
    assert np.isnan(contrast(one, b).p[0])
    assert contrast(one, b).low[0] < 0 < contrast(one, b).high[0]


def test_few_tracks_and_few_expected_entries_are_not_tested() -> None:
    assert np.isnan(contrast(at_once(20, 29, 0), at_once(0, 60, 60)).p[0])
    assert np.isnan(contrast(at_once(3, 60, 0), at_once(2, 60, 60)).p[0])
    assert not np.isnan(contrast(at_once(3, 60, 0), at_once(3, 60, 60)).p[0])


def test_nobody_on_a_side_gives_nothing() -> None:
    nobody = at_once(0, 0, 0)
    found = contrast(nobody, at_once(3, 60, 0))
    assert np.isnan([found.difference[0], found.low[0], found.high[0], found.p[0]]).all()
    assert found.followed_to[0] == UNSEEN


def test_tracks_of_one_artist_that_enter_together_count_less() -> None:
    """Six albums of ten tracks that enter as one are weaker evidence than sixty tracks."""
    a, b = at_once(30, 300, 0), at_once(60, 300, 300)
    albums = [replace(side, artist=side.artist // 10) for side in (a, b)]
    loose, tight = contrast(a, b).p[0], contrast(albums[0], albums[1]).p[0]
    assert loose < 0.01 < tight
    assert contrast(a, b).spread[0] < 0.4 * contrast(albums[0], albums[1]).spread[0]


# ── what is refused, and what comes back ─────────────────────────────────────────────────────────────────────────────


def test_groups_of_one_name_with_other_members_are_refused(homes: Entries) -> None:
    first, second, third, *_ = homes.calendar.markets
    a, b = (homes.group_markets({"Group": members}) for members in ([first, second], [first, third]))
    with pytest.raises(SettingError, match=f"the group Group is {first}, {second} and {first}, {third}"):
        graphs.compare(a, b, replicates=2)
    with pytest.raises(SettingError, match="entries are compared, not a value of the type DataFrame"):
        graphs.compare(homes.to_pandas(), homes)  # type: ignore[arg-type]


def test_settings_that_differ_are_refused_and_named(homes: Entries) -> None:
    other = replace(homes, rules=replace(homes.rules, washout=20, top=10))
    with pytest.raises(SettingError, match=r"top is any and 10; washout is 28 and 20; make both with the same"):
        graphs.compare(homes, other)
    weekly = world("weekly", tracks=100, markets=4, seed=1).entries
    with pytest.raises(SettingError, match=r"cadence in days is 1 and 7"):
        graphs.compare(homes, weekly)


def test_markets_that_one_side_lacks_are_listed_and_not_compared(homes: Entries) -> None:
    gone = homes.calendar.markets[0]
    coverage = homes.calendar.coverage
    fewer = replace(
        homes,
        table=homes.table.filter(pc.not_equal(homes.table["market"], gone)),
        calendar=replace(homes.calendar, coverage=coverage.filter(pc.not_equal(coverage["market"], gone))),
    )
    found = graphs.compare(homes, fewer, replicates=2)
    assert (found.only_a, found.only_b) == ((gone,), ())
    assert gone not in {*found.edges["source"], *found.leaders["market"]}
    assert len(found.edges) == 5 * 4


def test_the_tables_are_what_their_contracts_say(homes: Entries) -> None:
    kept = dealt(homes, 1)
    found = graphs.compare(part(homes, kept), part(homes, ~kept), replicates=20)
    for table, contract in (
        (found.edges, contracts.COMPARED_EDGES),
        (found.reach, contracts.COMPARED_REACH),
        (found.leaders, contracts.COMPARED_LEADERS),
        (found.sides, contracts.COMPARED_SIDES),
    ):
        assert list(table) == contract.names
        assert contract.conform(pa.Table.from_pandas(table, preserve_index=False)).num_rows == len(table)
    assert found.sides.set_index("side").loc["a", "tracks"] == kept.sum()
    assert found.sides["tracks_in_both"].tolist() == [0, 0]


# ── silent where there is nothing ────────────────────────────────────────────────────────────────────────────────────


def rates(a: Entries, b: Entries) -> pd.DataFrame:
    """Return the rates of all pairs on both sides, without the rest of a comparison."""
    return rate_table(*sides(a, b), window=60)


def test_artists_dealt_at_random_do_not_differ(homes: Entries) -> None:
    splits = [dealt(homes, seed) for seed in range(6)]
    p = np.concatenate([rates(part(homes, kept), part(homes, ~kept))["p"].dropna().to_numpy() for kept in splits])
    assert len(p) > 150
    assert (p <= 0.05).mean() <= 0.06
    assert 0.4 < p.mean() < 0.7


def test_a_rate_that_was_changed_is_found(homes: Entries) -> None:
    """Of one side three of four entries into a market are left out."""
    market, kept = homes.calendar.markets[2], dealt(homes, 1)
    a, b = part(homes, kept), part(homes, ~kept)
    drop = (np.random.default_rng(0).random(len(b)) < 0.75) & (
        b.table["market"].to_numpy(zero_copy_only=False) == market
    )
    edges = rates(a, replace(b, table=b.table.filter(pa.array(~drop))))
    found = edges[edges["q"] <= 0.05]
    assert len(found) >= 3
    assert (found["target"] == market).mean() >= 0.8
    assert (found.loc[found["target"] == market, "low"] > 0).all()


@pytest.mark.slow
def test_p_is_that_of_artists_dealt_anew(homes: Entries) -> None:
    """The slow check: deal the artists again and again, and see how often the difference is as large."""
    kept = dealt(homes, 5)
    edges = rates(part(homes, kept), part(homes, ~kept))
    tested = edges["p"].notna().to_numpy()
    differences = []
    for seed in range(200):
        again = dealt(homes, 100 + seed)
        differences.append(rates(part(homes, again), part(homes, ~again))["difference"].to_numpy())
    larger = (np.abs(differences) >= np.abs(edges["difference"].to_numpy())).mean(axis=0)[tested]
    assert np.corrcoef(larger, edges.loc[tested, "p"])[0, 1] > 0.95
    assert np.abs(edges.loc[tested, "p"] - larger).max() < 0.15
    assert (edges.loc[tested, "p"] - larger).mean() > -0.01

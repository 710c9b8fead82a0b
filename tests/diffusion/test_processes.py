"""The worlds drawn from processes: hazards are as stated, and each named world has the property it is named after."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from diffusion import DataSaysNoError, SettingError, open_charts
from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import HORIZON, WASHOUT
from diffusion.simulation import Simulation, simulate
from diffusion.simulation.chart_dates import ChartDates
from diffusion.simulation.process_worlds import ProcessWorld, draw_sample, world
from diffusion.simulation.processes import Fridays, Hazards, Onset, Rhythm, Season, Steady, Surges, first_entries
from diffusion.simulation.recipes import WORLDS
from diffusion.simulation.structures import GAP, START, draw_structure
from diffusion.simulation.study import draw

ERRORS = 4.0
"""Standard errors allowed to a mean; seeds are fixed."""

UNLIKELY = 1e-4
"""A p-value that a right program reaches in one seed of ten thousand; seeds are fixed."""

TRACKS = 4_000


def later(drawn: ProcessWorld) -> tuple[Ints, Ints, Floats]:
    """Return track, market and time of the entries after the instant of release."""
    track, market = np.nonzero(np.isfinite(drawn.entered) & (drawn.entered > drawn.debut[:, None]))
    return track, market, drawn.entered[track, market]


def at_risk(drawn: ProcessWorld, begin: Floats, end: Floats) -> Floats:
    """Return, (n, m), days between `begin` and `end` (by track) that each track was at risk of entering each market."""
    left = np.minimum(drawn.entered, np.minimum(end, drawn.structure.days)[:, None])
    return (left - np.maximum(begin, drawn.debut)[:, None]).clip(0)


def rates_by_age(drawn: ProcessWorld, ages: Floats, chosen: Flags | None = None) -> tuple[Ints, Floats]:
    """Return entries and days at risk by class of age, of the chosen markets."""
    markets = np.ones(drawn.entered.shape[1], bool) if chosen is None else chosen
    track, market, time = later(drawn)
    kept = markets[market]
    counts = np.histogram((time - drawn.debut[track])[kept], ages)[0]
    days = [at_risk(drawn, drawn.debut + low, drawn.debut + high)[:, markets].sum() for low, high in pairwise(ages)]
    return counts, np.array(days)


def agrees(counts: Ints, expected: Floats) -> bool:
    """Return whether counts are Poisson with the expected means, up to a common factor."""
    scaled = expected * counts.sum() / expected.sum()
    return bool(stats.chisquare(counts, scaled).pvalue > UNLIKELY)


# ── hazards ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ONE_TRACK_A_DAY = np.arange(20_000) % 300 + 0.25


@pytest.mark.parametrize(
    ("rhythm", "fall"),
    [
        (Steady(), 0.0),
        (Steady(), 0.1),
        (Season(days=50, swing=0.8), 0.02),
        (Fridays(START, peak=4.0), 0.05),
        (Surges(ONE_TRACK_A_DAY + 20, floor=0.2, height=5.0, width=3.0), 0.0),
        (Onset(ONE_TRACK_A_DAY, np.array([6.0])), 0.05),
    ],
)
def test_first_entries_have_their_hazard(rhythm: Rhythm, fall: float) -> None:
    """The integral of the hazard up to the entry is a standard exponential, cut off at the end."""
    n, level, end = len(ONE_TRACK_A_DAY), 0.02, 380.0
    hazards = Hazards(ONE_TRACK_A_DAY, np.full((n, 1), level), np.array([fall]), rhythm)
    entered = first_entries(np.random.default_rng(4), hazards, end=end)[:, 0]
    until = np.minimum(entered, end)
    step = np.linspace(0, 1, 4_001)
    middle = (step[1:] + step[:-1]) / 2
    some = np.arange(0, n, 13)
    age = (until - ONE_TRACK_A_DAY)[some, None] * middle
    track = np.broadcast_to(some[:, None], age.shape)
    factor = rhythm(track, np.zeros_like(track), ONE_TRACK_A_DAY[some, None] + age)
    passed = level * (np.exp(-fall * age) * factor).mean(axis=1) * (until - ONE_TRACK_A_DAY)[some]
    happened = np.isfinite(entered[some])
    # entries less passed hazard is a martingale; its variance is the passed hazard
    assert abs(happened.sum() - passed.sum()) < ERRORS * np.sqrt(passed.sum())
    assert happened.sum() > 100
    half = passed < np.median(passed)
    early = np.minimum(passed, np.median(passed))
    assert abs((happened & half).sum() - early.sum()) < ERRORS * np.sqrt(early.sum())


def test_nothing_is_entered_before_the_debut_or_after_the_end() -> None:
    debut = np.array([0.0, 50.0, 99.5])
    entered = first_entries(np.random.default_rng(1), Hazards(debut, np.full((3, 400), 0.05), np.zeros(400)), end=100.0)
    assert (entered >= debut[:, None]).all()
    assert entered[np.isfinite(entered)].max() < 100
    assert 0 < np.isfinite(entered[2]).mean() < 0.1


# ── worlds without influence ─────────────────────────────────────────────────────────────────────────────────────────

AGES = np.array([0.0, 2, 5, 10, 15, 20, 30, 45, 90, 180])


def test_flat_hazards_are_flat() -> None:
    counts, days = rates_by_age(world("flat", tracks=TRACKS, seed=1), AGES)
    assert agrees(counts, days)


def test_falling_hazards_fall_as_the_recipe_says() -> None:
    drawn = world("falling", tracks=TRACKS, seed=1)
    ages = AGES[:-2]
    counts, days = rates_by_age(drawn, ages)
    mean = -np.diff(np.exp(-ages / 10)) / np.diff(ages)
    assert agrees(counts, days * mean)
    assert not agrees(counts, days)


def test_popularity_is_of_tracks() -> None:
    """Entries per track vary more than by chance, and those into one market foretell those into another."""
    alike, differ = (world(name, tracks=TRACKS, seed=2) for name in ("falling", "popularity-falling"))
    spread = []
    for drawn in (alike, differ):
        early = drawn.debut < drawn.structure.days - HORIZON
        count = (np.isfinite(drawn.entered) & (drawn.entered > drawn.debut[:, None]))[early].sum(axis=1)
        spread.append(count.var() / count.mean())
    assert spread[0] < 1.05
    assert spread[1] > 1.5


def test_surges_are_the_same_everywhere() -> None:
    """Entries of one track lie close to each other in time, whatever the market, and not those of two tracks."""
    drawn = world("surges", tracks=TRACKS, seed=3)
    track, _, time = later(drawn)
    age = time - drawn.debut[track]
    pairs = np.flatnonzero(np.diff(track) == 0)
    near = np.abs(age[pairs + 1] - age[pairs]) < 10
    stranger = np.random.default_rng(0).permutation(age)
    assert near.mean() > 0.5
    assert (np.abs(stranger[pairs + 1] - age[pairs]) < 10).mean() < 0.25


def test_the_season_has_120_days() -> None:
    drawn = world("season", tracks=TRACKS, seed=4)
    track, _, time = later(drawn)
    phase = np.floor(time / 30).astype(int) % 4
    begins = np.arange(0, drawn.structure.days, 30.0)
    days = np.array(
        [at_risk(drawn, np.full(len(drawn.debut), at), np.full(len(drawn.debut), at + 30)).sum() for at in begins]
    )
    by_phase = np.bincount(np.arange(len(begins)) % 4, days)
    rate = np.bincount(phase, minlength=4) / by_phase
    mean = 1 + 0.9 * 2 / np.pi * np.array([1, 1, -1, -1])
    error = rate / np.sqrt(np.bincount(phase, minlength=4))
    assert (np.abs(rate - rate.mean() * mean) < ERRORS * error * np.maximum(mean, 1)).all()
    assert len(track) > 1000


def test_christmas_is_in_half_the_markets() -> None:
    drawn = world("christmas", tracks=TRACKS, seed=5)
    celebrated = drawn.structure.celebrated
    assert celebrated.sum() == 6
    begin, end = ((day - START).days for day in (date(2018, 12, 4), date(2019, 1, 6)))
    _, market, time = later(drawn)
    for low, factor in ((begin - 33, 1.0), (begin, 5.0)):
        # the integral of the hazard without Christmas: share · 2 exp(−age / 30), scaled to 2 steps within 180 days
        since, until = (
            (each - drawn.debut[:, None]).clip(0) for each in (np.full(12, low), np.minimum(drawn.entered, low + 33))
        )
        passed = (np.exp(-since / 30) - np.exp(-np.maximum(since, until) / 30)) / -np.expm1(-180 / 30)
        expected = 2 * drawn.structure.share * passed.sum(axis=0)
        counts = np.bincount(market[(time >= low) & (time < end - begin + low)], minlength=12)
        for chosen, times in ((celebrated, factor), (~celebrated, 1.0)):
            mean = times * expected[chosen].sum()
            assert abs(counts[chosen].sum() - mean) < ERRORS * np.sqrt(mean)


def test_fridays_have_the_releases_and_many_entries() -> None:
    drawn = world("fridays", tracks=TRACKS, seed=6)
    _, _, time = later(drawn)
    for times, share in ((drawn.debut, 0.9), (time, 4 / 7)):
        found = (pd.Timestamp(START) + pd.to_timedelta(np.floor(times), unit="D")).day_name().isin(["Friday"]).mean()
        # the hazard falls from a Friday release on, so that Friday has somewhat more than its factor
        assert share - 0.03 < found < share + 0.12


def test_sizes_differ_forty_times() -> None:
    drawn = world("sizes", tracks=2 * TRACKS, seed=7)
    share = drawn.structure.share
    assert share.max() / share.min() == pytest.approx(40)
    _, market, _ = later(drawn)
    days = at_risk(drawn, drawn.debut, drawn.debut + 15).sum(axis=0)
    rate = np.bincount(market, minlength=12) / days
    assert agrees(np.bincount(market, minlength=12), days * share)
    assert 25 < rate.max() / rate.min() < 60


def test_age_shapes_differ_by_market() -> None:
    drawn = world("shapes", tracks=TRACKS, seed=8)
    track, market, time = later(drawn)
    age = pd.Series(time - drawn.debut[track]).groupby(market).median()
    assert age.max() > 3 * age.min()


def pairs_together(drawn: ProcessWorld, same: Flags) -> float:
    """Return how much more often both markets of a pair have an entry, in pairs of `same` beside the others.

    Relative to independence, by the lift of every pair.
    """
    there = np.isfinite(drawn.entered).astype(float)
    lift = there.T @ there / len(there) / np.outer(there.mean(axis=0), there.mean(axis=0))
    off = ~np.eye(len(lift), dtype=bool)
    return float(lift[same & off].mean() / lift[~same & off].mean())


def test_taste_goes_by_language_or_across() -> None:
    ratio = {}
    for name in ("falling", "taste-language", "taste-across"):
        drawn = world(name, tracks=TRACKS, seed=9)
        language, group = drawn.structure.language, drawn.structure.group
        ratio[name] = (
            pairs_together(drawn, language[:, None] == language),
            pairs_together(drawn, group[:, None] == group),
        )
    assert ratio["falling"] == pytest.approx((1, 1), abs=0.1)
    assert ratio["taste-language"][0] > 1.4
    assert ratio["taste-across"][1] > 1.4
    assert ratio["taste-across"][0] < 1.1


def test_artists_have_homes_and_albums() -> None:
    drawn = world("homes", tracks=TRACKS, seed=10)
    there = pd.DataFrame(np.isfinite(drawn.entered)).groupby(drawn.artists)
    many = there.size() >= 8
    most = there.mean()[many].max(axis=1)
    other = world("popularity-falling", tracks=TRACKS, seed=10)
    elsewhere = pd.DataFrame(np.isfinite(other.entered)).groupby(other.artists)
    assert most.mean() > elsewhere.mean()[elsewhere.size() >= 8].max(axis=1).mean() + 0.2
    albums = pd.DataFrame({"artist": drawn.artists, "debut": drawn.debut}).value_counts()
    assert albums.max() == 4
    assert len(albums) == len(np.unique(drawn.debut))


def test_one_artist_has_a_third() -> None:
    drawn = world("giant-artist", tracks=TRACKS, seed=11)
    share = np.bincount(drawn.artists).max() / TRACKS
    assert abs(share - 1 / 3) < ERRORS * np.sqrt(2 / 9 / TRACKS)
    assert np.bincount(world("flat", tracks=TRACKS, seed=11).artists).max() < 0.02 * TRACKS


def test_second_ids_follow_the_first_and_share_its_artist() -> None:
    drawn = world("reissues", tracks=TRACKS, seed=12)
    again = len(drawn.artists) - TRACKS
    assert abs(again / TRACKS - 0.2) < ERRORS * np.sqrt(0.16 / TRACKS)
    first = {debut: at for at, debut in enumerate(drawn.debut[:TRACKS])}
    at = np.array([first[debut] for debut in drawn.debut[TRACKS:]])
    assert (drawn.artists[at] == drawn.artists[TRACKS:]).all()
    both = np.isfinite(drawn.entered[at]) & np.isfinite(drawn.entered[TRACKS:])
    assert both.sum() > 100
    assert (drawn.entered[TRACKS:] >= drawn.entered[at])[both].all()


# ── what is observed ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_market_is_covered_late() -> None:
    drawn = world("late-launch", tracks=1_000, seed=13)
    days = (drawn.entries.calendar.by_market().set_index("market")["first_date"] - pd.Timestamp(START)).dt.days
    assert sorted(days)[:-1] == [0] * 11
    assert days.max() == np.ceil(0.4 * drawn.structure.days)
    late = days.idxmax()
    shown = drawn.entries.to_pandas()
    shown = shown[shown["market"] == late]
    before = (drawn.entered[:, drawn.entries.calendar.markets.index(late)] < days.max() + 1).sum()
    assert (shown["last_without"].isna()).sum() == before
    age = (shown["entry"] - pd.Timestamp(START)).dt.days - days.max()
    assert (shown["left_censored"] == (age < WASHOUT)).all()


def test_one_chart_has_half_the_rows() -> None:
    drawn = world("half-depth", tracks=TRACKS, seed=14)
    coverage = drawn.entries.calendar.by_market()
    assert sorted(coverage["depth_median"]) == [100] + [200] * 11
    half = int(coverage["depth_median"].to_numpy().argmin())
    shown = (drawn.entries.to_pandas()["market"] == coverage["market"][half]).sum()
    entered = np.isfinite(drawn.entered[:, half]).sum()
    assert 0.42 < shown / entered < 0.52  # half, but for those that would reach the upper half after the end


def test_gaps_begin_a_new_stretch_and_a_new_washout() -> None:
    drawn = world("gaps", tracks=TRACKS, seed=15)
    coverage = drawn.entries.calendar.by_market().set_index("market")
    broken = coverage.index[coverage["missing"] == GAP]
    assert len(broken) == 4
    assert (coverage["spans"] == 1 + coverage.index.isin(broken)).all()
    spans = drawn.entries.calendar.spans().groupby("market")["first_date"].max()
    shown = drawn.entries.to_pandas()
    for market in broken:
        begin = pd.Timestamp(spans[market])
        here = shown[shown["market"] == market]
        assert not here["entry"].between(begin - pd.Timedelta(days=GAP), begin - pd.Timedelta(days=1)).any()
        censored = here.loc[here["left_censored"], "entry"]
        assert len(censored)
        assert censored.between(begin, begin + pd.Timedelta(days=WASHOUT - 1)).all()


def test_weekly_charts_have_ties() -> None:
    tied = {}
    for name in ("popularity-falling", "weekly"):
        drawn = world(name, tracks=TRACKS, seed=16)
        shown = drawn.entries.to_pandas()
        debut = shown.groupby("track_id")["entry"].transform("min")
        steps = shown[shown["entry"] > debut].groupby(["track_id", "entry"]).size()
        tied[name] = (steps > 1).mean()
    assert drawn.entries.calendar.cadence == 7
    assert set(shown["entry"].dt.day_name()) == {"Sunday"}
    assert tied["weekly"] > 0.15 > 0.1 > tied["popularity-falling"]


@pytest.mark.parametrize("seed", range(4))
def test_charts_on_dates_of_their_own_show_what_the_plain_twin_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dates = np.cumsum(rng.choice([1, 1, 7, 29], 25))
    charted = rng.random((3, 25)) < 0.5
    charted[:, 20] = True
    charts = ChartDates(("DE", "FI", "US"), START, dates, charted, washout=10)
    entered = np.where(rng.random((80, 3)) < 0.7, rng.uniform(0, dates[-1] + 5, (80, 3)), np.inf)
    shown = {(row.track_id, row.market): row for row in charts.entries(entered).to_pandas().itertuples()}
    spans = charts.calendar().spans()
    for (track, number), time in np.ndenumerate(entered):
        market = charts.markets[number]
        own = [day for day, there in zip(dates, charted[number], strict=True) if there]
        found = [day for day in own if np.isfinite(time) and day >= int(time)]
        row = shown.pop((f"t{track:07d}", market), None)
        assert (row is None) == (not found)
        if row is None:
            continue
        entry = pd.Timestamp(START) + pd.Timedelta(days=int(found[0]))
        before = [day for day in own if day < found[0]]
        assert row.entry == entry
        assert (
            row.last_without is pd.NaT
            if not before
            else row.last_without == entry - pd.Timedelta(days=int(found[0] - before[-1]))
        )
        first = spans.loc[(spans["market"] == market) & (spans["first_date"] <= entry), "first_date"].max()
        assert row.left_censored == (entry < first + pd.Timedelta(days=10))
    assert not shown


@pytest.mark.parametrize("cadence", ["daily", "weekly"])
def test_chart_dates_show_what_charts_that_are_written_and_read_show(cadence: str, tmp_path: Path) -> None:
    simulation = Simulation(tracks=120, markets=4, days=120, seed=3, cadence=cadence, depth=20)  # type: ignore[arg-type]
    drawn = draw(simulation)
    arrivals = drawn.arrivals["top200"]
    times = np.full((len(drawn.catalogue), 4), np.inf)
    times[arrivals.track, arrivals.market] = arrivals.time
    plan, codes = drawn.makers[0].plan, np.array(drawn.network.markets)
    order = np.argsort(codes)
    charted = np.arange(len(plan.dates)) >= plan.first[order][:, None]
    shown = ChartDates(tuple(codes[order]), simulation.start, plan.dates, charted).entries(times[:, order])
    simulate(simulation, tmp_path / "drawn")
    with open_charts(tmp_path / "drawn" / "charts") as charts:
        read = charts.entries()
    columns = ["track_id", "market", "entry", "last_without", "left_censored"]
    ids = drawn.catalogue.track_id.to_pylist()
    mine = shown.to_pandas()[columns].assign(track_id=lambda t: [ids[int(name[1:])] for name in t["track_id"]])
    theirs = read.to_pandas()[columns]
    theirs = theirs[theirs["track_id"].isin(set(ids[arrivals.track.min() :]))]
    pd.testing.assert_frame_equal(
        *(table.sort_values(["track_id", "market"], ignore_index=True) for table in (mine, theirs))
    )
    assert len(mine) > 100


def test_charts_that_show_no_entry_are_an_error() -> None:
    charts = ChartDates(("DE", "FI"), START, np.arange(5), np.ones((2, 5), dtype=bool))
    with pytest.raises(DataSaysNoError, match="no simulated track"):
        charts.entries(np.full((3, 2), np.inf))


# ── worlds with influence ────────────────────────────────────────────────────────────────────────────────────────────


def counted_alpha(drawn: ProcessWorld, source: int, span: float = 15.0) -> tuple[Floats, Floats]:
    """Return, (m,), how many more entries follow one into `source` than its absence, per entry, and standard errors.

    Tracks after entering the source are compared with themselves in as many days before: flat hazards cancel.
    """
    m = drawn.entered.shape[1]
    at = drawn.entered[:, source]
    rows = np.flatnonzero(np.isfinite(at) & (at - drawn.debut > span) & (at + span < drawn.structure.days))
    lag = drawn.entered[rows] - at[rows, None]
    free = lag > 0
    after, days_after = (free & (lag <= span)).sum(axis=0), np.where(free, lag.clip(0, span), 0).sum(axis=0)
    open_ = lag > -span
    before = (open_ & (lag <= 0)).sum(axis=0).astype(float)
    days_before = np.where(open_, np.minimum(lag + span, span), 0).sum(axis=0)
    before[source], days_before[source] = 0, 1
    excess = after - before * days_after / days_before
    exposed = np.maximum(free.sum(axis=0), 1)
    error = np.sqrt(after + before * (days_after / days_before) ** 2 + 1) / exposed
    return np.where(np.arange(m) == source, 0, excess / exposed), error


def test_influence_is_recovered_by_counting_on_clean_data() -> None:
    """Flat hazards, one influenced target per source and no way round: excess entries are 1 − exp(−α)."""
    structure = draw_structure("influence-extra", np.random.default_rng(2), alike=True)
    alpha = np.zeros((12, 12))
    alpha[np.arange(6), np.arange(6, 12)] = np.linspace(0.1, 0.6, 6)
    lags = np.where(alpha > 0, np.nanmax(structure.network.median_lag), np.nan)
    structure = replace(structure, network=replace(structure.network, alpha=alpha, median_lag=lags))
    drawn = draw_sample(structure, np.random.default_rng(3), tracks=40_000)
    seen = 1 - 2 ** (-15 / 5)  # of the lag density, whose median is 5 days, within the 15 days counted
    for source in range(6):
        found, error = counted_alpha(drawn, source)
        expected = -np.expm1(-alpha[source] * seen)
        assert (np.abs(found - expected) < ERRORS * error).all()
        assert found[source + 6] > ERRORS * error[source + 6]
        assert (drawn.truth.through == 0).all()


@pytest.mark.parametrize("name", [name for name in WORLDS if name.startswith("influence")])
def test_influence_is_as_dense_and_strong_as_the_recipe_says(name: str) -> None:
    drawn, recipe = world(name, tracks=TRACKS, seed=17), WORLDS[name]
    alpha = drawn.truth.alpha
    found = alpha[alpha > 0]
    assert len(found) == round(recipe.density * 132)
    assert recipe.alpha[0] <= found.min() < found.max() <= recipe.alpha[1]
    assert not alpha.diagonal().any()
    for source, target in np.argwhere(drawn.truth.through > 0):
        assert any(alpha[source, third] * alpha[third, target] > 0 for third in range(12))
    assert (drawn.truth.any_way[alpha > 0]).all()


def test_influence_makes_extra_steps() -> None:
    structure = draw_structure("influence-extra", np.random.default_rng(5))
    none = replace(structure, network=replace(structure.network, alpha=np.zeros((12, 12))))
    many, few = (
        len(later(draw_sample(each, np.random.default_rng(6), tracks=TRACKS))[0]) for each in (structure, none)
    )
    assert many > 2 * few


@pytest.mark.parametrize("name", [name for name in WORLDS if not name.startswith("influence")])
def test_worlds_without_influence_have_none(name: str) -> None:
    assert not world(name, tracks=300, seed=1).truth.any_way.any()


# ── all worlds ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", WORLDS)
def test_a_seed_makes_a_world(name: str) -> None:
    first, same, other = (world(name, tracks=400, seed=seed) for seed in (3, 3, 4))
    assert first.entries.table.equals(same.entries.table)
    assert first.entries.described.equals(same.entries.described)
    assert first.entries.calendar.coverage.equals(same.entries.calendar.coverage)
    assert not first.entries.table.equals(other.entries.table)
    assert first.entries.timelines.markets == tuple(first.languages)
    assert not first.entries.timelines.debut_censored.mean() > 0.1


def test_samples_of_one_structure_differ_in_tracks_alone() -> None:
    structure = draw_structure("homes", np.random.default_rng(1))
    one, two = (draw_sample(structure, np.random.default_rng(seed), tracks=300) for seed in (1, 2))
    assert one.structure is two.structure
    assert not one.entries.table.equals(two.entries.table)


def test_samples_put_together_share_no_artist() -> None:
    structure = draw_structure("giant-artist", np.random.default_rng(1))
    drawn = draw_sample(structure, np.random.default_rng(2), tracks=600, samples=3)
    parts = drawn.artists.reshape(3, 600)
    assert (parts[1:].min(axis=1) > parts[:-1].max(axis=1)).all()
    most = [np.bincount(part).max() for part in parts]
    assert all(150 < tracks < 250 for tracks in most)
    assert len(drawn.entries.described) == 1_800


def test_pairs_say_what_languages_say() -> None:
    drawn = world("taste-language", tracks=300, seed=2)
    assert len(drawn.pairs) == 132
    for row in drawn.pairs.itertuples():
        assert row.language_overlap == (drawn.languages[row.source] == drawn.languages[row.target])
    assert drawn.pairs["common_language"].sum() == 4 * 3 + 3 * 2 + 2
    assert sorted(pd.Series(drawn.languages).value_counts()) == [1, 1, 1, 2, 3, 4]


def test_markets_can_be_alike() -> None:
    assert np.ptp(world("sizes", tracks=300, alike=True).structure.share) == pytest.approx(0)
    assert WORLDS["homes"].exchangeable
    assert not any(WORLDS[name].exchangeable for name in ("shapes", "christmas", "late-launch", "gaps", "taste-across"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: world("nowhere"), "unknown world 'nowhere'; known are flat"),
        (lambda: world("flat", markets=3), "3 markets and 393 days are too few"),
        (lambda: world("flat", days=100), "12 markets and 100 days are too few"),
    ],
)
def test_what_cannot_be_drawn_is_said(call: Callable[[], ProcessWorld], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        call()

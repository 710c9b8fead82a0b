"""Seasons: the counts against slow twins, the tests against worlds without seasons and with seasons of known size."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy import stats

from diffusion import Calendar, DataSaysNoError, Entries, open_charts
from pipelines import open_study
from pipelines.eda.seasons import season_tables
from pipelines.eda.seasons.cycles import Pattern, months_pattern
from pipelines.eda.seasons.holidays import HolidayDays, compared, ratios
from pipelines.eda.seasons.market_days import MarketDays, Observed, common_level, entry_days, exposed_by_age
from pipelines.eda.seasons.releases import debut_outcomes, means, release_outcomes
from pipelines.eda.seasons.weekdays import DatedTracks, weekdays_pattern
from tests import process_worlds, seasonal_worlds
from tests.conftest import WriteCsv, steady
from tests.seasonal_worlds import SILENT, World

Array = NDArray[np.float64]

LEVEL = 0.08
"""Rate of false findings that is allowed for at the level .05: with four years that depend on themselves it is up to so
much."""

WINDOW = 60


def most(trials: int) -> int:
    """Return how many findings among so many silent worlds are possible at the allowed rate."""
    return int(stats.binom.ppf(0.999, trials, LEVEL))


@pytest.fixture(scope="module")
def damaged() -> Entries:
    process = process_worlds.Process(popularity=True, homes=True, damaged=True)
    entries = process_worlds.draw(process, tracks=150, seed=3, days=260, markets=4).entries
    coverage = entries.calendar.to_pandas()
    number = np.arange(len(coverage))
    coverage = coverage.assign(stale=number % 11 == 0, depth=np.where(number % 2, 200, 10))
    calendar = Calendar(pa.Table.from_pandas(coverage, preserve_index=False))
    withheld = pa.table({"track_id": ["t0000003", "t0000004", "none"], "market": [*process_worlds.MARKETS[:2], "SE"]})
    return replace(entries, withheld=withheld, calendar=calendar)


def dated(entries: Entries) -> set[tuple[str, int]]:
    """Return market and day of the charts on which an entry can be dated, chart by chart."""
    coverage = entries.calendar.to_pandas()
    begins = coverage.groupby(["market", "span"])["date"].transform("min")
    found = set()
    repeats = coverage[coverage["stale"] & (coverage["depth"] >= 20)]
    stale = set(zip(repeats["market"], repeats["date"], strict=True))
    for row, begin in zip(coverage.itertuples(), begins, strict=True):
        late = (row.date - begin).days >= entries.rules.washout
        if pd.isna(row.previous) or {(row.market, row.date), (row.market, row.previous)} & stale or not late:
            continue
        if (row.date - row.previous).days == entries.calendar.cadence:
            found.add((row.market, (row.date - pd.Timestamp("1970-01-01")).days))
    return found


def cells(table: Array, observed: Observed, markets: tuple[str, ...]) -> dict[tuple[str, int], float]:
    """Return market and day → value of the cells that are not 0."""
    return {
        (markets[column], int(row) + observed.first): table[row, column]
        for row, column in zip(*np.nonzero(table), strict=True)
    }


def test_entries_and_tracks_at_risk_are_those_of_slow_twins(damaged: Entries) -> None:
    lines, can = damaged.timelines, dated(damaged)
    observed = Observed.of(damaged.calendar, lines)
    table = [(lines.track[k], lines.markets[lines.market[k]], int(lines.day[k]), lines.left_censored[k])
             for k in range(len(lines.day))]  # fmt: skip
    timed = Counter((market, day) for _, market, day, censored in table if not censored and (market, day) in can)
    days = entry_days(lines, observed)
    assert cells(days.count, observed, lines.markets) == timed
    assert set(cells(days.exposure, observed, lines.markets)) == can
    entered = {(track, market): (day, censored) for track, market, day, censored in table}
    withheld = {(row["track_id"], row["market"]) for row in damaged.withheld.to_pylist()}
    ages = list(exposed_by_age(damaged, observed, WINDOW))
    assert len(ages) == WINDOW
    for age, (at_risk, crossed) in enumerate(ages, start=1):
        exposed: Counter[tuple[str, int]] = Counter()
        crossing: Counter[tuple[str, int]] = Counter()
        for track, debut in enumerate(lines.debut.tolist()):
            for market in lines.markets if not lines.debut_censored[track] else ():
                entry, censored = entered.get((track, market), (None, False))
                free = entry is not None or (lines.track_ids[track], market) not in withheld
                if (market, debut + age) not in can or not free or (entry is not None and entry < debut + age):
                    continue
                exposed[market, debut + age] += 1
                crossing[market, debut + age] += entry == debut + age and not censored
        assert cells(at_risk, observed, lines.markets) == exposed
        assert cells(crossed, observed, lines.markets) == +crossing


def test_matched_days_are_those_of_a_slow_twin() -> None:
    rng = np.random.default_rng(5)
    exposure = (rng.random((120, 2)) < 0.9).astype(float)
    days = MarketDays(17_000, rng.poisson(5, (120, 2)) * exposure, exposure)
    market, row = np.array([0, 0, 1, 1]), np.array([40, 48, 60, 118])
    holidays = HolidayDays.of(market, row + days.first, days, 1)
    seen, expected = compared(days, holidays)
    near = {(own, day + by) for own, day in zip(market, row, strict=True) for by in range(-3, 4)}
    usable = {(m, d) for m in (0, 1) for d in range(120) if exposure[d, m] and (m, d) not in near}
    for place, (own, day) in enumerate(zip(market, row, strict=True)):
        for column, by in enumerate(range(-7, 8)):
            pairs = [(day + by - 7 * k, day + by + 7 * k) for k in range(1, 5)]
            held = [d for pair in pairs if {(own, pair[0]), (own, pair[1])} <= usable for d in pair]
            there = day + by < 120 and exposure[day + by, own] > 0 and held
            assert seen[place, column] == (days.count[day + by, own] if there else 0)
            due = np.mean([days.count[d, own] for d in held]) if there else 0.0
            assert expected[place, column] == pytest.approx(due, abs=1e-12)


def test_on_weekly_charts_a_holiday_belongs_to_the_chart_that_has_its_days() -> None:
    exposure = np.zeros((100, 1))
    exposure[6::7] = 1.0
    days = MarketDays(17_000, exposure * 10, exposure)
    holidays = HolidayDays.of(np.zeros(3, int), np.array([17_000 + 42, 17_000 + 48, 17_000 + 49]), days, 7)
    assert holidays.row.tolist() == [48, 48, 55]
    assert np.flatnonzero(holidays.near[:, 0]).tolist() == [48, 55]
    assert holidays.offsets.tolist() == [-14, -7, 0, 7, 14]


def test_markets_that_begin_late_or_miss_months_do_not_change_the_level() -> None:
    level, size = np.linspace(1, 3, 40), np.array([1.0, 50.0, 7.0])
    exposure = np.ones((40, 3))
    exposure[:25, 1] = exposure[10:20, 2] = 0
    found = common_level(level[:, None] * size * exposure, exposure)
    assert found == pytest.approx(level / level.mean(), rel=1e-6)
    with pytest.raises(DataSaysNoError, match="nothing happens"):
        common_level(np.zeros((3, 2)), np.ones((3, 2)))


def by_months(value: Array, *, ratio: bool = True, seed: int = 0) -> Pattern:
    return months_pattern(value, 0, ratio=ratio, generator=np.random.default_rng(seed))


def disturbed(rng: np.random.Generator, number: int, keeps: float) -> Array:
    noise = rng.normal(size=number)
    for place in range(1, number):
        noise[place] += keeps * noise[place - 1]
    return noise


def test_a_trend_is_no_season_and_a_season_is_its_own_size() -> None:
    rng = np.random.default_rng(0)
    months, wave = np.arange(72), np.tile(np.r_[np.zeros(11), 0.6] - 0.05, 6)
    growing = by_months(np.exp(0.03 * months) * np.exp(rng.normal(0, 0.01, 72)))
    assert np.abs(growing.effect).max() < 0.02
    both = by_months(10 + 0.2 * months + wave + rng.normal(0, 0.02, 72), ratio=False)
    assert both.effect == pytest.approx(wave[:12], abs=0.05)
    assert (both.p <= 0.005, both.repeats) == (True, 5)
    assert np.abs(both.effect - wave[:12] <= both.reach).all()
    _, low, high = both.behind_best()
    assert np.flatnonzero(high > 0).tolist() == [11]
    assert low[11] == 0


@pytest.mark.parametrize(("months", "repeats"), [(12, 0), (20, 0), (35, 1), (36, 2), (47, 2), (48, 3)])
def test_a_season_is_tested_from_four_years_on(months: int, repeats: int) -> None:
    pattern = by_months(1 + 0.1 * np.random.default_rng(1).random(months))
    assert pattern.repeats == repeats
    assert pattern.tested == (repeats >= 3) == (not np.isnan(pattern.p))
    assert np.isnan(pattern.reach).all() == (repeats < 3)


def test_missing_months_are_bridged_for_the_level_but_have_no_effect_of_their_own() -> None:
    value = np.tile(np.r_[np.ones(6), 3 * np.ones(6)], 6)
    value[[14, 15, 40]] = np.nan
    pattern = by_months(value, ratio=False)
    assert pattern.repeats == 57 // 12
    assert pattern.effect == pytest.approx(np.r_[-np.ones(6), np.ones(6)], abs=0.05)
    value[14:18] = np.nan
    assert by_months(value, ratio=False).repeats == (60 - 4 - 1 - 15) // 12


def weeks(value: Array, weight: Array | None = None, *, ratio: bool = True, seed: int = 0) -> Pattern:
    # the 5th of January 1970 was a Monday
    known = np.ones(len(value)) if weight is None else weight
    return weekdays_pattern(value, known, 4, ratio=ratio, generator=np.random.default_rng(seed))


def test_weekdays_start_on_monday_and_weigh_what_they_are_told() -> None:
    rng = np.random.default_rng(2)
    value = np.tile([1.0, 1, 1, 1, 3, 1, 1], 30) * np.exp(rng.normal(0, 0.05, 210) + np.repeat(rng.normal(size=30), 7))
    friday = weeks(value)
    assert int(friday.effect.argmax()) == 4
    assert (friday.p, friday.repeats) == (1 / 2000, 30)
    later = weekdays_pattern(value[3:], np.ones(207), 7, ratio=True, generator=np.random.default_rng(0))
    assert later.effect == pytest.approx(friday.effect, abs=0.01)
    weight = np.tile([5.0, 1, 0, 1, 80, 1, 1], 30)
    few = weeks(rng.normal(size=210) / np.sqrt(np.maximum(weight, 1)), weight, ratio=False)
    assert np.isnan(few.effect[2])
    assert few.error[4] < few.error[[1, 3, 5, 6]].min()
    assert not weeks(value[:63]).tested


@pytest.mark.slow
def test_months_that_depend_on_each_other_and_weeks_that_do_are_silent_at_their_rate() -> None:
    rng = np.random.default_rng(3)
    trials = 120
    months = [by_months(np.exp(0.02 * np.arange(60) + 0.2 * disturbed(rng, 60, 0.7)), seed=k).p for k in range(trials)]
    assert sum(p <= 0.05 for p in months) <= most(trials)
    uneven = np.tile([1.0, 1, 2, 1, 40, 5, 1], 30)
    days = [weeks(disturbed(rng, 210, 0.9) / np.sqrt(uneven), uneven, ratio=False, seed=k).p for k in range(trials)]
    assert sum(p <= 0.05 for p in days) <= most(trials)


def test_one_date_that_all_markets_share_counts_once() -> None:
    rng = np.random.default_rng(4)
    due = np.ones((600, 1))
    shared = np.repeat(rng.normal(1, 0.3, 12), 50)[:, None]
    together = ratios(shared, due, np.repeat(np.arange(12), 50), rng)
    apart = ratios(shared, due, np.arange(600), rng)
    assert (together.blocks, apart.blocks) == (pytest.approx(12), pytest.approx(600))
    assert together.pattern.reach[0] > 4 * apart.pattern.reach[0]
    one = ratios(shared, np.where(np.arange(600)[:, None] < 50, 1.0, 0.01), np.repeat(np.arange(12), 50), rng)
    assert not one.pattern.tested


def test_releases_known_to_the_year_or_long_ago_tell_no_window() -> None:
    drawn = seasonal_worlds.draw(World(years=1, tracks=300), 1)
    described = drawn.entries.described.to_pandas()
    whole = release_outcomes(drawn.entries, WINDOW)
    assert (whole.week_day == whole.month_day).all()
    precision = np.where(np.arange(300) % 3 == 0, "year", np.where(np.arange(300) % 3 == 1, "month", "day"))
    first = pd.to_datetime(described["release_date"]).dt.to_period("M").dt.to_timestamp()
    dates = np.where(precision == "month", first.dt.date, described["release_date"])
    told = described.assign(release_precision=precision, release_date=dates)
    entries = replace(drawn.entries, described=pa.Table.from_pandas(told, preserve_index=False))
    found = release_outcomes(entries, WINDOW)
    assert len(found.month_day) < len(whole.month_day)
    assert 0 < (found.week_day >= 0).sum() < len(found.week_day)
    old = told.assign(release_date=told["release_date"] - pd.Timedelta(days=400))
    with pytest.raises(DataSaysNoError, match="no track debuted within 28 days"):
        release_outcomes(replace(entries, described=pa.Table.from_pandas(old, preserve_index=False)), WINDOW)


def tables(world: World, seed: int) -> dict[str, pd.DataFrame]:
    """Return the tables of a world."""
    drawn = seasonal_worlds.draw(world, seed)
    window = WINDOW if world.cadence == 1 else 56
    gaps: dict[str, str] = {}
    return season_tables(
        drawn.entries, streams=drawn.streams, holidays=drawn.holidays, window=window, seed=seed, not_made=gaps
    )


def looked_at(world: World, worlds: int) -> pd.DataFrame:
    """Return p and q of every test of so many worlds."""
    parts = []
    for seed in range(worlds):
        found = tables(world, seed)
        weeks = found["holiday_weeks"].query("market == 'all'").assign(cycle="holiday")
        parts.append(pd.concat([found["seasons"], weeks]).assign(seed=seed))
    return pd.concat(parts)


def test_a_year_of_charts_is_described_and_nothing_is_tested_on_months() -> None:
    found = tables(World(years=1, tracks=600, markets=3), 0)
    months = found["seasons"].query("cycle == 'month'")
    assert months[["p", "q", "detectable"]].isna().all(axis=None)
    assert not months["found"].any()
    effects = found["season_effects"].query("cycle == 'month' and measure == 'entries'")
    assert (effects["level"] > 0).all()
    assert effects[["low", "high", "behind"]].isna().all(axis=None)


@pytest.mark.slow
@pytest.mark.parametrize("name", SILENT)
def test_worlds_without_seasons_are_silent(name: str) -> None:
    worlds = 40
    found = looked_at(SILENT[name], worlds)
    true = (found["cycle"] == "weekday") & (found["measure"].isin(["entries"])) & (SILENT[name].fridays > 0)
    for (cycle, measure), own in found[~true].groupby(["cycle", "measure"]):
        assert (own["p"] <= 0.05).sum() <= most(worlds), (cycle, measure)
    any_season = found[found["cycle"] != "weekday"].groupby("seed")["q"].min() <= 0.05
    assert any_season.sum() <= most(worlds)


PLANTED: dict[str, tuple[World, dict[str, Any]]] = {
    "december": (World(december=1.6, growth=0.2, surges=0.1), {"cycle": "month", "measure": "streams"}),
    "releases": (World(december=1.6, growth=0.2, surges=0.1), {"cycle": "month", "measure": "entries"}),
    "fridays": (World(fridays=0.5), {"cycle": "weekday", "measure": "entries"}),
    "sundays": (World(sundays=0.97, surges=0.1), {"cycle": "weekday", "measure": "streams"}),
    "july": (World(july=2.2, tracks=8_000), {"cycle": "month", "measure": "release_travelled"}),
    "feasts": (World(feasts=1.8), {"cycle": "holiday", "measure": "entries"}),
}
"""A world with a season, and the test that should find it."""


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_seasons_of_known_size_are_found(name: str) -> None:
    world, test = PLANTED[name]
    found = looked_at(world, 20)
    own = found[(found["cycle"] == test["cycle"]) & (found["measure"] == test["measure"])]
    assert (own["q"] <= 0.05).sum() >= 16


@pytest.mark.slow
def test_the_detectable_size_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(6)
    spike = np.tile(np.r_[np.zeros(11), 1.0], 5)
    sizes = [by_months(1 + 0.1 * disturbed(rng, 60, 0.3), ratio=False, seed=k).detectable for k in range(100)]
    size = float(np.median(sizes))
    trials = [
        by_months(1 + size * spike + 0.1 * disturbed(rng, 60, 0.3), ratio=False, seed=k).p <= 0.05 for k in range(200)
    ]
    assert 0.7 <= np.mean(trials) <= 0.95


@pytest.mark.slow
def test_without_the_package_of_holidays_and_for_a_cohort_the_rest_is_made(
    shell: Callable[..., tuple[int, str, str]], write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    charts = write_csv(steady(120, {"Sweden": {"a": 40, "b": 55}, "Norway": {"a": 47, "c": 60}}))
    code, said, _ = shell("eda", charts, "--out", tmp_path / "made", "--artist", "Artist")
    assert code == 0
    assert "not made  holiday_weeks: public holidays need the package 'holidays'" in said
    assert "not made  season_effects of streams: the streams of whole charts are not those of a cohort" in said
    assert "Months cannot be told apart: these charts have 0 years of months" in said
    made = set(open_study(tmp_path / "made").tables["table"])
    assert {"seasons", "season_effects"} <= made
    assert not made & {"holiday_weeks", "holiday_days"}


@pytest.mark.slow
def test_fridays_of_the_united_states_are_found_and_its_months_are_not(real_data: Path) -> None:
    with open_charts(real_data / "top200-daily-us-2017-2022") as charts:
        found = season_tables(
            charts.entries(), streams=charts.arrow("chart_sums"), holidays=None, window=WINDOW, seed=0, not_made={}
        )
    weekday = found["season_effects"].query("cycle == 'weekday'").set_index(["measure", "name"])
    assert weekday.loc[("entries", "Fri"), "low"] > 3
    assert weekday.loc[("streams", "Fri"), "low"] > 0.09
    assert weekday.loc[("streams", "Sun"), "high"] < -0.06
    assert not found["seasons"].query("cycle == 'month'")["found"].any()


@pytest.mark.slow
@pytest.mark.parametrize("keeps", [0.0, 0.7])
def test_intervals_hold_together_and_the_best_month_is_never_shown_to_be_behind(keeps: float) -> None:
    rng, trials = np.random.default_rng(7), 200
    wave = np.r_[np.zeros(10), 0.4, 0.4]
    true, held, best = wave - wave.mean(), 0, 0
    for seed in range(trials):
        found = by_months(1 + np.tile(wave, 5) + 0.1 * disturbed(rng, 60, keeps), ratio=False, seed=seed)
        held += bool((np.abs(found.effect - true) <= found.reach).all())
        _, low, high = found.behind_best()
        ahead = true - np.array([np.delete(true, place).max() for place in range(12)])
        best += bool(((low <= ahead + 1e-12) & (ahead <= high + 1e-12)).all())
    assert min(held, best) >= trials - most(trials)


def test_the_weekday_of_a_debut_is_not_known_after_a_missing_chart(write_csv: WriteCsv) -> None:
    rows = steady(90, {"Sweden": {"a": 40, "b": 45}, "Norway": {"c": 40}})
    days = sorted({row["date"] for row in rows})
    kept = [row for row in rows if (row["region"], row["date"]) != ("Sweden", days[39])]
    with open_charts(write_csv(kept)) as charts:
        entries = charts.entries()
    found = debut_outcomes(entries, Observed.of(entries.calendar, entries.timelines), 20)
    known = dict(zip(found.month_day.tolist(), (found.week_day >= 0).tolist(), strict=True))
    first = int(np.datetime64(days[0], "D").astype(int))
    # a and c debut on one day, Sweden's chart of the day before is missing
    assert [known[first + day] for day in (45,)] == [True]
    assert sorted((found.week_day[found.month_day == first + 40] >= 0).tolist()) == [False, True]


def habits(seed: int, lift: float) -> Pattern:
    """Return the weekdays of tracks of artists who keep to a day and differ; on Fridays more of all by `lift`."""
    rng = np.random.default_rng(seed)
    weeks, many = 40, 120
    artist = np.repeat(np.arange(many), rng.geometric(0.15, many))
    usual, own = rng.beta(0.6, 1.4, many), rng.choice(7, many, p=[0.1, 0.1, 0.1, 0.1, 0.4, 0.1, 0.1])
    day = 7 * rng.integers(0, weeks, len(artist)) + own[artist]
    value = (rng.random(len(artist)) < np.minimum(usual[artist] + lift * (own[artist] == 4), 1)).astype(float)
    first, mean, tracks = means(value, day)
    dated_tracks = DatedTracks(value, day, artist)
    return weekdays_pattern(mean, tracks, first, ratio=False, generator=rng, tracks=dated_tracks)


def test_artists_who_keep_to_a_day_make_no_weekday() -> None:
    assert sum(habits(seed, 0).p <= 0.05 for seed in range(60)) <= most(60)


def test_a_weekday_that_is_better_for_all_artists_is_found() -> None:
    assert sum(habits(seed, 0.5).p <= 0.05 for seed in range(20)) >= 14


def test_single_days_that_stand_out_make_no_weekday() -> None:
    def drops(seed: int) -> Pattern:
        rng = np.random.default_rng(seed)
        value = rng.poisson(10, 140) + np.where(rng.random(140) < 0.07, rng.integers(20, 100, 140), 0)
        return weekdays_pattern(value.astype(float), np.ones(140), 17_000, ratio=True, generator=rng)

    assert sum(drops(seed).p <= 0.05 for seed in range(60)) <= most(60)


@pytest.mark.parametrize("days", [98, 399, 400])
def test_a_weekday_that_stands_out_every_week_is_found(days: int) -> None:
    rng = np.random.default_rng(days)
    value = rng.poisson(20 * np.where(np.arange(days) % 7 == 3, 1.6, 1)).astype(float)
    found = weekdays_pattern(value, np.ones(days), 17_000, ratio=True, generator=rng)
    assert found.p <= 0.01 and np.nanargmax(found.effect) == (17_000 + 3 + 3) % 7

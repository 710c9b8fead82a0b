"""Published claims: verdicts, each claim silent in worlds without it and found where it was planted, and the step."""

from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from diffusion import DataSaysNoError
from diffusion.compared_charts import track_artists
from diffusion.timelines import Timelines
from figures import chart_years, published_claims
from graphs.cocharting import CoCharted, jaccard, nearest_tree
from graphs.contracts import LEADERS
from graphs.distance import Distances
from pipelines import open_study
from pipelines.commands.main import cli
from pipelines.eda.published.claim import Claim, Estimate, answered, verdict
from pipelines.eda.published.culture import culture_lowers, periphery_follows
from pipelines.eda.published.europe import Europe
from pipelines.eda.published.fixed_markets import fixed_markets
from pipelines.eda.published.likeness import explained
from pipelines.eda.published.over_years import MEASURES, changed, yearly_measures
from pipelines.eda.published.trends import yearly_levels, yearly_trend
from pipelines.eda.published.trendsetters import no_trendsetters
from pipelines.eda.published.triggers import Begun, breakouts, trigger_markets, trigger_table
from pipelines.eda.published.weekly import weekly_series, weekly_table
from tests.process_worlds import SILENT, Process, draw
from tests.weekly_worlds import FIRST_DAY, Weekly, counted, weekly_charts

CLAIM = Claim("name", "It is so", "Somebody 2020", "share", "nothing", "It was another world.")

RATE = 0.05
"""Share of false claims at the stated level."""


def within(hits: int, tries: int, rate: float = RATE) -> bool:
    """Return whether so many false claims are what a rate gives (but for one time in a thousand)."""
    return bool(stats.binom.sf(hits - 1, tries, rate) > 0.001)


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("low", "high", "more", "q", "said"),
    [
        (0.03, 0.09, True, 0.01, "holds"),
        (0.03, 0.09, True, 0.06, "cannot be told here"),
        (-0.01, 0.09, True, 0.01, "cannot be told here"),
        (-0.01, 0.01, True, 0.9, "does not hold"),
        (-0.09, -0.03, True, 0.01, "does not hold"),
        (-0.09, -0.03, False, 0.01, "holds"),
        (0.03, 0.09, False, 0.01, "does not hold"),
        (-0.01, 0.09, False, 0.4, "does not hold"),
        (-0.09, 0.03, False, 0.4, "cannot be told here"),
    ],
)
def test_a_verdict_needs_the_whole_interval(low: float, high: float, more: bool, q: float, said: str) -> None:
    found = Estimate("", (low + high) / 2, low, high, 0.01, 5, "weeks", matters=0.02 if more else -0.02, more=more)
    assert verdict(found, q) == said


def test_claims_without_data_say_why_and_are_not_counted_as_tests() -> None:
    def nothing() -> Estimate:
        raise DataSaysNoError("there is one market")

    one = Estimate("It is.", 1.0, 0.5, 1.5, 0.03, 9, "weeks")
    table = answered([(CLAIM, lambda: one), (replace(CLAIM, name="other"), nothing)])
    assert table["verdict"].tolist() == ["holds", "cannot be told here"]
    assert table["said"].tolist() == ["It is.", "There is one market."]
    assert table["q"].iloc[0] == 0.03
    assert table.loc[1, ["estimate", "low", "p", "q", "number"]].isna().all()


# ── trends ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def remembering(rng: np.random.Generator, memory: float, weeks: int) -> np.ndarray:
    values = np.empty(weeks)
    now = rng.normal() / np.sqrt(1 - memory**2)
    for week in range(weeks):
        now = memory * now + rng.normal()
        values[week] = now
    return values


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_trends_are_not_found_in_series_that_remember(memory: float) -> None:
    rng, day = np.random.default_rng(1), 7.0 * np.arange(160)
    hits = sum(yearly_trend(day, remembering(rng, memory, 160)).p <= RATE for _ in range(200))
    assert within(hits, 200)


@pytest.mark.slow
@pytest.mark.parametrize(("memory", "weeks", "most"), [(0.8, 105, 0.06), (0.9, 156, 0.07), (0.95, 261, 0.08)])
def test_trends_keep_their_rate(memory: float, weeks: int, most: float) -> None:
    rng, day = np.random.default_rng(2), 7.0 * np.arange(weeks)
    hits = sum(yearly_trend(day, remembering(rng, memory, weeks)).p <= RATE for _ in range(2_000))
    assert within(hits, 2_000, most)


def test_a_trend_is_found_beside_a_season_and_gaps() -> None:
    rng, day = np.random.default_rng(3), 7.0 * np.arange(160)
    value = 0.5 * day / 365.25 + np.cos(2 * np.pi * day / 365.25) + 0.2 * remembering(rng, 0.5, 160)
    value[rng.random(160) < 0.1] = np.nan
    trend = yearly_trend(day, value)
    assert trend.p < 0.01
    assert abs(trend.change - 0.5) < trend.reach
    assert trend.detectable < 0.5
    with pytest.raises(DataSaysNoError, match="the series spans 721 days; a trend beside the season needs 728"):
        yearly_trend(day[:104], value[:104])


def test_years_have_the_means_of_their_weeks() -> None:
    day = FIRST_DAY + 7.0 * np.arange(70)
    value = np.where(day < FIRST_DAY + 365, 1.0, 3.0)
    levels = yearly_levels(day, value, None)
    assert levels[["year", "level"]].values.tolist() == [[2017, 1.0]]
    assert levels["low"].isna().all()


# ── weekly charts ────────────────────────────────────────────────────────────────────────────────────────────────────


def rows(*charts: tuple[int, str, list[str]]) -> tuple[pa.Table, pa.Table]:
    """Return rows and artists of charts: week, market and tracks in order, whose first letter is the artist."""
    names = sorted({name for _, _, held in charts for name in held})
    table = [
        (market, FIRST_DAY + 7 * week, names.index(name), place + 1)
        for week, market, held in charts
        for place, name in enumerate(held)
    ]
    market, day, track, rank = zip(*table, strict=True)
    columns = {
        "market": pa.array(market),
        "date": pa.array(day, pa.int32()).cast(pa.date32()),
        "track": pa.array(track, pa.int32()),
        "rank": pa.array(rank, pa.int32()),
    }
    known = {
        "track": pa.array(range(len(names)), pa.int32()),
        "track_id": pa.array(names),
        "artist": pa.array([name[0] for name in names]),
    }
    return pa.table(columns), track_artists(pa.table(known))


def test_weekly_numbers_by_hand() -> None:
    table, artists = rows(
        (0, "SE", ["a1", "b1", "c1"]),
        (0, "NO", ["b1", "d1", "e1"]),
        (1, "SE", ["b1", "a1", "f1"]),
        (1, "NO", ["b1", "a1", "f1"]),
    )
    found = weekly_table(counted(table, artists, ["NO", "SE"])).set_index(["market", "date"])
    first, second = sorted({day for _, day in found.index})
    assert found.loc[("SE", first), "overlap"] == pytest.approx(1 / 5)
    assert found.loc[("SE", second), "overlap"] == pytest.approx(1.0)
    assert found.loc[("SE", second), ["stayed", "moved"]].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert found.loc[("NO", second), ["stayed", "moved"]].tolist() == pytest.approx([1 / 3, 0.0])
    assert found.loc[("SE", first), ["stayed", "moved", "local"]].isna().all()


def test_local_artists_have_half_of_their_recent_places_in_the_market() -> None:
    charts = [
        (week, market, held) for week in range(13) for market, held in (("SE", ["a1", "b1"]), ("NO", ["c1", "b1"]))
    ]
    table, artists = rows(*charts, (13, "SE", ["a1", "c1"]), (13, "NO", ["a2", "c1"]))
    found = weekly_table(counted(table, artists, ["NO", "SE"]))
    wide = found.pivot_table("local", "date", "market", dropna=False)
    assert wide.iloc[:12].isna().all(axis=None)
    # b has half of its places in either market; in the last week a and c are still of the market of the twelve before
    assert wide.iloc[12:].to_numpy().tolist() == [[1.0, 1.0], [0.5, 0.5]]


def test_a_market_that_is_missing_changes_no_series() -> None:
    world = Weekly(spread=0.0)
    whole = weekly_table(weekly_charts(world, 5, weeks=60))
    low = whole.groupby("market")["overlap"].mean().idxmin()
    gone = (whole["market"] == low) & (whole["date"] > whole["date"].median())
    bare = whole[~gone].groupby("date")["overlap"].mean()
    _, series = weekly_series(whole[~gone], "overlap")
    late = np.arange(60) > 30
    expected = whole.groupby("date")["overlap"].mean().to_numpy()
    assert abs(series - expected)[late].mean() < abs(bare.to_numpy() - expected)[late].mean() + 1e-12
    assert abs(series - expected).max() < 0.02


def false_claims(world: Weekly, tries: int, **sizes: float) -> dict[str, int]:
    """Return measure → number of worlds in which it changes at p ≤ .05."""
    found = dict.fromkeys(MEASURES, 0)
    for seed in range(tries):
        table = weekly_table(weekly_charts(world, seed, **sizes))  # type: ignore[arg-type]
        for name, (day, value) in yearly_measures(table).items():
            found[name] += changed(day, value, markets=8, measure=name).p <= RATE
    return found


def test_charts_that_wander_about_a_level_do_not_change_from_year_to_year() -> None:
    hits = false_claims(Weekly(), 8, weeks=120, markets=5, depth=12)
    assert all(within(count, 8) for count in hits.values()), hits


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [{}, {"missing": 0.1}])
@pytest.mark.parametrize("memory", [0.5, 0.9])
def test_claims_of_years_keep_their_rate(memory: float, sizes: dict[str, float]) -> None:
    hits = false_claims(Weekly(memory=memory), 120, **sizes)
    assert all(within(count, 120, 0.07) for count in hits.values()), hits


def test_what_changes_from_year_to_year_is_found() -> None:
    def found(world: Weekly) -> dict[str, float]:
        series = yearly_measures(weekly_table(weekly_charts(world, 1)))
        return {
            name: np.sign(one.value) * (one.p <= RATE)
            for name, (day, value) in series.items()
            for one in [changed(day, value, markets=8, measure=name)]
        }

    apart = found(Weekly(common_trend=-0.8, spread=0.1))
    assert (apart["overlap"], apart["local"]) == (-1, 1)
    faster = found(Weekly(kept_trend=-0.5, spread=0.1))
    assert faster["stay"] == -1


# ── likeness, Europe ─────────────────────────────────────────────────────────────────────────────────────────────────

EUROPE = ("AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HU", "IE", "IT", "NL", "NO")


def alike(rng: np.random.Generator, likeness: np.ndarray, markets: tuple[str, ...] = EUROPE) -> CoCharted:
    """Return shared tracks of 60 groups of artists: of 300 per market in all, a share by pair."""
    many = len(markets)
    shared = rng.poisson(5 * np.broadcast_to(likeness, (60, many, many)))
    shared = np.tril(shared, -1) + np.tril(shared, -1).transpose(0, 2, 1)
    shared[:, np.arange(many), np.arange(many)] = 12
    return CoCharted(markets, shared, 60 * 12 * many)


def test_nobody_is_a_hub_or_apart_where_all_markets_are_alike() -> None:
    hits, tries = dict.fromkeys(("degree", "betweenness", "alike", "apart"), 0), 24
    for seed in range(tries):
        found = Europe.among(alike(np.random.default_rng(seed), np.array(0.4)), replicates=40, seed=seed)
        for place in hits:
            hits[place] += verdict(one := found.estimate("GB", place, ""), one.p) == "holds"
    assert all(within(count, tries) for count in hits.values()), hits


def test_hubs_bridges_and_outsiders_are_found() -> None:
    many = len(EUROPE)
    likeness = np.full((many, many), 0.3)
    gb, nl, it = (EUROPE.index(code) for code in ("GB", "NL", "IT"))
    likeness[gb, :nl] = likeness[:nl, gb] = 1.2
    likeness[it] = likeness[:, it] = 0.05
    likeness[gb, nl] = likeness[nl, gb] = 1.6
    likeness[nl, nl + 1] = likeness[nl + 1, nl] = 1.6
    found = Europe.among(alike(np.random.default_rng(1), likeness), replicates=100, seed=1)
    for market, place in (
        ("GB", "degree"),
        ("GB", "betweenness"),
        ("NL", "betweenness"),
        ("GB", "alike"),
        ("IT", "apart"),
    ):
        one = found.estimate(market, place, "")
        assert verdict(one, one.p) == "holds", (market, one.said)
    one = found.estimate("ES", "apart", "")
    assert verdict(one, one.p) != "holds"
    with pytest.raises(DataSaysNoError, match="Sweden is not among the markets"):
        found.estimate("SE", "apart", "")


def test_trees_are_those_of_networkx() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        similarity = rng.random((12, 12))
        similarity = (similarity + similarity.T) / 2
        np.fill_diagonal(similarity, np.nan)
        distance = nx.from_numpy_array(np.where(np.eye(12) > 0, 0, 1 - np.nan_to_num(similarity)))
        tree = nx.minimum_spanning_tree(distance)
        found = nearest_tree(similarity)
        assert found.degree.tolist() == [tree.degree[node] for node in range(12)]
        between = nx.betweenness_centrality(tree, normalized=False)
        assert found.betweenness.tolist() == [between[node] for node in range(12)]


def test_likeness_is_the_share_of_tracks_of_both() -> None:
    lines = draw(Process(homes=True), tracks=400, seed=1).entries.timelines
    found = CoCharted.of(lines, ["AR", "AD", "BE"])
    own = {code: set(lines.track[lines.market == lines.markets.index(code)].tolist()) for code in found.markets}
    expected = [[len(own[a] & own[b]) / len(own[a] | own[b]) for b in own] for a in own]
    off = ~np.eye(3, dtype=bool)
    assert found.similarity[off] == pytest.approx(np.array(expected)[off])
    assert found.tracks == len(set.union(*own.values()))
    assert 0 < found.replicates(50)[:, off].std(axis=0).max() < 0.1
    assert jaccard(np.zeros((1, 2, 2), int))[0, 0, 1] == 0


def test_language_and_nearness_are_found_where_they_are_and_not_elsewhere() -> None:
    rng = np.random.default_rng(4)
    distances = Distances.of(EUROPE)
    spoken = np.nan_to_num(distances.matrix("common_language"))
    far = np.nan_to_num(distances.matrix("log_km")) - 7
    table = explained(alike(rng, np.clip(0.5 + 0.3 * spoken - 0.1 * far, 0.05, 2)), seed=0).set_index("term")
    assert (table.loc[["common_language", "log_km"], "low"] > 0).all()
    assert (table.loc[["common_language", "log_km"], "p"] <= RATE).all()
    tries, hits = 8, 0
    for seed in range(tries):
        nothing = explained(alike(np.random.default_rng(seed), np.array(0.4)), seed=seed).set_index("term")
        hits += int((nothing.loc[["common_language", "log_km"], "p"] <= RATE).sum())
    assert within(hits, 2 * tries)


# ── leaders, culture ─────────────────────────────────────────────────────────────────────────────────────────────────


def leads(score: np.ndarray, error: float) -> pd.DataFrame:
    """Return a table of leaders with these scores."""
    p = 2 * stats.t.sf(np.abs(score) / error, 49)
    reach = stats.t.ppf(0.975, 49) * error
    table = pd.DataFrame(
        {"market": EUROPE[: len(score)], "measure": "lead_excess", "score": score, "p": p, "q": np.minimum(p * 5, 1)}
    )
    return table.assign(low=score - reach, high=score + reach, artists=50.0).reindex(columns=LEADERS.names)


def test_nobody_leads_is_a_claim_that_needs_power() -> None:
    nothing = np.linspace(-0.001, 0.001, 12)
    assert no_trendsetters(leads(nothing, 0.01)).verdict == "holds"
    assert no_trendsetters(leads(nothing, 0.1)).verdict == "cannot be told here"
    led = nothing.copy()
    led[3] = 0.2
    found = no_trendsetters(leads(led, 0.01))
    assert (found.verdict, found.value) == ("does not hold", 1.0)
    assert "1 of 12 markets leads beyond the baseline, Czech Republic the most: 0.200" in found.said
    led[3] = -0.2
    assert no_trendsetters(leads(led, 0.01)).verdict == "holds"
    with pytest.raises(DataSaysNoError, match="of no market it can be said whether it leads"):
        no_trendsetters(leads(led, 0.01).iloc[:0])


def test_the_centre_leads_only_where_it_does() -> None:
    rng, central, hits = np.random.default_rng(5), np.arange(16.0), 0
    for seed in range(60):
        hits += periphery_follows(leads(rng.normal(size=16), 1.0), list(EUROPE), central, seed=seed).p <= RATE
    assert within(hits, 60)
    found = periphery_follows(leads(central + rng.normal(size=16), 1.0), list(EUROPE), central, seed=0)
    assert found.p < 0.01
    assert found.low > 0
    with pytest.raises(DataSaysNoError, match="9 markets that are there throughout have a tested lead"):
        periphery_follows(leads(rng.normal(size=9), 1.0), list(EUROPE), central, seed=0)


def test_culture_is_read_from_the_gravity_model() -> None:
    row = {"term": "cultural_distance", "estimate": -2.0, "jackknife_low": -3.0, "jackknife_high": -1.0}
    table = pd.DataFrame(
        [row | {"jackknife_error": 0.5, "jackknife_p": 0.001, "n_pairs": 240, "markets": 16, "note": ""}]
    )
    distances = Distances.of(EUROPE)
    spread = np.nanstd(distances.matrix("cultural_distance"))
    found = culture_lowers(table, distances)
    assert [found.value, found.low, found.high] == pytest.approx([-2 * spread, -3 * spread, -spread])
    assert verdict(found, 0.001) == "holds"
    with pytest.raises(DataSaysNoError, match="no interval for the cultural distance: none"):
        culture_lowers(table.assign(jackknife_low=np.nan, note="none"), distances)


# ── trigger markets ──────────────────────────────────────────────────────────────────────────────────────────────────


def begun(rng: np.random.Generator, tracks: int, lift: float) -> Begun:
    """Return tracks that begin in one of ten markets and enter others by popularity, those of the first by a lift."""
    size, markets = np.geomspace(1, 4, 10), 10
    home = rng.choice(markets, tracks, p=size / size.sum())
    popularity = rng.gamma(0.7, 1 / 0.7, tracks) * np.where(home == 0, lift, 1)
    first = np.arange(markets) == home[:, None]
    chance = -np.expm1(-0.8 * popularity[:, None] * size / size.mean() / 4)
    further = (rng.random((tracks, markets)) < chance) & ~first
    return Begun(EUROPE[:markets], first, further, rng.integers(0, 3, tracks), rng.integers(0, tracks // 4, tracks))


def test_no_market_is_a_trigger_where_popularity_alone_makes_breakouts() -> None:
    rng, p = np.random.default_rng(6), []
    for _ in range(12):
        p.extend(trigger_table(begun(rng, 2_000, 1.0))["p"].dropna())
    assert len(p) > 100
    assert within(sum(one <= RATE for one in p), len(p))


def test_a_trigger_is_found_with_its_interval() -> None:
    table = trigger_table(begun(np.random.default_rng(7), 4_000, 2.0))
    assert table["market"].iloc[0] == EUROPE[0]
    assert table["q"].iloc[0] < 0.01
    assert table["low"].iloc[0] > 1
    found = trigger_markets(table)
    assert found.verdict == "holds"
    assert "in Austria the most" in found.said
    assert trigger_markets(table.assign(q=0.5)).verdict in ("does not hold", "cannot be told here")
    with pytest.raises(DataSaysNoError, match="of no market are 5 breakouts expected"):
        trigger_markets(table.assign(q=np.nan))


def test_a_track_with_less_room_is_not_less_of_a_breakout() -> None:
    rng = np.random.default_rng(8)
    tracks = begun(rng, 40_000, 1.0)
    stratum = np.zeros(40_000, int)
    chance, plain = breakouts(tracks, stratum), tracks.further.sum(axis=1) >= tracks.least
    large, small = tracks.first[:, 9], tracks.first[:, 0]
    assert plain[large].mean() < 0.9 * plain[small].mean()
    assert abs(chance[large].mean() - chance[small].mean()) < 0.05 * chance.mean()


@pytest.mark.slow
@pytest.mark.parametrize("world", ["flat", "popularity", "both", "homes", "weekly", "fridays"])
def test_triggers_keep_their_rate_in_worlds_without_influence(world: str) -> None:
    p, claims = [], 0
    for seed in range(20):
        table = trigger_table(Begun.of(draw(SILENT[world], tracks=4_000, seed=seed).entries, 60))
        p.extend(table["p"].dropna())
        claims += bool(((table["q"] <= RATE) & (table["ratio"] > 1)).any())
    assert within(sum(one <= RATE for one in p), len(p), 0.07)
    assert within(claims, 20)


def test_tracks_begin_where_they_debuted() -> None:
    drawn = draw(Process(falling=True, damaged=True), tracks=600, seed=2)
    entries = drawn.entries
    tracks = Begun.of(entries, 60)
    fixed = fixed_markets(entries)
    assert tracks.markets == tuple(fixed)
    assert set(entries.calendar.markets) - set(fixed) == {"AD", "AR", "AT"}
    lines = entries.timelines
    assert (tracks.first & tracks.further).sum() == 0
    assert tracks.first.sum() == _on_day_0(lines, fixed)


def _on_day_0(lines: Timelines, markets: list[str]) -> int:
    last = int(lines.span_last.max())
    return sum(
        lines.markets[lines.market[entry]] in markets
        and lines.day[entry] == lines.debut[lines.track[entry]]
        and not lines.left_censored[entry]
        and not lines.debut_censored[lines.track[entry]]
        and lines.debut[lines.track[entry]] + 60 <= last
        for entry in range(len(lines.day))
    )


# ── figures and the step ─────────────────────────────────────────────────────────────────────────────────────────────


def test_figures_show_claims_without_estimate_and_measures_without_a_year() -> None:
    def nothing() -> Estimate:
        raise DataSaysNoError("there is one market")

    far = Estimate("It is.", 9.0, 8.9, 9.1, 0.001, 9, "weeks")
    count = no_trendsetters(leads(np.linspace(-0.001, 0.001, 12), 0.01))
    answers = [(replace(CLAIM, name=name), lambda one=one: one) for name, one in (("far", far), ("count", count))]
    table = answered([*answers, (CLAIM, nothing)])
    ax = published_claims(table).axes[0]
    assert {"0 of 12 markets", "nothing to test it on"} <= {text.get_text() for text in ax.texts}
    row = {"measure": "stay", "year": 2019, "weeks": 52, "markets": 9, "level": 2.0, "low": np.nan, "high": np.nan}
    panels = chart_years(pd.DataFrame([row])).axes
    assert [len(panel.lines) for panel in panels] == [0, 1, 0, 0]
    for draw_table, empty in ((published_claims, table.iloc[:0]), (chart_years, pd.DataFrame(columns=list(row)))):
        with pytest.raises(DataSaysNoError, match=r"there is no (claim|year) to draw"):
            draw_table(empty)


@pytest.mark.slow
def test_claims_are_not_tested_on_a_cohort(weekly: Path, tmp_path: Path) -> None:
    arguments = ["eda", str(weekly), "--out", str(tmp_path), "--replicates", "20", "--debut", "2017-03-01", ""]
    cli.main(arguments, standalone_mode=False)
    study = open_study(tmp_path)
    assert not study.holds("published")
    assert study.why_not("published").endswith("whole charts, and these are the tracks of a cohort")
    assert study.holds("chart_weeks")

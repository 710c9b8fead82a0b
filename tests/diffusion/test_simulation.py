"""The simulator: entries follow the stated hazards exactly, and no step after them loses or invents one."""

import csv
import hashlib
import io
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

import diffusion
from diffusion.contracts.star import ARTISTS, AVAILABILITY, OBSERVATIONS, QUARANTINE, RECORDINGS, TRACKS
from diffusion.errors import OutputError, SettingError, UnknownMarketError
from diffusion.simulation import (
    FULL,
    Debuts,
    Network,
    Simulation,
    Switches,
    draw_network,
    simulate,
    spread,
)
from diffusion.simulation.csv_layouts import CORE_COLUMNS, RAW_COLUMNS
from diffusion.simulation.damage import OUTCOMES
from diffusion.simulation.network import SPAN, lag_rate, simulated_markets
from diffusion.simulation.study import blocks, draw

SMALL = Simulation(tracks=400, markets=6, days=75, seed=3, density=0.3, depth=40, start=date(2019, 12, 6))
UNLIKELY = 1e-4
"""A p-value that a right program reaches in one seed of ten thousand; seeds are fixed."""

ERRORS = 4.0
"""Standard errors allowed to a mean; seeds are fixed."""


def network(
    alpha: list[list[float]], *, lag: float = 5.0, hazard: float = 0.0, launch: tuple[int, ...] | None = None
) -> Network:
    """Return a small network; `hazard` doubles after 40 days and halves at an age of 10."""
    m = len(alpha)
    return Network(
        markets=simulated_markets(m),
        alpha=np.array(alpha, dtype=float),
        median_lag=np.full((m, m), lag),
        background=np.full((m, 2, 2), hazard) * np.array([1.0, 2.0])[:, None] * np.array([1.0, 0.5]),
        periods=np.array([0, 40]),
        ages=np.array([0, 10]),
        launch=np.array(launch or (0,) * m),
        debut_weight=np.full(m, 1 / m),
    )


def debuts_in(market: int, markets: int, times: np.ndarray) -> Debuts:
    footprint = np.zeros((len(times), markets), dtype=bool)
    footprint[:, market] = True
    return Debuts(times, footprint)


def lag_share(days: np.ndarray, median: float) -> np.ndarray:
    """Return the integral of f from 0 to `days`."""
    theta = lag_rate(np.array([median]))[0]
    return np.expm1(-theta * np.clip(days, 0, SPAN)) / np.expm1(-theta * SPAN)


@pytest.mark.parametrize("alpha", [0.05, 0.8, 3.0])
def test_one_edge_is_followed_as_alpha_and_its_lag_say(alpha: float) -> None:
    n = 100_000
    entered = spread(np.random.default_rng(1), network([[0, alpha], [0, 0]]), debuts_in(0, 2, np.zeros(n)), end=1000.0)
    followed = np.isfinite(entered[:, 1])
    expected = 1 - np.exp(-alpha)
    assert abs(followed.mean() - expected) < ERRORS * np.sqrt(expected * (1 - expected) / n)
    lags = entered[followed, 1]
    assert 0 < lags.min() < lags.max() <= SPAN
    share = -np.expm1(-alpha * lag_share(lags, 5.0)) / expected  # uniform if the first event of the process is right
    assert stats.kstest(share, "uniform").pvalue > UNLIKELY


def test_the_median_lag_of_a_weak_edge_is_the_truth() -> None:
    entered = spread(
        np.random.default_rng(2), network([[0, 0.02], [0, 0]], lag=7.0), debuts_in(0, 2, np.zeros(400_000)), end=1000.0
    )
    lags = entered[np.isfinite(entered[:, 1]), 1]
    assert np.median(lags) == pytest.approx(7.0, abs=ERRORS * 1.25 * lags.std() / np.sqrt(len(lags)) + 0.05)


def test_nothing_but_the_debut_happens_where_nothing_can() -> None:
    entered = spread(np.random.default_rng(1), network([[0.0] * 3] * 3), debuts_in(1, 3, np.arange(50.0)), end=100.0)
    assert (entered[:, 1] == np.arange(50.0)).all()
    assert np.isinf(entered[:, [0, 2]]).all()


def test_background_alone_has_the_stated_hazard() -> None:
    n, end, hazard = 50_000, 90.0, 0.02
    debut = np.random.default_rng(1).uniform(0, 60, n)
    entered = spread(
        np.random.default_rng(2), network([[0, 0], [0, 0]], hazard=hazard), debuts_in(0, 2, debut), end=end
    )[:, 1]
    until = np.minimum(entered, end)
    # by hand: 1 before day 40 and 2 after, halved from an age of 10 days on
    passed = np.zeros(n)
    for low, high, factor in ((0.0, 40.0, 1.0), (40.0, end, 2.0)):
        for young, old, part in ((0.0, 10.0, 1.0), (10.0, np.inf, 0.5)):
            begin = np.maximum(low, debut + young)
            passed += (
                hazard * factor * part * np.clip(np.minimum(np.minimum(high, debut + old), until) - begin, 0, None)
            )
    events = np.isfinite(entered)
    assert abs(events.sum() - passed.sum()) < ERRORS * np.sqrt(passed.sum())
    for level in (0.2, 0.5, 1.0):  # up to any hazard passed, as many entries as risk
        risk = np.minimum(passed, level).sum()
        assert abs((events & (passed <= level)).sum() - risk) < ERRORS * np.sqrt(risk)


def compensators(net: Network, entered: np.ndarray, debuts: Debuts, end: float) -> np.ndarray:
    """Return the hazard each track went through in each market before it entered or the end, by plain integration."""
    n, m = entered.shape
    passed = np.zeros((n, m))
    until = np.minimum(entered, end)
    for b in range(m):
        for period, begin in enumerate(net.periods):
            finish = net.periods[period + 1] if period + 1 < len(net.periods) else np.inf
            for age, young in enumerate(net.ages):
                old = net.ages[age + 1] if age + 1 < len(net.ages) else np.inf
                low = np.maximum(np.maximum(begin, debuts.time + young), net.launch[b])
                high = np.minimum(np.minimum(finish, debuts.time + old), until[:, b])
                passed[:, b] += net.background[b, period, age] * np.clip(high - low, 0, None)
        for a in range(m):
            if net.alpha[a, b] > 0:
                source = np.where(np.isfinite(entered[:, a]), entered[:, a], end)
                low = np.maximum(source, net.launch[b])
                high = np.maximum(low, until[:, b])
                lag = net.median_lag[a, b]
                passed[:, b] += net.alpha[a, b] * (lag_share(high - source, lag) - lag_share(low - source, lag))
    return np.where(debuts.footprint, 0.0, passed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_market_is_entered_as_often_as_its_hazard_adds_up_to(seed: int) -> None:
    """The martingale test: entries less integrated hazard are noise, whatever cycles, ages and launches there are."""
    rng = np.random.default_rng(seed)
    net = draw_network(rng, markets=7, days=400, start=date(2019, 6, 1), density=0.4)
    net = replace(net, launch=np.array([0, 0, 150, 0, 260, 0, 0]), background=net.background * 5)
    n = 30_000
    time = rng.uniform(0, 390, n)
    footprint = (rng.random((n, 7)) < 0.15) & (net.launch <= time[:, None])
    footprint[np.arange(n), rng.choice([0, 1, 3, 5, 6], n)] = True
    debuts = Debuts(time, footprint)
    entered = spread(rng, net, debuts, end=400.0)
    passed = compensators(net, entered, debuts, 400.0)
    events = np.isfinite(entered) & ~footprint
    difference = events.sum(axis=0) - passed.sum(axis=0)
    assert (events.sum(axis=0) > 200).all()
    assert (np.abs(difference) < ERRORS * np.sqrt(passed.sum(axis=0))).all()
    assert (entered >= net.launch).all()
    # the hazard passed at an entry, cut at any level, has as many entries below it as risk
    for level in (0.02, 0.1, 0.3):
        below = (events & (passed <= level)).sum()
        risk = np.minimum(passed, level).sum()
        assert abs(below - risk) < ERRORS * np.sqrt(risk)


def test_the_charts_show_the_truth(tmp_path: Path) -> None:
    """Rates counted on the charts are those that α, f and the rounding of times to days imply."""
    off = Switches(ties=False, background=False, launches=False, gaps=False)
    simulation = Simulation(tracks=15_000, markets=2, days=450, seed=11, density=1.0, switches=off)
    simulate(simulation, tmp_path)
    with diffusion.open_charts(tmp_path / "charts") as charts:
        counted = diffusion.transitions(charts.entries(), window=60)
    table = pl.from_pandas(counted)
    left = np.linspace(0, 1, 1001)  # of the day on which the source is entered
    for source, target, alpha, lag in pl.read_parquet(tmp_path / "truth.parquet").iter_rows():
        tied = (1 - np.exp(-alpha * lag_share(left, lag))).mean()
        expected = (1 - np.exp(-alpha) - tied) / (1 - tied)
        (edge,) = table.filter((pl.col("source") == source) & (pl.col("target") == target)).to_dicts()
        assert edge["exposed"] > 2_000
        error = np.sqrt(expected * (1 - expected) / edge["exposed"])
        assert edge["rate"] == pytest.approx(expected, abs=ERRORS * error)


def by_thinning(net: Network, debut: int, end: float, rng: np.random.Generator) -> np.ndarray:
    """The slow twin: one track, followed by drawing candidate times at a rate above every hazard and keeping some."""
    m = len(net.markets)
    entered = np.full(m, np.inf)
    entered[debut] = 0.0
    theta = lag_rate(net.median_lag)
    top = float((net.alpha * theta / -np.expm1(-theta * SPAN)).sum() + net.background.max() * m)
    now = 0.0
    while (now := now + rng.exponential(1 / top)) < end:
        period = int(np.searchsorted(net.periods, now, side="right")) - 1
        age = int(np.searchsorted(net.ages, now, side="right")) - 1
        lag = now - entered[:, None]
        density = np.where((lag > 0) & (lag <= SPAN), theta * np.exp(-theta * np.where(lag > 0, lag, 0)), 0)
        hazard = net.background[:, period, age] + (net.alpha * density / -np.expm1(-theta * SPAN)).sum(axis=0)
        hazard[np.isfinite(entered) | (net.launch > now)] = 0
        pick = rng.random() * top
        reach = np.cumsum(hazard)
        if pick < reach[-1]:
            entered[np.searchsorted(reach, pick, side="right")] = now
    return entered


def test_the_slow_twin_agrees_on_a_cycle() -> None:
    net = network([[0, 0.9, 0], [0, 0, 0.7], [0.5, 0.3, 0]], hazard=0.002, launch=(0, 0, 6), lag=4.0)
    end, n = 60.0, 2_500
    fast = spread(np.random.default_rng(5), net, debuts_in(0, 3, np.zeros(n)), end=end)
    rng = np.random.default_rng(6)
    slow = np.array([by_thinning(net, 0, end, rng) for _ in range(n)])
    for market in (1, 2):
        assert stats.ks_2samp(np.minimum(fast[:, market], end), np.minimum(slow[:, market], end)).pvalue > UNLIKELY
    both = [np.isfinite(times[:, 1:]).all(axis=1) & (times[:, 1] < times[:, 2]) for times in (fast, slow)]
    error = np.sqrt(0.5 / n)
    assert abs(both[0].mean() - both[1].mean()) < ERRORS * error


def first_seen(simulation: Simulation) -> dict[tuple[str, int, int], tuple[int, int]]:
    """Return (chart, market, track) → (first day, last day) on the charts, the aggregate left out."""
    seen: dict[tuple[str, int, int], tuple[int, int]] = {}
    drawn = draw(simulation)
    for chart, rows in blocks(drawn, simulation):
        for market, day, track in zip(rows.market.tolist(), rows.day.tolist(), rows.track.tolist(), strict=True):
            if market >= 0:
                low, high = seen.get((chart, market, track), (day, day))
                seen[chart, market, track] = (min(low, day), max(high, day))
    return seen


@pytest.mark.parametrize(
    "simulation",
    [
        SMALL,
        replace(SMALL, depth=3, tracks=900),
        replace(SMALL, cadence="weekly", days=140),
        replace(SMALL, charts=("top200", "viral50"), aggregate=True, depth=None),
        replace(SMALL, markets=1),
        replace(SMALL, days=1),
    ],
    ids=["usual", "shallow", "weekly", "two charts", "one market", "one day"],
)
def test_every_entry_is_seen_on_the_first_chart_after_it_and_nothing_else(simulation: Simulation) -> None:
    drawn = draw(simulation)
    seen = first_seen(simulation)
    for maker in drawn.makers:
        plan, arrivals = maker.plan, drawn.arrivals[maker.plan.chart]
        due = plan.dates[np.searchsorted(plan.dates, np.floor(arrivals.time))]
        expected = dict(
            zip(zip(arrivals.market.tolist(), arrivals.track.tolist(), strict=True), due.tolist(), strict=True)
        )
        new = len(maker.stays.track) - int(maker.stays.fill.sum())
        old = set(zip(maker.stays.market[new:].tolist(), maker.stays.track[new:].tolist(), strict=True))
        found = {key[1:]: days[0] for key, days in seen.items() if key[0] == plan.name}
        assert {key: day for key, day in found.items() if key not in old} == expected
        launches = {market: int(plan.dates[first]) for market, first in enumerate(plan.first)}
        assert all(day == launches[key[0]] for key, day in found.items() if key in old)


def test_a_chart_that_must_be_deeper_is_named_so(tmp_path: Path) -> None:
    """A rank beyond what a chart's name promises is no rank that anyone believes."""
    simulate(replace(SMALL, tracks=1500, markets=2, days=2, depth=None), tmp_path)
    rows = pl.read_csv(tmp_path / "charts" / "charts.csv")
    (chart,) = set(rows["chart"])
    assert chart == f"top{rows['rank'].max()}"
    assert int(chart.removeprefix("top")) > 200
    with diffusion.open_charts(tmp_path / "charts") as charts:
        assert charts.chart() == chart


def test_how_much_is_made_is_told(tmp_path: Path) -> None:
    told: list[float] = []
    simulate(SMALL, tmp_path, tell=told.append)
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == 1


def test_ranks_streams_and_trends_are_those_of_charts() -> None:
    simulation = replace(SMALL, aggregate=True)
    drawn = draw(simulation)
    charts: dict[tuple[int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
    for _, rows in blocks(drawn, simulation):
        assert rows.streams is not None
        columns = (rows.market, rows.day, rows.rank, rows.track, rows.streams, rows.trend)
        for market, day, *row in zip(*(column.tolist() for column in columns), strict=True):
            charts[market, day].append(tuple(row))
    before: dict[int, dict[int, int]] = {}
    for (market, day), rows in sorted(charts.items()):
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        assert len({row[1] for row in rows}) == len(rows)
        streams = [row[2] for row in rows]
        assert streams == sorted(streams, reverse=True)
        ranks = {row[1]: row[0] for row in rows}
        for rank, track, _, trend in rows:
            last = before.get(market, {}).get(track)
            expected = 2 if last is None else 1 if rank < last else 0 if rank > last else 3
            assert trend == expected, (market, day, track)
        before[market] = ranks
    total: dict[int, int] = defaultdict(int)
    last_day = max(day for _, day in charts)
    for (market, day), rows in charts.items():
        if market >= 0 and day == last_day:
            for row in rows:
                total[row[1]] += row[2]
    assert [row[2] for row in charts[-1, last_day]] == sorted(total.values(), reverse=True)[: len(charts[-1, last_day])]


def digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    parts = [f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return "\n".join(parts)


@pytest.mark.parametrize("layout", ["raw", "core", "star"])
def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path: Path, layout: str) -> None:
    for name, simulation in (("a", SMALL), ("b", SMALL), ("c", replace(SMALL, seed=4))):
        simulate(simulation, tmp_path / name, layout=layout, damage=0.05 if layout == "raw" else 0)  # type: ignore[arg-type]
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    first, other = (dict(line.split(" ") for line in digest(tmp_path / name).splitlines()) for name in "ac")
    assert first.keys() == other.keys()
    same = {name for name in first if first[name] == other[name]}
    assert same <= {"charts/quarantine.parquet", "charts/row_accounting.csv"}


@pytest.mark.parametrize("layout", ["raw", "core"])
def test_the_charts_are_read_back_whole(tmp_path: Path, layout: str) -> None:
    simulation = replace(SMALL, markets=247, tracks=600, days=40, depth=10)
    account = simulate(simulation, tmp_path, layout=layout)  # type: ignore[arg-type]
    with diffusion.open_charts(tmp_path / "charts") as charts:
        assert charts.account.kept == account.rows
        assert charts.chart() == "top200"
        markets = charts.calendar().markets
        assert "XA" in markets
        assert len(markets) == 247
    header = (tmp_path / "charts" / "charts.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == ",".join(RAW_COLUMNS if layout == "raw" else CORE_COLUMNS)


def test_the_raw_layout_keeps_the_conventions_of_the_source(tmp_path: Path) -> None:
    simulation = replace(SMALL, charts=("top200", "viral50"), depth=None, tracks=3000)
    simulate(simulation, tmp_path, layout="raw")
    rows = pl.read_csv(tmp_path / "charts" / "charts.csv", infer_schema=False)
    assert tuple(rows.columns) == RAW_COLUMNS
    assert len(RAW_COLUMNS) == 28
    top, viral = rows.filter(pl.col("chart") == "top200"), rows.filter(pl.col("chart") == "viral50")
    assert top["streams"].str.contains(r"^\d+\.0$").all()
    assert viral["streams"].is_null().all()
    assert set(rows["trend"]) == {"MOVE_DOWN", "MOVE_UP", "NEW_ENTRY", "SAME_POSITION"}
    assert set(rows["explicit"].drop_nulls()) == {"true", "false"}
    known = rows.filter(pl.col("track_id").is_not_null())
    assert (known["url"] == "https://open.spotify.com/track/" + known["track_id"]).all()
    assert known["release_date"].str.contains(r"^\d{4}(-\d\d-\d\d)?$").all()
    assert known["release_date"].str.contains(r"^\d{4}$").any()
    assert known["available_markets"].str.contains(r"^\['AD'|^\['A[A-Z]', '").all()
    assert 0 < len(rows) - len(known) < 0.1 * len(rows)
    licensed = known.filter(pl.col("region") == "India")["available_markets"]
    assert licensed.str.contains("'IN'", literal=True).all()


def test_the_star_has_the_columns_that_cleaning_makes(tmp_path: Path) -> None:
    simulation = replace(SMALL, aggregate=True, charts=("top200", "viral50"), depth=20)
    account = simulate(simulation, tmp_path, layout="star")
    charts = tmp_path / "charts"
    parts = sorted(charts.glob("observations/year=*/part-00000.parquet"))
    assert [part.parent.name for part in parts] == ["year=2019", "year=2020"]
    read = [pq.ParquetFile(part).read() for part in parts]
    assert read[0].schema.names == ["track", "track_id", "market", "date", "chart", "rank", "streams", "trend"]
    text = pa.string()
    assert read[0].schema.types == [pa.int32(), text, text, pa.date32(), text, pa.int32(), pa.int64(), text]
    for table in read:
        frame = pl.DataFrame(table)
        assert frame.equals(frame.sort("chart", "market", "date", "rank"))
        assert set(frame["market"]) == {*simulated_markets(6), "Global"}
        assert frame.filter(pl.col("chart") == "viral50")["streams"].is_null().all()
    rows = pl.DataFrame(pa.concat_tables(read))
    assert len(rows) == account.rows
    for part in parts:
        assert OBSERVATIONS.conform(pq.ParquetFile(part).read()).num_rows
    for contract in (TRACKS, ARTISTS, AVAILABILITY, RECORDINGS):
        assert contract.conform(pq.read_table(charts / f"{contract.name}.parquet")).num_rows
    assert pq.read_table(charts / "quarantine.parquet").schema.names == QUARANTINE.names
    tracks = pl.read_parquet(charts / "tracks.parquet")
    assert tracks["track"].to_list() == list(range(account.tracks))
    assert rows.join(tracks, on=["track", "track_id"], how="anti").is_empty()
    assert tracks["track_id"].is_unique().all()
    assert set(tracks["release_precision"]) <= {"day", "year"}
    artists = pl.read_parquet(charts / "artists.parquet")
    credit = artists.sort("track", "position").group_by("track", maintain_order=True).agg("artist")
    assert credit["artist"].list.join(", ").to_list() == tracks["artist"].to_list()
    recordings = pl.read_parquet(charts / "recordings.parquet")
    assert (recordings["recording"] <= recordings["track_id"]).all()
    assert (recordings["recording"] != recordings["track_id"]).any()
    availability = pl.read_parquet(charts / "availability.parquet")
    assert availability.columns == ["track", "track_id", "market"]
    everywhere = availability.filter(pl.col("market").is_in(simulated_markets(6)))
    assert len(everywhere) == 6 * account.tracks
    core = tmp_path / "core"
    assert simulate(simulation, core).rows == account.rows


def test_the_truth_stands_beside_the_charts(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path)
    drawn = draw(SMALL)
    truth = pl.read_parquet(tmp_path / "truth.parquet")
    assert truth.columns == ["source", "target", "alpha", "median_lag"]
    assert len(truth) == round(0.3 * 6 * 5)
    assert (truth["alpha"] > 0).all()
    assert truth["median_lag"].is_between(0.5, 20).all()
    assert (truth["source"] != truth["target"]).all()
    markets = drawn.network.markets
    for source, target, alpha, _ in truth.iter_rows():
        assert drawn.network.alpha[markets.index(source), markets.index(target)] == alpha
    background = pl.read_parquet(tmp_path / "background.parquet")
    assert len(background) == drawn.network.background.size
    assert background["period_from"].unique().sort().to_list() == [date(2019, 12, 6), date(2020, 1, 1)]
    assert (background["hazard"] > 0).all()


def test_what_is_switched_off_is_off() -> None:
    everything = replace(SMALL, markets=20, tracks=2000, depth=30)
    off = Switches(ties=False, background=False, launches=False, gaps=False)
    drawn = draw(replace(everything, density=0.0, switches=off))
    assert len(drawn.arrivals["top200"].track) == 2000  # only debuts, each in one market
    assert not drawn.network.launch.any()
    assert len(drawn.makers[0].plan.dates) == 75
    assert not drawn.network.background.any()
    drawn = draw(replace(everything, density=0.0, switches=replace(off, ties=True)))
    arrivals = drawn.arrivals["top200"]
    assert len(arrivals.track) > 2000
    assert len(np.unique(arrivals.time)) == 2000  # tied releases are at one instant
    drawn = draw(replace(everything, density=0.0, switches=replace(off, background=True)))
    assert 2000 < len(drawn.arrivals["top200"].track) == len(np.unique(drawn.arrivals["top200"].time))
    assert draw(replace(everything, switches=replace(off, launches=True))).network.launch.any()
    assert len(draw(replace(everything, switches=replace(off, gaps=True))).makers[0].plan.dates) < 75


@pytest.mark.parametrize("layout", ["raw", "core", "star"])
@pytest.mark.parametrize(
    "change",
    [
        {"markets": 1},
        {"days": 1},
        {"tracks": 1},
        {"density": 0.0},
        {"density": 1.0},
        {"markets": 2, "days": 2},
        {"cadence": "weekly", "days": 3},
    ],
)
def test_the_smallest_cases_work(tmp_path: Path, layout: str, change: dict[str, object]) -> None:
    account = simulate(replace(SMALL, **{"tracks": 30, "depth": 5, **change}), tmp_path, layout=layout)  # type: ignore[arg-type]
    assert account.rows > 0
    assert (tmp_path / "truth.parquet").is_file()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tracks": 0}, "0 tracks cannot be simulated"),
        ({"days": 0}, "0 days cannot be simulated"),
        ({"days": 40_000}, "40000 days cannot be simulated"),
        ({"seed": -1}, "seed -1 is negative"),
        ({"cadence": "hourly"}, "unknown cadence 'hourly'"),
        ({"depth": 0}, "depth 0 has no rows"),
        ({"charts": ()}, "charts none"),
        ({"charts": ("top50",)}, "charts top50"),
        ({"start": date(9999, 12, 1)}, "end after the year 9999"),
    ],
)
def test_settings_that_cannot_be_are_errors(change: dict[str, object], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        replace(SMALL, **change)  # type: ignore[arg-type]


def test_more_of_what_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="272 markets cannot be simulated; there are codes for 1 to 271"):
        simulate(replace(SMALL, markets=272), tmp_path)
    with pytest.raises(SettingError, match="0 markets cannot"):
        simulate(replace(SMALL, markets=0), tmp_path)
    with pytest.raises(SettingError, match=r"density of 1\.5 is no share"):
        simulate(replace(SMALL, density=1.5), tmp_path)
    with pytest.raises(SettingError, match="damage of 2 is no share"):
        simulate(SMALL, tmp_path, layout="raw", damage=2)
    with pytest.raises(SettingError, match="only the raw layout can be damaged"):
        simulate(SMALL, tmp_path, damage=0.1)
    with pytest.raises(SettingError, match="unknown layout 'cube'"):
        simulate(SMALL, tmp_path, layout="cube")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_only_a_simulation_is_written_over(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path, layout="raw", damage=0.1)
    simulate(SMALL, tmp_path, layout="star")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["background.parquet", "charts", "truth.parquet"]
    assert not (tmp_path / "charts" / "charts.csv").exists()
    (tmp_path / "truth.parquet").unlink()
    with pytest.raises(OutputError, match="is not a simulation's"):
        simulate(SMALL, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        simulate(SMALL, tmp_path / "file")


def test_each_case_of_damage_is_in_the_ledger_and_nothing_else_is_damaged(tmp_path: Path) -> None:
    simulation = replace(SMALL, tracks=1200)
    clean, hurt = tmp_path / "clean", tmp_path / "hurt"
    simulate(simulation, clean, layout="raw")
    account = simulate(simulation, hurt, layout="raw", damage=0.05)
    ledger = pl.read_parquet(hurt / "damage.parquet")
    assert ledger.columns == ["file", "line", "kind"]
    assert len(ledger) == account.damaged == pytest.approx(0.05 * account.rows, rel=0.15)
    assert set(ledger["file"]) == {"charts.csv"}
    assert set(ledger["kind"]) == set(OUTCOMES)
    kinds = dict(zip(ledger["line"], ledger["kind"], strict=True))
    right = iter((clean / "charts" / "charts.csv").read_bytes().split(b"\n"))
    wrong = (hurt / "charts" / "charts.csv").read_bytes().split(b"\n")
    at = 0
    while at < len(wrong):
        kind, line = kinds.pop(at + 1, None), wrong[at]
        if kind == "repeated_header":
            assert line == wrong[0]
        elif kind == "repeated_row":
            assert line == wrong[at - 1]
        elif kind == "line_end_in_title":
            at += 1
            assert next(right).count(b",") == (line + b"\n" + wrong[at]).count(b",")
        elif kind:
            assert line != next(right)
        else:
            assert line == next(right)
        at += 1
    assert not kinds
    assert next(right, None) is None


def test_each_kind_of_damage_is_what_it_says(tmp_path: Path) -> None:
    simulate(replace(SMALL, tracks=1200), tmp_path, layout="raw", damage=0.05)
    lines = (tmp_path / "charts" / "charts.csv").read_bytes().split(b"\n")
    for _, line, kind in pl.read_parquet(tmp_path / "damage.parquet").iter_rows():
        raw = lines[line - 1]
        if kind == "unclosed_quote":
            assert raw.count(b'"') % 2 == 1
            continue
        if kind in ("line_end_in_title", "not_utf8"):
            assert raw.count(b'"') % 2 == 1 if kind == "line_end_in_title" else b"\xe9" in raw
            continue
        row = next(csv.reader(io.StringIO(raw.decode().replace("\0", "␀"))))
        lengths = {"missing_field": {27}, "extra_field": {29}, "cut_short": set(range(2, 28))}
        assert len(row) in lengths.get(kind, {28}), kind
        if kind == "rank_with_point":
            assert row[1].endswith(".0")
        if kind == "streams_with_comma":
            assert "," in row[8]
        if kind == "no_track":
            assert (row[4], row[9]) == ("", "")
        if kind == "no_track_id":
            assert row[4]
            assert not row[9]


def test_simulated_markets_have_codes_and_names() -> None:
    assert diffusion.resolve("XA") == diffusion.resolve("Simulated XA") == diffusion.resolve("simulated xa") == "XA"
    assert diffusion.resolve("XK") == diffusion.resolve("Kosovo") == "XK"
    assert diffusion.market_names(["XA", "XZ", "XK"]) == {"XA": "Simulated XA", "XZ": "Simulated XZ", "XK": "Kosovo"}
    codes = simulated_markets(270)
    assert len(set(codes)) == 270
    assert codes.index("XK") < codes.index("XA") == 246  # all territories where people live come first
    assert [diffusion.resolve(code) for code in codes] == list(codes)
    with pytest.raises(UnknownMarketError, match="no known name is near"):
        diffusion.resolve("Simulated XK")
    known = diffusion.reference_table().set_index("market").loc[list(codes[:246])]
    for group, origin in ((known[:69], "cepii"), (known[69:], "derived")):
        assert set(group["origin"]) == {origin}
        assert group["population"].is_monotonic_decreasing


@pytest.mark.slow
def test_the_full_case_has_the_size_of_the_real_thing() -> None:
    """26,174,269 rows, 198,077 tracks, 70 regions; only what rows are made from is drawn here."""
    drawn = draw(FULL)
    rows = 0
    for maker in drawn.makers:
        dates = len(maker.plan.dates)
        rows += int(((dates - maker.plan.first) * maker.plan.depth).sum()) + dates * int(maker.plan.depth.max())
        assert maker.plan.depth.max() <= {"top200": 200, "viral50": 50}[maker.plan.chart]
    assert rows == pytest.approx(26_174_269, rel=0.05)
    assert len(drawn.catalogue) == pytest.approx(198_077, rel=0.02)
    assert FULL.start + timedelta(days=FULL.days - 1) == date(2021, 12, 31)


_PEAK = """
import resource, sys, dataclasses, datetime
from diffusion.simulation import Simulation, simulate
s = Simulation(tracks=2000, markets=30, days=int(sys.argv[1]), start=datetime.date(2019, 1, 1))
simulate(s, sys.argv[2], layout=sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["core", "raw"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, layout: str) -> None:
    def peak(days: int) -> int:
        command = [sys.executable, "-c", _PEAK, str(days), str(tmp_path / f"{days}"), layout]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert peak(360) < peak(60) + 120  # MB; 1.8 million rows more

"""The recovery study: what is observed, what is true, how both are compared, and what comes out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from math import exp
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

import diffusion
import pipelines.recovery.output
from diffusion import DataSaysNoError, SettingError
from diffusion.simulation import Simulation, simulate
from diffusion.simulation.network import SPAN, lag_rate
from diffusion.simulation.observed import ObservedDates
from diffusion.simulation.study import draw
from diffusion.simulation.truth import draw_truth, expected_credits, follow_up, see
from diffusion.simulation.worlds import LONG_LAG, World, draw_world
from pipelines.recovery import CELLS, Cell, Recovery, Size, cell_runs, recovery_study, summed_up
from pipelines.recovery.measures import held, mean_interval, recovered, share_interval
from pipelines.recovery.methods import METHODS
from pipelines.recovery.output import named_cells, recovery_text, write_recovery
from pipelines.recovery.runs import CellRuns
from tests.conftest import START
from tests.random_charts import study

TINY = Size(tracks=250, markets=5, days=150)
SAMPLING = 4.0
"""Standard errors that a simulated count may lie from its mean; once in 16,000."""


def random_watch(rng: np.random.Generator, *, markets: int = 3) -> ObservedDates:
    """Return a watch with launches, and gaps short and long."""
    step = rng.choice([1, 7])
    dates = np.cumsum(rng.choice([step, step, step, 2 * step, 28, 29, 40], size=20, p=[0.3, 0.3, 0.2, *[0.05] * 4]))
    codes = tuple(sorted(["SE", "FI", "US", "MT"][:markets]))
    return ObservedDates(codes, START, dates, rng.choice([0, 0, 1, 5], size=markets), int(rng.choice([0, 3, 28])))


def random_times(rng: np.random.Generator, watch: ObservedDates, *, tracks: int = 60) -> np.ndarray:
    """Return times of entry, none before a market's launch."""
    debut = rng.uniform(0, watch.dates[-1] + 5, (tracks, 1))
    times = debut + rng.exponential(15, (tracks, len(watch.markets))) * (rng.random((tracks, 1)) < 0.9)
    launch = np.append(0, watch.dates)[watch.first]
    times = np.where(times < launch, np.inf, times)
    return np.where(rng.random(times.shape) < 0.6, times, np.inf)


# ── what is observed ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(6))
def test_observed_entries_are_those_of_the_plain_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    watch = random_watch(rng)
    times = random_times(rng, watch)
    own = {
        market: [int(day) for at, day in enumerate(watch.dates) if at >= watch.first[number]]
        for number, market in enumerate(watch.markets)
    }
    entered: dict[str, dict[str, int]] = {}
    for track, row in enumerate(times):
        for market, time in zip(watch.markets, row, strict=True):
            shown = [day for day in own[market] if np.isfinite(time) and day >= int(time)]
            if shown:
                entered.setdefault(f"t{track:07d}", {})[market] = shown[0]
    twin = study(own, entered, washout=watch.washout).open()
    observed = watch.entries(times)
    key = [("track_id", "ascending"), ("market", "ascending")]
    columns = ["track_id", "market", "entry", "last_without", "left_censored"]
    assert observed.table.select(columns).sort_by(key).equals(twin.table.select(columns).sort_by(key))
    columns = ["market", "date", "previous", "span"]
    key = [("market", "ascending"), ("date", "ascending")]
    coverage = (calendar.coverage.select(columns).sort_by(key) for calendar in (observed.calendar, twin.calendar))
    assert pa.Table.equals(*coverage)
    assert observed.timelines.markets == watch.markets


@pytest.mark.parametrize("cadence", ["daily", "weekly"])
def test_observed_entries_are_those_of_charts_written_and_read(cadence: str, tmp_path: Path) -> None:
    simulation = Simulation(tracks=120, markets=4, days=120, seed=3, cadence=cadence, depth=20)  # type: ignore[arg-type]
    drawn = draw(simulation)
    arrivals = drawn.arrivals["top200"]
    times = np.full((len(drawn.catalogue), 4), np.inf)
    times[arrivals.track, arrivals.market] = arrivals.time
    plan, codes = drawn.makers[0].plan, np.array(drawn.network.markets)
    order = np.argsort(codes)
    observed = ObservedDates(tuple(codes[order]), simulation.start, plan.dates, plan.first[order]).entries(
        times[:, order]
    )
    simulate(simulation, tmp_path / "drawn")
    with diffusion.open_charts(tmp_path / "drawn" / "charts") as charts:
        read = charts.entries()
    columns = ["track_id", "market", "entry", "last_without", "left_censored"]
    ids = drawn.catalogue.track_id.to_pylist()
    mine = observed.to_pandas()[columns].assign(track_id=lambda t: [ids[int(name[1:])] for name in t["track_id"]])
    theirs = read.to_pandas()[columns]
    theirs = theirs[theirs["track_id"].isin(set(ids[arrivals.track.min() :]))]
    pd.testing.assert_frame_equal(
        *(table.sort_values(["track_id", "market"], ignore_index=True) for table in (mine, theirs))
    )
    assert len(mine) > 100


def test_a_watch_must_make_sense() -> None:
    dates, first = np.arange(5), np.array([0, 2])
    with pytest.raises(SettingError, match="in order, each once"):
        ObservedDates(("US", "SE"), START, dates, first)
    with pytest.raises(SettingError, match="needs dates"):
        ObservedDates(("SE", "US"), START, dates[::-1], first)
    with pytest.raises(SettingError, match="must have a date"):
        ObservedDates(("SE", "US"), START, dates, np.array([0, 5]))
    with pytest.raises(DataSaysNoError, match="no simulated track"):
        ObservedDates(("SE", "US"), START, dates, first).entries(np.full((3, 2), np.inf))


# ── what is true ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(6))
def test_follow_up_is_that_of_the_entries(seed: int) -> None:
    rng = np.random.default_rng(seed)
    watch = random_watch(rng)
    times = random_times(rng, watch)
    window = int(rng.choice([7, 20, 56]))
    entered, censored = follow_up(see(watch, times, dates=len(watch.dates)), window=window)
    source, target, days = np.nonzero(entered + censored)
    lags = watch.entries(times).lags(window=window).to_pandas()
    names = np.array(watch.markets)
    assert names[source].tolist() == lags["source"].to_list()
    assert names[target].tolist() == lags["target"].to_list()
    assert days.tolist() == lags["days"].to_list()
    assert entered[source, target, days].tolist() == lags["entered"].to_list()
    assert censored[source, target, days].tolist() == lags["censored"].to_list()


@pytest.fixture(scope="module")
def one_edge() -> World:
    """Return a world in which one market follows one other, and nothing else happens after a debut."""
    world = draw_world(
        Cell(ties=False, background=False, gaps=False, lag=LONG_LAG), Size(3_000, 4, 365), seed=4, simulation=0
    )
    alpha, lag = np.zeros((4, 4)), np.full((4, 4), np.nan)
    alpha[1, 2], lag[1, 2] = 0.7, 5.0
    network = replace(world.network, alpha=alpha, median_lag=lag, launch=np.zeros(4, int))
    return replace(world, network=network, watch=replace(world.watch, first=np.zeros(4, int)))


def test_the_true_rate_is_that_of_the_closed_form(one_edge: World) -> None:
    truth = draw_truth(one_edge, population=10)
    # an entry at hour u is untied with one after 1 − u days; all of f lies within the window
    late = 1 - (np.arange(2_000) + 0.5) / 2_000
    theta = float(lag_rate(np.array([5.0]))[0])
    before = np.exp(-0.7 * np.expm1(-theta * late) / np.expm1(-theta * SPAN))
    exact = 1 - exp(-0.7) / before.mean()
    error = np.sqrt(exact * (1 - exact) / (truth.transitions[1, 2] * 10 / truth.rate[1, 2]))
    assert abs(truth.rate[1, 2] - exact) < SAMPLING * error
    others = ~np.eye(4, dtype=bool)
    others[1, 2] = False
    assert (truth.rate[others][~np.isnan(truth.rate[others])] == 0).all()
    assert np.isnan(np.diag(truth.rate)).all()
    assert (np.diff(truth.curve[1, 2]) > 0).all()
    assert truth.clout.tolist() == [0, 0.7, 0, 0]
    soon = float((np.expm1(-theta * late) / np.expm1(-theta * SPAN)).mean())
    assert truth.alpha_late[1, 2] == pytest.approx(0.7 * (1 - soon), rel=1e-6)


def test_expected_credits_are_the_mean_of_what_happens(one_edge: World) -> None:
    times = one_edge.population(20_000, days=0)
    seen = see(one_edge.watch, times, dates=len(one_edge.watch.dates))
    expected = expected_credits(one_edge, seen, times)
    rows, exposed = seen.exposed(1)
    happened = int((np.isfinite(times[rows, 2]) & exposed[:, 2]).sum())
    assert abs(happened - expected[1, 2]) < SAMPLING * np.sqrt(happened)
    assert happened > 1_000
    assert np.count_nonzero(expected) == 1


def test_worlds_share_their_network_and_differ_in_what_is_on() -> None:
    plain, full = (draw_world(cell, TINY, seed=1, simulation=2) for cell in (Cell(False, False, False), Cell()))
    assert (plain.network.alpha == full.network.alpha).all()
    assert not plain.network.background.any() and full.network.background.any()
    assert len(full.watch.dates) < len(plain.watch.dates) == TINY.days
    debut = plain.sample().min(axis=1)
    assert ((plain.sample() == debut[:, None]).sum(axis=1) == 1).all()
    assert ((full.sample() == full.sample().min(axis=1)[:, None]).sum(axis=1) > 1).any()
    assert list(full.network.markets) == sorted(full.network.markets)
    other = draw_world(Cell(), TINY, seed=1, simulation=3)
    assert (other.network.alpha != full.network.alpha).any()


def test_frailty_keeps_the_mean_and_spreads_the_tracks() -> None:
    size = Size(6_000, 6, 365)
    later = [
        np.isfinite(
            draw_world(Cell(lag=LONG_LAG, frailty=frailty, ties=False), size, seed=2, simulation=0).sample()
        ).sum(axis=1)
        - 1
        for frailty in (False, True)
    ]
    assert later[1].mean() == pytest.approx(later[0].mean(), rel=0.35)
    assert later[1].var() / later[1].mean() > 1.1 * later[0].var() / later[0].mean()


# ── how both are compared ────────────────────────────────────────────────────────────────────────────────────────────


def plain_average_precision(truth: list[bool], score: list[float]) -> float:
    """Return the sum over thresholds of precision times the rise of recall."""
    area, found = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        kept = [true for true, value in zip(truth, score, strict=True) if value >= threshold]
        recall = sum(kept) / sum(truth)
        area += sum(kept) / len(kept) * (recall - found)
        found = recall
    return area


def plain_auc(truth: list[bool], score: list[float]) -> float:
    """Return the share of pairs of an edge and none in which the edge has the higher score, ties half."""
    pairs = [
        (a, b) for a, edge in zip(score, truth, strict=True) if edge for b, e in zip(score, truth, strict=True) if not e
    ]
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


@pytest.mark.parametrize("seed", range(8))
def test_measures_are_those_of_their_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    alpha = rng.random((6, 6)) * (rng.random((6, 6)) < 0.3)
    np.fill_diagonal(alpha, 0)
    scores = np.round(rng.normal(size=(6, 6)) + alpha, 1)
    scores[rng.random((6, 6)) < 0.2] = np.nan
    leaders = np.round(rng.normal(size=6), 1)
    found = recovered(scores, leaders, alpha=alpha)
    off = ~np.eye(6, dtype=bool)
    truth, filled = (alpha[off] > 0).tolist(), np.where(np.isnan(scores), -99, scores)[off]
    assert found.average_precision == pytest.approx(plain_average_precision(truth, filled.tolist()))
    assert found.average_precision == pytest.approx(average_precision_score(truth, filled))
    assert found.auc == pytest.approx(plain_auc(truth, filled.tolist()))
    assert found.auc == pytest.approx(roc_auc_score(truth, filled))
    assert found.leaders_tau == pytest.approx(stats.kendalltau(leaders, alpha.sum(axis=1)).statistic)


def test_measures_of_what_says_nothing() -> None:
    alpha = np.zeros((4, 4))
    with pytest.raises(DataSaysNoError, match="0 of 12 pairs"):
        recovered(alpha, alpha[0], alpha=alpha)
    alpha[0, 1] = alpha[0, 2] = alpha[3, 1] = 0.2
    blind = recovered(np.full((4, 4), np.nan), np.zeros(4), alpha=alpha)
    assert (blind.average_precision, blind.auc) == (0.25, 0.5)
    assert np.isnan(blind.leaders_tau)


def test_intervals_that_hold() -> None:
    low, high = np.array([0.1, 0.3, np.nan, 0.0]), np.array([0.2, 0.4, 0.5, 0.1])
    count = held(low, high, np.array([0.2, 0.2, 0.2, 0.2]), where=np.array([True, True, True, True]))
    assert (count.intervals, count.below, count.above) == (3, 1, 1)
    assert held(low, high, np.full(4, np.nan), where=np.ones(4, bool)).intervals == 0
    assert held(low, high, np.full(4, 0.15), where=np.zeros(4, bool)).intervals == 0


def test_bounds_are_those_of_outside_implementations() -> None:
    values = np.array([0.4, 0.6, 0.7, np.nan])
    mean, low, high = mean_interval(values)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 2, mean, stats.sem(values[:3])))
    one = share_interval(np.array([18.0]), np.array([20.0]))
    assert one[0] == 0.9
    assert one[1:] == pytest.approx(proportion_confint(18, 20, method="wilson"))
    assert np.isnan(mean_interval(np.array([np.nan]))).all()
    assert np.isnan(share_interval(np.zeros(2), np.zeros(2))).all()
    assert np.isnan(mean_interval(np.array([0.5]))[1])


def test_a_share_of_dependent_intervals_is_less_sure() -> None:
    together = share_interval(np.array([20.0, 0, 20, 20, 20]), np.full(5, 20.0))
    apart = share_interval(np.array([16.0, 16, 15, 17, 16]), np.full(5, 20.0))
    assert together[0] == apart[0] == 0.8
    assert together[1] < apart[1] and together[2] > apart[2]


def coverage_rows(cell: Cell, quantity: str, expected: str, misses: int) -> CellRuns:
    """Return runs of 120 simulations with 5 intervals each, of which `misses` in all lie above the truth."""
    above = [1] * misses + [0] * (120 - misses)
    rows = {"simulation": range(120), "quantity": quantity, "days": None, "expected": expected, "intervals": 5}
    coverage = pd.DataFrame(rows | {"below": 0, "above": above}).astype({"days": "Int64"})
    scores = pd.DataFrame(
        [
            {
                "simulation": 0,
                "method": name,
                "edge_share": 0.1,
                "average_precision": 0.5,
                "auc": 0.5,
                "leaders_tau": 0.0,
            }
            for name in METHODS
        ]
    )
    return CellRuns(cell, scores, coverage)


@pytest.mark.parametrize(
    ("cell", "quantity", "expected", "misses", "verdict"),
    [
        (Cell(lag=LONG_LAG), "alpha", "10 or more", 30, (True, True)),
        (Cell(lag=LONG_LAG), "alpha", "10 or more", 90, (True, False)),
        (Cell(lag=LONG_LAG), "alpha", "10 or more", 2, (True, False)),
        (Cell(lag=LONG_LAG), "alpha", "fewer", 90, (False, None)),
        (Cell(lag=LONG_LAG, frailty=True), "alpha", "10 or more", 90, (False, None)),
        (Cell(), "alpha", "10 or more", 90, (False, None)),
        (Cell(cadence="weekly", lag=LONG_LAG), "alpha", "10 or more", 90, (False, None)),
        (Cell(lag=LONG_LAG), "alpha_zero", "none", 2, (True, True)),
        (Cell(lag=LONG_LAG), "alpha_zero", "none", 40, (True, False)),
        (Cell(cadence="weekly"), "rate", "10 or more", 30, (True, True)),
        (Cell(cadence="weekly"), "rate", "10 or more", 90, (True, False)),
    ],
)
def test_what_is_required_and_met(
    cell: Cell, quantity: str, expected: str, misses: int, verdict: tuple[bool, bool | None]
) -> None:
    (row,) = summed_up([coverage_rows(cell, quantity, expected, misses)]).coverage.to_dict("records")
    assert (row["simulations"], row["intervals"]) == (120, 600)
    assert row["coverage"] == pytest.approx(1 - misses / 600)
    assert row["above"] == pytest.approx(misses / 600)
    assert (row["required"], None if row["met"] is pd.NA else row["met"]) == verdict


# ── what comes out ───────────────────────────────────────────────────────────────────────────────────────────────────

PAIR = (Cell(gaps=False), Cell(cadence="weekly"))
NAMES = ["daily-lag3-ties-background", "weekly-lag3-ties-background-gaps"]
SIZE = {"tracks": 200, "markets": 5, "days": 150}
CHANCE = {"simulations": 2, "seed": 3, "population": 2}


@pytest.fixture(scope="module")
def tiny_runs() -> dict[str, CellRuns]:
    """Return the runs of two cells, by name."""
    return {cell.name: cell_runs(cell, size=Size(**SIZE), **CHANCE) for cell in PAIR}


@pytest.fixture(scope="module")
def tiny(tiny_runs: dict[str, CellRuns]) -> Recovery:
    """Return a study of two cells and two simulations."""
    return summed_up(tiny_runs.values())


def same(one: Recovery, other: Recovery) -> None:
    """Check that two studies are equal."""
    for name in ("edges", "advantage", "coverage"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_a_study_has_a_row_for_every_cell_and_method(tiny: Recovery) -> None:
    assert len(tiny.edges) == len(PAIR) * len(METHODS)
    assert tiny.edges["method"].to_list() == [*METHODS] * 2
    assert tiny.edges["cell"].unique().tolist() == NAMES
    assert tiny.edges["average_precision"].between(0, 1).all() and tiny.edges["auc"].between(0, 1).all()
    assert (tiny.edges["edge_share"] == 2 / 20).all()
    assert set(tiny.coverage["quantity"]) == {"alpha", "alpha_late", "alpha_zero", "rate", "lag_curve"}
    assert set(tiny.coverage["days"].dropna()) == {7, 14, 28, 56}
    assert tiny.coverage["met"].isna().all()
    share = tiny.edges.set_index(["cell", "method"])["average_precision"]
    for row in tiny.advantage.itertuples():
        assert row.gain == pytest.approx(share[row.cell, row.method] - share[row.cell, row.over])


def test_a_study_is_the_same_again(tiny_runs: dict[str, CellRuns]) -> None:
    told: list[tuple[str, float | None]] = []
    again = recovery_study(
        cells=PAIR[1:],
        **SIZE,
        **CHANCE | {"simulations": 1},
        progress=lambda doing, share=None: told.append((doing, share)),
    )
    assert told == [(NAMES[1], None), (NAMES[1], 1.0)]
    both = tiny_runs[NAMES[1]]
    first = (table[table["simulation"] == 0] for table in (both.scores, both.coverage))
    same(again, summed_up([CellRuns(both.cell, *first)]))


def test_a_study_is_written_and_goes_on(
    tiny: Recovery, tiny_runs: dict[str, CellRuns], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    told: list[str] = []

    def known(cell: Cell, **settings: object) -> CellRuns:
        made.append(cell.name)
        return tiny_runs[cell.name]

    def write(cells: tuple[Cell, ...], seed: int = 3) -> Recovery:
        chance = CHANCE | {"seed": seed}
        return write_recovery(
            tmp_path, cells=cells, **SIZE, **chance, tell=lambda doing, share=None: told.append(doing)
        )

    monkeypatch.setattr(pipelines.recovery.output, "cell_runs", known)
    write(PAIR[:1])
    assert made == NAMES[:1]
    assert told == [NAMES[0], "writing tables"]
    same(write(PAIR), tiny)
    assert made == NAMES
    same(write(PAIR), tiny)
    assert made == NAMES
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "recovery_edges.csv"), tiny.edges)
    assert len(pd.read_csv(tmp_path / "recovery_coverage.csv")) == len(tiny.coverage)
    assert (tmp_path / "recovery.txt").read_text(encoding="utf-8") == recovery_text(tiny)
    write(PAIR[1:])
    assert made == NAMES
    assert set(pd.read_csv(tmp_path / "recovery_edges.csv")["cell"]) == set(NAMES[1:])
    same(write(PAIR), tiny)
    assert made == NAMES
    write(PAIR[1:], seed=4)
    assert made == [*NAMES, NAMES[1]]


def test_the_text_shows_every_table(tiny: Recovery) -> None:
    text = recovery_text(tiny)
    for word in ("Average precision", "AUC", "Kendall", "Coverage", "rate", "alpha_zero", "weekly-lag3"):
        assert word in text
    assert "NaN" not in text and "<NA>" not in text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: recovery_study(cells=[]), "each of them once"),
        (lambda: recovery_study(cells=[Cell(), Cell()]), "each of them once"),
        (lambda: recovery_study(simulations=0), "0 simulations; give 1 or more"),
        (lambda: recovery_study(seed=-1), "the seed -1 is negative"),
        (lambda: recovery_study(markets=3), "3 markets are too few"),
        (lambda: recovery_study(days=60), "60 days are too few"),
        (lambda: Cell(cadence="hourly"), "unknown cadence 'hourly'"),  # type: ignore[arg-type]
        (lambda: Cell(lag=40), "a lag of 40 days"),
        (lambda: write_recovery("nowhere", workers=0), "0 workers"),
        (lambda: named_cells(["hourly-lag3"]), "no cell 'hourly-lag3'; there are daily-lag3, "),
    ],
)
def test_settings_that_cannot_be_right(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        wrong()


def test_the_usual_cells() -> None:
    assert len({cell.name for cell in CELLS}) == len(CELLS) == 19
    assert {(cell.ties, cell.background, cell.gaps) for cell in CELLS if cell.lag == 3} >= {(False,) * 3, (True,) * 3}
    assert sum(cell.well_specified for cell in CELLS) == 8
    assert named_cells(["weekly-lag3-ties-background-gaps", "daily-lag12"]) == [
        Cell(False, False, False, lag=LONG_LAG),
        Cell(cadence="weekly"),
    ]
    assert date(2018, 1, 1).weekday() == 0


def test_alpha_finds_more_than_counts() -> None:
    """Ties and background are on, and charts are weekly."""
    runs = cell_runs(Cell(cadence="weekly"), simulations=2, size=Size(1_000, 8, 200), seed=1, population=1)
    found = runs.scores.groupby("method")[["average_precision", "leaders_tau"]].mean()
    assert found.loc["alpha_p", "average_precision"] > found.loc["counts", "average_precision"] + 0.05
    assert found.loc["alpha", "leaders_tau"] > found.loc["counts", "leaders_tau"] + 0.2


@pytest.mark.slow
@pytest.mark.parametrize("cadence", ["daily", "weekly"])
def test_alpha_finds_more_than_counts_and_netinf(cadence: str) -> None:
    """Ties, background and gaps are on; what the evidence for α, or α itself, is ahead by is surely above 0."""
    cell = Cell(cadence=cadence)  # type: ignore[arg-type]
    advantage = recovery_study(simulations=40, seed=1, cells=[cell], population=1).advantage
    gain = advantage.set_index(["method", "over"])["gain_low"]
    others = ("counts", "rate")
    assert (gain["alpha_p"][[*others, "netinf"]] > 0).all()
    assert (gain["alpha"][[*others]] > 0).all()


@pytest.mark.slow
def test_intervals_hold_where_they_must() -> None:
    """At least 500 intervals of 100 simulations in a well-specified cell with ties, background and gaps."""
    coverage = recovery_study(simulations=100, seed=1, cells=[Cell(lag=LONG_LAG)]).coverage
    judged = coverage[coverage["required"]]
    assert judged["met"].notna().all()
    assert judged["met"].all(), judged[~judged["met"]].to_string()


@pytest.mark.slow
def test_processes_change_nothing(tiny: Recovery, tmp_path: Path) -> None:
    same(write_recovery(tmp_path, cells=PAIR, **SIZE, **CHANCE, workers=2), tiny)

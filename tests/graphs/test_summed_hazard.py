"""The summed hazard: the likelihood equals its plain twin, its maximum is one, and a known α is found again."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from sklearn.metrics import average_precision_score

import diffusion
from diffusion import DataSaysNoError, Entries, SettingError, transitions
from diffusion.arrays import Floats
from diffusion.simulation.network import Network, Switches
from diffusion.simulation.process_worlds import world
from graphs.netinf import netinf, track_cascades
from graphs.summed_hazard import AGES, SummedHazard, summed_hazard
from graphs.summed_hazard.background import Cells
from graphs.summed_hazard.design import target_design
from graphs.summed_hazard.evidence import evidence
from graphs.summed_hazard.followup import Tracks
from graphs.summed_hazard.lags import observable, rate_of, reached
from graphs.summed_hazard.model import HIGHEST_ALPHA, target_problem
from graphs.summed_hazard.solver import Problem, maximum, odds, problem
from tests import twins_summed_hazard as twin
from tests.random_charts import EXAMPLES, Study, studies, study
from tests.simulated_influence import World, observed, simulated, true_alpha

TWIN_TOLERANCE = 1e-9
"""Both sides add some hundred terms; the twin finds rates by bisection."""

SMALL = World(markets=6, tracks=600, days=300, density=0.3)

LAG = 12.0
"""Days, against charts every day: one transmission in thirty falls between two charts, so the model is all but true."""


# ── the likelihood ───────────────────────────────────────────────────────────────────────────────────────────────────


def chances(entries: Entries, target: str, rng: np.random.Generator) -> twin.Chances:
    """Draw all that sets the hazards of one target."""
    markets = entries.calendar.markets
    return twin.Chances(
        alpha={market: float(rng.uniform(0, 2)) for market in markets},
        median={market: float(rng.uniform(0.5, 5)) for market in markets},
        hazard={(year, age): float(rng.uniform(0.001, 0.1)) for year, age in product((2020, 2021, 2022), AGES)},
    )


def compact_value(
    entries: Entries, target: str, known: twin.Chances, *, window: int, horizon: int
) -> tuple[float, int]:
    """Return the log-likelihood of one target and its events, from the counted design."""
    tracks = Tracks.of(entries)
    last = max(int(spans.max()) for spans in tracks.spans if len(spans))
    cells = Cells.of(int(tracks.debut.min()), last, periods="year", ages=AGES, horizon=horizon)
    number = tracks.markets.index(target)
    design = target_design(tracks, cells, number, window=window, horizon=horizon, weight=np.ones(len(tracks.debut)))
    task = target_problem(design, reached(np.array([known.median[m] for m in tracks.markets]), window))
    ages = [age for age in AGES if age < horizon]
    hazard = [known.hazard[int(year), age] for year in cells.names for age in ages]
    values = np.array([*(known.alpha[market] for market in tracks.markets), *hazard])
    return task.value(values * task.unit), len(design.track)


@settings(EXAMPLES, max_examples=30)
@given(
    drawn=studies(),
    seed=st.integers(0, 99),
    window=st.sampled_from([12, 30, 60]),
    horizon=st.sampled_from([5, 40, 180]),
)
def test_likelihood_equals_twin(drawn: Study, seed: int, window: int, horizon: int) -> None:
    entries, rng = drawn.open(), np.random.default_rng(seed)
    markets = entries.calendar.markets
    pairs = list(product(entries.timelines.track_ids.tolist(), markets))
    lost = [pair for pair in pairs if rng.random() < 0.1]
    table = pa.table({"track_id": [a for a, _ in lost], "market": [b for _, b in lost]}) if lost else entries.withheld
    entries = replace(entries, withheld=table)
    if len(markets) < 2 or entries.timelines.debut_censored.all():
        with pytest.raises(DataSaysNoError):
            Tracks.of(entries)
        return
    for target in markets:
        known = chances(entries, target, rng)
        expected, events = twin.log_likelihood(entries, target, known, window=window, horizon=horizon, ages=AGES)
        found, counted = compact_value(entries, target, known, window=window, horizon=horizon)
        assert counted == events
        assert found == pytest.approx(expected, rel=TWIN_TOLERANCE, abs=TWIN_TOLERANCE)


@pytest.fixture(scope="module")
def small() -> tuple[Entries, Network]:
    """Entries of a small simulated world and its truth."""
    return simulated(SMALL, 1)


@pytest.fixture(scope="module")
def found(small: tuple[Entries, Network]) -> SummedHazard:
    """The fit of the small world."""
    return summed_hazard(small[0])


def test_risk_sets_are_those_of_the_waits(small: tuple[Entries, Network], found: SummedHazard) -> None:
    entries = small[0]
    waits = entries.waits(horizon=180)
    events = waits[waits["entered"]].groupby("market").size()
    mine = found.entry_credits().groupby("market")["credit"].sum()
    assert mine.round(3).to_dict() == events.to_dict()
    exposure = found.background.groupby("market")["exposure"].sum()
    assert exposure.to_dict() == (waits["days"] - waits["start"]).groupby(waits["market"]).sum().to_dict()


def test_joint_is_that_of_the_ties(small: tuple[Entries, Network], found: SummedHazard) -> None:
    ties = transitions(small[0]).set_index(["source", "target"])["joint"]
    assert found.table.set_index(["source", "target"])["joint"].to_dict() == ties.to_dict()


# ── the maximum ──────────────────────────────────────────────────────────────────────────────────────────────────────


def random_problem(seed: int, events: int = 60, coefficients: int = 9) -> Problem:
    """Return a problem like a target's: few senders per event, a background in each."""
    rng = np.random.default_rng(seed)
    table = rng.random((events, coefficients)) * (rng.random((events, coefficients)) < 0.3)
    table[:, -1] = rng.uniform(0.1, 1, events)
    return problem(table, rng.uniform(5, 200, coefficients), np.zeros(coefficients))


def test_gradient_is_that_of_finite_differences() -> None:
    task = random_problem(1)
    beta = np.random.default_rng(2).uniform(0.5, 5, len(task.unit))
    gradient = task.events.T @ odds(task.events @ beta) - task.survived
    assert gradient == pytest.approx(optimize.approx_fprime(beta, task.value, 1e-7), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_maximum_is_that_of_a_generic_optimiser(seed: int) -> None:
    task = random_problem(seed)
    most = HIGHEST_ALPHA * task.unit
    beta = maximum(task, most=most)

    def minus(at: Floats) -> tuple[float, Floats]:
        return -task.value(at), task.survived - task.events.T @ odds(task.events @ at)

    peer = optimize.minimize(
        minus,
        np.ones(len(beta)),
        jac=True,
        bounds=[(1e-12, top) for top in most],
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    assert task.value(beta) == pytest.approx(-peer.fun, abs=1e-6)
    assert task.value(beta) >= -peer.fun - 1e-8
    gradient = task.events.T @ odds(task.events @ beta) - task.survived
    assert np.abs(gradient[beta > 0]).max() < 1e-4 and gradient[beta == 0].max(initial=-1) < 1e-6


def test_coefficients_without_bound_stop_at_certainty() -> None:
    task = problem(np.array([[1.0, 0.1], [1.0, 0.1]]), np.array([0.0, 3.0]), np.zeros(2))
    assert maximum(task, most=HIGHEST_ALPHA * task.unit) == pytest.approx([HIGHEST_ALPHA * 2, 0.0])
    nothing = problem(np.zeros((0, 2)), np.array([1.0, 0.0]), np.zeros(2))
    assert maximum(nothing, most=HIGHEST_ALPHA * nothing.unit).tolist() == [0, 0]


def exact_bounds(task: Problem, beta: Floats, sender: int, drop: float) -> tuple[float, float, float]:
    """Return the profile likelihood's interval and its ratio against 0, everything else fitted again at each point."""
    most = HIGHEST_ALPHA * task.unit

    def fall(value: float) -> float:
        """Twice the fall with the coefficient held: its exposure is a constant of each event."""
        others = np.arange(len(beta)) != sender

        def minus(rest: Floats) -> tuple[float, Floats]:
            full = np.insert(rest, sender, value)
            slope = odds(task.events @ full)
            return -task.value(full), (task.survived - task.events.T @ slope)[others]

        start = np.maximum(beta[others], 1e-2)
        bounds = [(1e-10, top) for top in most[others]]
        peer = optimize.minimize(minus, start, jac=True, bounds=bounds, options={"ftol": 1e-13, "maxiter": 5000})
        return float(2 * (task.value(beta) + peer.fun))

    at_zero = fall(0.0)
    low = optimize.brentq(lambda x: fall(x) - drop, 0, beta[sender]) if at_zero > drop else 0.0
    high = optimize.brentq(lambda x: fall(x) - drop, beta[sender], beta[sender] + 30 * np.sqrt(beta[sender] + 1))
    return low, high, at_zero


def test_intervals_are_near_those_of_the_exact_profile() -> None:
    """Many entries: exact Poisson bounds and the likelihood's agree, and the profile has the shape it is taken for."""
    task = random_problem(5, events=400, coefficients=6)
    beta = maximum(task, most=HIGHEST_ALPHA * task.unit)
    mine = evidence(task, beta, senders=5, most=HIGHEST_ALPHA * task.unit, products=None)
    for sender in np.flatnonzero(beta[:5] > 20):
        low, high, ratio = exact_bounds(task, beta, int(sender), 3.841)
        width = high - low
        assert mine.low[sender] == pytest.approx(low, abs=0.06 * width) and mine.low[sender] <= low + 0.01 * width
        assert mine.high[sender] == pytest.approx(high, abs=0.06 * width) and mine.high[sender] >= high - 0.01 * width
        assert (mine.p[sender] < 0.025) == (ratio > 3.841)


def test_interval_of_a_sender_without_events_is_the_exact_poisson_one() -> None:
    events = np.array([[0.0, 1.0], [0.0, 1.0]])
    task = problem(events, np.array([50.0, 100.0]), np.zeros(2))
    beta = maximum(task, most=HIGHEST_ALPHA * task.unit)
    mine = evidence(task, beta, senders=1, most=HIGHEST_ALPHA * task.unit, products=None)
    assert (mine.low[0], mine.p[0]) == (0, 1)
    assert mine.high[0] == pytest.approx(-np.log(0.025))


def test_the_upper_bound_is_finite_where_a_sender_cannot_be_told_from_another() -> None:
    """Two senders precede the same entries; one explains them, and of the other no more is known than all are its."""
    events = np.array([[1.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    task = problem(events, np.array([50.0, 60.0, 100.0]), np.zeros(3))
    beta = maximum(task, most=HIGHEST_ALPHA * task.unit)
    assert beta[1] == 0
    mine = evidence(task, beta, senders=2, most=HIGHEST_ALPHA * task.unit, products=None)
    assert (mine.low[1], mine.p[1]) == (0, 1)
    assert mine.high[1] == pytest.approx(stats.chi2.isf(0.025, 2 * (2 + 1)) / 2 / task.survived[1])
    events[0, 1] += 1e-7
    nearly = problem(events, np.array([50.0, 60.0, 100.0]), np.zeros(3))
    mine = evidence(nearly, beta, senders=2, most=HIGHEST_ALPHA * task.unit, products=None)
    assert np.isfinite(mine.high).all()


# ── lags ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("median", "window"), [(0.3, 60), (7.0, 60), (25.0, 56)])
def test_lag_density_has_its_median_and_integral(median: float, window: int) -> None:
    share = reached(np.array([median]), window)[0]
    theta = rate_of(np.array([median]), window)[0]
    assert (share[0], share[-1]) == (0, 1)
    assert np.expm1(-theta * median) / np.expm1(-theta * window) == pytest.approx(0.5, abs=1e-12)
    unseen = integrate.quad(lambda x: (7 - x) / 7 * theta * np.exp(-theta * x) / -np.expm1(-theta * window), 0, 7)[0]
    assert observable(np.array([median]), window, 7)[0] == pytest.approx(1 - unseen, abs=1e-9)


def test_lags_are_found_again() -> None:
    entries, _ = simulated(World(markets=5, tracks=4000, days=400, density=0.4, lag=6.0, strength=2.0), 3)
    shared = summed_hazard(entries, lag="shared", penalty=0, robust=False)
    assert shared.lag_median == pytest.approx(6, rel=0.12)
    assert (shared.table["lag_median"] == shared.lag_median).all()
    own = summed_hazard(entries, lag="pair", penalty=0, robust=False)
    strong = own.table[own.table["credits"] > 60]
    assert len(strong) and strong["lag_median"].between(4, 9).all()


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def four_tracks() -> Entries:
    """Four tracks enter SE on day 40; one enters US a day later; charts of both on 120 days."""
    tracks = {f"été {number}": {"SE": 40} for number in range(4)}
    tracks["été 0"]["US"] = 41
    return study({"SE": range(120), "US": range(120)}, tracks, washout=28).open()


def test_one_follower_of_four() -> None:
    """One event with exposure g, three tracks followed through the window: g / (e^(αg) − 1) = 3."""
    found = summed_hazard(four_tracks(), lag=0.5, window=30, horizon=60, penalty=0)
    row = found.table.set_index(["source", "target"]).loc["SE", "US"]
    g = 1 - 0.5 ** (1 / 0.5)
    assert row["alpha"] == pytest.approx(np.log1p(g / 3) / g, rel=1e-4)
    assert (row["exposed"], row["joint"]) == (4, 0)
    assert row["credits"] == pytest.approx(1, abs=1e-6)
    assert row["exposure"] == pytest.approx(3 + g, rel=1e-4)
    assert found.entry_credits(track="été 0").to_numpy().tolist() == [["été 0", "US", "SE", pytest.approx(1, abs=1e-6)]]
    back = found.table.set_index(["source", "target"]).loc["US", "SE"]
    assert np.isnan(back["alpha"]) and np.isnan(back["p"])


def test_penalty_adds_tracks_that_did_not_follow() -> None:
    found = summed_hazard(four_tracks(), lag=0.5, window=30, horizon=60, penalty=2, ages=(0,))
    row = found.table.set_index(["source", "target"]).loc["SE", "US"]
    g = 1 - 0.5 ** (1 / 0.5)
    assert row["shrunk"] == pytest.approx(np.log1p(g / 5) / g, rel=1e-4)


def test_a_tie_is_nobodys_source_but_bounds_what_may_be() -> None:
    days, tracks = range(120), {f"t{number}": {"SE": 40, "US": 40} for number in range(3)}
    tracks |= {f"u{number}": {"SE": 40} for number in range(3)} | {"v": {"SE": 40, "US": 60}}
    found = summed_hazard(study({"SE": days, "US": days}, tracks, washout=28).open(), lag=5.0, penalty=0, window=30)
    row = found.table.set_index(["source", "target"]).loc["SE", "US"]
    assert (row["joint"], row["exposed"]) == (3, 4)
    assert row["alpha_if_ties"] == pytest.approx((row["credits"] + 3) / (row["exposure"] + 3))
    assert row["alpha_if_ties"] > row["alpha"]


# ── what cannot be ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: study({"SE": range(80)}, {"t": {"SE": 40}}, washout=28), "one market"),
        (lambda: study({"SE": range(80), "US": range(80)}, {"t": {"SE": 4}}, washout=28), "no track has a timed debut"),
        (lambda: study({"SE": range(80), "US": range(80)}, {"t": {"SE": 40}}, washout=28), "no track entered"),
        (lambda: study({"SE": range(80), "US": range(80)}, {}, washout=28), "no track has a timed debut"),
    ],
)
def test_data_that_cannot_answer_say_so(build: Callable[[], Study], message: str) -> None:
    with pytest.raises(DataSaysNoError, match=message):
        summed_hazard(build().open())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"window": 0}, "window is 0"),
        ({"horizon": 0}, "horizon is 0"),
        ({"penalty": -1.0}, "penalty is '-1.0'"),
        ({"penalty": "bic"}, "penalty is 'bic'"),
        ({"lag": 40.0}, "does not fit a window"),
        ({"lag": "all"}, "lag is 'all'"),
        ({"periods": "month"}, "periods is 'month'"),
        ({"ages": (1, 7)}, "must begin with 0"),
        ({"frailty": "normal"}, "frailty is 'normal'"),
    ],
)
def test_settings_that_cannot_be_say_so(setting: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        summed_hazard(four_tracks(), **setting)  # type: ignore[arg-type]


def test_results_answer_only_what_they_hold(found: SummedHazard) -> None:
    with pytest.raises(DataSaysNoError, match="no entry of 'x' into 'IN'"):
        found.entry_credits(track="x", market="IN")
    with pytest.raises(SettingError, match="no column 'weight'"):
        found.matrix("weight")


# ── the result as a whole ────────────────────────────────────────────────────────────────────────────────────────────


def test_table_is_whole_and_consistent(found: SummedHazard) -> None:
    table = found.table
    assert len(table) == 6 * 5 and not table.duplicated(["source", "target"]).any()
    assert ((table["low"] <= table["alpha"]) & (table["alpha"] <= table["high"])).all()
    assert ((table["low"] > 0) == (table["p"] < 0.025)).all()
    assert (table["shrunk"] <= table["alpha"] + 1e-9).mean() > 0.8
    assert (table["exposure"] <= table["exposed"]).all()
    owed = found.entry_credits().groupby(["market", "source"])["credit"].sum()
    there = table[table["credits"] > 0].set_index(["target", "source"])["credits"]
    assert there.to_dict() == pytest.approx(owed.to_dict(), abs=1e-3)
    assert found.matrix()[0, 0] != found.matrix()[0, 0]
    assert repr(found).startswith("<SummedHazard: 6 markets")


def test_order_of_tracks_and_threads_change_nothing(small: tuple[Entries, Network], found: SummedHazard) -> None:
    entries = small[0]
    shuffled = replace(entries, table=entries.table.take(np.random.default_rng(0).permutation(len(entries))))
    pd.testing.assert_frame_equal(summed_hazard(shuffled).table, found.table)


def test_copies_of_a_track_count_once() -> None:
    """Three copies of every track, each trio by one artist: thrice the credits, the same α and the same width."""
    entries, _ = simulated(replace(SMALL, markets=4, tracks=400), 2)
    tables, artists = [], []
    for copy in "abc":
        ids = pa.array([f"{track}{copy}" for track in entries.table["track_id"].to_pylist()])
        tables.append(entries.table.set_column(0, "track_id", ids))
        names = sorted(set(entries.table["track_id"].to_pylist()))
        artists.append(pa.table({"track_id": [name + copy for name in names], "artist": names}))
    tripled = replace(entries, table=pa.concat_tables(tables), described=pa.concat_tables(artists))
    once, thrice = summed_hazard(entries, lag=4.0, penalty=0), summed_hazard(tripled, lag=4.0, penalty=0)
    loose = summed_hazard(tripled, lag=4.0, penalty=0, robust=False)
    seen = once.table["credits"] > 5
    owed = [3 * credit for credit in once.table["credits"][seen]]
    assert thrice.table["credits"][seen].to_list() == pytest.approx(owed, rel=1e-3)
    assert thrice.table["alpha"][seen].to_list() == pytest.approx(once.table["alpha"][seen].to_list(), rel=1e-3)
    assert (once.table["inflation"] == 1).all()
    assert thrice.table["inflation"].to_list() == pytest.approx([3.0] * len(thrice.table), rel=1e-3)
    assert thrice.table["low"][seen].to_list() == pytest.approx(once.table["low"][seen].to_list(), rel=0.02, abs=1e-4)
    assert (loose.table["low"][seen] > thrice.table["low"][seen] - 1e-12).all()


# ── known truth ──────────────────────────────────────────────────────────────────────────────────────────────────────


def with_truth(world: World, seed: int, **settings: object) -> pd.DataFrame:
    """Return the table of a fit with the true α beside, the part of it that later charts can show."""
    entries, network = simulated(world, seed)
    fit = summed_hazard(entries, penalty=0, **settings)  # type: ignore[arg-type]
    number = {market: at for at, market in enumerate(fit.markets)}
    at = [fit.table[side].map(number).to_numpy() for side in ("source", "target")]
    return fit.table.assign(truth=true_alpha(network, entries)[at[0], at[1]] * fit.table["observable"])


def coverage(table: pd.DataFrame) -> tuple[float, float, int]:
    """Return coverage where 10 credits or more are expected, lower bounds above a true 0, and intervals counted."""
    some = table[(table["truth"] > 0) & (table["truth"] * table["exposure"] >= 10)]
    inside = (some["low"] <= some["truth"]) & (some["truth"] <= some["high"])
    return float(inside.mean()), float((table["low"][table["truth"] == 0] > 0).mean()), len(some)


def test_known_influence_is_found_again() -> None:
    world = World(markets=6, tracks=1500, days=400, density=0.3, lag=LAG)
    table = pd.concat([with_truth(world, seed, lag=LAG) for seed in range(3)])
    inside, above, counted = coverage(table)
    assert counted >= 20 and inside >= 0.8 and above <= 0.12


@pytest.mark.slow
@pytest.mark.parametrize("lag", [LAG, "shared", "pair"])
def test_intervals_cover_the_truth(lag: float | str) -> None:
    world = World(markets=8, tracks=2000, days=400, density=0.15, lag=LAG)
    inside, above, counted = coverage(pd.concat([with_truth(world, seed, lag=lag) for seed in range(100)]))
    assert counted >= 500
    assert 0.90 <= inside <= 0.98
    assert above <= 0.05


def precisions(world: World, seed: int) -> dict[str, float]:
    """Return the average precision with which each method finds the edges."""
    entries, network = simulated(world, seed)
    fit = summed_hazard(entries)
    edges = netinf(track_cascades(entries.timelines), edges=10_000, rate=0.2)
    place = edges.assign(place=len(edges) - np.arange(len(edges)))
    pairs = fit.table.merge(transitions(entries)[["source", "target", "tracks", "rate"]])
    pairs = pairs.merge(place[["source", "target", "place"]], how="left")
    pairs = pairs.fillna({"place": 0.0, "rate": 0.0, "shrunk": 0.0})
    number = {market: at for at, market in enumerate(fit.markets)}
    truth = true_alpha(network, entries)[pairs["source"].map(number), pairs["target"].map(number)] > 0
    return {name: float(average_precision_score(truth, pairs[name])) for name in ("shrunk", "tracks", "rate", "place")}


TIES = Switches(ties=True, background=True, launches=False, gaps=False)


def test_edges_are_found_better_than_by_counts() -> None:
    found = precisions(World(markets=10, tracks=1200, switches=TIES), 1)
    assert found["shrunk"] > max(found["tracks"], found["rate"]) + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("cadence", [1, 7])
def test_edges_are_found_better_than_by_counts_and_netinf(cadence: int) -> None:
    world = World(markets=15, tracks=3000, switches=TIES, cadence=cadence)
    mean = pd.DataFrame([precisions(world, seed) for seed in range(10)]).mean()
    assert mean["shrunk"] > max(mean["tracks"], mean["rate"]) + 0.1
    assert mean["shrunk"] > mean["place"] + 0.02


def popular(seed: int) -> Entries:
    """Entries without any influence; some tracks are popular everywhere, most hardly anywhere."""
    rng = np.random.default_rng(seed)
    n, m, days = 1000, 6, 300
    debut = rng.integers(0, days - 100, n) + rng.random(n)
    scale = rng.gamma(0.25, 4, (n, 1))
    entered = debut[:, None] + rng.exponential(1, (n, m)) / (0.004 * scale + 1e-12)
    entered = np.where(entered < debut[:, None] + 28, entered, np.inf)
    entered[np.arange(n), rng.integers(0, m, n)] = debut
    return observed(entered, ("SE", "US", "DE", "FR", "GB", "IN"), World(days=days))


def test_the_models_p_is_no_test_of_influence() -> None:
    """Where interest falls with age and nobody influences anybody, it is small for most pairs: hence no verdict."""
    table = summed_hazard(world("falling", tracks=2000, markets=6, seed=1).entries, penalty=0).table
    assert (table["p"] <= 0.05).mean() > 0.5


def test_frailty_takes_shared_popularity_out_of_alpha() -> None:
    entries = popular(4)
    plain, gamma = summed_hazard(entries, penalty=0), summed_hazard(entries, penalty=0, frailty="gamma")
    assert gamma.table["credits"].sum() < 0.8 * plain.table["credits"].sum()
    assert (gamma.table["low"] > 0).sum() < (plain.table["low"] > 0).sum()
    assert gamma.frailty is not None and plain.frailty is None
    assert gamma.frailty["variance"][0] > 1
    classes = summed_hazard(entries, penalty=0, frailty="footprint").frailty
    assert classes is not None
    assert classes["tracks"].sum() == len(np.unique(entries.timelines.track[entries.timelines.timed]))
    assert (classes["scale"] * classes["tracks"]).sum() == pytest.approx(classes["tracks"].sum())


@pytest.mark.slow
def test_largest_lower_bounds_of_the_packaged_charts() -> None:
    """They lie between neighbours."""
    with diffusion.open_sample() as charts:
        found = summed_hazard(charts.entries(), lag=3.0, penalty=0)
    best = found.table.nlargest(10, "low")
    pairs = set(zip(best["source"], best["target"], strict=True))
    assert {("UA", "RU"), ("SG", "MY"), ("GB", "IE")} <= pairs

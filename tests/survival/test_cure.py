"""Mixture cure models against a likelihood written plainly and simulated truth; whether follow-up suffices."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

import diffusion
from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats
from survival import CureFit, cure, follow_up_test, frame_waits, waits
from survival.counting.frame import FrameWaits
from survival.regression.distributions import FAMILIES, Family

HORIZON = 180

GROUPS = pd.DataFrame({"x": [0, 1], "z": [0.0, 0.0]})


def counted_by(frame: pd.DataFrame) -> FrameWaits:
    return frame_waits(
        frame,
        days="days",
        entered="entered",
        start="start",
        after="after",
        cluster="artist" if "artist" in frame else None,
    )


def mixed(rng: np.random.Generator, size: int, *, scale: float = 25.0, step: int = 1) -> pd.DataFrame:
    """Return waits of which 75 % (x = 0) or 50 % (x = 1) never enter; the others' times are Weibull."""
    x, z = rng.integers(0, 2, size), rng.integers(-1, 2, size)
    time = scale * np.exp(0.4 * z + 0.8 * np.log(rng.exponential(size=size)))
    never = rng.random(size) < np.where(x == 1, 0.5, 0.75)
    return followed(rng, np.where(never, np.inf, time), step).assign(x=x, z=z)[lambda frame: frame["kept"]]


def followed(rng: np.random.Generator, time: Floats, step: int = 1) -> pd.DataFrame:
    """Return what charts show of times: on a grid, to the horizon or the end of coverage, some from late on."""
    seen = np.maximum(np.ceil(time / step), 1) * step
    end = np.where(rng.random(len(time)) < 0.7, HORIZON, rng.integers(60, HORIZON, len(time))) // step * step
    start = np.where(rng.random(len(time)) < 0.1, rng.integers(0, 21, len(time)), 0) // step * step
    days = np.minimum(seen, end).astype(int)
    after = np.maximum(days - step, start)
    return pd.DataFrame({"start": start, "days": days, "after": after, "entered": seen <= end, "kept": seen > start})


def by_artist(rng: np.random.Generator, artists: int, shares: tuple[float, ...], scale: float) -> pd.DataFrame:
    """Return waits of artists, of which a handful have much: each has its own share that never enters, and own speed.

    The mean of `shares` over artists is the truth; times are gamma, not a family of the models without shape.
    """
    size = np.minimum(np.ceil(rng.pareto(1.3, artists) * 4), 150).astype(int)
    artist = np.repeat(np.arange(artists), size)
    x = ((rng.random(artists) < 0.5)[artist] & (rng.random(len(artist)) < 0.8)).astype(int) % len(shares)
    rank, mean = rng.random(artists)[artist], np.array(shares)[x]
    never = rng.random(len(artist)) < stats.beta.ppf(rank, 12 * mean, 12 * (1 - mean))
    speed = np.exp(rng.normal(0, 0.2, artists))[artist]
    time = scale * speed * rng.gamma(1.3, 1 / 1.3, len(artist))
    frame = followed(rng, np.where(never, np.inf, time)).assign(artist=artist, x=x)
    return frame[frame["kept"]]


def plain_maximum(frame: pd.DataFrame, family: Family) -> tuple[Floats, float]:
    """Return coefficients and log-likelihood of the cure model, row by row, by scipy's search without derivatives."""
    left = {
        "weibull": lambda z: np.exp(-np.exp(z)),
        "lognormal": lambda z: stats.norm.sf(z),
        "loglogistic": lambda z: 1 / (1 + np.exp(z)),
    }[family]
    x, z, entered = (frame[name].to_numpy() for name in ("x", "z", "entered"))

    def loss(theta: Floats) -> float:
        cured = special.expit(theta[0] + theta[1] * x)

        def survival(days: pd.Series) -> Floats:
            log_time = np.log(np.maximum(days.to_numpy(), 1e-300))
            return np.asarray(cured + (1 - cured) * left((log_time - theta[2] - theta[3] * z) / np.exp(theta[4])))

        ends = np.where(entered, survival(frame["after"]) - survival(frame["days"]), survival(frame["days"]))
        return -float(np.log(ends).sum() - np.log(survival(frame["start"])).sum())

    start = np.array([0.5, 0.0, np.log(30), 0.0, 0.0])
    found = optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-3})
    found = optimize.minimize(
        loss, found.x, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000}
    )
    return found.x, -found.fun


@pytest.mark.parametrize("family", FAMILIES[:3])
def test_estimates_are_those_of_a_plain_search(family: Family) -> None:
    frame = mixed(np.random.default_rng(1), 600, step=7 if family == "weibull" else 1)
    theta, log_likelihood = plain_maximum(frame, family)
    fit = cure(counted_by(frame), "z", cured="x", family=family)
    assert fit.log_likelihood_ == pytest.approx(log_likelihood, abs=1e-6)
    np.testing.assert_allclose(fit.coefficients, theta, atol=2e-4)


def test_errors_are_those_of_differences() -> None:
    """Model-based errors come from the second derivatives of the plain likelihood."""
    frame = mixed(np.random.default_rng(2), 800)
    fit = cure(counted_by(frame), "z", cured="x")
    moved = []
    for at in range(5):
        step = 1e-4 * (np.arange(5) == at)
        moved.append((_gradient(frame, fit.coefficients + step) - _gradient(frame, fit.coefficients - step)) / 2e-4)
    error = np.sqrt(np.diag(np.linalg.inv(-np.array(moved))))
    np.testing.assert_allclose(fit.standard_errors_, error, rtol=1e-3)


def _gradient(frame: pd.DataFrame, theta: Floats) -> Floats:
    """Return the gradient of the plain log-likelihood of the Weibull by differences."""

    def value(at: Floats) -> float:
        cured = special.expit(at[0] + at[1] * frame["x"])
        low, high, start = (
            cured
            + (1 - cured)
            * np.exp(-np.exp((np.log(np.maximum(frame[name], 1e-300)) - at[2] - at[3] * frame["z"]) / np.exp(at[4])))
            for name in ("after", "days", "start")
        )
        return float((np.log(np.where(frame["entered"], low - high, high)) - np.log(start)).sum())

    return np.array([(value(theta + step) - value(theta - step)) / 2e-4 for step in 1e-4 * np.eye(5)])


@pytest.mark.parametrize("family", ["weibull", "generalized_gamma"])
@pytest.mark.parametrize("step", [1, 7])
def test_truth_is_found(family: Family, step: int) -> None:
    fit = cure(counted_by(mixed(np.random.default_rng(3), 6_000, step=step)), "z", cured="x", family=family)
    truth = [special.logit(0.75), -special.logit(0.75), np.log(25), 0.4, np.log(0.8)]
    truth += [1.0] if family == "generalized_gamma" else []
    assert (np.abs(fit.coefficients - truth) < 4 * fit.standard_errors_.to_numpy()).all()
    share = fit.cured_share(GROUPS)
    assert share["share"].tolist() == ["never enters"] * 2
    assert (share["low"] < [0.75, 0.5]).all()
    assert (share["high"] > [0.75, 0.5]).all()
    assert (share["high"] - share["low"] < 0.06).all()


@pytest.fixture(scope="module")
def fit() -> CureFit:
    return cure(counted_by(mixed(np.random.default_rng(4), 4_000)), "z", cured="x")


def test_the_cured_share_is_on_the_logit_scale(fit: CureFit) -> None:
    share = fit.cured_share(GROUPS)
    assert special.logit(share["estimate"]).tolist() == pytest.approx(
        [fit.params_["cured: Intercept"], fit.params_["cured: Intercept"] + fit.params_["cured: x"]]
    )
    half = 1.96 * fit.standard_errors_["cured: Intercept"]
    assert special.logit(share.loc[0, "high"]) - fit.params_["cured: Intercept"] == pytest.approx(half, rel=1e-4)


def test_curves_end_above_the_cured_share(fit: CureFit) -> None:
    curves = fit.predict_survival_function(GROUPS)
    share = fit.cured_share(GROUPS)["estimate"]
    assert (curves.loc[0] == 1).all()
    assert (curves.loc[HORIZON] > share).all()
    assert (curves.loc[HORIZON] < share + 0.01).all()
    assert fit.predict_median(GROUPS)[0] == np.inf
    assert fit.median_survival_time_ == np.inf
    chance = fit.probability(GROUPS, HORIZON)
    np.testing.assert_allclose(chance["estimate"], 1 - curves.loc[HORIZON])


def test_variables_are_those_of_both_formulas(fit: CureFit) -> None:
    assert fit.variables == ("x", "z")
    assert fit.summary.index.tolist() == ["cured: Intercept", "cured: x", "Intercept", "z", "log(scale)"]
    assert fit.sufficient.to_dict() == {0: True, 1: True}
    assert fit.share_name.to_dict() == {0: "never enters", 1: "never enters"}


def test_no_share_is_claimed_where_follow_up_is_short() -> None:
    """Half of those who enter do so after the horizon."""
    fit = cure(counted_by(mixed(np.random.default_rng(5), 6_000, scale=200)), "z", cured="x")
    assert not fit.sufficient.any()
    share = fit.cured_share(GROUPS)
    assert share["share"].tolist() == ["not entered by the horizon"] * 2
    later = fit.probability(GROUPS, HORIZON)
    np.testing.assert_allclose(share["estimate"], 1 - later["estimate"])
    assert (share["low"] < share["estimate"]).all()
    np.testing.assert_allclose(
        share["high"] - share["low"], later["high"] - later["low"], rtol=0.02
    )  # of another scale


def test_groups_of_follow_up_can_be_chosen() -> None:
    source = counted_by(mixed(np.random.default_rng(6), 4_000))
    fit = cure(source, "1", cured="x + z", follow_up_by=("x",))
    assert fit.sufficient.index.tolist() == [0, 1]
    values = pd.DataFrame({"x": [0, 1, 2], "z": [0, 1, 0]})
    assert fit.cured_share(values)["share"].tolist() == ["never enters", "never enters", "not entered by the horizon"]
    with pytest.raises(SettingError, match="unknown variable 'x'; there are z"):
        cure(source, "1", cured="z", follow_up_by=("x",)).cured_share(values[["z"]])
    assert cure(source, "1").sufficient.to_dict() == {"all": True}


def test_a_share_that_runs_to_0_is_refused() -> None:
    rng = np.random.default_rng(7)
    frame = followed(rng, rng.uniform(0, 150, 800)).assign(x=rng.integers(0, 2, 800))
    frame = frame[frame["kept"]]
    with pytest.raises(DataSaysNoError, match="never enters runs to 0: there is no plateau; `aft` fits such waits"):
        cure(counted_by(frame), "1")
    half = pd.concat([frame[frame["x"] == 1], mixed(rng, 800).assign(x=0)])
    with pytest.raises(DataSaysNoError, match="never enters runs to 0 where x = 1"):
        cure(counted_by(half), "1", cured="x")


def test_a_share_that_runs_to_1_is_refused() -> None:
    frame = mixed(np.random.default_rng(8), 800)
    frame.loc[frame["x"] == 1, "entered"] = False
    with pytest.raises(DataSaysNoError, match="never enters runs to 1 where x = 1"):
        cure(counted_by(frame), "1", cured="x")


@pytest.mark.parametrize(
    ("entered", "formula", "error", "message"),
    [
        ([0, 0, 0, 0], "1", DataSaysNoError, "none of 4 waits ended with an entry"),
        ([1, 1, 1, 1], "1", DataSaysNoError, "converge|do not bound|runs to 0"),
        ([1, 0, 1, 1], "x + I(x * 2)", SettingError, "combination"),
        ([1, 0, 1, 1], "y", SettingError, "unknown variable 'y'|no column 'y'"),
    ],
)
def test_what_cannot_be_fitted(entered: list[int], formula: str, error: type[ValueError], message: str) -> None:
    frame = pd.DataFrame({"days": [2, 3, 5, 7], "entered": entered, "x": [0, 1, 2, 3]})
    with pytest.raises(error, match=message):
        cure(frame_waits(frame, days="days", entered="entered"), "1", cured=formula)


def test_maller_and_zhou_by_hand() -> None:
    """Last entry on day 14 of 20: the entries of days 9 to 14 are near the end, 3 of 10 waits."""
    frame = pd.DataFrame({"days": [2, 5, 8, 9, 10, 14, 20, 20, 20, 20], "entered": [1] * 6 + [0] * 4})
    row = follow_up_test(frame_waits(frame, days="days", entered="entered")).loc["all"]
    assert row[["waits", "events", "last_day", "last_entry", "near_end"]].tolist() == [10, 6, 20, 14, 3]
    assert row["q"] == pytest.approx(0.3)
    assert row["alpha"] == pytest.approx(0.7**10)
    assert row["entered"] == pytest.approx(0.6)


def test_what_is_to_come_is_extrapolated() -> None:
    """Entries on days 1 … 8 of 8: of 64, half of those left enter in each quarter of follow-up."""
    days = np.repeat([2, 4, 6, 8, 8], [32, 16, 8, 4, 4])
    frame = pd.DataFrame({"days": days, "entered": [1] * 60 + [0] * 4})
    row = follow_up_test(frame_waits(frame, days="days", entered="entered")).loc["all"]
    assert row["to_come"] == pytest.approx(4 / 64)


def test_groups_without_entries_or_with_all_of_them() -> None:
    frame = pd.DataFrame(
        {"days": [9, 9, 9, 1, 2, 3], "entered": [0, 0, 0, 1, 1, 1], "x": list("aaabbb"), "y": [1, 1, 1, 2, 2, 2]}
    )
    table = follow_up_test(frame_waits(frame, days="days", entered="entered"), by=("x", "y"))
    assert table.index.tolist() == [("a", 1), ("b", 2)]
    assert table.loc[("a", 1), ["events", "p", "sufficient"]].tolist() == [0, 1.0, False]
    assert table.loc[("b", 2), "entered"] == pytest.approx(1)


@pytest.mark.parametrize("cluster", ["artist", "independent"])
def test_the_test_of_follow_up_keeps_its_level_at_the_border(cluster: str) -> None:
    """Exponential times of which 5 % come after the horizon: it says so in 5 % of worlds or less."""
    said = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        never = rng.random(3_000) < 0.5
        time = np.where(never, np.inf, -HORIZON / np.log(0.05) * rng.exponential(size=3_000))
        frame = followed(rng, time).assign(artist=np.arange(3_000) // 3)
        frame = frame[frame["kept"]]
        said.append(follow_up_test(counted_by(frame), cluster=cluster).loc["all", "sufficient"])  # type: ignore[arg-type]
    assert np.mean(said) <= 0.07  # 5 % and two standard errors of 100 worlds would be 9.4 %


@pytest.mark.parametrize("world", ["weibull", "lognormal", "steady"])
def test_worlds_without_a_plateau_are_not_called_cured(world: str) -> None:
    for seed in range(15):
        rng = np.random.default_rng(seed)
        error = np.log(rng.exponential(size=3_000)) if world != "lognormal" else rng.normal(size=3_000)
        scale, location = {"weibull": (2.0, 9.0), "lognormal": (2.0, 7.0), "steady": (1.0, 7.0)}[world]
        frame = followed(rng, np.exp(location + scale * error)).assign(artist=np.arange(3_000) // 3)
        frame = frame[frame["kept"]]
        assert not follow_up_test(counted_by(frame)).loc["all", "sufficient"]


@pytest.mark.parametrize("step", [1, 7])
def test_follow_up_that_passes_the_plateau_is_seen(step: int) -> None:
    said = [
        follow_up_test(counted_by(mixed(np.random.default_rng(seed), 3_000, step=step)), by=("x",))["sufficient"].all()
        for seed in range(20)
    ]
    assert np.mean(said) >= 0.9


def test_many_groups_at_the_border_are_not_called_cured_by_chance() -> None:
    """Twenty groups of which 5 % of the entries come after the horizon: by chance, some p is below .05."""
    rng = np.random.default_rng(4)
    time = np.where(rng.random(80_000) < 0.5, np.inf, -HORIZON / np.log(0.05) * rng.exponential(size=80_000))
    frame = followed(rng, time).assign(x=np.arange(80_000) % 20, artist=np.arange(80_000))
    table = follow_up_test(counted_by(frame[frame["kept"]]), by=("x",))
    assert (table["p"] < 0.05).any()
    assert not table["sufficient"].any()


def test_one_artist_proves_nothing() -> None:
    frame = mixed(np.random.default_rng(10), 3_000).assign(artist=1)
    assert follow_up_test(counted_by(frame)).loc["all", "p"] == 1
    assert follow_up_test(counted_by(frame), cluster="independent").loc["all", "p"] < 0.05


def test_unknown_cluster_and_variable() -> None:
    source = counted_by(mixed(np.random.default_rng(9), 100))
    with pytest.raises(SettingError, match="unknown cluster 'label'"):
        follow_up_test(source, cluster="label")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="'w'"):
        follow_up_test(source, by=("w",))


def test_waits_of_entries_by_cluster() -> None:
    with diffusion.open_sample() as charts:
        source = waits(charts.entries(), horizon=60)
    table = follow_up_test(source, by=("language_match",))
    assert table.index.tolist() == ["no", "yes"]
    assert table["events"].tolist() == source.counted(("language_match",)).entered.sum(axis=1).tolist()
    assert (table["p"].between(0, 1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("family", ["weibull", "generalized_gamma"])
def test_intervals_of_cured_shares_keep_their_rate(family: Family) -> None:
    """300 artists, a handful of whom have much; times are none of the Weibull. Both shares within .93 to .97."""
    shares, worlds = (0.75, 0.5), 400
    within = np.zeros((worlds, 2))
    for seed in range(worlds):
        frame = by_artist(np.random.default_rng(seed), 300, shares, 25.0)
        found = cure(counted_by(frame), "x", cured="x", family=family).cured_share(GROUPS)
        within[seed] = (found["low"] <= shares) & (found["high"] >= shares)
    assert (within.mean(axis=0) >= 0.92).all()
    assert (within.mean(axis=0) <= 0.98).all()

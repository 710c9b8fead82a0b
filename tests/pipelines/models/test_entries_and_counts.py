"""Logistic and count regressions of entries against scikit-learn, statsmodels and scipy, on examples of known law."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn.linear_model import LogisticRegression

from pipelines.features.registry import Feature
from pipelines.models.counts import LAWS, CountModel, TrackCounts, count_scores, log_likelihood
from pipelines.models.examples import Examples
from pipelines.models.logistic import Logistic, entry_summary
from pipelines.models.preparation import Columns, preparation


def examples_of(tracks: int = 400, markets: int = 6, seed: int = 0, spread: float = 0.0) -> Examples:
    """Return candidates whose chance of entry depends on a feature of the track, one of the pair, and luck by track.

    A third feature is noise, half of it missing, a fourth is the same everywhere.
    """
    rng = np.random.default_rng(seed)
    observation = np.repeat(np.arange(tracks), markets).astype(np.int32)
    of_track = rng.normal(size=tracks)[observation]
    of_pair = rng.normal(size=len(observation))
    luck = rng.gamma(1 / spread, spread, tracks) if spread else np.ones(tracks)
    p = np.minimum(0.9, 0.12 * np.exp(0.8 * of_track) * luck[observation])
    entered = rng.random(len(p)) < p
    noise = np.where(rng.random(len(p)) < 0.5, np.nan, rng.normal(size=len(p)))
    values = np.column_stack([of_track, of_pair, noise, np.ones(len(p))]).astype(np.float32)
    names = ("strength", "distance", "noise", "same")
    return Examples(
        features=tuple(Feature(name, "score", "A number.", ("charts",), "as of", "track") for name in names),
        values=values,
        observation=observation,
        market=np.tile(np.arange(markets), tracks).astype(np.int16),
        track=observation.astype(np.int64),
        artist=observation.astype(np.int64) // 3,
        day=np.zeros(len(p), np.int32),
        debut=np.zeros(len(p), np.int32),
        entered=entered,
        days=np.where(entered, 7, np.nan).astype(np.float32),
        horizon=56,
    )


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_logistic_is_that_of_scikit_learn(penalty: str) -> None:
    examples, later = examples_of(), examples_of(seed=1)
    model = Logistic(penalty, 0.05).fit(examples)  # type: ignore[arg-type]
    frame = _frame(examples)
    prepare = preparation(Columns.of(frame))
    theirs = LogisticRegression(C=0.05, l1_ratio=float(penalty == "l1"), solver="saga", tol=1e-8, max_iter=50_000)
    theirs.fit(prepare.fit_transform(frame), examples.entered)
    forecast = model.predict(later)
    assert forecast.p == pytest.approx(theirs.predict_proba(prepare.transform(_frame(later)))[:, 1], abs=2e-3)
    assert forecast.p.mean() == pytest.approx(later.entered.mean(), abs=0.03)
    assert set(forecast.expected_days) == {7.0}
    found = model.coefficients()
    assert found["strength"] > 0.2
    assert (found["noise"] == 0) == (penalty == "l1")


def _frame(examples: Examples):
    import pandas as pd

    return pd.DataFrame(examples.values, columns=examples.names)


def test_the_outcomes_are_not_read_by_predict() -> None:
    examples = examples_of()
    model = Logistic().fit(examples)
    blind = examples.where(np.ones(len(examples), bool))
    blind.entered[:] = False
    blind.days[:] = np.nan
    assert np.array_equal(model.predict(blind).p, model.predict(examples).p)


def test_the_summary_of_entries_finds_what_matters() -> None:
    table = entry_summary(examples_of(800)).set_index("term")
    assert table.index.tolist() == ["intercept", "strength", "distance", "noise", "missingindicator_noise"]
    assert table.loc["strength", "p"] < 1e-10
    assert (table.loc[["distance", "noise"], "p"] > 0.001).all()


def test_counts_are_of_observations() -> None:
    examples = examples_of(5, 3)
    shuffled = examples.where(np.random.default_rng(0).permutation(15))
    for one in (examples, shuffled):
        counts = TrackCounts.of(one)
        assert counts.entered.tolist() == [int(examples.entered[examples.observation == k].sum()) for k in range(5)]
        assert counts.candidates.tolist() == [3] * 5
        assert counts.frame["strength"].tolist() == pytest.approx(examples.values[::3, 0].tolist())
        expected = [np.nanmean(np.append(part, np.nan)) if np.isfinite(part).any() else np.nan
                    for part in examples.values[:, 2].reshape(5, 3)]  # fmt: skip
        assert counts.frame["noise"].tolist() == pytest.approx(expected, nan_ok=True)


def test_count_models_are_those_of_statsmodels() -> None:
    counts = TrackCounts.of(examples_of(600, spread=1.5))
    prepare = preparation(Columns.of(counts.frame))
    design = sm.add_constant(np.asarray(prepare.fit_transform(counts.frame)))
    poisson = CountModel("poisson").fit(counts)
    theirs = sm.Poisson(counts.entered, design, exposure=counts.candidates).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": counts.artist}
    )
    assert poisson.summary()["coefficient"].to_numpy() == pytest.approx(theirs.params, abs=1e-5)
    assert poisson.summary()["standard_error"].to_numpy() == pytest.approx(theirs.bse, rel=1e-3)
    both = CountModel("negative binomial").fit(counts)
    full = sm.NegativeBinomial(counts.entered, design, exposure=counts.candidates).fit(disp=0, maxiter=200)
    assert both.dispersion == pytest.approx(full.params[-1], rel=1e-3)
    assert both.summary()["coefficient"].to_numpy() == pytest.approx(full.params[:-1], abs=1e-3)
    assert both.predict(counts) == pytest.approx(full.predict(design, exposure=counts.candidates), rel=1e-2)


def test_the_laws_are_those_of_scipy() -> None:
    entered, mean = np.array([0, 1, 4]), np.array([0.5, 2.0, 3.0])
    assert log_likelihood(entered, mean, 0.0) == pytest.approx(stats.poisson.logpmf(entered, mean))
    theirs = stats.nbinom.logpmf(entered, 1 / 0.7, 1 / (1 + 0.7 * mean))
    assert log_likelihood(entered, mean, 0.7) == pytest.approx(theirs)


def test_counts_beat_the_constant_where_there_is_something_to_know() -> None:
    fitted, later = (TrackCounts.of(examples_of(600, seed=seed, spread=1.5)) for seed in (0, 1))
    scores = count_scores({law: CountModel(law).fit(fitted) for law in LAWS}, later).set_index("law")
    assert scores.loc["constant", "skill"] == 0
    assert (scores.loc[["poisson", "negative binomial"], "skill"] > 0.1).all()
    assert scores["log_likelihood"].idxmax() == "negative binomial"
    assert scores["expected"].to_numpy() == pytest.approx(scores["entered"].to_numpy(), rel=0.2)


def test_counts_that_were_dealt_at_random_are_not_predicted() -> None:
    fitted, later = (TrackCounts.of(_dealt(examples_of(600, seed=seed, spread=1.5), seed)) for seed in (2, 3))
    scores = count_scores({law: CountModel(law).fit(fitted) for law in LAWS}, later).set_index("law")
    assert (scores["skill"].abs() < 0.03).all()


def _dealt(examples: Examples, seed: int) -> Examples:
    """Return the same candidates with the outcomes of the tracks dealt at random."""
    rng = np.random.default_rng(seed)
    rows = examples.entered.reshape(-1, 6)
    dealt = examples.where(np.ones(len(examples), bool))
    dealt.entered[:] = rows[rng.permutation(len(rows))].ravel()
    return dealt

"""Linear models agree with scikit-learn and statsmodels, and splits in time keep their gap."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score

from diffusion import DataSaysNoError, SettingError
from pipelines.models.fit_scores import gain, r_squared
from pipelines.models.linear import GRID, Linear, coefficient_paths, fitted_grid
from pipelines.models.preparation import Columns, independent, preparation
from pipelines.models.summaries import summary
from pipelines.models.time_folds import TimeFolds, later


def frame_of(rows: int = 300, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a frame with numbers, some of them missing, a constant and two categories; and a target."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "tempo": rng.normal(120, 30, rows),
            "energy": rng.random(rows),
            "same": 1.0,
            "continent": rng.choice(["Asia", "Europe", "Oceania"], rows),
            "explicit": rng.choice(["false", "true"], rows),
        }
    )
    target = 0.01 * frame["tempo"] + frame["energy"] + (frame["continent"] == "Europe") + rng.normal(size=rows)
    frame.loc[rng.random(rows) < 0.2, "energy"] = np.nan
    return frame, target.to_numpy()


def test_numbers_are_filled_flagged_and_standardised_and_categories_one_hot() -> None:
    frame, _ = frame_of()
    columns = Columns.of(frame)
    assert columns.names == ["tempo", "energy", "continent", "explicit"]
    transformer = preparation(columns).fit(frame[:200])
    assert transformer.get_feature_names_out().tolist() == [
        "tempo", "energy", "missingindicator_energy", "continent_Europe", "continent_Oceania", "explicit_true",
    ]  # fmt: skip
    prepared = transformer.transform(frame[:200])
    assert prepared[:, :3].mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    assert prepared[:, :3].std(axis=0) == pytest.approx(np.ones(3))
    energy = frame["energy"][:200]
    filled = energy.fillna(energy.median())
    assert prepared[:, 1] == pytest.approx(((filled - filled.mean()) / filled.std(ddof=0)).to_numpy())
    later_rows = transformer.transform(frame[200:])
    assert later_rows[:, 0] == pytest.approx(
        ((frame["tempo"][200:] - frame["tempo"][:200].mean()) / frame["tempo"][:200].std(ddof=0)).to_numpy()
    )


@pytest.mark.parametrize("number", range(len(GRID)), ids=lambda number: str(GRID[number]))
def test_every_model_is_that_of_scikit_learn_alone_and_in_the_grid(number: int) -> None:
    model = GRID[number]
    frame, target = frame_of()
    columns = Columns.of(frame)
    pipeline = model.pipeline(columns).fit(frame, target)
    prepared = preparation(columns).fit_transform(frame)
    intercepts, coefficients = fitted_grid(prepared, target)
    together = prepared @ coefficients[number] + intercepts[number]
    assert together == pytest.approx(pipeline.predict(frame), abs=2e-4)
    theirs = {
        "linear": LinearRegression(),
        "gradient descent": LinearRegression(),
        "ridge": Ridge(alpha=model.alpha or 0, solver="svd"),
        "lasso": Lasso(alpha=model.alpha or 1, tol=1e-8, max_iter=100_000),
        "elastic net": ElasticNet(alpha=model.alpha or 1, l1_ratio=model.l1_ratio or 0, tol=1e-8, max_iter=100_000),
    }[model.kind]
    assert pipeline.predict(frame) == pytest.approx(theirs.fit(prepared, target).predict(prepared), abs=2e-4)


def test_paths_are_the_models_at_their_alphas() -> None:
    frame, target = frame_of()
    transformer = preparation(Columns.of(frame))
    prepared = transformer.fit_transform(frame)
    terms = transformer.get_feature_names_out().tolist()
    paths = coefficient_paths(prepared, target, terms, ridge=[100.0, 1.0], lasso=[0.1, 0.01])
    for (name, alpha), rows in paths.groupby(["model", "alpha"]):
        theirs = {
            "ridge": Ridge(alpha=alpha, solver="svd"),
            "lasso": Lasso(alpha=alpha, tol=1e-8),
            "elastic net": ElasticNet(alpha=alpha, l1_ratio=0.5, tol=1e-8),
        }[name].fit(prepared, target)
        assert rows["term"].tolist() == terms
        assert rows["coefficient"].to_numpy() == pytest.approx(theirs.coef_, abs=2e-4)
    sizes = paths.assign(size=paths["coefficient"].abs()).groupby(["model", "alpha"])["size"].sum()
    assert (sizes["ridge", 100.0] < sizes["ridge", 1.0]) and (sizes["lasso", 0.1] < sizes["lasso", 0.01])


def test_summaries_are_those_of_statsmodels() -> None:
    frame, target = frame_of()
    transformer = preparation(Columns.of(frame))
    prepared = transformer.fit_transform(frame)
    terms = transformer.get_feature_names_out().tolist()
    artist = np.arange(len(target)) // 7
    doubled = np.column_stack([prepared, prepared[:, 0] - 2 * prepared[:, 3], np.ones(len(target))])
    found = summary(doubled, target, [*terms, "sum", "one"], artist).set_index("term")
    theirs = sm.OLS(target, sm.add_constant(prepared)).fit(cov_type="cluster", cov_kwds={"groups": artist})
    assert found.index.tolist() == ["intercept", *terms]
    assert found["coefficient"].to_numpy() == pytest.approx(theirs.params)
    assert found["standard_error"].to_numpy() == pytest.approx(theirs.bse)
    assert found["p"].to_numpy() == pytest.approx(theirs.pvalues)
    assert found[["low", "high"]].to_numpy() == pytest.approx(theirs.conf_int())
    assert set(found["clusters"]) == {43}
    flag = (target > np.median(target)).astype(float)
    logit = summary(prepared, flag, terms, artist, response="flag")
    theirs = sm.Logit(flag, sm.add_constant(prepared)).fit(disp=0, cov_type="cluster", cov_kwds={"groups": artist})
    assert logit["standard_error"].to_numpy() == pytest.approx(theirs.bse)


def test_a_column_is_kept_when_earlier_ones_do_not_make_it() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50))
    matrix = np.column_stack([a, np.ones(50), b, 2 * a, a - b, a * b, 1e-9 * b])
    assert independent(matrix).tolist() == [True, False, True, False, False, True, False]
    assert independent(rng.normal(size=(3, 5))).sum() == 2


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("purge", [0, 7, 56])
def test_folds_test_later_days_beyond_the_gap(seed: int, purge: int) -> None:
    rng = np.random.default_rng(seed)
    day = rng.integers(0, 900, 500)
    folds = TimeFolds(4, purge)
    seen = []
    for train, test in folds.split(day, groups=day):
        assert day[train].max() + purge < day[test].min()
        assert set(np.flatnonzero(day < day[test].min() - purge)) == set(train)
        seen.append(test)
    assert len(seen) == folds.get_n_splits()
    tested = np.concatenate(seen)
    assert len(set(tested)) == len(tested)
    assert set(tested) == set(np.flatnonzero(day >= day[seen[0]].min()))
    assert max(map(len, seen)) < 1.3 * min(map(len, seen))


def test_folds_work_in_scikit_learn() -> None:
    frame, target = frame_of()
    day = np.repeat(np.arange(100), 3)
    pipeline = Linear("ridge", 1.0).pipeline(Columns.of(frame))
    scores = cross_val_score(pipeline, frame, target, groups=day, cv=TimeFolds(3, 7), scoring="r2")
    assert len(scores) == 3
    search = GridSearchCV(pipeline, {"model__alpha": [0.1, 1e6]}, cv=TimeFolds(3, 7)).fit(frame, target, groups=day)
    assert search.best_params_ == {"model__alpha": 0.1}


def test_folds_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingError):
        next(TimeFolds(2).split(np.arange(9)))
    with pytest.raises(DataSaysNoError, match="too short for 2 folds"):
        next(TimeFolds(2, 56).split(np.arange(9), groups=np.arange(9)))
    with pytest.raises(DataSaysNoError, match="1 date for 5 folds"):
        next(TimeFolds(5, 0).split(np.arange(9), groups=np.zeros(9, int)))
    with pytest.raises(DataSaysNoError, match="too short"):
        later(np.arange(9), share=0.25, purge=56)


def test_later_rows_are_tested() -> None:
    day = np.array([0, 1, 2, 3, 3, 3, 9, 9])
    train, test = later(day, share=0.25, purge=6)
    assert day[train].tolist() == [0, 1, 2] and day[test].tolist() == [9, 9]


def test_intervals_are_those_of_clusters() -> None:
    """The linear interval against a bootstrap of whole clusters; and equal rows of a cluster add no information."""
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(150), 4)
    target = np.repeat(rng.normal(size=150), 4) + rng.normal(size=600)
    good, poor = target + rng.normal(size=600), target + np.repeat(rng.normal(size=150), 4) + 0.8 * rng.normal(size=600)
    score = r_squared(target, good, cluster)
    assert score.value == pytest.approx(1 - np.mean((target - good) ** 2) / target.var())
    assert (score.low + score.high) / 2 == pytest.approx(score.value)
    found = gain(target, good, poor, cluster)
    assert found.value == pytest.approx(score.value - r_squared(target, poor, cluster).value)
    draws = []
    for _ in range(800):
        rows = (4 * rng.integers(0, 150, 150)[:, None] + np.arange(4)).ravel()
        drawn = target[rows]
        errors = [np.mean((drawn - one[rows]) ** 2) for one in (good, poor)]
        draws.append((errors[1] - errors[0]) / drawn.var())
    assert found.high - found.value == pytest.approx(1.976 * np.std(draws), rel=0.12)
    four = [np.repeat(part[::4], 4) for part in (target, good)]
    assert r_squared(*four, cluster).low == pytest.approx(r_squared(target[::4], good[::4], np.arange(150)).low)
    assert np.isnan(r_squared(target, good, np.zeros(600, int)).low)

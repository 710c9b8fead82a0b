"""Gradient descent goes to the closed form, and says so when it cannot."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from diffusion import SettingError
from pipelines.models.gradient_descent import GradientDescent, closed_form, learning_curves, rate_limit

CLOSE = 1e-6
"""Largest difference from the closed form that is left after convergence."""


def badly_scaled(seed: int, rows: int = 400, columns: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return correlated columns with scales from a thousandth to a million and offsets, and a target."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, columns)) @ (np.eye(columns) + 0.3 * rng.normal(size=(columns, columns)))
    target = matrix @ rng.normal(size=columns) + rng.normal(size=rows)
    return matrix * np.logspace(-3, 6, columns) + 10 * np.logspace(-3, 6, columns), target


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ridge", [0.0, 25.0])
def test_it_converges_to_the_closed_form(seed: int, ridge: float) -> None:
    matrix, target = badly_scaled(seed)
    rows = StandardScaler().fit_transform(matrix)
    model = GradientDescent(iterations=200_000, ridge=ridge).fit(rows, target)
    found = np.append(model.intercept_, model.coef_)
    assert np.abs(found - closed_form(rows, target, ridge=ridge)).max() < CLOSE
    assert np.all(np.diff(model.losses_) <= 1e-12)
    assert model.n_iter_ < 200_000


@pytest.mark.parametrize("ridge", [0.0, 25.0])
def test_the_closed_form_is_that_of_scikit_learn(ridge: float) -> None:
    matrix, target = badly_scaled(3)
    rows = StandardScaler().fit_transform(matrix)
    theirs = Ridge(alpha=ridge, solver="svd") if ridge else LinearRegression()
    theirs.fit(rows, target)
    assert closed_form(rows, target, ridge=ridge) == pytest.approx(np.append(theirs.intercept_, theirs.coef_), abs=1e-9)


def test_it_is_an_estimator_of_scikit_learn() -> None:
    matrix, target = badly_scaled(1)
    pipeline = make_pipeline(StandardScaler(), GradientDescent(iterations=50_000)).fit(matrix, target)
    theirs = make_pipeline(StandardScaler(), LinearRegression()).fit(matrix, target)
    assert pipeline.predict(matrix) == pytest.approx(theirs.predict(matrix), abs=1e-5)
    assert pipeline.score(matrix, target) == pytest.approx(theirs.score(matrix, target), abs=1e-8)
    assert GradientDescent(rate=0.1).get_params() == {
        "rate": 0.1,
        "iterations": 2_000,
        "tolerance": 1e-10,
        "ridge": 0.0,
    }


def test_the_rate_limit_divides_convergence_from_divergence() -> None:
    matrix, target = badly_scaled(2)
    rows = StandardScaler().fit_transform(matrix)
    limit = rate_limit(rows)
    model = GradientDescent(rate=0.99 * limit, iterations=300_000).fit(rows, target)
    assert np.abs(np.append(model.intercept_, model.coef_) - closed_form(rows, target)).max() < CLOSE
    with pytest.raises(SettingError, match="diverges; on these columns it must be below"):
        GradientDescent(rate=1.05 * limit, iterations=20_000).fit(rows, target)


def test_columns_that_are_not_standardised_do_not_converge_in_time() -> None:
    """Why the preparation standardises: the same steps stay far away on the raw columns."""
    matrix, target = badly_scaled(0)
    model = GradientDescent(iterations=2_000, tolerance=0).fit(matrix, target)
    scaled = StandardScaler().fit_transform(matrix)
    closest = np.mean((target - LinearRegression().fit(scaled, target).predict(scaled)) ** 2)
    assert model.losses_[-1] > 1.5 * closest


def test_learning_curves_fall_faster_with_a_larger_rate_until_they_diverge() -> None:
    matrix, target = badly_scaled(4)
    rows = StandardScaler().fit_transform(matrix)
    limit = rate_limit(rows)
    rates = [0.01 * limit, 0.1 * limit, 0.5 * limit, 1.5 * limit]
    curves = learning_curves(rows, target, rates, iterations=200)
    assert curves.columns.tolist() == ["rate", "iteration", "loss", "excess"]
    ends = curves.groupby("rate")["excess"].last().tolist()
    assert ends[0] > ends[1] > ends[2] >= -1e-12
    last = curves[curves["rate"] == rates[3]]
    assert len(last) < 201
    assert last["loss"].iloc[-1] > 1_000 * last["loss"].iloc[0] >= last["loss"].iloc[-2]
    assert curves.groupby("rate")["loss"].first().tolist() == pytest.approx([np.mean(target**2)] * 4)


@pytest.mark.parametrize("options", [{"rate": 0.0}, {"rate": -1.0}, {"iterations": 0}, {"ridge": -1.0}])
def test_parameters_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        GradientDescent(**options).fit([[0.0], [1.0]], [0.0, 1.0])

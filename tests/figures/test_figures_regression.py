"""Figures of linear models: what they draw, what they say below, what they refuse."""

import numpy as np
import pandas as pd
import pytest

import figures
from diffusion import DataSaysNoError, SettingError
from tests.figures.test_figures import HOSTILE, outside, words


def make_paths(terms: int, name: str = "term") -> pd.DataFrame:
    alphas = np.logspace(3, -2, 12)
    parts = [
        pd.DataFrame({"model": model, "alpha": alphas, "term": f"{name} {k}", "coefficient": (k + 1) / (1 + alphas)})
        for model in ("ridge", "lasso", "elastic net")
        for k in range(terms)
    ]
    return pd.concat(parts, ignore_index=True)


def make_rates() -> pd.DataFrame:
    steps = np.arange(50)
    parts = [pd.DataFrame({"rate": rate, "iteration": steps, "excess": (1 - rate) ** steps}) for rate in (0.01, 0.1)]
    return pd.concat(parts, ignore_index=True)


def test_paths_name_the_largest_coefficients() -> None:
    figure = figures.coefficient_paths(make_paths(20))
    said = words(figure)
    assert "Coloured are the 8 of 20 terms with the largest coefficients." in said
    assert "term 19" in said and "term 11\n" not in said
    left, right = figure.axes[0].get_xlim()
    assert left > right
    assert len(figure.axes) == 3 and not outside(figure)


def test_learning_rates_have_a_line_each() -> None:
    figure = figures.learning_rates(make_rates())
    assert {"rate 0.01", "rate 0.1"} <= set(words(figure).split("\n"))
    first, second = (line.get_ydata() for line in figure.axes[0].lines)
    assert np.all(np.asarray(first)[1:] > np.asarray(second)[1:])
    assert "$" not in words(figure) and not outside(figure)


@pytest.mark.parametrize("build", [lambda: figures.coefficient_paths(make_paths(3)),
                                   lambda: figures.learning_rates(make_rates())])  # fmt: skip
def test_the_bytes_are_the_same_every_time(build: object) -> None:
    assert figures.render(build(), "png") == figures.render(build(), "png")  # type: ignore[operator]


def test_names_of_terms_have_no_effect() -> None:
    figure = figures.coefficient_paths(make_paths(1, HOSTILE))
    assert not outside(figure)


def test_what_cannot_be_drawn_is_refused() -> None:
    paths, rates = make_paths(2), make_rates()
    with pytest.raises(DataSaysNoError):
        figures.coefficient_paths(paths[:0])
    with pytest.raises(SettingError, match="above 0"):
        figures.coefficient_paths(paths.assign(alpha=0.0))
    with pytest.raises(SettingError, match="more than one row"):
        figures.coefficient_paths(pd.concat([paths, paths]))
    with pytest.raises(SettingError, match="more than one row"):
        figures.learning_rates(pd.concat([rates, rates]))
    with pytest.raises(DataSaysNoError):
        figures.learning_rates(rates.assign(excess=0.0))

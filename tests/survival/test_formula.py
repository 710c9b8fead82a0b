"""Covariates by a formula: what comes out, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from diffusion import SettingError
from survival.counting.formula import Design, variables_of

VALUES = pd.DataFrame(
    {
        "sex": ["f", "m", "m", "m"],
        "age": [30.0, 40.0, 60.0, 0.0],
        "one": 1.0,
        "twice": [60.0, 80.0, 120.0, 0.0],
        "gap": [1.0, np.nan, 2.0, 3.0],
        "my col": [1.0, 0.0, 0.0, 1.0],
    }
)


def test_covariates_are_those_of_the_formula() -> None:
    design = Design.of("sex + log1p(age)", VALUES)
    assert design.names == ("sex[T.m]", "log1p(age)")
    assert design.terms == ("sex", "log1p(age)")
    assert design.variables == ("age", "sex")
    np.testing.assert_allclose(design.matrix[:, 1], np.log1p(VALUES["age"]))
    other = design.of_others(VALUES.iloc[[2]])
    np.testing.assert_allclose(other, design.matrix[[2]])
    assert Design.of("1", VALUES).matrix.shape == (4, 0)
    assert Design.of("`my col`", VALUES).names == ("my col",)
    assert variables_of("C(sex, contr.sum) + bs(age, df=4)") == ("age", "sex")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("sx", "unknown variable 'sx'; did you mean 'sex'"),
        ("gap", "'gap' has 1 missing values"),
        ("log(age)", r"'log\(age\)' .* is missing or infinite for 1 of 4 rows"),
        ("one", "'one' .* has the same value everywhere"),
        ("age + twice", "'twice' .* is a combination of the covariates before it"),
        ("0 + sex", "is a combination of the covariates before it"),
        ("sex +", "cannot read the formula"),
        ("sex ~ age", "cannot read the formula"),
        ("sex | age", "cannot read the formula"),
        ("exec('1')", "is not allowed; a formula may call log"),
        ("C(__import__('os'))", "is not allowed; a formula may call log"),
        ("log(age.__class__)", "is not allowed; a formula may call log"),
        ("I([x for x in age])", "cannot read|is not allowed"),
        ("open('x')", "is not allowed"),
    ],
)
def test_a_formula_that_cannot_be_is_refused(formula: str, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        Design.of(formula, VALUES)


def test_a_category_that_was_not_there_is_refused() -> None:
    design = Design.of("sex", VALUES)
    with pytest.raises(SettingError, match="categories outside"):
        design.of_others(VALUES.assign(sex="x"))
    with pytest.raises(SettingError, match="unknown variable 'sex'"):
        design.of_others(VALUES[["age"]])

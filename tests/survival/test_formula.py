"""Covariates by a formula: what comes out, and what is refused."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
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


def test_numbers_in_the_place_of_a_category_are_not_taken_as_they_are() -> None:
    """Else each would be in all classes at once, and the prediction that of nobody."""
    design = Design.of("sex + age", VALUES)
    with pytest.raises(SettingError, match="categories outside"):
        design.of_others(VALUES.assign(sex=1.0))
    with pytest.raises(SettingError, match="'age'"):
        design.of_others(VALUES.assign(age="1"))
    assert design.of_others(VALUES.assign(age=pd.Series([1, 2, 3, 4], dtype=object)))[:, 1].tolist() == [1, 2, 3, 4]
    classes = Design.of("size", pd.DataFrame({"size": pd.Categorical([1, 2, 3])}))
    assert classes.of_others(pd.DataFrame({"size": [3]})).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (pd.Series([1, 2, 4], dtype=object), ("v",)),
        (pd.Series(["a", "b", "b"], dtype="string"), ("v[T.b]",)),
        (pd.Series(["a", "b", "b"], dtype=pd.ArrowDtype(pa.string())), ("v[T.b]",)),
        (pd.Series(pd.Categorical(["a", "b", "b"], categories=["a", "b", "c"])), ("v[T.b]",)),
        (pd.cut(pd.Series([1, 2, 4]), [0, 1, 3, 5]), ("v[T.(1, 3]]", "v[T.(3, 5]]")),
    ],
)
def test_kinds_of_values(values: "pd.Series[Any]", names: tuple[str, ...]) -> None:
    """Numbers among objects are numbers, not classes; a class that no value has makes no covariate."""
    assert Design.of("v", pd.DataFrame({"v": values})).names == names


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1, "a", "b"], "values of the kind 'mixed-integer'"),
        ([date(2020, 1, 1), date(2020, 1, 2), date(2020, 1, 3)], "values of the kind 'date'"),
        (pd.to_timedelta([1, 2, 4], unit="D"), "values of the kind 'timedelta64'"),
        ([1j, 2j, 3j], "values of the kind 'complex'"),
        ([1e200, 2e200, 5e200], r"goes up to 5e\+200, .* another unit"),
        ([1e-200, 2e-200, 5e-200], "goes up to 5e-200, .* another unit"),
        ([1e9, 1e9 + 1, 1e9 + 3], r"differs too little from 1e\+09"),
        ([0.0, 0.0, 0.0], "the same value everywhere"),
        ([1.0, -np.inf, 2.0], "missing or infinite for 1 of 3 rows"),
    ],
)
def test_values_that_a_formula_cannot_use_are_refused(values: Any, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        Design.of("v", pd.DataFrame({"v": values}))


def test_formulas_that_are_no_formula() -> None:
    for formula in ("", " \n", None, ["age"]):
        with pytest.raises(SettingError, match="give '1' for no covariate"):
            variables_of(formula)  # type: ignore[arg-type]
    assert variables_of("age +\nsex") == ("age", "sex")
    with pytest.raises(SettingError, match="is not allowed"):
        variables_of("C(sex, contr.__class__)")
    with pytest.raises(SettingError, match="has 200 covariates for 4 rows"):
        Design.of("bs(age, df=200)", VALUES)
    with pytest.raises(SettingError, match="several columns 'age'"):
        Design.of("age", pd.concat([VALUES, VALUES[["age"]]], axis=1))


def test_more_covariates_than_can_be_fitted_are_refused() -> None:
    many = pd.DataFrame({"track": [f"t{number}" for number in range(500)]})
    with pytest.raises(SettingError, match="makes 499 covariates; at most 400 can be fitted"):
        Design.of("track", many)

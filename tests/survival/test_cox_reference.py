"""Cox models against R's survival: coefficients, errors, curves and tests of proportionality on classical data sets."""

import re
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from survival import CoxFit, cox, cox_rows, frame_waits, proportionality
from survival.regression.proportionality import TRANSFORMS
from tests.conftest import REFERENCE

SAME = 1e-7
"""Both sides maximise the same function to rounding; curves and tests multiply its error."""

ANSWERS = pd.read_csv(REFERENCE / "cox_answers.csv", dtype={"name": str})


class Case(NamedTuple):
    """A model of R's script, and how it is written here."""

    data: str
    formula: str
    names: dict[str, Any]
    person: dict[str, Any] | None = None


MONTH = {"days": "month", "entered": "died", "cluster": "inst"}
WEIGHTED = {**MONTH, "start": "start", "strata": ["sex"], "weights": "weight"}
PERSON = {"age": 50, "sex": 2, "ecog": 1}
CASES = {
    "lung_efron": Case("lung", "age + sex + ecog", {"days": "time", "entered": "died"}, PERSON),
    "lung_breslow": Case(
        "lung", "age + sex + ecog", {"days": "time", "entered": "died", "ties": "breslow"}, PERSON
    ),
    "month_efron": Case("lung", "age + sex + ecog", MONTH),
    "month_breslow": Case("lung", "age + sex + ecog", {**MONTH, "ties": "breslow"}),
    "month_strata": Case("lung", "age + ecog", {**MONTH, "strata": ["sex"]}, PERSON),
    "month_delayed": Case(
        "lung", "age + sex + ecog", {**MONTH, "start": "start"}, {"age": 70, "sex": 1, "ecog": 2}
    ),
    "month_weights": Case("lung", "age + ecog", WEIGHTED, PERSON),
    "month_weights_breslow": Case("lung", "age + ecog", {**WEIGHTED, "ties": "breslow"}),
    "veteran": Case(
        "veteran",
        "trt + C(celltype, contr.treatment('squamous')) + karno + log(diagtime)",
        {"days": "time", "entered": "status"},
        {"trt": 2, "celltype": "smallcell", "karno": 40, "diagtime": 5},
    ),
    "veteran_strata": Case(
        "veteran", "trt + karno + age", {"days": "time", "entered": "status", "strata": ["celltype", "prior"]}
    ),
    "heart": Case(
        "heart",
        "age + year + surgery + transplant",
        {"days": "stop", "entered": "event", "start": "start", "cluster": "id"},
        {"age": 5, "year": 2, "surgery": 0, "transplant": 1},
    ),
    "bladder": Case(
        "bladder", "rx + size + number", {"days": "stop", "entered": "event", "strata": ["enum"], "cluster": "id"}
    ),
}  # fmt: skip
COUNTED = [name for name, case in CASES.items() if case.data != "heart" and "weights" not in case.names]


def frame_of(case: Case) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / f"cox_{case.data}.csv")


@cache
def by_rows(name: str) -> CoxFit:
    case = CASES[name]
    return cox_rows(frame_of(case), case.formula, **case.names)


@cache
def by_counts(name: str) -> CoxFit:
    case = CASES[name]
    columns = {key: value for key, value in case.names.items() if key in ("days", "entered", "start", "cluster")}
    rest = {key: value for key, value in case.names.items() if key in ("strata", "ties")}
    return cox(frame_waits(frame_of(case), **columns), case.formula, **rest)


def answers(name: str, quantity: str) -> pd.Series:
    """Return what R said, by name."""
    rows = ANSWERS[(ANSWERS["case"] == name) & (ANSWERS["quantity"] == quantity)]
    return rows.set_index("name")["value"]


def named_as_r(numbers: pd.Series) -> pd.Series:
    """Return numbers by covariate in the order of R, which sorts no category."""
    named = numbers.rename(lambda name: re.sub(r"C\(celltype.*\)\[T\.(.*)\]", r"celltype\1", name))
    order = ["trt", "celltypesmallcell", "celltypeadeno", "celltypelarge", "karno", "log(diagtime)"]
    return named[order] if "celltypelarge" in named else named


def model_errors(fit: CoxFit) -> pd.Series:
    errors = np.sqrt(np.diag(np.linalg.inv(fit.maximum.information))) / fit.data.scale.deviation
    return pd.Series(errors, fit.params_.index)


def fits(name: str) -> list[CoxFit]:
    return [by_rows(name), by_counts(name)] if name in COUNTED else [by_rows(name)]


@pytest.mark.parametrize("name", CASES)
def test_coefficients_errors_and_likelihood_are_those_of_r(name: str) -> None:
    for fit in fits(name):
        np.testing.assert_allclose(named_as_r(fit.params_), answers(name, "coef"), rtol=SAME)
        np.testing.assert_allclose(named_as_r(model_errors(fit)), answers(name, "model_se"), rtol=SAME)
        told = answers(name, "log_likelihood")
        np.testing.assert_allclose([fit.maximum.null_log_likelihood, fit.log_likelihood_], told, rtol=SAME)
        if len(robust := answers(name, "robust_se")):
            np.testing.assert_allclose(np.sqrt(np.diag(fit.lin_wei_matrix_)), robust, rtol=SAME)
        else:
            np.testing.assert_allclose(named_as_r(fit.standard_errors_), answers(name, "model_se"), rtol=SAME)


@pytest.mark.parametrize("name", CASES)
def test_the_test_of_proportionality_is_that_of_r(name: str) -> None:
    for fit in fits(name):
        for transform in TRANSFORMS:
            found = proportionality(fit, transform)
            np.testing.assert_allclose(found["test_statistic"], answers(name, f"zph_{transform}"), rtol=1e-6)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.person])
def test_the_curve_of_a_person_is_that_of_r(name: str) -> None:
    told, error = answers(name, "survival"), answers(name, "log_survival_se")
    times = told.index.astype(float)
    person = pd.DataFrame([CASES[name].person])
    for fit in fits(name):
        found = fit.predict_survival_function(person, times.tolist())
        np.testing.assert_allclose(found[0], told, rtol=SAME)
    case = CASES[name]
    alone = cox_rows(frame_of(case), case.formula, **{**case.names, "cluster": None})
    for time in times[: -1 : len(times) // 4]:
        bounds = np.log(-np.log1p(-alone.probability(person, time).iloc[0]))
        of_log = error[told.index[times == time]].iloc[0] / -np.log(told[told.index[times == time]].iloc[0])
        np.testing.assert_allclose(bounds["high"] - bounds["estimate"], 1.959963984540054 * of_log, rtol=1e-6)

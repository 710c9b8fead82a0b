"""Accelerated failure time models: covariates stretch or shorten the time until an entry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.counting.checks import check_source
from survival.counting.counted import CLUSTERS, Cluster, CountedWaits, WaitSource
from survival.counting.formula import Design, variables_of
from survival.regression.distributions import FAMILIES, Family, day_of, law_of, parameters_of
from survival.regression.estimation import check_entries, fit_at, largest, likelihood_of
from survival.regression.interval_fit import IntervalFit
from survival.regression.interval_likelihood import IntervalLikelihood
from survival.regression.lifelines_aft import lifelines_fitter

SPECIAL: Final[tuple[tuple[Family, float], ...]] = (("weibull", 1.0), ("lognormal", 0.0))
"""Families that are a generalised gamma, and its shape there."""


@dataclass(frozen=True, eq=False, repr=False)
class AftFit(IntervalFit):
    """Accelerated failure time model: log time = location + scale · error; the location is linear in the covariates.

    The exponential of a coefficient is a ratio of times: 1.2 means that the time until an entry is 1.2 times as long.

    Attributes
    ----------
    family
        Distribution of the time.

    Examples
    --------
    >>> waits = survival.waits(entries, horizon=60)  # entries = diffusion.open_sample().entries()
    >>> survival.aft(waits, "log(footprint)")
    <AftFit: 3 coefficients, log-likelihood -7,499.5, up to 60 days, errors by artist>
    """

    family: Family

    def to_lifelines(self) -> Any:
        """Return the model as a fitter of lifelines, fitted by lifelines to the same waits.

        It is a ``WeibullAFTFitter``, ``LogNormalAFTFitter``, ``LogLogisticAFTFitter`` or
        ``GeneralizedGammaRegressionFitter``. Its covariates are those of the formula, made already (`params_` has their
        names), and its standard errors are model-based.

        Raises
        ------
        DataSaysNoError
            When lifelines would need more than `survival.regression.lifelines_aft.MOST_ROWS` rows, or does not
            converge.
        """
        likelihood = self.uncertainty.likelihood
        names = self.names[1 : likelihood.designs[0].shape[1]]
        return lifelines_fitter(likelihood.counted, likelihood.designs[0], names, self.family, self.coefficients)


def aft(source: WaitSource, formula: str, *, family: Family = "weibull", cluster: Cluster = "artist") -> AftFit:
    """Return an accelerated failure time model of the time until an entry.

    Parameters
    ----------
    formula
        Covariates of the location of the log time; ``1`` for none.
    family
        ``weibull`` (default), ``lognormal``, ``loglogistic`` or ``generalized_gamma``, which contains the Weibull
        (shape 1) and the log-normal (shape 0).
    cluster
        What standard errors take as independent of each other: ``artist`` (default), ``track`` or ``independent``.

    Notes
    -----
    The likelihood is interval-censored, with delayed entry: an entry is known to lie after the last chart without the
    track and on or before the first chart with it. On weekly charts this matters. It is the same for all families, so
    that Akaike's criterion compares them (`compare_families`). Where a variable changes in time, the hazard on a day is
    that of the model with the values on that day.

    Raises
    ------
    SettingError
        When the family, the cluster or a name in the formula is unknown, or covariates are collinear.
    DataSaysNoError
        When no wait ends with an entry, the fit does not converge, or the waits do not bound a coefficient.

    References
    ----------
    Kalbfleisch & Prentice 2002, The Statistical Analysis of Failure Time Data, §2–3, doi 10.1002/9781118032985.

    Examples
    --------
    >>> from survival.counting.frame import frame_waits
    >>> frame = pd.DataFrame({"days": [2, 5, 9, 9, 4, 1], "entered": [1, 1, 0, 1, 1, 1], "home": [1, 0, 0, 1, 0, 1]})
    >>> fit = aft(frame_waits(frame, days="days", entered="entered"), "home", family="lognormal")
    >>> list(fit.params_.index)
    ['Intercept', 'home', 'log(scale)']
    """
    check_options((family,), cluster)
    check_source(source)
    return _aft(source.counted(variables_of(formula), cluster=cluster), formula, family)


def compare_families(
    source: WaitSource, formula: str, *, families: Sequence[Family] = FAMILIES, cluster: Cluster = "artist"
) -> pd.DataFrame:
    """Return families by Akaike's criterion, best first, one row per family.

    Returns
    -------
    DataFrame
        Index `family`; columns `log_likelihood`, `parameters` (number of coefficients), `AIC`, `delta_AIC` (difference
        to the best), `converged`. Numbers are missing where the fit failed.

    Raises
    ------
    SettingError
        As `aft`.
    DataSaysNoError
        When no family can be fitted.

    Examples
    --------
    >>> waits = survival.waits(entries, horizon=60)  # entries = diffusion.open_sample().entries()
    >>> list(compare_families(waits, "log(footprint)", families=("weibull", "lognormal")))
    ['log_likelihood', 'parameters', 'AIC', 'delta_AIC', 'converged']
    """
    check_options(families, cluster)
    check_source(source)
    counted = source.counted(variables_of(formula), cluster="independent")
    rows: dict[str, dict[str, Any]] = {}
    failed: DataSaysNoError | None = None
    for family in families:
        try:
            fit = _aft(counted, formula, family)
        except DataSaysNoError as error:
            failed, rows[family] = error, {"converged": False}
        else:
            rows[family] = {
                "log_likelihood": fit.log_likelihood_,
                "parameters": len(fit.coefficients),
                "AIC": fit.AIC_,
                "converged": True,
            }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("family")
    if failed is not None and not table["converged"].any():
        raise failed
    table["delta_AIC"] = table["AIC"] - table["AIC"].min()
    table["parameters"] = table["parameters"].astype("Int64")
    return table.sort_values("AIC")[["log_likelihood", "parameters", "AIC", "delta_AIC", "converged"]]


def check_options(families: Sequence[Family], cluster: Cluster) -> None:
    """Refuse an unknown family or cluster."""
    for family in families:
        if family not in FAMILIES:
            raise SettingError(f"unknown family '{family}'; there are {', '.join(FAMILIES)}")
    if cluster not in CLUSTERS:
        raise SettingError(f"unknown cluster '{cluster}'; there are {', '.join(CLUSTERS)}")


def location_and_scale(counted: CountedWaits, family: Family, never: float = 0.0) -> tuple[float, float]:
    """Return location and log scale with which a family passes through two points of the Kaplan–Meier curve.

    The points are the last day, and the day by which half of the entries by then have come. `never` is a share of waits
    that never enter, taken off the curve.
    """
    curve = KaplanMeier.of(counted.at_risk.sum(axis=0), counted.entered.sum(axis=0)).survival
    curve = np.clip((curve - never) / (1 - never), 1e-6, 1 - 1e-6)
    shares = np.array([(1 + curve[-1]) / 2, curve[-1]])
    middle = max(int(np.argmax(curve <= shares[0])), 1)
    standard = np.log(day_of(family, shares, np.zeros((2, 2))))
    apart = np.log(counted.horizon / middle)
    scale = apart / (standard[1] - standard[0]) if apart > 0 else 1.0
    return float(np.log(counted.horizon) - scale * standard[1]), float(np.log(scale))


def _aft(counted: CountedWaits, formula: str, family: Family) -> AftFit:
    """Return the model of counted waits."""
    check_entries(counted)
    design = Design.of(formula, counted.values)
    names = ("Intercept", *design.names, *parameters_of(family)[1:])
    designs = (design, *[None] * (len(parameters_of(family)) - 1))
    likelihood = likelihood_of(law_of(family), counted, designs)
    fit = fit_at(law_of(family), designs, names, likelihood, largest(likelihood, _starts(likelihood, family)))
    return AftFit(**vars(fit), family=family)


def _starts(likelihood: IntervalLikelihood, family: Family) -> list[Floats]:
    """Return where the search starts; for the generalised gamma at the best Weibull and the best log-normal."""
    if family != "generalized_gamma":
        location, scale = location_and_scale(likelihood.counted, family)
        return [np.array([location, *np.zeros(likelihood.designs[0].shape[1] - 1), scale])]
    found = []
    for special, shape in SPECIAL:
        simpler = replace(likelihood, designs=likelihood.designs[:2], log_survival=law_of(special).log_survival)
        found.append(np.append(largest(simpler, _starts(simpler, special)).theta, shape))
    return found

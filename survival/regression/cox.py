"""Cox's proportional hazards: what goes with a faster entry, and by how much."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from diffusion import SettingError
from survival.counting.counted import Cluster, WaitSource
from survival.regression.cox_data import CoxData, counted_data, frame_data
from survival.regression.cox_fit import CoxFit
from survival.regression.newton import maximum
from survival.regression.partial_likelihood import TIE_METHODS, TieMethod
from survival.regression.penalty import ElasticNet
from survival.regression.robust import Influence


def cox(
    source: WaitSource,
    formula: str,
    *,
    strata: Sequence[str] = (),
    ties: TieMethod = "efron",
    cluster: Cluster = "artist",
    penalizer: float = 0.0,
    l1_ratio: float = 0.0,
) -> CoxFit:
    """Return a Cox model fitted to counted waits, exactly as to their rows.

    Parameters
    ----------
    source
        Waits, such as `survival.frame_waits` makes.
    formula
        Covariates, such as ``language_match + log(footprint)``.
    strata
        Variables whose values have a baseline hazard of their own (default: none).
    ties
        How entries of one day are taken: ``efron`` (default) or ``breslow``.
    cluster
        What may be dependent: ``artist`` (default), ``track`` or ``independent``.
    penalizer, l1_ratio
        Elastic net (default: none): the logarithm of the likelihood is lowered by waits · penalizer ·
        (l1_ratio · |β|₁ + (1 − l1_ratio)/2 · |β|₂²), with β for covariates in standard deviations, as in lifelines.
        Such a fit has no errors: its coefficients are biased on purpose.

    Raises
    ------
    SettingError
        When a variable is unknown or missing somewhere, covariates are constant or collinear, or an option is wrong.
    DataSaysNoError
        When nobody enters, there is nobody to compare those who enter with, a covariate does not vary among those at
        risk, or a hazard ratio has no end because a covariate separates those who enter.

    References
    ----------
    Cox 1972, doi 10.1111/j.2517-6161.1972.tb00899.x. Efron 1977, doi 10.1080/01621459.1977.10480613.

    Examples
    --------
    >>> from survival import frame_waits
    >>> frame = pd.DataFrame({"days": [1, 2, 2, 3, 4, 5], "entered": [1, 1, 0, 1, 1, 1], "near": [1, 1, 0, 0, 1, 0]})
    >>> fit = cox(frame_waits(frame, days="days", entered="entered"), "near")
    >>> fit.hazard_ratios_.round(2).to_dict()
    {'near': 4.03}
    """
    return fitted(counted_data(source, formula, strata, cluster), ties, penalizer=penalizer, l1_ratio=l1_ratio)


def cox_rows(
    frame: pd.DataFrame,
    formula: str,
    *,
    days: str,
    entered: str,
    start: str | None = None,
    strata: Sequence[str] = (),
    weights: str | None = None,
    cluster: str | None = None,
    ties: TieMethod = "efron",
    penalizer: float = 0.0,
    l1_ratio: float = 0.0,
) -> CoxFit:
    """Return a Cox model fitted to the rows of a frame, whose times need not be whole.

    Parameters
    ----------
    frame
        One row per time at risk. A subject whose covariates change has several, one after the other.
    formula
        Covariates.
    days, entered
        Columns with the end of the time at risk, and whether it is an event.
    start
        Column with the time after which the row is at risk (default: all are from the beginning).
    weights
        Column with case weights (default: 1). Tied events have their mean weight each, as in R and lifelines; so a
        weight of 2 is not quite the same as two rows.
    cluster
        Column that says which rows may be dependent (default: all are independent). The rows of one subject are
        independent given its past; they need no cluster as long as it has one event.
    strata, ties, penalizer, l1_ratio
        See `cox`.

    Raises
    ------
    SettingError, DataSaysNoError
        See `cox`; besides, when a time, weight or flag is missing, or a time at risk does not end after it begins.

    Notes
    -----
    Times are tied where they are equal to the last bit; R rounds them a little before (`timefix`).

    Examples
    --------
    >>> frame = pd.DataFrame({"days": [3.5, 5, 5.2, 8, 9], "entered": [1, 1, 0, 1, 1], "rank": [1, 3, 2, 3, 1]})
    >>> cox_rows(frame, "rank", days="days", entered="entered").params_.round(3).to_dict()
    {'rank': 0.315}
    """
    data = frame_data(
        frame, formula, days=days, entered=entered, start=start, strata=strata, weights=weights, cluster=cluster
    )
    return fitted(data, ties, penalizer=penalizer, l1_ratio=l1_ratio)


def fitted(
    data: CoxData,
    ties: TieMethod,
    *,
    penalizer: float = 0.0,
    l1_ratio: float = 0.0,
    within: tuple[float, float] = (-np.inf, np.inf),
) -> CoxFit:
    """Return the model of the events at times after the first of `within`, up to the second (default: all)."""
    if ties not in TIE_METHODS:
        raise SettingError(f"ties are taken by {' or '.join(TIE_METHODS)}, not by '{ties}'")
    penalty = ElasticNet.of(data.rows, penalizer, l1_ratio)
    found = maximum(data.sums(*within), ties, penalty, data.design.names)
    influence = Influence.of(found, data.design.names) if data.clustered and penalizer == 0 else None
    return CoxFit(data, found, influence, ties, penalizer, l1_ratio)

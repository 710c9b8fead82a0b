"""Accelerated failure time models as fitters of lifelines, fitted by it on counted waits written out as rows."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError
from diffusion.arrays import Floats, Ints
from survival.counting.counted import CountedWaits
from survival.regression.distributions import Family

MOST_ROWS: Final = 100_000
"""Rows up to which a model is handed to lifelines: it takes minutes from there on."""

EARLY: Final = 1e-100
"""Day that stands for day 0, whose logarithm lifelines cannot take."""

FITTERS: Final[dict[Family, tuple[str, str, str, float]]] = {
    "weibull": ("WeibullAFTFitter", "lambda_", "rho_", -1.0),
    "lognormal": ("LogNormalAFTFitter", "mu_", "sigma_", 1.0),
    "loglogistic": ("LogLogisticAFTFitter", "alpha_", "beta_", -1.0),
    "generalized_gamma": ("GeneralizedGammaRegressionFitter", "mu_", "sigma_", 1.0),
}
"""lifelines' fitter of a family, its names of location and scale, and the sign of its log scale."""


def interval_rows(counted: CountedWaits) -> pd.DataFrame:
    """Return rows with the likelihood of the counted waits: `cell`, `start`, `lower`, `upper`, `waits`.

    A row stands for waits of a cell that begin on the day `start` and end with an entry after `lower` and on or before
    `upper`, which is infinite where there was none. The counts do not say which start belongs to which end, and the
    likelihood does not ask: the earliest start is given the end that must begin earliest.
    """
    length, events = counted.opened.shape[1], counted.events
    censored = counted.closed - counted.entered
    cell, days = np.nonzero(censored)
    ends = pd.DataFrame(
        {
            "cell": np.concatenate([events.cell, cell]),
            "latest": np.concatenate([events.after, days - 1]),
            "lower": np.concatenate([events.after, days]),
            "upper": np.concatenate([events.days, np.full(len(days), np.inf)]),
            "waits": np.concatenate([events.count, censored[cell, days]]),
        }
    ).sort_values(["cell", "latest"], kind="stable")
    begun = np.flatnonzero(counted.opened)
    return _matched(begun % length, counted.opened.ravel()[begun], ends)


def _matched(start: Ints, waits: Ints, ends: pd.DataFrame) -> pd.DataFrame:
    """Return ends with their starts, both in order; ends are split where their waits begin on several days."""
    begun, ended = np.cumsum(waits), ends["waits"].cumsum().to_numpy()
    borders = np.union1d(begun, ended)
    rows = ends.iloc[np.searchsorted(ended, borders)].drop(columns="latest").reset_index(drop=True)
    return rows.assign(start=start[np.searchsorted(begun, borders)], waits=np.diff(borders, prepend=0))


def lifelines_fitter(
    counted: CountedWaits, design: Floats, names: Sequence[str], family: Family, coefficients: Floats
) -> Any:
    """Return lifelines' fitter of a family, fitted by lifelines to the waits, with errors by the model.

    Parameters
    ----------
    design, names
        (g, p + 1): covariates of each cell after a constant, and (p,) their names.
    coefficients
        Where lifelines starts: estimates of this package. From its own start it often does not converge on intervals.

    Raises
    ------
    DataSaysNoError
        When the waits make more than `MOST_ROWS` rows, or lifelines does not converge.
    """
    import lifelines  # here, because it loads pyplot

    rows = interval_rows(counted)
    if len(rows) > MOST_ROWS:
        raise DataSaysNoError(
            f"lifelines would need {len(rows):,} rows, more than {MOST_ROWS:,}: leave out variables with many values"
        )
    made = pd.DataFrame(design[:, 1:], columns=list(names)).iloc[rows["cell"]].reset_index(drop=True)
    frame = pd.concat([made, rows.drop(columns="cell")], axis=1)
    frame["lower"] = np.maximum(frame["lower"], EARLY)
    fitter, location, scale, sign = FITTERS[family]
    width = len(names)
    start = {
        location: np.roll(coefficients[: width + 1], -1),  # the constant stands last
        scale: sign * coefficients[[width + 1]],
    }
    options: dict[str, Any] = {}
    if family == "generalized_gamma":
        frame["Intercept"] = 1.0
        start["lambda_"] = coefficients[[width + 2]]
        options["regressors"] = {location: [*names, "Intercept"], scale: ["Intercept"], "lambda_": ["Intercept"]}
    model = getattr(lifelines, fitter)()
    model._scipy_fit_method, model._scipy_fit_options = "BFGS", {}  # its SLSQP runs off from a maximum
    try:
        return model.fit_interval_censoring(
            frame, "lower", "upper", entry_col="start", weights_col="waits", initial_point=start, **options
        )
    except lifelines.exceptions.ConvergenceError as error:
        raise DataSaysNoError("lifelines does not converge on these waits, even from estimates found here") from error

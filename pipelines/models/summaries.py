"""Coefficients with standard errors, p-values and intervals, by statsmodels, clustered by artist."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from diffusion.arrays import Floats, Ints
from diffusion.conventions import CONFIDENCE
from pipelines.models.preparation import independent

Response = Literal["number", "flag"]
"""What is regressed: a ``number`` by least squares, or a ``flag`` by logistic regression."""


def summary(
    prepared: Floats, target: Floats, terms: Sequence[str], cluster: Ints, *, response: Response = "number"
) -> pd.DataFrame:
    """Return the coefficients of a model without penalty; a column that is a sum of earlier ones is left out.

    Parameters
    ----------
    prepared
        (n, f): prepared columns.
    target
        (n,): what is regressed; 0 or 1 for a flag.
    terms
        Names of the f columns.
    cluster
        (n,): code of the cluster, such as the primary artist.
    response
        ``number`` (default) or ``flag``.

    Returns
    -------
    DataFrame
        One row per term, the intercept first: `term`, `coefficient`, `standard_error`, `statistic`, `p`, `low`, `high`
        (95 %), and `clusters`, their number. Errors are robust to dependence within clusters, with the usual factor for
        few of them; p and intervals are those of the normal distribution.
    """
    kept = independent(prepared)
    return fitted_table(_fit(prepared[:, kept], target, cluster, response), np.asarray(terms)[kept].tolist(), cluster)


def fitted_table(fit: Any, terms: Sequence[str], cluster: Ints) -> pd.DataFrame:
    """Return a statsmodels fit as a table; the intercept is its first coefficient."""
    bounds = np.asarray(fit.conf_int(1 - CONFIDENCE))
    size = len(terms) + 1
    return pd.DataFrame(
        {
            "term": ["intercept", *terms],
            "coefficient": np.asarray(fit.params)[:size],
            "standard_error": np.asarray(fit.bse)[:size],
            "statistic": np.asarray(fit.tvalues)[:size],
            "p": np.asarray(fit.pvalues)[:size],
            "low": bounds[:size, 0],
            "high": bounds[:size, 1],
            "clusters": len(np.unique(cluster)),
        }
    )


def _fit(columns: Floats, target: Floats, cluster: Ints, response: Response) -> Any:
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.regression.linear_model import OLS

    design = np.column_stack([np.ones(len(columns)), columns])
    options = {"cov_type": "cluster", "cov_kwds": {"groups": cluster}, "use_t": False}
    if response == "number":
        return OLS(target, design).fit(**options)
    return Logit(target, design).fit(disp=0, method="newton", **options)

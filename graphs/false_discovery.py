"""False discovery rates of many tests: q of p."""

from typing import Literal

import numpy as np
from scipy import stats

from diffusion.arrays import Floats

Method = Literal["bh", "by"]


def adjusted(p: Floats, *, method: Method = "bh") -> Floats:
    """Return q of p, in the same shape; NaN where p is NaN: such pairs are not tested and do not count.

    Parameters
    ----------
    p
        Probabilities, in any shape.
    method
        ``"bh"``, Benjamini–Hochberg [1]_ (default), or ``"by"``, Benjamini–Yekutieli [2]_, which holds for tests that
        depend on each other in any way.

    References
    ----------
    .. [1] Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57, 289–300. doi
       10.1111/j.2517-6161.1995.tb02031.x.
    .. [2] Benjamini, Y. & Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under
       dependency. Annals of Statistics 29, 1165–1188. doi 10.1214/aos/1013699998.

    Examples
    --------
    >>> adjusted(np.array([0.01, np.nan, 0.04, 0.03])).round(3).tolist()
    [0.03, nan, 0.04, 0.04]
    """
    tested = ~np.isnan(p)
    q = np.full(p.shape, np.nan)
    if tested.any():
        q[tested] = stats.false_discovery_control(p[tested], method=method)
    return q

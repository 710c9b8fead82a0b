"""The backbone: the edges of a graph that are more than chance, by q or by the disparity filter; values stay."""

from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError
from diffusion.conventions import FDR

Side = Literal["either", "both", "out", "in"]

SIDES: Final = ("either", "both", "out", "in")


def backbone_by_q(edges: pd.DataFrame, *, level: float = FDR) -> pd.DataFrame:
    """Return the edges with q ≤ `level`, in the same order with all their columns.

    An edge without q (not tested) is not in the backbone.

    Parameters
    ----------
    edges
        One row per ordered pair, with `source`, `target`, `q`.
    level
        Share of the kept edges that may be chance: the false discovery rate, above 0 and up to 1.

    Raises
    ------
    SettingError
        When there is no column `q`, or the level is not above 0 and up to 1.
    DataSaysNoError
        When no edge is kept.

    Examples
    --------
    >>> edges = pd.DataFrame({"source": ["SE", "NO"], "target": ["NO", "SE"], "q": [0.001, 0.3]})
    >>> backbone_by_q(edges)
      source target      q
    0     SE     NO  0.001
    """
    _check_level(level)
    if "q" not in edges:
        raise SettingError("these edges have no column q; test them against a null first, or use the disparity filter")
    return _kept(edges, edges["q"].to_numpy(dtype=float, na_value=np.nan), level, "q")


def backbone_by_disparity(
    edges: pd.DataFrame, *, level: float = FDR, by: str = "tracks", side: Side = "either"
) -> pd.DataFrame:
    """Return the edges that the disparity filter keeps, with the columns that `disparity` adds.

    Parameters
    ----------
    edges
        One row per ordered pair, with `source`, `target` and the column `by`.
    level
        Largest disparity of a kept edge, above 0 and up to 1.
    by
        Column with the strength of an edge: a count or a rate, 0 or missing where there is no edge.
    side
        Whose view decides: that of the source or that of the target, whichever favours the edge (``"either"``, as in
        the paper), both of them (``"both"``), the source alone (``"out"``) or the target alone (``"in"``).

    Raises
    ------
    SettingError
        When the level, the side or the column cannot be right.
    DataSaysNoError
        When no edge is kept.

    References
    ----------
    Serrano, M. Á., Boguñá, M. & Vespignani, A. (2009). Extracting the multiscale backbone of complex weighted networks.
    PNAS 106, 6483–6488. doi 10.1073/pnas.0808904106.
    """
    _check_level(level)
    if side not in SIDES:
        raise SettingError(f"side is one of {', '.join(SIDES)}, not '{side}'")
    scored = disparity(edges, by=by)
    out, into = (scored[column].to_numpy() for column in ("disparity_out", "disparity_in"))
    seen = {"either": np.minimum(out, into), "both": np.maximum(out, into), "out": out, "in": into}
    return _kept(scored, seen[side], level, "disparity")


def disparity(edges: pd.DataFrame, *, by: str = "tracks") -> pd.DataFrame:
    """Return `edges` with how surprising each is to its two markets: `disparity_out`, `disparity_in`, `disparity`.

    A market with k edges on one side, that shared its strength among them by k − 1 uniform cuts of a stick, would give
    an edge the share s or more with probability (1 − s)^(k − 1). `disparity_out` is that for the source among the edges
    it sends, `disparity_in` for the target among those it receives, `disparity` the smaller of the two. Missing where
    there is no edge. 1 where it is the market's only edge on that side, which says nothing.

    Parameters
    ----------
    edges
        One row per ordered pair, with `source`, `target` and the column `by`.
    by
        Column with the strength of an edge, 0 or missing where there is no edge.

    Notes
    -----
    The probabilities are not adjusted for the number of edges, and the smaller of two favours an edge: a level of 0.05
    is not an error rate. The filter looks at each market's own distribution only; it does not know of exposure or of
    the size of the other market, for which there is q.

    Raises
    ------
    SettingError
        When there is no column `by`, or it is below 0 or infinite somewhere.

    References
    ----------
    Serrano, M. Á., Boguñá, M. & Vespignani, A. (2009). Extracting the multiscale backbone of complex weighted networks.
    PNAS 106, 6483–6488. doi 10.1073/pnas.0808904106.

    Examples
    --------
    >>> edges = pd.DataFrame({"source": ["SE"] * 3, "target": ["NO", "DK", "FI"], "tracks": [8, 1, 1]})
    >>> disparity(edges)[["target", "disparity_out", "disparity_in", "disparity"]].round(2)
      target  disparity_out  disparity_in  disparity
    0     NO           0.04           1.0       0.04
    1     DK           0.81           1.0       0.81
    2     FI           0.81           1.0       0.81
    """
    if by not in edges:
        raise SettingError(f"these edges have no column '{by}'")
    strength = edges[by].to_numpy(dtype=float, na_value=np.nan)
    if (strength < 0).any() or np.isinf(strength).any():
        raise SettingError(f"the column '{by}' is below 0 or infinite somewhere; the disparity filter needs strengths")
    strength = np.where(strength > 0, strength, np.nan)
    out, into = (_surprise(edges[end], strength) for end in ("source", "target"))
    return edges.assign(disparity_out=out, disparity_in=into, disparity=np.minimum(out, into))


def _surprise(market: "pd.Series[str]", strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (1 − share)^(k − 1) of every edge among the edges of its market, NaN where there is no edge."""
    number, _ = pd.factorize(market)
    there = ~np.isnan(strength)
    degree = np.bincount(number, weights=there)
    total = np.bincount(number, weights=np.where(there, strength, 0.0))
    share = np.divide(strength, total[number], out=np.full(len(strength), np.nan), where=there)
    return np.where(there, np.clip(1 - share, 0.0, 1.0) ** np.maximum(degree[number] - 1, 0), np.nan)


def _kept(edges: pd.DataFrame, value: NDArray[np.float64], level: float, name: str) -> pd.DataFrame:
    keep = value <= level
    if not keep.any():
        there = value[~np.isnan(value)]
        least = f"the smallest is {there.min():.3g}" if there.size else "none has a value"
        raise DataSaysNoError(
            f"no edge of {len(edges):,} has {name} ≤ {level:g} ({least}); raise the level or use more data"
        )
    return edges[keep].reset_index(drop=True)


def _check_level(level: float) -> None:
    if not 0 < level <= 1:
        raise SettingError(f"a level is above 0 and up to 1, not {level:g}")

"""The backbone of a graph: its pairs beyond the baseline, or the edges that the disparity filter keeps."""

from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError
from diffusion.conventions import FDR

Side = Literal["either", "both", "out", "in"]

SIDES: Final = ("either", "both", "out", "in")


def backbone_by_q(edges: pd.DataFrame, *, level: float = FDR) -> pd.DataFrame:
    """Return the edges with q ≤ `level`, in the same order, with all columns.

    Edges without q (not tested) are left out.

    Parameters
    ----------
    edges
        One row per ordered pair, with `source`, `target`, `q`, as `graphs.baseline.edge_table` returns them.
    level
        False discovery rate, above 0 and up to 1 (default .05).

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
        raise SettingError(
            "these edges have no column q; take those of graphs.baseline.edge_table, or use the disparity filter"
        )
    q = edges["q"].to_numpy(dtype=float, na_value=np.nan)
    return _kept(edges, q, level, "q", "longer charts show smaller lifts")


def backbone_by_disparity(
    edges: pd.DataFrame, *, level: float = FDR, by: str = "tracks", side: Side = "either"
) -> pd.DataFrame:
    """Return the edges that the disparity filter keeps, with the columns that `disparity` adds.

    It needs no baseline, so it also serves edges without q, such as rates. Its level is not an error rate (see
    `disparity`).

    Parameters
    ----------
    edges
        One row per ordered pair, with `source`, `target` and the column `by`.
    level
        Largest disparity of a kept edge, above 0 and up to 1 (default .05).
    by
        Column with the strength of an edge: a count or a rate, 0 or missing where there is no edge (default
        ``tracks``).
    side
        Which disparity must be at most `level`: that of the source or that of the target (``"either"``, the default,
        as in the paper), both (``"both"``), that of the source (``"out"``) or that of the target (``"in"``).

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
    return _kept(scored, seen[side], level, "disparity", "raise the level or use more data")


def disparity(edges: pd.DataFrame, *, by: str = "tracks") -> pd.DataFrame:
    """Return `edges` with the columns `disparity_out`, `disparity_in` and `disparity`.

    `disparity_out` compares the edge with the k edges that its source sends: it is the probability (1 − s)^(k − 1) of
    a share of s or more of the source's strength if k − 1 uniform cuts divided it. `disparity_in` is the same among the
    edges that the target receives; `disparity` is the smaller of the two. They are missing where there is no edge, and
    1 (no information) where a market has one edge on that side.

    Parameters
    ----------
    edges
        One row per ordered pair, with `source`, `target` and the column `by`.
    by
        Column with the strength of an edge, 0 or missing where there is no edge (default ``tracks``).

    Notes
    -----
    A level of 0.05 is not an error rate: the probabilities are not adjusted for the number of edges, and `disparity` is
    the smaller of two. The filter uses the distribution of each market by itself; exposure and the size of the other
    market are not in it; use q where they matter.

    Raises
    ------
    SettingError
        When there is no column `by`, or it has a value below 0 or an infinite one.

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
    out, into = (_disparity(edges[end], strength) for end in ("source", "target"))
    return edges.assign(disparity_out=out, disparity_in=into, disparity=np.minimum(out, into))


def _disparity(market: "pd.Series[str]", strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (1 − share)^(k − 1) of every edge among the k edges of its market, NaN where there is no edge."""
    number, _ = pd.factorize(market)
    there = ~np.isnan(strength)
    degree = np.bincount(number, weights=there)
    total = np.bincount(number, weights=np.where(there, strength, 0.0))
    share = np.divide(strength, total[number], out=np.full(len(strength), np.nan), where=there)
    return np.where(there, np.clip(1 - share, 0.0, 1.0) ** np.maximum(degree[number] - 1, 0), np.nan)


def _kept(edges: pd.DataFrame, value: NDArray[np.float64], level: float, name: str, advice: str) -> pd.DataFrame:
    keep = value <= level
    if not keep.any():
        there = value[~np.isnan(value)]
        least = f"the smallest is {there.min():.3g}" if there.size else "none has a value"
        raise DataSaysNoError(f"no edge of {len(edges):,} has {name} ≤ {level:g} ({least}); {advice}")
    return edges[keep].reset_index(drop=True)


def _check_level(level: float) -> None:
    if not 0 < level <= 1:
        raise SettingError(f"a level is above 0 and up to 1, not {level:g}")

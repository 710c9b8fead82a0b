"""What goes with streams: correlations with log streams, and how streams fall with the rank."""

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from diffusion import DataSaysNoError
from diffusion.arrays import Floats, Ints
from diffusion.risk.kaplan_meier import TAIL
from graphs.false_discovery import adjusted
from graphs.leaders.groups import LEAST_ARTISTS
from pipelines.eda.distributions import Rows

ROWS: Final = "over all rows"
ABOVE: Final = "above the chart's mean"
"""What variables are correlated with: log streams, or what these are above the mean of their market and date."""


def correlations(rows: Rows) -> pd.DataFrame:
    """Return the correlations of rank and of variables of tracks with log10 streams, over the rows with streams.

    They are Pearson's, once with log streams and once with what these are above the mean of their market and date, so
    that the size of a market and the growth of streaming do not make them.

    Returns
    -------
    DataFrame
        One row per variable and scope: `variable`, `scope`, `chart_rows`, `artists` (effective number, by squares of
        the variable), `correlation`, `low`, `high`, `p`, `q` (by scope; null with fewer than 10 effective artists).

    Notes
    -----
    The variance adds up what leaving out each artist changes in the correlation, to first order; the interval is on
    Fisher's scale, with Student's t for the effective number of artists less one.
    """
    found = []
    for scope, name in ((ROWS, "log"), (ABOVE, "above")):
        part = pd.DataFrame([_correlation(rows, variable, name) for variable in ("rank", "log_rank", *rows.values)])
        part.insert(1, "scope", scope)
        part["q"] = adjusted(part["p"].to_numpy(np.float64))
        found.append(part[part["correlation"].notna()])
    return pd.concat(found, ignore_index=True)


def _correlation(rows: Rows, variable: str, with_: str) -> dict[str, float | str]:
    count = rows.sums["streamed_rows"].to_numpy(np.float64)
    if variable in rows.values:
        value = rows.values[variable]
        x, xx, xy = count * value, count * value**2, value * rows.sums[with_].to_numpy(np.float64)
    else:
        names = variable, f"{variable}_{variable}", f"{variable}_{with_}"
        x, xx, xy = (rows.sums[name].to_numpy(np.float64) for name in names)
    kept = (count > 0) & np.isfinite(x)
    y, yy = (rows.sums[name].to_numpy(np.float64)[kept] for name in (with_, f"{with_}_{with_}"))
    told = pearson(count[kept], x[kept], xx[kept], y, yy, xy[kept], rows.cluster[kept])
    return {"variable": variable.replace("_", " "), **told}


def pearson(count: Floats, x: Floats, xx: Floats, y: Floats, yy: Floats, xy: Floats, cluster: Ints) -> dict[str, float]:
    """Return Pearson's correlation from sums over the rows of n tracks, with an interval and p by cluster.

    Parameters
    ----------
    count, x, xx, y, yy, xy
        (n,): rows, and the sums of both variables, of their squares and of their product.
    cluster
        (n,): number of the artist.

    Returns
    -------
    dict
        `chart_rows`, `artists`, `correlation` (NaN where a variable does not vary), `low`, `high`, `p`.
    """
    total = count.sum()
    told = {"chart_rows": int(total), "artists": 0.0, **dict.fromkeys(("correlation", "low", "high", "p"), np.nan)}
    if not total:
        return told
    mean_x, mean_y = x.sum() / total, y.sum() / total
    both = xy - mean_x * y - mean_y * x + count * mean_x * mean_y
    own_x, own_y = xx - 2 * mean_x * x + count * mean_x**2, yy - 2 * mean_y * y + count * mean_y**2
    squares = own_x.sum(), own_y.sum()
    if not (squares[0] > 1e-9 * max(xx.sum(), 1e-300) and squares[1] > 1e-9 * max(yy.sum(), 1e-300)):
        return told
    scale = np.sqrt(squares[0] * squares[1])
    told["correlation"] = correlation = float(both.sum() / scale)
    influence = both / scale - correlation / 2 * (own_x / squares[0] + own_y / squares[1])
    told["artists"], error = _clustered_error(influence, own_x, cluster)
    if told["artists"] >= LEAST_ARTISTS and abs(correlation) < 1:
        freedom, error = told["artists"] - 1, error / (1 - correlation**2)
        reach = stdtrit(freedom, 1 - TAIL) * error
        told["low"], told["high"] = (float(np.tanh(np.arctanh(correlation) + sign * reach)) for sign in (-1, 1))
        told["p"] = float(2 * stdtr(freedom, -abs(np.arctanh(correlation)) / error))
    return told


def _clustered_error(influence: Floats, squares: Floats, cluster: Ints) -> tuple[float, float]:
    """Return the effective number of clusters, by squares of x, and the standard error from each track's influence.

    The influence of a cluster is divided by one minus its share of the squares, as when the cluster is left out.
    """
    _, place = np.unique(cluster, return_inverse=True)
    share = np.bincount(place, squares) / squares.sum()
    artists = float(1 / (share**2).sum())
    if artists < LEAST_ARTISTS:
        return artists, np.nan
    return artists, float(np.sqrt(((np.bincount(place, influence) / (1 - share)) ** 2).sum()))


def rank_slope(rows: Rows) -> pd.DataFrame:
    """Return by how much log streams fall for each log of the rank within a chart, in one row.

    Raises
    ------
    DataSaysNoError
        When no chart has two ranks with streams.
    """
    lower, both = rows.sums["lower_lower"].to_numpy(), rows.sums["lower_above"].to_numpy()
    if not lower.sum() > 0:
        raise DataSaysNoError("no chart has streams at two ranks")
    slope = float(both.sum() / lower.sum())
    count = rows.sums["streamed_rows"].to_numpy(np.float64)
    artists, error = _clustered_error((both - slope * lower) / lower.sum(), lower, rows.cluster)
    reach = stdtrit(artists - 1, 1 - TAIL) * error
    told = {"chart_rows": int(count.sum()), "artists": artists, "slope": slope}
    return pd.DataFrame([told | {"low": slope - reach, "high": slope + reach}])

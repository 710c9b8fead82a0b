"""Transitions: number of tracks, rate and lags of each ordered pair of markets."""

import numpy as np
import pandas as pd
import pyarrow as pa

from diffusion.arrays import Floats, Ints
from diffusion.contracts import TRANSITIONS
from diffusion.pairs.counts import PairCounts
from diffusion.pairs.curves import independent_interval, rate_interval
from diffusion.pairs.variance import Several
from diffusion.risk.kaplan_meier import KaplanMeier

QUANTILES = {"lag_q25": 0.25, "lag_median": 0.5, "lag_q75": 0.75}


def transition_table(counts: PairCounts, several: Several) -> pa.Table:
    """Return the table of `diffusion.transitions` from pair counts and their correction for clusters.

    Parameters
    ----------
    several
        Result of `diffusion.pairs.variance.clusters_of_several`.
    """
    curves = KaplanMeier.of_ends(counts.entered, counts.censored)
    exposed, last = counts.exposed, curves.last
    rate = np.where(exposed > 0, curves.incidence[..., -1], np.nan)
    low, high = rate_interval(counts, several)
    pairs = ~np.eye(len(counts.markets), dtype=np.bool_)
    source, target = np.nonzero(pairs)
    codes = pa.array(counts.markets, pa.string())
    columns = {
        "tracks": counts.tracks,
        "joint": counts.joint,
        "exposed": exposed,
        "rate": rate,
        "rate_low": low,
        "rate_high": high,
        "rate_if_ties": _rate_if_ties(rate, exposed, counts.joint),
        **lag_quantiles(counts.entered, QUANTILES),
        "followed_to": last,
    }
    table = {"source": codes.take(pa.array(source)), "target": codes.take(pa.array(target))}
    for name, values in columns.items():
        own = values[pairs]
        table[name] = pa.array(own, mask=(own < 0) if name == "followed_to" else np.isnan(own))
    return TRANSITIONS.conform(pa.table(table))


def _rate_if_ties(rate: Floats, exposed: Ints, joint: Ints) -> Floats:
    """Return the rate with ties counted as entries at lag 0, before any track leaves the risk set."""
    staying = exposed * (1 - np.where(exposed > 0, rate, 0.0))
    some = exposed + joint
    rates: Floats = np.divide(some - staying, some, out=np.full(rate.shape, np.nan), where=some > 0)
    return rates


def lag_quantiles(entered: Ints, shares: dict[str, float]) -> dict[str, Floats]:
    """Return the quantiles of the observed lags in days, (…), exact from counts; NaN where there is no lag.

    Parameters
    ----------
    entered
        (…, w + 1): tracks by lag.
    shares
        Name → share of each quantile, 0 … 1.
    """
    total = entered.sum(axis=-1)
    before = np.cumsum(total).reshape(total.shape) - total
    ascending, pair = np.cumsum(entered), np.arange(total.size).reshape(total.shape) * entered.shape[-1]
    quantiles = {}
    for name, share in shares.items():
        rank = np.maximum(total - 1, 0) * share
        # the quantile is the first lag at which the running count of the pair exceeds the rank
        below, above = (
            np.searchsorted(ascending, before + whole(rank).astype(np.int64), side="right") - pair
            for whole in (np.floor, np.ceil)
        )
        quantiles[name] = np.where(total > 0, below + (above - below) * (rank - np.floor(rank)), np.nan)
    return quantiles


def lag_curve(lags: pd.DataFrame) -> pd.DataFrame:
    """Return the cumulative incidence of the target after the source, for each pair and day in `lags`.

    Parameters
    ----------
    lags
        Rows of `diffusion.contracts.LAGS`, in order of pair and days.

    Returns
    -------
    DataFrame
        `lags` with `at_risk` (exposed tracks whose follow-up reaches the day), `incidence` (0 … 1, one minus
        Kaplan–Meier up to and including the day), and `low`, `high`, its 95 % interval for independent tracks:
        log(−log) with Greenwood's variance, and the bounds of Clopper and Pearson at 0 and 1. It is too narrow when
        tracks of one artist are dependent; `diffusion.pairs.curves.lag_band` takes clusters into account.

    Examples
    --------
    >>> lags = pd.DataFrame({"source": "SE", "target": "NO", "days": [1, 2], "entered": [1, 1], "censored": [0, 2]})
    >>> lag_curve(lags)[["days", "at_risk", "incidence"]]
       days  at_risk  incidence
    0     1        4       0.25
    1     2        3       0.50
    """
    pairs = lags.groupby(["source", "target"], sort=False).ngroup().to_numpy()
    days, column = np.unique(lags["days"].to_numpy(), return_inverse=True)
    shape = (int(pairs.max(initial=-1)) + 1, len(days))
    entered, censored = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    entered[pairs, column], censored[pairs, column] = lags["entered"], lags["censored"]
    curves = KaplanMeier.of_ends(entered, censored)
    low, high = independent_interval(curves)
    values = {"at_risk": curves.at_risk, "incidence": curves.incidence, "low": low, "high": high}
    return lags.assign(**{name: value[pairs, column] for name, value in values.items()})

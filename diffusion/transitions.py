"""Transitions: for every ordered pair of markets, how many tracks go from one to the other, how surely and how fast."""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffusion.entries import Entries
from diffusion.schema import TRANSITIONS

QUANTILES = {"lag_q25": 0.25, "lag_median": 0.5, "lag_q75": 0.75}


def transitions(entries: Entries, *, window: int | None = None) -> pa.Table:
    """Return the transitions between all ordered pairs of observed markets, as `diffusion.schema.TRANSITIONS` says.

    Parameters
    ----------
    window
        Days within which the target must follow, the bound included (default: that of the calendar's cadence).

    Notes
    -----
    `rate` is one minus the Kaplan–Meier estimate among the exposed, at the last observed day of follow-up
    (`followed_to`, at most the window), with censoring at the end of the target's coverage; it equals
    ``tracks / exposed`` where every follow-up is complete.
    The lag quantiles interpolate linearly between order statistics (type 7 of Hyndman & Fan 1996, doi
    10.2307/2684934).
    """
    window = entries.calendar.default_window if window is None else window
    lags = entries.lags(window=window).to_pandas()
    ties = entries.ties().to_pandas()
    pairs = pd.MultiIndex.from_product([entries.calendar.markets] * 2, names=["source", "target"])
    pairs = pairs[pairs.get_level_values(0) != pairs.get_level_values(1)]
    totals = lags.groupby(["source", "target"])[["entered", "censored"]].sum().reindex(pairs, fill_value=0)
    joint = ties.set_index(["source", "target"])["joint"].reindex(pairs, fill_value=0)
    table = pd.DataFrame(
        {
            "tracks": totals["entered"],
            "joint": joint,
            "exposed": totals["entered"] + totals["censored"],
            "rate": final_rates(lags).reindex(pairs),
            **{name: lag_quantile(lags, share).reindex(pairs) for name, share in QUANTILES.items()},
            "followed_to": lags.groupby(["source", "target"])["days"].max().reindex(pairs).astype("Int64"),
        }
    ).reset_index()
    return TRANSITIONS.conform(pa.Table.from_pandas(table, preserve_index=False))


def lag_curve(lags: pd.DataFrame) -> pd.DataFrame:
    """Return the cumulative incidence of the target after the source, for every pair and day in `lags`.

    Parameters
    ----------
    lags
        Rows of `diffusion.schema.LAGS`, in order of pair and days.

    Returns
    -------
    DataFrame
        `lags` with `at_risk` (exposed tracks whose follow-up reaches the day) and `incidence` (0 … 1, one minus
        Kaplan–Meier up to and including the day).
    """
    pair = lags.groupby(["source", "target"], sort=False)
    ended = lags["entered"] + lags["censored"]
    at_risk = ended.groupby([lags["source"], lags["target"]], sort=False).transform("sum")
    at_risk -= pair[["entered", "censored"]].cumsum().sum(axis=1) - ended
    staying = 1 - lags["entered"] / at_risk
    survival = staying.groupby([lags["source"], lags["target"]], sort=False).cumprod()
    return lags.assign(at_risk=at_risk, incidence=1 - survival)


def final_rates(lags: pd.DataFrame) -> "pd.Series[float]":
    """Return, by pair, the incidence at the end of follow-up."""
    return lag_curve(lags).groupby(["source", "target"])["incidence"].last()


def lag_quantile(lags: pd.DataFrame, share: float) -> "pd.Series[float]":
    """Return, by pair with transitions, the quantile of the observed lags in days, exact from their counts."""
    entered = lags[lags["entered"] > 0]
    pair = entered.groupby(["source", "target"])
    total = pair["entered"].sum()
    cumulative = pair["entered"].cumsum().to_numpy()
    position = (total - 1) * share
    below = _order_statistic(entered, cumulative, np.floor(position))
    above = _order_statistic(entered, cumulative, np.ceil(position))
    quantile: pd.Series[float] = below + (above - below) * (position - np.floor(position))
    return quantile


def _order_statistic(
    entered: pd.DataFrame, cumulative: NDArray[np.int64], rank: "pd.Series[float]"
) -> "pd.Series[float]":
    """Return, by pair, the lag at place `rank` (from 0) in the order of lags."""
    wanted = pd.MultiIndex.from_frame(entered[["source", "target"]])
    reached = cumulative > rank.reindex(wanted).to_numpy()
    return pd.Series(entered[reached].groupby(["source", "target"])["days"].first(), dtype=float)

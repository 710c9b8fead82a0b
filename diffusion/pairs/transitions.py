"""Transitions: for every ordered pair of markets, how many tracks go from one to the other, how surely and how fast."""

import numpy as np
import pandas as pd
import pyarrow as pa

from diffusion.arrays import Floats, Ints
from diffusion.contracts import TRANSITIONS
from diffusion.entries import Entries
from diffusion.pairs.counts import PairCounts, pair_counts
from diffusion.pairs.curves import independent_interval, rate_interval
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.timelines import Timelines

QUANTILES = {"lag_q25": 0.25, "lag_median": 0.5, "lag_q75": 0.75}


def transitions(entries: Entries, *, window: int | None = None) -> pa.Table:
    """Return the transitions between all ordered pairs of observed markets, as `diffusion.contracts.TRANSITIONS` says.

    Parameters
    ----------
    window
        Days within which the target must follow, the bound included (default: that of the calendar's cadence).

    Raises
    ------
    SettingError
        When the window is not between 1 and 36,500 days.

    Notes
    -----
    `rate` is one minus the Kaplan–Meier estimate among the exposed, at the last observed day of follow-up
    (`followed_to`, at most the window), with censoring at the end of the target's coverage; it equals
    ``tracks / exposed`` where every follow-up is complete. `rate_low` and `rate_high` are its 95 % interval, robust to
    clusters of tracks that go together: `diffusion.pairs.curves.interval`. `rate_if_ties` is the rate if every tie had
    been a transition from the source on the day of its entry there: an upper bound of what ties may hide.
    The lag quantiles interpolate linearly between order statistics (type 7 of Hyndman & Fan 1996, doi
    10.2307/2684934).
    """
    window = entries.calendar.default_window if window is None else window
    return transition_table(entries.timelines, pair_counts(entries.timelines, window=window))


def transition_table(timelines: Timelines, counts: PairCounts) -> pa.Table:
    """Return the table of `transitions` from the timelines' pair counts."""
    curves = KaplanMeier.of_ends(counts.entered, counts.censored)
    exposed, last = counts.exposed, curves.last
    rate = np.where(exposed > 0, curves.incidence[..., -1], np.nan)
    low, high = rate_interval(timelines, counts)
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
    """Return the rate with ties as entries on the day of exposure, before any other can leave the risk set."""
    staying = exposed * (1 - np.where(exposed > 0, rate, 0.0))
    some = exposed + joint
    rates: Floats = np.divide(some - staying, some, out=np.full(rate.shape, np.nan), where=some > 0)
    return rates


def lag_quantiles(entered: Ints, shares: dict[str, float]) -> dict[str, Floats]:
    """Return quantiles of the observed lags in days, exact from their counts; NaN where there are none.

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
        # a lag stands where the count of all lags up to it, pair after pair, first exceeds its rank
        below, above = (
            np.searchsorted(ascending, before + whole(rank).astype(np.int64), side="right") - pair
            for whole in (np.floor, np.ceil)
        )
        quantiles[name] = np.where(total > 0, below + (above - below) * (rank - np.floor(rank)), np.nan)
    return quantiles


def lag_curve(lags: pd.DataFrame) -> pd.DataFrame:
    """Return the cumulative incidence of the target after the source, for every pair and day in `lags`.

    Parameters
    ----------
    lags
        Rows of `diffusion.contracts.LAGS`, in order of pair and days.

    Returns
    -------
    DataFrame
        `lags` with `at_risk` (exposed tracks whose follow-up reaches the day), `incidence` (0 … 1, one minus
        Kaplan–Meier up to and including the day), and `low`, `high`, its 95 % interval if tracks went each by itself:
        log(−log) with Greenwood's variance, at 0 and 1 the bounds of Clopper and Pearson for those at risk. Where
        tracks of one artist come together it is too narrow; `diffusion.pairs.curves.lag_band` knows the clusters.
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

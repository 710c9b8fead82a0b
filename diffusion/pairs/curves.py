"""Lag curves of ordered pairs, and intervals that are robust to clusters of tracks."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from diffusion.arrays import Flags, Floats, Ints
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.pairs.bands import Exposed, curve_of
from diffusion.pairs.counts import PairCounts
from diffusion.pairs.variance import Several, Spread, rate_spread
from diffusion.risk.kaplan_meier import NORMAL, TAIL, KaplanMeier, log_log_bounds
from diffusion.timelines import Timelines


def interval(staying: Floats, over: Flags, spread: Spread) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % interval of incidences, robust to clusters.

    Parameters
    ----------
    staying, over
        As in `KaplanMeier`.
    spread
        Variance of the logarithm of survival by clusters.

    Notes
    -----
    For an incidence between 0 and 1 the interval is that of log(−log survival), which stays between 0 and 1. The
    variance is the jackknife by cluster, to first order: the sum over clusters of their squared
    `diffusion.risk.influence.left_out`. When few clusters entered, it depends on chance whether one of them has many
    tracks. The variance is therefore at least Greenwood's variance times 1 + tightness · (mean size − 1), with sizes
    weighted by tracks. The tightness, 0 … 1, measures over all targets of the source how far the tracks of a cluster
    behave as one. The quantile is that of the t distribution; for a rate or a lag curve with clusters − 1 degrees of
    freedom.

    If no track entered, the upper bound is Clopper and Pearson's for 0 of n, where n is the number of clusters at risk
    on that day. If all at risk entered, the lower bound is Clopper and Pearson's for n of n, or the lower bound of the
    day before if that is larger. Where a single cluster makes the curve, and the incidence is between 0 and 1, its
    variance is infinite and the bounds are 0 and 1.

    References
    ----------
    Kalbfleisch & Prentice 2002, The Statistical Analysis of Failure Time Data (log(−log) interval), doi
    10.1002/9781118032985. Clopper & Pearson 1934, doi 10.1093/biomet/26.4.404. Fay, Brittain & Proschan 2013 (the bound
    where nobody entered), doi 10.1093/biostatistics/kxt016.
    """
    quantile: Floats = np.asarray(stdtrit(np.maximum(spread.freedom, 1), 1 - TAIL), np.float64)
    with np.errstate(over="ignore"):  # a very large variance gives the bounds 0 and 1
        low, high = log_log_bounds(staying, np.maximum(spread.variance, spread.least), quantile)
    return _at_the_ends(low, high, staying, over, spread.at_risk)


def independent_interval(curves: KaplanMeier) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % interval of incidences by Greenwood's variance, with independent tracks.

    At incidences 0 and 1 they are as in `interval`, with tracks in place of clusters.
    """
    low, high = log_log_bounds(curves.staying, curves.variance, NORMAL)
    return _at_the_ends(low, high, curves.staying, curves.over, curves.at_risk)


def _at_the_ends(low: Floats, high: Floats, staying: Floats, over: Flags, at_risk: Ints) -> tuple[Floats, Floats]:
    """Return the bounds, replaced by those of Clopper and Pearson where none or all at risk entered."""
    surely = TAIL ** (1 / np.maximum(at_risk, 1))
    high = np.where(over, 1.0, np.where(staying < 1, high, 1 - surely))
    return np.where(over, np.maximum(low, surely), low), high


def rate_interval(counts: PairCounts, several: Several) -> tuple[Floats, Floats]:
    """Return the bounds, (m, m) each, of the 95 % interval of each pair's rate; NaN where no track is exposed.

    Parameters
    ----------
    several
        Correction for clusters of several tracks: result of `diffusion.pairs.variance.clusters_of_several`.

    Notes
    -----
    This is `interval` on the last day of follow-up. Most clusters have one track, and are counted by outcome and day of
    follow-up; only clusters with several exposed tracks are treated one by one.
    """
    curves = KaplanMeier.of_ends(counts.entered, counts.censored)
    # curves are constant after the last day of follow-up
    low, high = interval(curves.staying[..., -1], curves.over[..., -1], rate_spread(counts, curves, several))
    nobody = counts.exposed == 0
    return np.where(nobody, np.nan, low), np.where(nobody, np.nan, high)


def lag_band(timelines: Timelines, source: str, target: str, *, window: int) -> pd.DataFrame:
    """Return the lag curve of one pair with a 95 % band that is robust to clusters.

    Parameters
    ----------
    source, target
        Codes of two markets.
    window
        Days within which the target must follow, the bound included.

    Returns
    -------
    DataFrame
        One row per day from 0 to the last day of follow-up: `days`, `at_risk` (exposed tracks whose follow-up reaches
        the day), `entered`, `censored` (tracks whose follow-up ended on that day), `incidence` (0 … 1, probability of
        entry by the day: one minus Kaplan–Meier), `low`, `high` (bounds of each single day, by `interval`).

    Raises
    ------
    SettingError
        When a market is unknown, both are the same, or the window is not between 1 and 36,500 days.
    DataSaysNoError
        When no track is exposed.
    """
    check_pair(timelines.markets, source, target)
    exposed = Exposed.of(timelines, source, window)
    ends, number = exposed.ends(), timelines.markets.index(target)
    return one_band(timelines.markets, source, target, ends, exposed.sums(**ends, targets=[number]))


def lag_bands(timelines: Timelines, source: str, *, window: int) -> dict[str, pd.DataFrame]:
    """Return target → lag curve, as `lag_band` returns it, for every target in which a track of the source is exposed.

    Parameters
    ----------
    source
        Code of a market.
    window
        Days within which the target must follow, the bound included.

    Raises
    ------
    SettingError
        When the market is unknown, or the window is not between 1 and 36,500 days.
    """
    check_pair(timelines.markets, source)
    exposed = Exposed.of(timelines, source, window)
    ends = exposed.ends()
    return bands_of(timelines.markets, source, ends, exposed.sums(**ends, targets=range(len(timelines.markets))))


def check_pair(markets: Sequence[str], *pair: str) -> None:
    """Check that the markets of a pair are there, and are two.

    Raises
    ------
    SettingError
        When a market is unknown, or both are the same.
    """
    if len(set(pair)) < len(pair):
        raise SettingError(f"a lag curve needs two markets; both are {pair[0]}")
    for market in pair:
        if market not in markets:
            raise SettingError(f"market '{market}' is not on this chart; there are {', '.join(markets)}")


def one_band(
    markets: Sequence[str], source: str, target: str, ends: Mapping[str, Ints], sums: Mapping[str, NDArray[Any]]
) -> pd.DataFrame:
    """Return the lag curve of one pair, as `lag_band` does, from the sums that `bands_of` takes.

    Raises
    ------
    DataSaysNoError
        When no track is exposed.
    """
    found = bands_of(markets, source, ends, sums)
    if target not in found:
        raise DataSaysNoError(f"no track timed in {source} was at risk in {target}: there is no lag curve")
    return found[target]


def bands_of(
    markets: Sequence[str], source: str, ends: Mapping[str, Ints], sums: Mapping[str, NDArray[Any]]
) -> dict[str, pd.DataFrame]:
    """Return target → lag curve, as `lag_bands` does, for the targets whose clusters were counted.

    Parameters
    ----------
    ends, sums
        Sums of `Exposed.ends` and `Exposed.sums` over all clusters.
    """
    entered, censored = ends["entered"], ends["censored"]
    several = Several(**{one.name: sums[one.name] for one in fields(Several)})
    greenwood = KaplanMeier.of_ends(entered, censored).variance[:, -1]
    widening = several.widening(entered.sum(axis=1), (entered + censored).sum(axis=1), greenwood)
    bands = {}
    for target, market in enumerate(markets):
        if market != source and sums["clusters"][target]:
            curve = curve_of(entered[target], censored[target])
            own = slice(len(curve.staying))
            spread = Spread(
                sums["variance"][target, own],
                curve.variance * widening[target],
                np.full(len(curve.staying), sums["clusters"][target] - 1.0),
                sums["there"][target, own],
            )
            bands[market] = _band(entered[target, own], censored[target, own], curve, spread)
    return bands


def _band(entered: Ints, censored: Ints, curve: KaplanMeier, spread: Spread) -> pd.DataFrame:
    low, high = interval(curve.staying, curve.over, spread)
    return pd.DataFrame(
        {
            "days": np.arange(len(entered)),
            "at_risk": curve.at_risk,
            "entered": entered,
            "censored": censored,
            "incidence": curve.incidence,
            "low": low,
            "high": high,
        }
    )

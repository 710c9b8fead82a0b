"""Curves as fits of lifelines."""

import warnings

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter

from diffusion import DataSaysNoError
from diffusion.arrays import Ints


def kaplan_meier_fits(curves: pd.DataFrame) -> dict[str, KaplanMeierFitter]:
    """Return a fit of lifelines for each group of curves, made by lifelines from weighted waits with delayed entry.

    Parameters
    ----------
    curves
        `group`, `days`, `at_risk`, `events`, as in `survival.Breakthrough.curves`.

    Notes
    -----
    Only the numbers at risk and of entries matter to the curve, so waits are put together from them: those that begin
    first end first. lifelines counts waits as at risk on the day on which they begin, so they are given half a day
    later. Its bands take waits as independent.

    Raises
    ------
    DataSaysNoError
        When nobody is at risk on a day before the last: lifelines does not follow such a curve.
    """
    return {str(name): _fit(str(name), curve) for name, curve in curves.groupby("group", sort=False)}


def _fit(name: str, curve: pd.DataFrame) -> KaplanMeierFitter:
    at_risk, events = (curve[column].to_numpy(np.int64) for column in ("at_risk", "events"))
    first = int((np.cumsum(at_risk) == 0).sum())
    if (at_risk[max(first, 1) :] == 0).any():
        day = max(first, 1) + int(np.argmax(at_risk[max(first, 1) :] == 0))
        raise DataSaysNoError(
            f"nobody in '{name}' is at risk on day {day}, but later: lifelines cannot follow the curve"
        )
    waits = _waits(at_risk, events)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lifelines, on weights and on its use of pandas
        return KaplanMeierFitter(label=name).fit(
            waits["days"],
            waits["entered"],
            entry=np.where(waits["start"] > 0, waits["start"] + 0.5, 0.0),
            weights=waits["count"],
        )


def _waits(at_risk: Ints, events: Ints) -> pd.DataFrame:
    """Return waits with these numbers at risk and of entries: `start`, `days`, `entered`, `count`."""
    next_day = np.append(at_risk[1:], 0)
    stayed = np.append(0, at_risk[1:]) - events
    begin, censored = np.maximum(next_day - stayed, 0), np.maximum(stayed - next_day, 0)
    days = np.arange(len(at_risk))
    ends, kinds = np.repeat(days, 2), np.tile([False, True], len(days))
    begun, ended = np.cumsum(begin), np.cumsum(np.stack([censored, events], axis=1).ravel())
    bounds = np.unique(np.concatenate([begun, ended]))
    bounds = bounds[bounds > 0]
    end = np.searchsorted(ended, bounds)
    return pd.DataFrame(
        {
            "start": days[np.searchsorted(begun, bounds)],
            "days": ends[end],
            "entered": kinds[end],
            "count": np.diff(bounds, prepend=0),
        }
    )

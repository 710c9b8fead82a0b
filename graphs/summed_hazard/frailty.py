"""Frailty: a factor of each track's hazards in all markets (popularity), which otherwise raises α."""

from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy import optimize, special

from diffusion.arrays import Floats
from diffusion.errors import DataSaysNoError, SettingError
from graphs.summed_hazard.background import Cells
from graphs.summed_hazard.followup import Tracks
from graphs.summed_hazard.gradients import event_hazards, expected_entries
from graphs.summed_hazard.model import Fit

Frailty = Literal["footprint", "gamma"]

FOOTPRINTS: Final = (1, 2, 4, 10)
"""Smallest number of markets on day 0 of each class of debuts."""

VARIANCES: Final = (1e-3, 50.0)
"""Bounds of the variance of the gamma scale."""


def expected_by_track(tracks: Tracks, cells: Cells, fit: Fit, *, horizon: int) -> tuple[Floats, Floats]:
    """Return every track's integrated hazard at scale 1 over all markets, and its events, (n,) each."""
    expected, entered = np.zeros(len(tracks.debut)), np.zeros(len(tracks.debut))
    for target, design in enumerate(fit.designs):
        senders = len(design.survived)
        alpha, hazard = fit.coefficients[target, :senders], fit.coefficients[target, senders:]
        reach = fit.reach(target)
        survived, came = expected_entries(tracks, cells, design.market, alpha, hazard, reach, horizon=horizon)
        expected += survived
        entered += came
        expected += np.bincount(design.track, event_hazards(design, alpha, hazard, reach) / design.scale, len(expected))
    return expected, entered


def track_scales(tracks: Tracks, expected: Floats, entered: Floats, kind: Frailty) -> tuple[Floats, pd.DataFrame]:
    """Return the scale of every track's hazards, (n,) with mean 1, and the table of `SummedHazard.frailty`.

    Raises
    ------
    SettingError
        When `kind` is unknown.
    DataSaysNoError
        When there are no events.

    References
    ----------
    Vaupel, J., Manton, K. & Stallard, E. (1979). The impact of heterogeneity in individual frailty on the dynamics of
    mortality. doi 10.2307/2061224.
    """
    if not entered.any():
        raise DataSaysNoError("no track entered a second market in any risk set, so frailty cannot be estimated")
    if kind == "footprint":
        return _by_footprint(tracks, expected, entered)
    if kind == "gamma":
        return _gamma(expected, entered)
    raise SettingError(f"frailty is '{kind}'; allowed are 'footprint', 'gamma' and None")


def _by_footprint(tracks: Tracks, expected: Floats, entered: Floats) -> tuple[Floats, pd.DataFrame]:
    kind = np.searchsorted(FOOTPRINTS, tracks.footprint, side="right") - 1
    classes = len(FOOTPRINTS)
    number = np.bincount(kind, minlength=classes)
    due, came = np.bincount(kind, expected, classes), np.bincount(kind, entered, classes)
    scale = np.divide(came, due, out=np.ones(classes), where=(due > 0) & (came > 0))
    scale /= (scale * number).sum() / number.sum()
    table = pd.DataFrame(
        {
            "footprint_from": FOOTPRINTS,
            "footprint_to": [*(first - 1 for first in FOOTPRINTS[1:]), len(tracks.markets)],
            "tracks": number,
            "entries": came.astype(np.int64),
            "expected": due,
            "scale": scale,
        }
    )
    return scale[kind], table[table["tracks"] > 0].reset_index(drop=True)


def _gamma(expected: Floats, entered: Floats) -> tuple[Floats, pd.DataFrame]:
    """Return posterior means; events of a track are Poisson given its scale, so all in all negative binomial."""

    def deviance(log_variance: float) -> float:
        size = np.exp(-log_variance)
        chance = special.gammaln(entered + size) - special.gammaln(size) - entered * np.log(size)
        return -float((chance - (entered + size) * np.log1p(expected / size)).sum())

    low, high = VARIANCES
    found = optimize.minimize_scalar(deviance, bounds=(np.log(low), np.log(high)), method="bounded")
    variance = float(np.exp(found.x))
    scale = (1 / variance + entered) / (1 / variance + expected)
    scale /= scale.mean()
    table = pd.DataFrame({"variance": [variance], "tracks": [len(entered)], "entries": [int(entered.sum())]})
    return scale, table

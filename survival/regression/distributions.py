"""Families of distributions of the time until an entry: logarithm of survival, with its derivatives."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, get_args

import numpy as np
from scipy import special

from diffusion.arrays import Floats

Family = Literal["weibull", "lognormal", "loglogistic", "generalized_gamma"]
FAMILIES: tuple[Family, ...] = get_args(Family)

SHAPE_STEP: Final = 1e-3
"""Step of the numeric derivatives by the shape of the generalised gamma."""

NEAR_NORMAL: Final = 1e-2
"""Shape of the generalised gamma below which a parabola through the log-normal stands for it, to about 1e-7."""

LEAST_SHAPE: Final = 1e-6
"""Shape of the generalised gamma for which its quantiles are those of the log-normal to a millionth."""

Standard = tuple[Floats, Floats, Floats]
"""Logarithm of survival of a standardised log time, and its first and second derivative."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Logarithm of survival at n points, with its derivatives by the k parameters of each point.

    Attributes
    ----------
    value, first, second
        (n,), (n, k) and (n, k, k).
    """

    value: Floats
    first: Floats
    second: Floats


LogSurvival = Callable[[Floats, Floats], Terms]
"""Logarithm of survival from days, (n,), and the parameters of each, (n, k)."""


@dataclass(frozen=True, slots=True)
class Law:
    """Distribution of the time until an entry, with parameters by row, (n, k).

    Attributes
    ----------
    log_survival
        Logarithm of the probability of no entry by each day, (n,).
    day_of
        Day by which a share, (n,), is left without an entry; infinite where there is no such day.
    """

    log_survival: LogSurvival
    day_of: Callable[[Floats, Floats], Floats]


def law_of(family: Family) -> Law:
    """Return the distribution of a family, with the parameters of `parameters_of`."""
    return Law(partial(log_survival, family), partial(day_of, family))


def parameters_of(family: Family) -> tuple[str, ...]:
    """Return the names of the parameters of a family: location and log scale of the log time, and a shape if any."""
    return ("location", "log(scale)", "shape") if family == "generalized_gamma" else ("location", "log(scale)")


def log_survival(family: Family, days: Floats, parameters: Floats) -> Terms:
    """Return the logarithm of the probability of no entry by each day.

    Parameters
    ----------
    days
        (n,): days since the clock began, 0 or more; survival on day 0 is 1.
    parameters
        (n, k): parameters in the order of `parameters_of`.

    Notes
    -----
    The log time is location + scale · error. The error has the survival exp(−exp(z)) (Weibull), Φ(−z) (log-normal),
    1 / (1 + exp(z)) (log-logistic), or, with a shape λ, Γ(1/λ², exp(λz)/λ²) / Γ(1/λ²), and one minus that where λ < 0
    (generalised gamma; Prentice's parametrisation, as in lifelines). The generalised gamma is the Weibull where λ = 1
    and the log-normal where λ = 0. Its derivatives by the shape are numeric.

    References
    ----------
    Prentice 1974, doi 10.1093/biomet/61.3.539.
    """
    later = days > 0
    scale = np.exp(parameters[:, 1])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # far off the data: not finite, refused later
        z = (np.log(np.where(later, days, 1.0)) - parameters[:, 0]) / scale
        if family == "generalized_gamma":
            value, first, second = _with_shape(z, scale, parameters[:, 2])
        else:
            standard = _standard(family, z)
            value, first, second = standard[0], *_by_location_and_scale(z, scale, standard)
    for part in (value, first, second):
        part[~later] = 0.0
    return Terms(value, first, second)


def day_of(family: Family, survival: Floats, parameters: Floats) -> Floats:
    """Return, (n,), the day by which the share `survival` is left; `parameters` as in `log_survival`."""
    if family == "weibull":
        z = np.log(-np.log(survival))
    elif family == "lognormal":
        z = -special.ndtri(survival)
    elif family == "loglogistic":
        z = np.log((1 - survival) / survival)
    else:
        shape = np.where(np.abs(parameters[:, 2]) < LEAST_SHAPE, LEAST_SHAPE, parameters[:, 2])
        size = shape**-2
        gamma = np.where(shape > 0, special.gammainccinv(size, survival), special.gammaincinv(size, survival))
        z = np.log(gamma / size) / shape
    days: Floats = np.exp(parameters[:, 0] + np.exp(parameters[:, 1]) * z)
    return days


def _standard(family: Family, z: Floats) -> Standard:
    """Return the logarithm of survival of a family without shape, with derivatives by z."""
    if family == "weibull":
        hazard = np.exp(z)
        return -hazard, -hazard, -hazard
    if family == "loglogistic":
        share = special.expit(z)
        return -np.logaddexp(0.0, z), -share, -share * (1 - share)
    value = special.log_ndtr(-z)
    hazard = np.exp(-(z**2) / 2 - value) / np.sqrt(2 * np.pi)
    return value, -hazard, -hazard * (hazard - z)


def _gamma(z: Floats, shape: Floats) -> Standard:
    """Return the logarithm of survival of a generalised gamma whose shape is not near 0, with derivatives by z."""
    size = shape**-2
    gamma = size * np.exp(shape * z)
    low = gamma < size
    tail = np.empty_like(z)  # the smaller of the two tails, so that neither rounds to 1
    tail[low] = special.gammainc(size[low], gamma[low])
    tail[~low] = special.gammaincc(size[~low], gamma[~low])
    value = np.where(low == (shape > 0), np.log1p(-tail), np.log(tail))
    density = np.log(np.abs(shape)) + size * np.log(gamma) - gamma - special.gammaln(size)
    hazard = np.exp(density - value)
    return value, -hazard, -hazard * (shape * (size - gamma) + hazard)


def _with_shape(z: Floats, scale: Floats, shape: Floats) -> tuple[Floats, Floats, Floats]:
    """Return value, first and second derivatives of the generalised gamma by location, log scale and shape.

    Three shapes give a parabola: the shape itself and both neighbours, or 0 and both ends of what is near the normal.
    """
    near = np.abs(shape) < NEAR_NORMAL
    middle, step = np.where(near, 0.0, shape), np.where(near, NEAR_NORMAL, SHAPE_STEP)
    below, above = _gamma(z, middle - step), _gamma(z, middle + step)
    normal = _standard("lognormal", z[near])
    centre = _gamma(z[~near], shape[~near])
    off = shape - middle
    standard, slopes, bends = [], [], []
    for at in range(3):
        here = np.empty_like(z)
        here[near], here[~near] = normal[at], centre[at]
        slope, bend = (above[at] - below[at]) / (2 * step), (above[at] - 2 * here + below[at]) / step**2
        standard.append(here + off * slope + off**2 / 2 * bend)
        slopes.append(slope + off * bend)
        bends.append(bend)
    first, second = np.empty((len(z), 3)), np.empty((len(z), 3, 3))
    first[:, :2], second[:, :2, :2] = _by_location_and_scale(z, scale, (standard[0], standard[1], standard[2]))
    first[:, 2], second[:, 2, 2] = slopes[0], bends[0]
    second[:, 0, 2] = second[:, 2, 0] = -slopes[1] / scale
    second[:, 1, 2] = second[:, 2, 1] = -z * slopes[1]
    return standard[0], first, second


def _by_location_and_scale(z: Floats, scale: Floats, standard: Standard) -> tuple[Floats, Floats]:
    """Return first and second derivatives by location and log scale from those by z."""
    _, slope, bend = standard
    first, second = np.empty((len(z), 2)), np.empty((len(z), 2, 2))
    first[:, 0], first[:, 1] = -slope / scale, -z * slope
    second[:, 0, 0], second[:, 1, 1] = bend / scale**2, (bend * z + slope) * z
    second[:, 0, 1] = second[:, 1, 0] = (bend * z + slope) / scale
    return first, second

"""Scores of predicted survival on arrays: Brier score, integrated Brier score, D-calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from diffusion import SettingError
from diffusion.arrays import Floats
from diffusion.display import Displayed
from survival.validation.outcomes import Censoring, Outcomes, checked_outcomes


def brier_score(
    days: ArrayLike,
    entered: ArrayLike,
    survival: ArrayLike,
    at: Sequence[float],
    *,
    counts: ArrayLike | None = None,
    censoring: Censoring | None = None,
) -> Floats:
    """Return, (m,), the Brier score on each day: mean squared distance of predicted survival from the outcome.

    Parameters
    ----------
    days, entered
        (n,): last day at risk, and whether the wait ended with an entry.
    survival
        (n, m): predicted probability of no entry by each of the days.
    at
        (m,): days.
    counts
        (n,): number of such waits (default: 1).
    censoring
        Probability of being followed (default: of these waits).

    Notes
    -----
    Waits censored before the day count 0, and the others are weighted by the inverse of the probability of being
    followed. A wait censored on the day is known to be without an entry by it. scikit-survival leaves such a wait out;
    the two agree where waits are not censored on the same day as entries or scores.

    Raises
    ------
    SettingError
        When lengths differ or a prediction is no probability.
    DataSaysNoError
        When no wait is followed to a day.

    References
    ----------
    Graf et al. 1999, doi 10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.

    Examples
    --------
    >>> brier_score([1, 5, 5], [True, False, False], [[0.5], [0.8], [0.8]], [3]).round(3).tolist()
    [0.11]
    """
    outcomes = Outcomes.of(days, entered, counts, censoring)
    predicted = checked_survival(survival, (len(outcomes.days), len(at)))
    return np.array(
        [
            outcomes.count @ brier_terms(outcomes, predicted[:, column], day) / outcomes.waits
            for column, day in enumerate(at)
        ]
    )


def brier_terms(outcomes: Outcomes, survival: Floats, day: float) -> Floats:
    """Return, (n,), what each wait adds to the sum of the Brier score on a day; `survival` is (n,)."""
    entry, free = outcomes.entry_weights(day), outcomes.free_weights(day)
    terms: Floats = entry * survival**2 + free * (1 - survival) ** 2
    return terms


def integrated_brier_score(
    days: ArrayLike,
    entered: ArrayLike,
    survival: ArrayLike,
    at: Sequence[float],
    *,
    counts: ArrayLike | None = None,
    censoring: Censoring | None = None,
) -> float:
    """Return the mean Brier score between the first and the last of the days, by the trapezoidal rule.

    Parameters are those of `brier_score`; `at` has two days or more, in order.

    Examples
    --------
    >>> survival = [[0.9, 0.5], [0.9, 0.8], [0.9, 0.8]]
    >>> round(integrated_brier_score([1, 5, 5], [True, False, False], survival, [2, 3]), 4)
    0.1933
    """
    if len(at) < 2 or (np.diff(at) <= 0).any():
        raise SettingError(f"an integrated score needs two days or more, in order; at is {list(at)}")
    scores = brier_score(days, entered, survival, at, counts=counts, censoring=censoring)
    return float(np.trapezoid(scores, at) / (at[-1] - at[0]))


@dataclass(frozen=True, slots=True, repr=False)
class DCalibration(Displayed):
    """Test whether predicted survival at the entries is spread evenly.

    Attributes
    ----------
    observed
        (bins,): waits by predicted survival at the entry, from 0 to 1. Each bin is expected to hold the same number.
    statistic, p
        Pearson's χ² and its p-value, with bins − 1 degrees of freedom.

    Examples
    --------
    >>> DCalibration(np.array([4.0, 6.0]), statistic=0.4, p=0.53)
    <DCalibration in 2 classes: statistic 0.4, p 0.53>
    """

    observed: Floats
    statistic: float
    p: float

    def _facts(self) -> str:
        return f" in {len(self.observed)} classes: statistic {self.statistic:.3g}, p {self.p:.3g}"


def d_calibration(
    entered: ArrayLike,
    survival: ArrayLike,
    *,
    survival_before: ArrayLike | None = None,
    counts: ArrayLike | None = None,
    bins: int = 10,
) -> DCalibration:
    """Return the test of D-calibration.

    Parameters
    ----------
    entered
        (n,): whether the wait ended with an entry.
    survival
        (n,): predicted survival of each wait on its own last day.
    survival_before
        (n,): predicted survival on the last day on which there was no entry yet, where an entry is known to fall
        between two days (default: the entry's day is exact).
    counts
        (n,): number of such waits (default: 1).
    bins
        Number of bins (default 10).

    Notes
    -----
    If the predictions are right, survival at the entry is uniform between 0 and 1. A censored wait is spread evenly
    over 0 … its predicted survival, as the paper has it; an entry between two days is spread evenly between the
    survival of both. Where few waits enter, most of each wait is spread over bins of which nothing is known, and the
    test finds little; `survival.compare` tests the days of those that enter.

    References
    ----------
    Haider et al. 2020, Effective ways to build and evaluate individual survival distributions, JMLR 21 (85), §3.5.

    Examples
    --------
    >>> d_calibration([True, False], [0.25, 0.8], bins=2).observed.round(3).tolist()
    [1.625, 0.375]
    """
    if bins < 2:
        raise SettingError(f"D-calibration needs two bins or more, not {bins}")
    _, went, count = checked_outcomes(np.zeros(np.shape(survival)), entered, counts)
    last = checked_survival(survival, went.shape)
    before = last if survival_before is None else checked_survival(survival_before, went.shape)
    if (before < last)[went].any():
        raise SettingError("survival_before must not be below survival")
    spread = spread_over(np.where(went, last, 0.0), np.where(went, before, last), bins)
    observed = count @ spread
    expected = float(count.sum()) / bins
    statistic = float(((observed - expected) ** 2).sum() / expected)
    return DCalibration(observed, statistic, float(chi2.sf(statistic, bins - 1)))


def spread_over(low: Floats, high: Floats, bins: int) -> Floats:
    """Return, (n, bins), how much of each interval low … high, (n,) each, falls into equal bins of 0 … 1."""
    edges = np.arange(bins + 1) / bins
    width = high - low
    overlap = np.minimum(high[:, None], edges[1:]) - np.maximum(low[:, None], edges[:-1])
    shares = np.maximum(overlap, 0.0) / np.where(width > 0, width, 1.0)[:, None]
    point = np.minimum((low * bins).astype(np.int64), bins - 1)
    shares[width <= 0] = np.eye(bins)[point[width <= 0]]
    return np.asarray(shares, np.float64)


def checked_survival(survival: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Return predicted survival as an array of this shape.

    Raises
    ------
    SettingError
        When the shape is another, or a value is not between 0 and 1.
    """
    predicted = np.asarray(survival, np.float64)
    if predicted.shape != shape:
        raise SettingError(f"predicted survival must have the shape {shape}; it has {predicted.shape}")
    wrong = ~((predicted >= 0) & (predicted <= 1))
    if wrong.any():
        raise SettingError(
            f"predicted survival must be between 0 and 1; {wrong.sum():,} values are not, the first is "
            f"{predicted[wrong][0]:g}"
        )
    return predicted

"""Models of the time to an entry compared on waits that they were not fitted to, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from survival.counting.checks import check_list
from survival.counting.counted import CLUSTERS, Cluster, WaitSource
from survival.validation.baselines import group_curves
from survival.validation.calibration import Recalibration, entry_day_p, recalibration
from survival.validation.concordance import concordant_pairs, separated_pairs
from survival.validation.held_out import HeldOut, Predicted, held_out_waits
from survival.validation.intervals import Ratio
from survival.validation.models import SurvivalModel
from survival.validation.scores import brier_terms

NO_COVARIATES: Final = "no covariates"
"""Name of the model that predicts one Kaplan–Meier curve for all."""

COLUMNS: Final = (
    "model", "day", "waits", "entries",
    "brier", "brier_skill", "brier_skill_low", "brier_skill_high",
    "integrated_brier", "integrated_skill", "integrated_skill_low", "integrated_skill_high",
    "auc", "auc_low", "auc_high", "auc_gain", "auc_gain_low", "auc_gain_high",
    "harrell_c", "harrell_c_low", "harrell_c_high", "uno_c",
    "expected_observed", "expected_observed_low", "expected_observed_high",
    "calibration_slope", "calibration_slope_low", "calibration_slope_high", "calibration_intercept",
    "d_calibration_p", "effective_clusters",
)  # fmt: skip
"""Columns of the table that compares models."""


def compare(
    models: Mapping[str, SurvivalModel],
    test: WaitSource,
    *,
    train: WaitSource,
    days: tuple[int, ...] = (7, 28, 60),
    baselines: tuple[str, ...] = ("market",),
    reference: str = NO_COVARIATES,
    weights: tuple[str, ...] | None = None,
    cluster: Cluster = "artist",
) -> pd.DataFrame:
    """Return scores of models on waits that they were not fitted to, one row per model and day.

    Parameters
    ----------
    models
        Fitted models by name.
    test
        Waits that they were not fitted to, such as those of later debuts. All begin on one day: the debut, or a
        landmark. After a landmark, predictions are conditional on no entry by then.
    train
        Waits that they were fitted to, from which the baselines are made.
    days
        Days of the clock by which entries are predicted.
    baselines
        Variables, each of which makes a baseline: a Kaplan–Meier curve for each value, that of all waits for a value
        that `train` does not have, or does not follow to the last day. One curve for all, ``no covariates``, is always
        in the table.
    reference
        Name of the model with which scores are compared (default: ``no covariates``).
    weights
        Where waits are censored before the last of the days: variables by whose values the probability of being
        followed differs (an empty tuple: by none). Default: no wait may be censored.
    cluster
        What the intervals take as independent of each other.

    Returns
    -------
    DataFrame
        One row per model and day; `low` and `high` are 95 % intervals.

        `model`, `day`, `waits`, `entries` (by the day);
        `brier` (mean squared distance of predicted survival from the outcome; smaller is better), `brier_skill` (share
        of the reference's Brier score that the model saves; below 0 it is worse), `brier_skill_low`,
        `brier_skill_high`; `integrated_brier` (mean Brier score from the start to the day), `integrated_skill`,
        `integrated_skill_low`, `integrated_skill_high`;
        `auc` (probability that a wait with an entry by the day was given a higher risk than one without; 0.5 for a
        constant prediction), `auc_low`, `auc_high`, `auc_gain` (difference to the reference), `auc_gain_low`,
        `auc_gain_high`; `harrell_c`, `harrell_c_low`, `harrell_c_high`, `uno_c` (of entries by the day, with the risk
        of an entry by the day; equal where no wait is censored);
        `expected_observed` (expected entries divided by observed; above 1 the model expects too many),
        `expected_observed_low`, `expected_observed_high`; `calibration_slope` (below 1: predictions are too extreme),
        `calibration_slope_low`, `calibration_slope_high`, `calibration_intercept` (at slope 1, in logarithms of odds);
        `d_calibration_p` (whether entries by the day come when the model says; see
        `survival.validation.calibration.entry_day_p`);
        `effective_clusters` (behind the interval of `brier_skill`; below 10, intervals may be too narrow).

    Notes
    -----
    A score is a ratio of sums over waits or pairs of waits. Its interval is the jackknife by cluster, exact for sums
    over waits and to first order for pairs; differences between models are paired within clusters. The quantile is that
    of the t distribution with the effective number of clusters less one. Models, and the probability of being followed,
    are taken as given: intervals say how scores would differ on other tracks of the same time, not how a refitted model
    would do. Where one cluster is all there is, bounds are NaN.

    Risks that differ by less than 10⁻¹² are ties. `integrated_brier` takes the days on which entries are seen, by the
    trapezoidal rule, from 0 at the start.

    Raises
    ------
    SettingError
        When a model cannot predict these waits (an unknown value, a day beyond its follow-up), a name is taken or
        unknown, or charts are too coarse to say what happened by a day.
    DataSaysNoError
        When waits begin on different days or are censored too early, or nobody or everybody has entered by a day.

    Examples
    --------
    >>> from datetime import date
    >>> earlier = survival.waits(entries, horizon=30, debut=(date(2021, 4, 22), date(2021, 5, 10)))
    >>> later = survival.waits(entries, horizon=30, debut=(date(2021, 5, 11), date(2021, 5, 30)), complete=True)
    >>> models = {"Cox": survival.cox(earlier, "log(footprint)")}
    >>> compare(models, later, train=earlier, days=(28,))[["model", "day"]]
               model  day
    0  no covariates   28
    1         market   28
    2            Cox   28
    """
    if cluster not in CLUSTERS:
        raise SettingError(f"intervals are by {', '.join(CLUSTERS)}, not by '{cluster}'")
    check_list("baselines", baselines)
    names = [NO_COVARIATES, *baselines]
    taken = [name for name in names if name in models]
    if taken:
        raise SettingError(f"a model cannot have the name '{taken[0]}' of a baseline; rename it")
    if reference not in [*names, *models]:
        raise SettingError(f"no model '{reference}' to compare with; there are {', '.join([*names, *models])}")
    curves = [
        group_curves(train, (name,) if name in baselines else (), others=True, cluster="independent") for name in names
    ]
    every: dict[str, SurvivalModel] = {**dict(zip(names, curves, strict=True)), **models}
    held = held_out_waits(test, list(every.values()), weights=weights, cluster=cluster)
    days = held.checked_days(days)
    scores: dict[tuple[str, int], Scores] = {}
    for name, model in every.items():
        predicted = held.predicted(name, model, held.needed(days))
        scores.update({(name, day): Scores.of(predicted, day) for day in days})
    return pd.DataFrame([_row(name, scores[name, day], scores[reference, day]) for day in days for name in every])


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one model on one day.

    Attributes
    ----------
    numbers
        Columns of the table that have no interval, by name.
    sums
        (c,) each, by cluster: `brier`, `integrated` (Brier scores), `won` and `pairs` of Harrell's C, `separated` and
        `both` (pairs of the AUC), `expected` and `entered` (entries).
    counts
        (c,): number of clusters of each row.
    slope
        Recalibration of the predicted probabilities.
    """

    numbers: dict[str, float]
    sums: dict[str, Floats]
    counts: Floats
    slope: Recalibration

    @classmethod
    def of(cls, predicted: Predicted, day: int) -> Self:
        """Return the scores of a model's predictions."""
        held, grid = predicted.held_out, predicted.held_out.grid(day)
        outcomes, survival = held.outcomes, predicted.survival(grid)
        last = survival[held.cell, -1]
        risk = 1 - last
        entry = outcomes.entry_weights(day)
        harrell = concordant_pairs(outcomes, risk, day, np.ones(len(risk)))
        uno = concordant_pairs(outcomes, risk, day, entry**2) if (entry > 1).any() else harrell
        auc = separated_pairs(outcomes, risk, day)
        values = {
            "brier": brier_terms(outcomes, last, day),
            "integrated": integrated_terms(held, survival, grid),
            "won": harrell[:, 0],
            "pairs": harrell[:, 1],
            "separated": auc[:, 0],
            "both": auc[:, 1],
            "expected": risk,
            "entered": entry,
        }
        sums, counts = held.by_cluster(np.column_stack(list(values.values())))
        by_name = dict(zip(values, sums.T, strict=True))
        won, pairs = outcomes.count @ uno
        numbers = {
            "day": day,
            "waits": int(outcomes.waits),
            "entries": int(outcomes.count @ (outcomes.entered & (outcomes.days <= day))),
            "brier": float(outcomes.count @ values["brier"]) / outcomes.waits,
            "integrated_brier": float(outcomes.count @ values["integrated"]) / outcomes.waits,
            "uno_c": float(won / pairs),
            "d_calibration_p": entry_day_p(predicted, day),
        }
        expected = Ratio.of(by_name["expected"], by_name["entered"], counts)
        return cls(numbers, by_name, counts, recalibration(held, risk, day, expected.effective))

    def ratio(self, top: str, bottom: str) -> Ratio:
        """Return the ratio of two sums."""
        return Ratio.of(self.sums[top], self.sums[bottom], self.counts, pairs=bottom in ("pairs", "both"))

    def skill(self, score: str, reference: "Scores") -> Ratio:
        """Return the share of the reference's score that the model saves."""
        return Ratio.of(reference.sums[score] - self.sums[score], reference.sums[score], self.counts)


def integrated_terms(held: HeldOut, survival: Floats, grid: Ints) -> Floats:
    """Return, (n,), what each wait adds to the sum of the integrated Brier score.

    Parameters
    ----------
    survival
        (g, m): predicted survival of each cell on the days of the grid.
    grid
        (m,): days after the start, in order.

    Notes
    -----
    Each day has half the time to the day before and to the day after as its weight. A wait adds the terms of
    `brier_terms` without an entry up to its last day, and those with one from then on: differences of cumulative sums.
    """
    outcomes = held.outcomes
    edges = np.concatenate([[held.start], grid]).astype(np.float64)
    share = np.convolve(np.diff(edges), [0.5, 0.5])[1:] / (edges[-1] - edges[0])
    group = np.zeros(len(held.counted.values), np.int64)
    group[held.cell] = outcomes.group
    followed = np.column_stack([outcomes.censoring.until(np.full(len(group), day), group) for day in edges[1:]])
    free, entered = ((1 - survival) ** 2 / followed * share, survival**2 * share)
    start = np.zeros((len(group), 1))
    free_until = np.concatenate([start, np.cumsum(free, axis=1)], axis=1)
    entered_until = np.concatenate([start, np.cumsum(entered, axis=1)], axis=1)
    # number of days of the grid on which the wait is known to be without an entry
    known = np.where(
        outcomes.entered, np.searchsorted(grid, outcomes.days), np.searchsorted(grid, outcomes.days, side="right")
    )
    weight = outcomes.entry_weights(float(grid[-1]))
    rest = entered_until[held.cell, -1] - entered_until[held.cell, known]
    terms: Floats = free_until[held.cell, known] + weight * rest
    return terms


def _row(name: str, scores: Scores, reference: Scores) -> dict[str, object]:
    """Return the row of a model on a day."""
    skill, integrated = (scores.skill(score, reference) for score in ("brier", "integrated"))
    auc, harrell, ratio = (
        scores.ratio(*names) for names in (("separated", "both"), ("won", "pairs"), ("expected", "entered"))
    )
    gain, slope = auc.minus(reference.ratio("separated", "both")), scores.slope
    row = {
        "model": name,
        **scores.numbers,
        **_bounds("brier_skill", skill.value, skill.interval()),
        **_bounds("integrated_skill", integrated.value, integrated.interval()),
        **_bounds("auc", auc.value, np.clip(auc.interval(), 0, 1)),
        **_bounds("auc_gain", gain.value, gain.interval()),
        **_bounds("harrell_c", harrell.value, np.clip(harrell.interval(), 0, 1)),
        **_bounds("expected_observed", ratio.value, ratio.positive_interval()),
        **_bounds("calibration_slope", slope.slope, (slope.low, slope.high)),
        "calibration_intercept": slope.intercept,
        "effective_clusters": skill.effective,
    }
    return {column: row[column] for column in COLUMNS}


def _bounds(name: str, value: float, bounds: "tuple[float, float] | Floats") -> dict[str, float]:
    """Return a value and its bounds as columns."""
    low, high = bounds
    return {name: value, f"{name}_low": float(low), f"{name}_high": float(high)}

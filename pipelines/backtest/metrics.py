"""Metrics of forecasts: sums per observation, from which a metric and its resampled values are computed alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from diffusion.arrays import Floats, Ints
from pipelines.backtest.censoring import timing_parts
from pipelines.backtest.held_out import HeldOut
from pipelines.models.examples import Forecast

TOP: Final = 5
"""Markets that a forecast may name."""

LEAST: Final = 1e-6
"""Probability that stands for smaller ones in a logarithm; one minus it for larger ones."""

BINS: Final = 20
"""Bins of equally many candidates, by probability, of the calibration error."""

METRICS: Final = (
    "pooled_recall@5", "recall@5", "ndcg@5", "hit@5", "map@5", "ndcg@5_after_first_period", "precision@5_all",
    "capture_best_5n", "auc", "average_precision", "brier_skill", "log_loss_skill", "calibration_error",
    "calibration_slope", "mean_p_over_rate", "days_mae", "days_mae_usual", "timing_skill",
)  # fmt: skip
"""Metrics in the order of tables: what a label lives on first."""

Sums = Mapping[str, Floats]
"""Name → sums, one per draw of observations, (r,) or (r, b)."""


@dataclass(frozen=True, slots=True)
class Additive:
    """What every observation adds to the sums that metrics are made of.

    Attributes
    ----------
    parts
        Name → (n,) or (n, b): what each of the n observations adds.
    slope
        Calibration slope of all observations.
    """

    parts: Mapping[str, Floats]
    slope: float

    @classmethod
    def of(cls, held: HeldOut, forecast: Forecast) -> Self:
        """Return what the observations add for a forecast; candidates that were not followed are left out.

        For the timing score, candidates count for as long as they were followed.
        """
        timing = timing_parts(held, forecast)
        known = held.followed
        late = held.late & known
        parts = _top(held.where(known), forecast.p[known]) | _top(held.where(late), forecast.p[late], "_late")
        held, p = held.where(known), forecast.p[known]
        slope, slope_parts = _slope(held, p)
        return cls(
            parts | _probabilities(held, p) | _days(held, forecast.expected_days[known]) | slope_parts | timing, slope
        )

    def metrics(self, times: Floats) -> dict[str, Floats]:
        """Return metric → (r,) for observations that are taken so many times, (r, n)."""
        found = _metrics({name: times @ part for name, part in self.parts.items()}, self.slope)
        return {name: np.where(np.isfinite(values), values, np.nan) for name, values in found.items()}


def metrics(held: HeldOut, forecast: Forecast) -> dict[str, float]:
    """Return metric → value, in the order of `METRICS`; NaN where it is not defined.

    Recall, ndcg, hit rate and average precision at five are means over observations with an entry, with logarithmic
    discount and an ideal cut at five; `precision@5_all` is one over all observations. `pooled_recall@5` is the share of
    all entries among the five candidates named for each observation, `capture_best_5n` that among the 5 n candidates of
    highest probability, whichever observation they belong to. `ndcg@5_after_first_period` leaves out candidates that
    are entered within one period. Skills are relative to a forecast of the rate of entries. `calibration_error` is the
    mean distance of predicted and observed shares in 20 bins of equally many candidates; `calibration_slope` the
    coefficient of the logit in a logistic regression. `days_mae` is the mean error of the days to an entry over
    entries, `days_mae_usual` that of the median of the training part. `timing_skill` is the integrated Brier score of
    the probabilities by several days, relative to the usual shares by then; it needs `by` and is missing without.
    """
    once = np.ones((1, held.size))
    values = Additive.of(held, forecast).metrics(once) | Ranked.of(held, forecast.p).metrics(once)
    return {name: float(values[name][0]) for name in METRICS}


def _top(held: HeldOut, p: Floats, suffix: str = "") -> dict[str, Floats]:
    """Return sums over the five candidates of highest probability of each observation."""
    n, observation = held.size, held.observation
    row, places = _hits(held, p)
    at = observation[row]
    entries = np.bincount(observation, held.entered, n)
    hits = np.bincount(at, minlength=n).astype(np.float64)
    before = np.arange(len(at)) - np.searchsorted(at, np.arange(n))[at]
    best = np.minimum(entries, TOP).astype(int)
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(TOP) + 2.0))])[best]
    spreads = entries > 0
    some = np.maximum(entries, 1)
    found = {
        "spreads": spreads.astype(np.float64),
        "recall": hits / some,
        "ndcg": np.divide(np.bincount(at, 1 / np.log2(places + 2.0), n), ideal, out=np.zeros(n), where=spreads),
        "hit": (hits > 0).astype(np.float64),
        "map": np.bincount(at, (before + 1) / (places + 1.0), n) / np.maximum(best, 1),
        "hits": hits,
        "entries": entries,
        "observations": (np.bincount(observation, minlength=n) > 0).astype(np.float64),
    }
    return {name + suffix: part for name, part in found.items()}


def top_hits(held: HeldOut, p: Floats) -> Ints:
    """Return the rows of the candidates that entered and are among the five named for their observation."""
    return _hits(held, p)[0]


def _hits(held: HeldOut, p: Floats) -> tuple[Ints, Ints]:
    """Return these rows, in order of observation and place, and their places, 0 for the first."""
    order = np.lexsort((held.tie, -p, held.observation))
    place = np.arange(len(order)) - np.searchsorted(held.observation, np.arange(held.size))[held.observation]
    hit = held.entered[order] & (place < TOP)
    return order[hit], place[hit]


def _probabilities(held: HeldOut, p: Floats) -> dict[str, Floats]:
    """Return sums over candidates of errors of probabilities, and by bin of the probability."""
    n, entered = held.size, held.entered
    q = np.clip(p, LEAST, 1 - LEAST)
    rank = np.empty(len(p))
    rank[np.argsort(p, kind="stable")] = np.arange(1, len(p) + 1)
    edges = np.quantile(rank, np.linspace(0, 1, BINS + 1)) if len(p) else np.zeros(BINS + 1)
    cell = held.observation * BINS + np.searchsorted(edges[1:-1], rank, side="left")

    def by_bin(values: Floats) -> Floats:
        return np.bincount(cell, values, n * BINS).reshape(n, BINS).astype(np.float64)

    return {
        "candidates": _summed(held, np.ones(len(p))),
        "p": _summed(held, p),
        "squares": _summed(held, (p - entered) ** 2),
        "log_loss": _summed(held, -np.where(entered, np.log(q), np.log1p(-q))),
        "bin_candidates": by_bin(np.ones(len(p))),
        "bin_excess": by_bin(p - entered),
    }


def _days(held: HeldOut, expected: Floats) -> dict[str, Floats]:
    entered, n = held.entered, held.size
    at, days = held.observation[entered], held.days[entered]
    return {
        "days_error": np.bincount(at, np.abs(expected[entered] - days), n).astype(np.float64),
        "usual_error": np.bincount(at, np.abs(held.usual_days - days), n).astype(np.float64),
    }


def _slope(held: HeldOut, p: Floats) -> tuple[float, dict[str, Floats]]:
    """Return the calibration slope, and the score and information of each observation at it.

    The slope is NaN where there is none: the probabilities are equal, or they part the candidates that entered.
    """
    q = np.clip(p, LEAST, 1 - LEAST)
    x = np.log(q / (1 - q))
    beta, found = np.array([0.0, 1.0]), np.nan
    for _ in range(50):
        mean = 1 / (1 + np.exp(-np.clip(beta[0] + beta[1] * x, -30, 30)))
        weight, rest = mean * (1 - mean) + 1e-12, held.entered - mean
        information = np.array([[weight.sum(), (weight * x).sum()], [(weight * x).sum(), (weight * x * x).sum()]])
        if np.linalg.cond(information) > 1e12:
            break
        step = np.linalg.solve(information, np.array([rest.sum(), (rest * x).sum()]))
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            found = float(beta[1])
            break
    values = {
        "score_0": rest,
        "score_x": rest * x,
        "weight": weight,
        "weight_x": weight * x,
        "weight_xx": weight * x * x,
    }
    return found, {name: _summed(held, part) for name, part in values.items()}


def _summed(held: HeldOut, values: Floats) -> Floats:
    """Return, (n,), the sums of the candidates' values by observation."""
    return np.bincount(held.observation, values, held.size).astype(np.float64)


def _metrics(sums: Sums, slope: float) -> dict[str, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):  # not defined without entries
        rate = sums["entries"] / sums["candidates"]
        entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
        found = {f"{name}@5": sums[name] / sums["spreads"] for name in ("recall", "ndcg", "hit", "map")}
        return found | {
            "ndcg@5_after_first_period": sums["ndcg_late"] / sums["spreads_late"],
            "precision@5_all": sums["hits"] / (TOP * sums["observations"]),
            "pooled_recall@5": sums["hits"] / sums["entries"],
            "brier_skill": 1 - sums["squares"] / (sums["candidates"] * rate * (1 - rate)),
            "log_loss_skill": 1 - sums["log_loss"] / (sums["candidates"] * entropy),
            "calibration_error": _mean(np.abs(sums["bin_excess"]), sums["bin_candidates"]),
            "calibration_slope": slope + _slope_step(sums),
            "mean_p_over_rate": sums["p"] / sums["entries"],
            "days_mae": sums["days_error"] / sums["entries"],
            "days_mae_usual": sums["usual_error"] / sums["entries"],
            "timing_skill": 1 - sums["timing_squares"] / sums["timing_usual"],
        }


def _mean(excess: Floats, candidates: Floats) -> Floats:
    """Return, (r,), the mean over bins that have candidates, of the excess per candidate."""
    there = candidates > 0
    shares = np.divide(excess, candidates, out=np.zeros_like(excess), where=there)
    mean: Floats = shares.sum(axis=1) / there.sum(axis=1)
    return mean


def _slope_step(sums: Sums) -> Floats:
    """Return the step of Newton's method from the slope of all observations; zero for themselves."""
    determinant = sums["weight"] * sums["weight_xx"] - sums["weight_x"] ** 2
    step: Floats = (sums["weight"] * sums["score_x"] - sums["weight_x"] * sums["score_0"]) / determinant
    return step


@dataclass(frozen=True, slots=True)
class Ranked:
    """All candidates in order of their probability, for the metrics that compare candidates across observations.

    Attributes
    ----------
    observation
        (k,): number of the observation, in order of falling probability.
    entered
        (k,): whether the track entered.
    last
        (g,): place of the last candidate of each run of equal probabilities.
    """

    observation: Ints
    entered: Floats
    last: Ints

    @classmethod
    def of(cls, held: HeldOut, p: Floats) -> Self:
        """Return the followed candidates of a forecast."""
        known = held.followed
        held, p = held.where(known), p[known]
        order = np.argsort(-p, kind="stable")
        last = np.flatnonzero(np.append(np.diff(p[order]) != 0, np.True_))
        return cls(held.observation[order], held.entered[order].astype(np.float64), last)

    def metrics(self, times: Floats, sizes: Floats | None = None) -> dict[str, Floats]:
        """Return metric → (r,) for observations that are taken so many times, (r, n).

        Where `observation` numbers clusters of observations, `sizes`, (n,), are their numbers of observations.
        """
        found = [self._once(row, float(row.sum() if sizes is None else row @ sizes)) for row in times]
        return {
            name: np.array([one[name] for one in found]) for name in ("auc", "average_precision", "capture_best_5n")
        }

    def _once(self, times: Floats, observations: float) -> dict[str, float]:
        weight = times[self.observation]
        all_taken, all_hits = np.cumsum(weight), np.cumsum(weight * self.entered)
        taken, hits = all_taken[self.last], all_hits[self.last]
        others = taken - hits
        new, new_others = np.diff(hits, prepend=0.0), np.diff(others, prepend=0.0)
        named = np.searchsorted(all_taken, TOP * observations, side="right")
        with np.errstate(divide="ignore", invalid="ignore"):  # undefined without entries
            precision = np.where(taken > 0, hits / np.maximum(taken, 1), 0.0)
            return {
                "auc": float(np.sum(new * (others[-1] - others + new_others / 2)) / (hits[-1] * others[-1])),
                "average_precision": float(np.sum(precision * new) / hits[-1]),
                "capture_best_5n": float((all_hits[named - 1] if named else 0.0) / hits[-1]),
            }

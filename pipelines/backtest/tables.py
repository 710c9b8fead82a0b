"""Tables of a backtest, from forecasts and what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import CONFIDENCE
from pipelines.backtest.held_out import HeldOut
from pipelines.backtest.intervals import Cluster, Draws, bounds, clusters, difference_table, score_table
from pipelines.backtest.metrics import Ranked, top_hits
from pipelines.features.history import History
from pipelines.models.examples import Examples, Forecast

DECILES: Final = 10
"""Classes of equally many candidates by predicted probability."""

Forecasts = Mapping[str, Forecast]
"""Model → forecast of the same candidates."""


@dataclass(frozen=True, slots=True)
class Tested:
    """Candidates of one fold, or several, and how their observations are drawn.

    Attributes
    ----------
    held
        The candidates.
    market
        (k,): market of each candidate.
    draws
        Draws of clusters, the same for all models.
    """

    held: HeldOut
    market: NDArray[np.int16]
    draws: Draws

    @classmethod
    def of(
        cls,
        history: History,
        examples: Examples,
        follow_up: Floats,
        *,
        usual_days: float,
        cluster: Cluster,
        replicates: int,
        seed: int,
    ) -> Self:
        """Return the candidates of examples in a test."""
        draws = Draws.of(clusters(examples, cluster), replicates=replicates, seed=seed)
        return cls(HeldOut.of(history, examples, follow_up, usual_days), examples.market, draws)

    def values(self, forecast: Forecast) -> dict[str, Floats]:
        """Return metric → its values in the draws, the first that of all observations."""
        return self.draws.values(self.held, forecast)


def scores(tested: Tested, forecasts: Forecasts, simple: Sequence[str]) -> pd.DataFrame:
    """Return the scores of models, and their gains over the best simple baseline, without fold and point.

    The best is the simple baseline with the highest pooled recall; gains are paired: from the same draws.
    """
    values = {name: tested.values(forecast) for name, forecast in forecasts.items()}
    tried = [name for name in simple if name in values]
    best = max(tried, key=lambda name: values[name]["pooled_recall@5"][0]) if tried else None
    parts = []
    for name, own in values.items():
        table = score_table(own).assign(model=name)
        gain = (
            difference_table(own, values[best])
            if best is not None
            else table.assign(value=np.nan, low=np.nan, high=np.nan)
        )
        parts.append(table.assign(gain=gain["value"], gain_low=gain["low"], gain_high=gain["high"]))
    known = tested.held.followed
    return pd.concat(parts, ignore_index=True).assign(
        baseline=best,
        observations=len(np.unique(tested.held.observation[known])),
        entries=int(tested.held.entered.sum()),
    )


def calibration(tested: Tested, forecasts: Forecasts, names: Sequence[str]) -> pd.DataFrame:
    """Return predicted and observed shares by tenth of each model's predictions and by market.

    Parameters
    ----------
    names
        Codes of the markets.
    """
    known = tested.held.followed
    market = tested.market[known].astype(np.int64)
    parts = []
    for model, forecast in forecasts.items():
        p = forecast.p[known]
        rank = np.empty(len(p), np.int64)
        rank[np.argsort(p, kind="stable")] = np.arange(len(p))
        deciles = rank * DECILES // max(len(p), 1)
        for kind, group, labels in (
            ("decile", deciles, [str(number + 1) for number in range(DECILES)]),
            ("market", market, list(names)),
        ):
            table = _shares(tested, known, group, labels, p)
            parts.append(table.assign(model=model, kind=kind, day=tested.held.horizon))
    return pd.concat(parts, ignore_index=True)


def _shares(tested: Tested, known: Flags, group: Ints, labels: Sequence[str], p: Floats) -> pd.DataFrame:
    """Return predicted and observed shares of groups of candidates, with intervals of the observed ones."""
    entered = tested.held.entered[known]
    c, g = tested.draws.times.shape[1], len(labels)
    cell = tested.draws.cluster[tested.held.observation[known]] * g + group
    counts, entries = (np.bincount(cell, weights, c * g).reshape(c, g) for weights in (None, entered))
    there = np.flatnonzero(counts.sum(axis=0) > 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a draw may have none of a group
        drawn = (tested.draws.times @ entries[:, there]) / (tested.draws.times @ counts[:, there])
    ends = np.array([bounds(column) for column in drawn[1:].T]).reshape(len(there), 2)
    # draws of a group without any entry, or of entries alone, are all alike; an exact bound by clusters stands for them
    rare = ((1 - CONFIDENCE) / 2) ** (1 / (counts[:, there] > 0).sum(axis=0))
    low = np.where(drawn[0] == 1, np.minimum(rare, ends[:, 0]), ends[:, 0])
    high = np.where(drawn[0] == 0, np.maximum(1 - rare, ends[:, 1]), ends[:, 1])
    return pd.DataFrame(
        {
            "group": np.array(labels, object)[there],
            "candidates": counts.sum(axis=0)[there].astype(np.int64),
            "entries": entries.sum(axis=0)[there].astype(np.int64),
            "predicted": (np.bincount(group, p, g) / np.maximum(np.bincount(group, minlength=g), 1))[there].clip(0, 1),
            "observed": drawn[0],
            "low": np.minimum(low, drawn[0]),
            "high": np.maximum(high, drawn[0]),
        }
    )


def market_errors(tested: Tested, forecasts: Forecasts, names: Sequence[str]) -> pd.DataFrame:
    """Return, by market and model, how many entries were caught, how tracks were ordered, and the error."""
    known = tested.held.followed
    held, market = tested.held.where(known), tested.market[known].astype(np.int64)
    m = len(names)
    candidates, entries = np.bincount(market, minlength=m), np.bincount(market, held.entered, m)
    rate = entries / np.maximum(candidates, 1)
    usual = candidates * rate * (1 - rate)
    parts = []
    for model, forecast in forecasts.items():
        p = forecast.p[known]
        caught = np.bincount(market[top_hits(held, p)], minlength=m)
        squares = np.bincount(market, (p - held.entered) ** 2, m)
        with np.errstate(divide="ignore", invalid="ignore"):  # undefined without entries
            table = pd.DataFrame(
                {
                    "model": model,
                    "market": names,
                    "candidates": candidates,
                    "entries": entries.astype(np.int64),
                    "caught": caught / entries,
                    "auc": _auc_by_market(held, p, market, m),
                    "brier_skill": 1 - squares / usual,
                    "excess": np.bincount(market, p, m) / entries,
                }
            )
        parts.append(table[candidates > 0].replace([np.inf, -np.inf], np.nan))
    return pd.concat(parts, ignore_index=True)


def _auc_by_market(held: HeldOut, p: Floats, market: Ints, m: int) -> Floats:
    found = np.full(m, np.nan)
    for at in range(m):
        here = market == at
        if held.entered[here].any() and not held.entered[here].all():
            part = held.where(here)
            found[at] = Ranked.of(part, p[here]).metrics(np.ones((1, held.size)))["auc"][0]
    return found

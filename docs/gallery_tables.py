"""Made-up tables for the gallery, for figures whose tables the packaged charts are too short for."""

from collections.abc import Callable
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd

CODES: Final = ["US", "GB", "SE", "NO", "DE", "FR", "ES", "MX", "BR", "JP", "AU", "PL"]

Given = tuple[tuple[Any, ...], dict[str, Any]]
"""Positional and keyword arguments of a figure."""


def _pairs() -> pd.DataFrame:
    rows = [(source, target) for source, target in product(CODES, CODES) if source != target]
    return pd.DataFrame(rows, columns=["source", "target"])


def _backbone() -> Given:
    rng, pairs = np.random.default_rng(1), _pairs()
    table = pairs.assign(tracks=rng.integers(5, 300, len(pairs)), lift=rng.lognormal(0, 0.6, len(pairs)))
    table["q"] = np.where(table["lift"] > 2, 0.01, 0.4)
    traffic = {"out_tracks": rng.integers(400, 2000, len(CODES)), "in_tracks": rng.integers(400, 2000, len(CODES))}
    return (table, pd.DataFrame({"market": CODES, **traffic})), {}


def _influence() -> Given:
    rng, pairs = np.random.default_rng(2), _pairs()
    credits = rng.lognormal(-4, 1.2, len(pairs))
    direct = credits > 0.05
    table = pairs.assign(credits_per_entry=credits, q_joint=np.where(direct, 0.01, 0.5), direct=direct)
    return (table.assign(ordered=direct & (rng.random(len(pairs)) < 0.4)),), {}


def _leaders() -> Given:
    rng, rank = np.random.default_rng(3), np.arange(1, len(CODES) + 1)
    parts = []
    for measure, scale in (("lead_excess", 0.05), ("springrank", 0.6)):
        score = scale * (1.2 - rank / len(CODES)) + rng.normal(0, 0.03 * scale, len(CODES))
        part = pd.DataFrame({"market": rng.permutation(CODES), "measure": measure, "score": np.sort(score)[::-1]})
        half = scale * rng.uniform(0.05, 0.25, len(CODES))
        group = (rank + 3) // 4 if measure == "lead_excess" else np.nan
        parts.append(part.assign(low=part["score"] - half, high=part["score"] + half, rank=rank, group=group))
    return (pd.concat(parts, ignore_index=True),), {"size_tau": {"lead_excess": 0.12, "springrank": 0.41}}


def _rolling() -> Given:
    rng = np.random.default_rng(4)
    ends = pd.date_range("2018-01-01", periods=12, freq="91D")
    parts = []
    for place, market in enumerate(CODES[:5]):
        score = 0.8 - 0.12 * place + np.cumsum(rng.normal(0, 0.03, len(ends)))
        bounds = {"score": score, "low": score - 0.06, "high": score + 0.06}
        dates = {"start": ends - pd.Timedelta(days=364), "end": ends}
        parts.append(pd.DataFrame({**dates, "market": market, "measure": "out_share", **bounds, "rank": place + 1}))
    return (pd.concat(parts, ignore_index=True),), {}


def _validity() -> Given:
    rng = np.random.default_rng(5)
    kinds = [*product(("lead_excess", "springrank", "volume"), ("nothing", "size"))]
    table = pd.DataFrame(kinds, columns=["measure", "given"]).assign(rho=[0.6, 0.55, 0.3, 0.2, 0.1, -0.05])
    table = table.assign(low=table["rho"] - 0.15, high=table["rho"] + 0.15, p=[0.001, 0.001, 0.01, 0.08, 0.4, 0.7])
    halves = pd.DataFrame({"period": ["2018H1", "2018H2", "2019H1"], "next_period": ["2018H2", "2019H1", "2019H2"]})
    pairs = table[["measure", "given", "rho"]].merge(halves, how="cross")
    return (table, pairs.assign(rho=pairs["rho"] + rng.normal(0, 0.12, len(pairs)))), {}


def _rates() -> Given:
    rng, pairs = np.random.default_rng(6), _pairs()
    rate = rng.uniform(0.02, 0.4, len(pairs))
    change = rng.normal(0, 0.04, len(pairs))
    sides = {"rate_a": np.clip(rate + change, 0, 1), "rate_b": rate}
    q = np.where(np.abs(change) > 0.08, 0.01, 0.6)
    parts = {"difference": change, "low": change - 0.05, "high": change + 0.05, "p": q / 2, "q": q}
    table = pairs.assign(**sides, **parts)
    for side in "ab":
        table[f"low_{side}"] = (table[f"rate_{side}"] - 0.03).clip(lower=0)
        table[f"high_{side}"] = table[f"rate_{side}"] + 0.03
    return (table,), {"a": "2019", "b": "2018"}


def _difference() -> Given:
    days = np.arange(91)
    shares = {side: top * (1 - np.exp(-days / 20)) for side, top in (("a", 0.06), ("b", 0.04))}
    table = pd.DataFrame({"days": days, "at_risk_a": 9000 - 20 * days, "at_risk_b": 8000 - 15 * days})
    for side, share in shares.items():
        table = table.assign(**{f"share_{side}": share, f"low_{side}": 0.85 * share, f"high_{side}": 1.15 * share})
    difference = shares["a"] - shares["b"]
    return (table.assign(difference=difference, low=difference - 0.2 * shares["a"], high=1.4 * difference),), {
        "a": "2019",
        "b": "2018",
    }


def _calendar() -> Given:
    starts = pd.date_range("2019-01-03", periods=104, freq="7D")
    cells = pd.DataFrame([*product(["top200"], CODES, starts)], columns=["chart", "market", "start"])
    cells = cells.assign(dates=1, expected=1, depth=200.0, missing=0.0, holes=0)
    late = (cells["market"] == "JP") & (cells["start"] < "2019-08-01")
    gone = (cells["market"] == "BR") & cells["start"].between("2020-03-01", "2020-05-01")
    cells.loc[cells["market"] == "NO", "depth"] = 80.0
    cells.loc[gone, ["dates", "depth"]] = 0
    events = [("JP", "launch", "2019-01-03", "2019-07-31"), ("BR", "drop-out", "2020-03-05", "2020-04-30")]
    columns = ["market", "event", "first_date", "last_date"]
    return (cells[~late],), {"days": 7, "deepest": 200, "events": pd.DataFrame(events, columns=columns)}


def _paths() -> Given:
    alphas, terms = np.geomspace(100, 0.01, 30), [f"feature {number}" for number in range(1, 11)]
    size = np.linspace(0.5, -0.3, len(terms))
    rows = [("ridge", a, term, value / (1 + a)) for a in alphas for term, value in zip(terms, size, strict=True)]
    rows += [
        ("lasso", a / 100, term, np.sign(value) * max(abs(value) - a / 100, 0))
        for a in alphas
        for term, value in zip(terms, size, strict=True)
    ]
    return (pd.DataFrame(rows, columns=["model", "alpha", "term", "coefficient"]),), {}


def _rate_curves() -> Given:
    steps = np.arange(200)
    parts = [
        pd.DataFrame({"rate": rate, "iteration": steps, "excess": (1 - rate) ** steps}) for rate in (0.02, 0.1, 0.3)
    ]
    return (pd.concat(parts),), {}


def _scores(column: str, names: list[Any], values: list[float]) -> pd.DataFrame:
    metrics = ["pooled_recall@5", "ndcg@5", "average_precision", "brier_skill"]
    table = pd.DataFrame([*product(zip(names, values, strict=True), metrics)], columns=["pair", "metric"])
    table = table.assign(
        **{column: [name for name, _ in table["pair"]], "value": [value for _, value in table["pair"]]}
    )
    return table.assign(low=table["value"] - 0.03, high=table["value"] + 0.03).drop(columns="pair")


def _learning() -> Given:
    default = _scores("tracks", [1000, 5000, 20000], [0.35, 0.44, 0.48]).assign(model="default forecaster")
    simple = _scores("tracks", [1000, 5000, 20000], [0.3, 0.33, 0.34]).assign(model="language rule")
    return (pd.concat([default, simple]),), {}


def _ablation() -> Given:
    table = _scores("without", ["", "graph", "artist", "time"], [0.0, -0.08, -0.05, -0.01])
    return (table.rename(columns={"value": "change", "low": "change_low", "high": "change_high"}),), {}


def _importance() -> Given:
    families = pd.DataFrame({"kind": "family", "name": ["graph", "artist", "time"], "log_loss": [0.09, 0.06, 0.01]})
    names = ["flow from the footprint", "artist known there", "ranks on day 0", "language shared", "weekday"]
    features = pd.DataFrame({"kind": "feature", "name": names, "log_loss": [0.06, 0.05, 0.02, 0.01, 0.002]})
    return (pd.concat([families, features]),), {}


def _errors() -> Given:
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"model": "default", "market": CODES, "entries": rng.integers(20, 90, len(CODES))})
    scores = {"caught": rng.uniform(0.2, 0.6, len(CODES)), "auc": rng.uniform(0.75, 0.95, len(CODES))}
    return (table.assign(**scores, excess=rng.lognormal(0, 0.2, len(CODES))),), {"model": "default"}


MADE_UP: Final[dict[str, Callable[[], Given]]] = {
    "ablation": _ablation,
    "backbone_map": _backbone,
    "chart_calendar": _calendar,
    "coefficient_paths": _paths,
    "compared_rates": _rates,
    "curve_difference": _difference,
    "feature_importance": _importance,
    "influence_heatmap": _influence,
    "leader_intervals": _leaders,
    "learning_curves": _learning,
    "learning_rates": _rate_curves,
    "market_errors": _errors,
    "rolling_leaders": _rolling,
    "validity_chart": _validity,
}
"""Figure → function that returns its arguments."""

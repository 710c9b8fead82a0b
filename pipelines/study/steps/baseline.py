"""Edges beyond the baseline: pairs that follow each other more often than market sizes and likeness expect."""

from typing import Any, Final

import pandas as pd

from diffusion import DataSaysNoError, market_names
from diffusion.conventions import FDR
from graphs import contracts
from graphs.baseline import Baseline, baseline, edge_table, simulated_entries
from pipelines.formatting import cell, html_table
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Gaps, Output, Step

DRAWS: Final = 2
"""Charts drawn from the baseline, as placebos."""

MOST_ROWS: Final = 15
"""Pairs in the report: those with the highest lower bound of the lift."""

COLUMNS: Final = ["source", "target", "observed", "expected", "lift", "lift_low", "lift_high", "q", "q_order"]


def _make(study: Study, results: Results) -> Output:
    gaps, window = Gaps(), int(results.notes("graph")["window"])
    return Output(gaps.take("lifts", lambda: _tables(results, window, study.seed)), not_made=gaps)


def _tables(results: Results, window: int, seed: int) -> dict[str, pd.DataFrame]:
    fit = baseline(results.entries)
    lifts = edge_table(fit, window=window)
    if not lifts["q"].notna().any():
        raise DataSaysNoError(f"of no pair is one of the {len(fit.steps):,} steps expected, so none can be tested")
    found = [_found(0, lifts)]
    found += [_found(draw, edge_table(_drawn(fit, seed + draw), window=window)) for draw in range(1, DRAWS + 1)]
    return {"lifts": lifts, "placebo": pd.DataFrame(found), "log_scores": fit.log_score()}


def _drawn(fit: Baseline, seed: int) -> Baseline:
    """Return the baseline of charts that are drawn from a baseline."""
    return baseline(simulated_entries(fit, seed=seed), start=fit)


def _found(draw: int, lifts: pd.DataFrame) -> dict[str, int]:
    edge = lifts["q"] <= FDR
    return {
        "draw": draw,
        "tested": int(lifts["q"].notna().sum()),
        "edges_sizes": int((lifts["q_sizes"] <= FDR).sum()),
        "edges": int(edge.sum()),
        "ordered": int((edge & (lifts["q_order"] <= FDR)).sum()),
    }


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("lifts"):
        return {"lifts": None}
    lifts, placebo = results.table("lifts"), results.table("placebo").to_dict("records")
    edges = lifts[lifts["q"] <= FDR].nlargest(MOST_ROWS, "lift_low")[COLUMNS]
    for side in ("source", "target"):
        edges[side] = edges[side].map(market_names(edges[side]))
    return {
        "lifts": html_table(edges),
        "found": placebo[0],
        "placebo": placebo[1:],
        "detectable": float(lifts["detectable"].median()),
        "scores": html_table(results.table("log_scores")),
    }


def _lines(results: Results) -> list[str]:
    if not results.holds("lifts"):
        return []
    lifts, (found, *drawn) = results.table("lifts"), results.table("placebo").to_dict("records")
    half = cell(float(lifts["detectable"].median()))
    edges, ordered = (" and ".join(str(row[name]) for row in drawn) for name in ("edges", "ordered"))
    return [
        f"baseline  {found['edges']:,} of {found['tested']:,} pairs follow more often than sizes and likeness expect "
        f"(q ≤ .05), {found['ordered']:,} of them more one way than the other; half of the pairs need a lift of {half} "
        "to be found",
        f"placebo   {edges} such pairs in charts drawn from the baseline, {ordered} of them more one way",
    ]


def _caveats(results: Results) -> list[str]:
    if not results.holds("lifts"):
        return []
    return [
        "A pair beyond the baseline need not be influence: a taste that language, distance and continent do not "
        "describe makes its markets follow each other too. A market that lifts all others alike is not seen."
    ]


BASELINE = Step(
    name="baseline",
    doing="holding edges against the baseline",
    version=1,
    tables={"lifts": contracts.LIFTS, "placebo": contracts.PLACEBO, "log_scores": contracts.LOG_SCORES},
    make=_make,
    needs=("entries", "graph"),
    settings=("seed",),
    section=_section,
    lines=_lines,
    caveats=_caveats,
)

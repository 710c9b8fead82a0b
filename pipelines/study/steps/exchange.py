"""Pairs of markets side by side: counts, rates, lags, what was expected, leaders, and whether distance predicts."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

import figures
from diffusion.conventions import FDR
from pipelines.contracts.exchange import DISTANCE_EFFECTS, EXCHANGE, EXCHANGE_MARKETS
from pipelines.eda.exchange import METHODS, distance_effects, exchange_markets, exchange_table
from pipelines.formatting import cell, html_table, many, seen
from pipelines.study.findings import Finding, Verdict
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Output, Step
from pipelines.study.steps.structure import in_words

MOST_ROWS: Final = 15
"""Pairs and markets in the report."""

CULTURE: Final = "cultural_distance"

QUOTED: Final = ("gravity", "mrqap")
"""Methods that hold other distances fixed and have an interval."""

PAIRS_COLUMNS: Final = [
    "source_name", "target_name", "tracks", "joint", "exposed", "rate", "rate_if_ties", "lag_median", "expected",
    "lift", "lift_low", "lift_high", "q", "q_order", "cultural_distance",
]  # fmt: skip

MARKETS_COLUMNS: Final = [
    "name", "sent", "received", "edges_out", "edges_in", "ordered_out", "ordered_in", "score", "low", "high", "q",
    "role",
]  # fmt: skip


def _make(study: Study, results: Results) -> Output:
    pairs = exchange_table(results.table("edges"), _table(results, "lifts"))
    tests = {name: results.table(name) for name in METHODS if results.holds(name)}
    markets = list(results.table("markets")["market"])
    tables = {"exchange": pairs, "exchange_markets": exchange_markets(markets, pairs, results.table("leaders"))}
    if not tests:
        return Output(tables, not_made={"distance_effects": "no test of distances was made"})
    return Output(tables | {"distance_effects": distance_effects(tests)})


def _table(results: Results, name: str) -> pd.DataFrame | None:
    return results.table(name) if results.holds(name) else None


def _drawings(results: Results) -> dict[str, Drawing]:
    return {
        "lift_matrix": Drawing(
            "Lift of every pair over the baseline, source in rows and target in columns.",
            lambda: figures.lift_matrix(results.table("exchange")),
        ),
        "exchange_distance": Drawing(
            "Lift of every pair over the baseline by the cultural distance of its markets.",
            lambda: figures.lift_distance(results.table("exchange")),
        ),
    }


def _section(results: Results) -> dict[str, Any]:
    pairs, markets = results.table("exchange"), results.table("exchange_markets")
    order = ["edge", "lift_low", "tracks"]
    shown = pairs.sort_values(order, ascending=False, na_position="last").head(MOST_ROWS)
    told = markets.sort_values(["q", "sent"], ascending=[True, False], na_position="last").head(MOST_ROWS)
    effects = _table(results, "distance_effects")
    return {
        "pairs": html_table(shown[PAIRS_COLUMNS]),
        "all_pairs": len(pairs),
        "markets": html_table(told[MARKETS_COLUMNS].rename(columns={"name": "market"})),
        "all_markets": len(markets),
        "effects": None if effects is None else html_table(in_words(seen(effects.drop(columns="unit")))),
    }


def _findings(results: Results) -> list[Finding]:
    return [*_matrix_finding(results), *_culture_finding(results)]


def _matrix_finding(results: Results) -> list[Finding]:
    pairs = results.table("exchange")
    tested = pairs[pairs["q"].notna()]
    if tested.empty:
        return []
    edges = tested[tested["edge"].astype(bool)]
    ordered = int(edges["ordered"].astype(bool).sum())
    go = "goes" if len(edges) == 1 else "go"
    said = f"{len(edges):,} of {many(len(tested), 'pair')} that could be tested {go} beyond the baseline"
    if len(edges):
        most = edges.loc[edges["lift_low"].astype("float64").idxmax()]
        said += (
            f", {ordered:,} of them more one way than the other; the surest lift is {most['source_name']} → "
            f"{most['target_name']}, {cell(most['lift'])} times the tracks expected "
            f"({cell(most['lift_low'])} to {cell(most['lift_high'])})"
        )
    whole = {name: int(pairs[name].sum()) for name in ("tracks", "joint")}
    return [
        Finding(
            "The matrix of pairs",
            f"{said}.",
            f"q ≤ .05 over all pairs tested; expected are market sizes and likeness. {whole['tracks']:,} transitions "
            f"stand beside {whole['joint'] // 2:,} ties, which have no direction.",
            "A pair beyond the baseline need not be influence, and a rate without its expectation says most about the "
            "size of the two markets.",
            "found" if len(edges) else "not found",
            figure="lift_matrix",
        )
    ]


def _culture_finding(results: Results) -> list[Finding]:
    effects = _table(results, "distance_effects")
    if effects is None:
        return []
    own = effects[(effects["term"] == CULTURE) & effects["p"].notna() & effects["method"].isin(QUOTED)]
    quoted = {str(row["method"]): row for row in own.to_dict("records")}
    if not quoted:
        return []
    signs = {name: _sign(row) for name, row in quoted.items()}
    return [
        Finding(
            "Cultural distance",
            _culture_said(signs),
            " ".join(_quoted(name, row) for name, row in quoted.items()),
            "Gravity asks of pairs, given how much each market sends and takes; MRQAP asks of rates without that. Both "
            "hold distance in km and language fixed, and none of them is told apart from other tastes.",
            _culture_verdict(signs),
            figure="exchange_distance",
        )
    ]


def _sign(row: Mapping[Any, Any]) -> int:
    """Return −1 or 1 where the estimate is surely below or above 0, else 0."""
    return 0 if row["p"] > FDR else (-1 if row["estimate"] < 0 else 1)


def _culture_verdict(signs: dict[str, int]) -> Verdict:
    return "found" if len(signs) > 1 and set(signs.values()) in ({-1}, {1}) else "not found"


def _culture_said(signs: dict[str, int]) -> str:
    words = {
        -1: "fewer tracks go between markets that are culturally further apart",
        0: "nothing is shown",
        1: "more do",
    }
    found = set(signs.values())
    if len(signs) > 1 and len(found) == 1:
        (sign,) = found
        return {
            -1: "Cultural distance predicts transitions: the further apart two markets are, the fewer tracks follow.",
            0: "Cultural distance is not shown to tell which pairs exchange tracks, by either method.",
            1: "The further apart two markets are in culture, the more tracks follow, by both methods.",
        }[sign]
    parts = "; ".join(f"by {name} {words[sign]}" for name, sign in signs.items())
    alone = ", for only one of two methods could be made" if len(signs) == 1 else ""
    return f"Whether cultural distance predicts transitions is not settled{alone}: {parts}."


def _quoted(name: str, row: Mapping[Any, Any]) -> str:
    unit, fixed = METHODS[name]
    interval = "" if pd.isna(row["low"]) else f", 95 % interval {cell(row['low'])} to {cell(row['high'])}"
    return f"{name}: {cell(row['estimate'])} ({unit}, per unit of distance){interval}; it holds fixed {fixed}."


def _lines(results: Results) -> list[str]:
    lines = [f"exchange  {finding.said} {finding.sure}" for finding in _findings(results)]
    markets = results.table("exchange_markets")
    counts = markets["role"].value_counts()
    names = ", ".join(f"{role} {int(counts[role])}" for role in counts.index)
    return [*lines, f"exchange  markets: {names}"]


EXCHANGE_STEP = Step(
    name="exchange",
    title="Pairs of markets side by side",
    doing="putting pairs of markets side by side",
    version=1,
    tables={"exchange": EXCHANGE, "exchange_markets": EXCHANGE_MARKETS, "distance_effects": DISTANCE_EFFECTS},
    make=_make,
    needs=("entries", "graph", "baseline", "leaders", "structure"),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
)

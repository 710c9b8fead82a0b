"""The market graph: transitions and ties of each pair, markets with their scores, lags, and flows by quarter."""

import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd

import figures
from diffusion import DataSaysNoError, market_names
from diffusion.contracts import LAGS
from diffusion.conventions import LEAST_EXPOSED
from graphs import MarketGraph, contracts, market_graph
from graphs.leaders.bootstrap import tau_with_size
from pipelines.formatting import cell, every, html_table, percent, rate_range, records
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Output, Step

MOST_ROWS = 15
"""Most rows of a table in the report."""

MOST_CURVES = 4
"""Pairs whose lag curves are drawn: those with the highest rates."""

MOST_NAMED = 12
"""Most markets named in a line."""

ORDER_ONLY = "A transition is an order in time. It does not say that one market made the other listen."

MEASURES = ("net_flow", "springrank", "betweenness")
"""Scores whose best markets are named on screen. PageRank and hub scores order markets much as their size does."""

FLOW_COLUMNS = [
    "source", "target", "tracks", "joint", "exposed", "rate", "rate_if_ties", "lag_median", "distance_km",
    "cultural_distance",
]  # fmt: skip


def _make(study: Study, results: Results) -> Output:
    graph = market_graph(results.entries, window=study.window)
    edges = graph.edges
    notes = {
        "chart": graph.chart,
        "window": graph.window,
        "transitions": int(edges["tracks"].sum()),
        "ties": int(edges["joint"].sum()) // 2,
        "exposed": int(edges["exposed"].sum()),
        "unmatched": _unmatched_counts(graph),
    }
    tables = {"edges": edges, "markets": graph.nodes, "lags": graph.lags, "periods": graph.periods()}
    return Output(tables, notes=notes)


def _drawings(results: Results) -> dict[str, Drawing]:
    graph = results.graph
    names = market_names(graph.nodes["market"])
    return {
        "flow_map": Drawing("The largest flows between markets, by number of tracks.", lambda: figures.flow_map(graph)),
        "transition_matrix": Drawing(
            "P(entry into the column's market within the window | in the row's market first, not tied).",
            lambda: figures.transition_matrix(graph, names=names),
        ),
        "lags": Drawing(
            "Lags of observed transitions.",
            lambda: figures.lag_distribution(graph),
        ),
        "lag_curves": Drawing(
            "Lag curves of the pairs with the highest rates, with 95 % bands.",
            lambda: _lag_curves(graph, names),
        ),
        "leaders": Drawing("Markets by three scores, and by size.", lambda: _leaders(graph)),
    }


def _leaders(graph: MarketGraph) -> figures.Figure:
    scores = graph.nodes.set_index("market")
    return figures.leader_chart(graph, size_tau=tau_with_size(scores[[*MEASURES]], scores["entries"]))


def _lag_curves(graph: MarketGraph, names: Mapping[str, str]) -> figures.Figure:
    strongest = graph.largest("rate").head(MOST_CURVES)
    if strongest.empty:
        raise DataSaysNoError(f"no pair with a transition has {LEAST_EXPOSED} exposed tracks")
    pairs = zip(strongest["source"], strongest["target"], strict=True)
    return figures.lag_curves([graph.flow(source, target) for source, target in pairs], names=names)


def _section(results: Results) -> dict[str, Any]:
    graph = results.graph
    return {
        "counts": results.notes("graph"),
        "leaders": html_table(graph.scores().drop(columns="market").rename(columns={"name": "market"}).head(MOST_ROWS)),
        "flows": {by: html_table(_flows(graph, by)) for by in ("tracks", "rate")},
        "least_exposed": LEAST_EXPOSED,
    }


def _flows(graph: MarketGraph, by: str) -> pd.DataFrame:
    table: pd.DataFrame = graph.largest(by).head(MOST_ROWS)[FLOW_COLUMNS]
    for side in ("source", "target"):
        table[side] = table[side].map(market_names(table[side]))
    return table


def _lines(results: Results) -> list[str]:
    graph, notes = results.graph, results.notes("graph")
    lines = [
        f"graph     {notes['transitions']:,} transitions within {notes['window']} days; {notes['ties']:,} ties, "
        "which count for no direction",
        *(f"unmatched {line}" for line in _unmatched_lines(results)),
    ]
    leaders = graph.scores()
    for measure in MEASURES:
        best = leaders.sort_values([measure, "market"], ascending=[False, True]).head(5)
        names = ", ".join(f"{row['name']} {cell(row[measure])}" for row in best.to_dict("records"))
        lines.append(f"scores    {measure}, which describes: {names}")
    for by, value in (("tracks", lambda pair: cell(pair["tracks"])), ("rate", rate_range)):
        pairs = graph.largest(by).head(5)
        names = "; ".join(f"{p['source']}→{p['target']} {value(p)}" for p in pairs.to_dict("records"))
        lines.append(f"flows     by {by}: {names or 'none with enough exposed tracks'}")
    return lines


def _unmatched_counts(graph: MarketGraph) -> dict[str, dict[str, Any]]:
    """Return counts of the pairs without a distance; their size does not grow with the number of pairs.

    Distance → `pairs` (number of ordered pairs without it), `markets` (codes of markets without it to any other) and,
    if there are no such markets, `examples` (the first five pairs). Distances that all pairs have are left out.
    """
    counts: dict[str, dict[str, Any]] = {}
    for distance, pairs in graph.unmatched.items():
        lacking = pd.Series([a for a, _ in pairs]).value_counts()
        markets = sorted(str(market) for market in lacking[lacking == len(graph.nodes) - 1].index)
        counts[distance] = {"pairs": len(pairs), "markets": markets}
        if not markets:
            counts[distance]["examples"] = [list(pair) for pair in sorted(pairs)[:5]]
    return counts


def _unmatched_lines(results: Results) -> list[str]:
    """Return lines on the pairs without a distance; none if all pairs have all distances."""
    gaps: dict[tuple[int, str], list[str]] = {}
    for distance, count in results.notes("graph")["unmatched"].items():
        names = [*market_names(count["markets"]).values()]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        named = ", ".join(names[:MOST_NAMED]) + more or "; ".join("–".join(pair) for pair in count["examples"])
        gaps.setdefault((count["pairs"], named), []).append(distance)
    return [
        f"{pairs:,} pairs have no {', '.join(distances)}: those of {named}"
        for (pairs, named), distances in gaps.items()
    ]


def _orders(results: Results) -> str:
    """Return in a sentence how many pairs of entries have an observed order, and how many have none."""
    counts = results.notes("graph")
    return f"{counts['ties']:,} pairs of entries have no observed order; {counts['transitions']:,} are transitions."


def _too_fast(results: Results) -> str:
    """Return in a sentence what the cadence of the charts hides."""
    cadence = every(results.notes("entries")["cadence_days"])
    return f"One chart every {cadence}: the direction of faster spread is not observed."


def _findings(results: Results) -> list[Finding]:
    ties = Finding(
        "How much of the spread is seen in order?",
        _orders(results),
        "",
        _too_fast(results),
        "described",
        figure="lags",
        headline=True,
    )
    return [ties, *_largest_flow(results)]


def _largest_flow(results: Results) -> list[Finding]:
    """Return the flow with most tracks, with its rate and interval; none where no track made a transition."""
    largest = results.graph.largest("tracks").head(1)
    names = {**market_names(largest["source"]), **market_names(largest["target"])}
    return [
        Finding(
            "The largest flow",
            f"Most tracks, {pair['tracks']:,} of {pair['exposed']:,} exposed, went from {names[pair['source']]} to "
            f"{names[pair['target']]} within {results.notes('graph')['window']} days.",
            f"The rate is {rate_range(pair)} (as if none, or all, went this way); its 95 % interval without ties is "
            f"{percent(pair['rate_low'])} to {percent(pair['rate_high'])}, by artist.",
            ORDER_ONLY,
            "described",
            figure="flow_map",
        )
        for pair in largest.to_dict("records")
    ]


def _caveats(results: Results) -> list[str]:
    return [
        *(f"Distances: {line}." for line in _unmatched_lines(results)),
        ORDER_ONLY,
    ]


def _data(results: Results) -> dict[str, Any]:
    graph = results.graph
    leaders = graph.scores()
    return {
        "leaders": {
            measure: records(leaders.nlargest(10, measure)[["market", "name", measure]]) for measure in MEASURES
        },
        "flows": {by: records(graph.largest(by).head(10)) for by in ("tracks", "rate")},
    }


def _ask(results: Results) -> str:
    most = results.graph.largest("tracks").iloc[0]
    return shlex.join(["query", "explain", most["source"], most["target"]])


GRAPH = Step(
    name="graph",
    title="The diffusion graph",
    doing="counting transitions",
    version=2,
    tables={
        "edges": contracts.EDGES,
        "markets": contracts.MARKETS,
        "lags": LAGS,
        "periods": contracts.PERIODS,
    },
    make=_make,
    needs=("entries",),
    settings=("window",),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
    data=_data,
    ask=_ask,
)

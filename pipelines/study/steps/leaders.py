"""Leaders: scores with intervals, agreement of scores, leaders over time, and whether leaders predict."""

from typing import Any, Final

import pandas as pd

import figures
from diffusion import DataSaysNoError, Entries, market_names
from graphs import MarketGraph, contracts
from graphs.leaders.rolling import rolling_leaders
from graphs.leaders.validity import leader_validity
from pipelines.formatting import html_table
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step

FOLLOWED: Final = ("out_share", "pagerank", "springrank")
"""Measures computed over time."""

SHOWN: Final = ("net_flow", "out_share", "pagerank", "springrank")
"""Measures whose intervals are drawn."""

VALIDITY_COLUMNS: Final = ["measure", "pairs", "rho", "low", "high", "p", "q"]

YEAR: Final = 365
QUARTER: Final = 91
"""Days: periods of rolling leaders are a year long and begin a quarter apart."""


def _make(study: Study, results: Results) -> Output:
    graph, gaps = results.graph, Gaps()
    found = graph.bootstrap(replicates=study.replicates, seed=study.seed)
    tables = {"leaders": found.table, "agreement": found.agreement}
    tables |= gaps.take("rolling", lambda: {"rolling": _rolling(graph, study)})
    tables |= gaps.take("validity", lambda: _validity(graph, results.entries, study))
    return Output(tables, not_made=gaps)


def _rolling(graph: MarketGraph, study: Study) -> pd.DataFrame:
    lines = graph.timelines
    days = int(lines.span_last.max() - lines.span_first.min()) + 1
    if days < YEAR + QUARTER:
        raise DataSaysNoError(f"{days} days of charts; leaders over time need {YEAR + QUARTER}")
    return rolling_leaders(
        lines,
        window=graph.window,
        width=YEAR,
        step=QUARTER,
        replicates=study.replicates,
        seed=study.seed,
        measures=FOLLOWED,
    )


def _validity(graph: MarketGraph, entries: Entries, study: Study) -> dict[str, pd.DataFrame]:
    # half-years, because a few years of charts have too few pairs of years
    depth = entries.calendar.by_market().set_index("market")["depth_median"].astype(float)
    found = leader_validity(
        graph.timelines,
        entries.artists.to_pandas(),
        window=graph.window,
        by="half",
        depth={str(market): rows for market, rows in depth.items()},
        seed=study.seed,
    )
    return {"validity": found.table, "validity_pairs": found.pairs}


def _drawings(results: Results) -> dict[str, Drawing]:
    names = market_names(results.graph.nodes["market"])
    leaders = results.table("leaders")
    drawings = {
        "leader_intervals": Drawing(
            "Markets by four scores, with bootstrap intervals.",
            lambda: figures.leader_intervals(leaders[leaders["measure"].isin(SHOWN)], names=names),
        )
    }
    if results.holds("rolling"):
        drawings["rolling_leaders"] = Drawing(
            "Scores among the tracks that debuted in each year, a quarter apart, with intervals.",
            lambda: figures.rolling_leaders(results.table("rolling"), names=names),
        )
    if results.holds("validity"):
        drawings["validity"] = Drawing(
            "Whether the leaders of one half-year predict who is first with new artists in the next.",
            lambda: figures.validity_chart(results.table("validity"), results.table("validity_pairs")),
        )
    return drawings


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("validity"):
        return {"validity": None}
    table = results.table("validity")
    return {"validity": html_table(table[table["given"] == "size and outcome"][VALIDITY_COLUMNS])}


def _lines(results: Results) -> list[str]:
    table = results.table("leaders")
    best = table[table["measure"] == "out_share"].head(5)
    names = market_names(best["market"])
    said = [
        f"{names[row['market']]} {row['score']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        for row in best.to_dict("records")
    ]
    replicates = results.parameters("leaders")["replicates"]
    return [f"leaders   share sent, with 95 % intervals from {replicates:,} replicates: {', '.join(said)}"]


LEADERS = Step(
    name="leaders",
    doing="drawing replicates for the intervals of leaders",
    version=1,
    tables={
        "leaders": contracts.LEADERS,
        "agreement": contracts.AGREEMENT,
        "rolling": contracts.ROLLING,
        "validity": contracts.VALIDITY,
        "validity_pairs": contracts.VALIDITY_PAIRS,
    },
    make=_make,
    needs=("entries", "graph"),
    settings=("replicates", "seed"),
    drawings=_drawings,
    section=_section,
    lines=_lines,
)

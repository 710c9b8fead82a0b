"""Leaders: which markets lead beyond the baseline; scores that describe, over time, and whether leaders predict."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import pandas as pd

import figures
from diffusion import DataSaysNoError, market_names
from diffusion.conventions import FDR
from graphs import contracts
from graphs.leaders.asymmetry import MEASURE, Leads, lead_table
from graphs.leaders.bootstrap import tau_with_size
from graphs.leaders.rolling import rolling_leaders
from graphs.leaders.validity import leader_validity, small_by_chance
from pipelines.formatting import cell, html_table, many, sentence
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from pipelines.study.steps.placebo import beside_placebos

FOLLOWED: Final = ("out_share", "pagerank", "springrank")
"""Descriptive measures computed over time, beside the tested one."""

SHOWN: Final = (MEASURE, "out_share", "springrank", "betweenness")
"""Measures that are drawn; PageRank and hub scores order markets much as their size does."""

VALIDITY_COLUMNS: Final = ["measure", "pairs", "rho", "low", "high", "p", "q"]

LEADERS_COLUMNS: Final = ["market", "score", "low", "high", "p", "q", "shrunk", "artists", "partners", "group"]

UNSEEN: Final = (
    "A lead is seen with particular partners only. A market that lifts all others alike does not lead in these "
    "figures, nor does one that is first on the day of a debut, nor what is faster than the charts."
)
"""What the test cannot see."""

MOST_ROWS: Final = 15
"""Markets in the table of the report."""

MOST_NAMED: Final = 5
"""Markets named in a line."""

YEAR: Final = 365
QUARTER: Final = 91
"""Days: periods of rolling leaders are a year long and begin a quarter apart."""

DRAWS: Final = 2
"""Charts drawn from the baseline, on which validity is asked too."""


def _make(study: Study, results: Results) -> Output:
    graph, gaps = results.graph, Gaps()
    described = graph.bootstrap(replicates=study.replicates, seed=study.seed)
    leads = cache(lambda: Leads.of(results.baseline, window=graph.window))
    tested = gaps.take(MEASURE, lambda: {"leaders": lead_table(leads(), replicates=study.replicates, seed=study.seed)})
    table = pd.concat([*tested.values(), described.table], ignore_index=True)
    tables = {"leaders": table.reindex(columns=contracts.LEADERS.names), "agreement": described.agreement}
    tables |= gaps.take("rolling", lambda: {"rolling": _rolling(results, leads, study)})
    tables |= gaps.take("validity", lambda: _validity(results, leads, study))
    return Output(tables, not_made=gaps)


def _rolling(results: Results, leads: Callable[[], Leads], study: Study) -> pd.DataFrame:
    lines = results.entries.timelines
    days = int(lines.span_last.max() - lines.span_first.min()) + 1
    if days < YEAR + QUARTER:
        raise DataSaysNoError(f"{days} days of charts; leaders over time need {YEAR + QUARTER}")
    return rolling_leaders(
        results.baseline,
        leads(),
        window=results.graph.window,
        width=YEAR,
        step=QUARTER,
        replicates=study.replicates,
        seed=study.seed,
        measures=FOLLOWED,
    )


def _validity(results: Results, leads: Callable[[], Leads], study: Study) -> dict[str, pd.DataFrame]:
    # half-years, because a few years of charts have too few pairs of years
    rows = results.entries.calendar.by_market().set_index("market")["depth_median"].astype(float)
    depth = {str(market): value for market, value in rows.items()}
    fit, window = results.baseline, results.graph.window
    found = leader_validity(fit, leads(), window=window, by="half", depth=depth, seed=study.seed)
    small = small_by_chance(fit, window=window, by="half", depth=depth, draws=DRAWS, seed=study.seed)
    return {"validity": found.table.assign(small=small), "validity_pairs": found.pairs}


def _drawings(results: Results) -> dict[str, Drawing]:
    names = market_names(results.graph.nodes["market"])
    drawings = {
        "leader_intervals": Drawing(
            "Markets by the lead beyond the baseline, which is tested, and by three scores that describe.",
            lambda: _intervals(results, names),
        )
    }
    if results.holds("rolling"):
        drawings["rolling_leaders"] = Drawing(
            "Scores among the tracks that debuted in each year, a quarter apart, with intervals.",
            lambda: figures.rolling_leaders(_shown(results.table("rolling")), names=names),
        )
    if results.holds("validity"):
        drawings["validity"] = Drawing(
            "Whether the leaders of one half-year predict who leads with fresh artists in the next.",
            lambda: figures.validity_chart(results.table("validity"), results.table("validity_pairs")),
        )
    return drawings


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the measures that are drawn."""
    rows: pd.DataFrame = table[table["measure"].isin(SHOWN)]
    return rows


def _intervals(results: Results, names: Mapping[str, str]) -> figures.Figure:
    shown = _shown(results.table("leaders"))
    scores = shown.pivot_table("score", "market", "measure", dropna=False)
    size = results.graph.nodes.set_index("market")["entries"]
    return figures.leader_intervals(shown, names=names, size_tau=tau_with_size(scores, size))


def _tested(results: Results) -> pd.DataFrame:
    """Return the rows of the tested measure, the highest score first."""
    table = results.table("leaders")
    tested: pd.DataFrame = table[table["measure"] == MEASURE]
    return tested


def _section(results: Results) -> dict[str, Any]:
    tested = _tested(results)
    shown = tested[tested["q"].notna()].head(MOST_ROWS)[LEADERS_COLUMNS]
    shown["market"] = shown["market"].map(market_names(shown["market"]))
    content = {
        "leaders": html_table(shown),
        "tested": len(tested),
        "few": int(tested["q"].isna().sum()),
        "validity": None,
    }
    if results.holds("validity"):
        table = results.table("validity")
        content["validity"] = html_table(table[table["given"] == "size and outcome"][VALIDITY_COLUMNS])
        content |= {"small": float(table["small"].iloc[0]), "draws": DRAWS}
    return content


def leading(tested: pd.DataFrame) -> str:
    """Return in one sentence which markets lead beyond the baseline."""
    return "; ".join([_leads(tested), *_qualified(tested)])


def _leads(tested: pd.DataFrame) -> str:
    """Return in words which markets lead beyond the baseline, or that it cannot be said of any."""
    known = tested[tested["q"].notna()]
    if not len(known):
        return f"of none of {many(len(tested), 'market')} can it be said whether it leads: no order, or too few artists"
    lead = _surely(tested, "score > 0")
    said = f"{len(lead)} of {many(len(known), 'market')} lead beyond the baseline (q ≤ .05)"
    names = market_names(lead["market"])
    named = [f"{names[row['market']]} {cell(row['score'])}" for row in lead.head(MOST_NAMED).to_dict("records")]
    return f"{said}: {', '.join(named)}" if named else said


def _qualified(tested: pd.DataFrame) -> list[str]:
    """Return in words how much of the first place is luck, how many markets are led, and how many are not known."""
    known = int(tested["q"].notna().sum())
    if not known:
        return []
    parts = [
        f"{len(_surely(tested, 'score < 0'))} are led",
        f"of {len(tested) - known} nothing can be said: no order with any partner, or too few artists",
    ]
    for first in _surely(tested, "score > 0").head(1).to_dict("records"):
        luck = (
            f"the first of many is partly first by luck: allowing for that its score is {cell(first['shrunk'])}, its "
            f"rank {first['rank_low']:.0f} to {first['rank_high']:.0f}"
        )
        parts.insert(0, luck)
    return parts


def _surely(tested: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the markets with a verdict, of those that a condition names."""
    surely: pd.DataFrame = tested[tested["q"] <= FDR].query(where)
    return surely


def _findings(results: Results) -> list[Finding]:
    tested, placebos = _tested(results), beside_placebos(results, "groups", "groups of leaders")
    if tested.empty:
        return []
    return [
        Finding(
            "Does any market lead?",
            sentence(_leads(tested)),
            " ".join([*map(sentence, _qualified(tested)), placebos]).strip(),
            UNSEEN,
            "found" if len(_surely(tested, "score > 0")) else "not found",
            figure="leader_intervals",
            headline=True,
        )
    ]


def _lines(results: Results) -> list[str]:
    tested = _tested(results)
    lines = [f"leaders   {leading(tested)}"] if len(tested) else []
    table = results.table("leaders")
    best = table[(table["measure"] == "out_share") & table["rank"].notna()].head(MOST_NAMED)
    names = market_names(best["market"])
    said = [
        f"{names[row['market']]} {row['score']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        for row in best.to_dict("records")
    ]
    lines.append(f"scores    share sent, which describes: {', '.join(said) or 'too few artists'}")
    return lines


def _caveats(results: Results) -> list[str]:
    return [UNSEEN]


LEADERS = Step(
    name="leaders",
    title="Leaders",
    doing="drawing replicates for the intervals of leaders",
    version=2,
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
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)

"""Direct influence: pairs that follow each other beside all other pairs too, and the entries attributed to them."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

import figures
from diffusion import DataSaysNoError, market_names
from graphs import contracts
from graphs.baseline import clout, direct_table, entry_credits, joint_fit
from pipelines.formatting import cell, html_table, many, sentence
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from pipelines.study.steps.placebo import beside_placebos

MOST_ROWS: Final = 15
"""Most pairs in the report: those with the highest lower bound."""

MOST_NAMED: Final = 5
"""Most pairs on screen: those with most credits."""


UNSEEN: Final = (
    "Direct influence is seen as a contrast between the targets of a market: what a market brings to all others alike "
    "is not seen, nor what is faster than the charts. A taste that language, distance and continent do not describe "
    "can make a pair direct; pairs that go more one way than the other are the safer ones."
)
"""What the test cannot see, and what it can mistake."""


def _make(study: Study, results: Results) -> Output:
    if not study.direct:
        return Output({}, not_made={"influence": "it was not asked for; --direct asks for it"})
    gaps, window = Gaps(), int(results.notes("graph")["window"])
    return Output(gaps.take("influence", lambda: _tables(results, window)), not_made=gaps)


def _tables(results: Results, window: int) -> dict[str, pd.DataFrame]:
    if not results.holds("lifts"):
        raise DataSaysNoError("no pair could be held against the baseline")
    fit = results.baseline
    joint = joint_fit(fit, window=window)
    credits = entry_credits(joint)
    influence = direct_table(fit, joint, results.table("lifts"), credits)
    return {"influence": influence, "credits": credits.table(), "clout": clout(influence, list(fit.markets))}


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("influence"):
        return {}
    influence = results.table("influence")
    return {
        "influence_heatmap": Drawing(
            "Direct pairs: entries into the column's market attributed to the row's market, per entry there.",
            lambda: figures.influence_heatmap(influence, names=market_names(influence["source"])),
        )
    }


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("influence"):
        return {}
    table = results.table("influence")
    return {"influence": html_table(_shown(table))} | _counts(table)


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the direct pairs with the highest lower bounds, with names of markets, and ratios for logarithms."""
    direct = table[table["direct"]].nlargest(MOST_ROWS, "beta_low")
    for side in ("source", "target"):
        direct[side] = direct[side].map(market_names(direct[side]))
    ratios = {"beta": "ratio", "beta_low": "ratio_low", "beta_high": "ratio_high"}
    direct[list(ratios)] = np.exp(direct[list(ratios)])
    named = [*ratios.values(), "q_joint", "ordered", "credits", "credits_per_entry", "lag_median"]
    return direct.rename(columns=ratios)[["source", "target", *named]]


def _counts(table: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of tested, direct and ordered pairs, and the ratio at which half would be found."""
    return {
        "tested": int(table["q_joint"].notna().sum()),
        "direct": int(table["direct"].sum()),
        "ordered": int(table["ordered"].sum()),
        "detectable": float(table["detectable"].median()),
    }


def _lines(results: Results) -> list[str]:
    if not results.holds("influence"):
        return []
    table = results.table("influence")
    counts = _counts(table)
    said = f"direct    {_shown_direct(counts)}; {_needed(counts)}"
    if not counts["direct"]:
        return [said]
    most = table[table["direct"]].nlargest(MOST_NAMED, "credits").to_dict("records")
    named = ", ".join(f"{row['source']}→{row['target']} {row['credits']:.0f}" for row in most)
    return [f"{said}; most credits: {named}"]


def _shown_direct(counts: Mapping[str, Any]) -> str:
    """Return in words how many pairs are direct."""
    if not counts["direct"]:
        return f"no pair of {counts['tested']:,} tested is shown to be direct"
    are = "is shown to be direct" if counts["direct"] == 1 else "are shown to be direct"
    return (
        f"{many(counts['direct'], 'pair')} of {counts['tested']:,} tested {are}, {counts['ordered']:,} of them more "
        "one way than the other"
    )


def _needed(counts: Mapping[str, Any]) -> str:
    """Return in words the ratio from which half of the pairs would be found."""
    return f"half of the pairs would be found only from a ratio of {cell(counts['detectable'])} on (power 80 %)"


def _findings(results: Results) -> list[Finding]:
    if not results.holds("influence"):
        return []
    counts = _counts(results.table("influence"))
    return [
        Finding(
            "Is any influence direct?",
            sentence(_shown_direct(counts)),
            " ".join([sentence(_needed(counts)), beside_placebos(results, "direct", "direct pairs")]).strip(),
            UNSEEN,
            "found" if counts["direct"] else "not found",
            figure="influence_heatmap" if counts["direct"] else "",
            headline=True,
        )
    ]


def _caveats(results: Results) -> list[str]:
    if not results.holds("influence"):
        return []
    return [UNSEEN]


DIRECT = Step(
    name="direct",
    title="Direct influence",
    doing="fitting direct influence",
    version=3,
    tables={"influence": contracts.INFLUENCE, "credits": contracts.CREDITS, "clout": contracts.CLOUT},
    make=_make,
    needs=("entries", "graph", "baseline"),
    settings=("direct",),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)

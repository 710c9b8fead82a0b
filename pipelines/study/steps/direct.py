"""Direct edges: expected entries elsewhere per entry, by the summed-hazard model."""

from typing import Any, Final

import pandas as pd

import figures
from diffusion import market_names
from graphs import contracts, summed_hazard
from pipelines.formatting import html_table
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step

MOST_ROWS: Final = 15
"""Most pairs in the report: those with the highest lower bound."""

COLUMNS: Final = [
    "source", "target", "alpha", "low", "high", "q", "credits", "lag_median", "joint", "alpha_if_ties",
]  # fmt: skip


def _make(study: Study, results: Results) -> Output:
    gaps, window = Gaps(), int(results.notes("graph")["window"])

    def fitted() -> dict[str, pd.DataFrame]:
        found = summed_hazard(results.entries, window=window, horizon=study.horizon)
        return {
            "influence": found.table,
            "credits": found.entry_credits(),
            "background": found.background,
            "clout": found.scores(),
        }

    return Output(gaps.take("influence", fitted), not_made=gaps)


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("influence"):
        return {}
    influence, clout = results.table("influence"), results.table("clout")
    order = clout.sort_values("clout", ascending=False)["market"].tolist()
    return {
        "influence_heatmap": Drawing(
            "Entries into the column's market expected per entry into the row's market.",
            lambda: figures.influence_heatmap(influence, names=market_names(order), order=order),
        )
    }


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("influence"):
        return {"influence": None}
    table = results.table("influence")
    return {"influence": html_table(table[table["direct"]].nlargest(MOST_ROWS, "low")[COLUMNS])}


def _lines(results: Results) -> list[str]:
    if not results.holds("influence"):
        return []
    table = results.table("influence")
    direct = table[table["direct"]].nlargest(5, "credits")
    said = [
        f"{row['source']}→{row['target']} {row['credits']:.0f} (α {row['alpha']:.3f})"
        for row in direct.to_dict("records")
    ]
    named = ", ".join(said) or "none"
    return [
        f"direct    {int(table['direct'].sum()):,} of {len(table):,} pairs by the summed-hazard model, whose verdict "
        f"is not warranted; most credits: {named}"
    ]


DIRECT = Step(
    name="direct",
    doing="fitting direct edges",
    version=1,
    tables={
        "influence": contracts.INFLUENCE,
        "credits": contracts.CREDITS,
        "background": contracts.BACKGROUND,
        "clout": contracts.CLOUT,
    },
    make=_make,
    needs=("entries", "graph"),
    settings=("horizon",),
    drawings=_drawings,
    section=_section,
    lines=_lines,
)

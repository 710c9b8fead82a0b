"""What published work says, tested on these charts."""

from typing import Any, Final

import pandas as pd

import figures
from diffusion import DataSaysNoError, market_names
from diffusion.conventions import FDR
from diffusion.market_groups import group_pairs
from graphs.distance import Distances
from pipelines.contracts.published import CHART_YEARS, PUBLISHED, TRIGGER_MARKETS
from pipelines.eda.published import claim, culture, europe, likeness, over_years, trendsetters, triggers
from pipelines.formatting import cell, html_table
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step

COLUMNS: Final = ["says", "source", "verdict", "said", "q", "number", "of"]
"""Columns of the table of the report."""

LIMITS: Final = ["says", "measure", "tested_against", "limits"]
"""Columns of the table of how each claim was tested."""

TRIGGER_COLUMNS: Final = ["market", "tracks", "breakouts", "expected", "ratio", "low", "high", "q"]

MOST_ROWS: Final = 10
"""Markets in the table of where breakouts begin."""

_TOLD: Final = {"holds": "hold here", "does not hold": "do not", claim.UNTOLD: "cannot be told"}
"""Verdict → what it is of some claims."""


def _make(study: Study, results: Results) -> Output:
    entries, gaps = results.entries, Gaps()
    if entries.cohort:
        gaps["published"] = "the claims are about whole charts, and these are the tracks of a cohort"
        return Output({}, not_made=gaps)
    window = study.window or entries.calendar.default_window
    tables = gaps.take(
        "trigger_markets", lambda: {"trigger_markets": triggers.trigger_table(triggers.Begun.of(entries, window))}
    )
    if results.holds("chart_weeks"):
        tables["chart_years"] = over_years.year_table(results.table("chart_weeks"))
    else:
        gaps["chart_years"] = _why_not(results, "chart_weeks")
    tables["published"] = claim.answered(_answers(study, results, tables.get("trigger_markets"), gaps))
    return Output(tables, notes={"window": window}, not_made=gaps)


def _answers(study: Study, results: Results, begun: pd.DataFrame | None, gaps: Gaps) -> list[claim.Answer]:
    """Return the claims with what answers them, in the order of the report."""
    entries, seed = results.entries, study.seed
    return [
        *europe.european_claims(entries, replicates=study.replicates, seed=seed),
        (
            trendsetters.NO_TRENDSETTERS,
            lambda: trendsetters.no_trendsetters(_needed(results, "leaders")),
        ),
        (culture.CULTURE, lambda: culture.culture_lowers(_needed(results, "gravity"), _distances(results))),
        (
            culture.CENTRE,
            lambda: culture.centre_and_periphery(entries, _needed(results, "leaders"), seed=seed),
        ),
        *likeness.likeness_claims(entries, seed=seed),
        *_over_years(results),
        (triggers.TRIGGERS, lambda: triggers.trigger_markets(_made(begun, gaps))),
    ]


def _over_years(results: Results) -> list[claim.Answer]:
    """Return the claims of change over the years, with the reason where there are no weekly charts."""
    if results.holds("chart_weeks"):
        return over_years.yearly_claims(results.table("chart_weeks"))
    return [(one, lambda: _needed(results, "chart_weeks")) for one, *_ in over_years.MEASURES.values()]


def _needed(results: Results, name: str) -> Any:
    """Return a table of an earlier step, or say why it was not made."""
    if not results.holds(name):
        raise DataSaysNoError(_why_not(results, name))
    return results.table(name)


def _why_not(results: Results, name: str) -> str:
    return results.why_not(name, sent=True).removeprefix("not made: ")


def _made(table: pd.DataFrame | None, gaps: Gaps) -> pd.DataFrame:
    if table is None:
        raise DataSaysNoError(gaps["trigger_markets"])
    return table


def _distances(results: Results) -> Distances:
    markets = list(results.graph.nodes["market"])
    return Distances.of(markets, group_pairs(results.entries.groups))


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("published"):
        return {}
    drawings = {
        "published": Drawing(
            "Published claims: how far each estimate, with its interval, lies beyond the value from which the claim "
            "holds.",
            lambda: figures.published_claims(results.table("published")),
        )
    }
    if results.holds("chart_years") and len(results.table("chart_years")):
        drawings["chart_years"] = Drawing(
            "By year: what two charts of one date have in common, mean stay, change of rank in a week, and share of "
            "local artists.",
            lambda: figures.chart_years(results.table("chart_years")),
        )
    return drawings


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("published"):
        return {}
    table = results.table("published")
    content = {
        "claims": html_table(table[COLUMNS]),
        "limits": html_table(table[LIMITS]),
        "window": results.notes("published")["window"],
        "triggers": None,
    }
    if results.holds("trigger_markets"):
        tested = results.table("trigger_markets").dropna(subset="q")
        tested = tested.assign(market=tested["market"].map(market_names(tested["market"])))
        content["triggers"] = html_table(tested[TRIGGER_COLUMNS].head(MOST_ROWS)) if len(tested) else None
    return content


def _findings(results: Results) -> list[Finding]:
    if not results.holds("published"):
        return []
    table = results.table("published")
    return [_summary(table), *_of_years(table)]


def _summary(table: pd.DataFrame) -> Finding:
    """Return how many claims hold, and which."""
    told = {verdict: table.loc[table["verdict"] == verdict, "says"].tolist() for verdict in claim.VERDICTS}
    held, not_held, untold = told.values()
    holds, fails = ("holds" if len(held) == 1 else "hold"), ("does" if len(not_held) == 1 else "do")
    nobody = table["claim"] == trendsetters.NO_TRENDSETTERS.name  # holds where nothing is found
    found = ((table["verdict"] == "holds") & ~nobody).any()
    said = f"Of {len(table)} published claims {len(held)} {holds} on these charts{_listed(held)}"
    return Finding(
        "What published work says",
        f"{said}; {len(not_held)} {fails} not{_listed(not_held)}; of {len(untold)} it cannot be told here.",
        "A claim holds where its whole 95 % interval lies as claimed, at q ≤ .05 over all claims tested; a claim "
        "that there are markets of a kind, where q ≤ .05 among the markets too.",
        "These are other charts, years and measures than those of the papers: what does not hold here is not refuted "
        "there.",
        "found" if found else "not found",
        figure="published",
    )


def _listed(says: list[str]) -> str:
    return f" ({'; '.join(says)})" if says else ""


def _of_years(table: pd.DataFrame) -> list[Finding]:
    """Return what changed from year to year, where it could be tested."""
    names = [one.name for one, *_ in over_years.MEASURES.values()]
    tested = table[table["claim"].isin(names) & table["p"].notna()]
    if tested.empty:
        return []
    changed = tested[(tested["low"] > 0) | (tested["high"] < 0)]
    return [
        Finding(
            "Charts from year to year",
            " ".join(tested["said"]),
            f"Tested against {tested['tested_against'].iloc[0]}; the smallest q is {cell(float(tested['q'].min()))}.",
            "Only of the markets that are on the charts for the whole time; a service may also have changed how it "
            "makes its charts.",
            "found" if (changed["q"] <= FDR).any() else "not found",
            figure="chart_years",
        )
    ]


def _lines(results: Results) -> list[str]:
    if not results.holds("published"):
        return []
    counts = results.table("published")["verdict"].value_counts()
    said = "; ".join(f"{int(counts.get(verdict, 0))} {words}" for verdict, words in _TOLD.items())
    return [f"published {int(counts.sum())} claims of published work: {said}"]


def _caveats(results: Results) -> list[str]:
    if not results.holds("published"):
        return []
    return [
        "Published claims are tested on what these charts hold, not on the data of the papers; the table says for "
        "each what was measured instead, against what it was tested, and what cannot be said."
    ]


PUBLISHED_STEP = Step(
    name="published",
    title="What published work says, tested on these charts",
    doing="testing published claims",
    version=1,
    tables={"published": PUBLISHED, "trigger_markets": TRIGGER_MARKETS, "chart_years": CHART_YEARS},
    make=_make,
    needs=("entries", "weeks", "graph", "leaders", "structure"),
    settings=("window", "replicates", "seed"),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)

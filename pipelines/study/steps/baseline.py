"""Edges beyond the baseline: pairs that follow each other more often than market sizes and likeness expect."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from diffusion import DataSaysNoError, market_names
from diffusion.conventions import FDR
from graphs import contracts
from graphs.baseline import edge_table, held_out_scores, sensitivity_table
from graphs.baseline.held_out import ALL
from graphs.leaders.groups import LEAST_ARTISTS
from pipelines.formatting import cell, html_table, many, percent, sentence
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Gaps, Output, Step
from pipelines.study.steps.placebo import beside_placebos

MOST_ROWS: Final = 15
"""Pairs in the report: those with the highest lower bound of the lift."""

UNSEEN: Final = (
    "A pair beyond the baseline need not be influence: a taste that language, distance and continent do not describe "
    "makes its markets follow each other too. A market that lifts all others alike is not seen."
)
"""What the test cannot see."""

COLUMNS: Final = [
    "source", "target", "observed", "expected", "lift", "lift_low", "lift_high", "affinity", "q", "q_by", "q_order",
    "lead_share", "lead_expected",
]  # fmt: skip


def _make(study: Study, results: Results) -> Output:
    gaps, window = Gaps(), int(results.notes("graph")["window"])
    tables = gaps.take("lifts", lambda: {"lifts": _lifts(results, window)})
    if tables:
        fit, upper = results.baseline, results.upper_entries
        tables["sensitivity"] = sensitivity_table(fit, window=window, upper=upper)
        tables |= gaps.take("log_scores", lambda: {"log_scores": held_out_scores(fit, window=window)})
    return Output(tables, not_made=gaps)


def _lifts(results: Results, window: int) -> pd.DataFrame:
    artists = results.baseline.artists
    if artists < LEAST_ARTISTS:
        raise DataSaysNoError(f"all steps are of {many(artists, 'artist')}; tests by artist need {LEAST_ARTISTS}")
    lifts = edge_table(results.baseline, window=window)
    if not lifts["q"].notna().any():
        steps = len(results.baseline.parts)
        raise DataSaysNoError(f"of no pair is one of the {steps:,} steps expected, so none can be tested")
    return lifts


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("lifts"):
        return {}
    lifts, sensitivity = results.table("lifts"), results.table("sensitivity")
    edges = lifts[lifts["edge"]].nlargest(MOST_ROWS, "lift_low")[COLUMNS]
    for side in ("source", "target"):
        edges[side] = edges[side].map(market_names(edges[side]))
    scores = results.table("log_scores") if results.holds("log_scores") else None
    return {
        "lifts": html_table(edges),
        "counts": _counts(lifts),
        "affinity": float(lifts.loc[lifts["edge"], "affinity"].median()),
        "sensitivity": html_table(sensitivity),
        "again": _again(sensitivity),
        "scores": None if scores is None else html_table(scores[scores["quarter"] == ALL]),
        "quarters": [] if scores is None else [name for name in scores["quarter"].unique() if name != ALL],
    }


def _counts(lifts: pd.DataFrame) -> dict[str, Any]:
    return {
        "tested": int(lifts["q"].notna().sum()),
        "edges": int(lifts["edge"].sum()),
        "edges_by": int((lifts["q_by"] <= FDR).sum()),
        "ordered": int(lifts["ordered"].sum()),
        "detectable": float(lifts["detectable"].median()),
    }


def _again(sensitivity: pd.DataFrame) -> dict[str, Any] | None:
    """Return the variant that finds the fewest of the edges again, and what the second half finds of the first."""
    others = sensitivity[(sensitivity["variant"] != "base") & sensitivity["found_again"].notna()]
    whole = others[(others["against"] == "base") & (others["variant"] != "first half")]
    if whole.empty:
        return None
    least = whole.loc[whole["found_again"].idxmin()]
    halves = others.loc[others["against"] == "first half", "found_again"]
    return {
        "least": float(least["found_again"]),
        "variant": str(least["variant"]),
        "halves": None if halves.empty else float(halves.iloc[0]),
    }


def _lines(results: Results) -> list[str]:
    if not results.holds("lifts"):
        return []
    counts, again = _counts(results.table("lifts")), _again(results.table("sensitivity"))
    lines = [f"baseline  {_beyond(counts)}; {_needed(counts)}"]
    if again is not None:
        both = "of those of the first half of the time in the second half"
        halves = "" if again["halves"] is None else f"; {percent(again['halves'], places=0)} {both}"
        lines.append(
            f"variants  {percent(again['least'], places=0)} or more of these pairs are found under other definitions "
            f"(least: {again['variant']}){halves}"
        )
    if results.holds("log_scores"):
        lines.append(f"held out  gain in bits per step in quarters held back, {_gains(results.table('log_scores'))}")
    return lines


def _beyond(counts: Mapping[str, Any]) -> str:
    """Return in words how many pairs go beyond the baseline."""
    return (
        f"{counts['edges']:,} of {counts['tested']:,} pairs follow more often than sizes and likeness expect "
        f"(q ≤ .05), {counts['ordered']:,} of them more one way than the other"
    )


def _needed(counts: Mapping[str, Any]) -> str:
    """Return in words the lift from which half of the pairs would be found."""
    return f"half of the pairs need a lift of {cell(counts['detectable'])} to be found"


def _findings(results: Results) -> list[Finding]:
    title = "Do markets follow one another?"
    if not results.holds("lifts"):
        why = results.notes("baseline")["not_made"]["lifts"]
        return [
            Finding(
                title,
                "Whether markets follow each other more often than sizes and likeness expect cannot be tested here.",
                sentence(why),
                "That it cannot be tested does not say that they do not.",
                "not found",
                headline=True,
            )
        ]
    counts, placebos = _counts(results.table("lifts")), beside_placebos(results, "edges", "such pairs")
    return [
        Finding(
            title,
            sentence(_beyond(counts)),
            " ".join([sentence(f"{_needed(counts)} with a power of 80 %"), placebos]).strip(),
            UNSEEN,
            "found" if counts["edges"] else "not found",
            figure="backbone_map" if counts["edges"] else "",
            headline=True,
        )
    ]


def _gains(scores: pd.DataFrame) -> str:
    """Return the quarters that were held back, and what each version gains there on the one before."""
    quarters = [name for name in scores["quarter"].unique() if name != ALL]
    named = quarters[0] if len(quarters) == 1 else f"{quarters[0]} to {quarters[-1]}"
    rows = scores[(scores["quarter"] == ALL) & scores["gain"].notna()].to_dict("records")
    parts = [
        f"{row['version']} {row['gain']:+.3f}"
        + ("" if pd.isna(row["gain_low"]) else f" ({row['gain_low']:.3f} to {row['gain_high']:.3f})")
        for row in rows
    ]
    return f"{named}: {', '.join(parts)}"


def _caveats(results: Results) -> list[str]:
    if not results.holds("lifts"):
        return []
    return [UNSEEN]


BASELINE = Step(
    name="baseline",
    title="Edges beyond the baseline",
    doing="holding edges against the baseline",
    version=2,
    tables={"lifts": contracts.LIFTS, "sensitivity": contracts.SENSITIVITY, "log_scores": contracts.LOG_SCORES},
    make=_make,
    needs=("entries", "graph"),
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)

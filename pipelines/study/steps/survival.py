"""Time to breakthrough: survival curves of waits, by each grouping of the study."""

from typing import Any, Final

import pandas as pd

import figures
from pipelines.formatting import html_table
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Output, Step
from survival import breakthrough
from survival.contracts import CURVES, SUMMARY

TITLES: Final = {
    "none": "Time to breakthrough",
    "continent": "Time to breakthrough, by continent of the market",
    "language_match": "Time to breakthrough, by language shared with the footprint",
    "footprint_size": "Time to breakthrough, by markets entered on day 0",
}
"""Grouping → title of its figure."""


def _make(study: Study, results: Results) -> Output:
    parts = [breakthrough(results.entries, by=by, horizon=study.horizon) for by in study.by]
    curves = pd.concat([part.curves.assign(by=part.by) for part in parts], ignore_index=True)
    curves = curves[["by", *(name for name in curves if name != "by")]]
    summary = pd.concat([part.summary for part in parts], ignore_index=True)
    notes = {"caveats": [note for part in parts for note in part.notes()]}
    return Output({"survival": curves, "survival_summary": summary}, notes=notes)


def _drawings(results: Results) -> dict[str, Drawing]:
    table, horizon = results.table("survival"), results.parameters("survival")["horizon"]

    def drawing(by: str, curves: pd.DataFrame) -> Drawing:
        title = TITLES[by]
        return Drawing(title, lambda: figures.survival_curves(curves.drop(columns="by"), title=title, horizon=horizon))

    return {f"survival_{by}": drawing(str(by), part) for by, part in table.groupby("by", sort=False)}


def _section(results: Results) -> dict[str, Any]:
    return {
        "horizon": results.parameters("survival")["horizon"],
        "summary": html_table(results.table("survival_summary").drop(columns="by")),
    }


def _lines(results: Results) -> list[str]:
    lines = [
        f"survival  {row['group']}: {row['events']:,} of {row['waits']:,} waits ended in an entry; "
        f"{row['share_entered']:.2%} by day {row['restricted_to']}"
        for row in results.table("survival_summary").to_dict("records")
    ]
    return lines + [f"survival  {note}" for note in results.notes("survival")["caveats"]]


def _caveats(results: Results) -> list[str]:
    return [f"{note[0].upper()}{note[1:]}." for note in results.notes("survival")["caveats"]]


SURVIVAL = Step(
    name="survival",
    doing="following waits",
    version=3,
    tables={
        "survival": CURVES,
        "survival_summary": SUMMARY,
    },
    make=_make,
    needs=("entries",),
    settings=("by", "horizon"),
    drawings=_drawings,
    section=_section,
    lines=_lines,
    caveats=_caveats,
)

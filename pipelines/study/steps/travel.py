"""How far tracks travel: reach, debut size, and the share that crosses a border, by year."""

from typing import Any, Final

import pandas as pd

import figures
from pipelines.contracts.travel import DEBUT_SIZES, REACH, TRAVEL
from pipelines.eda.travel import ALL, travel_tables
from pipelines.formatting import cell, html_table, many, percent
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step

YEARS_COLUMNS: Final = [
    "debuted", "tracks", "travelled", "travelled_low", "travelled_high", "further", "at_home", "footprint_median",
    "markets",
]  # fmt: skip
"""Columns of the table of the report."""


def _make(study: Study, results: Results) -> Output:
    entries, gaps = results.entries, Gaps()
    window = study.window or entries.calendar.default_window
    tables = gaps.take("travel", lambda: travel_tables(entries, window=window))
    return Output(tables, notes={"window": window}, not_made=gaps)


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("travel"):
        return {}
    return {
        "travel": Drawing(
            "Markets that tracks reach, and the share that enters another market, by size of the debut and by year.",
            lambda: figures.travel_chart(
                *(results.table(name) for name in ("travel", "reach", "debut_sizes")),
                window=results.notes("travel")["window"],
            ),
        )
    }


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("travel"):
        return {}
    return {
        "window": results.notes("travel")["window"],
        "years": html_table(results.table("travel")[YEARS_COLUMNS]),
        "sizes": html_table(results.table("debut_sizes").drop(columns="least")),
    }


def _overall(results: Results) -> "pd.Series[Any]":
    table = results.table("travel")
    return table[table["debuted"] == ALL].iloc[0]


def _findings(results: Results) -> list[Finding]:
    if not results.holds("travel"):
        return []
    row, window = _overall(results), results.notes("travel")["window"]
    return [
        Finding(
            "How far tracks travel",
            f"{percent(row['travelled'])} of {many(int(row['tracks']), 'track')} entered another market within "
            f"{window} days of their debut; {percent(row['at_home'])} debuted in one market.",
            _interval(row, "travelled"),
            "It counts entries of charts of this depth: a song that is heard elsewhere below the chart did not travel "
            "here, and more markets on the charts make more travel.",
            "described",
            figure="travel",
            headline=True,
        )
    ]


def _interval(row: "pd.Series[Any]", name: str) -> str:
    """Return the interval of a share as a sentence, or why there is none."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if pd.isna(low):
        return f"Too few artists for an interval: {cell(row['artists'])} in effect."
    return f"95 % interval, by artist: {percent(low)} to {percent(high)}."


def _lines(results: Results) -> list[str]:
    return [f"travel    {finding.said} {finding.sure}" for finding in _findings(results)]


TRAVEL_STEP = Step(
    name="travel",
    title="How far tracks travel",
    doing="counting how far tracks travel",
    version=1,
    tables={"travel": TRAVEL, "reach": REACH, "debut_sizes": DEBUT_SIZES},
    make=_make,
    needs=("entries",),
    settings=("window",),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
)

"""What is known when: features against charts without their later rows, and columns that come too late."""

from typing import Any, Final

import pandas as pd

from pipelines.contracts.leakage import LEAKAGE, LEAKAGE_COLUMNS
from pipelines.eda.leakage import HORIZON, audited, failed_of, families_of, sample, source_columns
from pipelines.eda.nulls import NAMES, null_tables
from pipelines.features.families import families
from pipelines.formatting import html_table, many
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Gaps, Output, Step

SAID: Final = ("rows", "artists", "artists_of_all", "since", "until")
"""Facts on the sample that the notes keep."""


def _make(study: Study, results: Results) -> Output:
    entries, charts, gaps = results.entries, results.charts(), Gaps()
    notes: dict[str, Any] = {}

    def audit_sample() -> dict[str, pd.DataFrame]:
        part = sample(charts, entries.rules, entries.calendar.last_date, seed=study.seed)
        notes["sample"] = {name: str(value) if name in SAID[3:] else value for name, value in _facts(part).items()}
        return {"leakage": audited(part.history, lambda _: families(HORIZON), seed=study.seed)}

    lacking = null_tables(charts.arrow("nulls"))["null_columns"]
    columns = source_columns(charts.tracks(), entries, lacking, entries.calendar.chart)
    return Output({"leakage_columns": columns} | gaps.take("leakage", audit_sample), notes=notes, not_made=gaps)


def _facts(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in SAID}


def _section(results: Results) -> dict[str, Any]:
    columns = results.table("leakage_columns")
    named = columns["column"].map(lambda name: NAMES.get(name, name.replace("_", " ")))
    content: dict[str, Any] = {
        "columns": html_table(columns.assign(column=named)),
        "families": None,
    }
    if results.holds("leakage"):
        table = results.table("leakage")
        failed = table[table["feature"].isin(failed_of(table))]
        content |= {
            "families": html_table(families_of(table)),
            "failed": html_table(failed[["feature", "family", "verdict", "reason"]]),
            "sample": results.notes("leakage")["sample"],
        }
    return content


def _findings(results: Results) -> list[Finding]:
    if not results.holds("leakage"):
        return []
    table, part = results.table("leakage"), results.notes("leakage")["sample"]
    failed, values = failed_of(table), int(table["values"].max())
    said = f"{len(failed) or 'none'} of {many(len(table), 'feature')} changed with what came later"
    said = f"{said[0].upper()}{said[1:]}"
    named = f": {', '.join(failed[:5])}" if failed else ""
    return [
        Finding(
            "What is known when",
            f"{said}{named}.",
            f"Up to {values:,} values of each were compared with those of charts without, and with other, later rows, "
            f"on {part['rows']:,} rows of {part['artists']:,} of {many(part['artists_of_all'], 'artist')} since "
            f"{part['since']}.",
            "It is a sample; chart-diffusion audit looks at more, also at whether a feature alone tells too well. "
            "Columns of a later snapshot (popularity, albums, licence lists) are never features.",
            "found" if failed else "not found",
        )
    ]


def _lines(results: Results) -> list[str]:
    return [f"leakage   {finding.said} {finding.sure}" for finding in _findings(results)]


def _caveats(results: Results) -> list[str]:
    if not results.holds("leakage"):
        return []
    failed = failed_of(results.table("leakage"))
    return [f"Features that leak, take them out: {', '.join(failed)}."] if failed else []


LEAKAGE_STEP = Step(
    name="leakage",
    title="What is known when",
    doing="auditing features for what they could not have known",
    version=1,
    tables={"leakage": LEAKAGE, "leakage_columns": LEAKAGE_COLUMNS},
    make=_make,
    needs=("entries",),
    settings=("seed",),
    reads_charts=True,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)

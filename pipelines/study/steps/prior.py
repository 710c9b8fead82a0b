"""The numbers of an earlier study of daily charts 2017-2021 beside those of the charts given."""

from typing import Any, Final

import pandas as pd

from pipelines.contracts.prior import PRIOR
from pipelines.eda.prior.comparing import compared
from pipelines.formatting import html_table, many
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Output, Step

COLUMNS: Final = ["number", "fact", "scope", "printed", "ours", "difference", "verdict", "why"]

NOT_COMPUTED: Final = ["number", "fact", "printed", "why"]


def _make(study: Study, results: Results) -> Output:
    found = compared(results.charts())
    return Output({"prior": found.table}, notes={"other": found.other})


def _section(results: Results) -> dict[str, Any]:
    table, other = results.table("prior"), results.notes("prior")["other"]
    return {
        "other": other,
        "differs": html_table(table[(table["verdict"] == "differs") & (not other)][COLUMNS]),
        "not_computed": html_table(table[(table["verdict"] == "not computed") & (not other)][NOT_COMPUTED]),
        "counts": _counts(table),
    }


def _counts(table: pd.DataFrame) -> dict[str, int]:
    counts = table["verdict"].value_counts()
    return {name: int(counts.get(name, 0)) for name in ("equal", "differs", "not computed")}


def _findings(results: Results) -> list[Finding]:
    table, other = results.table("prior"), results.notes("prior")["other"]
    counts = _counts(table)
    computed = counts["equal"] + counts["differs"]
    unexplained = int((table.loc[table["verdict"] == "differs", "why"] == "").sum())
    means = (
        f"These are {other}: no difference says anything of either study."
        if other
        else f"Of the differences {unexplained:,} are not explained by scope or definition."
    )
    return [
        Finding(
            "An earlier study's numbers",
            f"{counts['equal']:,} of {many(computed, 'number')} that could be computed are equal to those of the "
            f"earlier study, {counts['differs']:,} differ; {counts['not computed']:,} more are not computed here.",
            means,
            "Its definitions are kept, also where they mislead: a debut is a first date, whatever was missing before "
            "it, and what was not observed counts as not entered.",
            "described",
        )
    ]


def _lines(results: Results) -> list[str]:
    return [f"prior     {finding.said} {finding.sure}" for finding in _findings(results)]


PRIOR_STEP = Step(
    name="prior",
    title="An earlier study's numbers",
    doing="comparing with the earlier study",
    version=1,
    tables={"prior": PRIOR},
    make=_make,
    needs=("entries",),
    reads_charts=True,
    section=_section,
    findings=_findings,
    lines=_lines,
)

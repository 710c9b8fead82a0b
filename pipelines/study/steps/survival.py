"""Time to breakthrough: shares that have entered, by each grouping of the study."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

import figures
from diffusion import DataSaysNoError, SettingError
from pipelines.folders.manifest import file_facts
from pipelines.formatting import html_table, percent, seen, sentence
from pipelines.own_tables import read_own_table
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from survival import GROUPINGS, Breakthrough, Waits, breakthrough, log_rank, waits
from survival.contracts import CURVES, LOG_RANK, SUMMARY
from survival.curves.grouping import By, name_of

TITLES: Final = {
    "none": "Time to breakthrough",
    "continent": "Time to breakthrough, by continent of the market",
    "language_match": "Time to breakthrough, by language shared with the footprint",
    "footprint_size": "Time to breakthrough, by markets entered on day 0",
}
"""Grouping → title of its figure."""

MEAN: Final = "mean_days_without_an_entry"
"""Name of the restricted mean in the report."""

SUMMARY_COLUMNS: Final = [
    "group", "waits", "entries", "share_entered", "share_entered_low", "share_entered_high", MEAN, f"{MEAN}_low",
    f"{MEAN}_high", "by day",
]  # fmt: skip
"""Columns of the table of the report."""

ALL: Final = "all groups"
"""Name of all groups together, in the table of tests."""


def _sources(study: Study) -> list[dict[str, Any]]:
    if study.groups is None:
        return []
    read_groups(study.groups)
    return file_facts([Path(study.groups)], Path(study.groups).parent)


def read_groups(file: str) -> pd.DataFrame:
    """Return a table of groups from a CSV or Parquet file; an empty cell of a CSV is missing, ``NA`` is not.

    Raises
    ------
    SettingError
        When the file is not there or cannot be read.
    """
    return read_own_table(file, what="groups", section="survival")


def _make(study: Study, results: Results) -> Output:
    source = waits(results.entries, horizon=study.horizon)
    own = None if study.groups is None else read_groups(study.groups)
    groupings = groupings_of(study, own)
    parts = [breakthrough(source, by=by) for by in groupings]
    _refuse_same_names(parts)
    gaps = Gaps()
    tests = [row for part, by in zip(parts, groupings, strict=True) for row in _tests(part, by, source, gaps)]
    curves = pd.concat([part.curves.assign(by=part.by) for part in parts], ignore_index=True)
    summary = pd.concat([part.summary for part in parts], ignore_index=True)
    notes = {
        "caveats": [note for part in parts for note in part.notes()],
        "horizon": source.horizon,
        "own": None if own is None else parts[-1].by,
    }
    tables = {
        "survival": curves,
        "survival_summary": summary,
        "log_rank": pd.DataFrame(tests, columns=LOG_RANK.names),
    }
    return Output(tables, notes=notes, not_made=gaps)


def groupings_of(study: Study, own: pd.DataFrame | None) -> list[By]:
    """Return what curves are grouped by: the groupings of the study, and last the groups of one's own."""
    if own is None:
        return [*study.by]
    named = name_of(own)
    return [*(by for by in study.by if by != named or by in GROUPINGS), own]


def _tests(part: Breakthrough, by: By, source: Waits, gaps: Gaps) -> list[dict[Hashable, Any]]:
    """Return the log-rank tests of a grouping, of all groups and of each two; none where they cannot be had."""
    if part.by == "none":
        return []
    try:
        found = log_rank(source, by)
    except DataSaysNoError as error:
        gaps[f"log_rank by {part.by}"] = str(error)
        return []
    overall = found.overall.assign(group=ALL, other=ALL)
    pairs = found.pairs.assign(by=part.by, df=1) if len(part.summary) > 2 else found.pairs[:0]
    return [*overall.to_dict("records"), *pairs.to_dict("records")]


def _refuse_same_names(parts: list[Breakthrough]) -> None:
    names = [part.by for part in parts]
    if names[-1] in names[:-1]:
        raise SettingError(f"the column of your groups is called '{names[-1]}', as a grouping of the study; rename it")


def _drawings(results: Results) -> dict[str, Drawing]:
    table, notes = results.table("survival"), results.notes("survival")
    horizon, own = notes["horizon"], notes["own"]

    def drawing(by: str, curves: pd.DataFrame) -> Drawing:
        title = TITLES.get(by, f"{TITLES['none']}, by {by}")
        return Drawing(title, lambda: figures.survival_curves(curves.drop(columns="by"), title=title, horizon=horizon))

    groups = {str(by): part for by, part in table.groupby("by", sort=False)}
    return {f"survival_{'groups' if by == own else by}": drawing(by, part) for by, part in groups.items()}


def _section(results: Results) -> dict[str, Any]:
    tests = results.table("log_rank")
    return {
        "horizon": results.notes("survival")["horizon"],
        "summary": html_table(_shown(results.table("survival_summary"))),
        "tests": html_table(_named(seen(tests.loc[tests["group"] == ALL, ["by", "statistic", "df", "clusters", "p"]]))),
    }


def _named(tests: pd.DataFrame) -> pd.DataFrame:
    """Return tests with their groupings as the titles of the figures name them."""
    words = {by: title.rsplit(", by ", 1)[-1] for by, title in TITLES.items()}
    return tests.replace({"by": words})


def _shown(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the summary that the report shows, an estimate and its bounds by one name."""
    means = {f"restricted_mean_{end}": f"{MEAN}_{end}" for end in ("low", "high")} | {"restricted_mean_days": MEAN}
    shares = {f"share_{end}": f"share_entered_{end}" for end in ("low", "high")}
    named = {"events": "entries", "restricted_to": "by day"}
    return summary.rename(columns=means | shares | named)[SUMMARY_COLUMNS]


def _entered(row: Mapping[Hashable, Any]) -> str:
    """Return in words how many waits of a group ended in an entry."""
    return (
        f"{row['events']:,} of {row['waits']:,} waits ended in an entry; {percent(row['share_entered'], places=2)} by "
        f"day {row['restricted_to']}"
    )


def _interval(row: Mapping[Hashable, Any]) -> str:
    """Return the interval of the share that entered as a sentence; empty where there is none."""
    if pd.isna(row["share_low"]):
        return ""
    low, high = (percent(row[f"share_{end}"], places=2) for end in ("low", "high"))
    return f"By day {row['restricted_to']} it is {low} to {high} (95 %, by artist)."


def _findings(results: Results) -> list[Finding]:
    table = results.table("survival_summary")
    overall = [line for line in _caveats(results) if line.startswith("Overall")]
    return [
        Finding(
            "How often does a track reach another market?",
            sentence(_entered(row)),
            _interval(row),
            " ".join(overall),
            "described",
            figure="survival_none",
            headline=True,
        )
        for row in table[table["by"] == "none"].to_dict("records")
    ]


def _lines(results: Results) -> list[str]:
    lines = [
        f"survival  {row['group']}: {_entered(row)}" for row in results.table("survival_summary").to_dict("records")
    ]
    return lines + [f"survival  {note}" for note in results.notes("survival")["caveats"]]


def _caveats(results: Results) -> list[str]:
    return [sentence(note) for note in results.notes("survival")["caveats"]]


SURVIVAL = Step(
    name="survival",
    title="Time to breakthrough",
    doing="following waits",
    version=5,
    tables={
        "survival": CURVES,
        "survival_summary": SUMMARY,
        "log_rank": LOG_RANK,
    },
    make=_make,
    needs=("entries",),
    settings=("by", "horizon"),
    sources=_sources,
    source="groups",
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)

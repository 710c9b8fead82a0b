"""The first step: read charts; choose a cohort; make entries, coverage, tracks, and pairs without licence."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion import Charts, DataSaysNoError, Entries, contracts, market_names, resolve
from diffusion.sources.addresses import find_remote_star, is_address
from diffusion.sources.planning import find_source
from diffusion.sources.reading import ReadingOptions
from diffusion.sources.star import find_star
from pipelines.folders.manifest import file_facts
from pipelines.formatting import date_spans, every, html_table, many, sentence
from pipelines.study.held_charts import charts_path
from pipelines.study.results import Results
from pipelines.study.settings import SECTIONS, Study
from pipelines.study.step import Gaps, Output, Step, Table

MOST_SPANS: Final = 5
"""Spans of dates without any chart that the report names."""

MOST_ROWS: Final = 15
"""Markets with unusual coverage in the table of the report: those with most missing charts."""

MOST_NAMED: Final = 8
"""Markets with shallow charts that a warning names."""

ENTERED_TRACKS: Final = contracts.Contract(
    "entered_tracks",
    "one track with an entry",
    tuple(column for column in contracts.TRACKS.columns if column.name != "track"),
    contracts.ENTRIES.key[:1],
)
"""Contract of a study's table of tracks."""

UPPER: Final = contracts.Contract(
    "upper_entries",
    "one track and market, with the track's first event in the upper half of the charts: for `sensitivity` alone",
    contracts.ENTRIES.columns,
    contracts.ENTRIES.key,
)
"""Contract of a study's entries at ranks up to half the median depth of the charts."""

MOST_NOT_READ: Final = 5
"""Files that are no charts and are named on the screen."""

RULES: Final = ("min_periods", "washout", "identity", "chart")
"""Settings that entries at any rank and those into the upper half have in common."""


def _sources(study: Study) -> list[dict[str, Any]]:
    path = charts_path(study)
    if is_address(path):
        with study.open_engine() as engine:
            return [*find_remote_star(engine, path).facts, *study.cohort.sources()]
    star = find_star(path)
    if star is not None:
        return file_facts(star.files, star.place) + study.cohort.sources()
    source = find_source(path, ReadingOptions(**study.reading))
    return file_facts(source.paths, source.root) + study.cohort.sources()


def _make(study: Study, results: Results) -> Output:
    charts = results.charts()
    whole = whole_entries(charts, study)
    entries = study.cohort.of(whole)
    rules: dict[str, Any] = {name: getattr(study, name) for name in RULES}
    gaps, upper = Gaps(), half_depth(entries)
    entries = _with_groups(entries, study)
    notes = _notes(charts, entries, whole) | _group_notes(entries, study)
    higher = gaps.take(
        UPPER.name,
        lambda: {UPPER.name: _upper(_with_groups(charts.entries(top=upper, **rules), study).table, entries)},
    )
    away = gaps.take("absences", lambda: _absences(charts, study, entries, notes))
    tables: dict[str, Table] = {
        "entries": entries.table,
        "coverage": entries.calendar.coverage,
        "withheld": entries.withheld,
        "tracks": entries.described.sort_by("track_id"),
    }
    return Output(tables | higher | away, notes=notes | {"upper_top": upper}, not_made=gaps)


def whole_entries(charts: Charts, study: Study) -> Entries:
    """Return the entries of all tracks of the charts, also those outside the cohort."""
    return charts.entries(top=study.top, **{name: getattr(study, name) for name in RULES})


def _upper(table: pa.Table, entries: Entries) -> pa.Table:
    """Return the entries into the upper half of the charts that are of the study's tracks."""
    kept = of_tracks(table, entries)
    if not kept.num_rows:
        raise DataSaysNoError("no track of the cohort was in the upper half of the charts")
    return kept


def of_tracks(table: pa.Table, entries: Entries) -> pa.Table:
    """Return the rows of a table whose track has entries."""
    return table.filter(pc.is_in(table["track_id"], entries.table["track_id"].unique()))


def _with_groups(entries: Entries, study: Study) -> Entries:
    """Return the entries with the study's groups of markets in place of their members."""
    return entries.group_markets(study.market_groups) if study.market_groups else entries


def _group_notes(entries: Entries, study: Study) -> dict[str, Any]:
    """Return the groups of markets: codes by name, and the members that the charts do not have."""
    named = {name: {str(resolve(market)) for market in members} for name, members in study.market_groups.items()}
    return {
        "groups": {name: list(members) for name, members in entries.groups.items()},
        "absent": {name: sorted(codes - set(entries.groups[name])) for name, codes in named.items()},
    }


def group_words(notes: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each group of markets, from the notes of this step.

    Examples
    --------
    >>> group_words({"groups": {"Nordics": ["NO", "SE"]}, "absent": {"Nordics": ["IS"]}})
    ['Nordics: Norway, Sweden; not on the charts: Iceland']
    """
    lines = []
    for name, members in notes["groups"].items():
        there, absent = (", ".join(market_names(codes).values()) for codes in (members, notes["absent"][name]))
        lines.append(f"{name}: {there}" + (f"; not on the charts: {absent}" if absent else ""))
    return lines


def _absences(charts: Charts, study: Study, entries: Entries, notes: dict[str, Any]) -> dict[str, Table]:
    """Return the table of absences; the number of periods that makes one is added to the notes."""
    found = charts.absences(identity=study.identity, chart=study.chart)
    notes["absence_periods"] = found.periods
    return {"absences": of_tracks(found.table, entries) if entries.cohort else found.table}


def half_depth(entries: Entries) -> int:
    """Return half the depth of the charts, or of what counts of them: the rank at which their upper half ends."""
    depth = int(entries.calendar.by_market()["depth_median"].median())
    return max(min(depth, entries.rules.top or depth) // 2, 1)


def _notes(charts: Charts, entries: Entries, whole: Entries) -> dict[str, Any]:
    calendar = entries.calendar
    tracks = pc.count_distinct(entries.table["track_id"]).as_py()
    return {
        "layout": charts.source.layout,
        "read_as": list(charts.source.said),
        "not_read": dict(charts.source.passed_over),
        "other_charts": {
            str(row["chart"]): int(row["chart_rows"])
            for row in charts.present.to_dict("records")
            if row["chart"] != calendar.chart
        },
        "rows": asdict(charts.account),
        "wholeness": charts.wholeness.said(),
        "chart": calendar.chart,
        "cadence_days": calendar.cadence,
        "first_date": calendar.first_date.isoformat(),
        "last_date": calendar.last_date.isoformat(),
        "markets": len(calendar.markets),
        "tracks": tracks,
        "cohort": list(entries.cohort),
        "tracks_of_all": pc.count_distinct(whole.table["track_id"]).as_py(),
        "artists_whole": _holds_whole_artists(entries, whole),
        "entries": len(entries),
        "left_censored": int(entries.to_pandas()["left_censored"].sum()),
        "events": str(entries.rules),
    }


def _holds_whole_artists(entries: Entries, whole: Entries) -> bool:
    """Return whether the tracks have all other tracks of their artists beside them."""
    if not entries.cohort:
        return True
    lines = whole.timelines
    chosen = np.isin(lines.track_ids, entries.timelines.track_ids)
    return bool(chosen[np.isin(lines.cluster, lines.cluster[chosen])].all())


def cohort_words(notes: Mapping[str, Any]) -> str:
    """Return what the tracks were chosen by and how many they are, from the notes of this step; empty without a choice.

    Examples
    --------
    >>> cohort_words({"cohort": ["artist: Robyn"], "tracks": 14, "tracks_of_all": 55210})
    'artist: Robyn; 14 of 55,210 tracks'
    """
    if not notes["cohort"]:
        return ""
    return "; ".join([*notes["cohort"], f"{notes['tracks']:,} of {many(notes['tracks_of_all'], 'track')}"])


def _lines(results: Results) -> list[str]:
    notes = results.notes("entries")
    rows = notes["rows"]
    aside = ", ".join(f"{count:,} {reason}" for reason, count in rows["set_aside"].items()) or "none"
    tied = f"; tied: {rows['tied']:,}" if rows["tied"] else ""
    lines = [
        f"read      {rows['read']:,} rows ({notes['layout']}): {rows['kept']:,} kept, "
        f"{rows['duplicates']:,} duplicates, {rows['aggregate']:,} of Global; set aside: {aside}{tied}",
        f"chart     {notes['chart']}, every {every(notes['cadence_days'])}, {notes['first_date']} to "
        f"{notes['last_date']}: {notes['markets']} markets, {notes['tracks']:,} tracks",
        f"entries   {notes['entries']:,}, of which {notes['left_censored']:,} left-censored ({notes['events']})",
    ]
    lines[2:2] = [
        *(f"cohort    {words}" for words in [cohort_words(notes)] if words),
        *(f"group     {line}" for line in group_words(notes)),
    ]
    lines[1:1] = [f"read as   {line}" for line in notes["read_as"]]
    lines += [f"not read  {line}" for line in _not_read(notes["not_read"])]
    if notes["other_charts"]:
        others = ", ".join(f"{chart} ({count:,} rows)" for chart, count in notes["other_charts"].items())
        lines.append(f"not used  other charts of the source: {others}; --chart chooses")
    return [*lines, *(f"note      {sentence}" for sentence in notes["wholeness"])]


def _not_read(passed_over: Mapping[str, str]) -> list[str]:
    """Return a line for each of the first files that are no charts, and one for the others."""
    lines = [f"'{name}' {why}" for name, why in passed_over.items()]
    return lines[:MOST_NOT_READ] + [f"and {len(lines) - MOST_NOT_READ:,} more"] * (len(lines) > MOST_NOT_READ)


def _section(results: Results) -> dict[str, Any]:
    entries, notes = results.entries, results.notes("entries")
    coverage = _unusual_coverage(entries)
    return {
        "reading": notes,
        "cohort": cohort_words(notes),
        "groups": group_words(notes),
        "rules": str(entries.rules),
        "coverage": html_table(coverage.head(MOST_ROWS)),
        "more_coverage": max(len(coverage) - MOST_ROWS, 0),
        "every": every(notes["cadence_days"]),
        "usual": entries.calendar.by_market()[["dates", "depth_median", "missing"]].median(),
        "unseen": date_spans(entries.calendar.unseen_dates(), every=notes["cadence_days"], most=MOST_SPANS),
    }


def _unusual_coverage(entries: Entries) -> pd.DataFrame:
    """Return the markets whose coverage differs from most: late, ended early, with gaps, shallow or stale.

    Those with most missing charts come first.
    """
    table = entries.calendar.by_market()
    like_most: pd.Series[bool] = (
        (table["first_date"] == table["first_date"].mode().iloc[0])
        & (table["last_date"] == table["last_date"].mode().iloc[0])
        & (table["missing"] == table["missing"].mode().iloc[0])
        & (table["depth_least"] >= 0.9 * table["depth_median"].median())
        & (table["spans"] == 1)
        & (table["stale"] == 0)
    )
    shown: pd.DataFrame = table[~like_most].drop(columns="market")
    return shown.sort_values("missing", ascending=False, kind="stable")


def _caveats(results: Results) -> list[str]:
    entries = results.entries
    coverage = entries.calendar.by_market()
    debuts = entries.debuts()
    lines = [
        *(sentence(said) for said in results.notes("entries")["wholeness"]),
        f"{int(debuts['left_censored'].sum()):,} of {len(debuts):,} tracks were first seen within a washout; "
        "they are left out of transitions and curves.",
    ]
    gaps = coverage[coverage["missing"] > 0]
    if len(gaps):
        lines.append(
            f"Charts are missing in {len(gaps)} of {len(coverage)} markets, {int(gaps['missing'].max())} at most; "
            "two entries within one gap are a tie."
        )
    if coverage["stale"].any():
        lines.append(
            f"{int(coverage['stale'].sum())} charts equal the one before, including ranks; they were kept as observed."
        )
    shallow = coverage[coverage["depth_least"] < 0.9 * coverage["depth_median"].median()]
    if len(shallow):
        names = ", ".join(shallow["name"].head(MOST_NAMED))
        more = f" and {many(len(shallow) - MOST_NAMED, 'more market')}" if len(shallow) > MOST_NAMED else ""
        lines.append(f"Some charts are shallower in {names}{more}: an entry there needs a better rank.")
    return lines


ENTRIES = Step(
    name="entries",
    title="What was read",
    doing="reading charts",
    version=7,
    tables={
        "entries": contracts.ENTRIES,
        "coverage": contracts.COVERAGE,
        "withheld": contracts.WITHHELD,
        "tracks": ENTERED_TRACKS,
        "absences": contracts.ABSENCES,
        "upper_entries": UPPER,
    },
    make=_make,
    settings=(
        *(key for section in ("charts", "events") for key in SECTIONS[section] if key != "path"),
        "cohort",
        "market_groups",
    ),
    sources=_sources,
    source="path",
    reads_charts=True,
    section=_section,
    lines=_lines,
    caveats=_caveats,
)

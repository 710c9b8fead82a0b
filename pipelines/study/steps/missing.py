"""What charts lack by market: missing dates, launches, drop-outs, ends, stale and shallow charts, missing values."""

from typing import Any, Final

import pandas as pd

import figures
from diffusion import market_names
from pipelines.contracts.missing import (
    COVERAGE_BY_MARKET,
    COVERAGE_EVENTS,
    MISSING_DATES,
    MISSING_EFFECTS,
    NULL_CELLS,
    NULL_COLUMNS,
)
from pipelines.eda.missing import ALL, calendar_tables, missing_tables
from pipelines.eda.nulls import NAMES, null_tables
from pipelines.formatting import html_table, many, percent
from pipelines.stages.inspection import calendar_cells
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Output, Step

MOST_ROWS: Final = 15
"""Rows of a table in the report."""

UNUSUAL: Final = [
    "name", "first_date", "last_date", "dates", "before", "between", "after", "drop_outs", "stale", "shallow",
    "loose", "gap_ties", "followed_whole",
]  # fmt: skip
"""Columns of the table of markets in the report."""


def _make(study: Study, results: Results) -> Output:
    tables = missing_tables(results.entries, horizon=study.horizon)
    tables |= null_tables(results.charts().arrow("nulls"))
    return Output(tables, notes={"horizon": study.horizon, "cadence_days": results.entries.calendar.cadence})


def _drawings(results: Results) -> dict[str, Drawing]:
    return {
        "coverage_calendar": Drawing(
            "Charts by market and date: how deep they are, and where there is none.", lambda: _calendar(results)
        ),
        "nulls": Drawing(
            "Share of rows without a value, by column, chart and year.",
            lambda: figures.null_chart(results.table("nulls").replace({"column": NAMES})),
        ),
    }


def _calendar(results: Results) -> figures.Figure:
    whole, depths = calendar_tables(results.entries.calendar)
    cells, days = calendar_cells(whole, depths)
    events = results.table("coverage_events")
    return figures.chart_calendar(cells, days=days, deepest=int(depths["deepest_rank"].max()), events=events)


def _section(results: Results) -> dict[str, Any]:
    dates, events = results.table("missing_dates"), results.table("coverage_events")
    none = dates[dates["market"] == ALL]
    shown = none.nlargest(MOST_ROWS, "dates", keep="first").sort_values("first_date")
    markets, effects = _unusual(results.table("coverage_by_market")), results.table("missing_effects")
    columns = results.table("null_columns")
    named = events.assign(market=events["market"].map(market_names(events["market"])))
    named = named[named["event"].isin(["launch", "drop-out", "end"])].drop(columns="depth")
    return {
        "horizon": results.notes("missing")["horizon"],
        "none": {"stretches": len(none), "dates": int(none["dates"].sum())},
        "spans": html_table(shown[["first_date", "last_date", "dates"]]),
        "events": html_table(named.nlargest(MOST_ROWS, "dates", keep="first")),
        "all_events": len(named),
        "markets": html_table(markets.head(MOST_ROWS)[UNUSUAL]),
        "all_markets": len(markets),
        "effects": html_table(effects),
        "columns": html_table(_in_words(columns)),
    }


def _unusual(table: pd.DataFrame) -> pd.DataFrame:
    """Return the markets that lack more than most do, those with the most missing, stale or shallow charts first."""
    counts = table[["before", "between", "after", "stale", "shallow"]]
    beyond = (counts - counts.median()).clip(lower=0).sum(axis=1)
    return table[beyond > 0].loc[beyond[beyond > 0].sort_values(ascending=False, kind="stable").index]


def _in_words(columns: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of which some values are missing, with what the contract gives as codes in words."""
    lacking = columns[columns["missing"] > 0]
    return pd.DataFrame(
        {
            "chart": lacking["chart"],
            "column": lacking["column"].map(_column_name),
            "missing": lacking["missing"],
            "structural": lacking["structural_share"],
            "real": lacking["real_share"],
            "most_real": [_most(row) for row in lacking.to_dict("records")],
        }
    )


def _column_name(name: str) -> str:
    return NAMES.get(name, name.replace("_", " "))


def _most(row: dict[Any, Any]) -> str:
    """Return where most is really missing, in words."""
    if pd.isna(row["most_share"]):
        return ""
    market = str(row["most_market"])
    return f"{percent(row['most_share'])} in {market_names([market])[market]}, {row['most_year']}"


def _findings(results: Results) -> list[Finding]:
    return [_coverage_finding(results), _null_finding(results)]


def _coverage_finding(results: Results) -> Finding:
    markets, dates = results.table("coverage_by_market"), results.table("missing_dates")
    events = results.table("coverage_events")["event"].value_counts()
    none = dates[dates["market"] == ALL]
    missing = int(markets[["before", "between", "after"]].to_numpy().sum())
    due = missing + int(markets["dates"].sum())
    effects = results.table("missing_effects").set_index("effect")
    ties = int(effects["count"]["ties by a missing chart"])
    nowhere = "on every date due some market has one"
    if len(none):
        stretches = many(len(none), "stretch").replace("stretchs", "stretches")
        nowhere = f"no market has one on {many(int(none['dates'].sum()), 'date')} in {stretches}"
    counted = [many(int(events.get(event, 0)), event) for event in ("launch", "drop-out", "end")]
    return Finding(
        "Dates without charts",
        f"{percent(missing / due)} of {due:,} charts that were due are missing: {nowhere}, and there are "
        f"{', '.join(counted).replace('launchs', 'launches')} of markets.",
        "",
        f"A missing chart is not an empty one: {percent(_share(effects, 'entries loosely dated'))} of entries fell "
        f"somewhere in a gap, {many(ties, 'pair')} of entries tied "
        "only because of one, and follow-up ends where a market's charts do.",
        "described",
        figure="coverage_calendar",
    )


def _share(effects: pd.DataFrame, name: str) -> float:
    share = float(effects["share"].astype("float64")[name])
    return 0.0 if pd.isna(share) else share


def _null_finding(results: Results) -> Finding:
    columns = results.table("null_columns")
    never = columns[columns["structural"] == columns["chart_rows"]]
    real = columns[columns["real"] > 0].nlargest(1, "real_share")
    absent = [
        f"the chart {chart} never shows {', '.join(map(_column_name, own['column']))}"
        for chart, own in never.groupby("chart", sort=True)
    ]
    lacking = [
        f"{_column_name(row['column'])} is missing in {percent(row['real_share'])} of the rows of {row['chart']}, "
        f"though other rows of the same market and date have it, most in {_most(row).split(' in ', 1)[1]}"
        for row in real.to_dict("records")
    ] or ["no value is missing where others of the same chart, market and date are there"]
    said = "; ".join([*absent, *lacking])
    return Finding(
        "Missing values",
        f"{said[0].upper()}{said[1:]}.",
        "",
        "What a chart never shows is missing by its making and says nothing of its tracks; what some rows lack may "
        "depend on the track.",
        "described",
        figure="nulls",
    )


def _lines(results: Results) -> list[str]:
    return [f"missing   {finding.said}" for finding in _findings(results)]


MISSING = Step(
    name="missing",
    title="What the charts lack",
    doing="finding what the charts lack",
    version=1,
    tables={
        "missing_dates": MISSING_DATES,
        "coverage_events": COVERAGE_EVENTS,
        "coverage_by_market": COVERAGE_BY_MARKET,
        "missing_effects": MISSING_EFFECTS,
        "nulls": NULL_CELLS,
        "null_columns": NULL_COLUMNS,
    },
    make=_make,
    needs=("entries",),
    settings=("horizon",),
    reads_charts=True,
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
)

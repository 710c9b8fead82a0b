"""How tracks go through charts: rise and fall, how long they stay, and whether they come back."""

from typing import Any, Final

import pandas as pd

import figures
from diffusion import contracts
from diffusion.conventions import ABSENCE, FDR, HORIZON
from pipelines.contracts.trajectories import (
    COMEBACKS,
    PERSISTENCE,
    PERSISTENCE_SUMMARY,
    RETURNS_BY_MONTH,
    TRAJECTORY_PROFILES,
    TRAJECTORY_SHARES,
    TRAJECTORY_TESTS,
)
from pipelines.eda.trajectories import DIRECTION, GROUPS, LONG, SHAPES, STAYS, profile_bands, trajectory_tables
from pipelines.formatting import cell, every, html_table, many, percent, seen
from pipelines.study.findings import Finding, Verdict
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from pipelines.study.steps.entries import of_tracks

LEAST_CHARTS: Final = 8
"""Least number of charts that trajectories are followed for, where charts are not daily."""

LATE_MONTHS: Final = (11, 12)
"""Months in which Christmas songs come back."""


def _make(study: Study, results: Results) -> Output:
    entries, charts, gaps = results.entries, results.charts(), Gaps()
    cadence = entries.calendar.cadence
    rules: dict[str, Any] = {name: getattr(study, name) for name in ("top", "washout", "identity", "chart")}
    span = max(ABSENCE // cadence, LEAST_CHARTS)
    found = of_tracks(charts.arrow("trajectories", **rules), entries)
    most = {"charts": max(HORIZON // cadence, 1), "days": HORIZON}
    tables = gaps.take("trajectory_shares", lambda: trajectory_tables(entries, found, **most))
    if tables and entries.cohort:
        gaps["trajectory_profiles"] = "they are of all tracks of the charts, not of a cohort"
    elif tables:
        tables["trajectory_profiles"] = profile_bands(charts.profiles(span, **rules))
    if tables and "comebacks" not in tables:
        gaps["comebacks"] = "no first stay on a chart ended"
    one_chart = found["one_chart"].to_numpy(zero_copy_only=False)
    notes = {
        "span": span,
        "cadence": cadence,
        "depth": int(entries.calendar.by_market()["depth_median"].median()),
        "trajectories": len(one_chart),
        "one_chart": int(one_chart.sum()),
        **most,
    }
    return Output({"trajectories": found, **tables}, notes=notes, not_made=gaps)


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("trajectory_shares"):
        return {}
    notes = results.notes("trajectories")
    drawings = {
        "persistence": Drawing(
            "Share of first stays that last longer than so many charts, and share of tracks that came back, by day.",
            lambda: figures.persistence_chart(
                results.table("persistence"),
                results.table("comebacks") if results.holds("comebacks") else None,
                every=every(notes["cadence"]),
            ),
        )
    }
    if results.holds("trajectory_profiles"):
        drawings["trajectory_profiles"] = Drawing(
            "Ranks of trajectories chart by chart, after the entry and around the best rank: median and quantiles, and "
            "the share on the chart.",
            lambda: figures.trajectory_profiles(
                results.table("trajectory_profiles"), depth=notes["depth"], every=every(notes["cadence"])
            ),
        )
    return drawings


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("trajectory_shares"):
        return {}
    shares = results.table("trajectory_shares")
    kept = shares[["what", "name", "group", "trajectories", "share", "low", "high"]]
    months = results.table("returns_by_month")
    return {
        "notes": results.notes("trajectories"),
        "every": every(results.notes("trajectories")["cadence"]),
        "stays": html_table(results.table("persistence_summary").drop(columns="artists")),
        "tests": html_table(seen(results.table("trajectory_tests"))),
        "shapes": html_table(kept[kept["what"] == "shape"].drop(columns="what").rename(columns={"name": "shape"})),
        "again": html_table(kept[kept["what"] != "shape"]),
        "months": html_table(months[["month", "share", "low", "high"]]) if len(months) else None,
        "returns": int(months["returns"].max()) if len(months) else 0,
        "long": LONG,
    }


def _shares(results: Results, what: str, name: str) -> "pd.Series[Any] | None":
    """Return a share of all trajectories; None where it could not be had."""
    table = results.table("trajectory_shares")
    row = table[(table["what"] == what) & (table["name"] == name) & (table["group"] == GROUPS[0])]
    return row.iloc[0] if len(row) else None


def _bounds(low: Any, high: Any, form: Any = cell) -> str:
    """Return an interval in words, or why there is none."""
    if pd.isna(low):
        return "without an interval"
    return f"{form(low)} or more" if pd.isna(high) else f"{form(low)} to {form(high)}"


def _findings(results: Results) -> list[Finding]:
    if not results.holds("trajectory_shares"):
        return []
    tests = {row["test"]: row for _, row in results.table("trajectory_tests").iterrows()}
    found = [_stay_finding(results)]
    if DIRECTION in tests:
        found.append(_direction_finding(results, tests[DIRECTION]))
    if STAYS in tests:
        found.append(_difference_finding(results, tests[STAYS]))
    return found


def _stay_finding(results: Results) -> Finding:
    row = results.table("persistence_summary").iloc[0]
    alone, back = _shares(results, "shape", SHAPES[0]), _shares(results, "back", "within 28 days")
    half = "Half of first stays or more outlast the charts that they were followed for"
    if pd.notna(row["median"]):
        half = f"Half of first stays on a market's chart last {many(row['median'], 'chart')} or less"
    parts, sure = [half], [f"median in charts {_bounds(row['median_low'], row['median_high'])}"]
    if alone is not None:
        parts.append(f"{percent(alone['share'])} of tracks that left a market were on one chart of it alone")
        sure.append(f"one chart alone {_bounds(alone['low'], alone['high'], percent)}")
    if back is not None:
        parts.append(f"{percent(back['share'])} came back within 28 days of the end of the first stay")
        sure.append(f"back {_bounds(back['low'], back['high'], percent)}")
    return Finding(
        "How long tracks stay",
        f"{'; '.join(parts)}.",
        f"95 % intervals, by artist: {'; '.join(sure)}.",
        f"A track below the last place of the chart counts as gone.{_late(results)}",
        "described",
        figure="persistence",
    )


def _late(results: Results) -> str:
    """Return how many of the late returns fall in the months of Christmas songs; empty without late returns."""
    months = results.table("returns_by_month")
    if months.empty:
        return ""
    late = months.loc[months["month"].isin(LATE_MONTHS), "share"].sum()
    return (
        f" Catalogue tracks return too: of {months['returns'].max():,} returns after {LONG} days or more, "
        f"{percent(late)} fell in November or December, when Christmas songs do."
    )


def _direction_finding(results: Results, test: "pd.Series[Any]") -> Finding:
    first = _shares(results, "shape", SHAPES[1])
    faster = "faster than they fall" if test["value"] > 0 else "more slowly than they fall"
    said = f"Tracks rise on a market's chart {faster}"
    if test["q"] > FDR:
        said = "Tracks are not shown to rise on a market's chart faster, or more slowly, than they fall"
    elif first is not None and test["value"] > 0:
        said += f"; {percent(first['share'])} are at their best on the first chart and never again"
    return Finding(
        "Rise and fall",
        f"{said}.",
        f"Share with the shorter rise less share with the shorter fall: {test['value']:+.3f} "
        f"({test['low']:+.3f} to {test['high']:+.3f}, 95 % by artist; q {cell(test['q'])}); without a direction in "
        "time it is 0.",
        "The way below the last place of the chart, before the entry and after the exit, is not seen.",
        _verdict(test),
        figure="trajectory_profiles" if results.holds("trajectory_profiles") else "",
    )


def _difference_finding(results: Results, test: "pd.Series[Any]") -> Finding:
    more = "longer" if test["value"] > 0 else "shorter"
    said = f"First stays are {more} in the markets of a track's debut than in those that it enters later"
    if test["q"] > FDR:
        said = "First stays in the markets of a track's debut are not shown to be longer or shorter than in later ones"
    return Finding(
        "Stays at home and abroad",
        f"{said}.",
        f"Mean charts of the first stay, debut less later: {test['value']:+.2g} ({test['low']:+.2g} to "
        f"{test['high']:+.2g}, 95 % by artist; q {cell(test['q'])}).",
        "Tracks that enter further markets are other tracks than those that never do; markets differ in depth.",
        _verdict(test),
        figure="persistence",
    )


def _verdict(test: "pd.Series[Any]") -> Verdict:
    return "found" if test["q"] <= FDR else "not found"


def _lines(results: Results) -> list[str]:
    return [f"stays     {finding.said} {finding.sure}" for finding in _findings(results)]


TRAJECTORIES_STEP = Step(
    name="trajectories",
    title="How tracks rise, stay and come back",
    doing="following tracks through the charts",
    version=1,
    tables={
        "trajectories": contracts.TRAJECTORIES,
        "trajectory_profiles": TRAJECTORY_PROFILES,
        "persistence": PERSISTENCE,
        "persistence_summary": PERSISTENCE_SUMMARY,
        "comebacks": COMEBACKS,
        "trajectory_shares": TRAJECTORY_SHARES,
        "trajectory_tests": TRAJECTORY_TESTS,
        "returns_by_month": RETURNS_BY_MONTH,
    },
    make=_make,
    needs=("entries",),
    reads_charts=True,
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
)

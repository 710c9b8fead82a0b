"""Streams and audio features: how they are distributed, and what goes with streams."""

from typing import Any, Final

import pandas as pd

import figures
from diffusion.conventions import FDR
from pipelines.contracts.distributions import (
    AUDIO_SUMMARY,
    AUDIO_VIF,
    RANK_SLOPE,
    STREAM_CORRELATIONS,
    STREAMS_HISTOGRAM,
    STREAMS_MARKETS,
    STREAMS_SUMMARY,
)
from pipelines.eda.correlations import ABOVE, correlations, rank_slope
from pipelines.eda.distributions import Rows, audio_tables, stream_tables
from pipelines.formatting import cell, html_table, seen
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step

SUMMARY_COLUMNS: Final = ["scale", "chart_rows", "mean", "sd", "skewness", "q10", "median", "q90", "q99", "most"]
"""Columns of the table of streams in the report."""

RANKS: Final = ("rank", "log rank")
"""Variables that are made of the streams: a chart is ordered by them."""


def _make(study: Study, results: Results) -> Output:
    charts, gaps = results.charts(), Gaps()
    streams = charts.streams(study.chart)
    rows = Rows.of(charts, streams)
    tables = gaps.take("streams_summary", lambda: stream_tables(streams))
    if tables:
        tables["stream_correlations"] = correlations(rows)
        tables |= gaps.take("rank_slope", lambda: {"rank_slope": rank_slope(rows)})
    tables |= gaps.take("audio_summary", lambda: audio_tables(rows))
    notes = {name: int(rows.sums[name].sum()) for name in ("chart_rows", "streamed_rows")}
    return Output(tables, notes=notes, not_made=gaps)


def _drawings(results: Results) -> dict[str, Drawing]:
    drawings = {}
    if results.holds("streams_summary"):
        drawings["streams"] = Drawing(
            "Histogram of log10 streams, and correlations of rank and of variables of tracks with log streams.",
            lambda: figures.streams_chart(
                *(results.table(name) for name in ("streams_histogram", "streams_summary", "stream_correlations"))
            ),
        )
    if results.holds("audio_summary"):
        drawings["audio"] = Drawing(
            "Middle half and median of each audio feature, per row and per track, and variance inflation factors.",
            lambda: figures.audio_chart(results.table("audio_summary"), results.table("audio_vif")),
        )
    return drawings


def _section(results: Results) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: html_table(results.table(name)) if results.holds(name) else None for name in DISTRIBUTIONS.tables
    }
    if not any(found.values()):
        return {}
    if results.holds("streams_summary"):
        table = seen(results.table("stream_correlations"))
        within = table[table["scope"] == ABOVE].drop(columns="scope")
        found["stream_correlations"] = html_table(within.assign(q=within["q"].clip(lower=within["p"])))
        found["streams_summary"] = html_table(results.table("streams_summary")[SUMMARY_COLUMNS])
    if results.holds("audio_summary"):
        summary = results.table("audio_summary")
        found["audio_summary"] = html_table(summary[summary["per"] == "track"].drop(columns="per"))
    return found | {"notes": results.notes("distributions")}


def _findings(results: Results) -> list[Finding]:
    found = []
    if results.holds("streams_summary"):
        found += [_stream_finding(results), *_variable_findings(results)]
    if results.holds("audio_vif") and len(results.table("audio_vif")):
        found.append(_vif_finding(results))
    return found


def _stream_finding(results: Results) -> Finding:
    plain, logs = (
        results.table("streams_summary").set_index("scale").loc[name] for name in ("streams", "log10 streams")
    )
    falls = ""
    if results.holds("rank_slope"):
        row = results.table("rank_slope").iloc[0]
        bounds = "" if pd.isna(row["low"]) else f" ({row['low']:.3f} to {row['high']:.3f}, 95 % by artist)"
        falls = f"Slope of log streams on log rank within a chart: {row['slope']:.3f}{bounds}."
    return Finding(
        "Streams",
        f"Half of {int(plain['chart_rows']):,} rows have {plain['median']:,.0f} streams or fewer, one in a hundred "
        f"over {plain['q99']:,.0f}; logarithms bring the skewness from {cell(float(plain['skewness']))} to "
        f"{cell(float(logs['skewness']))}.",
        falls,
        "Charts show only what is streamed enough to be on them, so the distribution is cut off below.",
        "described",
        figure="streams",
    )


def _variable_findings(results: Results) -> list[Finding]:
    """Return what is found of the variables of tracks; none where none is known or there are too few artists."""
    table = results.table("stream_correlations")
    own = table[(table["scope"] == ABOVE) & ~table["variable"].isin(RANKS)].dropna(subset=["q"])
    if own.empty:
        return []
    passed = own[own["q"] <= FDR]
    named = own if passed.empty else passed
    largest = named.loc[named["correlation"].abs().idxmax()]
    words = f"{len(passed)} of {len(own)} variables of tracks {_go(passed)} with streams within a chart"
    if passed.empty:
        words = f"None of {len(own)} variables of tracks was found to go with streams within a chart"
    return [
        Finding(
            "What goes with streams",
            f"{words}; the largest correlation is that of {largest['variable']}, {largest['correlation']:+.3f}.",
            f"It lies between {largest['low']:+.3f} and {largest['high']:+.3f} (95 % by artist), q "
            f"{cell(float(largest['q']))}; q ≤ {FDR} counts as found.",
            "Only tracks that made the charts are compared; what brings a track onto them cannot be seen. A "
            "correlation of .1 accounts for 1 % of the variance.",
            "not found" if passed.empty else "found",
            figure="streams",
        )
    ]


def _go(passed: pd.DataFrame) -> str:
    return "goes" if len(passed) == 1 else "go"


def _vif_finding(results: Results) -> Finding:
    table = results.table("audio_vif")
    most = table.loc[table["vif"].idxmax()]
    return Finding(
        "Overlap of audio features",
        f"The largest variance inflation factor of an audio feature is {most['vif']:.2f}, of {most['feature']} "
        f"({most['tracks']:,} tracks, with an intercept).",
        "",
        f"Without an intercept the factors go up to {table['vif_uncentred'].max():.1f}, which only says that the means "
        "of features are far from 0.",
        "described",
        figure="audio",
    )


def _lines(results: Results) -> list[str]:
    return [f"streams   {finding.said} {finding.sure}".rstrip() for finding in _findings(results)]


DISTRIBUTIONS = Step(
    name="distributions",
    title="Streams and audio features",
    doing="adding up streams",
    version=1,
    tables={
        "streams_summary": STREAMS_SUMMARY,
        "streams_histogram": STREAMS_HISTOGRAM,
        "streams_markets": STREAMS_MARKETS,
        "stream_correlations": STREAM_CORRELATIONS,
        "rank_slope": RANK_SLOPE,
        "audio_summary": AUDIO_SUMMARY,
        "audio_vif": AUDIO_VIF,
    },
    make=_make,
    needs=("entries",),
    reads_charts=True,
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
)

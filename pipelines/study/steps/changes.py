"""What changed since the last run of the study on the same charts, before they grew."""

from typing import Any, Final

import pandas as pd

import figures
from diffusion import market_names
from diffusion.comparable import check_alike
from diffusion.conventions import FDR
from graphs.leaders.asymmetry import MEASURE
from pipelines.contracts.changes import CHANGED_EDGES, CHANGED_LEADERS, CHANGED_MARKETS
from pipelines.formatting import cell, html_table, many, percent, records, sentence
from pipelines.study.changed import DESCRIBED, changed_edges, changed_leaders, changed_markets, counts
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from pipelines.study.waiting import of_these_data

MOST_ROWS: Final = 15
"""Most rows of a table in the report."""

MOST_NAMED: Final = 5
"""Most pairs or markets named in a line."""

UNCHANGED: Final = (
    "That a rate does not differ does not say that it stayed; that it differs says nothing of its reason, which may be "
    "a season or deeper charts."
)
"""What the test does not say."""

EDGE_COLUMNS: Final = [
    "source", "target", "exposed_before", "rate_before", "exposed_now", "rate_now", "difference", "low", "high", "q",
]  # fmt: skip


LEADER_COLUMNS: Final = [
    "market", "score_before", "low_before", "high_before", "score_now", "low_now", "high_now",
]  # fmt: skip


def _make(study: Study, results: Results) -> Output:
    before, gaps = results.before, Gaps()
    if before is None:
        return Output({})
    tables = gaps.take("changes", lambda: of_these_data(lambda: _changes(before, results)))
    return Output(tables, notes=counts(before.entries, results.entries) if tables else {}, not_made=gaps)


def _changes(before: Results, results: Results) -> dict[str, pd.DataFrame]:
    old, new = before.entries, results.entries
    check_alike(old, new)
    return {
        "changed_markets": changed_markets(old, new),
        "changed_edges": changed_edges(old, new, window=int(results.notes("graph")["window"])),
        "changed_leaders": changed_leaders(before.table("leaders"), results.table("leaders")),
    }


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("changed_edges"):
        return {}
    edges = results.table("changed_edges")
    sides = {
        f"{name}_{when}": f"{name}_{side}"
        for when, side in (("now", "a"), ("before", "b"))
        for name in ("rate", "low", "high")
    }
    notes = results.notes("changes")
    before, now = (f"charts to {notes[f'last_date_{when}']}" for when in ("before", "now"))
    return {
        "changed_rates": Drawing(
            "Rates of the pairs now against those of the last run, and the pairs whose rate differs.",
            lambda: figures.compared_rates(edges.rename(columns=sides), a=now, b=before),
        )
    }


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("changed_edges"):
        return {}
    edges, markets = _differing(results), results.table("changed_markets").sort_values("entries_new", ascending=False)
    moved = _moved(results.table("changed_leaders")).head(MOST_ROWS)[LEADER_COLUMNS]
    shown = edges.head(MOST_ROWS)[EDGE_COLUMNS]
    names = market_names(markets["market"])
    return {
        "said": [sentence(line) for line in (_grown(results), *_moves(results))],
        "unchanged": UNCHANGED,
        "markets": html_table(_named(markets.head(MOST_ROWS), names, "market")),
        "more_markets": max(len(markets) - MOST_ROWS, 0),
        "edges": html_table(_named(shown, names, "source", "target")),
        "leaders": html_table(_named(moved, names, "market")),
        "window": results.notes("graph")["window"],
    }


def _named(table: pd.DataFrame, names: dict[str, str], *columns: str) -> pd.DataFrame:
    return table.assign(**{column: table[column].map(names) for column in columns})


def _differing(results: Results) -> pd.DataFrame:
    """Return the pairs whose rate differs from that before, the smallest q first."""
    edges = results.table("changed_edges")
    differ: pd.DataFrame = edges[edges["q"] <= FDR].sort_values(["q", "p", "source", "target"])
    return differ


def _moved(leaders: pd.DataFrame) -> pd.DataFrame:
    """Return the markets whose share sent moved beyond its interval."""
    moved: pd.DataFrame = leaders[leaders["moved"].isin([True])]  # it may be missing
    return moved


def _grown(results: Results) -> str:
    """Return what the charts gained when they last grew."""
    notes, markets = results.notes("changes"), results.table("changed_markets")
    gained, gone, redated = (int(markets[f"entries_{what}"].sum()) for what in ("new", "gone", "redated"))
    said = (
        f"before they last grew, the charts were of {notes['first_date_before']} to {notes['last_date_before']}, now "
        f"they are of {notes['first_date_now']} to {notes['last_date_now']}: {many(notes['tracks_new'], 'new track')}, "
        f"{gained:,} new entries"
    )
    for what, lacking in (("new", "last_date_before"), ("gone", "last_date_now")):
        own = markets.loc[markets[lacking].isna(), "market"]
        if len(own):
            said += f"; {what} markets, which are not compared: {', '.join(market_names(own).values())}"
    if gone or redated or notes["tracks_gone"]:
        said += (
            f"; of what was there, {many(notes['tracks_gone'], 'track')} and {gone:,} entries are gone, and "
            f"{redated:,} entries have another date"
        )
    return said


def _moves(results: Results) -> list[str]:
    """Return in sentences which rates and leaders moved."""
    leaders = results.table("changed_leaders")
    return [f"{_rates(results)}; {_rates_moved(results)}, which describes", _leads(leaders), _shares(leaders)]


def _rates(results: Results) -> str:
    """Return in words which rates differ from those before."""
    tested, differ = int(results.table("changed_edges")["q"].notna().sum()), _differing(results)
    if tested:
        rates = (
            f"of {many(tested, 'pair')} that can be tested, {len(differ):,} {'has' if len(differ) == 1 else 'have'} "
            "another rate than before at q ≤ .05"
        )
    else:
        rates = "no rate can be tested against that before: too few new tracks or artists"
    named = [
        f"{row['source']}→{row['target']} {percent(row['rate_before'])} before, {percent(row['rate_now'])} now"
        for row in differ.head(MOST_NAMED).to_dict("records")
    ]
    return f"{rates}: {'; '.join(named)}" if named else rates


def _rates_moved(results: Results) -> str:
    """Return in words how many rates moved beyond their intervals."""
    edges = results.table("changed_edges")
    return f"{int(edges['moved'].sum()):,} of {len(edges):,} rates moved beyond their intervals"


def _findings(results: Results) -> list[Finding]:
    if not results.holds("changed_edges"):
        return []
    return [
        Finding(
            "Did rates change as the charts grew?",
            sentence(_rates(results)),
            f"{sentence(_rates_moved(results))} That describes: few would if nothing changed.",
            UNCHANGED,
            "found" if len(_differing(results)) else "not found",
            figure="changed_rates",
            headline=True,
        )
    ]


def _leads(leaders: pd.DataFrame) -> str:
    """Return which markets are newly said to lead beyond the baseline, and which no longer."""
    tested = leaders[leaders["measure"] == MEASURE]
    before, now = (_leading(tested, when) for when in ("before", "now"))
    said = f"{len(before)} markets led beyond the baseline before (q ≤ .05), {len(now)} do now"
    for words, markets in (("newly", now - before), ("no longer", before - now)):
        if markets:
            names = list(market_names(sorted(markets)).values())
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            said += f"; {words} {', '.join(names[:MOST_NAMED])}{more}"
    return f"{said}; more tracks show more leads, also where nothing changed"


def _leading(tested: pd.DataFrame, when: str) -> set[str]:
    return set(tested.loc[(tested[f"q_{when}"] <= FDR) & (tested[f"score_{when}"] > 0), "market"])


def _shares(leaders: pd.DataFrame) -> str:
    """Return which markets moved beyond their intervals by the share they send."""
    known = leaders[leaders["measure"] == DESCRIBED].dropna(subset=["low_before", "low_now"])
    moved = _moved(known)
    if known.empty:
        return "share sent: no market has an interval both before and now"
    names = market_names(moved["market"])
    named = [
        f"{names[row['market']]} {cell(row['score_before'])} before, {cell(row['score_now'])} now"
        for row in moved.head(MOST_NAMED).to_dict("records")
    ]
    said = f"share sent: {len(moved)} of {many(len(known), 'market')} moved beyond their intervals, which describes"
    return f"{said}: {'; '.join(named)}" if named else said


def _lines(results: Results) -> list[str]:
    if not results.holds("changed_edges"):
        return []
    return [f"changed   {line}" for line in (_grown(results), *_moves(results))]


def _data(results: Results) -> dict[str, Any]:
    """Return what `--json` prints: counts, markets, the pairs that differ at q ≤ .05, and the leaders."""
    if not results.holds("changed_edges"):
        return {"changes": None}
    return {
        "changes": {
            **results.notes("changes"),
            "markets": records(results.table("changed_markets")),
            "edges": records(_differing(results)),
            "leaders": records(results.table("changed_leaders")),
        }
    }


CHANGES = Step(
    name="changes",
    title="What changed as the charts grew",
    doing="comparing with the last run",
    version=1,
    tables={
        "changed_markets": CHANGED_MARKETS,
        "changed_edges": CHANGED_EDGES,
        "changed_leaders": CHANGED_LEADERS,
    },
    make=_make,
    needs=("entries", "graph", "leaders"),
    compares=True,
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    data=_data,
)

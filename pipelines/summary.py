"""What a command says when it is done: the same facts as text for people and as JSON for scripts."""

import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from diffusion import market_names
from graphs import MarketGraph
from pipelines.folders.folder import Folder
from survival import Breakthrough

MEASURES = ("net_flow", "pagerank", "hub", "betweenness")

NAMED = 12
"""Markets named in a line at most."""


def reading_lines(notes: dict[str, Any]) -> list[str]:
    """Return what was read, from the notes of the entries step."""
    rows = notes["rows"]
    aside = ", ".join(f"{count:,} {reason}" for reason, count in rows["set_aside"].items()) or "none"
    lines = [
        f"read      {rows['read']:,} rows ({notes['layout']}): {rows['kept']:,} kept, "
        f"{rows['duplicates']:,} duplicates, {rows['aggregate']:,} of Global; set aside: {aside}",
        f"chart     {notes['chart']}, every {every(notes['cadence_days'])}, {notes['first_date']} to "
        f"{notes['last_date']}: {notes['markets']} markets, {notes['tracks']:,} tracks",
        f"entries   {notes['entries']:,}, of which {notes['left_censored']:,} left-censored ({notes['events']})",
    ]
    if notes["other_charts"]:
        others = ", ".join(f"{chart} ({count:,} rows)" for chart, count in notes["other_charts"].items())
        lines.append(f"not used  other charts of the source: {others}; --chart chooses")
    return lines


def graph_lines(notes: dict[str, Any], graph: MarketGraph) -> list[str]:
    """Return the graph in short, from the notes of its step and the graph."""
    lines = [
        f"graph     {notes['transitions']:,} transitions within {notes['window']} days; {notes['ties']:,} ties, "
        "which count for no direction",
        f"chance    of {len(graph.edges):,} pairs {notes['significant']:,} have more tracks than the volume null gives "
        f"(q ≤ .05), {notes['directed']:,} than the order null, {notes['both']:,} than both; "
        f"{notes['permutations']:,} fillings each",
        *unmatched_lines(graph),
    ]
    leaders = graph.scores()
    for measure in MEASURES:
        best = leaders.sort_values([measure, "market"], ascending=[False, True]).head(5)
        names = ", ".join(f"{row['name']} {cell(row[measure])}" for row in best.to_dict("records"))
        lines.append(f"leaders   {measure}: {names}")
    for by in ("tracks", "rate"):
        pairs = graph.largest(by).head(5)
        names = ", ".join(f"{p['source']}→{p['target']} {cell(p[by])}" for p in pairs.to_dict("records"))
        lines.append(f"flows     by {by}: {names or 'none with enough exposed tracks'}")
    return lines


def tested_lines(folder: Folder) -> list[str]:
    """Return leaders with intervals, direct edges, and what the data could not give, of the steps that were made."""
    lines = []
    steps = folder.manifest()["steps"]
    if "leaders" in steps:
        table = folder.read_table("leaders.parquet").to_pandas()
        best = table[table["measure"] == "out_share"].head(5)
        names = market_names(best["market"])
        said = [
            f"{names[row['market']]} {row['score']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
            for row in best.to_dict("records")
        ]
        replicates = steps["leaders"]["parameters"]["replicates"]
        lines.append(f"leaders   share sent, 95 % of {replicates:,} graphs drawn: {', '.join(said)}")
    if folder.holds("influence.parquet"):
        table = folder.read_table("influence.parquet").to_pandas()
        direct = table[table["direct"]].nlargest(5, "credits")
        said = [
            f"{row['source']}→{row['target']} {row['credits']:.0f} (α {row['alpha']:.3f})"
            for row in direct.to_dict("records")
        ]
        lines.append(
            f"direct    {int(table['direct'].sum()):,} of {len(table):,} pairs; most credits: "
            + (", ".join(said) or "none")
        )
    return lines + [f"not made  {name}: {why}" for name, why in not_made(folder).items()]


def not_made(folder: Folder) -> dict[str, str]:
    """Return the tables and figures that the data could not give, and why, of the steps that were made."""
    steps = folder.manifest()["steps"].values()
    return {name: why for step in steps for name, why in step["notes"].get("not_made", {}).items()}


def survival_lines(curves: tuple[Breakthrough, ...]) -> list[str]:
    """Return how many waits ended in an entry, by group, and what a reader must be told of the curves."""
    lines = []
    for part in curves:
        for row in part.summary.to_dict("records"):
            lines.append(
                f"survival  {row['group']}: {row['events']:,} of {row['waits']:,} waits ended in an entry; "
                f"{row['share_entered']:.2%} by day {row['restricted_to']}"
            )
        lines += [f"survival  {note}" for note in part.notes()]
    return lines


def made_lines(folder: Folder) -> list[str]:
    """Return what became of the folder's files, in words."""
    changes = folder.changes()
    kept = f"; {len(changes['unchanged'])} unchanged" if changes["unchanged"] else ""
    lines = [f"made      {len(changes['made'])} files in {folder.place}{kept}"]
    if changes["removed"]:
        gone = [name for name in changes["removed"] if not name.endswith(".svg")]
        lines.append(f"removed   what was made with other settings: {', '.join(gone)}")
    return lines


def unmatched_counts(graph: MarketGraph) -> dict[str, dict[str, Any]]:
    """Return what lacks which distance, in a size that does not grow with the number of pairs.

    Returns
    -------
    dict
        Distance → `pairs` (how many ordered pairs lack it), `markets` (codes of those that have it to no other) and,
        where there are no such markets, `examples` (the first five pairs). Distances that all pairs have are no keys.
    """
    counts: dict[str, dict[str, Any]] = {}
    for distance, pairs in graph.unmatched.items():
        markets = _cover(pairs, len(graph.nodes))
        counts[distance] = {"pairs": len(pairs), "markets": markets}
        if not markets:
            counts[distance]["examples"] = [list(pair) for pair in sorted(pairs)[:5]]
    return counts


def unmatched_lines(graph: MarketGraph) -> list[str]:
    """Return which pairs lack a distance, in words; none where all have them."""
    gaps: dict[tuple[int, str], list[str]] = {}
    for distance, count in unmatched_counts(graph).items():
        names = [*market_names(count["markets"]).values()]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        named = ", ".join(names[:NAMED]) + more or "; ".join("–".join(pair) for pair in count["examples"])
        gaps.setdefault((count["pairs"], named), []).append(distance)
    return [
        f"unmatched {pairs:,} pairs have no {', '.join(distances)}: those of {named}"
        for (pairs, named), distances in gaps.items()
    ]


def result(folder: Folder, graph: MarketGraph | None) -> dict[str, Any]:
    """Return what the run made, for `--json`."""
    manifest = folder.manifest()
    found: dict[str, Any] = {"out": str(folder.place), "files": folder.changes(), "steps": manifest["steps"]}
    if graph is not None:
        leaders = graph.scores()
        found["leaders"] = {
            measure: records(leaders.nlargest(10, measure)[["market", "name", measure]]) for measure in MEASURES
        }
        found["flows"] = {by: records(graph.largest(by).head(10)) for by in ("tracks", "rate")}
    return found


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as JSON-ready dictionaries; what is missing or infinite is null, dates are ISO text."""
    rows: list[dict[str, Any]] = []
    for row in frame.to_dict("records"):
        rows.append({str(name): _json(value) for name, value in row.items()})
    return rows


def text_table(frame: pd.DataFrame) -> str:
    """Return a frame as aligned text that is safe to print: control characters are replaced, missing values empty."""
    shown = pd.DataFrame({name: [printable(cell(value)) for value in frame[name]] for name in frame.columns})
    return shown.to_string(index=False)


def printable(text: str) -> str:
    """Return text without characters that would move a terminal's cursor, change its colours or its direction."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _cover(pairs: list[tuple[str, str]], markets: int) -> list[str]:
    """Return the markets that have the distance to no other; empty where the gaps are single pairs."""
    lacking = pd.Series([a for a, _ in pairs]).value_counts()
    return sorted(str(market) for market in lacking[lacking == markets - 1].index)


def every(days: int) -> str:
    """Return a cadence in words."""
    return {1: "day", 7: "week"}.get(days, f"{days} days")


def many(number: Any, thing: str) -> str:
    """Return so many things, as in ``1 track`` or ``1,200 tracks``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def cell(value: Any) -> str:
    """Return a value as a reader wants it in a table; empty where it is missing."""
    if value is None or value is pd.NaT or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, float) and 0 < value < 0.0005:
        return "<0.001"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1 else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return str(value) if isinstance(value, str | bool) else f"{value:,}"


def _json(value: Any) -> Any:
    if pd.isna(value) or (isinstance(value, float) and np.isinf(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return value.item() if hasattr(value, "item") else value

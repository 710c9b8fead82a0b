"""The command inspect: what chart files are, and what a run would set aside or refuse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import pandas as pd
import pyarrow as pa

import figures
from diffusion import SettingError, market_names
from diffusion.contracts.star import AGGREGATE
from diffusion.files import write_whole
from diffusion.sources.reading import ReadingOptions
from diffusion.sources.wholeness import cadence_words
from pipelines.commands.options import JSON, QUIET, READING_OPTIONS, OutPath, take_reading, with_options
from pipelines.commands.screen import say_json, say_lines
from pipelines.contracts.raw import INSPECTED
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.formatting import many, percent, records, text_table
from pipelines.progress import progress
from pipelines.stages.inspection import Inspection, Mapped, calendar_cells, inspect_charts

MOST: Final = 12
"""Files, columns or reasons listed at most on one line."""

WIDEST: Final = 60
"""Characters shown of a value."""


@click.command("inspect")
@click.argument("files", nargs=-1, required=True)
@click.option("--out", type=OutPath(), help="Folder for the table and the picture of the charts.")
@click.option(
    "--figure",
    type=OutPath(),
    metavar="FILE",
    help="File for the picture of the charts (.svg or .png): which are there, how deep, and where they have holes.",
)
@with_options(READING_OPTIONS)
@QUIET
@JSON
def inspect_command(
    files: tuple[str, ...], out: Path | None, figure: Path | None, quiet: bool, as_json: bool, **reading: Any
) -> None:
    """Say what chart FILES are: what is recognised, what a run would set aside or refuse, and how whole the charts are.

    Nothing is computed from the charts.
    """
    kind = _kind(figure)
    with progress(silent=quiet) as tell:
        found = inspect_charts(files, ReadingOptions(**take_reading(reading)), tell=tell)
        if len(found.depths) and (out is not None or figure is not None):
            tell("drawing")
            cells, days = calendar_cells(found.wholeness.by_market, found.depths)
            drawn = figures.chart_calendar(cells, days=days, deepest=int(found.wholeness.by_market["depth_most"].max()))
            if figure is not None:
                write_whole(figure, figures.render(drawn, kind))
            if out is not None:
                _put(out, found, drawn)
    if as_json:
        say_json(_data(found))
        return
    table = ["", *text_table(_table(found)).splitlines(), ""] if len(found.wholeness.by_market) else []
    say_lines([*_lines(found), *table, *_closing(found, files)])


def _kind(figure: Path | None) -> figures.Kind:
    if figure is None or figure.suffix.lower() == ".svg":
        return "svg"
    if figure.suffix.lower() != ".png":
        raise SettingError(f"--figure '{figure}' is neither .svg nor .png")
    return "png"


def _put(out: Path, found: Inspection, drawn: figures.Figure) -> None:
    parameters = {"files": [file.name for file in found.source.files]}
    with Folder(out) as folder:
        folder.begin("inspect", fingerprint("inspect", 1, parameters), parameters=parameters, notes={})
        table = pa.Table.from_pandas(found.wholeness.by_market, preserve_index=False)
        folder.put_table("inspect", "wholeness.parquet", INSPECTED.conform(table))
        for kind in ("png", "svg"):
            folder.put("inspect", f"figures/charts.{kind}", figures.render(drawn, kind))


def _lines(found: Inspection) -> Iterator[str]:
    source, account = found.source, found.account
    yield f"files     {many(len(source.files), 'file')} in {source.root}"
    yield from (f"note      {line}" for line in found.said)
    for name, why in list(source.passed_over.items())[:MOST]:
        yield f"passed    {name}: {why}"
    if len(source.passed_over) > MOST:
        yield f"passed    {len(source.passed_over) - MOST:,} more"
    for mapped in found.mapped[:MOST]:
        yield from _mapped_lines(mapped)
    tied = f"; {account.tied:,} of them are tied on a rank" if account.tied else ""
    yield (
        f"rows      {account.read:,} = {account.kept:,} kept + {account.duplicates:,} duplicates + "
        f"{account.aggregate:,} of Global + {sum(account.set_aside.values()):,} set aside{tied}"
    )
    for row in found.examples.to_dict("records"):
        value = row["value"] if len(row["value"]) <= WIDEST else f"{row['value'][:WIDEST]}…"
        share, place = percent(row["rows"] / account.read), f"{row['file']}, line {row['line']}"
        yield f"aside     {row['reason']}: {many(row['rows'], 'row')} ({share}), such as '{value}' in {place}"


def _mapped_lines(mapped: Mapped) -> Iterator[str]:
    form = ", ".join(filter(None, (mapped.kind, mapped.encoding)))
    yield f"layout    {mapped.layout} ({form}; {many(mapped.files, 'file')})"
    yield "columns   " + ", ".join(f"{ours} ← {theirs}" for ours, theirs in mapped.columns.items())
    if mapped.facts:
        first = " (of the first file)" if mapped.files > 1 else ""
        yield "facts     " + ", ".join(f"{ours} = {value}" for ours, value in mapped.facts.items()) + first
    if mapped.unused:
        more = f" and {len(mapped.unused) - MOST} more" if len(mapped.unused) > MOST else ""
        yield f"not used  {', '.join(mapped.unused[:MOST])}{more}"


def _table(found: Inspection) -> pd.DataFrame:
    """Return one row per chart and market for the screen."""
    whole = found.wholeness.by_market
    names = {AGGREGATE: AGGREGATE, **market_names(sorted(set(whole["market"]) - {AGGREGATE}))}
    ranks = whole["chart_rows"] + whole["missing"]
    return pd.DataFrame(
        {
            "chart": whole["chart"],
            "market": [f"{names[market]} ({market})" if market != AGGREGATE else market for market in whole["market"]],
            "from": whole["first_date"].dt.strftime("%Y-%m-%d"),
            "to": whole["last_date"].dt.strftime("%Y-%m-%d"),
            "cadence": [cadence_words(int(days)) if pd.notna(days) else "" for days in whole["cadence"]],
            "dates": whole["dates"],
            "absent": whole["absent"],
            "longest gap": [many(days, "day") if pd.notna(days) else "" for days in whole["longest_step"]],
            "depth": whole["depth_median"].astype("int64"),
            "rows": (whole["chart_rows"] / whole["dates"]).round(1),
            "ranks missing": [percent(share) for share in whole["missing"] / ranks],
            "with holes": whole["with_holes"],
            "without rank 1": whole["without_first"],
        }
    )


def _closing(found: Inspection, files: tuple[str, ...]) -> Iterator[str]:
    said = found.wholeness.said()
    yield from (f"note      {sentence}" for sentence in said)
    if found.refused:
        yield from (f"refused   a run would say: {line}" for line in found.refused)
        return
    yield f"next      chart-diffusion graph {files[0] if len(files) == 1 else 'FILES'} --out out/graph"


def _data(found: Inspection) -> dict[str, Any]:
    account = found.account
    return {
        "files": len(found.source.files),
        "passed_over": dict(found.source.passed_over),
        "said": [*found.said, *found.wholeness.said()],
        "mapped": [
            {
                "files": one.files,
                "layout": one.layout,
                "kind": one.kind,
                "encoding": one.encoding,
                "columns": dict(one.columns),
                "facts": dict(one.facts),
                "unused": list(one.unused),
            }
            for one in found.mapped
        ],
        "rows": {
            "read": account.read,
            "kept": account.kept,
            "duplicates": account.duplicates,
            "aggregate": account.aggregate,
            "tied": account.tied,
            "set_aside": dict(account.set_aside),
        },
        "examples": records(found.examples),
        "unknown_markets": dict(found.unknown_markets),
        "charts": records(found.wholeness.by_market),
        "refused": list(found.refused),
    }

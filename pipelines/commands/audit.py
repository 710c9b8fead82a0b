"""The command audit: do features know what they could not have known?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow as pa

from diffusion import open_charts
from pipelines.commands.options import JSON, QUIET, READING_OPTIONS, SEED, OutPath, take_reading, with_options
from pipelines.commands.screen import say_json
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.formatting import many, records, text_table
from pipelines.progress import progress

_SHOWN = ["feature", "family", "known", "verdict", "reason"]


@click.command("audit")
@click.argument("charts")
@click.option("--horizon", type=click.IntRange(min=1), help="Days within which entries count (default 60; weekly 56).")
@click.option("--dates", type=click.IntRange(min=1), default=3, show_default=True, help="Number of as-of dates.")
@click.option(
    "--target",
    type=click.Choice(["entry", "streams"]),
    default="entry",
    show_default=True,
    help="What is to be forecast: entries after the as-of date, or streams and ranks of its own charts.",
)
@click.option("--chart", help="Name of the chart (default top200, else the only one).")
@click.option(
    "--own",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Table of columns of your own (CSV or Parquet): track_id, known (a date), perhaps market, and numbers.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the random numbers.")
@click.option("--out", type=OutPath(), help="Folder for the table.")
@with_options(READING_OPTIONS)
@QUIET
@JSON
def audit_command(
    charts: str,
    horizon: int | None,
    dates: int,
    target: str,
    chart: str | None,
    own: Path | None,
    seed: int,
    out: Path | None,
    quiet: bool,
    as_json: bool,
    **reading: Any,
) -> None:
    """Hold the features of CHARTS (a file, glob or folder) against charts without, or with other, later rows.

    As of several dates, everything later is deleted, and replaced by nonsense: no feature may change. A feature that
    alone tells too well what comes fails too. The exit code is 1 if any feature fails. Rows of your own columns are
    taken to be known from their dates; where that is not so, only a score that is too good can tell.
    """
    from pipelines.contracts.audit import AUDIT
    from pipelines.features.audit import PASSES, audit
    from pipelines.features.families import families
    from pipelines.features.history import History
    from pipelines.features.own import Own, OwnColumns
    from pipelines.features.registry import Family

    columns_of_own = None if own is None else OwnColumns.read(own)
    with progress(silent=quiet) as tell:
        tell("reading charts")
        with open_charts(charts, **take_reading(reading)) as opened:
            history = History.of(opened, opened.entries(chart=chart))
        days = horizon or history.calendar.default_window

        def make(read: History) -> Sequence[Family]:
            added = () if columns_of_own is None else (Own(columns_of_own.until(read.last_day)),)
            return (*families(days), *added)

        tell("auditing")
        table = audit(
            history,
            make,
            horizon=days,
            dates=dates,
            target=target,  # type: ignore[arg-type]
            seed=seed,
            tell=lambda share: tell("auditing", share),
        )
    if out is not None:
        parameters = {
            "charts": charts,
            "horizon": days,
            "dates": dates,
            "target": target,
            "own": None if own is None else str(own),
            "seed": seed,
        }
        with Folder(out) as folder:
            folder.begin("audit", fingerprint("audit", 1, parameters), parameters=parameters, notes={})
            folder.put_table("audit", "audit.parquet", AUDIT.conform(pa.Table.from_pandas(table, preserve_index=False)))
    failed = int((~table["verdict"].isin(PASSES)).sum())
    if as_json:
        say_json({"failed": failed, "features": records(table)})
    else:
        click.echo(text_table(table[_SHOWN]))
        click.echo(f"{many(failed, 'feature')} of {table['values'].notna().sum():,} failed")
    if failed:
        raise click.exceptions.Exit(1)

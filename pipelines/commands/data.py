"""The commands on data: ingest, clean, auxiliary, verify, sync, simulate."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from diffusion.engine import ENGINES, OpenEngine, engines
from diffusion.simulation import FULL, LAYOUTS, Layout, Simulation, Switches, full_scale, simulate
from diffusion.sources.reading import ReadingOptions
from pipelines.commands.options import (
    ACCEPT,
    ENGINE_OPTIONS,
    JSON,
    MARKET_NAME,
    OUT,
    QUIET,
    READING_OPTIONS,
    REPLACE,
    SEED,
    OutAddress,
    take_consent,
    take_engine,
    take_reading,
    with_options,
)
from pipelines.commands.screen import say_json, say_lines
from pipelines.folders.folder import Folder
from pipelines.folders.remote_folder import RemoteFolder
from pipelines.folders.verify import verify
from pipelines.progress import progress
from pipelines.reference.auxiliary import auxiliary_lines, make_auxiliary
from pipelines.sharing.storage import pull, push
from pipelines.sharing.store_status import status
from pipelines.stages.clean import MEMORY, clean_charts
from pipelines.stages.ingest import DAMAGED_TABLE, Options, ingest

PLACE = click.Path(path_type=Path)


@click.command("ingest")
@click.argument("files", nargs=-1, required=True)
@OUT
@click.option("--append", is_flag=True, help="Add FILES to OUT; content that it holds already is skipped.")
@click.option(
    "--join-aux", "aux", type=PLACE, metavar="AUX", help="Add the columns of the tables in this folder to every row."
)
@click.option("--slim-only", is_flag=True, help="Do not keep all columns as text: fast, but it cannot be cleaned.")
@with_options(READING_OPTIONS)
@REPLACE
@QUIET
@JSON
def ingest_command(
    files: tuple[str, ...],
    out: Path,
    append: bool,
    aux: Path | None,
    slim_only: bool,
    replace: bool,
    quiet: bool,
    as_json: bool,
    **reading: Any,
) -> None:
    """Merge chart FILES (CSV, also .gz and .zst; globs and folders) into Parquet by year, without filtering rows."""
    options = Options(ReadingOptions(**take_reading(reading)), aux, slim_only)
    with progress(silent=quiet) as tell, Folder(out) as folder:
        notes = ingest(files, folder, options=options, append=append, replace_others=replace, tell=tell)
        folder.log("ingest", rows=notes["profile"]["rows"])
        reasons = Counter(folder.read_table(DAMAGED_TABLE)["reason"].to_pylist())
        _say(notes, [*_ingest_lines(notes, reasons), *folder.made_lines()], as_json)


def _ingest_lines(notes: Mapping[str, Any], reasons: Counter[str]) -> list[str]:
    profile, files = notes["profile"], len(notes["sources"])
    damaged = ", ".join(f"{rows:,} {reason}" for reason, rows in sorted(reasons.items())) or "none"
    lines = [
        f"read      {profile['rows'] + profile['damaged']:,} rows of {files:,} files: {profile['rows']:,} merged, "
        f"{profile['damaged']:,} damaged ({damaged})",
        f"dates     {profile['first_date'] or 'none'} to {profile['last_date'] or 'none'}",
    ]
    encodings = {
        source["path"]: source["encoding"] for source in notes["sources"] if source["encoding"] not in ("utf-8", "")
    }
    lines += _listed("read as", [f"{name} ({encoding})" for name, encoding in encodings.items()])
    lines += _listed("read as", notes["said"])
    lines += _listed("empty", notes["empty"])
    lines += _listed("not read", [f"'{name}' {why}" for name, why in notes["passed_over"].items()])
    return lines + _listed("unknown", [f"market '{name}'" for name in notes["unknown_markets"]])


@click.command("clean")
@click.argument("raw")
@click.option("--out", type=OutAddress(), required=True, help="Folder for the results; an address with Spark.")
@MARKET_NAME
@ACCEPT
@click.option(
    "--recordings",
    type=click.Choice(["joined", "none"]),
    default="joined",
    show_default=True,
    help="Whether ids with the same title and primary artist are joined.",
)
@click.option("--memory-limit", default=MEMORY, show_default=True, help="Memory of duckdb; it spills to disk beyond.")
@with_options(ENGINE_OPTIONS)
@QUIET
@JSON
def clean_command(
    raw: str, out: Path | str, recordings: str, memory_limit: str, quiet: bool, as_json: bool, **reading: Any
) -> None:
    """Make typed tables of RAW (what ingest made); each row is kept, a duplicate, or in quarantine with a reason."""
    chosen = take_engine(reading)
    name = chosen.get("engine", ENGINES[0])
    if isinstance(out, str) and name == ENGINES[0]:
        raise click.BadParameter(
            f"'{out}' is not on this machine; --engine spark writes there, or name a folder here and send it: "
            "chart-diffusion sync push",
            param_hint="--out",
        )
    opener = engines(name, spark=chosen.get("spark"))
    with progress(silent=quiet) as tell, _cleaned(out, opener) as folder:
        notes = clean_charts(
            raw,
            folder,
            **take_consent(reading),
            recordings=recordings == "joined",
            memory_limit=memory_limit,
            open_engine=opener,
            tell=tell,
        )
        folder.log("clean", rows=notes["rows"]["raw_rows"])
        _say(notes, [*_clean_lines(notes), *folder.made_lines()], as_json)


@contextmanager
def _cleaned(out: Path | str, opener: OpenEngine) -> Iterator[Folder | RemoteFolder]:
    """Open the folder of results, on this machine or at an address."""
    if isinstance(out, Path):
        with Folder(out) as folder:
            yield folder
        return
    with opener() as engine, RemoteFolder(engine.remote(out)) as remote:
        yield remote


def _clean_lines(notes: Mapping[str, Any]) -> list[str]:
    rows = notes["rows"]
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in notes["reasons"].items()) or "none"
    return [
        f"read      {rows['raw_rows']:,} rows = {rows['kept_rows']:,} kept + {rows['duplicate_rows']:,} duplicates + "
        f"{rows['quarantined_rows']:,} quarantined; {rows['repaired_rows']:,} of the kept were repaired, "
        f"{rows['tied_rows']:,} are tied",
        f"aside     {reasons}",
        *(f"note      {sentence}" for sentence in notes["wholeness"]),
        f"tracks    {notes['tracks']:,}",
        *_listed("unknown", list(notes["unknown_markets"].values())),
        *_listed("note", notes["said"]),
    ]


@click.command("auxiliary")
@click.option("--countries", type=PLACE, help="CSV of countries.")
@click.option("--distances", type=PLACE, help="CSV of cultural distances, a square matrix or a long list.")
@click.option("--holidays", nargs=2, type=click.DateTime(["%Y-%m-%d"]), help="First and last date of public holidays.")
@click.option("--market", "markets", multiple=True, help="Market to find partners for (default: 69 of public charts).")
@OUT
@QUIET
@JSON
def auxiliary_command(
    countries: Path | None,
    distances: Path | None,
    holidays: tuple[datetime, datetime] | None,
    markets: tuple[str, ...],
    out: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """Make tables of countries, cultural distances and public holidays, joined to markets by ISO code."""
    dates = (holidays[0].date(), holidays[1].date()) if holidays else None
    with progress(silent=quiet) as tell, Folder(out) as folder:
        tell("making auxiliary tables")
        notes = make_auxiliary(
            folder, countries=countries, distances=distances, holidays=dates, markets=markets or None
        )
        folder.log("auxiliary")
        _say(notes, [*auxiliary_lines(notes), *folder.made_lines()], as_json)


@click.command("verify")
@click.argument("folder", type=PLACE)
@QUIET
@JSON
def verify_command(folder: Path, quiet: bool, as_json: bool) -> None:
    """Check every file of FOLDER against its manifest; changed, missing and extra files are listed (exit code 1)."""
    with progress(silent=quiet) as tell:
        found = verify(folder, tell=tell)
    _say(asdict(found), found.lines(), as_json)
    if not found.whole:
        raise click.exceptions.Exit(1)


@click.command("simulate")
@click.option("--tracks", type=int, help="Number of new tracks (default 2,000).")
@click.option(
    "--markets",
    type=int,
    help="Number of markets (default 20): by population, public charts first, then XA, XB, ….",
)
@click.option("--days", type=int, help="Number of days (default 180).")
@click.option("--seed", type=SEED, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--density", type=float, default=0.10, show_default=True, help="Share of ordered pairs with an edge.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First date (default 2017-01-01).")
@click.option(
    "--cadence", type=click.Choice(["daily", "weekly"]), default="daily", show_default=True, help="Cadence of charts."
)
@click.option("--layout", type=click.Choice(LAYOUTS), default="core", show_default=True, help="Layout of charts/.")
@click.option("--scale", type=click.Choice(["full"]), help="The size of real charts: 26 million rows.")
@click.option("--damage", type=float, default=0.0, show_default=True, help="Share of rows to damage (raw layout).")
@click.option(
    "--without",
    type=click.Choice([spec.name for spec in fields(Switches)]),
    multiple=True,
    help="Feature to leave out.",
)
@OUT
@QUIET
@JSON
def simulate_command(
    out: Path,
    quiet: bool,
    as_json: bool,
    scale: str | None,
    layout: Layout,
    damage: float,
    without: tuple[str, ...],
    start: datetime | None,
    **options: Any,
) -> None:
    """Simulate charts from a known diffusion network, and write them with the truth."""
    given = {name: value for name, value in options.items() if value is not None}
    given["switches"] = Switches(**dict.fromkeys(without, False))
    if start:
        given["start"] = start.date()
    full = full_scale(given["days"]) if "days" in given and "tracks" not in given else FULL
    simulation = replace(full if scale else Simulation(), **given)
    with progress(silent=quiet) as tell:
        tell("drawing tracks")
        account = simulate(simulation, out, layout=layout, damage=damage, tell=lambda share: tell("writing", share))
    lines = [
        f"simulated {account.rows:,} rows of {account.tracks:,} tracks, {account.entries:,} entries of new tracks; "
        f"{account.damaged:,} rows damaged",
        f"made      {', '.join(account.files[:8])} in {out}",
    ]
    _say(asdict(account), lines, as_json)


@click.group("sync")
def sync_group() -> None:
    """Share a folder through an S3-compatible store, by its manifest.

    ADDRESS is s3://BUCKET/PREFIX. Credentials come only from the environment or the AWS files.
    """


SYNC_ARGUMENTS = (
    click.argument("folder", type=PLACE),
    click.argument("address"),
    click.option("--endpoint-url", help="Address of the server if it is not AWS (default: AWS_ENDPOINT_URL)."),
    QUIET,
    JSON,
)
SYNC_FORCE = (
    click.option("--delete", is_flag=True, help="Delete files that the manifest does not list any more."),
    click.option("--overwrite", is_flag=True, help="Replace files that this tool did not write, or that were changed."),
)


@sync_group.command("push")
@with_options((*SYNC_ARGUMENTS, *SYNC_FORCE))
def push_command(folder: Path, address: str, quiet: bool, as_json: bool, **options: Any) -> None:
    """Copy FOLDER to ADDRESS; only changed files are sent."""
    with progress(silent=quiet) as tell:
        done = push(folder, address, tell=tell, **options)
    _say(asdict(done), done.lines(), as_json)


@sync_group.command("pull")
@with_options((*SYNC_ARGUMENTS, *SYNC_FORCE))
def pull_command(folder: Path, address: str, quiet: bool, as_json: bool, **options: Any) -> None:
    """Copy ADDRESS into FOLDER; files appear there only after all of them have arrived complete."""
    with progress(silent=quiet) as tell:
        done = pull(address, folder, tell=tell, **options)
    _say(asdict(done), done.lines(), as_json)


@sync_group.command("status")
@with_options(SYNC_ARGUMENTS)
def status_command(folder: Path, address: str, quiet: bool, as_json: bool, **options: Any) -> None:
    """List how FOLDER and ADDRESS differ (exit code 1 if they do)."""
    with progress(silent=quiet) as tell:
        found = status(folder, address, tell=tell, **options)
    _say(asdict(found), found.lines(), as_json)
    if not found.same:
        raise click.exceptions.Exit(1)


def _listed(what: str, names: Iterable[str], most: int = 12) -> list[str]:
    """Return a line that lists `names`, at most `most` of them; no line without names."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return [f"{what:<9} {', '.join(names[:most])}{more}"] if names else []


def _say(facts: object, lines: Iterable[str], as_json: bool) -> None:
    say_json(facts) if as_json else say_lines(lines)

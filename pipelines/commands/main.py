"""The command line: a thin layer over the library."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pipelines.commands.audit import audit_command
from pipelines.commands.backtest import backtest_command
from pipelines.commands.data import COMMANDS
from pipelines.commands.forecasts import FORECAST_COMMANDS
from pipelines.commands.foreseen import foreseen
from pipelines.commands.inspect import inspect_command
from pipelines.commands.options import OUT, QUIET, SEED
from pipelines.commands.query import query
from pipelines.commands.regress import regress_command
from pipelines.commands.sql import sql_command
from pipelines.commands.study import STUDY_COMMANDS
from pipelines.progress import progress
from pipelines.recovery import cells_of, recovery_text, write_recovery


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chart-diffusion")
def cli() -> None:
    """How hits travel between national music charts: diffusion graphs, leader markets, survival curves."""


for study_command in STUDY_COMMANDS:
    cli.add_command(study_command)


@cli.command("recovery")
@click.option("--world", "worlds", multiple=True, metavar="NAME", help="Only this world, such as falling; repeatable.")
@click.option(
    "--tracks", type=click.IntRange(min=1), multiple=True, help="Tracks drawn (default 2000 and 8000); repeatable."
)
@click.option(
    "--markets",
    type=click.IntRange(min=4),
    multiple=True,
    help="Markets drawn (default 12, and 40 in four of the worlds); repeatable.",
)
@click.option(
    "--simulations", type=click.IntRange(min=1), default=20, show_default=True, help="Simulations per world and size."
)
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=400,
    show_default=True,
    help="Simulations in each of the worlds in which intervals are held against the truth; 0 leaves them out.",
)
@click.option("--seed", type=SEED, default=1, show_default=True, help="Seed of the random numbers.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Number of processes.")
@OUT
@QUIET
def recovery_command(
    worlds: tuple[str, ...],
    tracks: tuple[int, ...],
    markets: tuple[int, ...],
    simulations: int,
    samples: int,
    seed: int,
    workers: int,
    out: Path,
    quiet: bool,
) -> None:
    """Hold every claim against simulated worlds, in most of which no market influences another.

    A run that was stopped goes on where it stopped, and a later one makes only what is not yet there.
    """
    cells = cells_of(worlds, tracks, markets, intervals=samples > 0)
    with progress(silent=quiet) as tell:
        table = write_recovery(
            out, cells, simulations=simulations, samples=samples, seed=seed, workers=workers, tell=tell
        )
    click.echo(recovery_text(table).rstrip("\n"))


for data_command in (*COMMANDS, *FORECAST_COMMANDS):
    cli.add_command(data_command)
cli.add_command(inspect_command)
cli.add_command(audit_command)
cli.add_command(backtest_command)
cli.add_command(regress_command)
cli.add_command(sql_command)
cli.add_command(query)


def run_command(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; an error of user or data is one line on standard error."""
    try:
        code = cli.main(list(arguments), standalone_mode=False, prog_name="chart-diffusion")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.exceptions.Abort as error:
        if isinstance(error.__cause__, EOFError):  # of a file that ends too early; click takes it for the user's
            raise error.__cause__ from None
        return _fail("stopped", 130)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if (said := foreseen(error)) is None:
            raise
        return _fail(*said)
    return int(code or 0)


def _fail(line: str, code: int) -> int:
    click.echo(f"chart-diffusion: {line}", err=True)
    return code

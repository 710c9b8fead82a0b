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
from pipelines.commands.options import JSON, OUT, QUIET, SEED
from pipelines.commands.regress import regress_command
from pipelines.commands.screen import say_json
from pipelines.commands.study import STUDY_COMMANDS
from pipelines.progress import progress
from pipelines.query import answers
from pipelines.recovery import cells_of, recovery_text, write_recovery

FROM = click.option(
    "--from", "place", type=click.Path(path_type=Path), required=True, help="Folder made by graph, run or demo."
)


MOST_OPTION = click.option("--most", type=click.IntRange(min=1), default=10, show_default=True, help="Number of rows.")


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


@cli.group()
def query() -> None:
    """Ask a finished graph folder."""


@query.command()
@click.option("--by", default="lead_excess", show_default=True, help="Score to rank by.")
@MOST_OPTION
@FROM
@JSON
def leaders(by: str, most: int, place: Path, as_json: bool) -> None:
    """Which markets lead?"""
    _show(answers.leaders(place, by=by, most=most), as_json)


@query.command()
@click.argument("source")
@click.argument("target")
@FROM
@JSON
def flow(source: str, target: str, place: Path, as_json: bool) -> None:
    """How many tracks go from SOURCE to TARGET (names or codes), and how fast?"""
    _show(answers.flow(place, source, target), as_json)


@query.command()
@click.argument("track")
@FROM
@JSON
def journey(track: str, place: Path, as_json: bool) -> None:
    """Where did TRACK (id, url or title) go, in order?"""
    _show(answers.journey(place, track), as_json)


@query.command("next-from")
@click.argument("market")
@MOST_OPTION
@FROM
@JSON
def next_from(market: str, most: int, place: Path, as_json: bool) -> None:
    """Which markets do tracks enter after MARKET (name or code), and with what probability?"""
    _show(answers.next_from(place, market, most=most), as_json)


@query.command("who-follows")
@click.argument("market")
@MOST_OPTION
@FROM
@JSON
def who_follows(market: str, most: int, place: Path, as_json: bool) -> None:
    """Which markets follow MARKET directly, as far as the charts show it?"""
    _show(answers.who_follows(place, market, most=most), as_json)


@query.command()
@click.argument("market")
@MOST_OPTION
@FROM
@JSON
def influence(market: str, most: int, place: Path, as_json: bool) -> None:
    """Which markets does MARKET follow directly, as far as the charts show it?"""
    _show(answers.influence(place, market, most=most), as_json)


@query.command()
@click.argument("source")
@click.argument("target")
@click.option("--most", type=click.IntRange(min=1), default=3, show_default=True, help="Number of routes.")
@FROM
@JSON
def route(source: str, target: str, most: int, place: Path, as_json: bool) -> None:
    """By which routes along direct pairs do tracks get from SOURCE to TARGET?"""
    _show(answers.route(place, source, target, most=most), as_json)


@query.command()
@click.argument("source")
@click.argument("target")
@FROM
@JSON
def explain(source: str, target: str, place: Path, as_json: bool) -> None:
    """What do the numbers of the edge from SOURCE to TARGET say, in words?"""
    _show(answers.explain(place, source, target), as_json)


for data_command in (*COMMANDS, *FORECAST_COMMANDS):
    cli.add_command(data_command)
cli.add_command(inspect_command)
cli.add_command(audit_command)
cli.add_command(backtest_command)
cli.add_command(regress_command)


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


def _show(answer: answers.Answer, as_json: bool) -> None:
    say_json(answer.data) if as_json else click.echo(answer.text)

"""The command line: a thin layer over the library."""

import re
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import click

from diffusion import DiffusionError, SettingError
from pipelines.commands.audit import audit_command
from pipelines.commands.backtest import backtest_command
from pipelines.commands.data import COMMANDS
from pipelines.commands.forecasts import FORECAST_COMMANDS
from pipelines.commands.inspect import inspect_command
from pipelines.commands.options import (
    ENTRY_OPTIONS,
    JSON,
    OUT,
    READING_OPTIONS,
    SEED,
    OutPath,
    take_reading,
    with_options,
)
from pipelines.commands.regress import regress_command
from pipelines.commands.screen import say_json, say_lines
from pipelines.folders.folder import Folder
from pipelines.formatting import printable
from pipelines.progress import progress
from pipelines.query import answers
from pipelines.recovery import cells_of, recovery_text, write_recovery
from pipelines.study.run import Run, closing_data, closing_lines
from pipelines.study.settings import Study, read_study
from pipelines.study.simulated import simulated_study
from pipelines.study.steps import GRAPH_SET, RUN_SET, SURVIVAL_SET, TRUTH_SET
from survival import GROUPINGS

EVENT_OPTIONS = (
    click.option("--window", type=int, help="Days within which a market must follow (default 60; weekly charts 56)."),
    *ENTRY_OPTIONS,
)
CHANCE_OPTIONS = (
    click.option("--replicates", type=int, help="Bootstrap replicates of the graph (default 1,000)."),
    click.option("--seed", type=SEED, help="Seed of the random numbers (default 0)."),
)
FROM = click.option(
    "--from", "place", type=click.Path(path_type=Path), required=True, help="Folder made by graph, run or demo."
)


MOST_OPTION = click.option("--most", type=click.IntRange(min=1), default=10, show_default=True, help="Number of rows.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chart-diffusion")
def cli() -> None:
    """How hits travel between national music charts: diffusion graphs, leader markets, survival curves."""


@cli.command()
@click.option(
    "--simulated",
    is_flag=True,
    help="Simulate five years of charts of 30 markets, and hold what is found against the truth.",
)
@click.option("--out", type=OutPath(), help="Folder (default out/demo, or out/demo-simulated).")
@JSON
def demo(simulated: bool, out: Path | None, as_json: bool) -> None:
    """Run everything on the packaged charts: 67 countries, spring 2021."""
    out = out or Path("out") / ("demo-simulated" if simulated else "demo")
    with resources.as_file(resources.files("pipelines.study").joinpath("demo.toml")) as file:
        study = read_study(file)
    _run(simulated_study(study, out / "simulation") if simulated else study, out, RUN_SET, as_json)


@cli.command()
@click.argument("study")
@click.option("--out", type=OutPath(), help="Folder for the results (default out/NAME OF THE STUDY).")
@with_options((*EVENT_OPTIONS, *CHANCE_OPTIONS, *READING_OPTIONS))
@JSON
def run(study: str, out: Path | None, as_json: bool, **options: Any) -> None:
    """Run a study: STUDY is its TOML file, or charts to run with default settings."""
    chosen = read_study(study) if study.lower().endswith(".toml") else Study(study)
    _run(
        chosen.override(**take_reading(options), **options),
        out or Path("out") / (re.sub(r"[^\w.-]+", "_", Path(study).stem) or "study"),
        RUN_SET,
        as_json,
    )


@cli.command()
@click.argument("charts")
@OUT
@with_options((*EVENT_OPTIONS, *CHANCE_OPTIONS, *READING_OPTIONS))
@JSON
def graph(charts: str, out: Path, as_json: bool, **options: Any) -> None:
    """Write the market graph of CHARTS (a file, glob or folder): tables, GraphML, GEXF, DOT, figures and report."""
    study = Study(charts).override(**take_reading(options), **options)
    _run(study, out, GRAPH_SET, as_json)


@cli.command()
@click.argument("charts")
@click.option(
    "--by", multiple=True, default=["none"], show_default=True, metavar="NAME",
    help=f"Grouping of the curves: {', '.join(GROUPINGS)}, or a column of tracks or markets; repeatable.",
)  # fmt: skip
@click.option("--groups", help="File with a table of groups of your own (CSV or Parquet), for further curves.")
@click.option("--horizon", type=int, help="Days of follow-up after the debut (default 180).")
@OUT
@with_options((*EVENT_OPTIONS, *READING_OPTIONS))
@JSON
def survival(charts: str, by: tuple[Any, ...], out: Path, as_json: bool, **options: Any) -> None:
    """Write the time to breakthrough in CHARTS (a file, glob or folder): curves, hazard ratios, figures and report.

    Who enters where and when, what goes with a faster entry, who never enters, and whether models predict later
    tracks. None of it depends on the window, which is that of the graph.
    """
    study = Study(charts).override(by=by, **take_reading(options), **options)
    _run(study, out, SURVIVAL_SET, as_json)


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
def recovery_command(
    worlds: tuple[str, ...],
    tracks: tuple[int, ...],
    markets: tuple[int, ...],
    simulations: int,
    samples: int,
    seed: int,
    workers: int,
    out: Path,
) -> None:
    """Hold every claim against simulated worlds, in most of which no market influences another.

    A run that was stopped goes on where it stopped, and a later one makes only what is not yet there.
    """
    cells = cells_of(worlds, tracks, markets, intervals=samples > 0)
    with progress() as tell:
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
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except DiffusionError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        return _fail(f"{error.strerror or error}: '{error.filename}'" if error.filename else str(error), 2)
    return int(code or 0)


def _fail(message: str, code: int) -> int:
    click.echo(f"chart-diffusion: {printable(' '.join(message.split()))}", err=True)
    return code


def _run(study: Study, out: Path, steps: Sequence[str], as_json: bool) -> None:
    """Make steps into a folder and print the results."""
    if Path(study.path).is_dir() and out.resolve() == Path(study.path).resolve():
        raise SettingError(
            f"'{out}' is the folder of the charts, where results would be read as charts; choose another --out"
        )
    chosen = (*steps, *TRUTH_SET) if study.truth is not None else steps
    with progress() as tell, Folder(out) as folder:
        job = Run(study, folder)
        reported = job.make(chosen, tell)
        data = closing_data(folder, reported, job.results) if as_json else None
        lines = closing_lines(folder, reported, job.results)
    say_lines(lines) if data is None else say_json(data)


def _show(answer: answers.Answer, as_json: bool) -> None:
    say_json(answer.data) if as_json else click.echo(answer.text)

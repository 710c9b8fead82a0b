"""The commands that make studies: demo, run, eda, graph, survival."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import click

from diffusion import SettingError
from pipelines.commands.batch import OUT as HOME
from pipelines.commands.batch import Closing, expanded, folders_of, name_of, run_each, table_lines
from pipelines.commands.options import (
    COHORT_OPTIONS,
    ENGINE_OPTIONS,
    ENTRY_OPTIONS,
    JSON,
    OUT,
    QUIET,
    READING_OPTIONS,
    REPLACE,
    SEED,
    OutPath,
    take_cohort,
    take_engine,
    take_reading,
    with_options,
)
from pipelines.commands.screen import say_json, say_lines
from pipelines.folders.folder import Folder
from pipelines.progress import StepReport, progress
from pipelines.study.run import Run, closing_data, closing_lines
from pipelines.study.settings import Study, read_study
from pipelines.study.simulated import simulated_study
from pipelines.study.steps import EDA_SET, GRAPH_SET, PRIOR_SET, RUN_SET, SURVIVAL_SET, TRUTH_SET
from survival import GROUPINGS

EVENT_OPTIONS = (
    click.option("--window", type=int, help="Days within which a market must follow (default 60; weekly charts 56)."),
    *ENTRY_OPTIONS,
)
GRAPH_OPTIONS = (
    click.option("--replicates", type=int, help="Bootstrap replicates of the graph (default 1,000)."),
    click.option("--seed", type=SEED, help="Seed of the random numbers (default 0)."),
    click.option(
        "--direct/--no-direct",
        default=None,
        help="Whether direct influence is fitted, which takes much of the time of a graph (default: yes).",
    ),
)
CURVE_OPTIONS = (
    click.option("--groups", help="File with a table of groups of your own (CSV or Parquet), for further curves."),
    click.option("--horizon", type=int, help="Days of follow-up after the debut (default 180)."),
)
MANNER_OPTIONS = (REPLACE, QUIET, JSON)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a study is run: whether results may be replaced, without progress, with JSON at the end, and as a whole."""

    replace: bool
    quiet: bool
    as_json: bool
    whole: bool = True


@click.command()
@click.option(
    "--simulated",
    is_flag=True,
    help="Simulate five years of charts of 30 markets, and hold what is found against the truth.",
)
@click.option("--out", type=OutPath(), help="Folder (default out/demo, or out/demo-simulated).")
@with_options(MANNER_OPTIONS)
def demo(simulated: bool, out: Path | None, replace: bool, quiet: bool, as_json: bool) -> None:
    """Run everything on the packaged charts: 67 countries, spring 2021."""
    out = out or HOME / ("demo-simulated" if simulated else "demo")
    with resources.as_file(resources.files("pipelines.study").joinpath("demo.toml")) as file:
        study = read_study(file)
    with progress(silent=quiet, by_step=True) as tell:
        if simulated:
            tell("simulating charts")
            study = simulated_study(study, out / "simulation")
            tell.ended("simulation")
        closing = _make(study, out, RUN_SET, tell, Manner(replace, quiet, as_json))
    _say(closing)


@click.command()
@click.argument("studies", nargs=-1, required=True)
@click.option(
    "--out",
    type=OutPath(),
    help="Folder for the results (default out/NAME OF THE STUDY); of several: of their folders.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="NAME",
    help=f"Grouping of the curves: {', '.join(GROUPINGS)} (default: all four), or a column of tracks or markets.",
)
@with_options(
    (
        *COHORT_OPTIONS,
        *EVENT_OPTIONS,
        *GRAPH_OPTIONS,
        *CURVE_OPTIONS,
        *READING_OPTIONS,
        *ENGINE_OPTIONS,
        *MANNER_OPTIONS,
    )
)
def run(
    studies: tuple[str, ...], out: Path | None, by: tuple[Any, ...], replace: bool, quiet: bool, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Run studies: each of STUDIES is a TOML file, or charts (a file, glob or folder) to run with default settings.

    Several are run one after the other, each into a folder of its own. One that fails does not stop the others; a table
    at the end says how each ended, and the exit code is that of the worst. Options apply to all of them. Files of
    charts that belong together are a folder, or a glob in quotes.
    """
    settings = {
        "cohort": take_cohort(options),
        **take_reading(options),
        **take_engine(options),
        **options,
        "by": by or None,
    }
    manner = Manner(replace, quiet, as_json)
    named = expanded(studies)
    if len(named) == 1:
        _run(_study(named[0], settings), out or HOME / name_of(named[0]), RUN_SET, manner)
        return

    def one(study: str, folder: Path) -> Closing:
        with progress(silent=quiet, by_step=True, about=study) as tell:
            return _make(_study(study, settings), folder, RUN_SET, tell, manner)

    outcomes = []
    for outcome, closing in run_each(folders_of(named, out or HOME), one):
        outcomes.append(outcome)
        if not as_json and closing.lines:
            say_lines([f"study     {outcome.study}", *closing.lines, ""])
    worst = max(outcome.exit_code for outcome in outcomes)
    if as_json:
        say_json({"studies": [asdict(outcome) for outcome in outcomes], "exit_code": worst})
    else:
        say_lines(table_lines(outcomes))
    if worst:
        raise click.exceptions.Exit(worst)


@click.command()
@click.argument("charts")
@OUT
@with_options((*COHORT_OPTIONS, *EVENT_OPTIONS, *GRAPH_OPTIONS, *READING_OPTIONS, *ENGINE_OPTIONS, *MANNER_OPTIONS))
def graph(charts: str, out: Path, replace: bool, quiet: bool, as_json: bool, **options: Any) -> None:
    """Write the market graph of CHARTS (a file, glob or folder): tables, GraphML, GEXF, DOT, figures and report."""
    manner = Manner(replace, quiet, as_json)
    _run(
        Study(charts).override(cohort=take_cohort(options), **take_reading(options), **take_engine(options), **options),
        out,
        GRAPH_SET,
        manner,
    )


@click.command()
@click.argument("charts")
@click.option(
    "--by", multiple=True, default=["none"], show_default=True, metavar="NAME",
    help=f"Grouping of the curves: {', '.join(GROUPINGS)}, or a column of tracks or markets; repeatable.",
)  # fmt: skip
@OUT
@with_options((*COHORT_OPTIONS, *CURVE_OPTIONS, *EVENT_OPTIONS, *READING_OPTIONS, *ENGINE_OPTIONS, *MANNER_OPTIONS))
def survival(
    charts: str, by: tuple[Any, ...], out: Path, replace: bool, quiet: bool, as_json: bool, **options: Any
) -> None:
    """Write the time to breakthrough in CHARTS (a file, glob or folder): curves, hazard ratios, figures and report.

    Who enters where and when, what goes with a faster entry, who never enters, and whether models predict later
    tracks. None of it depends on the window, which is that of the graph.
    """
    manner = Manner(replace, quiet, as_json)
    _run(
        Study(charts).override(
            by=by, cohort=take_cohort(options), **take_reading(options), **take_engine(options), **options
        ),
        out,
        SURVIVAL_SET,
        manner,
    )


@click.command()
@click.argument("charts")
@click.option(
    "--check-prior",
    is_flag=True,
    help="Compare with every number of an earlier study of daily charts 2017-2021, and say what explains differences.",
)
@OUT
@with_options(
    (
        *COHORT_OPTIONS,
        *EVENT_OPTIONS,
        *GRAPH_OPTIONS,
        *CURVE_OPTIONS,
        *READING_OPTIONS,
        *ENGINE_OPTIONS,
        *MANNER_OPTIONS,
    )
)
def eda(charts: str, check_prior: bool, out: Path, replace: bool, quiet: bool, as_json: bool, **options: Any) -> None:
    """Explore CHARTS (a file, glob or folder): what they hold and lack, how far, when and where tracks travel."""
    study = Study(charts).override(
        cohort=take_cohort(options), **take_reading(options), **take_engine(options), **options
    )
    steps = (*EDA_SET, *PRIOR_SET) if check_prior else EDA_SET
    _run(study, out, steps, Manner(replace, quiet, as_json, whole=False))


def _study(named: str, settings: Mapping[str, Any]) -> Study:
    """Return the study of a TOML file, or of charts, with its settings replaced by those of the options."""
    study = read_study(named) if named.lower().endswith(".toml") else Study(named)
    return study.override(**settings)


def _run(study: Study, out: Path, steps: Sequence[str], manner: Manner) -> None:
    """Make steps into a folder and print the results."""
    with progress(silent=manner.quiet, by_step=True) as tell:
        closing = _make(study, out, steps, tell, manner)
    _say(closing)


def _make(study: Study, out: Path, steps: Sequence[str], tell: StepReport, manner: Manner) -> Closing:
    """Make steps into a folder; return what to print."""
    if Path(study.path).is_dir() and out.resolve() == Path(study.path).resolve():
        raise SettingError(
            f"'{out}' is the folder of the charts, where results would be read as charts; choose another --out"
        )
    chosen = (*steps, *TRUTH_SET) if study.truth is not None else steps
    with Folder(out) as folder:
        job = Run(study, folder)
        reported = job.make(chosen, tell, replace=manner.replace, whole=manner.whole)
        data = closing_data(folder, reported, job.results) if manner.as_json else None
        return Closing(closing_lines(folder, reported, job.results, job.left_out), data)


def _say(closing: Closing) -> None:
    say_lines(closing.lines) if closing.data is None else say_json(closing.data)

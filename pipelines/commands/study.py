"""The commands that run a study: demo, run, graph, survival."""

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import click

from diffusion import SettingError
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
from pipelines.commands.screen import say_json, say_lines
from pipelines.folders.folder import Folder
from pipelines.progress import progress
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


@click.command()
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


@click.command()
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


@click.command()
@click.argument("charts")
@OUT
@with_options((*EVENT_OPTIONS, *CHANCE_OPTIONS, *READING_OPTIONS))
@JSON
def graph(charts: str, out: Path, as_json: bool, **options: Any) -> None:
    """Write the market graph of CHARTS (a file, glob or folder): tables, GraphML, GEXF, DOT, figures and report."""
    study = Study(charts).override(**take_reading(options), **options)
    _run(study, out, GRAPH_SET, as_json)


@click.command()
@click.argument("charts")
@click.option(
    "--by", type=click.Choice(GROUPINGS), multiple=True, default=["none"], show_default=True,
    help="Grouping of the curves; may be given several times.",
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

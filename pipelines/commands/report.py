"""The command `report`."""

from pathlib import Path

import click

from pipelines.commands.options import QUIET
from pipelines.commands.screen import say_lines
from pipelines.progress import progress
from pipelines.study.report.written import write_report


@click.command("report")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--pdf", is_flag=True, help="Print it as report.pdf too, by a Chromium, Chrome or Edge on PATH.")
@click.option(
    "--slides", is_flag=True, help="Write report.pptx too: one finding, one figure and one caveat a slide ([slides])."
)
@QUIET
def report_command(folder: Path, pdf: bool, slides: bool, quiet: bool) -> None:
    """Write the report of a finished FOLDER again, which run, graph, survival, eda or demo made.

    Nothing is computed or drawn again. The page, its print and its slides say the same, with the same numbers. What is
    there already and would be the same stays.
    """
    with progress(silent=quiet) as tell:
        lines = write_report(folder, tell, pdf=pdf, slides=slides)
    say_lines(lines)

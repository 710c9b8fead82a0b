"""The command that regresses chart rows: the seed baseline beside our features."""

from pathlib import Path
from typing import Any

import click

from diffusion import open_charts
from pipelines.commands.options import OUT, QUIET, READING_OPTIONS, SEED, take_reading, with_options
from pipelines.commands.screen import say_lines
from pipelines.progress import progress


@click.command("regress")
@click.argument("charts")
@click.option(
    "--target", type=click.Choice(["streams", "rank"]), default="streams", show_default=True,
    help="What is predicted: the logarithm of the streams, or the position.",
)  # fmt: skip
@click.option(
    "--rows", type=click.IntRange(min=1_000), default=50_000, show_default=True,
    help="Chart rows at most: drawn at random, and again as all rows of tracks drawn at random.",
)  # fmt: skip
@click.option("--seed", type=SEED, default=42, show_default=True, help="Seed of the random numbers.")
@click.option("--chart", help="Name of the chart (default top200, else the only one).")
@OUT
@with_options(READING_OPTIONS)
@QUIET
def regress_command(charts: str, out: Path, chart: str | None, quiet: bool, **options: Any) -> None:
    """Predict the streams in CHARTS (a file, glob or folder) by linear models: the seed baseline, and our features.

    The seed baseline has nine audio features, popularity, chart, explicit and continent, and tests on a random quarter
    of the rows; columns that the charts lack are left out and named. Beside it stand the same models with the features
    that were known on the chart date before, tested on later days: R², RMSE and R² of five folds of every model and
    alpha, coefficients with p-values, coefficient paths, and learning curves of gradient descent. A second run on the
    same charts prints what the folder has.
    """
    from pipelines.models.regression_folder import write_regression

    with progress(silent=quiet) as tell, open_charts(charts, **take_reading(options)) as opened:
        text = write_regression(out, opened, chart=chart, tell=tell, **options)
    say_lines(text.rstrip("\n").split("\n"))

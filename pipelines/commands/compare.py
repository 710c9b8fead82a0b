"""The command `compare`."""

from pathlib import Path

import click

from pipelines.commands.options import JSON, OUT, SEED
from pipelines.commands.screen import say_json, say_lines
from pipelines.comparison.comparing import write_comparison
from pipelines.comparison.sides import Side
from pipelines.progress import progress


@click.command("compare")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@OUT
@click.option(
    "--replicates",
    type=click.IntRange(min=2),
    default=1000,
    show_default=True,
    help="Bootstrap replicates of the shares of markets.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the random numbers.")
@JSON
def compare_command(a: Path, b: Path, out: Path, replicates: int, seed: int, as_json: bool) -> None:
    """Compare two finished studies, A and B: which rates differ, how far tracks get, and how soon.

    A and B are folders made by run, graph or demo, of two cohorts, periods, labels or charts. Tracks and artists may be
    in both. Window, washout, top, min-periods, identity, chart and cadence must agree; period, cohort and markets may
    differ, and markets that only one has are not compared.
    """
    with progress() as tell:
        tell("reading")
        found = write_comparison(Side.of(a), Side.of(b), out, replicates=replicates, seed=seed, tell=tell)
    say_json(found.data) if as_json else say_lines(found.lines)

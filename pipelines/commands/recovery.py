"""The command recovery: every claim held against simulated worlds."""

from pathlib import Path

import click

from pipelines.commands.options import OUT, QUIET, SEED
from pipelines.progress import progress
from pipelines.recovery import cells_of, recovery_text, write_recovery


@click.command("recovery")
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

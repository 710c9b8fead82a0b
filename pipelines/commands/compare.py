"""The command `compare`."""

from pathlib import Path

import click

from diffusion import SettingError
from pipelines.commands.options import JSON, OUT, QUIET, SEED
from pipelines.commands.screen import say_json, say_lines
from pipelines.comparison.comparing import write_comparison
from pipelines.comparison.selection import KEYS
from pipelines.comparison.sides import Side
from pipelines.progress import progress


@click.command("compare")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path), required=False)
@OUT
@click.option(
    "--a",
    "of_a",
    multiple=True,
    metavar="KEY=VALUE",
    help=f"Only these tracks on the first side, such as debut=2018-01-01..2018-12-31; keys: {', '.join(KEYS)}.",
)
@click.option("--b", "of_b", multiple=True, metavar="KEY=VALUE", help="Only these tracks on the second side, likewise.")
@click.option(
    "--replicates",
    type=click.IntRange(min=2),
    default=1000,
    show_default=True,
    help="Bootstrap replicates of the shares of markets.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the random numbers.")
@QUIET
@JSON
def compare_command(
    a: Path,
    b: Path | None,
    out: Path,
    of_a: tuple[str, ...],
    of_b: tuple[str, ...],
    replicates: int,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare two finished studies, A and B, or two cohorts of A: which rates differ, how far tracks get, and how soon.

    A and B are folders made by run, graph or demo, of two cohorts, periods, labels or charts. Tracks and artists may be
    in both. Window, washout, top, min-periods, identity, chart and cadence must agree; period, cohort and markets may
    differ, and markets that only one has are not compared.

    Without B, both sides are of A: --a debut=2018-01-01..2018-12-31 --b debut=2019-01-01..2019-12-31, or --a
    artist=Robyn against all tracks. The markets of a cohort are those of the debut: --a markets=SE,NO,DK,FI.
    """
    if b is None and not (of_a or of_b):
        raise SettingError(
            "nothing to compare with: give a second folder, or tracks by --a KEY=VALUE and --b KEY=VALUE"
        )
    with progress(silent=quiet) as tell:
        tell("reading")
        alone = b is None
        sides = Side.of(a, of_a, alone=alone), Side.of(a if b is None else b, of_b, alone=alone)
        found = write_comparison(*sides, out, replicates=replicates, seed=seed, tell=tell)
    say_json(found.data) if as_json else say_lines(found.lines)

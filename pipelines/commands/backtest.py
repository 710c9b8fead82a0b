"""The command `backtest`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from diffusion import SettingError, open_charts
from pipelines.commands.options import JSON, OUT, QUIET, READING_OPTIONS, SEED, take_reading, with_options
from pipelines.commands.screen import say_json, say_lines
from pipelines.formatting import records
from pipelines.progress import progress


@click.command("backtest")
@click.argument("charts")
@OUT
@click.option(
    "--horizon", type=click.IntRange(min=1), help="Days within which entries count (default 60; weekly charts 56)."
)
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model, such as graph; repeatable.")
@click.option(
    "--folds", type=click.IntRange(min=1), default=3, show_default=True, help="Later times tested, one by one."
)
@click.option(
    "--sample-tracks",
    type=click.IntRange(min=0),
    default=10_000,
    show_default=True,
    help="Tracks drawn at random, for fits and tests; 0 takes all.",
)
@click.option(
    "--cluster",
    type=click.Choice(["artist and debut", "artist"]),
    default="artist and debut",
    show_default=True,
    help="What intervals take as independent.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the random numbers.")
@click.option(
    "--threads", type=click.IntRange(min=1), default=2, show_default=True, help="Threads of the boosted models."
)
@click.option(
    "--protocol-truth",
    "truth",
    type=click.Path(path_type=Path),
    metavar="TRUTH",
    help="Instead: fit on the training rows of this Parquet file, and write predictions for its test rows.",
)
@click.option("--all-models", is_flag=True, help="With --protocol-truth: all models (default: the default forecaster).")
@with_options(READING_OPTIONS)
@QUIET
@JSON
def backtest_command(
    charts: str,
    out: Path,
    models: tuple[str, ...],
    truth: Path | None,
    all_models: bool,
    quiet: bool,
    as_json: bool,
    **plan: Any,
) -> None:
    """Hold forecasts of where the tracks of CHARTS go next against what came of them.

    Models are fitted on tracks whose horizon was over before a time begins, and tested on the tracks that debut in it,
    some days after their debut. All models stand in one table, with intervals and the gain over the best simple
    baseline. A run that was stopped goes on where it stopped.

    With --protocol-truth TRUTH, a table of track_id, market, debut, part (train or test), entered and days, models are
    fitted on its training rows and OUT has predictions.parquet: track_id, market, p_enter, expected_days of every test
    row, as of its debut. Of test rows, entered and days are not read.
    """
    if all_models and (truth is None or models):
        raise SettingError("--all-models goes with --protocol-truth, and without --model")
    reading = take_reading(plan)
    with progress(silent=quiet) as tell, open_charts(charts, **reading) as opened:
        if truth is not None:
            found, lines = _protocol(opened, out, truth, models, all_models, plan, tell)
        else:
            found, lines = _comparison(opened, out, models, plan, tell)
    say_json(found) if as_json else say_lines(lines)


def _protocol(
    charts: Any, out: Path, truth: Path, models: tuple[str, ...], all_models: bool, plan: dict[str, Any], tell: Any
) -> tuple[dict[str, Any], list[str]]:
    """Write predictions; return what was done as data and in words."""
    from pipelines.backtest.contenders import CONTENDERS, DEFAULT
    from pipelines.backtest.protocol import predict_truth

    named = [contender.name for contender in CONTENDERS] if all_models else list(models or (DEFAULT,))
    chosen = {name: plan[name] for name in ("horizon", "seed", "threads")}
    told = predict_truth(charts, truth, out, models=named, tell=tell, **chosen)
    return asdict(told), told.lines()


def _comparison(
    charts: Any, out: Path, models: tuple[str, ...], plan: dict[str, Any], tell: Any
) -> tuple[dict[str, Any], list[str]]:
    """Write a backtest; return its scores as data and in words."""
    from pipelines.backtest.comparison import summary_lines, write_backtest
    from pipelines.backtest.panel import Plan
    from pipelines.backtest.report import Wanted

    settings = Plan(plan["horizon"], plan["folds"], plan["sample_tracks"] or None, plan["seed"], plan["threads"])
    made = write_backtest(charts, out, settings, Wanted(models or None, plan["cluster"]), tell=tell)
    return made.notes | {"scores": records(made.tables["backtest_scores"])}, summary_lines(made)

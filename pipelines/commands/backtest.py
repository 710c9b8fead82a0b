"""The command `backtest`."""

from dataclasses import asdict
from pathlib import Path

import click

from diffusion import SettingError, open_charts
from pipelines.commands.options import COLUMN, JSON, OUT, column_names
from pipelines.folders.manifest import to_json
from pipelines.progress import progress


@click.command("backtest")
@click.argument("charts")
@OUT
@click.option(
    "--protocol-truth",
    "truth",
    type=click.Path(path_type=Path),
    metavar="TRUTH",
    help="Fit on the training rows of this Parquet file and predict its test rows.",
)
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model; repeatable.")
@click.option("--all-models", is_flag=True, help="With --protocol-truth: all models, not only the default forecaster.")
@click.option("--horizon", type=click.IntRange(min=1), help="Days within which entries count.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the random numbers.")
@COLUMN
@JSON
def backtest_command(
    charts: str,
    out: Path,
    truth: Path | None,
    models: tuple[str, ...],
    all_models: bool,
    horizon: int | None,
    seed: int,
    columns: tuple[str, ...],
    as_json: bool,
) -> None:
    """Hold forecasts of where the tracks of CHARTS go next against what came of them."""
    from pipelines.backtest.contenders import CONTENDERS, DEFAULT
    from pipelines.backtest.protocol import predict_truth

    if truth is None:
        raise SettingError("not yet")
    named = [contender.name for contender in CONTENDERS] if all_models else list(models or (DEFAULT,))
    with progress() as tell, open_charts(charts, columns=column_names(columns) or None) as opened:
        told = predict_truth(opened, truth, out, models=named, horizon=horizon, seed=seed, tell=tell)
    if as_json:
        click.echo(to_json(asdict(told)).decode().rstrip("\n"))
    else:
        click.echo("\n".join(told.lines()))

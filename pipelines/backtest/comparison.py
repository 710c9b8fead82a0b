"""`backtest`: all models in one table, on several later times, with what they draw on and where they err."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from diffusion import Charts
from diffusion.contracts import Contract
from pipelines.backtest.contenders import CONTENDERS, contenders
from pipelines.backtest.jobs import VERSION, Jobs
from pipelines.backtest.panel import Panel, Plan, digest
from pipelines.backtest.report import ALL, Comparison, Wanted
from pipelines.contracts import backtest as contracts
from pipelines.features.history import History
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.progress import Report, quiet

STEP: Final = "backtest"


@dataclass(frozen=True, slots=True)
class Backtest:
    """The tables of a backtest, by name, as `pipelines.contracts.backtest` describes them; and what it was made on.

    Attributes
    ----------
    tables
        Name → table.
    notes
        Horizon, points, folds, tracks, models and seconds.
    """

    tables: dict[str, pd.DataFrame]
    notes: dict[str, Any]


def write_backtest(
    charts: Charts,
    place: str | Path,
    plan: Plan,
    wanted: Wanted,
    *,
    tell: Report = quiet,
) -> Backtest:
    """Write a backtest into a folder and return its tables.

    Every fit is kept as soon as it is made: a run that was stopped goes on, and changed charts or settings make it
    anew.

    Parameters
    ----------
    charts
        Charts.
    place
        Folder for the tables, figures, ``predictions/`` (of every fit) and the manifest.
    plan
        Horizon, folds and sample of tracks.
    wanted
        Models and intervals.
    tell
        Function that is told the progress.

    Raises
    ------
    SettingError
        When a setting is out of range or a model unknown.
    DataSaysNoError
        When the charts are too short.
    OutputError
        When the folder cannot be written.
    """
    chosen = contenders(wanted.models)
    tell("reading charts")
    history = History.of(charts, charts.entries())
    panel = Panel.of(history, plan, tell=tell)
    settings = {name: value for name, value in asdict(plan).items() if name != "threads"}
    inputs = {"charts": digest(history), **settings, "features": panel.examples.names}
    jobs = Jobs(panel, Path(place), inputs, seed=plan.seed, threads=plan.threads)
    report = Comparison(panel, jobs, chosen, plan, wanted)
    asked = report.jobs()
    left = jobs.left(asked)
    for number, job in enumerate(left):
        tell(f"fitting {job.name}", number / len(left))
        jobs.make(job)
    found = report.tables(tell)
    notes = report.notes()
    with Folder(place) as folder:
        folder.begin(STEP, fingerprint(STEP, VERSION, inputs, asdict(wanted)), parameters=settings, notes=notes)
        for name, table in found.items():
            folder.put_table(STEP, f"{name}.parquet", _CONTRACTS[name].conform(pa.Table.from_pandas(table)))
        for name, content in _figures(found, wanted.cluster).items():
            folder.put(STEP, f"figures/{name}.svg", content)
    return Backtest(found, notes)


_CONTRACTS: Final[dict[str, Contract]] = {
    contract.name: contract
    for contract in (
        contracts.BACKTEST_SCORES,
        contracts.BACKTEST_CALIBRATION,
        contracts.BACKTEST_MARKETS,
        contracts.BACKTEST_LEARNING,
        contracts.BACKTEST_ABLATION,
        contracts.BACKTEST_IMPORTANCE,
    )
}


def summary_lines(backtest: Backtest) -> list[str]:
    """Return what a backtest found, in words: the models on all folds, looked at on the debut."""
    notes = backtest.notes
    scores = backtest.tables["backtest_scores"]
    rows = scores[(scores["fold"] == ALL) & (scores["point"] == 0)]
    shown = ("pooled_recall@5", "recall@5", "ndcg@5", "average_precision", "brier_skill", "auc")
    wide = rows[rows["metric"].isin(shown)].pivot_table("value", "model", "metric")
    order = [contender.name for contender in CONTENDERS if contender.name in wide.index]
    lines = [
        f"tested    {notes['tracks']:,} tracks, {notes['features']} features, entries within {notes['horizon']} days",
        *(
            f"fold {fold['fold']}    debuts {fold['debuts']}: {fold['training_tracks']:,} tracks fitted on, "
            f"{fold['tested_tracks']:,} tested"
            for fold in notes["folds"]
        ),
        f"{'model':<13}" + "".join(f"{name:>19}" for name in shown),
    ]
    return lines + [f"{name:<13}" + "".join(f"{wide.loc[name, each]:>19.3f}" for each in shown) for name in order]


def _figures(found: dict[str, pd.DataFrame], cluster: str) -> dict[str, bytes]:
    """Return name → SVG."""
    import figures

    scores = found["backtest_scores"]
    models = [contender.name for contender in CONTENDERS if contender.name in set(scores["model"])]
    drawn = {
        "forecast_scores": figures.forecast_scores(scores[(scores["fold"] == ALL) & (scores["point"] == 0)]),
        "forecast_calibration": figures.calibration(
            _last_first(found["backtest_calibration"], models), cluster=cluster
        ),
        "market_errors": figures.market_errors(found["backtest_markets"], model=models[-1]),
    }
    if "backtest_learning" in found:
        drawn["learning_curves"] = figures.learning_curves(found["backtest_learning"])
        drawn["ablation"] = figures.ablation(found["backtest_ablation"])
        drawn["importance"] = figures.feature_importance(found["backtest_importance"])
    return {name: figures.render(figure, "svg") for name, figure in drawn.items()}


def _last_first(table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a table in the opposite order of models, because only the first few are drawn."""
    order = list(reversed(models))
    return table.sort_values("model", key=lambda names: names.map(order.index), kind="stable")

"""Scores of models with their intervals, a panel per metric."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.style import BLUE, INNER, TEXT_SIZE, Page, applied
from figures.page.text import shortened

METRICS: Final = {
    "pooled_recall@5": "Pooled recall at 5",
    "recall@5": "Recall at 5",
    "ndcg@5": "ndcg at 5",
    "ndcg@5_after_first_period": "ndcg at 5, later entries",
    "average_precision": "Average precision",
    "brier_skill": "Brier skill",
    "auc": "AUC",
    "log_loss_skill": "Log-loss skill",
    "capture_best_5n": "Entries in the best 5 n",
    "timing_skill": "Timing skill",
}
"""Metric → title."""

SHOWN: Final = ("pooled_recall@5", "ndcg@5", "average_precision", "brier_skill")
"""Metrics drawn by default."""

MODELS: Final = 20
"""Models drawn at most."""

_ROW: Final = 0.19
"""Height of a model's row in inches."""


def forecast_scores(
    table: pd.DataFrame, *, metrics: Sequence[str] = SHOWN, title: str = "Which forecasts come true"
) -> Figure:
    """Return the scores of forecasts with their intervals, a panel per metric, a row per model.

    Table: `forecast_scores` of a study; or `backtest_scores` of `chart-diffusion backtest`.

    Parameters
    ----------
    table
        One row per model and metric: `model`, `metric`, `value`, `low`, `high` (95 % interval). Models are in order of
        appearance; the first 20 are drawn.
    metrics
        Names of `METRICS` (default: `SHOWN`).
    title
        Title; markup in it has no effect.

    Raises
    ------
    DataSaysNoError
        When none of the metrics is known.
    SettingError
        When a metric is unknown, a column is missing, or a model has two rows for a metric.

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["rate", "graph"], "metric": "ndcg@5", "value": [0.2, 0.5],
    ...     "low": [0.18, 0.48], "high": [0.22, 0.52]})
    >>> [tick.get_text() for tick in forecast_scores(table, metrics=["ndcg@5"]).axes[0].get_yticklabels()]
    ['rate', 'graph']
    """
    rows = scores_of(table, "backtest_scores", "model", metrics)
    models = list(rows["model"].unique())[:MODELS]
    with applied():
        return _drawn(rows, models, metrics, title)


def scores_of(
    table: pd.DataFrame, name: str, key: str, metrics: Sequence[str], *, numbers: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the rows of the metrics drawn, checked: `key` (a text), `numbers`, `metric`, `value`, `low`, `high`.

    Key and numbers occur once for each metric.
    """
    strange = [metric for metric in metrics if metric not in METRICS]
    if strange or not metrics:
        raise SettingError(f"metrics are {', '.join(METRICS)}; got '{', '.join(map(str, strange))}'")
    rows = checked(table, name, texts=[key, "metric"], numbers=[*numbers, "value", "low", "high"])
    rows = rows[rows["metric"].isin(metrics)]
    if rows["value"].isna().all():
        raise DataSaysNoError(f"there is nothing to draw; the table '{name}' has no value of {', '.join(metrics)}")
    if rows.duplicated([key, *numbers, "metric"]).any():
        raise SettingError(
            f"the table '{name}' has more than one row for a {' with '.join([key, *numbers])} and a metric"
        )
    return rows


def _drawn(rows: pd.DataFrame, models: list[str], metrics: Sequence[str], title: str) -> Figure:
    columns = min(len(metrics), 2)
    lines = -(-len(metrics) // columns)
    height = (0.55 + _ROW * max(len(models), 3)) * lines
    page = Page(title, ["Lines: 95 % intervals, for each model by itself."], height=height)
    figure = page.constrain()
    axes = list(figure.subplots(lines, columns, sharey=True, squeeze=False).flat)
    for ax, metric in zip(axes, metrics, strict=False):
        part = rows[rows["metric"] == metric].set_index("model").reindex(models)
        _panel(ax, part, METRICS[metric])
    for ax in axes[len(metrics) :]:
        ax.set_axis_off()
    names = [shortened(model, size=TEXT_SIZE, room=INNER * 72 / 5) for model in models]
    for ax in axes[::columns]:
        ax.set_yticks(range(len(models)), names, parse_math=False)
        ax.set_ylabel("model")
    axes[0].set_ylim(max(len(models), 3) - 0.5, -0.5)
    return page.done()


def _panel(ax: Axes, part: pd.DataFrame, title: str) -> None:
    places = range(len(part))
    ax.hlines(places, part["low"], part["high"], color=BLUE, linewidth=1.3)
    ax.scatter(part["value"], places, color=BLUE, s=16, linewidth=0, zorder=3)
    ax.set_title(title)
    ax.set_xlabel("score")
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.grid(axis="x")

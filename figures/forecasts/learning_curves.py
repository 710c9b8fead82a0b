"""Scores by number of training tracks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from diffusion import SettingError
from figures.forecasts.scores import METRICS, SHOWN, scores_of
from figures.page.style import GROUP_STYLES, Page, applied
from figures.page.text import shortened


def learning_curves(
    table: pd.DataFrame, *, metrics: Sequence[str] = SHOWN, title: str = "What more training tracks are worth"
) -> Figure:
    """Return scores by number of training tracks, a panel per metric, a line per model.

    Table: `backtest_learning` of the folder that `chart-diffusion backtest` makes.

    Parameters
    ----------
    table
        One row per model, number of tracks and metric: `model`, `tracks`, `metric`, `value`, `low`, `high` (95 %
        interval). The first eight models are drawn.
    metrics
        Names of `figures.forecasts.scores.METRICS` (default: four of them).
    title
        Title; markup in it has no effect.

    Raises
    ------
    DataSaysNoError
        When none of the metrics is known.
    SettingError
        When a metric is unknown, a column is missing, a number of tracks is below 1 or occurs twice.

    Examples
    --------
    >>> table = pd.DataFrame({"model": "default", "tracks": [100, 200], "metric": "ndcg@5", "value": [0.4, 0.5],
    ...     "low": [0.38, 0.48], "high": [0.42, 0.52]})
    >>> learning_curves(table, metrics=["ndcg@5"]).axes[0].get_title(loc="left")
    'ndcg at 5'
    """
    rows = scores_of(table, "backtest_learning", "model", metrics, numbers=["tracks"])
    if not (rows["tracks"] >= 1).all():
        raise SettingError("the table 'backtest_learning' has a number of tracks below 1")
    with applied():
        return _drawn(rows, metrics, title)


def _drawn(rows: pd.DataFrame, metrics: Sequence[str], title: str) -> Figure:
    columns = min(len(metrics), 2)
    lines = -(-len(metrics) // columns)
    page = Page(title, ["Bands: 95 % intervals, for each point by itself."], height=1.9 * lines)
    figure = page.constrain()
    axes = list(figure.subplots(lines, columns, sharex=True, squeeze=False).flat)
    models = list(rows["model"].unique())[: len(GROUP_STYLES)]
    numbers = np.sort(rows["tracks"].unique())
    for ax, metric in zip(axes, metrics, strict=False):
        for model, (colour, dash) in zip(models, GROUP_STYLES, strict=False):
            part = rows[(rows["metric"] == metric) & (rows["model"] == model)].sort_values("tracks")
            ax.fill_between(part["tracks"], part["low"], part["high"], color=colour, alpha=0.15, linewidth=0)
            ax.plot(part["tracks"], part["value"], color=colour, linestyle=dash, marker="o", markersize=3)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(FixedLocator(list(numbers)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticks(numbers, [f"{number:,.0f}" for number in numbers])
        ax.set_title(METRICS[metric])
        ax.set_ylabel("score")
        ax.grid()
    for ax in axes[len(metrics) :]:
        ax.set_axis_off()
    for ax in axes[max(0, len(metrics) - columns) : len(metrics)]:
        ax.set_xlabel("training tracks")
    if len(models) > 1:
        handles = axes[0].get_lines()[: len(models)]
        labels = [shortened(model, size=7.5, room=120) for model in models]
        for text in axes[0].legend(handles, labels).get_texts():
            text.set_parse_math(False)
    return page.done()

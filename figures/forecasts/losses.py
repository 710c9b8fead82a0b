"""What is lost without a family of features, or when features are exchanged between tracks."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError, SettingError
from figures.forecasts.scores import METRICS, SHOWN, scores_of
from figures.page.checks import check_is_table, checked
from figures.page.style import BLUE, MUTED, TEXT_SIZE, Page, applied
from figures.page.text import shortened

FEATURES: Final = 25
"""Features drawn at most."""

_ROW: Final = 0.19
"""Height of a row in inches."""


def ablation(
    table: pd.DataFrame,
    *,
    metrics: tuple[str, ...] = SHOWN[:3],
    title: str = "What is lost without a family of features",
) -> Figure:
    """Return the change of scores when a model is fitted without a family of features, a panel per metric.

    Table: `backtest_ablation` of the folder that `chart-diffusion backtest` makes.

    Parameters
    ----------
    table
        One row per family left out and metric: `without` (empty for the model with all features; not drawn), `metric`,
        `change`, `change_low`, `change_high` (95 % interval, paired).
    metrics
        Names of `figures.forecasts.scores.METRICS`.
    title
        Title; markup in it has no effect.

    Raises
    ------
    DataSaysNoError
        When no family was left out.
    SettingError
        When a metric is unknown, a column is missing, or a family occurs twice.

    Examples
    --------
    >>> table = pd.DataFrame({"without": ["", "graph"], "metric": "ndcg@5", "change": [0.0, -0.05],
    ...     "change_low": [0.0, -0.07], "change_high": [0.0, -0.03]})
    >>> [tick.get_text() for tick in ablation(table, metrics=("ndcg@5",)).axes[0].get_yticklabels()]
    ['graph']
    """
    check_is_table(table, "losses")
    named = table.drop(columns=["value", "low", "high"], errors="ignore")
    named = named.rename(columns={"change": "value", "change_low": "low", "change_high": "high"})
    rows = scores_of(named[named["without"] != ""], "backtest_ablation", "without", metrics)
    first = rows[rows["metric"] == metrics[0]].sort_values("value", kind="stable")
    names = list(first["without"])
    with applied():
        page = Page(
            title,
            ["Lines: 95 % intervals, paired: the same tracks are scored."],
            height=0.6 + _ROW * max(len(names), 3),
        )
        figure = page.constrain()
        axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for ax, metric in zip(axes, metrics, strict=True):
            part = rows[rows["metric"] == metric].set_index("without").reindex(names)
            ax.hlines(range(len(names)), part["low"], part["high"], color=BLUE, linewidth=1.3)
            ax.scatter(part["value"], range(len(names)), color=BLUE, s=16, linewidth=0, zorder=3)
            _frame(ax, METRICS[metric], "change")
        _rows(axes[0], names, "family left out")
        return page.done()


def feature_importance(table: pd.DataFrame, *, title: str = "What the forecast draws on") -> Figure:
    """Return what is lost when the values of a family, or of a feature, are exchanged between tracks.

    Table: `backtest_importance` of the folder that `chart-diffusion backtest` makes.

    Parameters
    ----------
    table
        One row per family and feature: `kind` (``family`` or ``feature``), `name`, `log_loss` (skill lost). Drawn are
        families, and the features with the largest losses, 25 at most.
    title
        Title; markup in it has no effect.

    Raises
    ------
    DataSaysNoError
        When there is no row.
    SettingError
        When a column is missing, or a kind is unknown.

    Examples
    --------
    >>> table = pd.DataFrame({"kind": ["family", "feature"], "name": ["graph", "step_flow"], "log_loss": [0.1, 0.05]})
    >>> [ax.get_title(loc="left") for ax in feature_importance(table).axes]
    ['families', 'features']
    """
    rows = checked(table, "backtest_importance", texts=["kind", "name"], numbers=["log_loss"])
    if rows["log_loss"].isna().all():
        raise DataSaysNoError("there is nothing to draw; the table 'backtest_importance' has no known loss")
    strange = [kind for kind in rows["kind"].unique() if kind not in ("family", "feature")]
    if strange:
        raise SettingError(f"the table 'backtest_importance' has the kind '{strange[0][:40]}'; give family or feature")
    rows = rows.sort_values("log_loss", ascending=False, kind="stable")
    families, single = (rows[rows["kind"] == kind] for kind in ("family", "feature"))
    parts = [families, single[single["log_loss"] > 0].head(FEATURES)]
    sizes = [max(len(each), 2) for each in parts]
    with applied():
        page = Page(title, [], height=1.2 + _ROW * sum(sizes))
        axes = page.constrain().subplots(2, 1, sharex=True, height_ratios=sizes)
        for ax, part, name in zip(axes, parts, ("families", "features"), strict=True):
            ax.barh(np.arange(len(part)), part["log_loss"], color=BLUE, height=0.6)
            _frame(ax, name, "log-loss skill lost when its values are exchanged between tracks")
            _rows(ax, list(part["name"]), name)
        axes[0].set_xlabel("")
        return page.done()


def _frame(ax: Axes, title: str, unit: str) -> None:
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.set_title(title)
    ax.set_xlabel(unit)
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.grid(axis="x")


def _rows(ax: Axes, names: list[str], what: str) -> None:
    shown = [shortened(name, size=TEXT_SIZE, room=130) for name in names]
    ax.set_yticks(range(len(names)), shown, parse_math=False)
    ax.set_ylabel(what)
    ax.set_ylim(max(len(names), 2) - 0.5, -0.5)

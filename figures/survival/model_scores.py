"""Scores of models on later tracks, with intervals, a panel per measure."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.style import BLUE, INNER, MUTED, TEXT_SIZE, Page, applied, say_empty
from figures.page.text import shortened, wrapped
from figures.survival.confidence import confidence

_ROW: Final = 0.2
_MODELS: Final = 16
_PANELS: Final = 6

MEASURES: Final[dict[str, tuple[str, str, float | None]]] = {
    "brier_skill": ("Brier skill", "share of the error avoided", 0.0),
    "integrated_brier_skill": ("Integrated Brier skill", "share of the error avoided", 0.0),
    "brier": ("Brier score", "squared error (lower is better)", None),
    "auc": ("AUC", "pairs in the right order (share)", 0.5),
    "c_harrell": ("Harrell's C", "pairs in the right order (share)", 0.5),
    "c_uno": ("Uno's C", "pairs in the right order (share)", 0.5),
}
"""Measure → title, unit, and value of a model that knows nothing of single waits, if there is one."""


def model_scores(
    table: pd.DataFrame, *, title: str = "Which model predicts later tracks", cluster: str = "artist"
) -> Figure:
    """Return the scores of models with their intervals, a panel per measure.

    A line marks the value of a model that knows nothing of single waits: 0 for a skill, .5 for AUC and C.

    Parameters
    ----------
    table
        One row per model and measure: `model`, `measure` (`MEASURES`, or any other text), `value` (NaN where not
        defined), `low`, `high` (95 % interval, NaN where there is none). Measures and models are in order of
        appearance; the first six measures and 16 models are drawn.
    title
        Title; markup in it has no effect.
    cluster
        What the intervals take as independent: ``artist`` (default), ``track`` or ``independent``; for the note.

    Raises
    ------
    DataSaysNoError
        When no score is known.
    SettingError
        When a column is missing, a model has two rows for a measure, or a value is outside its interval.

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["cox", "cure"], "measure": "auc", "value": [0.7, 0.72],
    ...     "low": [0.66, 0.68], "high": [0.74, 0.76]})
    >>> [tick.get_text() for tick in model_scores(table).axes[0].get_yticklabels()]
    ['cox', 'cure']
    """
    rows = checked(table, "model_scores", texts=["model", "measure"], numbers=["value", "low", "high"])
    if rows["value"].isna().all():
        raise DataSaysNoError("there is no score to draw; the table 'model_scores' has none that is known")
    if rows.duplicated(["model", "measure"]).any():
        raise SettingError("the table 'model_scores' has more than one row for a model and measure; give it one day")
    if ((rows["value"] < rows["low"]) | (rows["value"] > rows["high"])).any():
        raise SettingError("the table 'model_scores' has a value outside its interval")
    measures, models = list(rows["measure"].unique()), list(rows["model"].unique())
    with applied():
        return _drawn(rows, measures[:_PANELS], models[:_MODELS], title, _notes(rows, measures, models, cluster))


def _drawn(rows: pd.DataFrame, measures: list[str], models: list[str], title: str, notes: list[str]) -> Figure:
    columns = 2 if len(measures) == 4 else min(len(measures), 3)
    lines = -(-len(measures) // columns)
    page = Page(title, notes, height=(0.75 + _ROW * max(len(models), 3)) * lines)
    figure = page.constrain()
    axes = list(figure.subplots(lines, columns, sharey=True, squeeze=False).flat)
    for ax, measure in zip(axes, measures, strict=False):
        room = (INNER * 72 - 140) / columns
        _panel(ax, rows[rows["measure"] == measure].set_index("model").reindex(models), measure, room)
    for ax in axes[len(measures) :]:
        ax.set_axis_off()
    names = [shortened(model, size=TEXT_SIZE, room=130) for model in models]
    for ax in axes[::columns]:
        ax.set_yticks(range(len(models)), names, parse_math=False)
        ax.set_ylabel("model")
    axes[0].set_ylim(max(len(models), 3) - 0.5, -0.5)
    return page.done()


def _panel(ax: Axes, rows: pd.DataFrame, measure: str, room: float) -> None:
    name, unit, nothing = MEASURES.get(measure, (measure, "score", None))
    places = np.arange(len(rows))
    ax.hlines(places, rows["low"], rows["high"], color=BLUE, linewidth=1.3)
    ax.scatter(rows["value"], places, color=BLUE, s=16, linewidth=0, zorder=3)
    if nothing is not None:
        ax.axvline(nothing, color=MUTED, linewidth=0.8)
    ax.set_title(shortened(name, size=8, room=room), parse_math=False)
    ax.set_xlabel("\n".join(wrapped(unit, size=TEXT_SIZE, room=room, lines=2)))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.margins(x=0.08)
    ax.grid(axis="x")
    ax.tick_params(axis="y", length=0, labelsize=TEXT_SIZE)
    ax.spines["left"].set_visible(False)
    if rows["value"].isna().all():
        ax.set_xlim(0, 1)
        say_empty(ax, "not defined")


def _notes(rows: pd.DataFrame, measures: list[str], models: list[str], cluster: str) -> list[str]:
    notes = ["Scored on waits of tracks that debuted after those that the models were fitted on, the same for all."]
    notes.append(confidence(rows, "Lines", cluster, each="score"))
    counts = {"measures": (len(measures), _PANELS), "models": (len(models), _MODELS)}
    cut = [f"the first {most} of {there} {noun}" for noun, (there, most) in counts.items() if there > most]
    notes.append(f"Drawn are {' and '.join(cut)}." if cut else "")
    return [" ".join(filter(None, notes))]

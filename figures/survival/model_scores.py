"""Scores of models on later tracks, with intervals, a panel per measure."""

from collections.abc import Sequence
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
"""Height of a model's row in inches."""

_MODELS: Final = 16
"""Models drawn at most."""

MEASURES: Final = {
    "brier_skill": ("Brier skill", "share of the error saved", 0.0),
    "integrated_skill": ("Integrated Brier skill", "share of the error saved", 0.0),
    "auc": ("AUC", "share of pairs in the right order", 0.5),
    "auc_gain": ("Gain of AUC", "beyond the reference", 0.0),
    "harrell_c": ("Harrell's C", "share of pairs in the right order", 0.5),
    "expected_observed": ("Expected over observed", "entries expected per entry", 1.0),
    "calibration_slope": ("Calibration slope", "below 1: predictions too extreme", 1.0),
}
"""Measure → title, unit, and the value at the line."""

SHOWN: Final = ("brier_skill", "auc", "expected_observed", "calibration_slope")
"""Measures drawn by default."""


def model_scores(
    table: pd.DataFrame,
    *,
    day: int,
    measures: Sequence[str] = SHOWN,
    title: str = "Which model predicts later tracks",
    cluster: str = "artist",
) -> Figure:
    """Return the scores of models with their intervals, a panel per measure.

    A line marks what a model should pass or meet: 0 for a skill, .5 for AUC and C, 1 for calibration.

    Table: `survival.compare`.

    Parameters
    ----------
    table
        One row per model and day: `model`, `day`, and of each measure its value and 95 % interval, such as `auc`,
        `auc_low`, `auc_high` (NaN where not defined). Models are in order of appearance; the first 16 are drawn.
    day
        Day whose rows are drawn.
    measures
        Names of `MEASURES` (default: `SHOWN`).
    title
        Title; markup in it has no effect.
    cluster
        What the intervals take as independent: ``artist`` (default), ``track`` or ``independent``; for the note.

    Raises
    ------
    DataSaysNoError
        When no score is known for the day.
    SettingError
        When a measure is unknown, a column is missing, a model has two rows for the day, or a value is outside its
        interval.

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["cox", "cure"], "day": 28, "auc": [0.7, 0.72], "auc_low": [0.66, 0.68],
    ...     "auc_high": [0.74, 0.76]})
    >>> [tick.get_text() for tick in model_scores(table, day=28, measures=["auc"]).axes[0].get_yticklabels()]
    ['cox', 'cure']
    """
    strange = [name for name in measures if name not in MEASURES]
    if strange or not measures:
        raise SettingError(f"measures are {', '.join(MEASURES)}; got '{', '.join(map(str, strange))}'")
    columns = [f"{name}{end}" for name in measures for end in ("", "_low", "_high")]
    rows = checked(table, "model_scores", texts=["model"], numbers=["day", *columns])
    rows = rows[rows["day"] == day]
    if rows[[*measures]].isna().all(axis=None):
        raise DataSaysNoError(f"there is no score to draw; the table 'model_scores' has none of day {day}")
    if rows["model"].duplicated().any():
        raise SettingError(f"the table 'model_scores' has more than one row for a model on day {day}")
    panels = {name: _bounds(rows, name) for name in measures}
    with applied():
        return _drawn(panels, title, _notes(panels, day, cluster))


def _bounds(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return value, low and high of a measure by model."""
    names = {measure: "value", f"{measure}_low": "low", f"{measure}_high": "high"}
    part = rows.set_index("model")[[*names]].rename(columns=names)
    if ((part["value"] < part["low"]) | (part["value"] > part["high"])).any():
        raise SettingError(f"the table 'model_scores' has a value of '{measure}' outside its interval")
    return part


def _drawn(panels: dict[str, pd.DataFrame], title: str, notes: list[str]) -> Figure:
    models = [*next(iter(panels.values())).index][:_MODELS]
    columns = 2 if len(panels) in (2, 4) else min(len(panels), 3)
    lines = -(-len(panels) // columns)
    page = Page(title, notes, height=(0.75 + _ROW * max(len(models), 3)) * lines)
    figure = page.constrain()
    axes = list(figure.subplots(lines, columns, sharey=True, squeeze=False).flat)
    for ax, (measure, part) in zip(axes, panels.items(), strict=False):
        _panel(ax, part.loc[models], measure, room=(INNER * 72 - 140) / columns)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    names = [shortened(model, size=TEXT_SIZE, room=130) for model in models]
    for ax in axes[::columns]:
        ax.set_yticks(range(len(models)), names, parse_math=False)
        ax.set_ylabel("model")
    axes[0].set_ylim(max(len(models), 3) - 0.5, -0.5)
    return page.done()


def _panel(ax: Axes, rows: pd.DataFrame, measure: str, *, room: float) -> None:
    name, unit, line = MEASURES[measure]
    places = np.arange(len(rows))
    ax.hlines(places, rows["low"], rows["high"], color=BLUE, linewidth=1.3)
    ax.scatter(rows["value"], places, color=BLUE, s=16, linewidth=0, zorder=3)
    ax.axvline(line, color=MUTED, linewidth=0.8)
    ax.set_title(name)
    ax.set_xlabel("\n".join(wrapped(unit, size=TEXT_SIZE, room=room, lines=2)))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.margins(x=0.08)
    ax.grid(axis="x")
    ax.tick_params(axis="y", length=0, labelsize=TEXT_SIZE)
    ax.spines["left"].set_visible(False)
    if rows["value"].isna().all():
        say_empty(ax, "not defined")


def _notes(panels: dict[str, pd.DataFrame], day: int, cluster: str) -> list[str]:
    notes = [f"Entries by day {day} of tracks that debuted after those that the models were fitted on."]
    notes.append(confidence(pd.concat([*panels.values()]), "Lines", cluster, each="score"))
    of = len(next(iter(panels.values())))
    if of > _MODELS:
        notes.append(f"Drawn are the first {_MODELS} of {of} models.")
    return [" ".join(filter(None, notes))]

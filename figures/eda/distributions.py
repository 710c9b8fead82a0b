"""How streams and audio features are distributed, and what goes with streams."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import BLUE, INK, MUTED, VERMILION, Page, applied, say_empty

_ROW: Final = 0.2
"""Height of a line of a list, in inches."""

_OVER: Final[dict[str, Any]] = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 2}
"""Place of a legend over axes, right of a short title."""

_MARKS: Final = (("o", BLUE, -0.14), ("s", VERMILION, 0.14))
"""Mark, colour and offset of each kind of value in a list."""


def streams_chart(histogram: pd.DataFrame, summary: pd.DataFrame, correlations: pd.DataFrame) -> Figure:
    """Return the distribution of log10 streams, and the correlations of variables with them.

    Table: `streams_histogram` and `streams_summary` of `pipelines.eda.distributions.stream_tables`, and
    `stream_correlations`, result of `pipelines.eda.correlations.correlations`; a study has them as tables.

    Parameters
    ----------
    histogram
        One row per class: `low`, `high` (log10 streams), `share`.
    summary
        One row per scale: `scale` (``streams``, ``log10 streams``), `chart_rows`, `median`, `q01`, `q99`, `skewness`.
    correlations
        One row per variable and scope: `variable`, `scope`, `correlation`, `low`, `high` (NaN for none).

    Raises
    ------
    DataSaysNoError
        When there are no streams.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> classes = pd.DataFrame({"low": [3.0, 3.1], "high": [3.1, 3.2], "share": [0.4, 0.6]})
    >>> scales = pd.DataFrame({"scale": ["streams", "log10 streams"], "chart_rows": 50, "median": [1300, 3.1],
    ...     "q01": [1000, 3.0], "q99": [1500, 3.2], "skewness": [2.0, 0.1]})
    >>> pairs = pd.DataFrame({"variable": "rank", "scope": ["over all rows", "above the chart's mean"],
    ...     "correlation": [-0.2, -0.8], "low": [-0.3, -0.9], "high": [-0.1, -0.7]})
    >>> [ax.get_title("left") for ax in streams_chart(classes, scales, pairs).axes]
    ['streams of a row', 'correlation with log streams']
    """
    classes = checked(histogram, "streams_histogram", numbers=["low", "high", "share"])
    numbers = ["chart_rows", "median", "q01", "q99", "skewness"]
    scales = checked(summary, "streams_summary", texts=["scale"], numbers=numbers).set_index("scale")
    pairs = checked(
        correlations, "stream_correlations", texts=["variable", "scope"], numbers=["correlation", "low", "high"]
    )
    if classes.empty or scales.empty:
        raise DataSaysNoError("there are no streams to draw; the table 'streams_histogram' is empty")
    logs = scales.loc["log10 streams"]
    notes = [
        f"{int(logs['chart_rows']):,} rows of markets. Lines: median, 1st and 99th percentile; skewness "
        f"{scales['skewness'].iloc[0]:.2g} of streams, {logs['skewness']:.2g} of their logarithms. Correlations are "
        "Pearson's, with 95 % intervals by artist; charts are ordered by streams, so those with rank are no finding."
    ]
    with applied():
        page = Page(
            "Streams, and what goes with them", notes, height=max(2.9, _ROW * pairs["variable"].nunique() + 0.9)
        )
        left, right = page.constrain().subplots(1, 2)
        left.bar(classes["low"], classes["share"], width=classes["high"] - classes["low"], align="edge", color=BLUE)
        for name, dash in (("q01", (0, (2, 2))), ("median", "solid"), ("q99", (0, (2, 2)))):
            left.axvline(logs[name], color=INK, linewidth=0.9, linestyle=dash)
        left.set(title="streams of a row", xlabel="streams (logarithmic)", ylabel="share of rows, per tenth of log10")
        left.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        left.xaxis.set_major_formatter(lambda power, _: _power(power))
        in_percent(left.yaxis)
        left.grid(axis="y")
        _listed(right, pairs, "variable", "scope", ("correlation", "low", "high"), {"loc": "best"})
        right.set(title="correlation with log streams", xlabel="Pearson's correlation")
        return page.done()


def _power(power: float) -> str:
    """Return a power of ten in figures, in millions from a million on."""
    return f"{10**power:,.0f}" if power < 6 else f"{10 ** (power - 6):,.0f} M"


def audio_chart(summary: pd.DataFrame, vif: pd.DataFrame) -> Figure:
    """Return median and middle half of each audio feature, per row and per track, and the variance inflation factors.

    Loudness (dB) and tempo (beats per minute) are not on the scale of the others and are told in the note.

    Table: `audio_summary` and `audio_vif` of `pipelines.eda.distributions.audio_tables`; a study has them as tables.

    Parameters
    ----------
    summary
        One row per feature and ``row`` or ``track``: `feature`, `per`, `median`, `q25`, `q75`.
    vif
        One row per feature: `feature`, `tracks`, `vif`, `vif_uncentred`.

    Raises
    ------
    DataSaysNoError
        When there is no feature.
    SettingError
        When a column is missing, or a factor is infinite.

    Examples
    --------
    >>> features = pd.DataFrame({"feature": "energy", "per": ["row", "track"], "median": [0.6, 0.5], "q25": [0.4, 0.3],
    ...     "q75": [0.8, 0.7]})
    >>> factors = pd.DataFrame({"feature": ["energy"], "tracks": [90], "vif": [2.5], "vif_uncentred": [19.0]})
    >>> [ax.get_title("left") for ax in audio_chart(features, factors).axes]
    ['audio features', 'variance inflation']
    """
    numbers = ["median", "q25", "q75"]
    features = checked(summary, "audio_summary", texts=["feature", "per"], numbers=numbers)
    factors = checked(vif, "audio_vif", texts=["feature"], numbers=["tracks", "vif", "vif_uncentred"])
    if features.empty:
        raise DataSaysNoError("there is no audio feature to draw; the table 'audio_summary' is empty")
    shared = features[~features["feature"].isin(["loudness", "tempo", "mode"])]
    others = features[features["feature"].isin(["loudness", "tempo"]) & (features["per"] == "track")]
    told = "; ".join(f"{row.feature} {row.median:.3g} ({row.q25:.3g} to {row.q75:.3g})" for row in others.itertuples())
    tracks = f"Factors over {int(factors['tracks'].max()):,} tracks with all features. " if len(factors) else ""
    notes = [
        f"Marks: median; lines: middle half. {tracks}Hollow factors are without an intercept and say little but that "
        f"means are far from 0.{f' Per track: {told}.' if told else ''}"
    ]
    with applied():
        page = Page("Audio features", notes, height=max(2.2, _ROW * features["feature"].nunique() + 0.9))
        left, right = page.constrain().subplots(1, 2)
        _listed(left, shared, "feature", "per", ("median", "q25", "q75"), _OVER)
        left.set(title="audio features", xlabel="0 … 1, as the source has it")
        _factors(right, factors)
        right.set(title="variance inflation", xlabel="1 / (1 − R²), logarithmic")
        return page.done()


def _factors(ax: Axes, factors: pd.DataFrame) -> None:
    if factors.empty:
        say_empty(ax, "fewer than two features vary")
        return
    places = np.arange(len(factors))
    ax.plot(factors["vif"], places, "o", color=BLUE, label="intercept", markersize=5)
    ax.plot(factors["vif_uncentred"], places, "o", color=MUTED, label="none", markersize=5, markerfacecolor="white")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if value in (2, 3, 5, 20, 30, 50) else "")
    ax.set_xlim(0.9, max(2.0, 1.2 * float(factors[["vif", "vif_uncentred"]].to_numpy().max())))
    _names(ax, factors["feature"].tolist())
    ax.legend(**_OVER)


def _listed(
    ax: Axes, table: pd.DataFrame, name: str, kind: str, values: tuple[str, str, str], legend: dict[str, Any]
) -> None:
    """Draw a list of names with a value and an interval for each kind."""
    names = table[name].drop_duplicates().tolist()
    for (label, own), (mark, colour, offset) in zip(table.groupby(kind, sort=False), _MARKS, strict=False):
        places = own[name].map(names.index).to_numpy() + offset
        value, low, high = (own[column].to_numpy() for column in values)
        ax.hlines(places, low, high, color=colour, linewidth=1.0)
        ax.plot(value, places, mark, color=colour, markersize=4, label=str(label))
    ax.axvline(0, color=INK, linewidth=0.6)
    _names(ax, names)
    if not table.empty:
        ax.legend(**legend)


def _names(ax: Axes, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x")

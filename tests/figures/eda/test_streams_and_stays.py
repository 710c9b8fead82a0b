"""Figures of looking at data in depth: what they draw of a table, and what they draw where there is little."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import figures
from diffusion import DataSaysNoError, SettingError

QUANTILES = ("q10", "q25", "median", "q75", "q90")


def profiles(points: Sequence[str] = ("entry", "best rank"), measures: Sequence[str] = ("rank",)) -> pd.DataFrame:
    rows = []
    for aligned in points:
        for measure in measures:
            for chart in range(0 if aligned == "entry" else -4, 5):
                value = 5 + 4.0 * abs(chart) if measure == "rank" else -0.1 * abs(chart)
                row = {
                    "aligned": aligned,
                    "measure": measure,
                    "charts": chart,
                    "followed": 30,
                    "on_chart": 0.9 ** abs(chart),
                }
                step = 3 if measure == "rank" else -0.05
                row["on_chart"] = 0.9 ** abs(chart)
                rows.append(row | {name: value + step * at for at, name in enumerate(QUANTILES)})
    return pd.DataFrame(rows, columns=["aligned", "measure", "charts", "followed", "on_chart", *QUANTILES])


def curves(groups: Sequence[str], share: str) -> pd.DataFrame:
    days = np.arange(6)
    falls = {"share": 0.8**days, "share_back": 0.3 * (1 - 0.8**days)}[share]
    own = pd.DataFrame({"length": days, "at_risk": 50 - days, share: falls, "low": 0.9 * falls, "high": 1.1 * falls})
    return pd.concat([own.assign(group=group) for group in groups])


GROUPS = ("all", "markets of the debut", "later markets")


def texts(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def test_tracks_off_the_chart_are_below_its_last_place() -> None:
    table = profiles(measures=("rank", "streams"))
    table.loc[table["charts"] > 2, ["median", "q75", "q90"]] = np.nan
    figure = figures.trajectory_profiles(table, depth=50, every="day")
    rank, _, _, _, streams, _ = figure.axes
    drawn = rank.lines[0].get_ydata()
    assert (np.asarray(drawn)[3:] > 50).all() and (np.asarray(drawn)[:3] <= 50).all()
    assert rank.get_ylim()[0] > 50 > rank.get_ylim()[1]
    assert streams.lines[0].get_ydata()[-1] == streams.get_ylim()[0]
    assert "30 at the entry, 30 at the best rank" in texts(figure)


def test_where_no_best_rank_was_followed_the_panel_says_so() -> None:
    figure = figures.trajectory_profiles(profiles(points=("entry",)), depth=50, every="week")
    assert [text.get_text() for text in figure.axes[3].texts] == ["none was followed"]
    with pytest.raises(DataSaysNoError, match="no trajectory was followed"):
        figures.trajectory_profiles(profiles(points=()), depth=50, every="day")


def test_groups_are_drawn_and_not_all_of_them_together() -> None:
    figure = figures.persistence_chart(curves(GROUPS, "share"), curves(GROUPS, "share_back"), every="day")
    left, right = figure.axes
    assert [line.get_label() for line in left.lines] == [line.get_label() for line in right.lines] == [*GROUPS[1:]]
    assert np.asarray(left.lines[0].get_ydata())[:2].tolist() == [1.0, 0.8]
    alone = figures.persistence_chart(curves(GROUPS[:1], "share"), None, every="day")
    assert [line.get_label() for line in alone.axes[0].lines] == ["all"]
    assert [text.get_text() for text in alone.axes[1].texts] == ["no first stay ended"]
    with pytest.raises(DataSaysNoError, match="no curve"):
        figures.persistence_chart(curves(GROUPS, "share").iloc[:0], None, every="day")


def correlations(variables: Sequence[str]) -> pd.DataFrame:
    rows = [
        {
            "variable": name,
            "scope": scope,
            "correlation": 0.1 * at,
            "low": 0.1 * at - 0.05,
            "high": np.nan if at else 0.2,
        }
        for at, name in enumerate(variables)
        for scope in ("over all rows", "above the chart's mean")
    ]
    return pd.DataFrame(rows)


CLASSES = pd.DataFrame({"low": [3.0, 3.1, 3.2], "high": [3.1, 3.2, 3.3], "share": [0.2, 0.5, 0.3]})
SCALES = pd.DataFrame(
    {
        "scale": ["streams", "log10 streams"],
        "chart_rows": 9,
        "median": [1400, 3.15],
        "q01": [1000, 3.0],
        "q99": [1900, 3.3],
    }
).assign(skewness=[2.0, 0.1])


def test_streams_and_correlations_are_drawn() -> None:
    figure = figures.streams_chart(CLASSES, SCALES, correlations(["rank", "energy", "tempo"]))
    left, right = figure.axes
    assert [bar.get_height() for bar in left.patches] == [0.2, 0.5, 0.3]
    assert [label.get_text() for label in right.get_yticklabels()] == ["rank", "energy", "tempo"]
    assert right.lines[0].get_xdata().tolist() == pytest.approx([0, 0.1, 0.2])
    with pytest.raises(DataSaysNoError, match="no streams"):
        figures.streams_chart(CLASSES[:0], SCALES, correlations(["rank"]))


FEATURES = pd.DataFrame({"feature": ["energy", "energy", "tempo", "tempo"], "per": ["row", "track"] * 2}).assign(
    median=[0.5, 0.6, 120, 121], q25=[0.4, 0.5, 100, 101], q75=[0.6, 0.7, 140, 141]
)
FACTORS = pd.DataFrame({"feature": ["energy", "tempo"], "tracks": 7, "vif": [1.5, 1.2], "vif_uncentred": [19.0, 16.0]})


def test_audio_features_are_drawn_and_tempo_is_told() -> None:
    figure = figures.audio_chart(FEATURES, FACTORS)
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["energy"]
    assert right.lines[0].get_xdata().tolist() == [1.5, 1.2]
    assert "tempo 121 (101 to 141)" in texts(figure)
    empty = figures.audio_chart(FEATURES, FACTORS[:0])
    assert [text.get_text() for text in empty.axes[1].texts] == ["fewer than two features vary"]
    with pytest.raises(DataSaysNoError, match="no audio feature"):
        figures.audio_chart(FEATURES[:0], FACTORS)
    with pytest.raises(SettingError, match="infinity"):
        figures.audio_chart(FEATURES, FACTORS.assign(vif=np.inf))

"""Figures of the first look at charts: what they draw, what they say, what they do with little."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

import figures
from diffusion import DataSaysNoError, SettingError
from tests.figures.test_figures import HOSTILE, drawn_texts, outside, overlaps, words

MONTHS = [f"{month:%b}" for month in pd.date_range("2021-01-01", periods=12, freq="MS")]
NAMES = {"entries": "entries per chart", "debut_travelled": "share of debuts that travel", "debut_further": "further"}
UNITS = {"entries": "relative", "debut_travelled": "share", "debut_further": "markets"}


def make_effects(measures: list[str], *, tested: bool = True, known: bool = True) -> pd.DataFrame:
    effect = np.sin(np.arange(12)) / 10
    parts = []
    for measure in measures:
        own = pd.DataFrame({"measure": measure, "name": MONTHS, "unit": UNITS.get(measure, "relative"),
                            "place": np.arange(1, 13), "level": 1 + effect, "effect": effect})  # fmt: skip
        parts.append(own.assign(low=effect - 0.05, high=effect + 0.05))
    table = pd.concat(parts, ignore_index=True)
    if not tested:
        table[["low", "high"]] = np.nan
    return table if known else table.assign(effect=np.nan)


def make_seasons(measures: list[str], q: float = 0.02) -> pd.DataFrame:
    return pd.DataFrame({"measure": measures, "repeats": 4, "q": q})


def make_days(measures: list[str], step: int = 1) -> pd.DataFrame:
    around = step * np.arange(-7 if step == 1 else -2, 8 if step == 1 else 3)
    parts = [pd.DataFrame({"measure": measure, "days": around, "ratio": 1 + around / 100}) for measure in measures]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(low=table["ratio"] - 0.1, high=table["ratio"] + 0.1)


def make_weeks(measures: list[str]) -> pd.DataFrame:
    rows = pd.DataFrame({"measure": measures, "market": "all", "holidays": 1200, "q": 0.0001})
    return pd.concat([rows, rows.assign(market="SE", holidays=9)], ignore_index=True)


def test_tested_effects_have_intervals_and_others_are_hollow() -> None:
    measures = [*UNITS]
    figure = figures.season_chart(make_effects(measures), make_seasons(measures), names=NAMES, title="Months")
    assert [ax.get_title(loc="left").split("\n")[0] for ax in figure.axes] == list(NAMES.values())
    assert figure.axes[0].get_title(loc="left").endswith("q = 0.02; repeats: 4")
    segments = [len(ax.collections[0].get_segments()) for ax in figure.axes
                if isinstance(ax.collections[0], LineCollection)]  # fmt: skip
    assert segments == [12, 12, 12]
    assert "Hollow" not in words(figure)
    few = make_effects(measures, tested=False)
    hollow = figures.season_chart(few, make_seasons(measures, np.nan), names=NAMES, title="Months")
    assert "not tested" in hollow.axes[0].get_title(loc="left")
    assert "Hollow: too few repeats to test." in words(hollow)
    assert "Lines" not in words(hollow)


def test_without_a_level_around_plain_means_are_drawn_and_named() -> None:
    plain = make_effects(["entries"], tested=False, known=False)
    figure = figures.season_chart(plain, make_seasons(["entries"], np.nan), names=NAMES, title="Months")
    line = figure.axes[0].lines[0]
    assert np.asarray(line.get_ydata()) == pytest.approx(plain["level"].to_numpy())
    assert "not adjusted" in figure.axes[0].get_ylabel()
    assert "Squares: plain means" in words(figure)
    assert "Points" not in words(figure)


@pytest.mark.parametrize("step", [1, 7])
def test_days_around_holidays_are_drawn_over_the_week_that_is_tested(step: int) -> None:
    measures = ["entries", "streams", "crossed"]
    figure = figures.holiday_chart(make_days(measures, step), make_weeks(measures), names=NAMES)
    assert len(figure.axes) == 3
    assert figure.axes[0].get_title(loc="left") == "entries per chart\nweek q < 0.001; holidays: 1,200"
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert ("0" in ticks, f"+{step}" in ticks, f"\N{MINUS SIGN}{step}" in ticks) == (True, True, True)
    assert not outside(figure)
    assert not overlaps(drawn_texts(figure))


def test_foreign_names_neither_leave_the_page_nor_cover_others() -> None:
    measures = ["entries", "debut_further"]
    names = {"entries": HOSTILE[:40], "debut_further": "further"}
    figure = figures.season_chart(make_effects(measures), make_seasons(measures), names=names, title=HOSTILE)
    assert not outside(figure)
    assert not overlaps(drawn_texts(figure))


def test_what_cannot_be_drawn_is_said() -> None:
    effects, seasons, days = make_effects(["entries"]), make_seasons(["entries"]), make_days(["entries"])
    with pytest.raises(DataSaysNoError, match="no season to draw"):
        figures.season_chart(effects[:0], seasons, names=NAMES, title="Months")
    with pytest.raises(DataSaysNoError, match="no holiday to draw"):
        figures.holiday_chart(days[:0], make_weeks(["entries"]), names=NAMES)
    with pytest.raises(SettingError, match="lacks unit"):
        figures.season_chart(effects.drop(columns="unit"), seasons, names=NAMES, title="Months")

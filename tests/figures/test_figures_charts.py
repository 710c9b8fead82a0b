"""The picture of which charts are there, how deep they are, and where they have holes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import figures
from diffusion import DataSaysNoError, SettingError
from tests.figures.test_figures import HOSTILE, drawn_texts, outside, overlaps, words


def make_cells(markets: list[str], count: int = 30, *, days: int = 1, **columns: Any) -> pd.DataFrame:
    """Return cells of whole charts of 50 ranks; `columns` replace whole columns."""
    starts = pd.date_range("2021-01-01", periods=count, freq=f"{days}D")
    parts = [pd.DataFrame({"chart": "top50", "market": market, "start": starts}) for market in markets]
    plain: dict[str, Any] = {"dates": 1, "expected": 1, "depth": 50.0, "missing": 0.0, "holes": 0}
    return pd.concat(parts, ignore_index=True).assign(**plain | columns)


def colours(figure: Figure) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the colours of the cells, (rows, stretches, 4)."""
    (image,) = figure.axes[0].get_images()
    return np.asarray(image.get_array())


def test_whole_charts_are_blue_holes_orange_and_absent_charts_hatched() -> None:
    cells = make_cells(["SE", "US"], 4)
    cells.loc[1, "dates"] = 0
    cells.loc[2, ["missing", "holes"]] = [0.8, 1]
    cells.loc[3, "depth"] = 10
    drawn = colours(figures.chart_calendar(cells.drop(7), days=1, deepest=50))
    assert drawn[0, 1, 3] == 0  # the hatched ground shows
    assert drawn[0, 2, 0] > drawn[0, 2, 2]
    assert all(drawn[0, at, 0] < drawn[0, at, 2] for at in (0, 3))
    assert drawn[0, 3, :3].sum() > drawn[0, 0, :3].sum()  # a shallow chart is paler
    assert drawn[1, 3].tolist() == [1, 1, 1, 1]  # after the market's last chart


def test_a_cell_with_some_dates_absent_is_paler() -> None:
    cells = make_cells(["SE"], 3, days=5, dates=[5, 2, 5], expected=5)
    figure = figures.chart_calendar(cells, days=5, deepest=50)
    assert colours(figure)[0, :, 3].tolist() == [1, 0.4, 1]
    assert "A cell is 5 days; it is paler where some of its dates have no chart." in words(figure)


def test_markets_of_several_charts_are_told_apart_and_a_long_list_is_cut() -> None:
    cells = pd.concat([make_cells(["SE", "Global"], 3), make_cells(["SE"], 3, chart="viral50")], ignore_index=True)
    figure = figures.chart_calendar(cells, days=1, deepest=50, most=2)
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names == ["Global (top50)", "Sweden (top50)"]
    assert "1 more rows are left out." in words(figure)


def test_launches_and_ends_are_dated_and_gaps_stale_and_shallow_charts_marked() -> None:
    cells = make_cells(["SE", "US", "NO"], 90)
    late = (cells["market"] == "SE") & (cells["start"] < pd.Timestamp("2021-03-01"))
    events = pd.DataFrame(
        [
            ("SE", "launch", "2021-01-01", "2021-02-28"),
            ("US", "drop-out", "2021-01-10", "2021-02-20"),
            ("US", "stale", "2021-03-01", "2021-03-02"),
            ("NO", "shallow", "2021-01-05", "2021-01-05"),
            ("XX", "stale", "2021-01-05", "2021-01-05"),
        ],
        columns=["market", "event", "first_date", "last_date"],
    )
    figure = figures.chart_calendar(cells[~late], days=1, deepest=50, events=events)
    assert "from 2021-03-01" in words(figure)
    assert all(word in words(figure) for word in ("long gap", "stale: as the chart before", "shallow for this chart"))
    rows = {tick.get_text(): place for place, tick in enumerate(figure.axes[0].get_yticklabels())}
    lines = [(line.get_ydata()[0], np.ptp(line.get_xdata())) for line in figure.axes[0].lines]
    assert sorted(round(y, 2) for y, _ in lines) == sorted(
        [rows["United States"] - 0.38, rows["United States"] + 0.38, rows["United States"], rows["Norway"] + 0.38]
    )
    assert max(across for _, across in lines) == 42  # days of the gap
    plain = figures.chart_calendar(cells, days=1, deepest=50)
    assert "stale" not in words(plain)
    assert "270 charts; 0 are missing" in words(plain)


def test_events_without_dates_are_refused() -> None:
    with pytest.raises(SettingError, match="the table 'events' lacks first_date, last_date"):
        figures.chart_calendar(
            make_cells(["SE"]), days=1, deepest=50, events=pd.DataFrame({"market": ["SE"], "event": "end"})
        )


@pytest.mark.parametrize("count", [1, 12, 69])
def test_no_text_is_cut_or_covered(count: int) -> None:
    markets = [f"X{n}" for n in range(count)]
    names = {market: HOSTILE[:40] if n % 7 == 3 else f"Market {n}" for n, market in enumerate(markets)}
    cells = make_cells(markets, 200, holes=1, missing=0.3)
    figure = figures.chart_calendar(cells, days=1, deepest=200, names=names)
    assert outside(figure) == []
    assert overlaps(drawn_texts(figure)) == []


def test_what_cannot_be_drawn_is_said() -> None:
    cells = make_cells(["SE"], 3)
    with pytest.raises(DataSaysNoError, match="no chart to draw"):
        figures.chart_calendar(cells[:0], days=1, deepest=1)
    with pytest.raises(SettingError, match="lacks start"):
        figures.chart_calendar(cells.drop(columns="start"), days=1, deepest=1)
    with pytest.raises(SettingError, match="two rows"):
        figures.chart_calendar(pd.concat([cells, cells]), days=1, deepest=1)

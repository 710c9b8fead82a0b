"""Columns of the user's own: what counts on a day, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from diffusion import SettingError, open_charts
from pipelines.features.history import History
from pipelines.features.own import Own, OwnColumns
from pipelines.features.scene import EntryIndex, Scene
from tests.conftest import WriteCsv, day, steady

ENTRIES = {"Norway": {"A": 4, "B": 3}, "Sweden": {"A": 2, "B": 2}, "USA": {"B": 2}}
NO, SE, US = range(3)


@pytest.fixture
def small(write_csv: WriteCsv) -> History:
    charts = open_charts(write_csv(steady(10, ENTRIES)))
    return History.of(charts, charts.entries(washout=1))


def table(*rows: tuple[str, str | None, int, float]) -> pd.DataFrame:
    """Return a table of spend from (track, market, day on which it is known, spend)."""
    frame = pd.DataFrame(rows, columns=["track_id", "market", "known", "spend"])
    return frame.assign(known=[day(number).isoformat() for number in frame["known"]])


def seen(history: History, frame: pd.DataFrame, number: int) -> dict[str, NDArray[np.float32]]:
    """Return track → (m,) spend as of day `number`."""
    at = history.first_day + number
    known = history.until(at)
    track = np.arange(len(known.tracks))
    values = Own(OwnColumns.of(frame)).observe(known, Scene.of(known, EntryIndex.of(history), at, track))["own_spend"]
    return dict(zip(known.tracks["track_id"], values, strict=True))


def test_a_row_counts_from_the_day_on_which_it_is_known(small: History) -> None:
    frame = table(("A", None, 5, 7.0))
    assert np.isnan(seen(small, frame, 4)["A"]).all()
    assert (seen(small, frame, 5)["A"] == 7).all()
    assert np.isnan(seen(small, frame, 9)["B"]).all()


def test_rows_known_later_change_nothing_before(small: History) -> None:
    early = table(("A", None, 3, 1.0), ("B", "SE", 2, 2.0))
    both = pd.concat([early, table(("A", None, 7, 9.0), ("B", "SE", 8, 9.0))])
    for number in range(2, 7):
        before, after = seen(small, early, number), seen(small, both, number)
        assert all(np.array_equal(before[track], after[track], equal_nan=True) for track in before)


def test_the_latest_row_counts_and_one_of_a_market_before_one_of_all(small: History) -> None:
    frame = table(("A", None, 3, 1.0), ("A", "Sweden", 3, 2.0), ("A", "NO", 5, 3.0), ("A", None, 6, 4.0))
    assert seen(small, frame, 4)["A"].tolist() == [1, 2, 1]
    assert seen(small, frame, 5)["A"].tolist() == [3, 2, 1]
    assert seen(small, frame, 6)["A"].tolist() == [4, 4, 4]


def test_rows_of_other_tracks_and_markets_are_left_out(small: History) -> None:
    frame = table(("nobody", None, 2, 1.0), ("A", "BR", 2, 2.0), ("B", "US", 2, 3.0))
    found = seen(small, frame, 5)
    assert np.isnan(found["A"]).all()
    assert found["B"][US] == 3


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_files_are_read(tmp_path: Path, suffix: str) -> None:
    frame = table(("A", "SE", 2, 1.5), ("B", None, 3, np.nan)).assign(playlist=[True, False])
    path = tmp_path / f"own{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.assign(known=pd.to_datetime(frame["known"])).to_parquet(path)
    own = OwnColumns.read(path)
    assert own.names == ("spend", "playlist")
    assert own.track.tolist() == ["A", "B"]
    assert own.market.tolist() == ["SE", ""]
    assert np.array_equal(own.values, np.array([[1.5, 1], [np.nan, 0]], np.float32), equal_nan=True)


def test_a_state_restores_the_table(small: History) -> None:
    made = Own(OwnColumns.of(table(("A", None, 3, 1.0), ("A", "Sweden", 3, 2.0))))
    again = Own(OwnColumns.of(table(("B", None, 1, 1.0))))
    again.restore(made.state())
    at = small.first_day + 6
    scene = Scene.of(small.until(at), EntryIndex.of(small), at, np.arange(len(small.tracks)))
    one, two = (family.observe(small.until(at), scene)["own_spend"] for family in (made, again))
    assert np.array_equal(one, two, equal_nan=True)
    assert np.isfinite(one).any()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"track_id": ["A"], "spend": [1]}), "no column known"),
        (pd.DataFrame({"track_id": ["A"], "known": ["2021-01-01"]}), "no column of values"),
        (table(("A", None, 1, 1.0)).assign(known="soon"), "known is 'soon'; give a date"),
        (table(("A", "Swden", 1, 1.0)), "did you mean 'Sweden'"),
        (table(("A", None, 1, 1.0)).assign(spend="much"), "column 'spend' of the table has 'much'"),
        (table(("A", None, 1, np.inf)), "infinite"),
        (table(("A", "SE", 1, 1.0), ("A", "Sweden", 1, 2.0)), "two rows of track 'A', market 'SE'"),
        (table(("", None, 1, 1.0)), "row 1 of the table has no track_id"),
    ],
)
def test_what_cannot_be_right_is_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        OwnColumns.of(frame)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no file") as error:
        OwnColumns.read(tmp_path / "none.csv")
    assert "\n" not in str(error.value)

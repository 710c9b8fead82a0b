"""How tracks go through charts: by hand and against plain counts, and tests that are silent where there is nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from diffusion import Charts, DataSaysNoError, open_charts
from diffusion.conventions import FDR
from pipelines.eda.trajectories import (
    DIRECTION,
    SHAPES,
    STAYS,
    Ways,
    direction,
    profile_bands,
    returns_by_month,
    shape_of,
    shares,
    trajectory_tables,
    trajectory_tests,
)

START = pd.Timestamp("2021-01-01")
DAYS = 80
KM_TOLERANCE = 1e-12
"""Both sides multiply the same factors."""


def charts_of(tracks: Mapping[tuple[str, str, str], Mapping[int, int]], days: int = DAYS) -> Charts:
    """Return charts in which a track (market, id, artist) has the ranks of its days; a filler is always there."""
    rows = [
        (market, START + pd.Timedelta(days=day), track, artist, rank)
        for (market, track, artist), ranks in tracks.items()
        for day, rank in ranks.items()
    ]
    markets = sorted({market for market, *_ in tracks})
    dates = pd.date_range(START, periods=days)
    rows += [(market, date, f"old{market}", "old", 1) for market in markets for date in dates]
    table = pd.DataFrame(rows, columns=["market", "date", "track_id", "artist", "rank"])
    return open_charts(table.assign(title=table["track_id"]), accept=["holes"])


def tables_of(charts: Charts) -> dict[str, pd.DataFrame]:
    entries = charts.entries()
    return trajectory_tables(entries, charts.arrow("trajectories"), charts=40, days=40)


BY_HAND = {
    ("SE", "a", "A"): {40: 9},  # one chart
    ("SE", "b", "B"): {40: 2, 41: 3, 42: 4, 50: 5},  # falls; back after 8 days
    ("NO", "b", "B"): {43: 8, 44: 2, 45: 2, 46: 9},  # between
    ("NO", "c", "C"): {60: 5, 61: 4, 62: 3},  # climbs
    ("SE", "d", "D"): {70: 6, 71: 8, 72: 6},  # first and last
    ("SE", "e", "E"): {75: 7, 76: 6, 77: 5, 78: 6, 79: 7},  # goes on
    ("SE", "f", "F"): {5: 2, 40: 7},  # within the washout
}


def test_trajectories_are_what_they_are_by_hand() -> None:
    with charts_of(BY_HAND) as charts:
        tables = tables_of(charts)
    shape = tables["trajectory_shares"].query("what == 'shape' and group == 'all'").set_index("name")
    assert shape["trajectories"].unique().tolist() == [5]  # e goes on, f and the old are not timed
    assert shape["share"].to_dict() == dict.fromkeys(SHAPES, pytest.approx(1 / 5))
    spells = tables["trajectory_shares"].query("what == 'spells' and group == 'all'").set_index("name")["share"]
    assert spells.to_dict() == pytest.approx({"1": 4 / 5, "2": 1 / 5, "3 or more": 0})
    back = tables["trajectory_shares"].query("what == 'back' and group == 'all'").iloc[0]
    # a, and b in both markets, were followed for 28 days after their first stay
    assert (back["name"], back["trajectories"], back["share"]) == ("within 28 days", 3, pytest.approx(1 / 3))
    groups = tables["persistence_summary"].set_index("group")["trajectories"]
    assert groups.to_dict() == {"all": 6, "markets of the debut": 5, "later markets": 1}
    ends = tables["persistence"].query("group == 'all'").set_index("length")["ended"]
    assert ends[ends > 0].to_dict() == {1: 1, 3: 3, 4: 1}
    came = tables["comebacks"].query("group == 'all'").set_index("length")["ended"]
    assert came[came > 0].to_dict() == {8: 1}


def test_profiles_count_all_that_were_followed() -> None:
    with charts_of(BY_HAND) as charts:
        bands = profile_bands(charts.profiles(3)).query("aligned == 'entry'").set_index("charts")
    # a, b twice, c and d; e ends after 4 charts more, which are enough
    assert bands["followed"].unique().tolist() == [6]
    ranks = {0: [9, 2, 8, 5, 6, 7], 1: [np.inf, 3, 2, 4, 8, 6], 3: [np.inf, np.inf, 9, np.inf, np.inf, 6]}
    for offset, values in ranks.items():
        for name, level in (("q10", 0.1), ("median", 0.5), ("q90", 0.9)):
            expected = np.quantile(values, level, method="inverted_cdf")
            assert bands.loc[offset, name] == expected or (np.isnan(bands.loc[offset, name]) and np.isinf(expected))
    assert bands["on_chart"].tolist() == pytest.approx([1, 5 / 6, 5 / 6, 2 / 6])


def random_charts(seed: int, artists: int = 30) -> dict[tuple[str, str, str], dict[int, int]]:
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(120):
        for market in ("SE", "NO")[: rng.integers(1, 3)]:
            begin, length = int(rng.integers(0, DAYS)), int(rng.integers(1, 15))
            days = [day for day in range(begin, min(begin + length, DAYS)) if rng.random() > 0.15]
            if days:
                found[market, f"t{number}", f"A{number % artists}"] = {day: 2 + 2 * number + day % 2 for day in days}
    return found


def test_persistence_is_the_kaplan_meier_estimate_of_lifelines() -> None:
    with charts_of(random_charts(4)) as charts:
        tables, ways = tables_of(charts), Ways.of(charts.entries(), charts.arrow("trajectories")).table
    fitted = KaplanMeierFitter().fit(ways["first_charts"], ways["first_ended"])
    curve = tables["persistence"].query("group == 'all'")
    assert curve["share"].to_numpy() == pytest.approx(fitted.predict(curve["length"]).to_numpy(), abs=KM_TOLERANCE)
    gone = ways[ways["first_ended"]]
    fitted = KaplanMeierFitter().fit(gone["away"].fillna(gone["followed"]), gone["away"].notna())
    curve = tables["comebacks"].query("group == 'all'")
    expected = 1 - fitted.predict(curve["length"]).to_numpy()
    assert curve["share_back"].to_numpy() == pytest.approx(expected, abs=KM_TOLERANCE)


def test_charts_within_their_washout_have_no_timed_debut() -> None:
    with charts_of({("SE", "a", "A"): {3: 2, 4: 3}}, days=20) as charts, pytest.raises(DataSaysNoError, match="timed"):
        tables_of(charts)


def test_one_market_has_no_later_markets_and_nothing_to_compare() -> None:
    with charts_of({("SE", f"t{number}", "A"): {40 + number: 2} for number in range(12)}) as charts:
        tables = tables_of(charts)
    assert tables["persistence_summary"]["group"].tolist() == ["all", "markets of the debut"]
    assert tables["trajectory_tests"].empty and tables["returns_by_month"].empty


def ways_of(tracks: Sequence[Mapping[str, object]], cluster: Sequence[int], later: Sequence[bool] = ()) -> Ways:
    """Return trajectories, whose days are numbers; of markets of the debut, if nothing is said."""
    table = pd.DataFrame(tracks)
    for name in ("entry", "best_on", "best_until", "last_date", "first_until"):
        table[name] = START + pd.to_timedelta(table[name], unit="D")
    return Ways(table, np.asarray(cluster), np.array([*later] or [False] * len(table)))


def walk(rng: np.random.Generator, decays: bool, artist: float) -> dict[str, object]:
    """Return a trajectory at heights of a stationary process, so long as they are above a threshold.

    The process is a Gaussian autoregression, which is the same seen backwards; or one of rare jumps that die out.
    """
    while True:
        jumps = np.where(rng.random(260) < 0.006, 6.0, 0) + 0.1 * rng.normal(size=260)
        noise = jumps if decays else rng.normal(size=260)
        height = np.zeros(260)
        for at in range(1, 260):
            height[at] = 0.8 * height[at - 1] + noise[at]
        on = np.flatnonzero(height[60:] > 1.0 + artist) + 60
        if len(on) and on[0] > 61 and on[-1] < 258:
            best = on[height[on] == height[on].max()]
            return {
                "entry": on[0],
                "best_on": best[0],
                "best_until": best[-1],
                "last_date": on[-1],
                "right_censored": False,
                "one_chart": len(on) == 1,
                "first_until": on[0],
                "first_charts": int(rng.geometric(0.2 + 0.1 * artist)),
                "first_ended": True,
            }


def world(seed: int, *, decays: bool = False, longer: int = 0) -> Ways:
    """Return trajectories of 20 artists who differ, in markets of the debut and later ones."""
    rng = np.random.default_rng(seed)
    artist = np.repeat(np.arange(20), rng.integers(2, 8, 20))
    level = rng.random(20)
    tracks = [walk(rng, decays, level[own]) for own in artist]
    later = rng.random(len(tracks)) < 0.4
    for track, other in zip(tracks, later, strict=True):
        track["first_charts"] = int(track["first_charts"]) + longer * int(not other)  # type: ignore[call-overload]
    return ways_of(tracks, artist, later)


def test_a_shorter_rise_than_fall_is_found_and_so_is_a_longer_stay() -> None:
    found = trajectory_tests(world(1, decays=True, longer=4), 40).set_index("test")
    assert found.loc[DIRECTION, "value"] > 0.2 and found.loc[DIRECTION, "q"] < FDR
    assert 2 < found.loc[STAYS, "value"] < 6 and found.loc[STAYS, "q"] < FDR


@pytest.mark.slow
def test_nothing_is_found_where_there_is_no_direction_and_no_difference() -> None:
    found = pd.concat([trajectory_tests(world(seed), 40) for seed in range(150)])
    for name in (DIRECTION, STAYS):
        p = found.loc[found["test"] == name, "p"]
        assert len(p) == 150 and (p <= 0.05).mean() <= 0.10, (name, (p <= 0.05).mean())


def test_a_trajectory_backwards_has_the_opposite_direction() -> None:
    table = world(3).table
    assert direction(table).any()
    mirror = pd.DataFrame(
        {
            "entry": -table["last_date"].dt.dayofyear,
            "best_on": -table["best_until"].dt.dayofyear,
            "best_until": -table["best_on"].dt.dayofyear,
            "last_date": -table["entry"].dt.dayofyear,
        }
    ).apply(lambda days: START + pd.to_timedelta(days, unit="D"))
    assert (direction(mirror) == -direction(table)).all()
    backwards = shape_of(mirror.assign(one_chart=table["one_chart"]))
    counts = (np.bincount(shapes, minlength=len(SHAPES)) for shapes in (backwards, shape_of(table)))
    assert next(counts)[[0, 3, 2, 1, 4]].tolist() == next(counts).tolist()


def test_late_returns_are_counted_by_month() -> None:
    days = {"entry": 0, "best_on": 0, "best_until": 0, "last_date": 400, "first_until": 10}
    ways = ways_of([days | {"away": away} for away in (335, 335, 200, 20, np.nan)], range(5))
    months = returns_by_month(ways).set_index("month")
    assert months["returns"].unique().tolist() == [3]
    assert months["share"][months["share"] > 0].to_dict() == pytest.approx({12: 2 / 3, 7: 1 / 3})


def test_shares_of_groups_add_up_to_those_of_all() -> None:
    with charts_of(random_charts(7)) as charts:
        found = shares(Ways.of(charts.entries(), charts.arrow("trajectories")))
    for _, own in found.groupby(["what", "name"]):
        counts = (own["share"] * own["trajectories"]).round().to_numpy()
        assert counts[0] == counts[1:].sum()
    of_all = found.query("group == 'all' and what == 'shape'")
    assert of_all["share"].sum() == pytest.approx(1)
    assert (of_all["low"] <= of_all["share"]).all() and (of_all["share"] <= of_all["high"]).all()

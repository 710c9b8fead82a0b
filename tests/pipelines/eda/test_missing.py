"""What charts lack: stretches, events and missing values by hand, and ties and follow-up against what studies count."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given

from diffusion import open_charts
from pipelines.eda.missing import ALL, missing_dates, missing_effects, missing_tables, tied
from pipelines.eda.nulls import null_tables
from tests.conftest import WriteCsv, day, kaggle_rows
from tests.random_charts import Study, examples, studies

DAYS = 100
LOST = {
    "Sweden": {*range(20, 23), 50},
    "Norway": {*range(40), 50, 51},  # a launch
    "Finland": {*range(30, 65), *range(98, 100)},  # a drop-out; its last days are too few for an end
    "United States": {50},
}
SHALLOW, STALE = range(70, 75), 90


def rows() -> list[dict[str, Any]]:
    """Return charts of ten tracks, of which one alternates, with the dates above missing."""
    charts = {}
    for region, lost in LOST.items():
        for number in set(range(DAYS)) - lost:
            tracks = [f"old{place}" for place in range(9)] + [
                f"now{number // 2 * 2 if number == STALE + 1 else number}"
            ]
            charts[region, number] = tracks[:5] if region == "Sweden" and number in SHALLOW else tracks
    return kaggle_rows(charts)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    path = tmp_path_factory.mktemp("charts") / "charts.csv"
    pd.DataFrame(rows()).to_csv(path, index=False)
    with open_charts(path) as charts:
        return missing_tables(charts.entries(), horizon=30)


def stretches(table: pd.DataFrame, market: str) -> list[tuple[Any, ...]]:
    own = table[table["market"] == market]
    first, last = (own[name].sub(pd.Timestamp(day(0))).dt.days for name in ("first_date", "last_date"))
    return list(zip(first, last, own["dates"], own["elsewhere"], own["where"], own["long"], strict=True))


def test_stretches_without_charts_are_those_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["missing_dates"]
    assert stretches(table, ALL) == [(50, 50, 1, 0, "between", False)]
    assert stretches(table, "SE") == [(20, 22, 3, 3, "between", False), (50, 50, 1, 0, "between", False)]
    assert stretches(table, "NO") == [(0, 39, 40, 40, "before", True), (50, 51, 2, 1, "between", False)]
    assert stretches(table, "FI") == [(30, 64, 35, 34, "between", True), (98, 99, 2, 2, "after", False)]


def test_events_are_those_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    events = tables["coverage_events"]
    found = {
        (row.market, row.event): ((row.first_date - pd.Timestamp(day(0))).days, row.dates)
        for row in events.itertuples()
    }
    stale = {(market, "stale"): (STALE + 1, 1) for market in ("SE", "NO", "FI", "US")}
    assert found == {("NO", "launch"): (0, 40), ("FI", "drop-out"): (30, 35), ("SE", "shallow"): (70, 5)} | stale
    assert events.query("event == 'shallow'")["depth"].tolist() == [5]
    markets = tables["coverage_by_market"].set_index("market")
    columns = ["before", "between", "after", "drop_outs", "stale", "shallow"]
    assert markets.loc["FI", columns].tolist() == [0, 35, 2, 1, 1, 0]
    assert markets.loc["SE", columns].tolist() == [0, 4, 0, 0, 5, 5]  # the shallow ones are alike


@pytest.mark.parametrize("late", [0, 40])
@pytest.mark.parametrize("shallow", [range(0), range(70, 75)])
def test_kinds_of_events_that_are_not_there_are_missed_by_nobody(
    write_csv: WriteCsv, late: int, shallow: range
) -> None:
    first = {"Sweden": 0, "Norway": late}
    charts = {
        (region, number): [f"{region}{number}", *(["old"] if number not in shallow else [])]
        for region, start in first.items()
        for number in range(start, DAYS)
    }
    with open_charts(write_csv(kaggle_rows(charts))) as opened:
        events = missing_tables(opened.entries(), horizon=90)["coverage_events"]
    assert set(events["event"]) == ({"launch"} if late else set()) | ({"shallow"} if shallow else set())


@examples(15)
@given(drawn=studies())
def test_ties_are_those_of_the_study_divided_by_their_cause(drawn: Study) -> None:
    entries = drawn.open()
    one_day, gaps = tied(entries.timelines)
    assert 2 * int(one_day.sum() + gaps.sum()) == int(entries.ties()["joint"].sum())
    table = entries.to_pandas()
    table = table[~table["left_censored"]]
    timed = set(entries.debuts().query("~left_censored")["track_id"])
    pairs = table[table["track_id"].isin(timed)].merge(table, on="track_id")
    same = pairs[(pairs["market_x"] < pairs["market_y"]) & (pairs["entry_x"] == pairs["entry_y"])]
    assert int(one_day.sum()) == len(same)


@examples(15)
@given(drawn=studies())
def test_missing_dates_and_charts_make_up_the_calendar(drawn: Study) -> None:
    calendar = drawn.open().calendar
    table = missing_dates(calendar)
    for market, own in calendar.to_pandas().groupby("market"):
        lost = table[table["market"] == market]
        seen = {*own["date"]}
        for row in lost.itertuples():
            assert not any(row.first_date <= date <= row.last_date for date in seen)
    between = table[table["where"] == "between"].groupby("market")["dates"].sum()
    coverage = calendar.to_pandas()
    steps = (coverage["date"] - coverage["previous"]).dt.days.groupby(coverage["market"])
    usual = steps.agg(lambda own: own.mode().min())
    if (usual == calendar.cadence).all() and (steps.min() % calendar.cadence == 0).all():
        assert between.drop(ALL, errors="ignore").sum() == calendar.by_market()["missing"].sum()


def test_follow_up_is_that_of_the_waits_of_tracks_that_stay_out(write_csv: WriteCsv) -> None:
    with open_charts(write_csv(rows())) as charts:
        entries = charts.entries()
    effects = missing_effects(entries, horizon=30).set_index("effect")
    waits = entries.waits(horizon=30)
    timed = entries.debuts().query("~left_censored")
    followed = effects.loc[[name for name in effects.index if name.startswith("follow-up")]]
    assert int(followed["count"].sum()) == int(followed["of"].iloc[0])
    assert int(followed["of"].iloc[0]) == 4 * len(timed) - int(timed["footprint"].sum())
    stayed = waits[~waits["entered"]]
    whole = int((stayed["days"] == 30).sum())
    # every track of these charts enters all markets of its day at once, so that all waits are of tracks that stay out
    assert len(stayed) == len(waits)
    assert int(effects.loc["follow-up whole", "count"]) == whole


def test_missing_values_are_structural_or_real_as_by_hand() -> None:
    frame = pd.DataFrame(
        [
            (chart, market, day(number).isoformat(), rank, f"{chart}{rank}", None if rank == 2 else f"T{rank}", streams)
            for number in range(3)
            for chart, market, streams in (
                ("top200", "SE", 100), ("viral50", "SE", None), ("top200", "NO", None if number else 7),
                ("top200", "Global", 5),
            )
            for rank in (1, 2, 3)
        ],
        columns=["chart", "market", "date", "rank", "track_id", "title", "streams"],
    )  # fmt: skip
    frame.loc[(frame["market"] == "SE") & (frame["rank"] == 3) & (frame["chart"] == "top200"), "streams"] = None
    with open_charts(frame) as charts:
        tables = null_tables(charts.arrow("nulls"))
    long = tables["nulls"].set_index(["chart", "market", "column"])
    counts = ["chart_rows", "missing", "structural", "real", "kind"]
    assert long.loc[("top200", "SE", "streams"), counts].tolist() == [9, 3, 0, 3, "real"]
    assert long.loc[("top200", "NO", "streams"), counts].tolist() == [9, 6, 6, 0, "structural"]
    assert long.loc[("viral50", "SE", "streams"), counts].tolist() == [9, 9, 9, 0, "structural"]
    assert long.loc[("top200", "Global", "streams"), counts].tolist() == [9, 0, 0, 0, "none"]
    assert long.loc[("viral50", "SE", "title"), counts].tolist() == [9, 3, 0, 3, "real"]
    columns = tables["null_columns"].set_index(["chart", "column"])
    top = columns.loc[("top200", "streams")]
    assert (top["missing_share"], top["structural_share"], top["real_share"]) == (9 / 27, 6 / 27, 3 / 27)
    assert (top["cells"], top["structural_cells"], top["most_market"], top["most_year"]) == (3, 1, "SE", 2021)
    assert (columns["missing"] == columns["structural"] + columns["real"]).all()
    assert columns.loc[("viral50", "album"), "structural"] == 9

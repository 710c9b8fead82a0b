"""What is known when: a sample holds whole artists and recent charts, and what leaks is found in it."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pytest

import diffusion
from diffusion import Charts, Entries
from pipelines.contracts.leakage import LEAKAGE, LEAKAGE_COLUMNS
from pipelines.eda.leakage import HORIZON, Sample, audited, failed_of, families_of, sample, source_columns
from pipelines.eda.nulls import null_tables
from pipelines.features.history import History
from pipelines.features.registry import Family
from tests.pipelines.features.leaks import BestRank, HonestCounts, LaterMarkets, MarketsToCome


@pytest.fixture(scope="module")
def charts() -> Iterator[Charts]:
    with diffusion.open_sample() as opened:
        yield opened


@pytest.fixture(scope="module")
def entries(charts: Charts) -> Entries:
    return charts.entries(washout=7)


@pytest.fixture(scope="module")
def part(charts: Charts, entries: Entries) -> Sample:
    return sample(charts, entries.rules, entries.calendar.last_date, most=3_000)


def weekly(dates: "pd.Series[pd.Timestamp]") -> list[pd.Timestamp]:
    """Return the dates, from the last back, each a week or more before the one kept last."""
    kept = [dates.max()]
    for day in sorted(set(dates), reverse=True):
        if (kept[-1] - day).days >= 7:
            kept.append(day)
    return kept


def test_a_sample_has_all_recent_rows_of_its_artists(charts: Charts, part: Sample) -> None:
    history = part.history
    assert part.rows <= 3_000
    rows = charts.sql("SELECT market, date, rank, track_id, artist FROM observations JOIN tracks USING (track_id)")
    last = rows["date"].max()
    rows = rows[(rows["date"] >= pd.Timestamp(part.since)) & (rows["date"].isin(weekly(rows["date"])))]
    assert rows["date"].max() == last
    rows["artist"] = rows["artist"].str.split(",").str[0].str.strip().str.lower()
    assert rows["artist"].nunique() == part.artists_of_all
    kept = set(history.tracks["track_id"])
    own = rows[rows["artist"].isin(rows.loc[rows["track_id"].isin(kept), "artist"])]
    assert own["artist"].nunique() == part.artists
    assert len(own) == part.rows == len(history.positions.day)
    assert (part.until - part.since).days == 7 + 3 * HORIZON


def test_planted_leaks_are_found_and_honest_features_are_not(part: Sample) -> None:
    def make(read: History) -> list[Family]:
        return [LaterMarkets(read), MarketsToCome(), HonestCounts(), BestRank()]

    table = audited(part.history, make)
    LEAKAGE.conform(pa.Table.from_pandas(table, preserve_index=False))
    assert failed_of(table) == ["later_markets", "markets_to_come"]
    use = table.set_index("feature")["use"]
    assert use["later_markets"] == "never"
    assert use["artist_entries"] == "known as of the date, from charts up to it"
    assert use["best_rank"].endswith("not for ranks or streams of that date")
    families = families_of(table)
    assert (families["features"].sum(), families["same_day"].sum(), families["failed"].sum()) == (4, 1, 2)


def test_columns_say_when_they_are_known_and_what_shows_it() -> None:
    released = {1: "2020", 2: "2021-01-02", 3: "2020"}
    rows = [
        (market, f"2021-01-{number:02}", place, f"t{place}", f"T{place}", released[place], licences)
        for number in range(1, 4)
        for market in ("SE", "NO")
        for place, licences in ((1, "['SE', 'NO']"), (2, "['SE']"), (3, None))
    ]  # fmt: skip
    names = ["market", "date", "rank", "track_id", "title", "release_date", "available_markets"]
    with diffusion.open_charts(pd.DataFrame(rows, columns=names)) as opened:
        entries = opened.entries(washout=0)
        lacking = null_tables(opened.arrow("nulls"))["null_columns"]
        table = source_columns(opened.tracks(), entries, lacking, entries.calendar.chart)
    LEAKAGE_COLUMNS.conform(pa.Table.from_pandas(table, preserve_index=False))
    found = table.set_index("column")
    assert found.loc["release_date", "found"] == "1 of 3 dated tracks carry a release after their first chart"
    assert found.loc["licences", "found"] == "1 of 6 entries are into markets that the track's later list does not name"
    assert found["there"].loc[["rank", "title", "licences", "streams"]].tolist() == [1.0, 1.0, 1 - 1 / 3, 0.0]
    assert found.loc["popularity", "use"] == found.loc["trend", "use"] == found.loc["album", "use"] == "never"

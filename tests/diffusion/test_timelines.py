"""Entries as arrays hold what the entries' own relations say."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from diffusion import Entries, open_sample
from diffusion.timelines import NEVER


@pytest.fixture(scope="module")
def entries() -> Entries:
    """Entries of the packaged charts."""
    with open_sample() as charts:
        return charts.entries()


def days(dates: "pd.Series[pd.Timestamp]") -> list[int]:
    """Return dates as days since 1970-01-01."""
    return ((dates - pd.Timestamp(0)) // pd.Timedelta(days=1)).to_list()


def test_entries_come_back(entries: Entries) -> None:
    lines = entries.timelines
    frame = entries.to_pandas().sort_values(["track_id", "entry", "market"], ignore_index=True)
    assert lines.track_ids[lines.track].tolist() == frame["track_id"].to_list()
    assert np.array(lines.markets)[lines.market].tolist() == frame["market"].to_list()
    assert lines.day.tolist() == days(frame["entry"])
    known = frame["last_without"].notna().to_numpy()
    assert lines.last_without[known].tolist() == days(frame["last_without"].dropna())
    assert (lines.last_without[~known] == NEVER).all()
    assert lines.left_censored.tolist() == frame["left_censored"].to_list()
    assert np.diff(lines.starts).tolist() == frame.groupby("track_id").size().to_list()


def test_debuts_are_those_of_the_relation(entries: Entries) -> None:
    lines = entries.timelines
    debuts = entries.debuts().set_index("track_id").loc[list(lines.track_ids)]
    assert lines.debut.tolist() == days(debuts["debut"])
    assert lines.debut_censored.tolist() == debuts["left_censored"].to_list()
    timed = entries.to_pandas().merge(debuts["left_censored"].rename("censored_debut"), on="track_id")
    assert lines.timed.sum() == (~timed["left_censored"] & ~timed["censored_debut"]).sum()


def test_clusters_are_of_one_primary_artist(entries: Entries) -> None:
    lines = entries.timelines
    artist = entries.described.to_pandas().set_index("track_id")["artist"].reindex(lines.track_ids)
    primary = artist.str.split(",").str[0].str.strip().str.lower()
    key = primary.where(primary.fillna("") != "", pd.Series(lines.track_ids, artist.index))
    pairs = pd.DataFrame({"key": key.to_numpy(), "cluster": lines.cluster}).drop_duplicates()
    assert pairs["key"].is_unique and pairs["cluster"].is_unique
    assert sorted(pairs["cluster"]) == list(range(len(pairs)))
    assert len(pairs) < len(lines.track_ids)


def test_without_artists_every_track_is_a_cluster(entries: Entries) -> None:
    bare = Entries(entries.table, entries.calendar, entries.rules)
    assert len(set(bare.timelines.cluster)) == len(bare.timelines.track_ids)


def test_spans(entries: Entries) -> None:
    lines = entries.timelines
    spans = entries.calendar.spans()
    for row in spans.itertuples():
        market = np.array([lines.markets.index(row.market)] * 4)
        first, last = days(pd.Series([row.first_date, row.last_date]))
        found = lines.span_of(market, np.array([first - 1, first, last, last + 1]))
        assert found[1] == found[2] >= 0 and found[0] != found[1] and found[3] != found[2]
        assert lines.span_first[found[1]] == first


def test_no_entries_at_all(entries: Entries) -> None:
    none = Entries(entries.table.slice(0, 0), entries.calendar, entries.rules).timelines
    assert len(none.track_ids) == len(none.track) == 0 and none.starts.tolist() == [0]
    assert isinstance(entries.table, pa.Table)

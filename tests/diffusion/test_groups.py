"""Entries by groups of tracks: cohorts, and their graphs."""

from collections.abc import Iterator

import pandas as pd
import pytest

import diffusion
from diffusion import DataSaysNoError, Entries, SettingError
from diffusion.groups import groups_of
from graphs import market_graph, market_graphs


@pytest.fixture(scope="module")
def entries() -> Iterator[Entries]:
    """Entries of the packaged charts."""
    with diffusion.open_sample() as charts:
        yield charts.entries()


def test_entries_split_into_the_cohorts_of_their_groups(entries: Entries) -> None:
    tracks = entries.tracks()
    month = tracks["debut"].dt.month.where(tracks["footprint"] < 3)
    parts = entries.split(lambda table: table["debut"].dt.month.where(table["footprint"] < 3))
    assert list(parts) == ["3", "4", "5", "6"] or set(parts) == {str(int(number)) for number in month.dropna()}
    assert parts.not_grouped == int(month.isna().sum()) > 0
    for name, part in parts.items():
        chosen = entries.subset(tracks=tracks.loc[month == int(name), "track_id"])
        assert part.table.equals(chosen.table) and part.described.equals(chosen.described)
        assert part.calendar is entries.calendar and part.cohort == (f"groups {name}",)
    assert sum(len(part.tracks()) for part in parts.values()) + parts.not_grouped == len(tracks)


def test_graphs_by_group_are_those_of_the_cohorts(entries: Entries) -> None:
    wide = entries.tracks().nlargest(400, "footprint")["track_id"]
    table = pd.DataFrame({"track_id": [*wide, "nobody"], "size": ["wide"] * 399 + ["lonely", "absent"]})
    graphs = market_graphs(entries, by=table, window=30)
    alone = market_graph(entries.subset(tracks=wide[:399]), window=30)
    assert list(graphs) == ["wide"] and set(graphs.not_made) == {"lonely", "absent"}
    pd.testing.assert_frame_equal(graphs["wide"].edges, alone.edges)
    assert graphs.not_grouped == len(entries.tracks()) - 400
    assert repr(graphs).endswith("tracks not grouped; not made: absent, lonely>")


def test_what_groups_no_tracks_parts_no_entries(entries: Entries) -> None:
    with pytest.raises(SettingError, match="entries are parted by groups of tracks; 'continent' groups markets"):
        entries.split("continent")
    with pytest.raises(DataSaysNoError, match=r"none of the 4,646 tracks is in a group of 'kind'"):
        entries.split(pd.DataFrame({"track_id": ["nobody"], "kind": ["a"]}))
    with pytest.raises(SettingError, match="the column 'debut' has 89 different values, too many for groups"):
        entries.split("debut")
    with pytest.raises(SettingError, match="the column 'album' has no value here"):
        entries.split("album")
    with pytest.raises(DataSaysNoError, match="no group of 'kind' makes a graph"):
        market_graphs(entries, by=pd.DataFrame({"track_id": entries.tracks()["track_id"][:1], "kind": ["a"]}))


def test_groups_say_which_markets_they_lack(entries: Entries) -> None:
    groups = groups_of(entries, {code: "here" for code in entries.calendar.markets if code not in ("SE", "NO")})
    assert groups.said() == "2 of 67 markets are in no group (NO, SE)"
    assert groups_of(entries, "continent").said() == ""

"""Cohorts: tracks are chosen, entries are never cut."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import diffusion
from diffusion import DataSaysNoError, Entries, SettingError, contracts
from diffusion.recordings import folded
from graphs import market_graph
from graphs.journeys.slices import of_tracks


@pytest.fixture(scope="module")
def entries() -> Iterator[Entries]:
    """Entries of the packaged charts."""
    with diffusion.open_sample() as charts:
        yield charts.entries()


def same(one: Entries, other: Entries) -> bool:
    """Return whether two are equal in all tables."""
    names = ("table", "withheld", "described")
    return one.rules == other.rules and all(getattr(one, name).equals(getattr(other, name)) for name in names)


@pytest.mark.parametrize(
    "everything",
    [
        lambda entries: {"tracks": entries.tracks()["track_id"]},
        lambda entries: {"artists": entries.tracks()["artist"].dropna().unique(), "credited": True},
        lambda entries: {"debut": (entries.calendar.first_date, None)},
        lambda entries: {"markets": entries.calendar.markets},
        lambda entries: {"where": lambda tracks: tracks["debut"].notna()},
        lambda entries: {"where": entries.tracks()[["track_id"]].assign(kept=True)},
    ],
)
def test_a_cohort_of_everything_is_the_whole(entries: Entries, everything: Callable[[Entries], dict[str, Any]]) -> None:
    cohort = entries.subset(**everything(entries))
    assert same(cohort, entries) and len(cohort.cohort) == 1


def test_a_cohort_keeps_whole_tracks_calendar_rules_and_artists(entries: Entries) -> None:
    cohort = entries.subset(debut=("2021-05-01", date(2021, 5, 31)))
    debuts = entries.debuts()
    wanted = debuts[debuts["debut"].between("2021-05-01", "2021-05-31")]
    assert 0 < len(wanted) < len(debuts)
    pd.testing.assert_frame_equal(cohort.debuts(), wanted.reset_index(drop=True))
    assert cohort.calendar is entries.calendar and cohort.rules == entries.rules
    assert set(cohort.described["track_id"].to_pylist()) == set(wanted["track_id"])
    assert repr(cohort).startswith("<Entries of top50, cohort debut from 2021-05-01 to 2021-05-31: ")


def test_a_graph_of_a_cohort_is_that_of_charts_with_only_its_tracks(entries: Entries) -> None:
    """Counts, rates and intervals of a pair depend on the tracks and the calendar alone."""
    cohort = entries.subset(where=lambda tracks: tracks["footprint"] == 1)
    kept = pa.compute.is_in(entries.table["track_id"], pa.array(cohort.tracks()["track_id"]))
    alone = Entries(entries.table.filter(kept), entries.calendar, entries.rules, described=entries.described)
    assert len(alone) < len(entries)
    pd.testing.assert_frame_equal(market_graph(cohort).edges, market_graph(alone).edges, check_exact=True)


def test_artists_are_found_whatever_the_case_and_accents(entries: Entries) -> None:
    tracks, plain = entries.tracks(), "olivia rodrigo"
    first = pa.array(tracks["artist"].fillna("").str.split(",").str[0])
    own = tracks[[name == plain for name in folded(first).to_pylist()]]
    chosen = entries.subset(artists=["OLIVIA Rodrigó"]).tracks()
    assert len(own) and list(chosen["track_id"]) == list(own["track_id"])


def small(*artists: str | None) -> Entries:
    """Return entries of one track per credit, t0, t1, …, into Sweden."""
    days = [date(2021, 3, 1), date(2021, 3, 2)]
    coverage = [
        {"market": "SE", "chart": "top50", "date": day, "depth": 50, "stale": False, "previous": before, "span": 1}
        for day, before in zip(days, [None, days[0]], strict=True)
    ]
    calendar = diffusion.Calendar(pa.Table.from_pylist(coverage, schema=contracts.COVERAGE.schema))
    ids = [f"t{number}" for number in range(len(artists))]
    rows = [
        {"track_id": ident, "market": "SE", "chart": "top50", "entry": days[1], "last_without": days[0], "rank": 1,
         "streams": None, "left_censored": False}
        for ident in ids
    ]  # fmt: skip
    described = pa.table({"track_id": ids, "artist": pa.array(artists, pa.string())})
    table = pa.Table.from_pylist(rows, schema=contracts.ENTRIES.schema)
    return Entries(table, calendar, diffusion.EventRules("top50"), described=described)


@pytest.mark.parametrize(
    ("named", "credited", "chosen"),
    [
        ("simon & garfunkel", False, ["t0"]),
        ("Simon", False, ["t0"]),
        ("Garfunkel", False, []),
        ("Garfunkel", True, ["t0", "t1"]),
        ("MANESKIN", False, ["t2"]),
        ("Bo", False, ["t3"]),
        ("Bo", True, ["t2", "t3"]),
        ("Tyler, the Creator", False, ["t5", "t6"]),
        ("Tyler, the Creator", True, ["t5", "t6", "t7"]),
        ("Tyler", False, ["t5", "t6"]),
    ],
)
def test_credits_beyond_the_first_count_when_asked(named: str, credited: bool, chosen: list[str]) -> None:
    tyler = ("Tyler, The Creator", "Tyler, The Creator, Kali Uchis", "Ada, Tyler, The Creator")
    entries = small("Simon & Garfunkel", "Ada feat. Garfunkel", "Måneskin, Bo", "Bo", None, *tyler)
    if not chosen:
        with pytest.raises(DataSaysNoError, match="no track of the artist 'Garfunkel'"):
            entries.subset(artists=[named], credited=credited)
        return
    assert list(entries.subset(artists=[named], credited=credited).tracks()["track_id"]) == chosen


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"artists": ["Olivia Rodrigoo"]}, DataSaysNoError, "near it are olivia rodrigo"),
        ({"artists": "Drake"}, SettingError, r"artists is the text 'Drake'; give a list, such as \['Drake'\]"),
        ({"debut": (2021, 2021)}, SettingError, "2021 is no day"),
        ({"credited": True}, SettingError, "no artists are named"),
        ({"debut": "2021"}, SettingError, "give its first and last day"),
        ({"debut": ("2021-13-01", None)}, SettingError, "'2021-13-01' is no day"),
        ({"debut": (pd.NaT, None)}, SettingError, "'NaT' is no day"),
        ({"debut": ("2021-06-01", "2021-05-01")}, SettingError, "give the earlier day first"),
        ({"debut": ("2031-06-01", None)}, DataSaysNoError, "no track fulfils: debut from 2031-06-01"),
        ({"tracks": ["nothing"]}, DataSaysNoError, "a list of 1 tracks, of which 0 are on the charts"),
        ({"markets": ["Atlantis"]}, diffusion.UnknownMarketError, "unknown market 'Atlantis'"),
        ({"where": 3}, SettingError, "where is a int"),
        ({"where": lambda tracks: True}, SettingError, "must return True or False for each of"),
        ({"where": lambda tracks: tracks["footprint"]}, SettingError, "it returned int"),
        ({"where": pd.DataFrame({"id": ["x"]})}, SettingError, "a column 'track_id' or 'artist'"),
    ],
)
def test_a_cohort_that_cannot_be_is_an_error(
    entries: Entries, wrong: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        entries.subset(**wrong)


def test_tracks_may_be_links_and_tables_may_name_artists(entries: Entries) -> None:
    known = entries.tracks()
    ident = known["track_id"].iloc[0]
    for link in (ident, f" https://open.spotify.com/track/{ident}?si=x", f"spotify:track:{ident}"):
        assert list(entries.subset(tracks=[link]).tracks()["track_id"]) == [ident]
    table = pd.DataFrame({"artist": ["olivia rodrigo", "drake"], "mine": [True, False]})
    assert same(entries.subset(where=table), entries.subset(artists=["Olivia Rodrigo"]))


def test_any_id_of_a_recording_names_it() -> None:
    songs = {"b": ("Fever", "Ada"), "a": ("FEVER (feat. Bo)", "Ada"), "c": ("Other", "Ada")}
    rows = pd.DataFrame(
        [
            {"track_id": ident, "title": title, "artist": artist, "region": "Sweden", "date": day, "rank": rank}
            for day in ("2021-03-01", "2021-03-02")
            for rank, (ident, (title, artist)) in enumerate(songs.items(), start=1)
        ]
    )
    with diffusion.open_charts(rows) as charts:
        joined, apart = charts.entries(identity="recording"), charts.entries()
    assert joined.recordings.to_pylist() == [{"track_id": "b", "recording": "a"}]
    for chosen in (joined.subset(tracks=["b"]), joined.subset(where=pd.DataFrame({"track_id": ["b"]}))):
        assert list(chosen.tracks()["track_id"]) == ["a"]
    assert apart.recordings.num_rows == 0
    assert list(apart.subset(tracks=["b"]).tracks()["track_id"]) == ["b"]


def test_a_graph_of_something_else_says_what_to_do(entries: Entries) -> None:
    lines = entries.timelines
    with pytest.raises(SettingError, match=r"not of Timelines; for some of the tracks take entries\.subset"):
        market_graph(of_tracks(lines, lines.debut > 0))  # type: ignore[arg-type]


def test_tables_are_pandas_by_default_and_arrow_on_request(entries: Entries) -> None:
    one = replace(entries, table=entries.table.slice(0, 500))
    for name in ("debuts", "footprints", "journeys", "ties", "waits"):
        pd.testing.assert_frame_equal(
            getattr(one, name)(), one.arrow(name).to_pandas(date_as_object=False), check_exact=True
        )
    with pytest.raises(SettingError, match="no table 'debut' of entries; there are debuts"):
        one.arrow("debut")

"""Finding recordings by name: spelling does not matter, ids of one recording are one, the nearest come first."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion
from diffusion.finding import MATCHES, as_one, find_recordings, one_recording
from tests import twins
from tests.conftest import WriteCsv, steady
from tests.random_charts import day, examples

TRACKS = [
    ("b1", "Butter", "BTS"),
    ("b2", "BUTTER ", "Bts"),
    ("b3", "Butter - Live", "BTS"),
    ("b4", "Peanut Butter", "Zoë & Máx, BTS"),
    ("b5", "Bútter", "Simon & Garfunkel"),
    ("b6", "Stand by Me", "Ben E. King"),
    ("b7", "Standing", "Me"),
    ("b8", None, "BTS"),
    ("b9", "Not seen", "BTS"),
    ("c1", "BTS", "Nobody's"),
]
MARKETS = {"b1": "SE US", "b2": "US NO DK", "b3": "SE", "b4": "SE US NO", "b5": "SE", "b6": "SE", "b7": "SE US",
           "b8": "SE", "c1": "SE"}  # fmt: skip


def table(rows: Iterable[tuple[str, str | None, str | None]]) -> pa.Table:
    ids, titles, artists = zip(*rows, strict=True)
    text = pa.string()
    return pa.table({"track_id": ids, "title": pa.array(titles, text), "artist": pa.array(artists, text)})


def places(markets: dict[str, str]) -> pa.Table:
    rows = [(track, market) for track, codes in markets.items() for market in codes.split()]
    return pa.table(
        {
            "track_id": [track for track, _ in rows],
            "market": [market for _, market in rows],
            "first_date": [day(number) for number in range(len(rows))],
            "best_rank": pa.array([100 - number for number in range(len(rows))], pa.int32()),
        }
    )


def found(text: str, artist: str | None = None) -> list[tuple[str, str]]:
    rows = find_recordings(text, table(TRACKS), places(MARKETS), artist=artist).to_dict("records")
    return [(" ".join(row["ids"]), row["match"]) for row in rows]


@pytest.mark.parametrize(
    ("text", "artist", "expected"),
    [
        (
            "bütter",
            None,
            [("b2 b1", "title"), ("b5", "title"), ("b3", "start of title"), ("b4", "within title")],
        ),
        ("butter", "bts", [("b2 b1", "title"), ("b3", "start of title"), ("b4", "within title")]),
        ("butter", "garfun", [("b5", "title")]),
        ("Simon & Garfunkel", None, [("b5", "artist")]),
        ("garfunkel", None, [("b5", "artist")]),
        ("max", None, [("b4", "artist")]),
        ("bts", None, [("c1", "title"), ("b2 b1", "artist"), ("b4", "artist"), ("b3", "artist"), ("b8", "artist")]),
        ("stand by me", None, [("b6", "title"), ("b7", "start of title")]),
        ("stand", None, [("b7", "start of title"), ("b6", "start of title")]),
        ("butter by bts", None, [("b2 b1", "title"), ("b3", "start of title"), ("b4", "within title")]),
        ("Simon - Butter", None, [("b5", "title")]),
        ("Butter – simon", None, [("b5", "title")]),
        ("b1", None, [("b2 b1", "id")]),
        ("https://open.spotify.com/track/b3?si=1", None, [("b3", "id")]),
    ],
)
def test_what_is_called_so_is_found_the_nearest_and_widest_first(
    text: str, artist: str | None, expected: list[tuple[str, str]]
) -> None:
    assert found(text, artist) == expected


def test_a_recording_has_the_facts_of_all_its_ids() -> None:
    first = find_recordings("butter", table(TRACKS), places(MARKETS)).iloc[0]
    assert first.to_dict() == {
        "title": "BUTTER ", "artist": "Bts", "ids": ("b2", "b1"), "first_date": pd.Timestamp(day(0)), "markets": 4,
        "best_rank": 96, "match": "title",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("buter", "no track has the id or title 'buter', and no artist the name; did you mean 'butter'"),
        ("not seen", "no track has the id or title 'not seen'"),
        ("b9", "no track has the id or title 'b9'"),
        ("\t ", "the name to find is empty"),
    ],
)
def test_nothing_found_is_said_in_one_line(text: str, message: str) -> None:
    with pytest.raises(diffusion.DiffusionError, match=message):
        find_recordings(text, table(TRACKS), places(MARKETS))


def test_one_recording_is_named_or_those_that_it_may_be() -> None:
    known = table(TRACKS), places(MARKETS)
    whole = one_recording("butter by bts", *known)
    assert (whole.ids, whole.others, whole.markets, str(whole)) == (("b2", "b1"), (), 4, "BUTTER  by Bts")
    alone = one_recording("b1", *known)
    assert (alone.ids, alone.others, alone.markets, alone.title) == (("b1",), ("b2",), 2, "Butter")
    with pytest.raises(
        diffusion.DataSaysNoError, match=r"2 recordings are called 'butter'; .*: 'BUTTER ' by Bts \(b2 a"
    ):
        one_recording("butter", *known)
    with pytest.raises(diffusion.DataSaysNoError, match=r"title 'standi'; did you mean 'Standing' by Me \(b7, 2 mark"):
        one_recording("standi", *known)


WORDS = st.lists(st.sampled_from(["Ä", "a", "B", " ", "&", ",", "by", "-", "é", "ab"]), max_size=5).map("".join)


def plain_level(text: str, names: Sequence[str | None]) -> int:
    """Return 0 where a name is the text, 1 where it begins so, 2 where it has it within, else 3."""
    tests = (lambda name: name == text, lambda name: name.startswith(text), lambda name: text in name)
    known = [name for name in names if name is not None]
    return next((level for level, test in enumerate(tests) if any(map(test, known))), 3)


@examples(24)
@given(names=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5), text=WORDS.filter(str.strip))
def test_titles_are_found_as_the_twin_finds_them(names: list[tuple[str, str]], text: str) -> None:
    """Texts without a part between title and artist: the twin knows no reading but the whole."""
    text = text.replace("by", "").replace("-", "") or "a"
    rows = [(f"id{number}", *pair) for number, pair in enumerate(names)]
    plain = twins.fold(text)
    expected = {}
    for ident, title, artist in rows:
        level, whole = plain_level(plain, [twins.fold(title)]), twins.fold(artist)
        parts = [part.strip() for signs in ("[,;&]", ",") for part in re.split(signs, whole)]
        by = plain_level(plain, [whole, *filter(None, parts)])
        if min(level, by) < 3:
            expected[ident] = MATCHES[2 * min(level, by) + (by < level)]
    try:
        table_found = find_recordings(text, table(rows), places(dict.fromkeys([row[0] for row in rows], "SE")))
    except diffusion.DataSaysNoError:
        assert not expected
        return
    same = twins.identities([dict(zip(("track_id", "title", "artist"), row, strict=True)) for row in rows], "recording")
    best: dict[str, int] = {}
    for ident, match in expected.items():
        best[same[ident]] = min(best.get(same[ident], 9), MATCHES.index(match))
    got = {same[row["ids"][0]]: MATCHES.index(row["match"]) for row in table_found.to_dict("records")}
    assert got == best
    assert sorted(ident for row in table_found["ids"] for ident in row) == sorted(expected)
    assert [MATCHES.index(match) for match in table_found["match"]] == sorted(best.values())


def test_ids_as_one_have_the_earliest_entry_and_the_best_rank_of_a_day(write_csv: WriteCsv) -> None:
    rows = steady(60, {"Sweden": {"x": 33, "y": 31}, "Norway": {"y": 40, "x": 40}})
    with diffusion.open_charts(write_csv(rows)) as charts:
        entries = charts.entries().table
    joined = as_one(entries, pa.array(["x", "y"]), pa.array(["x", "x"])).to_pandas()
    assert joined[["track_id", "market", "rank"]].values.tolist() == [["x", "NO", 2], ["x", "SE", 2]]
    assert [entry.isoformat() for entry in joined["entry"]] == ["2021-02-10", "2021-02-01"]


def test_charts_find_by_all_dates(write_csv: WriteCsv) -> None:
    rows = steady(60, {"Sweden": {"x": 33, "y": 31}, "Norway": {"y": 40}, "Global": {"y": 2}})
    with diffusion.open_charts(write_csv(rows)) as charts:
        found = charts.find(unicodedata.normalize("NFD", "títle of Y"))
    assert found[["ids", "markets", "best_rank"]].values.tolist() == [[("y",), 2, 2]]
    assert found["first_date"].dt.date.astype(str).tolist() == ["2021-02-01"]

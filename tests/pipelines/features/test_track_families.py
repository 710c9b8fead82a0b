"""Features of tracks, artists, recordings and languages: worked by hand, and the same however they are computed."""

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusion import open_sample
from pipelines.features.artist import Artist
from pipelines.features.history import History
from pipelines.features.language import SMOOTHING, Language
from pipelines.features.ngrams import BUCKETS, ngrams
from pipelines.features.observations import Observations
from pipelines.features.recording import Recording
from pipelines.features.registry import Family
from pipelines.features.relatives import RowsByKey
from pipelines.features.scene import EntryIndex, Scene
from pipelines.features.table import features
from pipelines.features.track import Track
from tests.random_charts import NAMES, day, opened
from tests.twins import Row

HORIZON = 4
SINGLE = 1e-6
"""Relative error of numbers kept in single precision."""

Expected = Mapping[str, float | Sequence[float]]
"""Name → value of the track, or of each market."""

TRACKS = {
    "a1": ("Sol", "Ana"),
    "a2": ("Luna (feat. Bo)", "Ana, Cy"),
    "a3": ("Sol - Remix", "Ana"),
    "a4": ("SOL (with Bo)", "Ana"),
    "b1": ("Sol", "Bo"),
    "k1": ("你好 Go 2", "Ая"),
}
CHARTS: Mapping[int, Mapping[str, str]] = {
    0: {"SE": "a1 b1", "FI": "b1", "US": "b1"},
    1: {"SE": "b1 a1", "FI": "b1 a1", "US": "b1"},
    2: {"SE": "a2 b1", "FI": "a1 b1", "US": "b1"},
    3: {"SE": "a1 a2", "FI": "b1", "US": "a2 b1"},
    6: {"SE": "a4 a3 a1", "FI": "a3 b1", "US": "b1 k1"},
}
"""Day → market → tracks in order of rank. Streams are 60 / rank, times the day plus one."""

FI, SE, US = range(3)
MAKERS: tuple[Callable[[], Family], ...] = (Track, lambda: Artist(HORIZON), Recording, Language)


@pytest.fixture(scope="module")
def small() -> History:
    rows: list[Row] = [
        {
            "track_id": track,
            "title": TRACKS[track][0],
            "artist": TRACKS[track][1],
            "available_markets": None,
            "market": NAMES[market],
            "chart": "top200",
            "date": str(day(number)),
            "rank": str(rank),
            "streams": str(60 // rank * (number + 1)),
        }
        for number, charts in CHARTS.items()
        for market, tracks in charts.items()
        for rank, track in enumerate(tracks.split(), 1)
    ]
    with opened(rows) as charts:
        return History.of(charts, charts.entries(washout=0))


@pytest.fixture(scope="module")
def real() -> History:
    charts = open_sample()
    history = History.of(charts, charts.entries(washout=7))
    return history.until(history.first_day + 40)


def seen(history: History, family: Family, track: str, number: int) -> dict[str, NDArray[np.float32]]:
    """Return name → (m,) of a track's features on a day of the history, the first being 0."""
    at = history.first_day + number
    for each in np.unique(history.observed.day):
        if each <= at:
            family.advance(history.until(each), int(each))
    known = history.until(at)
    code = np.flatnonzero(history.tracks["track_id"] == track)
    found = family.observe(known, Scene.of(known, EntryIndex.of(history), at, code))
    m = len(history.markets)
    return {name: np.broadcast_to(values[0], m).copy() for name, values in found.items()}


def check(found: Mapping[str, NDArray[np.float32]], expected: Expected) -> None:
    """Assert that features have the values expected, one of the track or one of each market."""
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], np.broadcast_to(values, 3), rtol=SINGLE, err_msg=name)


def test_track_that_left_and_came_back(small: History) -> None:
    expected: Expected = {
        "footprint_size": 1,
        "markets_entered": 2,
        "markets_now": 1,
        "markets_left": 1,
        "markets_change": 0,
        "best_rank_now": 1,
        "second_rank_now": math.nan,
        "top_markets_now": 1,
        "returns": 1,
        "appearances": 5,
        "entries_now": 0,
        "days_since_entry": 2,
        "log_streams_now": math.log(241),
        "streams_share_best": 2 / 3,
        "streams_growth": math.nan,
        "streams_growth_since_debut": math.log(4),
        "rank_change": math.nan,
        "continent_entropy": 0,
    }
    check(seen(small, Track(), "a1", 3), expected)


def test_track_that_fell(small: History) -> None:
    expected: Expected = {
        "footprint_size": 3,
        "markets_change": -1,
        "second_rank_now": 2,
        "mean_rank_now": 1.5,
        "weighted_rank_now": 4 / 3,
        "presence_now": 1 + 2**-0.5,
        "mean_height_now": 0.75,
        "height_sum_now": 1.5,
        "top_markets_now": 1,
        "returns": 0,
        "streams_share_best": 1,
        "streams_share_mean": 2 / 3,
        "streams_growth": math.log(4 / 3),
        "streams_growth_since_debut": math.log(3),
        "rank_change": 0,
        "rank_change_best": 1,
        "continent_entropy": math.log(3) - 2 / 3 * math.log(2),
        "explicit": math.nan,
        "duration": math.nan,
        "global_rank_now": math.nan,
    }
    check(seen(small, Track(), "b1", 3), expected)


def test_artist_of_other_tracks(small: History) -> None:
    lasting = [2 ** (-5 / 16), 2 ** (-6 / 16) + 2 ** (-4 / 16) + 1, 2 ** (-3 / 16)]
    expected: Expected = {
        "artist_tracks": 3,
        "artist_is_new": 0,
        "artist_gap": 4,
        "artist_markets": 3,
        "artist_closed_tracks": 2,
        "artist_spread_share": 1,
        "artist_reach": 1,
        "artist_entries_here": [1, 3, 1],
        "artist_share_here": [1 / 4, 3 / 4, 1 / 4],
        "artist_recent_here": [2 ** (-5 / 4), 2 ** (-6 / 4) + 2 ** (-4 / 4) + 1, 2 ** (-3 / 4)],
        "artist_lasting_here": lasting,
        "artist_recent_share_here": [value / (sum(lasting) + 0.5) for value in lasting],
        "artist_late_share_here": [1.01 / 3, 0.01, 1.01 / 3],
        "artist_days_here": [5, 0, 3],
        "artist_best_here": [2, 1, 1],
        "artist_now_here": [0, 2, 0],
        "artist_rank_now_here": [math.nan, 1, math.nan],
        "artist_now": 2,
        "artist_in_footprint": 4,
        "siblings": 1,
        "siblings_here": [0, 1, 0],
        "siblings_share_here": [0, 1, 0],
        "siblings_markets": 1,
        "credited": 1,
        "guests_share_here_most": math.nan,
        "collaborators": 2,
        "collaborators_entries_most": 6,
    }
    check(seen(small, Artist(HORIZON), "a3", 6), expected)


def test_artist_with_a_guest(small: History) -> None:
    expected: Expected = {
        "credited": 2,
        "credited_tracks_most": 3,
        "credited_reach_most": 1,
        "credited_entries_here_most": [2, 3, 2],
        "credited_entries_here_sum": [3, 5, 3],
        "credited_share_here_most": [1 / 2, 3 / 4, 2 / 3],
        "credited_now_here_sum": [2, 2, 1],
        "guests_share_here_most": [1 / 3, 2 / 3, 2 / 3],
        "collaborators": 1,
        "collaborators_entries_most": 2,
    }
    check(seen(small, Artist(HORIZON), "a4", 6), expected)


def test_artist_seen_for_the_first_time(small: History) -> None:
    expected: Expected = {
        "artist_tracks": 0,
        "artist_is_new": 1,
        "artist_gap": math.nan,
        "artist_reach": math.nan,
        "artist_entries_here": 0,
        "artist_late_share_here": 0.01,
        "artist_days_here": math.nan,
        "siblings": 0,
        "siblings_share_here": math.nan,
        "collaborators": 0,
        "collaborators_entries_most": math.nan,
    }
    check(seen(small, Artist(HORIZON), "k1", 6), expected)


def test_recording_under_an_earlier_id(small: History) -> None:
    expected: Expected = {
        "recording_ids": 1,
        "recording_here": [1, 1, 0],
        "recording_markets": 2,
        "recording_first_here": [5, 6, math.nan],
        "recording_first": 6,
        "recording_best_here": [2, 1, math.nan],
        "recording_now_here": [0, 1, 0],
        "recording_twins": 0,
        "song_ids": 2,
        "song_here": [2, 2, 0],
        "song_markets": 2,
        "song_first": 6,
        "song_best_here": [1, 1, math.nan],
        "title_ids": 1,
        "title_here": 1,
        "title_markets": 3,
        "is_remix": 0,
        "has_guest": 1,
    }
    check(seen(small, Recording(), "a4", 6), expected)
    remix: Expected = {
        "recording_ids": 0,
        "recording_first": math.nan,
        "song_ids": 2,
        "is_remix": 1,
        "is_live": 0,
        "has_guest": 0,
    }
    check(seen(small, Recording(), "a3", 6), remix)


def test_scripts(small: History) -> None:
    expected: Expected = {
        "script_han": 1 / 3,
        "script_latin": 1 / 3,
        "script_cyrillic": 1 / 3,
        "script_thai": 0,
        "accented": 0,
        "digits": 1 / 7,
        "title_length": 7,
    }
    check(seen(small, Language(), "k1", 6), expected)


def pieces(text: str) -> set[str]:
    """Return the n-grams and words of a text of letters, digits and blanks."""
    marked = "_" + "_".join(text.lower().split()) + "_"
    grams = {marked[at : at + size] for size in (1, 2, 3) for at in range(len(marked) - size + 1)}
    return grams | {f"word {word}" for word in text.lower().split()}


def affinity(history: History, texts: Mapping[str, str], track: str, market: int) -> float:
    """Return the affinity of a track's text to a market at the end of a history, from its definition."""
    ids = history.tracks["track_id"]
    entries = [(ids[code], at) for code, at in zip(history.entries.track, history.entries.market, strict=True)]
    share = {m: (sum(at == m for _, at in entries) + 1) / (len(entries) + 3) for m in range(3)}
    above = below = 0.0
    for piece in pieces(texts[track]):
        having = {other for other, text in texts.items() if other != track and piece in pieces(text)}
        if having:
            here = sum(other in having and at == market for other, at in entries)
            anywhere = sum(other in having for other, _ in entries)
            odds = (here + SMOOTHING * share[market]) / ((anywhere + SMOOTHING) * share[market])
            weight = math.log(1 + (len(texts) - 1) / len(having))
            above, below = above + weight * math.log(odds), below + weight
    return above / below if below else math.nan


def test_affinity_is_that_of_its_definition(small: History) -> None:
    plain = str.maketrans("().-,", "     ")
    titles = {track: title.translate(plain) for track, (title, _) in TRACKS.items()}
    artists = {track: artist.translate(plain) for track, (_, artist) in TRACKS.items()}
    for track in TRACKS:
        found = seen(small, Language(), track, 6)
        both = np.zeros(3)
        for field, texts in (("title", titles), ("artist", artists)):
            expected = np.array([affinity(small, texts, track, market) for market in range(3)])
            np.testing.assert_allclose(found[f"{field}_affinity"], expected, rtol=1e-5, atol=1e-6)
            both += np.nan_to_num(expected)
        np.testing.assert_allclose(found["text_affinity"], both, rtol=1e-5, atol=1e-6)
    assert found["text_affinity_place"][FI] + found["text_affinity_place"][SE] == 3, "k1 has entered US alone"
    assert np.isnan(found["text_affinity_place"][US])
    np.testing.assert_allclose(found["text_affinity_gain"], both - both[US], rtol=1e-5, atol=1e-6)


def bucket(text: str) -> int:
    """Return the bucket of one n-gram, with the whole numbers of Python."""
    number = 0
    for letter in text:
        number = (number * 0x100000001B3 + ord(letter)) % 2**64
    number = (number + 0x9E3779B97F4A7C15) % 2**64
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ number >> 27) * 0x94D049BB133111EB % 2**64
    return (number ^ number >> 31) % BUCKETS


def test_buckets_of_ngrams_are_the_same_in_every_process() -> None:
    found = ngrams(["ü b", "", "東"])
    grams = ["_", "ü", "b", "_ü", "ü_", "_b", "b_", "_ü_", "ü_b", "_b_"]
    first = found[[0]].indices.tolist()
    assert {bucket(gram) for gram in grams} <= set(first)
    assert len(first) == len(grams) + len(["ü", "b"]), "n-grams and words"
    assert {bucket(gram) for gram in ("_", "東", "_東", "東_", "_東_")} <= set(found[[2]].indices.tolist())


def some(history: History) -> Observations:
    """Return a few hundred tracks on their debut and a week later."""
    first = history.first_day
    return Observations.landmarks(history, (0, 7), first=first + 14, last=first + 20)


@pytest.mark.parametrize("make", MAKERS)
def test_a_history_that_ends_earlier_gives_the_same_features(real: History, make: Callable[[], Family]) -> None:
    points = some(real)
    cut = int(points.day[len(points) // 2])
    early = points.day <= cut
    some_points = Observations(points.track[early], points.day[early], points.candidates[early])
    whole = features(real, points, [make()])
    part = features(real.until(cut), some_points, [make()])
    assert len(part.values)
    np.testing.assert_array_equal(part.values, whole.values[: len(part.values)])


@pytest.mark.parametrize("make", MAKERS)
def test_a_restored_family_goes_on_where_it_was(real: History, make: Callable[[], Family]) -> None:
    points = some(real)
    days = np.unique(real.observed.day)
    at = int(points.day[len(points) // 2])
    family, restored = make(), make()
    for each in days[days < at]:
        family.advance(real.until(int(each)), int(each))
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **family.state())
    file.seek(0)
    restored.restore(dict(np.load(file, allow_pickle=False)))
    scene = Scene.of(real.until(at), EntryIndex.of(real), at, points.track[points.day == at])
    for each in (family, restored):
        each.advance(real.until(at), at)
    found, again = family.observe(real.until(at), scene), restored.observe(real.until(at), scene)
    assert set(found) == {feature.name for feature in family.features}
    for name, values in found.items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)


def growing() -> Iterator[tuple[NDArray[np.int64], int]]:
    """Return keys, and numbers of them that grow by steps of many sizes."""
    keys = np.random.default_rng(0).integers(0, 40, 300)
    for size in (0, 1, 2, 3, 30, 33, 34, 35, 100, 120, 126, 300, 90):
        yield keys, size


def test_rows_are_found_by_key_however_the_array_grew() -> None:
    rows = RowsByKey()
    wanted = np.array([7, 3, 39, 7, 50])
    for keys, size in growing():
        at, row = rows.find(keys[:size], wanted)
        expected = [(a, r) for a, key in enumerate(wanted) for r in range(size) if keys[r] == key]
        assert list(zip(at.tolist(), row.tolist(), strict=True)) == expected

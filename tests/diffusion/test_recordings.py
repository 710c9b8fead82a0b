"""Which ids are one recording: spelling parts none, versions do."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusion.recordings import identity_table
from tests import twins
from tests.random_charts import EXAMPLES

SONG = ("Déjà vu", "Beyoncé, Zoé")


@pytest.mark.parametrize(
    ("title", "artist", "joined"),
    [
        ("Deja Vu", "Zoe, Beyonce", True),
        ("Déjà vu (feat. Zoé)", "Beyoncé", True),
        ("Déjà vu feat. Zoé", "BEYONCÉ", True),
        ("Déjà Vu - feat. Zoé", "Beyoncé & Zoé", True),
        ("déjà vu - 2011 Remaster", "Beyoncé x Zoé", True),
        ("Déjà vu", "Beyoncé feat. Zoé", True),
        ("Déjà vu", "Beyoncé with Others", True),
        ("Déjà vu", "Zoé", False),
        ("Déjà vus", "Beyoncé, Zoé", False),
        ("Déjà vu - Live", "Beyoncé, Zoé", False),
        ("Déjà vu (feat. Zoé) - Remix", "Beyoncé, Zoé", False),
        ("Déjà vu (Remix feat. Zoé)", "Beyoncé, Zoé", False),
        ("Déjà vu (feat. Zoé; Remix)", "Beyoncé, Zoé", False),
        ("Déjà vu - Live; Remastered", "Beyoncé, Zoé", False),
        ("Déjà vu - Sped Up", "Beyoncé, Zoé", False),
        ("Déjà vu (Acoustic)", "Beyoncé, Zoé", False),
        ("Déjà vu - Instrumental", "Beyoncé, Zoé", False),
    ],
)
def test_spelling_parts_no_recording_and_versions_do(title: str, artist: str, joined: bool) -> None:
    tracks = pa.table({"track_id": ["a", "b"], "title": [SONG[0], title], "artist": [SONG[1], artist]})
    assert identity_table(tracks, "recording")["identity"].to_pylist() == ["a", "a" if joined else "b"]


def test_marks_that_are_part_of_a_letter_part_recordings() -> None:
    titles = ["ガラス", "カラス", "мой", "мои", "が", "か"]
    tracks = pa.table({"track_id": list("abcdef"), "title": titles, "artist": ["Z"] * 6})
    assert identity_table(tracks, "recording")["identity"].to_pylist() == list("abcdef")


PARTS = st.sampled_from(
    ["a", "É", "e\u0301", "ß", "ガ", " ", "(feat. B)", "feat. b", "ft. c", " - Remix", "(live)", "[with Q]", "; Remix",
     " - 2011 Remaster", "(remastered)", "-", "x", " x ", "&", ",", "İ", "ı", "ς", "Ö", "\t", "’", "ft", "with ", "(",
     "]", "featuring "]
)  # fmt: skip
NAMES = st.lists(PARTS, max_size=6).map("".join) | st.text(max_size=8) | st.none()


@EXAMPLES
@given(names=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6))
def test_recordings_are_those_of_the_twin(names: list[tuple[str | None, str | None]]) -> None:
    ids, text = [f"t{number}" for number in range(len(names))], pa.string()
    columns = {"title": pa.array([name[0] for name in names], text), "artist": pa.array([n[1] for n in names], text)}
    tracks = pa.table({"track_id": ids, **columns})
    found = identity_table(tracks, "recording").to_pydict()
    assert dict(zip(*found.values(), strict=True)) == twins.identities(tracks.to_pylist(), "recording")

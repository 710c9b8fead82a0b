"""Recording features: the same recording, song or title under another id, and what version the title names."""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from pipelines.features.history import GUESTS, History
from pipelines.features.registry import Feature, Values
from pipelines.features.relatives import Relatives, RowsByKey
from pipelines.features.scene import Scene
from pipelines.features.titles import VERSIONS, TitleKeys, folded, versions


def _feature(name: str, unit: str, meaning: str) -> Feature:
    return Feature(name, unit, meaning, ("charts", "tracks"), "as of", "recording")


_MEASURES: Final = {
    "ids": ("ids", "Number of {} that have been on a chart."),
    "here": ("ids", "Number of {} that have entered the market."),
    "markets": ("markets", "Markets entered by {}."),
    "first_here": ("days", "Days since the first entry here of {}."),
    "first": ("days", "Days since the first entry anywhere of {}."),
    "best_here": ("rank", "Best position at an entry here of {}."),
    "now_here": ("ids", "Number of {} on the market's latest chart."),
}
"""What is asked of other tracks: unit and meaning."""


def _kind(kind: str, others: str, *measures: str) -> tuple[Feature, ...]:
    """Return what is asked of one kind of other tracks."""
    return tuple(_feature(f"{kind}_{name}", _MEASURES[name][0], _MEASURES[name][1].format(others)) for name in measures)


class Recording:
    """Other ids of the same recording, other versions of the song, and songs of the same title by others.

    Ids of one recording are those that `History.recording` holds for one. Versions of a song have the same primary
    artist and the same stem: the title in lower case, without guests, without brackets and what follows, and without
    what follows a dash.
    """

    features: Final = (
        *_kind("recording", "other ids of the recording", *_MEASURES),
        _feature("recording_twins", "ids", "Number of other ids of the recording with the same day of debut."),
        *_kind(
            "song", "other versions of the song, other ids of the recording included,",
            "ids", "here", "markets", "first", "best_here",
        ),
        *_kind("title", "tracks of the same stem by other primary artists", "ids", "here", "markets"),
        *(
            _feature(f"is_{kind}", "0 or 1", f"1 if the title, beyond its stem, names a version: {kind}.")
            for kind in VERSIONS
        ),
        _feature("has_guest", "0 or 1", "1 if the title names a guest."),
    )  # fmt: skip

    def __init__(self) -> None:
        self._titles = TitleKeys()
        self._recordings, self._songs, self._same_titles = RowsByKey(), RowsByKey(), RowsByKey()
        self._entries = RowsByKey()

    def advance(self, known: History, day: int) -> None:
        """Take in nothing: all stands in what is known."""

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        title, song = self._titles.of(known)
        recordings = self._others(known, scene, self._recordings, known.recording)
        songs = self._others(known, scene, self._songs, song)
        titles = self._others(known, scene, self._same_titles, title, known.artist)
        texts = [folded(text) for text in known.tracks["title"].iloc[scene.track]]
        debut = (scene.day - scene.age).astype(np.int64)
        found = {
            "recording_twins": recordings.members(recordings.debut == debut[recordings.group]),
            "has_guest": np.array([bool(re.search(GUESTS, text)) for text in texts]),
        }
        found |= {f"is_{kind}": flag for kind, flag in versions(texts).items()}
        for kind, others in (("recording", recordings), ("song", songs), ("title", titles)):
            found |= {f"{kind}_{name}": value for name, value in _where(others, scene.day).items()}
        return {feature.name: found[feature.name].astype(np.float32) for feature in self.features}

    def _others(
        self, known: History, scene: Scene, rows: RowsByKey, keys: Ints, differs: Ints | None = None
    ) -> Relatives:
        """Return the other tracks with the key of each observed one; `differs` must differ, where it is given."""
        row, track = rows.find(keys, keys[scene.track])
        own = scene.track[row]
        other = track != own if differs is None else differs[track] != differs[own]
        return Relatives.of(known, scene.day, self._entries, len(scene.track), row[other], track[other])

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return nothing: all stands in what is known."""
        return {}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from nothing."""
        self._titles = TitleKeys()
        self._recordings, self._songs, self._same_titles = RowsByKey(), RowsByKey(), RowsByKey()
        self._entries = RowsByKey()


def _where(others: Relatives, day: int) -> dict[str, Floats]:
    """Return how many the others are, and where and when they have entered."""
    here, first = others.entries(), others.first()
    return {
        "ids": others.members(),
        "here": here,
        "markets": (here > 0).sum(axis=1),
        "first_here": day - first,
        "first": day - np.fmin.reduce(first, axis=1),
        "best_here": others.best_entry(),
        "now_here": others.now(),
    }

"""Language features: scripts of title and artist, and where texts of such characters have entered before."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffusion.arrays import Flags, Floats
from pipelines.features.history import History
from pipelines.features.ngrams import BUCKETS, ngrams
from pipelines.features.places import add_places, with_places
from pipelines.features.registry import Feature, Known, Values
from pipelines.features.scene import Scene
from pipelines.features.titles import folded

SCRIPTS: Final = {
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xAA, 0xAA), (0xBA, 0xBA), (0xC0, 0x24F), (0x1E00, 0x1EFF)),
    "cyrillic": ((0x400, 0x52F),),
    "hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "kana": ((0x3041, 0x30FF), (0x31F0, 0x31FF)),
    "han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x2FA1F)),
    "thai": ((0xE00, 0xE7F),),
    "hebrew": ((0x590, 0x5FF),),
    "arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF)),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
}
"""Script → ranges of its code points, both ends included."""

ACCENTED: Final = ((0xC0, 0x24F), (0x1E00, 0x1EFF))
"""Latin letters with marks, as ranges of code points."""

DIGITS: Final = ((0x30, 0x39),)
"""Digits, as a range of code points."""

SMOOTHING: Final = 2.0
"""Entries that a bucket is given in proportion to the markets' share of all entries."""


def _feature(name: str, unit: str, meaning: str, known: Known = "as of") -> Feature:
    return Feature(name, unit, meaning, ("tracks",) if known == "always" else ("charts", "tracks"), known, "language")


class Language:
    """Characters of title and artist, and how much they speak for each market (`Affinity`)."""

    features: Final = (
        *(
            _feature(f"script_{name}", "share", f"Share of {name} among the letters of title and artist.", "always")
            for name in SCRIPTS
        ),
        _feature("accented", "share", "Share of Latin letters with marks among these letters.", "always"),
        _feature("digits", "share", "Share of digits among the letters and digits of title and artist.", "always"),
        _feature("title_length", "characters", "Characters of the title.", "always"),
        _feature("title_affinity", "log odds", "Affinity of the title to the market."),
        _feature("artist_affinity", "log odds", "Affinity of the artist's name to the market."),
        *with_places(_feature("text_affinity", "log odds", "Sum of both, one that is missing counted as 0.")),
        _feature("text_affinity_gain", "log odds", "That, less its mean over the markets entered."),
    )

    def __init__(self) -> None:
        self._affinities = {"title": Affinity(), "artist": Affinity()}
        self._tracks = 0

    def advance(self, known: History, day: int) -> None:
        """Learn from the tracks first seen on the day, and from the day's entries."""
        entries = known.entries.between(day, day)
        track, row = np.unique(entries.track, return_inverse=True)
        entered = np.zeros((len(track), len(known.markets)))
        entered[row, entries.market] = 1
        new = np.arange(self._tracks, len(known.tracks))
        both = np.union1d(new, track)
        for field, affinity in self._affinities.items():
            grams = _grams(known, field, both)
            affinity.learn(grams[np.searchsorted(both, new)], grams[np.searchsorted(both, track)], entered)
        self._tracks = len(known.tracks)

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        found = {}
        for field, affinity in self._affinities.items():
            grams = _grams(known, field, scene.track)
            found[f"{field}_affinity"] = affinity.of(grams, scene.entered)
        both = np.nan_to_num(found["title_affinity"]) + np.nan_to_num(found["artist_affinity"])
        foothold = (both * scene.entered).sum(axis=1) / np.maximum(scene.entered.sum(axis=1), 1)
        found |= {"text_affinity": both, "text_affinity_gain": both - foothold[:, None]}
        found |= _characters(known.tracks.iloc[scene.track])
        return add_places(self.features, {name: values.astype(np.float32) for name, values in found.items()}, scene)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the counts of both models."""
        counts = {
            f"{field}_{name}": array
            for field, affinity in self._affinities.items()
            for name, array in affinity.state().items()
        }
        return {"tracks": np.array(self._tracks), **counts}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state."""
        self._tracks = int(state["tracks"])
        for field, affinity in self._affinities.items():
            affinity.restore({name: state[f"{field}_{name}"] for name in affinity.state()})


def _grams(known: History, field: str, track: NDArray[np.integer]) -> "csr_array[np.float64]":
    """Return the n-grams of a field of tracks."""
    return ngrams([folded(text) for text in known.tracks[field].iloc[track]])


def _characters(tracks: pd.DataFrame) -> dict[str, Floats]:
    """Return the shares of scripts, and the size of the title."""
    titles = [folded(title) for title in tracks["title"]]
    texts = [title + folded(artist) for title, artist in zip(titles, tracks["artist"], strict=True)]
    code = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    row = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    counts = {
        name: np.bincount(row, _among(code, ranges), len(texts)).astype(np.float64)
        for name, ranges in {**SCRIPTS, "accented": ACCENTED, "digits": DIGITS}.items()
    }
    letters = np.sum([counts[name] for name in SCRIPTS], axis=0)
    shares = {f"script_{name}": _share(counts[name], letters) for name in SCRIPTS}
    return shares | {
        "accented": _share(counts["accented"], letters),
        "digits": _share(counts["digits"], letters + counts["digits"]),
        "title_length": np.array([float(len(title)) for title in titles]),
    }


def _among(code: NDArray[np.uint32], ranges: Sequence[tuple[int, int]]) -> Flags:
    """Return which code points lie in one of the ranges."""
    among: Flags = np.logical_or.reduce([(code >= first) & (code <= last) for first, last in ranges])
    return among


def _share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is 0."""
    share: Floats = part / np.where(whole > 0, whole, np.nan)
    return share


class Affinity:
    """How much the n-grams of a text speak for each market: naive Bayes on the entries of earlier texts.

    For an n-gram, let c be the entries into the market of other tracks whose text has it, n those into any market, and
    π the market's share (c + 1 over all entries + markets entered by now) of the entries of all tracks. It speaks for
    the market with log((c + 2π) / ((n + 2)π)). The affinity of a text is the mean over its n-grams, weighted by
    log(1 + tracks / tracks with the n-gram), counted without the track itself; n-grams of no other track are left out.
    """

    def __init__(self) -> None:
        self._counts = np.zeros((BUCKETS, 0), np.float32)
        self._tracks = np.zeros(BUCKETS)
        self._entries = np.zeros(0)
        self._known = 0

    def learn(self, new: "csr_array[np.float64]", entering: "csr_array[np.float64]", entries: Floats) -> None:
        """Take in a day.

        Parameters
        ----------
        new
            N-grams of the tracks first seen on the day.
        entering
            N-grams of the tracks that enter on the day.
        entries
            (tracks, m): 1 where they enter.
        """
        if not self._counts.shape[1]:
            self._counts = np.zeros((BUCKETS, entries.shape[1]), np.float32)
            self._entries = np.zeros(entries.shape[1])
        buckets = np.unique(entering.indices)
        self._counts[buckets] += np.asarray(entering[:, buckets].T @ entries)
        self._entries += entries.sum(axis=0)
        self._tracks += new.sum(axis=0)
        self._known += new.shape[0]

    def of(self, grams: "csr_array[np.float64]", entered: Flags) -> Floats:
        """Return, (n, m), the affinity of texts to markets; NaN for a text with no n-gram of another track.

        Parameters
        ----------
        grams
            N-grams of n tracks that have been taken in.
        entered
            (n, m): whether they have entered; those entries are not counted.
        """
        buckets, column = np.unique(grams.indices, return_inverse=True)
        row = np.repeat(np.arange(grams.shape[0]), np.diff(grams.indptr))
        others = self._tracks[buckets] - 1
        weight = np.where(others > 0, np.log1p((self._known - 1) / np.maximum(others, 1)), 0)[column]
        share = (self._entries + 1) / max(1, self._entries.sum() + np.count_nonzero(self._entries))
        counts = self._counts[buckets].astype(np.float64)
        own = entered.sum(axis=1)
        weights = csr_array((weight, column, grams.indptr), (grams.shape[0], len(buckets)))
        here = weights @ np.log(counts + SMOOTHING * share)
        here_less = weights @ np.log(np.maximum(counts - 1, 0) + SMOOTHING * share)
        anywhere = np.bincount(row, weight * np.log(counts.sum(axis=1)[column] - own[row] + SMOOTHING), len(own))
        total = np.bincount(row, weight, len(own))[:, None]
        score = np.where(entered, here_less, here) - anywhere[:, None] - total * np.log(share)
        affinity: Floats = score / np.where(total > 0, total, np.nan)
        return affinity

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return the counts: entries by bucket and market, entries by market, tracks by bucket, and all tracks."""
        return {
            "counts": self._counts,
            "entries": self._entries,
            "tracks": self._tracks,
            "known": np.array(self._known),
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state."""
        self._counts = state["counts"].astype(np.float32)
        self._entries = state["entries"].astype(np.float64)
        self._tracks = state["tracks"].astype(np.float64)
        self._known = int(state["known"])

"""What a title says: its stem without versions and guests, and words that name a version."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

from diffusion.arrays import Ints
from pipelines.features.history import GUESTS, History

_GUESTS: Final = re.compile(rf"\s*[\(\[]?{GUESTS}[\)\]]?", re.IGNORECASE)
_VERSION: Final = re.compile(r"\s+-\s.*$|\s*[\(\[].*$")

VERSIONS: Final = {
    "remix": r"\b(?:re)?mix\b|\bedit\b|\bflip\b|\bvip\b|\brework\b",
    "live": r"\blive\b|\bao vivo\b|\ben vivo\b|\bdal vivo\b|\ben concierto\b",
    "acoustic": r"\bac[ou]ustic|\bac[uú]stic|\bakusti|\bunplugged\b|\bpiano version\b|\bstripped\b",
    "remaster": r"\bremaster",
}
"""Kind of version → pattern of the words that name it, in what a title says beyond its stem."""


def folded(text: object) -> str:
    """Return a text in NFKC and lower case; empty for a missing one.

    Examples
    --------
    >>> folded("ＦＥＶＥＲ "), folded(None)
    ('fever', '')
    """
    return unicodedata.normalize("NFKC", text).lower().strip() if isinstance(text, str) else ""


def stem(title: str) -> str:
    """Return a folded title without guests, without what stands in brackets and after a dash; never empty for one.

    Examples
    --------
    >>> stem("fever (feat. b) - live at home"), stem("(intro)")
    ('fever', '(intro)')
    """
    without = _GUESTS.sub("", title).strip() or title
    return _VERSION.sub("", without).strip() or without


def versions(titles: Iterable[str]) -> dict[str, Ints]:
    """Return kind → whether each folded title names it, beyond its stem.

    Examples
    --------
    >>> {kind: flag.tolist() for kind, flag in versions(["live - remix", "alive"]).items() if flag.any()}
    {'remix': [1, 0]}
    """
    beyond = pd.Series([title[len(stem(title)) :] for title in titles], dtype=object)
    return {kind: beyond.str.contains(words).to_numpy(np.bool_).astype(np.int64) for kind, words in VERSIONS.items()}


class TitleKeys:
    """Keys of the titles of tracks: equal where the stems of the titles are. It reads each track once."""

    def __init__(self) -> None:
        self._title: Ints = np.zeros(0, np.int64)
        self._work: Ints = np.zeros(0, np.int64)

    def of(self, known: History) -> tuple[Ints, Ints]:
        """Return, (n,) each, a key of the title, and one of title and primary artist, of all tracks known.

        A track without a title has keys of its own.
        """
        done, n = len(self._title), len(known.tracks)
        if done < n:
            stems = [stem(folded(title)) for title in known.tracks["title"].iloc[done:]]
            titles = [text or f"\x1f{done + at}" for at, text in enumerate(stems)]
            works = [f"{text}\x1f{artist}" for text, artist in zip(titles, known.artist[done:], strict=True)]
            self._title = np.append(self._title, _hashed(titles))
            self._work = np.append(self._work, _hashed(works))
        return self._title[:n], self._work[:n]


def _hashed(texts: list[str]) -> Ints:
    """Return a 64-bit number for every text, the same in every process."""
    return pd.util.hash_array(np.array(texts, object), categorize=False).view(np.int64)

"""Text for figures: without control characters and characters that the font lacks, and cut to a given width."""

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

import pandas as pd
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

FONT: Final = "DejaVu Sans"
_MISSING: Final = "\N{WHITE SQUARE}"
_MOST: Final = 1000
"""Characters of a text that are measured at most; no line of a page is so long."""


def shown(text: object) -> str:
    """Return `text` on one line, with a white square for every character that cannot be drawn.

    Invisible characters, such as marks of the writing direction, are removed.

    Examples
    --------
    >>> shown("Côte d’Ivoire\\n(東京)")
    'Côte d’Ivoire (□□)'
    """
    known = _glyphs()
    line = " ".join("".join(c for c in str(text) if unicodedata.category(c) != "Cf").split())
    return "".join(c if c.isprintable() and ord(c) in known else _MISSING for c in line)


@lru_cache(maxsize=4096)
def width(text: str, size: float) -> float:
    """Return the width of a text from `shown` in points, at a font size in points."""
    extent = text_to_path.get_text_width_height_descent(text, FontProperties(family=FONT, size=size), ismath=False)
    return float(extent[0])


def shortened(text: object, *, size: float, room: float) -> str:
    """Return `text` cleaned by `shown`, and cut with an ellipsis where it is wider than `room` points.

    Examples
    --------
    >>> shortened("South Georgia and the South Sandwich Islands", size=7, room=90)
    'South Georgia and the…'
    """
    line = shown(text)
    if len(line) < _MOST and width(line, size) <= room:
        return line
    low, high = 0, min(len(line), _MOST)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(line[:middle].rstrip() + "…", size) <= room else (low, middle - 1)
    return line[:low].rstrip() + "…"


def wrapped(text: object, *, size: float, room: float, lines: int) -> list[str]:
    """Return `text` cleaned by `shown` and broken at spaces into at most `lines` lines of at most `room` points.

    Examples
    --------
    >>> wrapped("one two three", size=10, room=50, lines=2)
    ['one two', 'three']
    """
    broken: list[str] = []
    words = [word for word in shown(text)[:_MOST].split(" ") if word]
    while words and len(broken) < lines - 1:
        count = 1
        while count < len(words) and width(" ".join(words[: count + 1]), size) <= room:
            count += 1
        broken.append(shortened(" ".join(words[:count]), size=size, room=room))
        words = words[count:]
    return [*broken, shortened(" ".join(words), size=size, room=room)] if words else broken


def enumerated(names: Sequence[str], *, most: int = 24) -> str:
    """Return the first `most` names with commas between them, and the number of the others.

    Examples
    --------
    >>> enumerated(["AD", "AE", "AR", "AT"], most=2)
    'AD, AE and 2 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@cache
def _glyphs() -> frozenset[int]:
    path = font_manager.findfont(FontProperties(family=FONT), fallback_to_default=True)
    return frozenset(font_manager.get_font(path).get_charmap())


def labels(communities: pd.Series) -> list[str]:
    """Return communities as text: whole numbers without a decimal point, empty text where missing.

    Examples
    --------
    >>> labels(pd.Series([1.0, None]))
    ['1', '']
    """
    missing = communities.isna().to_numpy()
    return [
        "" if gone else f"{value:g}" if isinstance(value, float) else shown(value)
        for value, gone in zip(communities, missing, strict=True)
    ]


def by_size(names: Sequence[str], markets: Sequence[str] | pd.Series) -> list[str]:
    """Return the communities, the one with most markets first, equal ones in order of their first market.

    Examples
    --------
    >>> by_size(["a", "b", "", "b", "c"], ["SE", "NO", "US", "JP", "AR"])
    ['b', 'c', 'a']
    """
    table = pd.DataFrame({"community": list(names), "market": list(markets)}).sort_values("market")
    sizes = table[table["community"] != ""].groupby("community", sort=False).size()
    return [str(name) for name in sizes.sort_values(ascending=False, kind="stable").index]


def community_name(name: str) -> str:
    """Return a community in words: a bare number says what it is.

    Examples
    --------
    >>> community_name("2"), community_name("Nordic")
    ('community 2', 'Nordic')
    """
    return f"community {name}" if name.isdecimal() else name


def counted(markets: int) -> str:
    """Return a number of markets in words.

    Examples
    --------
    >>> counted(1), counted(2)
    ('1 market', '2 markets')
    """
    return f"{markets:,} market{'' if markets == 1 else 's'}"

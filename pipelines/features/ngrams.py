"""Character n-grams and words of texts as numbers of buckets, the same in every process."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffusion.arrays import Ints

LONGEST: Final = 3
"""Characters of the longest n-gram."""

BUCKETS: Final = 1 << 16
"""Number of buckets. N-grams that share one by chance are taken for one."""

FACTOR: Final = np.uint64(0x100000001B3)
"""Factor of the polynomials that stand for n-grams and words; it is odd, so that no character is lost."""

_BREAK: Final = re.compile(r"[\W_]+")


def ngrams(texts: Sequence[str]) -> "csr_array[np.float64]":
    """Return, (n, BUCKETS), 1 where a text has an n-gram of 1 … `LONGEST` characters, or a word.

    Everything but letters and digits parts words; a mark stands before and after every word and counts as a character.

    Examples
    --------
    >>> ngrams(["ab", "b a", ""]).sum(axis=1).tolist()  # _ a b _a ab b_ _ab ab_ and the word ab; of "b a" 10 and 2
    [9.0, 12.0, 0.0]
    """
    marked = [f"_{words}_" if (words := _BREAK.sub("_", text).strip("_")) else "" for text in texts]
    code = np.frombuffer("".join(marked).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    text = np.repeat(np.arange(len(texts)), [len(each) for each in marked])
    word, number = _words(code)
    cells = [text[word] * BUCKETS + _buckets(number)]
    rolling = np.zeros(len(code), np.uint64)
    for size in range(1, LONGEST + 1):
        rolling = rolling[: max(0, len(code) - size + 1)] * FACTOR + code[size - 1 :]
        inside = text[: len(rolling)] == text[size - 1 :]
        cells.append((text[: len(rolling)] * BUCKETS + _buckets(rolling))[inside])
    cell = np.unique(np.concatenate(cells))
    return csr_array((np.ones(len(cell)), (cell // BUCKETS, cell % BUCKETS)), (len(texts), BUCKETS))


def _words(code: NDArray[np.uint64]) -> tuple[Ints, NDArray[np.uint64]]:
    """Return the place of every word's first character, and a number for the word."""
    letter = code != ord("_")
    first = np.flatnonzero(letter[1:] & ~letter[:-1]) + 1
    if not len(first):
        return first, np.zeros(0, np.uint64)
    place = np.arange(len(code)) - np.repeat(np.append(0, first), np.diff(np.r_[0, first, len(code)]))
    powers = np.multiply.accumulate(np.full(place.max() + 1, FACTOR))
    return first, np.add.reduceat(np.where(letter, code * powers[place], np.uint64(0)), first)


def _buckets(numbers: NDArray[np.uint64]) -> Ints:
    """Return a bucket for each number: splitmix64, in which every bit depends on every bit of the number."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) % np.uint64(BUCKETS)).astype(np.int64)

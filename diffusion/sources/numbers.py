"""Numbers as charts write them: ranks such as ``#1``, and streams such as ``1,234`` or ``99.1K``."""

import re
from dataclasses import dataclass
from typing import Final

from diffusion.contracts.star import ANY_RANK

_LEAD: Final = r"^[+-]?[1-9][0-9]{0,2}"

STREAMS: Final = {
    "one_comma": rf"{_LEAD},[0-9]{{3}}\z",
    "one_dot": rf"{_LEAD}[.][0-9]{{3}}\z",
    "commas": rf"{_LEAD}((,[0-9]{{3}})+[.]0*|(,[0-9]{{3}}){{2,}})\z",
    "dots": rf"{_LEAD}(([.][0-9]{{3}})+,0*|([.][0-9]{{3}}){{2,}})\z",
    "spaced": rf"{_LEAD}([ \x{{A0}}\x{{2009}}\x{{202F}}'’][0-9]{{3}})+([.,]0*)?\z",
    "zero_fraction": r"^[+-]?[0-9]+,0*\z",
    "short": r"^[+-]?[0-9]+([.][0-9]+|,[0-9]{1,2})?[KkMmBb]\z",
    "plain": r"^([+-]?[0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?\z",
}
"""Name → pattern of a number of streams, trimmed.

What ``one_comma`` and ``one_dot`` mean depends on the file (`Marks`). The others have one meaning: thousands by commas,
dots or spaces, perhaps with a fraction of zeros; a fraction of zeros behind a comma; thousands, millions or billions by
a letter; and what every program reads.
"""

MARKED: Final = {
    "one_comma": STREAMS["one_comma"],
    "one_dot": STREAMS["one_dot"],
    "commas": STREAMS["commas"],
    "dots": STREAMS["dots"],
    "dot_fraction": r"^[+-]?[0-9,]*[.][0-9]*[KkMmBb]?\z",
    "comma_fraction": r"^[+-]?[0-9.]*,[0-9]*[KkMmBb]?\z",
}
"""Name → pattern of numbers from which `Marks` are judged."""

_RANK: Final = re.compile(r"(?:#|№|n[°º]|(?:no|nr|pos|rank)[. ])? ?([0-9]{1,7})(?:[.]0*|st|nd|rd|th)?", re.I)
_NUMBER: Final = re.compile(r"[+]?[0-9]+(?:[.][0-9]*)?(?:[eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Marks:
    """What the marks in a file's numbers of streams stand for.

    Attributes
    ----------
    dot_groups
        Whether ``99.042`` is 99042; otherwise it is not read.
    comma_groups
        Whether ``99,042`` is 99042; otherwise it is not read.
    """

    dot_groups: bool = False
    comma_groups: bool = True

    @classmethod
    def judged(cls, *, dot_groups: int, dot_fractions: int, comma_groups: int, comma_fractions: int) -> "Marks":
        """Return the marks of a file by how many of its numbers have dots or commas that part thousands, or fractions.

        A dot parts thousands if some numbers can be read in no other way, and none has a fraction behind a dot. A comma
        does unless more numbers have a fraction behind it.
        """
        return cls(dot_groups > 0 and dot_fractions == 0, comma_fractions <= comma_groups)


def read_rank(text: str) -> int | None:
    """Return the whole number from 0 that the text of a rank says; None if it says none.

    Examples
    --------
    >>> [read_rank(text) for text in ("1", "#2", "No. 3", "4.", " 5.0 ", "6th", "7.5", "first")]
    [1, 2, 3, 4, 5, 6, None, None]
    """
    plain = text.strip()
    if found := _RANK.fullmatch(plain):
        number = float(found[1])
    elif _NUMBER.fullmatch(plain):
        number = float(plain)
    else:
        return None
    return int(number) if number.is_integer() and number <= ANY_RANK else None

"""XML line by line: the elements of a large graph take several times the file's memory if a tree holds them."""

import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

from diffusion.foreign_text import CONTROL

BY_NUMBER: Final = "\r" + "".join(filter(CONTROL.match, map(chr, range(0x7F, 0x2100))))
"""Characters that are written by number: line ends, which readers would turn into LF, and control characters."""

IN_TEXT: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | {sign: f"&#{ord(sign)};" for sign in BY_NUMBER}
)
"""What stands in text for the characters that XML reserves, and for `BY_NUMBER`, so that readers keep them."""

IN_ATTRIBUTES: Final = IN_TEXT | str.maketrans({'"': "&quot;", "\t": "&#09;", "\n": "&#10;"})
"""The same for the values of attributes."""


def element(name: str, attributes: Mapping[str, str], inside: Iterable[str] = (), *, indent: str = "") -> Iterator[str]:
    """Yield the lines of an element; those of the elements inside it are indented.

    Examples
    --------
    >>> print(*element("node", {"id": "SE"}, [leaf("data", {"key": "label"}, "Møn & co")], indent="  "), sep="\\n")
    <node id="SE">
      <data key="label">Møn &amp; co</data>
    </node>
    >>> print(*element("node", {"id": "SE"}))
    <node id="SE" />
    """
    lines = iter(inside)
    first = next(lines, None)
    if first is None:
        yield f"<{name}{_spelled(attributes)} />"
        return
    yield f"<{name}{_spelled(attributes)}>"
    for line in chain([first], lines):
        yield indent + line
    yield f"</{name}>"


def leaf(name: str, attributes: Mapping[str, str], text: str) -> str:
    """Return an element with text and nothing else inside, as one line."""
    return f"<{name}{_spelled(attributes)}>{text.translate(IN_TEXT)}</{name}>"


def document(lines: Iterable[str]) -> bytes:
    """Return the lines of the outermost element as an XML file."""
    content = io.BytesIO()
    content.write(b"<?xml version='1.0' encoding='utf-8'?>\n")
    content.writelines(f"{line}\n".encode() for line in lines)
    return content.getvalue()


def _spelled(attributes: Mapping[str, str]) -> str:
    return "".join([f' {name}="{value.translate(IN_ATTRIBUTES)}"' for name, value in attributes.items()])

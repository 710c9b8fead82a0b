"""How values are shown: one line as text, and in notebooks the head of their table below it."""

from abc import ABC, abstractmethod
from html import escape
from typing import Final

import pandas as pd

LONGEST_LINE: Final = 158
"""Characters of a line at most; what is longer ends with an ellipsis."""

HEAD: Final = 5
"""Rows of a table that a notebook shows."""


class Displayed(ABC):
    """A value that says in one line what it is and of what size; its arrays and tables are never written out."""

    __slots__ = ()

    @abstractmethod
    def _facts(self) -> str:
        """Return what follows the name of the class in the line, such as ``" of top50: 67 markets"``."""

    def _shown(self) -> pd.DataFrame | None:
        """Return the table whose head a notebook shows; None for none."""
        return None

    def __repr__(self) -> str:
        return one_line(f"<{type(self).__name__}{self._facts()}>")

    def _repr_html_(self) -> str:
        return html_of(repr(self), self._shown())


def one_line(text: str) -> str:
    """Return a text on one line, cut where it is too long.

    Examples
    --------
    >>> one_line("<Study 'a\\nb'>"), len(one_line(f"<Study '{'a' * 500}'>"))
    ("<Study 'a b'>", 158)
    """
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 2]}…>"


def html_of(line: str, table: pd.DataFrame | None) -> str:
    """Return a line as HTML, and below it the head of a table; texts are escaped.

    Examples
    --------
    >>> html_of("<Ways to SE>", None)
    '<p><code>&lt;Ways to SE&gt;</code></p>'
    """
    shown = "" if table is None else table.head(HEAD).to_html(border=0, index=not _plain(table), max_cols=12)
    return f"<p><code>{escape(line)}</code></p>{shown}"


def _plain(table: pd.DataFrame) -> bool:
    return isinstance(table.index, pd.RangeIndex)

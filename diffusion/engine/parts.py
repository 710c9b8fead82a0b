"""Where array code runs on disjoint sets of tracks: on workers that only send back sums."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, TypeAlias

import pyarrow as pa

Tables: TypeAlias = Mapping[str, pa.Table]
"""Name → table."""

Work: TypeAlias = Callable[[Tables], Tables]
"""Array code on the tables of one part, a function that can be pickled: it runs in a process that has this package.

An error of `diffusion.errors` that it raises is raised by the parts too.
"""


class Parts(Protocol):
    """Tables of disjoint sets of tracks on workers.

    They are freed by `close`, by a ``with`` block, or once nothing refers to them any more.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None:
        """Free what the workers keep."""

    def kept(self, work: Work) -> "Parts":
        """Return what `work` makes of every part; it stays on the workers, and is made once."""

    def results(self, work: Work) -> Iterable[Tables]:
        """Return what `work` makes of every part, in order of the parts: sums and other small tables.

        All are made when the first is asked for. They are brought here a few at a time, so that they need not be held
        together.
        """


class Workers(Protocol):
    """Processes, of this machine or others, that run array code on parts of the tracks."""

    def number(self, entries: int) -> int:
        """Return into how many parts so many entries are best divided."""

    def spread(self, parts: Sequence[Tables]) -> Parts:
        """Send parts, which have tables of the same names, to the workers."""

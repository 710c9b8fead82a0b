"""Workers in this process that divide entries as those of a cluster do: tables and work pass through bytes."""

import pickle
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from diffusion.engine import Tables, Work


@dataclass(eq=False)
class Divided:
    """Workers that divide entries into so many parts, as far as there are artists.

    Attributes
    ----------
    parts
        Number of parts.
    open
        How often parts are kept and not yet freed.
    largest
        Bytes of the largest work that was sent.
    """

    parts: int
    open: int = 0
    largest: int = 0

    def number(self, entries: int) -> int:
        """Return the number of parts, one where there is no entry."""
        return self.parts if entries else 1

    def spread(self, parts: Sequence[Tables]) -> "PartsAsBytes":
        """Return the parts as bytes."""
        return PartsAsBytes(self, [_as_bytes(tables) for tables in parts])


class PartsAsBytes:
    """Parts whose tables are Arrow streams, kept for some workers."""

    def __init__(self, workers: Divided, parts: list[dict[str, bytes]]) -> None:
        self.workers, self.parts = workers, parts
        workers.open += 1
        self._free = weakref.finalize(self, _freed, workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the parts."""
        self._free()
        self.parts = []

    def kept(self, work: Work) -> "PartsAsBytes":
        """Return what a copy of `work` makes of every part."""
        return PartsAsBytes(self.workers, [_as_bytes(tables) for tables in self.results(work)])

    def results(self, work: Work) -> Iterator[Tables]:
        """Return what a copy of `work` makes of every part, one at a time."""
        assert self.parts, "the parts are freed"
        sent = pickle.dumps(work)
        self.workers.largest = max(self.workers.largest, len(sent))
        made = [_as_bytes(pickle.loads(sent)(_as_tables(part))) for part in self.parts]
        return map(_as_tables, made)


def _freed(workers: Divided) -> None:
    workers.open -= 1


def _as_bytes(tables: Tables) -> dict[str, bytes]:
    found = {}
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        found[name] = sink.getvalue().to_pybytes()
    return found


def _as_tables(part: dict[str, bytes]) -> dict[str, pa.Table]:
    return {name: pa.ipc.open_stream(content).read_all() for name, content in part.items()}

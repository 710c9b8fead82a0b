"""Workers in this process that divide entries as those of a cluster do: tables and work pass through bytes."""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from diffusion.engine import Tables, Work


@dataclass(frozen=True)
class Divided:
    """Workers that divide entries into so many parts, as far as there are artists."""

    parts: int

    def number(self, entries: int) -> int:
        """Return the number of parts, one where there is no entry."""
        return self.parts if entries else 1

    def spread(self, parts: Sequence[Tables]) -> "PartsAsBytes":
        """Return the parts as bytes."""
        return PartsAsBytes([_as_bytes(tables) for tables in parts])


@dataclass
class PartsAsBytes:
    """Parts whose tables are Arrow streams."""

    parts: list[dict[str, bytes]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the parts."""
        self.parts = []

    def kept(self, work: Work) -> "PartsAsBytes":
        """Return what a copy of `work` makes of every part."""
        return PartsAsBytes([_as_bytes(tables) for tables in self.results(work)])

    def results(self, work: Work) -> Iterator[Tables]:
        """Return what a copy of `work` makes of every part, one at a time."""
        sent = pickle.dumps(work)
        made = [_as_bytes(pickle.loads(sent)(_as_tables(part))) for part in self.parts]
        return map(_as_tables, made)


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

"""The quarantine of cleaning, read and written in pieces: the rows set aside may be more than memory holds."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from diffusion import SourceError
from diffusion.contracts.star import QUARANTINE

ROWS: Final = 1 << 14
"""Rows per row group of the table; as many rows are in memory at once."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of a table of rows set aside, one after the other.

    Attributes
    ----------
    path
        Parquet file, or its address.
    first
        Number of the first row, from 0.
    rows
        Number of rows; None for all from the first.
    """

    path: Path | str
    first: int = 0
    rows: int | None = None

    def pieces(self) -> Iterator[pa.Table]:
        """Yield the rows in small tables; columns as in `diffusion.contracts.star.QUARANTINE`.

        Raises
        ------
        SourceError
            When the file cannot be read.
        """
        skip, left = self.first, self.rows
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(ROWS, use_threads=False):
                    piece = pa.Table.from_batches([batch]).cast(QUARANTINE.schema).slice(skip, left)
                    skip = max(skip - batch.num_rows, 0)
                    left = None if left is None else left - piece.num_rows
                    if piece.num_rows:
                        yield piece
                    if left == 0:
                        return
        except (OSError, ValueError, pa.ArrowException) as error:
            raise SourceError(f"cannot read '{self.path}': {str(error).splitlines()[0]}; make it again") from error


def write_quarantine(target: Path, stretches: Iterable[Stretch]) -> Counter[str]:
    """Write rows set aside, stretch after stretch, and return reason → rows; the same rows make the same bytes."""
    reasons: Counter[str] = Counter()
    with pq.ParquetWriter(target, QUARANTINE.schema, compression="zstd") as file:
        held = QUARANTINE.schema.empty_table()
        for piece in (piece for stretch in stretches for piece in stretch.pieces()):
            reasons.update(_counts(piece, "reason"))
            held = pa.concat_tables([held, piece])
            while held.num_rows >= ROWS:
                file.write_table(held.slice(0, ROWS).combine_chunks())
                held = held.slice(ROWS)
        if held.num_rows:
            file.write_table(held.combine_chunks())
    return reasons


def lines_by_file(stretch: Stretch) -> Counter[str]:
    """Return file of the source → rows set aside."""
    return sum((_counts(piece, "file") for piece in stretch.pieces()), Counter())


def _counts(rows: pa.Table, column: str) -> Counter[str]:
    counted = rows[column].value_counts()
    return Counter(dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)))

"""Keys of recordings: tracks with the same key are one recording."""

from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diffusion.recordings import recording_keys

KEYS: Final = pa.schema({"track": pa.int32(), "key": pa.string(), "credits": pa.string()})
"""Columns of the table of recordings' keys."""

KEYED_ROWS: Final = 1 << 16
"""Tracks whose recordings are keyed at once."""


def key_recordings(tracks: Path, target: Path, *, joined: bool) -> None:
    """Write the key of each track's recording, where it has one; none if recordings are not to be joined."""
    with pq.ParquetFile(tracks) as file, pq.ParquetWriter(target, KEYS, compression="zstd") as keyed:
        keyed.write_table(KEYS.empty_table())
        for batch in file.iter_batches(KEYED_ROWS, columns=["track", "title", "artist"], use_threads=False):
            keys = recording_keys(batch["title"], batch["artist"])
            table = pa.table([batch["track"], keys["key"], keys["credits"]], schema=KEYS)
            if joined:
                keyed.write_table(table.filter(pc.is_valid(table["key"])))

"""Whether two folders of results hold the same: keys, dates and counts equal, floats within a relative difference."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NEAR: Final = 1e-9
"""Relative difference of floats at most; what lies between −1e-12 and 1e-12 counts as 0."""

ZERO: Final = 1e-12


def differences(one: Path, two: Path) -> list[str]:
    """Return what differs between the Parquet tables of two folders, one line each; none where they are the same."""
    names = sorted({str(file.relative_to(place)) for place in (one, two) for file in place.rglob("*.parquet")})
    found = []
    for name in names:
        if not (one / name).is_file() or not (two / name).is_file():
            found.append(f"{name}: only in {(one if (one / name).is_file() else two).name}")
            continue
        found += [f"{name}: {what}" for what in _differences(pq.read_table(one / name), pq.read_table(two / name))]
    return found


def _differences(one: pa.Table, two: pa.Table) -> list[str]:
    if not one.schema.equals(two.schema):
        return [f"columns {one.schema.names} are not {two.schema.names}, or have other types"]
    if one.num_rows != two.num_rows:
        return [f"{one.num_rows} rows, {two.num_rows} rows"]
    found = []
    for name in one.column_names:
        a, b = one[name].combine_chunks(), two[name].combine_chunks()
        if not pa.types.is_floating(a.type):
            if not a.equals(b):
                unlike = [(x, y) for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True) if x != y]
                found.append(f"{name}: {len(unlike)} values, such as {unlike[0]}")
            continue
        found += _unlike(name, a, b)
    return found


def _unlike(name: str, one: Any, two: Any) -> list[str]:
    a, b = (column.to_numpy(zero_copy_only=False).astype(np.float64) for column in (one, two))
    same = (np.isnan(a) & np.isnan(b)) | (a == b)
    with np.errstate(invalid="ignore"):
        same |= np.abs(a - b) <= np.maximum(NEAR * np.maximum(np.abs(a), np.abs(b)), ZERO)
    if same.all():
        return []
    worst = np.nanmax(np.abs(a - b)[~same] / np.maximum(np.abs(a), np.abs(b))[~same])
    at = int(np.flatnonzero(~same)[0])
    return [f"{name}: {int((~same).sum())} of {len(a)} floats, such as {a[at]!r} and {b[at]!r}; at most {worst:.1e}"]

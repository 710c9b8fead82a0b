"""Arrow tables as pandas frames, with types that pandas has."""

from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

As = Literal["pandas", "arrow"]
"""Kind of the table that a question is answered with."""


def frame_of(table: pa.Table, *, whole: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Return a table as a frame: dates as timestamps, and whole numbers as whole numbers where some are missing too.

    Parameters
    ----------
    table
        Table.
    whole
        Columns of whole numbers that are ``Int64`` here in any case (default: those with missing values).

    Examples
    --------
    >>> frame_of(pa.table({"rank": [1, None], "track_id": ["a", "b"]})).dtypes.astype(str).tolist()
    ['Int64', 'object']
    """
    names = [
        field.name
        for field in table.schema
        if pa.types.is_signed_integer(field.type) and (field.name in whole or table[field.name].null_count)
    ]
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame.assign(**{name: _whole(table[name]) for name in names})


def _whole(column: pa.ChunkedArray) -> pd.arrays.IntegerArray:
    values = pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy()
    return pd.arrays.IntegerArray(values, pc.is_null(column).to_numpy())

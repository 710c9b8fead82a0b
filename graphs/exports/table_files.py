"""Node and edge tables as files."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from diffusion.foreign_text import csv_table


def csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8 with a header: dates in ISO form, text in quotes, missing values empty.

    Numbers are written with all digits, truth values as ``true`` and ``false``. Empty text is ``""``, which differs
    from a missing value. A text that a spreadsheet would take for a formula begins with an apostrophe, and control
    characters are escaped, as `diffusion.foreign_text.csv_cell` says. Read codes with ``keep_default_na=False``: "NA"
    is Namibia.

    Examples
    --------
    >>> print(csv(pd.DataFrame({"market": ["NA", None], "rate": [0.25, float("nan")]})).decode(), end="")
    "market","rate"
    "NA",0.25
    ,
    """
    content = io.BytesIO()
    pc.write_csv(pa.Table.from_pandas(csv_table(_with_days(table)), preserve_index=False), content)
    return content.getvalue()


def parquet(table: pd.DataFrame) -> bytes:
    """Return a table as Parquet; types and infinite numbers are read back unchanged. NaN and None are both missing.

    Examples
    --------
    >>> parquet(pd.DataFrame({"market": ["NA"]}))[:4]
    b'PAR1'
    """
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), content)
    return content.getvalue()


def _with_days(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with timestamps of whole days as dates."""
    times = {name: table[name] for name in table.columns if pd.api.types.is_datetime64_dtype(table[name])}
    days = {name: column.dt.date for name, column in times.items() if column.equals(column.dt.normalize())}
    return table.assign(**days)

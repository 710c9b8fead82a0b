"""Arrow tables as pandas frames."""

import pandas as pd
import pyarrow as pa


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame, with dates as ``datetime64``.

    Examples
    --------
    >>> from datetime import date
    >>> to_frame(pa.table({"entry": [date(2021, 5, 1)], "rank": [3]})).dtypes.astype(str).tolist()
    ['datetime64[ms]', 'int64']
    """
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame

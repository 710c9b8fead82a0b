"""Tables of one's own: CSV or Parquet."""

import warnings
from pathlib import Path

import pandas as pd

from diffusion import SettingError


def read_own_table(file: str | Path, *, what: str, section: str | None = None) -> pd.DataFrame:
    """Return a table from a CSV or Parquet file; an empty cell of a CSV is missing, ``NA`` is not.

    Parameters
    ----------
    file
        Path; what does not end in ``.parquet`` is CSV, all of whose columns are text.
    what, section
        What the table holds, and the section of the study file that names it (default: none), for errors.

    Raises
    ------
    SettingError
        When the file is not there or cannot be read.
    """
    try:
        if str(file).endswith(".parquet"):
            return pd.read_parquet(file)
        with warnings.catch_warnings():
            # rows with more cells than the header: pandas would shift or cut them
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""], index_col=False)
    except FileNotFoundError:
        where = f" under [{section}]" if section else ""
        raise SettingError(f"no file '{file}' with {what}; name a CSV or Parquet file{where}") from None
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise SettingError(f"cannot read the {what} in '{file}': {error}") from error

"""Checks of tables before they are drawn."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from diffusion import SettingError


def check_is_table(table: object, name: str) -> None:
    """Check that what a figure is drawn from is a table.

    Raises
    ------
    SettingError
        When it is something else.

    Examples
    --------
    >>> check_is_table(7, "lags")
    Traceback (most recent call last):
    ...
    diffusion.errors.SettingError: 'lags' is of the type int, no table; help() of the figure says which call gives it
    """
    if not isinstance(table, pd.DataFrame):
        raise SettingError(
            f"'{name}' is of the type {type(table).__name__}, no table; help() of the figure says which call gives it"
        )


def checked(table: pd.DataFrame, name: str, *, texts: Sequence[str] = (), numbers: Sequence[str] = ()) -> pd.DataFrame:
    """Return the named columns of `table`, texts as ``str`` and numbers as ``float64`` (NaN where missing).

    Parameters
    ----------
    table
        A table with these columns; others are dropped.
    name
        Name of the table in error messages.
    texts, numbers
        Names of the columns.

    Raises
    ------
    SettingError
        When it is no table, a column or a text is missing, or a column of numbers holds an infinity or something that
        is no number.

    Examples
    --------
    >>> checked(pd.DataFrame({"days": [7]}), "lags", numbers=["days", "transitions"])
    Traceback (most recent call last):
    ...
    diffusion.errors.SettingError: the table 'lags' lacks transitions; it has days
    """
    check_is_table(table, name)
    missing = [column for column in (*texts, *numbers) if column not in table.columns]
    if missing:
        has = ", ".join(map(str, table.columns)) or "no columns"
        raise SettingError(f"the table '{name}' lacks {', '.join(missing)}; it has {has}")
    for column in texts:
        if table[column].isna().any():
            raise SettingError(f"the column '{column}' of '{name}' has missing values")
    columns: dict[str, pd.Series] = {column: table[column].astype(str) for column in texts}
    for column in numbers:
        try:
            columns[column] = pd.to_numeric(table[column]).astype("float64")
        except (TypeError, ValueError) as error:
            raise SettingError(f"the column '{column}' of '{name}' holds something that is no number") from error
        if np.isinf(columns[column]).any():
            raise SettingError(f"the column '{column}' of '{name}' holds an infinity")
    return pd.DataFrame(columns).reset_index(drop=True)

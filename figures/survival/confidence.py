"""What intervals and bands are, in a sentence below a figure."""

import pandas as pd


def confidence(table: pd.DataFrame, mark: str, cluster: str, *, each: str) -> str:
    """Return what the intervals of a figure take as independent; empty where a table has no interval.

    Parameters
    ----------
    table
        Its columns `low` and `high` are the intervals.
    mark
        What they are drawn as, such as ``Lines``.
    cluster
        ``artist``, ``track`` or ``independent``.
    each
        What an interval belongs to, such as ``day``.

    Examples
    --------
    >>> confidence(pd.DataFrame({"low": [0.1], "high": [0.2]}), "Bands", "artist", each="day")
    'Bands: 95 % confidence by artist, for each day by itself.'
    """
    if not table[["low", "high"]].notna().all(axis=1).any():
        return ""
    if cluster == "independent":
        return (
            f"{mark}: 95 % confidence, for each {each} by itself; too narrow, as a track's waits are not independent."
        )
    return f"{mark}: 95 % confidence by {cluster}, for each {each} by itself."

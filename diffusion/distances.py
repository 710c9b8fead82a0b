"""Distances between markets: geographic, linguistic and cultural."""

from functools import cache
from importlib import resources

import pandas as pd

DISTANCES = ("distance_km", "contiguous", "common_language", "language_overlap", "cultural_distance")


@cache
def pair_table() -> pd.DataFrame:
    """Return the distances of all 4,692 ordered pairs of the 69 reference markets.

    Returns
    -------
    DataFrame
        One row per ordered pair: `source`, `target`, `distance_km` (between the largest cities), `contiguous` (1 where
        they share a border), `common_language` (1 where they share an official language), `language_overlap` (0 … 1,
        chance that two people share a language), `cultural_distance` (0 … 1, cosine distance of Facebook interests).

    References
    ----------
    Mayer, T. & Zignago, S. (2011). Notes on CEPII's distances measures: the GeoDist database. CEPII 2011-25.

    Obradovich, N. et al. (2022). Expanding the measurement of culture with a sample of two billion humans.
    J. R. Soc. Interface 19, doi 10.1098/rsif.2022.0085.

    Examples
    --------
    >>> float(pair_table().set_index(["source", "target"]).loc[("SE", "NO"), "distance_km"])
    417.6
    """
    data = resources.files("diffusion").joinpath("data")
    tables = []
    for name in ("pairs.csv", "cultural_distance_facebook.csv"):
        with data.joinpath(name).open(encoding="utf-8") as file:
            tables.append(pd.read_csv(file, keep_default_na=False))
    return tables[0].merge(tables[1], on=["source", "target"], how="left", validate="one_to_one")


def join_distances(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return `pairs` (with `source` and `target`) with the columns of `pair_table` added, in the same order.

    Pairs that the table lacks get missing values; `unmatched_pairs` lists them.
    """
    joined = pairs.merge(pair_table(), on=["source", "target"], how="left", validate="many_to_one")
    return joined.astype({"contiguous": "Int64", "common_language": "Int64"})


def unmatched_pairs(joined: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """Return distance → pairs without a value, in order; distances that no pair lacks are left out."""
    return {
        column: list(joined.loc[joined[column].isna(), ["source", "target"]].itertuples(index=False, name=None))
        for column in DISTANCES
        if joined[column].isna().any()
    }

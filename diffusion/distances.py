"""Distances between markets: geographic, linguistic and cultural."""

from functools import cache
from importlib import resources

import pandas as pd
import pyarrow.parquet as pq

from diffusion.markets import CEPII, DERIVED

DISTANCES = ("distance_km", "contiguous", "common_language", "language_overlap", "cultural_distance")


@cache
def pair_table() -> pd.DataFrame:
    """Return the distances of all ordered pairs of markets in the reference table.

    Returns
    -------
    DataFrame
        One row per ordered pair, in order: `source`, `target`, `distance_km` (between the largest cities), `contiguous`
        (1 where they share a border), `common_language` (1 where they share an official language), `language_overlap`
        (0 … 1, chance that two people share a language), `cultural_distance` (0 … 1, cosine distance of Facebook
        interests; 69 markets), `origin` (``cepii`` for pairs of the 69 markets in Spotify's public charts, else
        ``derived`` from GeoNames and CLDR). What no source gives is missing.

    References
    ----------
    Mayer, T. & Zignago, S. (2011). Notes on CEPII's distances measures: the GeoDist database. CEPII 2011-25.

    Obradovich, N. et al. (2022). Expanding the measurement of culture with a sample of two billion humans.
    J. R. Soc. Interface 19, doi 10.1098/rsif.2022.0085.

    Examples
    --------
    >>> pair_table().set_index(["source", "target"]).loc[[("SE", "NO"), ("SE", "MT")], ["distance_km", "origin"]].values
    array([[417.6, 'cepii'],
           [2613.0, 'derived']], dtype=object)
    """
    data = resources.files("diffusion").joinpath("data")
    with data.joinpath("pairs_derived.parquet").open("rb") as file:
        there = pq.read_table(file).to_pandas().assign(origin=DERIVED)
    back = there.rename(columns={"source": "target", "target": "source"})
    pairs = pd.concat([_read("pairs.csv").assign(origin=CEPII), there, back])
    flags = dict.fromkeys(["contiguous", "common_language"], "Int64")
    table = pairs.astype(flags).sort_values(["source", "target"], ignore_index=True)
    cultural = _read("cultural_distance_facebook.csv")
    table = table.merge(cultural, on=["source", "target"], how="left", validate="one_to_one")
    return table[["source", "target", *DISTANCES, "origin"]]


def join_distances(pairs: pd.DataFrame, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return `pairs` (with `source` and `target`) with the distances of a table added, in the same order.

    Pairs that the table lacks get missing values; `unmatched_pairs` lists them.

    Parameters
    ----------
    table
        Distances, with the columns of `pair_table` (default: that table).
    Examples
    --------
    >>> import pandas as pd
    >>> join_distances(pd.DataFrame({"source": ["SE"], "target": ["NO"]}))[["distance_km", "common_language"]]
       distance_km  common_language
    0        417.6                0
    """
    known = (pair_table() if table is None else table).drop(columns="origin")
    return pairs.merge(known, on=["source", "target"], how="left", validate="many_to_one")


def unmatched_pairs(joined: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """Return distance → pairs without a value, in order; distances that no pair lacks are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> unmatched_pairs(join_distances(pd.DataFrame({"source": ["SE"], "target": ["MT"]})))
    {'cultural_distance': [('SE', 'MT')]}
    """
    return {
        column: list(joined.loc[joined[column].isna(), ["source", "target"]].itertuples(index=False, name=None))
        for column in DISTANCES
        if joined[column].isna().any()
    }


def _read(name: str) -> pd.DataFrame:
    with resources.files("diffusion").joinpath("data", name).open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False)

"""The node table: what is known of every market, and what was observed there."""

import pandas as pd

from diffusion import Entries, reference_table

KNOWN = ["continent", "subregion", "population", "latitude", "longitude"]


def market_nodes(entries: Entries) -> pd.DataFrame:
    """Return one row per observed market.

    Returns
    -------
    DataFrame
        `market`, `name`; `continent`, `subregion`, `population`, `latitude`, `longitude` (missing where the reference
        table does not know the market); the columns of `Calendar.by_market`; `entries`, `left_censored` (entries),
        `debuts` (timed day-0 entries).
    """
    coverage = entries.calendar.by_market()
    counts = (
        entries.to_pandas().groupby("market").agg(entries=("entry", "size"), left_censored=("left_censored", "sum"))
    )
    timed = entries.footprints().to_pandas()
    counts["debuts"] = timed[~timed["left_censored"]].groupby("market").size()
    counts = counts.reindex(coverage["market"]).fillna(0).astype("int64")
    known = reference_table().set_index("market")[KNOWN].reindex(coverage["market"])
    known["population"] = known["population"].astype("Int64")
    return pd.concat(
        [
            coverage[["market", "name"]],
            known.reset_index(drop=True),
            coverage.drop(columns=["market", "name"]),
            counts.reset_index(drop=True),
        ],
        axis=1,
    )

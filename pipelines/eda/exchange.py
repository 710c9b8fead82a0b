"""Pairs of markets side by side: what the graph, the baseline, the leaders and the distances say of each."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from diffusion import market_names
from diffusion.conventions import FDR
from graphs.leaders.asymmetry import MEASURE
from pipelines.contracts.exchange import BEYOND, EXCHANGE, EXCHANGE_MARKETS, TESTED

_PAIR: Final = ["source", "target"]

FLAGS: Final = {"edge": "edges", "ordered": "ordered"}
"""Flag of a pair → what the number of pairs with it is called."""

METHODS: Final = {
    "gravity": ("log ratio of tracks per exposed track", "other distances, and what source and target send and take"),
    "mrqap": ("√rate", "other distances"),
    "mantel": ("correlation with √rate", "nothing"),
}
"""Table of a test of distances → unit of its estimates, and what it holds fixed."""

_JACKKNIFE: Final = {"jackknife_low": "low", "jackknife_high": "high", "jackknife_p": "p"}


def exchange_table(edges: pd.DataFrame, lifts: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row per ordered pair of markets; columns as in `pipelines.contracts.exchange.EXCHANGE`.

    Parameters
    ----------
    edges
        Pairs as `graphs.contracts.EDGES`.
    lifts
        Pairs as `graphs.contracts.LIFTS`; None where pairs could not be held against the baseline.
    """
    table = edges.merge(lifts[[*_PAIR, *BEYOND]], on=_PAIR, how="left") if lifts is not None else edges
    for side in _PAIR:
        table = table.assign(**{f"{side}_name": table[side].map(market_names(table[side].unique()))})
    return table.reindex(columns=EXCHANGE.names).astype(dict.fromkeys(FLAGS, "boolean"))


def exchange_markets(markets: Sequence[str], pairs: pd.DataFrame, leaders: pd.DataFrame) -> pd.DataFrame:
    """Return one row per market; columns as in `pipelines.contracts.exchange.EXCHANGE_MARKETS`.

    Parameters
    ----------
    markets
        Codes of all markets.
    pairs
        Result of `exchange_table`.
    leaders
        Scores as `graphs.contracts.LEADERS`.
    """
    flags = pairs.fillna(dict.fromkeys(FLAGS, False)).astype(dict.fromkeys(FLAGS, "bool"))
    sums = {
        "sent": pairs.groupby("source")["tracks"].sum(),
        "received": pairs.groupby("target")["tracks"].sum(),
        **{f"{word}_out": flags.groupby("source")[name].sum() for name, word in FLAGS.items()},
        **{f"{word}_in": flags.groupby("target")[name].sum() for name, word in FLAGS.items()},
    }
    table = pd.DataFrame(sums, index=pd.Index(markets, name="market")).fillna(0).astype("int64")
    tested = leaders[leaders["measure"] == MEASURE].set_index("market")[[*TESTED]]
    table = table.join(tested).reset_index()
    surely = table["q"].astype("float64") <= FDR
    score = table["score"].astype("float64")
    roles = [table["q"].isna(), surely & (score > 0), surely & (score < 0)]
    table["role"] = np.select(roles, ["not tested", "leads", "follows"], "not told apart")
    return table.assign(name=table["market"].map(market_names(markets)))[EXCHANGE_MARKETS.names]


def distance_effects(tests: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what each method says of each distance; columns as in `pipelines.contracts.exchange.DISTANCE_EFFECTS`.

    Parameters
    ----------
    tests
        Table of the step `structure` → its rows, of those that were made: `gravity` (quoted by the jackknife), `mrqap`,
        `mantel` (which has no interval).
    """
    rows = []
    for method, (unit, fixed) in METHODS.items():
        if method not in tests:
            continue
        table = tests[method]
        if method == "gravity":
            table = table.drop(columns=["low", "high", "p"]).rename(columns=_JACKKNIFE)
        own = table[table["term"] != "intercept"].reindex(columns=["term", "estimate", "low", "high", "p", "markets"])
        rows.append(own.assign(method=method, unit=unit, holds_fixed=fixed))
    columns = ["method", "term", "unit", "holds_fixed", "estimate", "low", "high", "p", "markets"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)

"""What changed between two runs of a study on the same charts, which have grown: markets, rates, leaders."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion import Entries
from diffusion.comparable import numbered_tracks
from graphs.comparison.rates import rate_table
from graphs.comparison.sides import sides
from graphs.leaders.asymmetry import MEASURE
from pipelines.contracts.changes import CHANGED_EDGES, CHANGED_LEADERS

DESCRIBED: Final = "out_share"
"""Measure of leaders that does not grow with the number of tracks."""

LEADING: Final = (MEASURE, DESCRIBED)
"""Measures of leaders that are shown before and now."""


def changed_edges(before: Entries, now: Entries, *, window: int) -> pd.DataFrame:
    """Return the rates of all pairs of both runs, before and now, and which differ, by `source`, then `target`.

    `difference` has its interval and q as in `graphs.compare`, where a track of both runs counts once.

    Raises
    ------
    DataSaysNoError
        When the runs have fewer than two markets in common.
    """
    markets, one, other = sides(now, before)
    ends = {"_a": "_now", "_b": "_before"}
    table = rate_table(markets, one, other, window=window)
    table.columns = [f"{name[:-2]}{ends[name[-2:]]}" if name[-2:] in ends else name for name in map(str, table)]
    return table.assign(moved=_moved(table, "rate"))[CHANGED_EDGES.names]


def changed_leaders(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of the markets of both runs, before and now, by `LEADING`, then market.

    `before` and `now` are tables of leaders, as `graphs.contracts.LEADERS` says. Whether a score moved is said of
    `DESCRIBED` alone: the lead beyond the baseline counts partners with which an order is established, and more tracks
    establish more of them.
    """
    keys, values = ["measure", "market"], ["score", "low", "high", "q"]
    one, other = (
        leaders.loc[leaders["measure"].isin(LEADING), [*keys, *values]].set_index(keys).add_suffix(f"_{when}")
        for leaders, when in ((before, "before"), (now, "now"))
    )
    table = one.join(other, how="inner").reset_index()
    moved = _moved(table, "score").astype("boolean").where(table["measure"] == DESCRIBED)
    table = table.assign(moved=moved)[CHANGED_LEADERS.names]
    return table.sort_values(keys, key=lambda column: column.replace(list(LEADING), ["0", "1"]), ignore_index=True)


def _moved(table: pd.DataFrame, value: str) -> "pd.Series[bool]":
    """Return whether the value of each run lies outside the interval of the other; not where one has no interval."""
    outside = [
        (table[f"{value}_{one}"] < table[f"low_{other}"]) | (table[f"{value}_{one}"] > table[f"high_{other}"])
        for one, other in (("now", "before"), ("before", "now"))
    ]
    return outside[0] & outside[1]


def changed_markets(before: Entries, now: Entries) -> pd.DataFrame:
    """Return the entries of every market before and now, by market; columns as in `CHANGED_MARKETS`."""
    keys = ["track_id", "market"]
    both = _dated(before, "before").join(_dated(now, "now"), keys, join_type="full outer")
    there = {when: pc.is_valid(both[f"entry_{when}"]) for when in ("before", "now")}
    counted = {
        "entries_before": there["before"],
        "entries_now": there["now"],
        "entries_new": pc.and_not(there["now"], there["before"]),
        "entries_gone": pc.and_not(there["before"], there["now"]),
        "entries_redated": pc.fill_null(pc.not_equal(both["entry_before"], both["entry_now"]), False),
    }
    flags = pa.table({"market": both["market"]} | counted).to_pandas()
    sums = flags.groupby("market").sum()
    last = {
        f"last_date_{when}": entries.calendar.by_market().set_index("market")["last_date"]
        for when, entries in (("before", before), ("now", now))
    }
    table = pd.DataFrame(last).join(sums, how="outer").fillna(dict.fromkeys(counted, 0))
    return table.astype(dict.fromkeys(counted, "int64")).rename_axis("market").sort_index().reset_index()


def _dated(entries: Entries, when: str) -> pa.Table:
    table = entries.table.select(["track_id", "market", "entry"])
    return table.rename_columns(["track_id", "market", f"entry_{when}"])


def counts(before: Entries, now: Entries) -> dict[str, Any]:
    """Return dates of the charts, and how many tracks there were, are, and are new or gone."""
    of_now, of_before = numbered_tracks(now, before)
    return {
        "first_date_before": before.calendar.first_date.isoformat(),
        "last_date_before": before.calendar.last_date.isoformat(),
        "first_date_now": now.calendar.first_date.isoformat(),
        "last_date_now": now.calendar.last_date.isoformat(),
        "tracks_before": len(of_before),
        "tracks_now": len(of_now),
        "tracks_new": len(np.setdiff1d(of_now, of_before)),
        "tracks_gone": len(np.setdiff1d(of_before, of_now)),
    }

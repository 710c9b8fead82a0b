"""What the explorer holds: markets, pairs with counts and tests, lag curves, periods, leaders, placebos and tracks."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from diffusion import Entries
from diffusion.conventions import FDR, LEAST_EXPOSED
from diffusion.entry_pairs import lag_bands_of
from diffusion.foreign_text import replaced
from graphs import MarketGraph
from pipelines.explorer.columns import column, columns_of
from pipelines.explorer.periods import period_rows, period_table, suited
from pipelines.explorer.tracks import track_content
from pipelines.explorer.world import placed, world
from pipelines.formatting import records

PARTS: Final = 10_000
"""Shares and bounds of lag curves are whole numbers of ten-thousandths."""

MOST_DAYS: Final = 90
"""Most days of a lag curve, and one more; of longer follow-up, days at equal distances."""

COUNTED: Final = (
    "tracks", "joint", "exposed", "rate", "rate_low", "rate_high", "rate_if_ties", "lag_q25", "lag_median", "lag_q75",
    "followed_to",
)  # fmt: skip

BEYOND: Final = (
    "observed", "expected", "lift", "lift_low", "lift_high", "q", "edge", "detectable", "q_order", "ordered",
    "lead_share", "lead_expected",
)  # fmt: skip

DIRECT: Final = ("beta", "beta_low", "beta_high", "q_joint", "direct", "ordered", "detectable", "credits")

LEADER: Final = ("score", "low", "high", "q", "artists", "partners", "rank", "rank_low", "rank_high", "group")


class StudyResults(Protocol):
    """Results of a study that hold a graph."""

    @property
    def entries(self) -> Entries:
        """Entries with their calendar."""

    @property
    def graph(self) -> MarketGraph:
        """The market graph."""

    def holds(self, table: str) -> bool:
        """Return whether a table was made."""

    def table(self, name: str) -> pd.DataFrame:
        """Return a table."""

    def why_not(self, name: str, *, sent: bool = False) -> str:
        """Return why a table was not made; what is `sent` to others does not name the folder."""

    def notes(self, step: str) -> dict[str, Any]:
        """Return the notes of a step."""


def content(title: str, results: StudyResults) -> dict[str, Any]:
    """Return everything that the page shows, as JSON."""
    graph, entries = results.graph, results.entries
    timelines, periods = graph.timelines, suited(graph.timelines)
    markets = [str(market) for market in graph.nodes["market"]]
    return {
        "about": _about(title, results),
        "world": world(),
        "markets": _markets(results),
        "pairs": columns_of(_by_pair(graph.edges, markets, COUNTED)),
        "beyond": _tested(results, "lifts", markets, BEYOND),
        "direct": _tested(results, "influence", markets, DIRECT),
        "curves": _curves(graph, markets),
        "periods": period_rows(periods, timelines),
        "period_pairs": columns_of(period_table(periods, graph.entries, graph.window)),
        "leaders": _leaders(results, markets),
        "placebo": records(results.table("placebo")) if results.holds("placebo") else [],
        "tracks": track_content(entries, results.table("tracks"), markets),
        "not_made": {
            name: replaced(results.why_not(name, sent=True))
            for name in ("lifts", "influence", "leaders", "placebo")
            if not results.holds(name)
        },
    }


def _about(title: str, results: StudyResults) -> dict[str, Any]:
    graph, notes = results.graph, results.notes("entries")
    return {
        "title": replaced(title),
        "cohort": [replaced(words) for words in notes["cohort"]],
        **{name: notes[name] for name in ("chart", "cadence_days", "first_date", "last_date", "tracks", "markets")},
        "window": graph.window,
        "least_exposed": LEAST_EXPOSED,
        "level": FDR,
    }


def _markets(results: StudyResults) -> list[dict[str, Any]]:
    """Return code, name, continent, community (None where not known) and place of each market."""
    nodes = results.graph.nodes
    named = nodes[["market", "name", "continent", "debuts", "entries"]].assign(community=_communities(results, nodes))
    first, last = (pd.to_datetime(nodes[name]).dt.date.astype(str) for name in ("first_date", "last_date"))
    shown = named.assign(first_date=first, last_date=last, name=named["name"].map(replaced))
    rows = records(shown)
    return [row | place for row, place in zip(rows, placed(nodes), strict=True)]


def _communities(results: StudyResults, nodes: pd.DataFrame) -> "pd.Series[Any]":
    if not results.holds("communities"):
        return pd.Series(pd.NA, index=nodes.index, dtype="Int64")
    known = results.table("communities").set_index("market")["community"]
    return nodes["market"].map(known).astype("Int64")


def _by_pair(table: pd.DataFrame, markets: list[str], names: Sequence[str]) -> pd.DataFrame:
    """Return columns of a table of pairs with one row per ordered pair of markets, by source, then target."""
    pairs = pd.MultiIndex.from_product([markets, markets]).to_frame(index=False, name=["source", "target"])
    pairs = pairs[pairs["source"] != pairs["target"]]
    return pairs.merge(table, how="left", on=["source", "target"], validate="one_to_one")[list(names)]


def _tested(results: StudyResults, table: str, markets: list[str], names: Sequence[str]) -> dict[str, Any] | None:
    if not results.holds(table):
        return None
    return columns_of(_by_pair(results.table(table), markets, names))


def _curves(graph: MarketGraph, markets: list[str]) -> dict[str, Any]:
    """Return the lag curve of each pair, on all days of follow-up or on some of them where they are many.

    Returns
    -------
    dict
        `days`, ascending; `parts`; and pair by pair, with a value for each of these days, columns `share`, `low`,
        `high` (in ten-thousandths) and `at_risk` (tracks). After the last day of a pair's follow-up they are 0.
    """
    longest = int(graph.edges["followed_to"].fillna(0).max())
    days = np.unique(np.append(np.arange(0, longest + 1, longest // MOST_DAYS + 1), longest))
    shape = (len(markets), len(markets), len(days))
    curves = {name: np.zeros(shape, np.int64) for name in ("share", "low", "high", "at_risk")}
    for market, bands in lag_bands_of(graph.entries, window=graph.window):
        for target, band in bands.items():
            cell, own = (markets.index(market), markets.index(target)), band.iloc[days[days < len(band)]]
            for name, values in zip(curves, ("incidence", "low", "high"), strict=False):
                curves[name][cell][: len(own)] = np.rint(own[values] * PARTS)
            curves["at_risk"][cell][: len(own)] = own["at_risk"]
    pairs = ~np.eye(len(markets), dtype=bool)
    packed = {name: column(values[pairs].ravel()) for name, values in curves.items()}
    return {"days": days.tolist(), "parts": PARTS, **packed}


def _leaders(results: StudyResults, markets: list[str]) -> dict[str, Any]:
    """Return the measures, and the scores of all markets in each: columns, with `market` and `measure` as numbers."""
    if not results.holds("leaders"):
        return {"measures": []}
    table = results.table("leaders")
    measures = [str(name) for name in table["measure"].unique()]
    numbers = {
        "measure": pd.Index(measures).get_indexer(pd.Index(table["measure"])),
        "market": pd.Index(markets).get_indexer(pd.Index(table["market"])),
    }
    return {"measures": measures, **columns_of(table[list(LEADER)].assign(**numbers))}

"""The market graph: an immutable value that knows every ordered pair of markets, its flows and its leaders."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import igraph
import networkx as nx
import pandas as pd
import pyarrow as pa

from diffusion import Calendar, Entries, SettingError, join_distances, lag_curve, resolve, transitions, unmatched_pairs
from diffusion.errors import DataSaysNoError
from diffusion.files import write_whole
from diffusion.schema import LAGS, LEAST_EXPOSED, TRANSITIONS, WASHOUT
from graphs import leaders
from graphs.exports import graphml, networkx_graph
from graphs.nodes import market_nodes

SCORES = ("out_tracks", "in_tracks", "net_flow", "pagerank", "hub", "authority", "betweenness")


@dataclass(frozen=True, slots=True)
class Flow:
    """One ordered pair of markets in full.

    Attributes
    ----------
    edge
        The pair's row of `MarketGraph.edges`.
    back
        The row of the opposite direction.
    curve
        The lag curve: `days`, `at_risk`, `entered`, `censored`, `incidence` (P(target within `days` | source)).
    """

    edge: dict[Hashable, object]
    back: dict[Hashable, object]
    curve: pd.DataFrame


class MarketGraph:
    """Markets and the flows of tracks between them; made by `market_graph`, never changed.

    Parameters
    ----------
    nodes
        One row per market, with `market` and `name` first.
    edges
        One row per ordered pair of those markets, with the columns of `diffusion.schema.TRANSITIONS` first.
    lags
        Follow-up counts as `diffusion.schema.LAGS` says.
    window
        Days within which a transition had to happen.
    chart
        Name of the chart.

    Raises
    ------
    ValueError
        When the tables do not fit their contracts or each other.
    """

    def __init__(
        self, nodes: pd.DataFrame, edges: pd.DataFrame, *, lags: pd.DataFrame, window: int, chart: str
    ) -> None:
        TRANSITIONS.conform(pa.Table.from_pandas(edges[TRANSITIONS.names], preserve_index=False))
        LAGS.conform(pa.Table.from_pandas(lags, preserve_index=False))
        if not nodes["market"].is_unique:
            raise ValueError("a market stands twice among the nodes")
        if len(edges) != len(nodes) * (len(nodes) - 1) or (edges["source"] == edges["target"]).any():
            raise ValueError("the edges are not the ordered pairs of the nodes")
        strange = (set(edges["source"]) | set(edges["target"])) - set(nodes["market"])
        if strange:
            raise ValueError(f"edges of {', '.join(sorted(strange))}, which are no nodes")
        self._nodes, self._edges, self._lags = nodes.copy(), edges.copy(), lags.copy()
        self.window = window
        self.chart = chart

    def __repr__(self) -> str:
        flows = int((self._edges["tracks"] > 0).sum())
        return f"<MarketGraph of {self.chart}: {len(self._nodes)} markets, {flows:,} flows within {self.window} days>"

    @property
    def nodes(self) -> pd.DataFrame:
        """One row per market: what is known of it, its coverage, and its scores (a copy)."""
        return self._nodes.assign(**{name: self._scores[name].to_numpy() for name in SCORES})

    @property
    def edges(self) -> pd.DataFrame:
        """One row per ordered pair of markets, flows or not: transitions and distances (a copy)."""
        return self._edges.copy()

    @property
    def lags(self) -> pd.DataFrame:
        """Follow-up counts of every pair by days, as `diffusion.schema.LAGS` says (a copy)."""
        return self._lags.copy()

    @cached_property
    def _flows(self) -> igraph.Graph:
        flowing = self._edges[self._edges["tracks"] > 0]
        return igraph.Graph.DataFrame(
            flowing[["source", "target", *(c for c in flowing.columns if c not in ("source", "target"))]],
            directed=True,
            vertices=self._nodes[["market", "name"]].rename(columns={"name": "label"}),
            use_vids=False,
        )

    @cached_property
    def _scores(self) -> pd.DataFrame:
        hub, authority = leaders.hits(self._flows)
        return pd.DataFrame(
            {
                "market": self._nodes["market"],
                "out_tracks": leaders.out_tracks(self._flows),
                "in_tracks": leaders.in_tracks(self._flows),
                "net_flow": leaders.net_flow(self._flows),
                "pagerank": leaders.pagerank(self._flows),
                "hub": hub,
                "authority": authority,
                "betweenness": leaders.lag_betweenness(self._flows),
            }
        )

    def leaders(self) -> pd.DataFrame:
        """Return the markets by net flow, the largest first.

        Returns
        -------
        DataFrame
            One row per market: `market`, `name`, `out_tracks`, `in_tracks`, `net_flow` (tracks, counted once per pair),
            `pagerank` (on the reversed flow), `hub`, `authority` (HITS), `betweenness` (share of
            fastest paths).
        """
        table = self.nodes[["market", "name", *SCORES]]
        return table.sort_values(["net_flow", "market"], ascending=[False, True], ignore_index=True)

    def largest(self, by: str = "tracks", *, least_exposed: int | None = None) -> pd.DataFrame:
        """Return the pairs with transitions, the largest first by `tracks` or `rate`.

        Parameters
        ----------
        by
            ``tracks`` or ``rate``.
        least_exposed
            Leave out pairs with fewer exposed tracks; default 30 for ``rate``, where else 1 of 1 would win, and 0 for
            ``tracks``.
        """
        if by not in ("tracks", "rate"):
            raise SettingError(f"flows are ranked by 'tracks' or 'rate', not '{by}'")
        least = (LEAST_EXPOSED if by == "rate" else 0) if least_exposed is None else least_exposed
        there = self._edges[(self._edges["tracks"] > 0) & (self._edges["exposed"] >= least)]
        return there.sort_values([by, "source", "target"], ascending=[False, True, True], ignore_index=True)

    def next_from(self, market: str) -> pd.DataFrame:
        """Return where tracks go from `market` (name or code): its pairs by `rate`, the largest first, unknown last."""
        pairs = self._edges[self._edges["source"] == self.code(market)]
        return pairs.sort_values(["rate", "target"], ascending=[False, True], na_position="last", ignore_index=True)

    def flow(self, source: str, target: str) -> Flow:
        """Return one ordered pair in full, with its lag curve; markets by name or code.

        Raises
        ------
        UnknownMarketError
            When a name is unknown.
        DataSaysNoError
            When a market is not in the graph, or both are the same.
        """
        a, b = self.code(source), self.code(target)
        if a == b:
            raise DataSaysNoError(f"a flow needs two markets; both are {a}")
        there, back = (
            self._edges[(self._edges["source"] == x) & (self._edges["target"] == y)] for x, y in ((a, b), (b, a))
        )
        mine = self._lags[(self._lags["source"] == a) & (self._lags["target"] == b)]
        curve = lag_curve(mine)[["days", "at_risk", "entered", "censored", "incidence"]].reset_index(drop=True)
        return Flow(there.to_dict("records")[0], back.to_dict("records")[0], curve)

    def code(self, market: str) -> str:
        """Return the code of a market of this graph, from its name or code."""
        code = resolve(market)
        if code not in set(self._nodes["market"]):
            raise DataSaysNoError(f"{code} is not observed on the chart '{self.chart}'; the graph does not know it")
        return code

    @property
    def unmatched(self) -> dict[str, list[tuple[str, str]]]:
        """For every distance that some pair lacks, those ordered pairs."""
        return unmatched_pairs(self._edges)

    def to_igraph(self) -> igraph.Graph:
        """Return the flows (pairs with transitions) as a directed igraph graph of its own."""
        return self._flows.copy()

    def to_networkx(self) -> "nx.DiGraph[str]":
        """Return the flows as a directed networkx graph keyed by code; what is missing is no attribute."""
        return networkx_graph(self.nodes, self._edges[self._edges["tracks"] > 0])

    def graphml(self) -> bytes:
        """Return the flows as GraphML: names as `label`, `lat`, `lon`, `weight` = tracks, key ids that are names."""
        return graphml(self.to_networkx())

    def to_graphml(self, path: str | Path) -> None:
        """Write the flows as GraphML that opens in Gephi, as `graphml` returns them; whole or not at all."""
        write_whole(path, self.graphml())


def market_graph(
    entries: Entries | pd.DataFrame,
    *,
    window: int | None = None,
    calendar: Calendar | None = None,
    washout: int | None = None,
) -> MarketGraph:
    """Return the graph of transitions between markets.

    Parameters
    ----------
    entries
        Entries with their coverage calendar, or a bare frame with the columns of `diffusion.schema.ENTRIES`.
    window
        Days within which the target must follow, the bound included (default: 60, on weekly charts 56).
    calendar, washout
        Only with a bare frame: its coverage calendar, without which nothing is known of the tracks that did not
        travel, and the washout in days that it was made with (default 28).

    Raises
    ------
    SettingError
        When a bare frame comes without a calendar, or a calendar with entries that have one.
    DataSaysNoError
        When there is only one market, or no track makes a transition.
    """
    if isinstance(entries, pd.DataFrame):
        if calendar is None:
            raise SettingError(
                "a bare frame of entries does not say what was observed; pass calendar= (charts.calendar()), "
                "or the Entries that charts.entries() returns"
            )
        entries = Entries.from_frame(entries, calendar=calendar, washout=WASHOUT if washout is None else washout)
    elif calendar is not None or washout is not None:
        raise SettingError("these entries carry their calendar and washout; pass neither")
    calendar = entries.calendar
    window = calendar.default_window if window is None else window
    if len(calendar.markets) < 2:
        raise DataSaysNoError(
            f"only one market ({calendar.markets[0]}) on the chart '{calendar.chart}'; a graph needs two"
        )
    edges = join_distances(transitions(entries, window=window).to_pandas())
    if not edges["tracks"].any():
        raise DataSaysNoError(
            f"no transition between the {len(calendar.markets)} markets of '{calendar.chart}' within {window} days: "
            f"{int(edges['exposed'].sum()):,} exposures, {int(edges['joint'].sum()) // 2:,} ties; "
            f"try a longer window or a shorter washout ({entries.rules.washout} days now)"
        )
    lags = entries.lags(window=window).to_pandas()
    return MarketGraph(market_nodes(entries), edges, lags=lags, window=window, chart=calendar.chart)

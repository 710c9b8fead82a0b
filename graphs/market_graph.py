"""The market graph: an immutable value with all ordered pairs of markets, their flows and the scores of markets."""

from functools import cached_property
from pathlib import Path

import igraph
import networkx as nx
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion import Calendar, Entries, SettingError, join_distances, resolve, unmatched_pairs
from diffusion.contracts import LAGS, TRANSITIONS
from diffusion.conventions import LEAST_EXPOSED, WASHOUT
from diffusion.display import Displayed
from diffusion.entry_pairs import artist_transitions, counts_in, lag_band_of, transitions_in
from diffusion.errors import DataSaysNoError
from diffusion.files import write_whole
from diffusion.market_groups import group_pairs, market_table
from diffusion.markets import plain_name
from diffusion.pairs.counts import lag_table
from diffusion.parts import in_parts
from diffusion.timelines import Timelines
from graphs.exports import GEPHI_EDGES, dot, gexf, graphml, networkx_graph, with_tokens
from graphs.flow import NO_CURVE, Flow
from graphs.journeys.slices import By
from graphs.journeys.stream import period_edges_of
from graphs.leaders.bootstrap import Leaders, bootstrap_leaders
from graphs.leaders.scores import Flows, edge_flows, score_table

SCORES = (
    "out_tracks",
    "in_tracks",
    "net_flow",
    "pagerank",
    "hub",
    "authority",
    "springrank",
    "closeness",
    "betweenness",
)
"""Columns of the node table with scores of leadership; `MarketGraph.leaders` has more scores, with intervals."""

_KNOWN = ["continent", "subregion", "population", "latitude", "longitude"]
"""Columns of the node table that come from the reference table of markets."""


class MarketGraph(Displayed):
    """Markets and the flows of tracks between them. `market_graph` makes it; nothing changes it.

    Parameters
    ----------
    nodes
        One row per market, with `market` and `name` first.
    edges
        One row per ordered pair of those markets, with the columns of `diffusion.contracts.TRANSITIONS` first.
    lags
        Follow-up counts as `diffusion.contracts.LAGS` says.
    window
        Days within which a transition had to happen.
    chart
        Name of the chart.
    entries
        Entries from which the tables were counted.

    Raises
    ------
    ValueError
        When the tables do not fit their contracts, or do not fit each other.

    Examples
    --------
    >>> graph  # = graphs.market_graph(entries)
    <MarketGraph of top50: 67 markets, 3,492 flows within 60 days>
    >>> graph.next_from("Iceland").loc[0, ["target", "tracks", "exposed"]].tolist()
    ['SE', np.int64(22), np.int64(111)]
    >>> graph.to_networkx().number_of_edges(), graph.to_igraph().vcount()
    (3492, 67)
    """

    def __init__(
        self,
        nodes: pd.DataFrame,
        edges: pd.DataFrame,
        *,
        lags: pd.DataFrame,
        window: int,
        chart: str,
        entries: Entries,
    ) -> None:
        TRANSITIONS.conform(pa.Table.from_pandas(edges[TRANSITIONS.names], preserve_index=False))
        LAGS.conform(pa.Table.from_pandas(lags, preserve_index=False))
        if not nodes["market"].is_unique:
            raise ValueError("a market stands twice among the nodes; give one row per market")
        if len(edges) != len(nodes) * (len(nodes) - 1) or (edges["source"] == edges["target"]).any():
            raise ValueError("the edges are not the ordered pairs of the nodes, one row each")
        unknown = (set(edges["source"]) | set(edges["target"])) - set(nodes["market"])
        if unknown:
            raise ValueError(f"edges of {', '.join(sorted(unknown))}, which are not among the nodes")
        self._nodes, self._edges, self._lags = nodes.copy(), edges.copy(), lags.copy()
        self.window = window
        self.chart = chart
        self.entries = entries

    def _facts(self) -> str:
        flows = int((self._edges["tracks"] > 0).sum())
        return f" of {self.chart}: {len(self._nodes)} markets, {flows:,} flows within {self.window} days"

    def _shown(self) -> pd.DataFrame:
        return self.largest()

    @property
    def nodes(self) -> pd.DataFrame:
        """One row per market: reference data, coverage and scores (a copy)."""
        return self._scored_nodes.copy()

    @property
    def timelines(self) -> Timelines:
        """The entries as arrays."""
        return self.entries.timelines

    @cached_property
    def _scored_nodes(self) -> pd.DataFrame:
        scores = score_table(self.counts, list(self._nodes["market"]), SCORES)
        return self._nodes.assign(**{name: scores[name].to_numpy() for name in SCORES})

    @property
    def edges(self) -> pd.DataFrame:
        """One row per ordered pair of markets, with or without transitions: counts and distances (a copy)."""
        return self._edges.copy()

    @property
    def lags(self) -> pd.DataFrame:
        """Follow-up counts per pair and day, with the columns of `diffusion.contracts.LAGS` (a copy)."""
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
    def counts(self) -> Flows:
        """Transitions and median lags (days) of all pairs as (m, m) arrays, markets in the order of the nodes."""
        return edge_flows(self._edges, list(self._nodes["market"]))

    def scores(self) -> pd.DataFrame:
        """Return the markets with their scores in the observed graph, the largest net flow first.

        Returns
        -------
        DataFrame
            One row per market: `market`, `name`, `out_tracks`, `in_tracks`, `net_flow` (tracks, counted once per pair),
            `pagerank` (on the reversed flow), `hub`, `authority` (HITS), `springrank`, `closeness` (per day),
            `betweenness` (share of the fastest paths); see `graphs.leaders.scores`.
        """
        table = self.nodes[["market", "name", *SCORES]]
        return table.sort_values(["net_flow", "market"], ascending=[False, True], ignore_index=True)

    def leaders(self, *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
        """Return the scores that describe who comes first, with bootstrap intervals: the table of `bootstrap`.

        They test nothing; `graphs.leaders.asymmetry.lead_table` tests which markets lead beyond the baseline.

        Parameters
        ----------
        replicates
            Bootstrap replicates (default 1,000).
        seed
            Seed of the random draws (default 0).

        Returns
        -------
        DataFrame
            As `graphs.leaders.bootstrap.Leaders.table`: one row per measure and market, best first.
        """
        return self.bootstrap(replicates=replicates, seed=seed).table

    def bootstrap(self, *, replicates: int = 1000, seed: int = 0) -> Leaders:
        """Return scores, bootstrap intervals, ranks and the agreement of measures; artists are resampled.

        Parameters
        ----------
        replicates
            Bootstrap replicates (default 1,000); each is counted exactly.
        seed
            Seed of the random draws (default 0).
        """
        transitions = artist_transitions(self.entries, window=self.window)
        markets = list(self._nodes["market"])
        return bootstrap_leaders(transitions, markets, lags=self.counts.lags, replicates=replicates, seed=seed)

    def with_columns(self, *, edges: pd.DataFrame | None = None, nodes: pd.DataFrame | None = None) -> "MarketGraph":
        """Return the graph with further columns, which every export then has.

        Parameters
        ----------
        edges
            Columns by `source` and `target`, such as those of `graphs.baseline.edge_table` (default: none).
        nodes
            Columns by `market`, such as `community` (default: none).

        Raises
        ------
        SettingError
            When a key is missing or stands twice, or the graph has a column of that name already.
        """
        return MarketGraph(
            self._nodes if nodes is None else _joined(self.nodes, nodes, ["market"]).drop(columns=[*SCORES]),
            self._edges if edges is None else _joined(self._edges, edges, ["source", "target"]),
            lags=self._lags,
            window=self.window,
            chart=self.chart,
            entries=self.entries,
        )

    def largest(self, by: str = "tracks", *, least_exposed: int | None = None) -> pd.DataFrame:
        """Return the pairs with transitions, the largest first by `tracks` or `rate`.

        Parameters
        ----------
        by
            ``tracks`` or ``rate``.
        least_exposed
            Pairs with fewer exposed tracks are left out (default 30 for ``rate``, because 1 of 1 would come first
            otherwise, and 0 for ``tracks``).
        """
        if by not in ("tracks", "rate"):
            raise SettingError(f"flows are ranked by 'tracks' or 'rate', not '{by}'")
        least = (LEAST_EXPOSED if by == "rate" else 0) if least_exposed is None else least_exposed
        there = self._edges[(self._edges["tracks"] > 0) & (self._edges["exposed"] >= least)]
        return there.sort_values([by, "source", "target"], ascending=[False, True, True], ignore_index=True)

    def next_from(self, market: str) -> pd.DataFrame:
        """Return the pairs with source `market` (name or code), the largest `rate` first, missing rates last."""
        pairs = self._edges[self._edges["source"] == self.code(market)]
        return pairs.sort_values(["rate", "target"], ascending=[False, True], na_position="last", ignore_index=True)

    def flow(self, source: str, target: str) -> Flow:
        """Return one ordered pair in full, with its lag curve.

        Parameters
        ----------
        source, target
            Markets, by name or code.

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
        edge, opposite = there.to_dict("records")[0], back.to_dict("records")[0]
        curve = lag_band_of(self.entries, a, b, window=self.window) if edge["exposed"] else NO_CURVE.copy()
        return Flow(edge, opposite, curve)

    def code(self, market: str) -> str:
        """Return the code of a market of this graph, from its name or code."""
        groups = {plain_name(name): name for name in self._nodes["market"]}
        code = groups.get(plain_name(market)) or resolve(market)
        if code not in set(self._nodes["market"]):
            raise DataSaysNoError(f"{code} is not observed on the chart '{self.chart}', so it is not in the graph")
        return code

    @property
    def unmatched(self) -> dict[str, list[tuple[str, str]]]:
        """Distance → the ordered pairs without it; distances that no pair lacks are no keys."""
        return unmatched_pairs(self._edges)

    def to_igraph(self) -> igraph.Graph:
        """Return the pairs with transitions as a directed igraph graph (a copy)."""
        return self._flows.copy()

    def to_networkx(self) -> "nx.DiGraph[str]":
        """Return the flows as a directed networkx graph keyed by code; missing values are left out."""
        return networkx_graph(self.nodes, self._edges[self._edges["tracks"] > 0])

    def graphml(self) -> bytes:
        """Return the flows as GraphML: names as `label`, positions as `lat` and `lon`, `weight` = tracks.

        It holds all columns of edges and nodes; `with_columns` adds lifts, verdicts, or communities. In the ids of
        groups of markets, ``_`` stands for a space.
        """
        return graphml(with_tokens(self.to_networkx()))

    def gexf(self, *, by: By = "quarter") -> bytes:
        """Return the flows as GEXF for Gephi; its timeline shows the tracks by period of their debut.

        The file holds the columns of `graphs.exports.GEPHI_EDGES`, by which Gephi can filter, colour or size edges.
        `graphml` holds all columns of the edges, `periods` all columns by period; `with_columns` adds lifts, verdicts,
        or communities.

        Parameters
        ----------
        by
            Length of a period (default ``quarter``).
        """
        flowing = self._edges.loc[self._edges["tracks"] > 0]
        kept = ["source", "target", *(name for name in GEPHI_EDGES if name in flowing)]
        return gexf(networkx_graph(self.nodes, flowing[kept]), self.periods(by=by))

    def dot(self) -> str:
        """Return the flows in the DOT language of Graphviz."""
        return dot(self.to_networkx())

    def periods(self, *, by: By = "quarter") -> pd.DataFrame:
        """Return the flows of the tracks that debut in each period, as `graphs.journeys.stream.period_edges` does.

        Parameters
        ----------
        by
            Length of a period (default ``quarter``).
        """
        return period_edges_of(self.entries, self.window, by=by)

    def to_graphml(self, path: str | Path) -> None:
        """Write the flows as GraphML for Gephi; the file is written whole or not at all."""
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
        `Entries`, which carry their coverage calendar, or a frame with the columns of `diffusion.contracts.ENTRIES`.
    window
        Days within which the target must follow, the bound included (default: 60, on weekly charts 56).
    calendar
        Only with a frame, and required there: its coverage calendar. Tracks at risk cannot be counted without it.
    washout
        Only with a frame: the washout in days with which it was made (default 28).

    Raises
    ------
    SettingError
        When a frame comes without a calendar, or `Entries` come with one.
    DataSaysNoError
        When there is only one market, or no track makes a transition.

    Warns
    -----
    UserWarning
        When the entries are a frame: it does not hold the artists, so intervals are too narrow.

    Examples
    --------
    >>> graph = graphs.market_graph(entries, window=28)  # entries = diffusion.open_sample().entries()
    >>> graph.largest("rate")[["source", "target", "tracks", "exposed"]].head(2)
      source target  tracks  exposed
    0     UA     RU      25       42
    1     AE     ZA      11       31
    """
    if not isinstance(entries, Entries | pd.DataFrame):
        raise SettingError(
            f"a graph is made of entries, not of {type(entries).__name__}; for some of the tracks take entries.subset()"
        )
    if isinstance(entries, pd.DataFrame):
        if calendar is None:
            raise SettingError(
                "a frame of entries does not say which dates were observed; pass calendar= (charts.calendar()), "
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
    parts = in_parts(entries)
    counts = counts_in(parts, window=window)
    table = transitions_in(parts, counts)
    edges = join_distances(table.to_pandas(), group_pairs(entries.groups))
    if not edges["tracks"].any():
        wider = ", or a wider cohort" if entries.cohort else ""
        raise DataSaysNoError(
            f"no transition between the {len(calendar.markets)} markets of '{calendar.chart}' within {window} days: "
            f"{int(edges['exposed'].sum()):,} exposures, {int(edges['joint'].sum()) // 2:,} ties; "
            f"try a longer window or a shorter washout ({entries.rules.washout} days now){wider}"
        )
    lags = lag_table(counts).to_pandas()
    return MarketGraph(_market_nodes(entries), edges, lags=lags, window=window, chart=calendar.chart, entries=entries)


def _joined(table: pd.DataFrame, more: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return a table with the further columns of another one by `key`; rows that the other lacks have no value."""
    if not set(key) <= set(more) or more.duplicated(key).any():
        raise SettingError(f"further columns of a graph need one row for each {' and '.join(key)}, named so")
    known = [name for name in more if name in table and name not in key]
    if known:
        raise SettingError(f"the graph has a column '{known[0]}' already; rename the new one")
    return table.merge(more, on=key, how="left", validate="one_to_one")


def _market_nodes(entries: Entries) -> pd.DataFrame:
    """Return one row per observed market.

    Returns
    -------
    DataFrame
        `market`, `name`; `continent`, `subregion`, `population`, `latitude`, `longitude` (missing where the reference
        table lacks the market); the columns of `Calendar.by_market`; `entries`, `left_censored` (entries), `debuts`
        (timed entries on day 0 of their track).
    """
    coverage = entries.calendar.by_market()
    footprints = entries.arrow("footprints")
    counted = {
        "entries": entries.table["market"],
        "left_censored": entries.table.filter(entries.table["left_censored"])["market"],
        "debuts": footprints.filter(pc.invert(footprints["left_censored"]))["market"],
    }
    numbers = {name: pc.value_counts(markets).to_pylist() for name, markets in counted.items()}
    counts = pd.DataFrame({name: {row["values"]: row["counts"] for row in rows} for name, rows in numbers.items()})
    counts = counts.reindex(coverage["market"]).fillna(0).astype("int64")
    known = market_table(entries.groups).set_index("market")[_KNOWN].reindex(coverage["market"])
    return pd.concat(
        [
            coverage[["market", "name"]],
            known.reset_index(drop=True),
            coverage.drop(columns=["market", "name"]),
            counts.reset_index(drop=True),
        ],
        axis=1,
    )

"""Paths by which one track may have reached a market, and the most probable routes between two markets."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import igraph
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError, resolve
from diffusion.conventions import LONGEST
from diffusion.display import Displayed
from diffusion.timelines import Timelines

Shares = NDArray[np.float64]

ROUNDING: Final = 1e-6
"""Largest distance from 1 of the sum of an entry's credits: they may be some dozens of rounded numbers."""

NOISE: Final = 1e-12
"""Difference from 1 that counts as rounding when credits are added up."""


@dataclass(frozen=True, slots=True, repr=False)
class Ways(Displayed):
    """Paths by which one track may have reached a market.

    Every timed entry has one origin: a market entered before it, or no observed market. The credits of an entry are the
    probabilities of its origins. Entries are independent, so the probability of a path is the product of its credits.

    Attributes
    ----------
    senders
        Possible origins of the target's entry, the most probable first: `source` (missing: no observed market),
        `entry` (date, missing where `source` is), `lag` (days to the target's entry), `share` (0 … 1; they add up to
        1). No rows when the target is in the footprint.
    through
        Every market that a path may contain, in order of entry: `market`, `entry`, `footprint` (entered on day 0),
        `through` (probability that the path contains it; 1 for the target), `began` (probability that the path begins
        there; they add up to 1).
    path
        The most probable path from the footprint to the target: `step` (from 1), `market`, `entry`, `from` (the market
        before, missing for the first), `share` (credit of that market; 1 for the first). No rows when no path leads
        from the footprint to the target.
    probability
        Probability of `path` (0 … 1); 0 where there is none.

    Examples
    --------
    >>> found = graphs.ways(entries.timelines, "37BZB0z9T8Xu7U3e65qxFy", "FR", 28)
    >>> found.senders[["source", "lag", "share"]].head(2).round(3)
      source  lag  share
    0     AE    2  0.019
    1     AT    2  0.019
    """

    senders: pd.DataFrame
    through: pd.DataFrame
    path: pd.DataFrame
    probability: float

    def _facts(self) -> str:
        path = " → ".join(self.path["market"]) or "none"
        return f": {len(self.senders)} possible origins; most probable path: {path} ({self.probability:.2f})"

    def _shown(self) -> pd.DataFrame:
        return self.senders


@dataclass(frozen=True, slots=True)
class _Journey:
    """The e timed entries of one track, by day, then market: `market` (codes), `day`, `last_without`, `footprint`."""

    market: NDArray[np.object_]
    day: NDArray[np.int64]
    last_without: NDArray[np.int64]
    footprint: NDArray[np.bool_]

    def before(self) -> NDArray[np.bool_]:
        """Return whether the column's entry was observed before the row's, (e, e) flags."""
        return self.day[None, :] <= self.last_without[:, None]


def ways(timelines: Timelines, track_id: str, target: str, window: int, *, credits: pd.DataFrame | None = None) -> Ways:
    """Return the paths by which a track may have reached a market: its possible origins and the most probable path.

    Parameters
    ----------
    timelines
        Entries as arrays.
    track_id
        Id of the track.
    target
        Market, by name or code.
    window
        Days before an entry in which its origins were entered, the bound included; not used with `credits`.
    credits
        Credits of entries: `track_id`, `market`, `source` (missing: no observed market), `credit` (0 … 1; the credits
        of one entry add up to 1). Entries without credits have no observed origin. Default: every market that was
        observed to be entered before, within the window, has an equal credit; without such a market the entry has no
        observed origin.

    Raises
    ------
    SettingError
        When the window is below 1 day, or the credits do not have this form or name a source that was entered later.
    UnknownMarketError
        When the target is no market.
    DataSaysNoError
        When the track is unknown, its debut is not timed, or it has no timed entry into the target.

    Notes
    -----
    Two markets whose order was not observed (ties) are never the origin of each other. Of equally probable paths, the
    one with the earlier origin is returned, then the one whose code comes first.

    Examples
    --------
    >>> ways(entries.timelines, "37BZB0z9T8Xu7U3e65qxFy", "FR", 28)  # entries = diffusion.open_sample().entries()
    <Ways: 52 possible origins; most probable path: AE → FR (0.02)>
    """
    if not 1 <= window <= LONGEST:
        raise SettingError(f"window is {window} days; it must be between 1 and {LONGEST:,}")
    code = target if target in timelines.markets else resolve(target)
    journey = _journey(timelines, track_id, code)
    share = _equal_shares(journey, window) if credits is None else _given_shares(journey, track_id, credits)
    unseen = np.where(journey.footprint, 0.0, 1.0 - share.sum(axis=1))
    unseen[unseen < NOISE] = 0.0
    at = int(np.flatnonzero(journey.market == code)[0])
    path, probability = _best_path(journey, share, at)
    return Ways(
        senders=_senders(journey, share, unseen, at),
        through=_through(journey, share, unseen, at),
        path=path,
        probability=probability,
    )


def route(influence: pd.DataFrame, source: str, target: str, k: int = 3) -> pd.DataFrame:
    """Return the most probable routes between two markets along direct edges.

    Parameters
    ----------
    influence
        Direct edges: `source`, `target`, `credits_per_entry` (0 … 1) and `lag_median` (days), as in
        `graphs.contracts.INFLUENCE`. Edges whose credits are missing or 0 are not used. Pass only the pairs with
        `direct`: the others are not shown to be edges.
    source, target
        Markets, by name or code.
    k
        Number of routes (default 3); there may be fewer.

    Returns
    -------
    DataFrame
        One row per step of each route, the most probable route first: `route` and `step` (from 1), `source`, `target`,
        `probability` of the step, its credits per entry, `lag_median` (days), `route_probability` (product over the
        steps), `days` (sum of the median lags, missing where one is missing).

    Raises
    ------
    SettingError
        When `k` is below 1, both markets are the same, a column is missing, an edge has two rows, or credits per entry
        lie outside 0 … 1.
    UnknownMarketError
        When a name is no market.
    DataSaysNoError
        When a market has no edge, or no route leads from one to the other.

    Notes
    -----
    The credits per entry of an edge are the share of the tracks in the source whose entry into the target is attributed
    to it: an estimate of the probability that a track follows the edge. A route visits no market twice. Its probability
    is that a track follows all its steps, taken as independent. One track may follow several routes, so their
    probabilities do not add up. The sum of median lags is only a rough measure of the median of the whole time.

    References
    ----------
    Yen, J. Y. (1971). Finding the k shortest loopless paths in a network. doi 10.1287/mnsc.17.11.712.

    Examples
    --------
    >>> direct = pd.DataFrame({"source": ["SE", "NO"], "target": ["NO", "DK"], "credits_per_entry": [0.4, 0.5]})
    >>> route(direct.assign(lag_median=[3.0, 2.0]), "Sweden", "Denmark")[["step", "source", "target"]]
       step source target
    0     1     SE     NO
    1     2     NO     DK
    """
    edges = _open_edges(influence)
    known = sorted(set(edges["source"]) | set(edges["target"]))
    a, b = (name if name in known else resolve(name) for name in (source, target))
    if k < 1:
        raise SettingError(f"k is {k}, but one route is the least")
    if a == b:
        raise SettingError(f"a route needs two markets; both are {a}")
    for market in (a, b):
        if market not in known:
            raise DataSaysNoError(f"no direct edge leads to or from {market}, so no route does")
    graph = igraph.Graph.DataFrame(edges[["source", "target"]], directed=True, use_vids=False)
    if graph.vs.find(name=b).index not in graph.subcomponent(a, mode="out"):
        raise DataSaysNoError(f"no route of direct edges leads from {a} to {b}")
    lengths = -np.log(edges["probability"].to_numpy())
    found = graph.get_k_shortest_paths(a, to=b, k=k, mode="out", weights=lengths.tolist(), output="vpath")
    return _route_table([[graph.vs[v]["name"] for v in path] for path in found], edges)


def _journey(timelines: Timelines, track_id: str, target: str) -> _Journey:
    """Return the timed entries of a track that has one into the target."""
    ids = timelines.track_ids
    track = int(np.searchsorted(ids, track_id)) if len(ids) else 0
    if track >= len(ids) or ids[track] != track_id:
        raise DataSaysNoError(f"track '{track_id}' has no entry in these charts")
    if timelines.debut_censored[track]:
        raise DataSaysNoError(f"the debut of track '{track_id}' falls within the washout; its true date is unknown")
    own = slice(int(timelines.starts[track]), int(timelines.starts[track + 1]))
    market = np.array(timelines.markets, dtype=object)[timelines.market[own]]
    if target not in market:
        raise DataSaysNoError(f"track '{track_id}' did not enter {target}; it entered {', '.join(sorted(market))}")
    timed = ~timelines.left_censored[own]
    if not timed[market == target].all():
        raise DataSaysNoError(f"track '{track_id}' entered {target} within the washout; the true entry is unknown")
    day = timelines.day[own].astype(np.int64)
    without = timelines.last_without[own].astype(np.int64)
    return _Journey(market[timed], day[timed], without[timed], day[timed] == timelines.debut[track])


def _equal_shares(journey: _Journey, window: int) -> Shares:
    """Return the credit of the column's market in the row's entry, (e, e): equal among the markets entered before."""
    near = journey.day[:, None] - journey.day[None, :] <= window
    may = (journey.before() & near).astype(np.float64)
    senders: Shares = may.sum(axis=1, keepdims=True)
    return may / np.maximum(senders, 1.0)


def _given_shares(journey: _Journey, track_id: str, credits: pd.DataFrame) -> Shares:
    """Return the credit of the column's market in the row's entry, (e, e), from the given table."""
    missing = {"track_id", "market", "source", "credit"} - set(credits.columns)
    if missing:
        raise SettingError(f"the credits lack the column {', '.join(sorted(missing))}")
    mine = credits[(credits["track_id"] == track_id) & credits["market"].isin(list(journey.market))]
    if not mine["credit"].between(0.0, 1.0 + ROUNDING).all() or mine.duplicated(["market", "source"]).any():
        raise SettingError(f"the credits of '{track_id}' are not one number from 0 to 1 for each market and source")
    total = mine.groupby("market")["credit"].sum()
    odd = total[(total - 1.0).abs() > ROUNDING]
    if len(odd):
        raise SettingError(f"the credits of '{track_id}' for {odd.index[0]} add up to {odd.iloc[0]:.6g}, not to 1")
    sent = mine[mine["source"].notna() & (mine["credit"] > 0)]
    number = pd.Index(journey.market)
    row, column = (number.get_indexer(pd.Index(sent[side])) for side in ("market", "source"))
    wrong = (column < 0) | ~journey.before()[row, column]
    if wrong.any():
        first = sent[wrong].iloc[0]
        raise SettingError(
            f"the credits of '{track_id}' say {first['source']}→{first['market']}, but that order was not observed"
        )
    share = np.zeros((len(number), len(number)))
    share[row, column] = sent["credit"] / sent["market"].map(total)
    return share


def _best_path(journey: _Journey, share: Shares, at: int) -> tuple[pd.DataFrame, float]:
    """Return the most probable path from the footprint to entry `at`, and its probability."""
    best = journey.footprint.astype(np.float64)
    sender = np.full(len(best), -1)
    for entry in np.flatnonzero(~journey.footprint):  # entries are in order of day, so origins come first
        products = share[entry] * best
        if products.any():
            sender[entry] = products.argmax()
            best[entry] = products.max()
    steps = [at] if best[at] > 0 else []
    while steps and sender[steps[-1]] >= 0:
        steps.append(int(sender[steps[-1]]))
    steps.reverse()
    before = [None, *journey.market[steps[:-1]]] if steps else []
    path = pd.DataFrame(
        {
            "step": np.arange(1, len(steps) + 1),
            "market": journey.market[steps],
            "entry": _dates(journey.day[steps]),
            "from": pd.array(before, dtype="object"),
            "share": np.array([1.0, *(share[b, a] for a, b in pairwise(steps))][: len(steps)]),
        }
    )
    return path, float(best[at])


def _senders(journey: _Journey, share: Shares, unseen: Shares, at: int) -> pd.DataFrame:
    """Return the possible origins of entry `at`, the most probable first; of equals, no observed market comes last."""
    some = np.flatnonzero(share[at] > 0)
    table = pd.DataFrame(
        {
            "source": journey.market[some],
            "entry": _dates(journey.day[some]),
            "lag": pd.array(journey.day[at] - journey.day[some], dtype="Int64"),
            "share": share[at, some],
        }
    )
    if unseen[at] > 0:
        table = table.reindex(range(len(table) + 1))
        table.loc[len(table) - 1, "share"] = unseen[at]
    return table.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def _through(journey: _Journey, share: Shares, unseen: Shares, at: int) -> pd.DataFrame:
    """Return the probability that the path to entry `at` contains each market, and that it begins there."""
    visits = np.zeros(len(share))
    visits[at] = 1.0
    for entry in range(at, -1, -1):
        visits += visits[entry] * share[entry]
    began = visits * np.where(journey.footprint, 1.0, unseen)
    some = visits > 0
    return pd.DataFrame(
        {
            "market": journey.market[some],
            "entry": _dates(journey.day[some]),
            "footprint": journey.footprint[some],
            "through": visits[some],
            "began": began[some],
        }
    )


def _open_edges(influence: pd.DataFrame) -> pd.DataFrame:
    """Return the edges with credits in order of source and target, with their `probability`."""
    missing = {"source", "target", "credits_per_entry", "lag_median"} - set(influence.columns)
    if missing:
        raise SettingError(f"the direct edges lack the column {', '.join(sorted(missing))}")
    if influence.duplicated(["source", "target"]).any():
        raise SettingError("a direct edge stands twice; one row for each ordered pair is needed")
    edges = influence[["source", "target", "credits_per_entry", "lag_median"]]
    edges = edges.rename(columns={"credits_per_entry": "probability"}).dropna(subset="probability")
    if not edges["probability"].between(0, 1).all():
        raise SettingError("credits per entry are shares of the tracks in the source; some lie outside 0 … 1")
    edges = edges[(edges["probability"] > 0) & (edges["source"] != edges["target"])]
    return edges.sort_values(["source", "target"], ignore_index=True)


def _route_table(routes: list[list[str]], edges: pd.DataFrame) -> pd.DataFrame:
    """Return one row per step of each route, with the values of its edge."""
    steps = pd.DataFrame(
        [
            {"route": number, "step": step, "source": a, "target": b}
            for number, route in enumerate(routes, 1)
            for step, (a, b) in enumerate(pairwise(route), 1)
        ]
    )
    table = steps.merge(edges, how="left", on=["source", "target"], validate="many_to_one")
    whole = table.groupby("route")
    table["route_probability"] = whole["probability"].transform("prod")
    table["days"] = table["route"].map(whole["lag_median"].agg(lambda lags: lags.sum(skipna=False)))
    names = ["route", "step", "source", "target", "probability", "lag_median", "route_probability", "days"]
    return table[names]


def _dates(days: NDArray[np.int64]) -> "NDArray[np.datetime64]":
    return days.astype("datetime64[D]").astype("datetime64[s]")

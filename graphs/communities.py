"""Communities of markets that exchange many tracks: search, stability, and agreement with known groups."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

import igraph
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError, reference_table
from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE

Method = Literal["leiden", "infomap"]
Labels = NDArray[np.int64]

METHODS: Final = ("leiden", "infomap")

TRIALS: Final = 10
"""Starts of a search; the best partition is taken."""


@dataclass(frozen=True, slots=True)
class Stability:
    """Stability of communities over replicates of the flows.

    Attributes
    ----------
    together
        (m, m): share of replicates in which two markets are in one community; 1 on the diagonal.
    labels
        (R, m): community of every market in every replicate, numbered by size within the replicate.
    markets
        One row per market: `market`, `community`; `stability` (0 … 1), the Jaccard index of the market's community and
        its community in a replicate (the market itself counts), mean over replicates; `within`, the mean of `together`
        with the other markets of its community (missing where it is alone); `outside`, the mean of `together` with the
        markets of other communities (missing where there are none).
    """

    together: Floats
    labels: Labels
    markets: pd.DataFrame


def communities(
    flows: NDArray[np.number],
    *,
    method: Method = "leiden",
    seed: int = 0,
    trials: int = TRIALS,
    resolution: float = 1.0,
) -> Labels:
    """Return every market's community, (m,), numbered from 0 by size, then by its first market.

    Parameters
    ----------
    flows
        (m, m): strength of the flow from row to column, 0 or more. The diagonal is ignored; missing means no flow.
    method
        ``"leiden"`` (default): Leiden on the symmetrised flows (a → b plus b → a) for modularity [1]_. ``"infomap"``:
        igraph's map equation on the directed flows (two levels, with teleportation) [2]_. Where every market sends to
        every other, Infomap often finds one community; pass it a backbone then.
    seed
        Seed of the search (default 0); the same seed gives the same communities.
    trials
        Starts of the search (default 10); the partition with the highest modularity or the shortest code is taken.
    resolution
        Only Leiden (default 1): above 1 gives smaller communities, below 1 larger ones.

    Notes
    -----
    igraph has one random generator per process and does not return it. It is seeded for the search, and afterwards set
    to Python's `random` module, which is igraph's default.

    Raises
    ------
    SettingError
        When `flows` has another shape or a negative or infinite value, or a setting is out of range.
    DataSaysNoError
        When there is no flow at all.

    References
    ----------
    .. [1] Traag, V. A., Waltman, L. & van Eck, N. J. (2019). From Louvain to Leiden: guaranteeing well-connected
       communities. Scientific Reports 9, 5233. doi 10.1038/s41598-019-41695-z.
    .. [2] Rosvall, M. & Bergstrom, C. T. (2008). Maps of random walks on complex networks reveal community structure.
       PNAS 105, 1118–1123. doi 10.1073/pnas.0706851105.

    Examples
    --------
    >>> flows = np.array([[0, 9, 1, 0], [9, 0, 0, 0], [0, 0, 0, 9], [0, 1, 9, 0]])
    >>> communities(flows).tolist()
    [0, 0, 1, 1]
    """
    _check_search(method, trials, resolution)
    strength = _strengths(flows)
    if not strength.any():
        raise DataSaysNoError(f"no flow between the {len(strength)} markets; there are no communities to find")
    with _seeded(seed):
        return _partition(strength, method, trials, resolution)


def stability(
    labels: Labels,
    replicates: NDArray[np.number],
    markets: Sequence[str],
    *,
    method: Method = "leiden",
    seed: int = 0,
    trials: int = 1,
    resolution: float = 1.0,
) -> Stability:
    """Return the stability of communities: the search is repeated on every replicate of the flows.

    Parameters
    ----------
    labels
        (m,): communities of the flows themselves, as `communities` returns them.
    replicates
        (R, m, m): flows of bootstrap replicates.
    markets
        Codes of the m markets.
    method, seed, trials, resolution
        As for `communities`, but with one start per replicate (default), so that the randomness of the search is part
        of the result. In a replicate without flow every market is a community of its own.

    Raises
    ------
    SettingError
        When the shapes do not fit each other, there is no replicate, or a setting is out of range.
    """
    _check_search(method, trials, resolution)
    if replicates.ndim != 3 or not len(replicates):
        raise SettingError(f"replicates of flows are an array (R, m, m) with R ≥ 1, not {replicates.shape}")
    if not len(markets) == len(labels) == replicates.shape[1]:
        raise SettingError(
            f"{len(labels)} labels, {len(markets)} markets and replicates of {replicates.shape[1]} markets do not fit"
        )
    with _seeded(seed):
        found = np.stack([_partition(_strengths(one), method, trials, resolution) for one in replicates])
    same = labels[:, None] == labels
    together, common = np.zeros(same.shape), np.zeros(len(labels))
    for one in found:
        there = one[:, None] == one
        together += there
        common += (there & same).sum(axis=1) / (there | same).sum(axis=1)
    together /= len(found)
    others = ~np.eye(len(labels), dtype=bool)
    table = pd.DataFrame(
        {
            "market": list(markets),
            "community": labels,
            "stability": common / len(found),
            "within": _mean_where(together, same & others),
            "outside": _mean_where(together, ~same),
        }
    )
    return Stability(together, found, table)


def known_groups(markets: Sequence[str], table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return known groups of markets, for comparison with communities: continent, subregion and language.

    Parameters
    ----------
    markets
        Codes.
    table
        What is known of markets, with the columns of `diffusion.reference_table` (default: that table).

    Returns
    -------
    DataFrame
        One row per market, in the order given: `market`, `continent`, `subregion`, `language` (the official language
        that most people of the market speak). Missing where the reference table lacks the market.

    Examples
    --------
    >>> known_groups(["AR", "BE", "XA"])["language"].tolist()
    ['es', 'nl', None]
    """
    known = {
        row.market: (row.continent, row.subregion, _main_language(row.official_languages, row.languages))
        for row in (reference_table() if table is None else table).itertuples()
    }
    rows = [(market, *known.get(market, (None, None, None))) for market in markets]
    table = pd.DataFrame(rows, columns=["market", "continent", "subregion", "language"], dtype=object)
    return table.replace({np.nan: None})


def agreement(
    labels: Labels,
    groups: Mapping[str, Sequence[str | None]],
    *,
    replicates: Labels | None = None,
    permutations: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how well communities agree with known groups, one row per grouping.

    Parameters
    ----------
    labels
        (m,): community of every market.
    groups
        Name of a grouping → group of every market, None where it is not known; such markets are left out.
    replicates
        (R, m): communities in bootstrap replicates (`Stability.labels`), for the interval (default: no interval).
    permutations
        Random assignments of the groups to the markets, for p (default 999).
    seed
        Seed of the permutations (default 0).

    Returns
    -------
    DataFrame
        `grouping`; `ami`, the adjusted mutual information (1: equal, 0: as expected by chance) [1]_; `ami_low`,
        `ami_high`, the bounds of the middle 95 % of the replicates (missing without replicates; they tend to lie below
        `ami`, because replicates are noisier); `p`, (1 + number of permutations that agree at least as well) / (1 +
        permutations); `markets` compared, `communities` and `groups` among them; `unknown`, markets left out.

    Raises
    ------
    SettingError
        When lengths do not fit each other, or there is no grouping or no permutation.

    References
    ----------
    .. [1] Vinh, N. X., Epps, J. & Bailey, J. (2010). Information theoretic measures for clusterings comparison. Journal
       of Machine Learning Research 11, 2837–2854. https://jmlr.org/papers/v11/vinh10a.html.
    """
    if not groups or permutations < 1:
        raise SettingError("agreement needs at least one grouping and one permutation")
    for name, given in groups.items():
        if len(given) != len(labels):
            raise SettingError(f"the grouping '{name}' has {len(given)} markets, the communities {len(labels)}")
    if replicates is not None and (replicates.ndim != 2 or replicates.shape[1] != len(labels)):
        raise SettingError(f"replicates of communities are an array (R, {len(labels)}), not {replicates.shape}")
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        [
            {"grouping": name} | _agreement(labels, list(given), replicates, permutations, generator)
            for name, given in groups.items()
        ]
    )


def _agreement(
    labels: Labels,
    given: list[str | None],
    replicates: Labels | None,
    permutations: int,
    generator: np.random.Generator,
) -> dict[str, float]:
    known = pd.notna(np.array(given, dtype=object))
    group, names = pd.factorize(np.array(given, dtype=object)[known])
    own = labels[known]
    low = high = np.nan
    if replicates is not None and len(group):
        distinct, place = np.unique(replicates[:, known], axis=0, return_inverse=True)
        spread = np.array([_adjusted_information(one, group) for one in distinct])[place]
        low, high = np.quantile(spread, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    p = _chance_information(own, group, permutations, generator) if len(group) else np.nan
    return {
        "ami": _adjusted_information(own, group),
        "ami_low": low,
        "ami_high": high,
        "p": p,
        "markets": int(known.sum()),
        "communities": len(np.unique(own)),
        "groups": len(names),
        "unknown": int((~known).sum()),
    }


def _adjusted_information(labels: Labels, group: Labels) -> float:
    """Return the adjusted mutual information of two partitions, NaN of none."""
    if not len(labels):
        return np.nan
    from sklearn.metrics import adjusted_mutual_info_score  # a second to import, and needed here alone

    return float(adjusted_mutual_info_score(labels, group))


def _chance_information(labels: Labels, group: Labels, permutations: int, generator: np.random.Generator) -> float:
    """Return p of the agreement under random assignments of the groups to the markets.

    A permutation keeps the sizes of groups and communities, so the adjustment is constant and mutual information can be
    compared without it; of mutual information only Σ n log n over the cells of the contingency table varies.
    """
    kind = np.eye(group.max() + 1)[group]
    own = np.eye(labels.max() + 1)[labels]
    observed = _cell_sum(own.T @ kind)
    drawn = np.stack([generator.permutation(len(group)) for _ in range(permutations)])
    reached = sum(int(_cell_sum(own.T @ kind[one]) >= observed - 1e-9 * max(observed, 1)) for one in drawn)
    return (1 + reached) / (1 + permutations)


def _cell_sum(cells: Floats) -> float:
    return float((cells * np.log(np.maximum(cells, 1))).sum())


def _main_language(official: object, languages: object) -> str | None:
    """Return the official language that most people speak; one with a script, zh_Hant, counts the speakers of zh."""
    if not isinstance(official, str) or not isinstance(languages, str):
        return None
    spoken = dict(pair.split(":") for pair in languages.split("|") if ":" in pair)
    names = [name if name in spoken else name.split("_")[0] for name in official.split("|")]
    return max(names, key=lambda name: float(spoken.get(name, 0)))  # of equals the first one


def _partition(strength: Floats, method: Method, trials: int, resolution: float) -> Labels:
    """Return the best partition of `trials` searches."""
    if not strength.any():
        return np.arange(len(strength))
    if method == "infomap":
        graph = _graph(strength, directed=True)
        return _numbered(graph.community_infomap(edge_weights="strength", trials=trials).membership)
    graph = _graph(np.triu(strength + strength.T), directed=False)
    options = {"objective_function": "modularity", "weights": "strength", "resolution": resolution, "n_iterations": -1}
    found = [graph.community_leiden(**options) for _ in range(trials)]
    return _numbered(max(found, key=lambda clustering: clustering.quality).membership)


def _graph(strength: Floats, *, directed: bool) -> igraph.Graph:
    source, target = np.nonzero(strength)
    graph = igraph.Graph(n=len(strength), edges=np.column_stack((source, target)).tolist(), directed=directed)
    graph.es["strength"] = strength[source, target].tolist()
    return graph


def _numbered(membership: Sequence[int]) -> Labels:
    """Return the communities numbered from 0, the largest first, then by their first market."""
    _, first, number, size = np.unique(membership, return_index=True, return_inverse=True, return_counts=True)
    place = np.empty(len(size), dtype=np.int64)
    place[np.lexsort((first, -size))] = np.arange(len(size))
    return place[number]


def _strengths(flows: NDArray[np.number]) -> Floats:
    if flows.ndim != 2 or flows.shape[0] != flows.shape[1] or len(flows) < 2:
        raise SettingError(f"flows are a square array of two markets or more, not {flows.shape}")
    strength = flows.astype(float)
    strength[np.isnan(strength)] = 0.0
    np.fill_diagonal(strength, 0.0)
    if (strength < 0).any() or np.isinf(strength).any():
        raise SettingError("flows must be 0 or more and finite; do not pass net flows or logarithms")
    return strength


def _mean_where(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """Return the mean of each row over `where`, NaN where it is empty."""
    count = where.sum(axis=1)
    total = np.where(where, values, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))


def _check_search(method: str, trials: int, resolution: float) -> None:
    if method not in METHODS:
        raise SettingError(f"method is one of {', '.join(METHODS)}, not '{method}'")
    if trials < 1 or not resolution > 0:
        raise SettingError(f"a search needs one trial or more and a resolution above 0, not {trials} and {resolution}")


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    igraph.set_random_number_generator(random.Random(seed))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)

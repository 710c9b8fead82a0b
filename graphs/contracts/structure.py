"""Contracts of a graph's structure: communities, their agreement with known groups, and tests of distances."""

import pyarrow as pa

from diffusion.contracts import ENTRIES, Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

INFOMAP = Contract(
    "infomap",
    "one market",
    (
        *ENTRIES.pick("market"),
        Column("community", _COUNT, "number of the community, from 0 for the largest; Infomap on the backbone"),
    ),
    ("market",),
)

COMMUNITIES = Contract(
    "communities",
    "one market",
    (
        *ENTRIES.pick("market"),
        Column("community", _COUNT, "number of the community, from 0 for the largest; Leiden on symmetrised flows"),
        Column(
            "stability",
            _NUMBER,
            "share: Jaccard index of its community and its community in a bootstrap graph, mean over these graphs",
        ),
        Column(
            "within",
            _NUMBER,
            "share of bootstrap graphs in which it is in one community with another market of its community, mean over "
            "those markets; null where it is alone",
            nullable=True,
        ),
        Column(
            "outside",
            _NUMBER,
            "share of bootstrap graphs in which it is in one community with a market of another community, mean over "
            "those markets; null where there is one community",
            nullable=True,
        ),
    ),
    ("market",),
)

_NO_GROUP = "null where no market's group is known"

COMMUNITY_AGREEMENT = Contract(
    "community_agreement",
    "one known grouping of markets, compared with the communities",
    (
        Column("grouping", _TEXT, "continent, subregion or language"),
        Column(
            "ami",
            _NUMBER,
            f"adjusted mutual information: 1 where the two are equal, 0 where as expected by chance; {_NO_GROUP}",
            nullable=True,
        ),
        Column("ami_low", _NUMBER, f"information as ami: 2.5 % quantile of the bootstrap; {_NO_GROUP}", nullable=True),
        Column(
            "ami_high", _NUMBER, f"information as ami: 97.5 % quantile of the bootstrap; {_NO_GROUP}", nullable=True
        ),
        Column(
            "p",
            _NUMBER,
            f"probability of an agreement at least as good if groups were assigned at random; {_NO_GROUP}",
            nullable=True,
        ),
        Column("markets", _COUNT, "markets compared"),
        Column("communities", _COUNT, "communities among them"),
        Column("groups", _COUNT, "groups among them"),
        Column("unknown", _COUNT, "markets left out because their group is not known"),
    ),
    ("grouping",),
)

_PERMUTATIONS = Column("permutations", _COUNT, "permutations of the markets behind p")
_PAIRS_USED = Column("n_pairs", _COUNT, "pairs of markets used")
_MARKETS_USED = Column("markets", _COUNT, "markets used")
_DROPPED = Column("dropped", _TEXT, "codes of the markets left out, joined by |; empty where there are none")

MANTEL = Contract(
    "mantel",
    "one distance, correlated by itself with the mean √rate of both directions",
    (
        Column("term", _TEXT, "name of the distance: log_km, common_language, cultural_distance"),
        Column("given", _TEXT, "distances held fixed, joined by |; empty where there are none"),
        Column("method", _TEXT, "pearson or spearman"),
        Column("estimate", _NUMBER, "correlation over the pairs of markets"),
        Column("p", _NUMBER, "probability of a correlation at least as strong if markets were permuted at random"),
        _PERMUTATIONS,
        _PAIRS_USED,
        _MARKETS_USED,
        _DROPPED,
    ),
    ("term",),
)

MRQAP = Contract(
    "mrqap",
    "one term of the regression of √rate on all distances",
    (
        Column("term", _TEXT, "intercept, or name of the distance"),
        Column("estimate", _NUMBER, "change of √rate (√share) per unit of the distance"),
        Column(
            "std_error", _NUMBER, "standard error of least squares, in the estimate's unit; takes pairs as independent"
        ),
        Column("statistic", _NUMBER, "ratio: estimate / std_error"),
        Column(
            "low",
            _NUMBER,
            "lower bound of the 95 % interval by permutation, in the estimate's unit; null where the other terms "
            "explain 5 % of the permutations fully",
            nullable=True,
        ),
        Column("high", _NUMBER, "upper bound of the 95 % interval, in the estimate's unit; null as low", nullable=True),
        Column("p", _NUMBER, "probability of a statistic at least as large, by double semi-partialing, two-sided"),
        Column("r_squared", _NUMBER, "share of the variance that all terms explain"),
        _PERMUTATIONS,
        _PAIRS_USED,
        _MARKETS_USED,
        _DROPPED,
    ),
    ("term",),
)

_NO_ESTIMATE = "null where note says why"


def _by_errors(prefix: str, error: str, how: str) -> tuple[Column, ...]:
    """Return the columns of error, interval and p by one estimator of the variance."""
    return (
        Column(error, _NUMBER, f"standard error {how}, in the estimate's unit; {_NO_ESTIMATE}", nullable=True),
        Column(
            f"{prefix}low",
            _NUMBER,
            f"lower bound of the 95 % interval by {error}, in the estimate's unit; {_NO_ESTIMATE}",
            nullable=True,
        ),
        Column(
            f"{prefix}high",
            _NUMBER,
            f"upper bound of the 95 % interval by {error}, in the estimate's unit; {_NO_ESTIMATE}",
            nullable=True,
        ),
        Column(
            f"{prefix}p",
            _NUMBER,
            f"probability of an estimate at least as large if there were no effect, by {error}; {_NO_ESTIMATE}",
            nullable=True,
        ),
    )


_CLUSTERED, *_INTERVAL = _by_errors("", "std_error", "clustered by source and by target, too small with few markets")

GRAVITY = Contract(
    "gravity",
    "one term of the Poisson model of tracks, with effects of source and target",
    (
        Column("term", _TEXT, "name of the distance: log_km, common_language, cultural_distance"),
        Column(
            "estimate",
            _NUMBER,
            f"change of log(expected tracks per exposed track) per unit of the distance; {_NO_ESTIMATE}",
            nullable=True,
        ),
        _CLUSTERED,
        Column("statistic", _NUMBER, f"ratio: estimate / std_error; {_NO_ESTIMATE}", nullable=True),
        *_INTERVAL,
        *_by_errors("dyadic_", "dyadic_error", "where all pairs with a market in common may depend"),
        *_by_errors("jackknife_", "jackknife_error", "by leaving out a market at a time, the one to quote"),
        Column("deviance_explained", _NUMBER, "share of the deviance beyond the effects that the terms explain"),
        _PAIRS_USED,
        _MARKETS_USED,
        _DROPPED,
        Column("note", _TEXT, "why an estimate or an error is missing; empty where none is"),
    ),
    ("term",),
)

"""Contracts of a graph's structure: communities, what they agree with, and which distances explain the flows."""

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
            "share of markets that are in both its community here and that in a graph drawn, of those in either; mean "
            "over the graphs drawn",
        ),
        Column(
            "within",
            _NUMBER,
            "share of graphs drawn in which it is together with another of its community, mean over these; null where "
            "it is alone",
            nullable=True,
        ),
        Column(
            "outside",
            _NUMBER,
            "share of graphs drawn in which it is together with a market of another community, mean over these; null "
            "where there is one community",
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
            f"adjusted mutual information: 1 where the two are equal, 0 as much as chance gives; {_NO_GROUP}",
            nullable=True,
        ),
        Column(
            "ami_low", _NUMBER, f"information as ami: 2.5 % quantile in the graphs drawn; {_NO_GROUP}", nullable=True
        ),
        Column(
            "ami_high", _NUMBER, f"information as ami: 97.5 % quantile in the graphs drawn; {_NO_GROUP}", nullable=True
        ),
        Column(
            "p",
            _NUMBER,
            f"probability of so good an agreement or better if groups were dealt at random; {_NO_GROUP}",
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
    "one distance, correlated by itself with the root of the rate both ways",
    (
        Column("term", _TEXT, "name of the distance: log_km, common_language, cultural_distance"),
        Column("given", _TEXT, "distances held fixed, joined by |; empty where there are none"),
        Column("method", _TEXT, "pearson or spearman"),
        Column("estimate", _NUMBER, "correlation over the pairs of markets"),
        Column("p", _NUMBER, "probability of so strong a correlation or more if markets were exchanged at random"),
        _PERMUTATIONS,
        _PAIRS_USED,
        _MARKETS_USED,
        _DROPPED,
    ),
    ("term",),
)

MRQAP = Contract(
    "mrqap",
    "one term of the regression of the root of the rate on all distances",
    (
        Column("term", _TEXT, "intercept, or name of the distance"),
        Column("estimate", _NUMBER, "change of the root of the rate (itself √share) per unit of the distance"),
        Column("std_error", _NUMBER, "standard error of least squares, in the estimate's unit; too small by itself"),
        Column("statistic", _NUMBER, "ratio: estimate / std_error"),
        Column(
            "low",
            _NUMBER,
            "lower bound of the 95 % interval by permutation, in the estimate's unit; null where the other terms "
            "explain 5 % of the permutations wholly",
            nullable=True,
        ),
        Column("high", _NUMBER, "upper bound of the 95 % interval, in the estimate's unit; null as low", nullable=True),
        Column("p", _NUMBER, "probability of so large a statistic or larger by double semi-partialing, two-sided"),
        Column("r_squared", _NUMBER, "share of the variance that all terms explain"),
        _PERMUTATIONS,
        _PAIRS_USED,
        _MARKETS_USED,
        _DROPPED,
    ),
    ("term",),
)

_UNTOLD = "null where note says why"


def _by_errors(prefix: str, error: str, how: str) -> tuple[Column, ...]:
    """Return error, interval and p of the gravity model's estimate by one estimator of its variance."""
    return (
        Column(error, _NUMBER, f"standard error {how}, in the estimate's unit; {_UNTOLD}", nullable=True),
        Column(
            f"{prefix}low",
            _NUMBER,
            f"lower bound of the 95 % interval by {error}, in the estimate's unit; {_UNTOLD}",
            nullable=True,
        ),
        Column(
            f"{prefix}high",
            _NUMBER,
            f"upper bound of the 95 % interval by {error}, in the estimate's unit; {_UNTOLD}",
            nullable=True,
        ),
        Column(
            f"{prefix}p",
            _NUMBER,
            f"probability of so large an estimate or larger if there were no effect, by {error}; {_UNTOLD}",
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
            f"change of the logarithm of tracks per exposed track, per unit of the distance; {_UNTOLD}",
            nullable=True,
        ),
        _CLUSTERED,
        Column("statistic", _NUMBER, f"ratio: estimate / std_error; {_UNTOLD}", nullable=True),
        *_INTERVAL,
        *_by_errors("dyadic_", "dyadic_error", "where all pairs with a market in common may depend"),
        *_by_errors("jackknife_", "jackknife_error", "by leaving out a market at a time, the one to quote"),
        Column("deviance_explained", _NUMBER, "share of the deviance that the terms explain beyond the effects"),
        _PAIRS_USED,
        _MARKETS_USED,
        _DROPPED,
        Column("note", _TEXT, "why an estimate or an error is missing; empty where none is"),
    ),
    ("term",),
)

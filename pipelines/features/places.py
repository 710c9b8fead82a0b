"""Where a market stands among the candidates of a track: its place by a score, and the score as a share of the best."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from scipy.stats import rankdata

from pipelines.features.registry import Feature, Values
from pipelines.features.scene import Scene

LOGARITHMS: Final = ("log", "log odds")
"""Units of scores that are logarithms: their share of the best is the exponential of the difference."""


def with_places(score: Feature) -> tuple[Feature, Feature, Feature]:
    """Return a score, its place and its share of the best, which `add_places` makes."""
    kept = (score.sources, score.known, score.family)
    apart = f"exp({score.name} − m)" if score.unit in LOGARITHMS else f"{score.name} / m"
    return (
        score,
        Feature(
            f"{score.name}_place", "rank", f"Place of {score.name} among the open markets not entered: 1 for the "
            "largest, the mean place of equal ones.", *kept
        ),
        Feature(
            f"{score.name}_of_best", "share", f"{apart}, where m is the largest {score.name} of the open markets not "
            "entered" + ("." if score.unit in LOGARITHMS else "; missing where m is not above 0."), *kept
        ),
    )  # fmt: skip


def add_places(features: tuple[Feature, ...], found: Mapping[str, Values], scene: Scene) -> Mapping[str, Values]:
    """Return the values found, and the places and shares of the best that the features describe.

    Parameters
    ----------
    features
        Features of the family; those made by `with_places` are added.
    found
        Name → values of the others.
    scene
        The tracks of the day. Markets that cannot be entered have no place.

    Notes
    -----
    Scores are to be computed in double precision and rounded to single at the end: otherwise equal ones differ by the
    order in which their terms are added, and so do their places.
    """
    added: dict[str, Values] = {}
    candidate = scene.open & ~scene.entered
    for feature in features:
        if feature.name.endswith("_place"):
            score = feature.name.removesuffix("_place")
            logarithm = next(each.unit for each in features if each.name == score) in LOGARITHMS
            scores = np.where(candidate, found[score], np.nan)
            added[feature.name] = places(scores)
            added[f"{score}_of_best"] = shares_of_best(scores, logarithm=logarithm)
    return {**found, **added}


def places(scores: Values) -> Values:
    """Return, (n, m), the place of every score in its row, 1 for the largest; NaN where the score is.

    Examples
    --------
    >>> places(np.array([[0.5, np.nan, 0.75, 0.5]], np.float32)).tolist()
    [[2.5, nan, 1.0, 2.5]]
    """
    ranks = rankdata(np.where(np.isnan(scores), np.inf, -scores), axis=1)
    return np.where(np.isnan(scores), np.nan, ranks).astype(np.float32)


def shares_of_best(scores: Values, *, logarithm: bool = False) -> Values:
    """Return, (n, m), every score as a share of the largest of its row; NaN where that is not above 0.

    Examples
    --------
    >>> shares_of_best(np.array([[0.5, np.nan, 1.0], [-1.0, -2.0, np.nan]], np.float32)).tolist()
    [[0.5, nan, 1.0], [nan, nan, nan]]
    """
    best = np.fmax.reduce(scores, axis=1, keepdims=True)
    shares = np.exp(scores - best) if logarithm else scores / np.where(best > 0, best, np.nan)
    return shares.astype(np.float32)

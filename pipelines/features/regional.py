"""Regional features: the market's people, and how near it is to the markets that the track has entered."""

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import pair_table, reference_table
from pipelines.features.history import History
from pipelines.features.registry import Feature, Values
from pipelines.features.scene import Scene
from pipelines.features.windows import positions

CONTINENTS: Final = ("Africa", "Asia", "Europe", "North America", "Oceania", "South America")
"""Continents of the reference table."""

LANGUAGES: Final = ("en", "es")
"""Languages that most markets of the reference table share."""

_FROM_PAIRS: Final = ("charts", "distances")


def _regional(name: str, unit: str, meaning: str) -> Feature:
    """Return a feature that the reference table of markets tells."""
    return Feature(name, unit, meaning, ("markets",), "always", "regional")


def _near(name: str, unit: str, meaning: str) -> Feature:
    """Return a feature of the pairs of the market and those entered so far."""
    return Feature(name, unit, meaning, _FROM_PAIRS, "as of", "regional")


class Regional:
    """The market's population, continent and languages, and its distances to the markets entered; it keeps no state.

    Markets entered weigh alike in a mean; in a weighted one, 1.5 at the top of the latest chart to 0.5 at its end or
    off it. Pairs without a distance are left out, and the feature is missing where no pair has one.
    """

    features: Final = (
        _regional("population", "log10 people", "Population of the market."),
        *(
            _regional(f"in_{name.lower().replace(' ', '_')}", "0 or 1", f"The market lies in {name}.")
            for name in CONTINENTS
        ),
        *(_regional(f"speaks_{code}", "share", f"Share of its people who speak '{code}'.") for code in LANGUAGES),
        _near("distance_least", "km", "Distance of the market to the nearest market entered."),
        _near("distance_mean", "km", "Mean distance of the market to the markets entered."),
        _near("distance_weighted", "km", "Mean distance of the market to the markets entered, weighted by rank."),
        _near("culture_least", "0 … 1", "Cultural distance of the market to the most alike of the markets entered."),
        _near("culture_mean", "0 … 1", "Mean cultural distance of the market to the markets entered."),
        _near("culture_weighted", "0 … 1", "Mean cultural distance to the markets entered, weighted by rank."),
        _near("overlap_most", "0 … 1", "Largest language overlap of the market with one of the markets entered."),
        _near("overlap_mean", "0 … 1", "Mean language overlap of the market with the markets entered."),
        _near("overlap_weighted", "0 … 1", "Mean language overlap with the markets entered, weighted by rank."),
        _near("same_language", "share", "Share of the markets entered with an official language of the market."),
        _near("neighbours", "markets", "Markets entered that share a border with the market."),
        _near("same_continent", "share", "Share of the markets entered that lie on the market's continent."),
    )  # fmt: skip

    def advance(self, known: History, day: int) -> None:
        """Take in nothing: these features depend on what has been entered alone."""

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        found = dict(market_columns(known.markets))
        pairs = pair_matrices(known.markets)
        entered = scene.entered.astype(np.float32)
        ranked = positions(known, scene)
        for name, column in (
            ("distance", "distance_km"),
            ("culture", "cultural_distance"),
            ("overlap", "language_overlap"),
        ):
            matrix = pairs[column]
            most = name == "overlap"
            found[f"{name}_{'most' if most else 'least'}"] = extreme(scene, matrix, most=most)
            found[f"{name}_mean"] = mean(entered, matrix)
            found[f"{name}_weighted"] = mean(ranked, matrix)
        found["same_language"] = mean(entered, pairs["common_language"])
        found["neighbours"] = entered @ np.nan_to_num(pairs["contiguous"])
        continents = np.stack([found[f"in_{name.lower().replace(' ', '_')}"] for name in CONTINENTS], axis=1)
        found["same_continent"] = mean(entered, (continents @ continents.T).astype(np.float32))
        return found

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return nothing."""
        return {}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from nothing."""


def mean(weights: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return, (n, m), the mean over markets a of ``matrix[a, b]`` with weights (n, m); NaN where every pair is missing.

    Examples
    --------
    >>> matrix = np.array([[np.nan, 2.0], [4.0, np.nan]], np.float32)
    >>> mean(np.array([[1, 0], [1, 1]], np.float32), matrix).tolist()
    [[nan, 2.0], [4.0, 2.0]]
    """
    known = np.isfinite(matrix).astype(np.float32)
    total = weights @ known
    found: NDArray[np.float32] = np.where(
        total > 0, weights @ np.nan_to_num(matrix) / np.where(total > 0, total, 1), np.nan
    )
    return found.astype(np.float32)


def extreme(scene: Scene, matrix: NDArray[np.float32], *, most: bool) -> NDArray[np.float32]:
    """Return, (n, m), the least (or most) over the markets a entered of ``matrix[a, b]``; NaN where all are missing."""
    row, source = np.nonzero(scene.entered)
    found = np.full(scene.since_entry.shape, np.nan, np.float32)
    if len(row):
        begins = np.flatnonzero(np.diff(row, prepend=-1))
        choose = np.fmax if most else np.fmin
        found[row[begins]] = choose.reduceat(matrix[source], begins, axis=0)
    return found


@cache
def market_columns(markets: tuple[str, ...]) -> Mapping[str, NDArray[np.float32]]:
    """Return feature → (m,): population, continents and languages; NaN where the reference table lacks it."""
    table = reference_table().set_index("market").reindex(list(markets))
    population = table["population"].to_numpy(np.float64, na_value=np.nan)
    found = {"population": np.log10(population).astype(np.float32)}
    for name in CONTINENTS:
        here = (table["continent"] == name).astype(np.float32).where(table["continent"].notna())
        found[f"in_{name.lower().replace(' ', '_')}"] = here.to_numpy(np.float32)
    for code in LANGUAGES:
        share = table["languages"].str.extract(rf"(?:^|\|){code}:([0-9.]+)", expand=False).astype(np.float64).fillna(0)
        found[f"speaks_{code}"] = share.where(table["languages"].notna()).to_numpy(np.float32)
    return found


@cache
def pair_matrices(markets: tuple[str, ...]) -> Mapping[str, NDArray[np.float32]]:
    """Return column of `diffusion.pair_table` → (m, m), source in rows; NaN on the diagonal and where missing."""
    table = pair_table()
    source, target = (pd.Index(markets).get_indexer(pd.Index(table[side])) for side in ("source", "target"))
    ours = (source >= 0) & (target >= 0)
    found = {}
    for column in ("distance_km", "contiguous", "common_language", "language_overlap", "cultural_distance"):
        matrix = np.full((len(markets), len(markets)), np.nan, np.float32)
        matrix[source[ours], target[ours]] = table[column].to_numpy(np.float32, na_value=np.nan)[ours]
        found[column] = matrix
    return found

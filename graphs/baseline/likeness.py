"""How much a market is like those that a track has entered so far, in a few classes."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Flags, Floats, Ints
from diffusion.display import Displayed
from diffusion.errors import SettingError
from diffusion.market_groups import MarketGroups, group_pairs, market_table
from diffusion.timelines import NOT_ENTERED, Timelines

Kinds = NDArray[np.int16]
"""Number of a combination of classes, one of each trait."""

MOST: Final = 3
"""Markets of one language beyond which more make no difference."""

SHARES: Final = (0.5, 0.99)
"""Shares of the markets entered so far at which a class begins: half of them, all of them."""

NEAR: Final = (0.02, 0.08, 0.25)
"""Quantiles of the distances of all pairs within which a market is very near, near, or not far."""

OVERLAP: Final = (0.5, 0.75, 0.9)
"""Quantiles of the language overlap of all pairs at which a class of the mean overlap begins."""

_SHARE_NAMES: Final = ("few", "half or more", "all")

CLASSES: Final = {
    "language": ("none", *(f"{n}, {share}" for n in ("1", "2", f"{MOST} or more") for share in _SHARE_NAMES)),
    "overlap": ("lowest", "low", "high", "highest"),
    "distance": ("far", "not far", "near", "very near"),
    "group": ("none", *_SHARE_NAMES),
    "past": ("none", "once", "more often"),
}
"""Traits by which markets are alike, and the classes of each; weights are relative to the first class."""


@dataclass(frozen=True, slots=True, repr=False)
class Likeness(Displayed):
    """What is known of pairs of m markets. Where a pair is not known, its markets are taken for unlike.

    Attributes
    ----------
    language, group
        (m, m): whether two markets share a language; whether they are of one group.
    overlap
        (m, m): chance that two people, one of each market, share a language.
    overlap_from
        Mean overlaps at which the classes begin.
    near
        (3, m, m): whether two markets are at most as far apart as the quantiles `NEAR` say, the nearest first.

    Examples
    --------
    >>> Likeness.of(("SE", "NO", "US"))
    <Likeness of 3 markets>
    """

    language: Flags
    group: Flags
    overlap: Floats
    overlap_from: Floats
    near: Flags

    @classmethod
    def of(
        cls, markets: tuple[str, ...], pairs: pd.DataFrame | None = None, *, groups: MarketGroups | None = None
    ) -> Self:
        """Return the likeness of markets.

        Parameters
        ----------
        markets
            Codes of the m markets.
        pairs
            One row per ordered pair: `source`, `target`, and any of `common_language` (1 where they share one),
            `language_overlap` (0 … 1), `distance_km`, and `group` (1 where they belong together). A trait without its
            column is not used. Default: `diffusion.pair_table`, the groups being the continents.
        groups
            Markets that are groups of markets (`Entries.groups`); they are as alike as their members most like.

        Raises
        ------
        SettingError
            When `source` or `target` is missing, or every trait.
        """
        table = _packaged(groups or {}) if pairs is None else pairs
        columns = ("common_language", "language_overlap", "distance_km", "group")
        if not {"source", "target"} <= set(table) or not set(columns) & set(table):
            found = ", ".join(map(str, table))
            raise SettingError(
                f"a table of pairs has source, target and any of {', '.join(columns)}; this one has {found}"
            )
        language, overlap, distance, group = (_matrix(table, name, markets) for name in columns)
        known = distance[np.isfinite(distance)]
        edges = np.quantile(known, NEAR) if len(known) else np.full(len(NEAR), -1.0)
        kept = overlap[np.isfinite(overlap)]
        return cls(
            language=np.nan_to_num(language) > 0,
            group=np.nan_to_num(group) > 0,
            overlap=np.nan_to_num(overlap),
            overlap_from=np.quantile(kept, OVERLAP) if len(kept) else np.full(len(OVERLAP), np.inf),
            near=np.nan_to_num(distance, nan=np.inf) <= edges[:, None, None],
        )

    def _facts(self) -> str:
        return f" of {len(self.language)} markets"

    def kinds(self, entered: Flags, past: NDArray[np.integer]) -> Kinds:
        """Return the kind of every market, (k, m).

        Parameters
        ----------
        entered
            (k, m): markets entered so far.
        past
            (k, m): entries of the artist's other tracks into the market so far; two or more are alike.
        """
        so_far = entered.astype(np.float32)
        number = np.maximum(so_far.sum(axis=1, keepdims=True), 1)
        languages, group = so_far @ self.language.astype(np.float32), so_far @ self.group.astype(np.float32)
        share = np.searchsorted(SHARES, languages / number, side="right")
        counted = np.minimum(languages, MOST).astype(np.int16)
        # added in single precision, the class of a mean on a bound would depend on the order, and so on the other rows
        overlaps = self.overlap.astype(np.float32).astype(np.float64)
        overlap = (so_far.astype(np.float64) @ overlaps / number).astype(np.float32)
        near = sum((so_far @ edge.astype(np.float32) > 0).astype(np.int16) for edge in self.near)
        parts = (
            np.where(counted > 0, (counted - 1) * len(_SHARE_NAMES) + share + 1, 0),
            np.searchsorted(self.overlap_from, overlap, side="right"),
            near,
            np.where(group > 0, np.searchsorted(SHARES, group / number, side="right") + 1, 0),
            np.minimum(past, 2),
        )
        return np.ravel_multi_index(parts, sizes()).astype(np.int16)


def sizes() -> tuple[int, ...]:
    """Return how many classes every trait has."""
    return tuple(len(names) for names in CLASSES.values())


def kind_design() -> Floats:
    """Return one row per kind and one column per class that is not the first of its trait: 1 where the kind has it."""
    classes = np.unravel_index(np.arange(np.prod(sizes())), sizes())
    columns = [own[:, None] == np.arange(1, size) for own, size in zip(classes, sizes(), strict=True)]
    return np.concatenate(columns, axis=1).astype(np.float64)


def class_sums(kinds: Kinds, values: Floats) -> Floats:
    """Return, for every step, the sum of its markets' values by class: ``values`` as rows times `kind_design`.

    Parameters
    ----------
    kinds, values
        (k, m).

    Returns
    -------
    array
        (k, f): columns as those of `kind_design`.
    """
    rows, flat, parts = len(kinds), values.ravel(), []
    for classes, size in zip(np.unravel_index(np.arange(np.prod(sizes())), sizes()), sizes(), strict=True):
        place = classes[kinds] + np.arange(rows)[:, None] * size
        parts.append(np.bincount(place.ravel(), flat, minlength=rows * size).reshape(rows, size)[:, 1:])
    return np.concatenate(parts, axis=1)


def past_days(lines: Timelines, artist: Ints) -> NDArray[np.int32]:
    """Return the days of the first and second entry of every artist into every market, (2, artists, m).

    Parameters
    ----------
    artist
        (n,): number of every track's artist.
    """
    table = np.full((2, int(artist.max(initial=-1)) + 1, len(lines.markets)), NOT_ENTERED)
    place = artist[lines.track] * len(lines.markets) + lines.market
    order = np.lexsort((lines.day, place))
    begin = np.diff(place[order], prepend=-1) > 0
    for which in table:
        which.ravel()[place[order[begin]]] = lines.day[order[begin]]
        # the second entry is the one after the first, where that is of the same artist and market
        begin = np.append(False, begin[:-1]) & ~(np.diff(place[order], prepend=-1) > 0)
    return table


def _packaged(groups: MarketGroups) -> pd.DataFrame:
    continent = market_table(groups).set_index("market")["continent"]
    table = group_pairs(groups)
    same = table["source"].map(continent) == table["target"].map(continent)
    return table.assign(group=same.astype(int))


def _matrix(table: pd.DataFrame, column: str, markets: tuple[str, ...]) -> Floats:
    """Return a column of pairs as (m, m), not a number where the pair or the column is missing."""
    values = np.full((len(markets), len(markets)), np.nan)
    source, target = (pd.Index(markets).get_indexer(pd.Index(table[side])) for side in ("source", "target"))
    known = (source >= 0) & (target >= 0) & (source != target)
    if column in table:
        values[source[known], target[known]] = table[column].to_numpy(np.float64, na_value=np.nan)[known]
    return values

"""Distances between markets as matrices, from the packaged tables or from the user's; missing values stay missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Self

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError, UnknownMarketError, pair_table, resolve
from diffusion.display import Displayed
from graphs.distance.market_pairs import Matrix

Side = Literal["source", "target"]

KNOWN: Final = ("log_km", "contiguous", "common_language", "language_overlap", "cultural_distance")
"""Distances that come with the project; `log_km` is the natural logarithm of `distance_km`."""


@dataclass(frozen=True, slots=True, repr=False)
class Distances(Displayed):
    """Distances between the same markets. It is immutable: `with_pairs` and `with_markets` return a new one.

    Attributes
    ----------
    markets
        Codes of the m markets, in the order of rows and columns.
    matrices
        Name → (m, m) distance from row to column; NaN on the diagonal and where it is missing. Read-only.
    unknown
        Name → names in the user's table that are no known market, in order; their rows were not used.

    Examples
    --------
    >>> distances = Distances.of(["SE", "NO", "DE"])
    >>> distances
    <Distances between 3 markets: log_km, contiguous, common_language, language_overlap, cultural_distance>
    >>> distances.matrix("contiguous")[0]
    array([nan,  1.,  0.])
    """

    markets: tuple[str, ...]
    matrices: Mapping[str, Matrix]
    unknown: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, markets: Iterable[str], table: pd.DataFrame | None = None) -> Self:
        """Return the distances named in `KNOWN` between markets.

        Parameters
        ----------
        markets
            Two markets or more, by name or code, each once; results keep their order.
        table
            Distances with the columns of `diffusion.pair_table` (default: that table).

        Raises
        ------
        SettingError
            When a market stands twice, is Global, or there are fewer than two.

        Examples
        --------
        >>> distances = Distances.of(["Sweden", "NO", "XA"])
        >>> distances.matrix("common_language").tolist()
        [[nan, 0.0, nan], [0.0, nan, nan], [nan, nan, nan]]
        """
        pairs = pair_table() if table is None else table
        known = set(pairs["source"])
        codes = tuple(name if name in known else resolve(name) for name in markets)
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice or "Global" in codes or len(codes) < 2:
            found = f"{', '.join(twice)} twice" if twice else "Global" if "Global" in codes else f"{len(codes)}"
            raise SettingError(f"distances need two markets or more, each once, without aggregates; found {found}")
        pairs = pairs.assign(log_km=np.log(pairs["distance_km"]))
        values = {name: _matrix(pairs["source"], pairs["target"], pairs[name], codes) for name in KNOWN}
        return cls(codes, values, {})

    def _facts(self) -> str:
        return f" between {len(self.markets)} markets: {', '.join(self.matrices)}"

    def with_pairs(
        self,
        name: str,
        table: pd.DataFrame | Matrix,
        *,
        symmetric: bool = False,
        names: Mapping[str, str] | None = None,
    ) -> Self:
        """Return these distances and one more, from a matrix or a long table.

        Parameters
        ----------
        name
            Name of the distance; results show it as `term`.
        table
            An array (m, m) in the order of `markets`; or a frame with one row and one column per market, named by the
            index (or a first column of text) and the columns; or a long frame with two columns of text and one of
            numbers. Markets by any name or code that `diffusion.resolve` knows. Other markets and the diagonal are
            ignored; unknown names are listed in `unknown`.
        symmetric
            Whether to use a value given in one direction only for the other direction too (default: no). Without it, a
            long table that lists every pair once leaves the other direction missing.
        names
            Name in the table → name or code of a market, for names that `diffusion.resolve` does not know.

        Raises
        ------
        SettingError
            When the table has none of these forms, a value is no finite number, a pair has two different values, or
            the name is already used.
        DataSaysNoError
            When the table has no pair of these markets.
        """
        if name in self.matrices:
            raise SettingError(f"there is a distance '{name}' already; choose another name")
        unknown: tuple[str, ...] = ()
        if isinstance(table, np.ndarray):
            value = self._own_order(name, table)
        else:
            value, unknown = self._from_frame(name, table, names or {})
        if symmetric:
            value = _mirrored(name, value, self.markets)
        if np.isnan(value).all():
            raise DataSaysNoError(
                f"the distance '{name}' has no value for any pair of these {len(self.markets)} markets"
                + (f"; unknown names: {', '.join(unknown[:5])}" if unknown else "")
            )
        value.flags.writeable = False
        return replace(self, matrices={**self.matrices, name: value}, unknown={**self.unknown, name: unknown})

    def with_markets(self, name: str, values: Mapping[str, float], *, side: Side) -> Self:
        """Return these distances and one more, in which a pair has a value of its source (or of its target).

        Use it to hold the size of a market fixed in `mrqap`; `gravity` has effects of both sides already.

        Parameters
        ----------
        name
            Name of the new distance.
        values
            Market (by name or code) → value; NaN where it is missing.
        side
            Market whose value a pair has: ``source`` or ``target``.
        """
        if side not in ("source", "target"):
            raise SettingError(f"side is source or target, not '{side}'")
        by_code = {resolve(market): float(value) for market, value in values.items()}
        own = np.array([by_code.get(code, np.nan) for code in self.markets])
        by_pair = np.broadcast_to(own[:, None] if side == "source" else own, (len(own), len(own)))
        return self.with_pairs(name, by_pair)

    def matrix(self, name: str) -> Matrix:
        """Return one distance, (m, m), read-only."""
        if name not in self.matrices:
            raise SettingError(f"no distance '{name}'; there are {', '.join(self.matrices)}")
        return self.matrices[name]

    def select(self, names: Sequence[str] | None) -> dict[str, Matrix]:
        """Return name → distance for the names given, or for all where `names` is None."""
        chosen = list(self.matrices) if names is None else list(names)
        if not chosen or len(set(chosen)) < len(chosen):
            raise SettingError(f"give one or more distances, each once, not {chosen}")
        return {name: self.matrix(name) for name in chosen}

    def missing(self) -> pd.DataFrame:
        """Return the missing values: `distance`, `source`, `target`, one row per distance and ordered pair."""
        rows = [
            (name, self.markets[a], self.markets[b])
            for name, value in self.matrices.items()
            for a, b in np.argwhere(np.isnan(value) & ~np.eye(len(self.markets), dtype=bool))
        ]
        return pd.DataFrame(rows, columns=["distance", "source", "target"], dtype=object)

    def _own_order(self, name: str, table: Matrix) -> Matrix:
        shape = (len(self.markets), len(self.markets))
        if table.shape != shape:
            raise SettingError(f"the distance '{name}' is an array {table.shape}; these markets need {shape}")
        value = table.astype(float)
        np.fill_diagonal(value, np.nan)
        if np.isinf(value).any():
            raise SettingError(f"the distance '{name}' has an infinite value; use NaN where it is not known")
        return value

    def _from_frame(self, name: str, table: pd.DataFrame, names: Mapping[str, str]) -> tuple[Matrix, tuple[str, ...]]:
        first, second, numbers = _long(name, table)
        codes, unknown = _codes(name, pd.unique(pd.concat([first, second], ignore_index=True)).tolist(), names)
        pairs = pd.DataFrame({"source": first.map(codes), "target": second.map(codes), "value": _finite(name, numbers)})
        ours = pairs["source"].isin(self.markets) & pairs["target"].isin(self.markets)
        pairs = pairs[ours & (pairs["source"] != pairs["target"]) & pairs["value"].notna()].drop_duplicates()
        twice = pairs[pairs.duplicated(["source", "target"])]
        if len(twice):
            a, b = twice.iloc[0][["source", "target"]]
            raise SettingError(f"the distance '{name}' has two values for {a} → {b}; keep one")
        return _matrix(pairs["source"], pairs["target"], pairs["value"], self.markets), unknown


def _long(name: str, table: pd.DataFrame) -> "tuple[pd.Series[str], pd.Series[str], pd.Series[float]]":
    """Return a table in any of the three forms as two columns of names and one of values."""
    text = [column for column in table.columns if not pd.api.types.is_numeric_dtype(table[column])]
    if len(text) == 2 and len(table.columns) == 3:
        (value,) = (column for column in table.columns if column not in text)
        return table[text[0]], table[text[1]], table[value]
    if {"source", "target"} <= set(table.columns) and len(table.columns) == 3:
        (value,) = (column for column in table.columns if column not in ("source", "target"))
        return table["source"], table["target"], table[value]
    if len(text) and text[0] == table.columns[0] and len(table.columns) == len(table) + 1:
        table = table.set_index(text[0])
    if len(table) == len(table.columns) and not pd.api.types.is_numeric_dtype(table.index):
        first, second = (np.repeat(table.index, len(table)), np.tile(table.columns, len(table)))
        return pd.Series(first), pd.Series(second), pd.Series(table.to_numpy().ravel())
    raise SettingError(
        f"the distance '{name}' is a table of {len(table):,} rows and {len(table.columns)} columns; it should be a "
        "square one with markets as index (or first column) and columns, or a long one of two names and a value"
    )


def _codes(name: str, found: list[object], names: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return name → code for the known names, and the unknown names in order."""
    if any(pd.isna(one) for one in found):  # type: ignore[call-overload]
        raise SettingError(
            f"a market of the distance '{name}' has no name; if it is Namibia's code NA, read the file with "
            "keep_default_na=False"
        )
    codes, unknown = {}, []
    for one in map(str, found):
        try:
            codes[one] = resolve(names.get(one, one))
        except UnknownMarketError:
            unknown.append(one)
    return codes, tuple(sorted(unknown))


def _finite(name: str, numbers: "pd.Series[float]") -> "pd.Series[float]":
    value = pd.to_numeric(numbers.replace("", np.nan), errors="coerce").astype(float)
    wrong = numbers[(value.isna() & numbers.notna() & (numbers.astype(str) != "")) | np.isinf(value)]
    if len(wrong):
        raise SettingError(f"the distance '{name}' has a value that is no finite number: '{wrong.iloc[0]}'")
    return value.reset_index(drop=True)


def _matrix(
    source: "pd.Series[str]", target: "pd.Series[str]", value: "pd.Series[float]", markets: Sequence[str]
) -> Matrix:
    """Return the values as a read-only matrix (m, m), NaN where there is none."""
    number = {code: at for at, code in enumerate(markets)}
    a, b = (column.map(number) for column in (source, target))
    ours = a.notna() & b.notna() & (a != b)
    matrix = np.full((len(markets), len(markets)), np.nan)
    matrix[a[ours].astype(int), b[ours].astype(int)] = value[ours].to_numpy(np.float64, na_value=np.nan)
    matrix.flags.writeable = False
    return matrix


def _mirrored(name: str, value: Matrix, markets: Sequence[str]) -> Matrix:
    """Return the matrix with each missing value filled from the other direction of its pair."""
    contradicting = np.argwhere(~np.isclose(value, value.T, equal_nan=True) & ~np.isnan(value) & ~np.isnan(value.T))
    if len(contradicting):
        a, b = (markets[at] for at in contradicting[0])
        raise SettingError(f"the distance '{name}' from {a} to {b} is not the one from {b} to {a}; it is not symmetric")
    return np.where(np.isnan(value), value.T, value)

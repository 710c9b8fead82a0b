"""What figures are given: a table, or a value that holds the table."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from diffusion import SettingError


class Graph(Protocol):
    """A value that holds markets and the flows between them, such as `graphs.MarketGraph`."""

    @property
    def nodes(self) -> pd.DataFrame:
        """One row per market, with its scores."""

    @property
    def edges(self) -> pd.DataFrame:
        """One row per ordered pair of markets."""

    @property
    def lags(self) -> pd.DataFrame:
        """One row per pair and day: tracks that entered, and others that were followed so far."""

    window: int


class Pair(Protocol):
    """A value that holds one ordered pair of markets, such as `graphs.Flow`."""

    @property
    def edge(self) -> Mapping[Hashable, Any]:
        """Column → value of the pair, with `source` and `target`."""

    @property
    def curve(self) -> pd.DataFrame:
        """One row per day."""


class Curves(Protocol):
    """A value that holds curves by day, such as `survival.Breakthrough` and `survival.States`."""

    @property
    def curves(self) -> pd.DataFrame:
        """One row per group and day."""

    @property
    def horizon(self) -> int:
        """Longest follow-up in days."""

    @property
    def cluster(self) -> str:
        """What the bands take as independent."""


class Fit(Protocol):
    """A fitted model, such as those of `survival` and lifelines."""

    @property
    def summary(self) -> pd.DataFrame:
        """One row per covariate, with the column names of lifelines."""


def check_holds(value: object, *names: str) -> None:
    """Check that a value that is no table holds what is drawn.

    Raises
    ------
    SettingError
        When it lacks one of the names.

    Examples
    --------
    >>> check_holds(42, "edges", "nodes")
    Traceback (most recent call last):
    ...
    diffusion.errors.SettingError: the figure cannot be drawn from a value of the type int, which has no edges, nodes;
    help() of the figure says which call gives its table
    """
    if missing := [name for name in names if name not in dir(value)]:
        raise SettingError(
            f"the figure cannot be drawn from a value of the type {type(value).__name__}, which has no "
            f"{', '.join(missing)}; help() of the figure says which call gives its table"
        )


def table_in(value: Any, name: str) -> pd.DataFrame:
    """Return a table as it is given, or the table that a value holds by this name."""
    if isinstance(value, pd.DataFrame):
        return value
    check_holds(value, name)
    table: pd.DataFrame = getattr(value, name)
    return table


def flows_of(edges: pd.DataFrame | Graph, markets: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of pairs and markets of a graph, or those given.

    Raises
    ------
    SettingError
        When a table of pairs comes without a table of markets.
    """
    if not isinstance(edges, pd.DataFrame):
        check_holds(edges, "edges", "nodes")
        return edges.edges, edges.nodes if markets is None else markets
    if markets is None:
        raise SettingError("a table of edges needs a table of markets beside it; or give the graph")
    return edges, markets


def lags_of(lags: pd.DataFrame | Graph, joint: int | None, window: int | None) -> tuple[pd.DataFrame, int, int]:
    """Return the transitions by day, the number of ties and the window of a graph, or those given.

    Raises
    ------
    SettingError
        When a table comes without the number of ties or the window.
    """
    if not isinstance(lags, pd.DataFrame):
        check_holds(lags, "lags", "edges", "window")
        by_day = lags.lags.groupby("days")["entered"].sum().rename("transitions").reset_index()
        return by_day, int(lags.edges["joint"].sum()) // 2, lags.window
    if joint is None or window is None:
        raise SettingError(
            "a table of lags needs the number of ties (joint) and the window beside it; or give the graph"
        )
    return lags, joint, window


def pairs_of(curves: pd.DataFrame | Pair | Sequence[Pair]) -> pd.DataFrame:
    """Return a table of curves by `source` and `target`; pairs that hold theirs are put one below the other."""
    if isinstance(curves, pd.DataFrame):
        return curves
    pairs = curves if isinstance(curves, Sequence) else [curves]
    if not pairs:
        raise SettingError("there is no pair to draw; give one or more")
    for pair in pairs:
        check_holds(pair, "curve", "edge")
    sides = ("source", "target")
    return pd.concat([pair.curve.assign(**{side: pair.edge[side] for side in sides}) for pair in pairs])


def curves_of(curves: pd.DataFrame | Curves, horizon: int | None, cluster: str | None) -> tuple[pd.DataFrame, int, str]:
    """Return the table of curves, the last day drawn, and what the bands take as independent; what is given counts."""
    if isinstance(curves, pd.DataFrame):
        last = int(curves["days"].max()) if "days" in curves and len(curves) else 1
        return curves, last if horizon is None else horizon, cluster or "artist"
    check_holds(curves, "curves", "horizon", "cluster")
    return curves.curves, curves.horizon if horizon is None else horizon, cluster or curves.cluster


def ratios_given(ratios: pd.DataFrame | Fit) -> pd.DataFrame:
    """Return a table of hazard ratios by `variable` and `level`; a summary with lifelines' names is renamed.

    Examples
    --------
    >>> summary = pd.DataFrame({"covariate": ["match[T.yes]", "age"], "exp(coef)": [1.8, 0.9],
    ...     "exp(coef) lower 95%": [1.5, 0.6], "exp(coef) upper 95%": [2.2, 1.3]})
    >>> ratios_given(summary)[["variable", "level", "hazard_ratio"]].values.tolist()
    [['match', 'yes', 1.8], ['age', 'one more', 0.9]]
    """
    table = table_in(ratios, "summary")
    if "exp(coef)" not in table.columns:
        return table
    table = table if "covariate" in table.columns else table.rename_axis("covariate").reset_index()
    names = table["covariate"].astype(str).str.extract(r"^(?P<variable>.*?)(?:\[(?:T\.)?(?P<level>[^\]]*)\])?$")
    columns = {"exp(coef)": "hazard_ratio", "exp(coef) lower 95%": "low", "exp(coef) upper 95%": "high"}
    named = table.rename(columns={**columns, "until": "days"})
    return named.assign(variable=names["variable"], level=names["level"].fillna("one more"), reference=None)

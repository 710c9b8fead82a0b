"""What figures are given: the docstring says which call makes the table, and values that hold it are drawn alike."""

import inspect
import re
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from pkgutil import resolve_name
from typing import Any

import pandas as pd
import pytest

import diffusion
import figures
import graphs
import survival
from diffusion import SettingError
from pipelines.artifacts import ARTIFACTS
from tests.random_charts import study

NO_FIGURES = {"Figure", "Kind", "about", "pace", "render", "save"}
"""Names of the package that draw nothing."""

TABLES = {name.removesuffix(".parquet") for tables in ARTIFACTS.values() for name in tables}


def named(call: str) -> Any:
    """Return what a dotted name names: an attribute of a package, or of a module that nothing has imported yet."""
    package, *names = call.split(".")
    try:
        return reduce(getattr, names, import_module(package))
    except AttributeError:
        return resolve_name(call)


@pytest.mark.parametrize("name", sorted(set(figures.__all__) - NO_FIGURES))
def test_one_line_says_which_public_call_gives_the_table(name: str) -> None:
    lines = re.findall(r"^Table: (.+)$", inspect.getdoc(getattr(figures, name)) or "", flags=re.MULTILINE)
    assert len(lines) == 1
    calls = re.findall(r"`((?:diffusion|graphs|survival|pipelines)(?:\.\w+)+)`", lines[0])
    tables = [word for word in re.findall(r"`(\w+)`", lines[0]) if word in TABLES]
    assert calls or tables
    for call in calls:
        assert callable(named(call)), call


@pytest.fixture(scope="module")
def entries() -> diffusion.Entries:
    """Entries of thirty tracks in four markets, most of them in Sweden first."""
    observed = {market: range(60) for market in ("DE", "NO", "SE", "US")}
    orders = [("SE", "NO", "DE"), ("SE", "US", "NO"), ("US", "DE"), ("SE", "NO"), ("NO", "SE", "DE")]
    entered = {
        f"t{number}": {
            market: 2 + number % 9 + (4 + number % 3) * place for place, market in enumerate(orders[number % 5])
        }
        for number in range(30)
    }
    return study(observed, entered).open()


def drawn(figure: figures.Figure) -> bytes:
    """Return a figure as bytes."""
    return figures.render(figure, "svg")


def test_a_graph_is_drawn_as_its_tables_are(entries: diffusion.Entries) -> None:
    graph = graphs.market_graph(entries, window=30)
    tables: dict[Callable[..., figures.Figure], tuple[Any, ...]] = {
        figures.flow_map: (graph.edges, graph.scores()),
        figures.leader_chart: (graph.nodes,),
    }
    for draw, given in tables.items():
        assert drawn(draw(graph)) == drawn(draw(*given)), draw.__name__
    assert drawn(figures.transition_matrix(graph)) == drawn(figures.transition_matrix(graph.edges, window=30))
    lags = graph.lags.groupby("days")["entered"].sum().rename("transitions").reset_index()
    ties = int(graph.edges["joint"].sum()) // 2
    assert drawn(figures.lag_distribution(graph)) == drawn(figures.lag_distribution(lags, joint=ties, window=30))
    flow = graph.flow("SE", "NO")
    table = flow.curve.assign(source="SE", target="NO")
    assert drawn(figures.lag_curves([flow])) == drawn(figures.lag_curves(table))
    assert len(figures.lag_curves(flow).axes) == 2


def test_results_of_survival_are_drawn_as_their_tables_are(entries: diffusion.Entries) -> None:
    found = survival.breakthrough(entries, by="market", horizon=30, cluster="track")
    table = figures.survival_curves(found.curves, horizon=30, cluster="track")
    assert drawn(figures.survival_curves(found)) == drawn(table)
    waits = survival.waits(entries, horizon=30)
    fit = survival.cox(waits, "log(population)")
    assert drawn(figures.hazard_ratios(fit)) == drawn(figures.hazard_ratios(fit.summary))
    texts = [text.get_text() for text in figures.hazard_ratios(fit).axes[0].texts]
    assert texts[:2] == ["log(population)", "one more"]
    periods = survival.hazard_ratios_by_period(waits, "log(population)", [0, 7])
    assert len(figures.hazard_ratio_periods(periods).axes) == 1
    assert figures.log_log_curves(survival.log_log(waits, "market")).axes[0].get_title(loc="left") == "market"
    calibrated = survival.calibration({"Cox": fit}, waits, day=20)
    assert figures.calibration(calibrated).axes[0].get_title(loc="left") == "Cox\nby tenth of the predictions"


def test_markets_without_positions_are_drawn_where_the_reference_table_has_them() -> None:
    markets = pd.DataFrame({"market": ["SE", "US"], "net_flow": [4, -4], "out_tracks": [6, 2], "in_tracks": [2, 6]})
    edges = pd.DataFrame({"source": ["SE", "US"], "target": ["US", "SE"], "tracks": [6, 2]})
    known = diffusion.reference_table()[["market", "name", "latitude", "longitude"]]
    assert drawn(figures.flow_map(edges, markets)) == drawn(figures.flow_map(edges, markets.merge(known, on="market")))


def test_tables_that_need_another_say_so() -> None:
    edges = pd.DataFrame({"source": ["SE"], "target": ["US"], "tracks": [6]})
    with pytest.raises(SettingError, match="a table of edges needs a table of markets beside it; or give the graph"):
        figures.flow_map(edges)
    with pytest.raises(SettingError, match="a table of lags needs the number of ties"):
        figures.lag_distribution(pd.DataFrame({"days": [7], "transitions": [3]}))
    with pytest.raises(SettingError, match="there is no pair to draw"):
        figures.lag_curves([])


ONE_TABLE = [
    name
    for name in sorted(set(figures.__all__) - NO_FIGURES)
    if sum(one.default is one.empty for one in inspect.signature(getattr(figures, name)).parameters.values()) == 1
]


@pytest.mark.parametrize("name", ONE_TABLE)
def test_a_value_that_holds_no_table_is_refused_in_one_line(name: str, entries: diffusion.Entries) -> None:
    for value in (42, entries):
        with pytest.raises(SettingError, match=r"help\(\)"):
            getattr(figures, name)(value)

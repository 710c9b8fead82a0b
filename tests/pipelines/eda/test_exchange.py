"""Pairs side by side: every number is that of its table, and what is said of cultural distance is what was tested."""

import pandas as pd
import pyarrow as pa
import pytest

from graphs.contracts import EDGES, LEADERS, LIFTS
from graphs.leaders.asymmetry import MEASURE
from pipelines.contracts.exchange import BEYOND, DISTANCE_EFFECTS, EXCHANGE, EXCHANGE_MARKETS, TESTED
from pipelines.eda.exchange import distance_effects, exchange_markets, exchange_table
from pipelines.study.steps.exchange import _culture_said, _culture_verdict

PAIRS = [("NO", "SE"), ("NO", "US"), ("SE", "NO"), ("SE", "US"), ("US", "NO"), ("US", "SE")]


def numbered(names: list[str], start: float) -> pd.DataFrame:
    """Return a table of the pairs in which every number is another."""
    table = pd.DataFrame(PAIRS, columns=["source", "target"])
    for place, name in enumerate(names):
        table[name] = [start + place + row / 10 for row in range(len(table))]
    return table


def edges() -> pd.DataFrame:
    table = numbered([name for name in EDGES.names if name not in ("source", "target")], 100)
    whole = [column.name for column in EDGES.columns if pa.types.is_integer(column.type)]
    return table.astype(dict.fromkeys(whole, "int64"))


def lifts(without: int = 0) -> pd.DataFrame:
    table = numbered([name for name in LIFTS.names if name not in ("source", "target")], 500)
    table["edge"] = [True, False, True, True, False, False]
    table["ordered"] = [True, False, False, True, False, False]
    return table.iloc[without:]


def conformed(frame: pd.DataFrame, contract: object) -> pa.Table:
    return contract.conform(pa.Table.from_pandas(frame, preserve_index=False))  # type: ignore[attr-defined]


def test_every_number_of_a_pair_is_that_of_its_table() -> None:
    table = exchange_table(edges(), lifts().sample(frac=1, random_state=1))
    conformed(table, EXCHANGE)
    by_pair = table.set_index(["source", "target"])
    for other, names in ((edges(), EDGES.names), (lifts(), BEYOND)):
        own = other.set_index(["source", "target"])
        for name in names:
            if name not in ("source", "target"):
                assert by_pair[name].tolist() == own.loc[by_pair.index, name].tolist(), name
    assert by_pair.loc[("NO", "US"), ["source_name", "target_name"]].tolist() == ["Norway", "United States"]


@pytest.mark.parametrize("found", [None, lifts(without=2)])
def test_pairs_that_were_not_tested_have_no_lift(found: pd.DataFrame | None) -> None:
    table = exchange_table(edges(), found)
    conformed(table, EXCHANGE)
    assert table["lift"].isna().sum() == (6 if found is None else 2)
    assert table["tracks"].notna().all()


def test_markets_are_added_up_and_have_their_role() -> None:
    leaders = pd.DataFrame({"market": ["NO", "SE", "US"], "measure": MEASURE}).reindex(columns=LEADERS.names)
    leaders[list(TESTED)] = [[0.2, 0.1, 0.3, 0.01, 0.1, 1, 2, 1], [-0.2, -0.3, -0.1, 0.02, 0.1, 2, 3, 2], [None] * 8]
    other = leaders.assign(measure="net_flow", q=0.5)
    pairs = exchange_table(edges(), lifts())
    table = exchange_markets(["NO", "SE", "US", "XA"], pairs, pd.concat([leaders, other]))
    conformed(table, EXCHANGE_MARKETS)
    found = table.set_index("market")
    assert found["role"].to_dict() == {"NO": "leads", "SE": "follows", "US": "not tested", "XA": "not tested"}
    assert found[["edges_out", "edges_in", "ordered_out", "ordered_in"]].to_numpy().tolist() == [
        [1, 1, 1, 0], [2, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0],
    ]  # fmt: skip
    sent = edges().groupby("source")["tracks"].sum()
    assert found.loc[sent.index, "sent"].tolist() == sent.tolist()


def test_distances_are_quoted_with_the_interval_of_their_method() -> None:
    own = {"term": ["intercept", "log_km"], "estimate": [9.0, -1.0], "p": [0.5, 0.2], "markets": 30}
    bounds = {"low": -2.0, "high": 0.5}
    jackknife = {"jackknife_low": -3.0, "jackknife_high": 1.0, "jackknife_p": 0.4}
    tests = {name: pd.DataFrame(own | bounds) for name in ("mrqap",)}
    tests |= {"gravity": pd.DataFrame(own | bounds | jackknife), "mantel": pd.DataFrame(own)}
    table = distance_effects(tests)
    conformed(table, DISTANCE_EFFECTS)
    quoted = table.set_index("method")
    assert quoted.loc["gravity", ["low", "high", "p"]].tolist() == [-3.0, 1.0, 0.4]
    assert quoted.loc["mrqap", ["low", "high", "p"]].tolist() == [-2.0, 0.5, 0.2]
    assert quoted.loc["mantel", ["low", "high"]].isna().all()
    assert table["term"].eq("log_km").all()


@pytest.mark.parametrize(
    ("signs", "verdict", "said"),
    [
        ({"gravity": -1, "mrqap": -1}, "found", "predicts transitions"),
        ({"gravity": 1, "mrqap": 1}, "found", "the more tracks follow"),
        ({"gravity": 0, "mrqap": 0}, "not found", "is not shown to tell"),
        ({"gravity": -1, "mrqap": 0}, "not found", "not settled"),
        ({"gravity": -1, "mrqap": 1}, "not found", "not settled"),
        ({"gravity": -1}, "not found", "not settled"),
    ],
)
def test_culture_is_found_where_both_methods_agree(signs: dict[str, int], verdict: str, said: str) -> None:
    assert _culture_verdict(signs) == verdict
    assert said in _culture_said(signs)

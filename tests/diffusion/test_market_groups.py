"""Groups of markets as one market: against a slow twin on random charts, and as graphs and curves have them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import diffusion
from diffusion import DataSaysNoError, SettingError, contracts
from diffusion.market_groups import group_pairs, market_table
from graphs import market_graph
from survival import breakthrough
from tests import twins, twins_market_groups
from tests.diffusion.test_relations import agree, agree_on_events
from tests.random_charts import RULES, Rules, examples, opened, padding, sources, study
from tests.twins import Row


@examples(24)
@given(rows=sources(), rules=RULES, size=st.sampled_from([1, 2, 2, 3, 4]))
def test_groups_of_markets_are_what_the_twin_says(rows: list[Row], rules: Rules, size: int) -> None:
    rows = rows + padding(rows)
    with opened(rows) as charts:
        try:
            alone = charts.entries(**rules.event)
        except DataSaysNoError:
            assume(False)
    members = alone.calendar.markets[:size]
    covered, entered = alone.calendar.coverage.to_pylist(), alone.table.to_pylist()
    calendar = twins_market_groups.coverage(covered, "Group", members, rules.min_periods)
    if all(row["market"] != "Group" for row in calendar):
        with pytest.raises(DataSaysNoError, match="the markets of the group 'Group' were never in coverage together"):
            alone.group_markets({"Group": members})
        return
    spans = twins.spans(twins.datable(calendar, rules.min_periods))
    table = twins_market_groups.entries(entered, covered, spans, "Group", members, rules.washout)
    found = alone.group_markets({"Group": members})
    agree(found.calendar.coverage, calendar, contracts.COVERAGE)
    agree(found.table, table, contracts.ENTRIES)
    unlicensed = twins_market_groups.withheld(alone.withheld.to_pylist(), "Group", members)
    agree(found.withheld, unlicensed, contracts.WITHHELD)
    agree_on_events(found, table, spans, rules)


def grouped(observed: dict[str, Any], entered: dict[str, dict[str, int]], washout: int = 3) -> diffusion.Entries:
    """Return small entries with Sweden and Finland as one market."""
    return study(observed, entered, washout=washout).open().group_markets({"North": ["Sweden", "FI"]})


def test_an_entry_into_the_first_member_is_the_groups() -> None:
    entries = grouped(
        {"SE": range(40), "FI": range(40), "US": range(40)},
        {"t0": {"SE": 20, "FI": 12, "US": 10}, "t1": {"FI": 15, "US": 20}},
    )
    first = entries.to_pandas().set_index(["track_id", "market"])["entry"]
    assert (first["t0", "North"] - pd.Timestamp("2021-01-01")).days == 12
    edges = market_graph(entries, window=30).edges.set_index(["source", "target"])["tracks"]
    assert edges["US", "North"] == 1 and edges["North", "US"] == 1
    assert entries.groups == {"North": ("FI", "SE")} and entries.calendar.markets == ["North", "US"]


def test_a_member_that_launches_late_makes_the_group_begin_late() -> None:
    """A track that was in Sweden before Finland began is left-censored, and keeps its debut."""
    entries = grouped(
        {"SE": range(40), "FI": range(15, 40), "US": range(40)},
        {"t0": {"SE": 8, "FI": 30}, "t1": {"SE": 25, "US": 22}, "t2": {"SE": 16, "US": 12}},
    )
    own = entries.to_pandas().query("market == 'North'").set_index("track_id")
    assert own["left_censored"].to_dict() == {"t0": True, "t1": False, "t2": True}
    assert (entries.debuts()["debut"][0] - pd.Timestamp("2021-01-01")).days == 8
    begin = entries.calendar.by_market().set_index("market").loc["North", "first_date"]
    assert (begin - pd.Timestamp("2021-01-01")).days == 15


def test_a_chart_missing_in_one_member_widens_only_its_own_entries() -> None:
    """Finland was not seen on days 10 to 12: a track there on day 13 may have entered it before Sweden on day 12."""
    seen = {"SE": range(40), "FI": [*range(10), *range(13, 40)], "US": range(40)}
    entries = grouped(seen, {"t0": {"SE": 12, "FI": 13, "US": 30}, "t1": {"SE": 12, "US": 30}})
    own = entries.to_pandas().query("market == 'North'").set_index("track_id")
    days = (own["last_without"] - pd.Timestamp("2021-01-01")).dt.days
    assert days.to_dict() == {"t0": 9, "t1": 11}


def test_a_group_of_one_market_is_the_market() -> None:
    """All but the name is the same: counts, curves, and what is known of pairs."""
    world = study(
        {"SE": range(60), "FI": range(5, 60), "US": range(60)},
        {f"t{n:02}": {"SE": 8 + n, "FI": 30 - n, "US": 12 + 2 * n} for n in range(12)},
        washout=3,
    ).open()
    renamed = world.group_markets({"Suomi group": ["FI"]})
    own, other = market_graph(world, window=30).edges, market_graph(renamed, window=30).edges
    for side in ("source", "target"):
        own[side] = own[side].replace("FI", "Suomi group")
    key = ["source", "target"]
    own, other = (table.sort_values(key, ignore_index=True) for table in (own, other))
    pd.testing.assert_frame_equal(own, other)
    alone, group = (breakthrough(entries, by="language_match", horizon=20).summary for entries in (world, renamed))
    pd.testing.assert_frame_equal(alone, group)


def test_what_is_known_of_a_group_is_of_its_members() -> None:
    groups = {"Nordics": ("DK", "FI", "NO", "SE"), "Ends": ("FJ", "US")}
    table = market_table(groups).set_index("market")
    members = table.loc[list(groups["Nordics"])]
    nordics = table.loc["Nordics"]
    assert nordics["population"] == members["population"].sum() and nordics["continent"] == "Europe"
    assert members["latitude"].min() < nordics["latitude"] < members["latitude"].max()
    assert pd.isna(table.loc["Ends", "continent"]) and table.loc["Ends", "name"] == "Ends"
    pairs, plain = group_pairs(groups), diffusion.pair_table()
    own = pairs.set_index(["source", "target"])
    known = plain[plain["source"].isin(groups["Nordics"]) & (plain["target"] == "DE")]
    assert own.loc[("Nordics", "DE"), "distance_km"] == known["distance_km"].min()
    assert own.loc[("Nordics", "DE"), "common_language"] == known["common_language"].max()
    across = plain[plain["source"].isin(groups["Ends"]) & plain["target"].isin(groups["Nordics"])]
    assert own.loc[("Ends", "Nordics"), "language_overlap"] == across["language_overlap"].max()
    assert not {"DK", "US"} & {*pairs["source"], *pairs["target"]} and not own.index.duplicated().any()
    assert np.isclose(own.loc[("Nordics", "DE"), "distance_km"], own.loc[("DE", "Nordics"), "distance_km"])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "no group of markets is named"),
        ({"Sweden": ["SE", "FI"]}, "the group 'Sweden' is called like the market SE"),
        ({"world": ["SE", "FI"]}, "the group 'world' is called like the market Global"),
        ({"a\nb": ["SE"]}, "is no name of a group: give 1 to 40 letters"),
        ({"": ["SE"]}, "is no name of a group"),
        ({"The North": ["SE"], "The-north": ["FI"]}, "names that differ in letters: The North, The-north"),
        ({"North": "SE"}, "the group 'North' needs a list of markets"),
        ({"North": []}, "the group 'North' needs a list of markets"),
        ({"North": ["Swedenn"]}, "unknown market 'Swedenn'; did you mean 'Sweden'"),
        ({"North": ["NO", "IS"]}, "the charts have no market of the group 'North': IS, NO"),
        ({"North": ["SE", "FI"], "Rest": ["US", "SE"]}, "SE stand in two groups of markets"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: dict[str, Any], message: str) -> None:
    entries = study({"SE": range(9), "FI": range(9), "US": range(9)}, {"t": {"SE": 5}}).open()
    with pytest.raises(diffusion.DiffusionError, match=message):
        entries.group_markets(groups)


def test_markets_are_grouped_once() -> None:
    entries = grouped({"SE": range(9), "FI": range(9), "US": range(9)}, {"t": {"SE": 5}})
    with pytest.raises(SettingError, match="the markets are grouped already: North"):
        entries.group_markets({"Rest": ["US"]})

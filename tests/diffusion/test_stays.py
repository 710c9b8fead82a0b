"""Stays of tracks on the charts, and streams: the SQL relations against their plain-Python twins, and by hand."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import diffusion
from diffusion import contracts
from tests import twins, twins_stays
from tests.random_charts import EXAMPLES, RULES, Rules, examples, market_of, opened, padding, sources
from tests.twins import Row

SPAN = st.sampled_from([1, 2, 5])
"""Charts after a point for which trajectories are followed."""


def agree(table: pa.Table, twin: Sequence[Row], contract: contracts.Contract) -> None:
    """Assert that a relation's rows are the twin's, in the same order."""
    assert table.schema.names == contract.names
    assert table.to_pylist() == [{name: row.get(name, 0) for name in contract.names} for row in twin]


def chart_of(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the Top 200 that can be believed."""
    return [row for row in twins.chart_rows(rows, market_of)[0] if row["chart"] == "top200"]


@examples(24)
@given(rows=sources(), rules=RULES, charts=SPAN)
def test_stays_are_what_the_twins_say(rows: list[Row], rules: Rules, charts: int) -> None:
    rows = rows + padding(rows)
    own = chart_of(rows)
    assume(own)
    stands_for = twins.identities(twins.tracks(rows), rules.identity)
    stays = twins_stays.spells(own, stands_for, top=rules.top)
    ways = twins_stays.trajectories(stays, twins.spans(twins.coverage(own)), washout=rules.washout)
    chosen = {"top": rules.top, "identity": rules.identity}
    with opened(rows) as opened_charts:
        if not stays:
            with pytest.raises(diffusion.DataSaysNoError, match="no track is on the chart 'top200' at rank ≤"):
                opened_charts.spells(**chosen)
            return
        agree(opened_charts.arrow("spells", **chosen), stays, contracts.SPELLS)
        agree(opened_charts.arrow("trajectories", washout=rules.washout, **chosen), ways, contracts.TRAJECTORIES)
        found = opened_charts.profiles(charts, washout=rules.washout, **chosen)
        entries = opened_charts.entries(washout=rules.washout, **chosen).table
    twin = twins_stays.profiles(ways, own, stands_for, top=rules.top, charts=charts)
    assert found.to_dict("records") == twin
    names = ["track_id", "market", "entry", "left_censored"]
    assert entries.select(names).to_pylist() == [{name: row[name] for name in names} for row in ways]


@examples(9)
@given(rows=sources())
def test_sums_of_streams_are_what_the_twins_say(rows: list[Row]) -> None:
    rows = rows + padding(rows)
    own = chart_of(rows)
    assume(own)
    codes = {row["track_id"]: row["track"] for row in twins.tracks(rows)}
    with opened(rows) as charts:
        found = charts.streams("top200")
    agree(found.counts, twins_stays.stream_counts(own), contracts.STREAM_COUNTS)
    agree(found.charts, twins_stays.chart_sums(own), contracts.CHART_SUMS)
    agree(found.tracks, twins_stays.track_sums(own, codes), contracts.TRACK_SUMS)


@pytest.mark.slow
def test_random_charts_have_all_kinds_of_stays() -> None:
    met: Counter[str] = Counter()

    @settings(EXAMPLES, max_examples=300, phases=[Phase.generate])
    @given(rows=sources(), rules=RULES)
    def look(rows: list[Row], rules: Rules) -> None:
        own = chart_of(rows)
        stands_for = twins.identities(twins.tracks(rows), rules.identity)
        for row in twins_stays.spells(own, stands_for, top=rules.top):
            met["left-censored"] += row["left_censored"]
            met["right-censored"] += row["right_censored"]
            met["ended"] += not row["right_censored"]
            met["again after an absence"] += row["away"] is not None
            met["again after a long gap"] += row["spell"] > 1 and row["away"] is None
            met["at its best for several charts"] += row["best_on"] < row["best_until"]

    look()
    assert min(met.values()) > 0 and len(met) == 6, met


def test_a_missing_chart_is_bridged_and_a_long_gap_is_not() -> None:
    days = [date(2021, 1, 1), date(2021, 1, 2), date(2021, 1, 5), date(2021, 2, 2), date(2021, 3, 3), date(2021, 3, 4)]
    rows = {"market": "SE", "date": days, "track_id": "a", "rank": [2, 1, 1, 3, 1, 2], "streams": [0, 1, 2, 3, 4, None]}
    with diffusion.open_charts(pd.DataFrame(rows), accept=["holes"]) as charts:
        stays = charts.spells()
        (way,) = charts.trajectories().to_dict("records")
    # 28 days from 5 January to 2 February are bridged, 29 to 3 March are not
    assert stays["charts"].tolist() == [4, 2]
    assert stays["streams"].fillna(-1).tolist() == [6, -1] and way["streams"] is None
    assert stays["best_on"].dt.day.tolist() == [2, 3] and stays["best_until"].dt.day.tolist() == [5, 3]
    assert stays["left_censored"].all() and stays["right_censored"].all() and stays["away"].isna().all()
    assert (way["spells"], way["returns"], way["charts"], way["first_ended"]) == (2, 0, 6, False)
    assert (way["best_on"], way["best_until"]) == (pd.Timestamp("2021-01-02"), pd.Timestamp("2021-03-03"))

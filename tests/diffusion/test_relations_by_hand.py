"""The SQL relations on small charts worked by hand, where a reader can check every date."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import diffusion
from tests.random_charts import (
    RATE_TOLERANCE,
    day,
    opened,
    study,
)
from tests.twins import Row

WEEKS = list(range(0, 141, 7))
"""Twenty-one weekly charts, the first on day 0 and the last on day 140."""


def waits_of(entries: diffusion.Entries, *, horizon: int = 180) -> dict[tuple[str, str], tuple[int, int, bool]]:
    """Return (track, market) → start, days, entered."""
    rows = entries.arrow("waits", horizon=horizon).to_pylist()
    return {(row["track_id"], row["market"]): (row["start"], row["days"], row["entered"]) for row in rows}


def pair(entries: diffusion.Entries, source: str, target: str, *, window: int = 60) -> Row:
    """Return one row of the transitions."""
    rows = entries.arrow("transitions", window=window).to_pylist()
    return next(row for row in rows if (row["source"], row["target"]) == (source, target))


def counts(row: Row) -> tuple[int, int, int]:
    """Return tracks, joint and exposed of a pair."""
    return row["tracks"], row["joint"], row["exposed"]


def test_a_market_that_launches_later_starts_the_clock_when_its_washout_ends() -> None:
    # Sweden since day 0, the United States since day 70: washed out on day 98. The debut is on day 35.
    entries = study({"SE": WEEKS, "US": WEEKS[10:]}, {"t": {"SE": 35, "US": 105}}, washout=28).open()
    # at risk from day 98, the 63rd after the debut; the entry comes on the 70th
    assert waits_of(entries) == {("t", "US"): (62, 70, True)}
    # on the day of the entry into Sweden the United States were not observed
    assert counts(pair(entries, "SE", "US", window=120)) == (0, 0, 0)


def test_the_first_entry_on_the_day_the_washout_ends_is_timed() -> None:
    observed = {"SE": WEEKS, "US": WEEKS[10:]}
    early = study(observed, {"t": {"SE": 35, "US": 91}}, washout=28).open()
    assert [row["left_censored"] for row in early.table.to_pylist()] == [False, True]
    assert waits_of(early) == {}  # in the washout: the market is out of the track's risk set
    timed = study(observed, {"t": {"SE": 35, "US": 98}}, washout=28).open()
    assert [row["left_censored"] for row in timed.table.to_pylist()] == [False, False]
    assert waits_of(timed) == {("t", "US"): (62, 63, True)}  # the first day at risk is the 63rd


def test_charts_time_an_entry_on_the_day_the_washout_ends() -> None:
    def rows(first: int) -> list[Row]:
        blank = {"title": "T", "artist": "A", "available_markets": None, "streams": None, "chart": "top200"}
        return [
            {**blank, "market": "Sweden", "date": str(day(number)), "rank": str(rank), "track_id": track_id}
            for number in range(40)
            for rank, track_id in ((1, "always"), (2, "new"))
            if track_id == "always" or number >= first
        ]

    for first, left_censored in ((27, True), (28, False)):
        with opened(rows(first)) as charts:
            _, new = charts.entries(washout=28).table.to_pylist()
        assert (new["entry"], new["last_without"]) == (day(first), day(first - 1))
        assert new["left_censored"] is left_censored


def test_an_order_that_the_calendar_hides_is_a_tie() -> None:
    # Sweden is entered on day 10; the United States, observed on days 5 and 12, on day 12: it may have been day 6
    observed = {"SE": list(range(30)), "US": [0, 5, 12, 20]}
    hidden = study(observed, {"t": {"SE": 10, "US": 12}}).open()
    assert hidden.arrow("ties").to_pylist() == [
        {"source": "SE", "target": "US", "joint": 1},
        {"source": "US", "target": "SE", "joint": 1},
    ]
    assert counts(pair(hidden, "SE", "US")) == (0, 1, 0)
    assert counts(pair(hidden, "US", "SE")) == (0, 1, 0)
    assert pair(hidden, "SE", "US")["rate"] is None
    # one day more and the order shows: entered on day 5, seen without it in the United States on that day
    shown = study(observed, {"t": {"SE": 5, "US": 12}}).open()
    assert shown.arrow("ties").num_rows == 0
    assert counts(pair(shown, "SE", "US")) == (1, 0, 1)
    assert counts(pair(shown, "US", "SE")) == (0, 0, 0)


def test_a_tie_stays_a_tie_however_far_apart_its_dates_are() -> None:
    # 27 days without a chart: a short gap, bridged, but the order inside it is not known
    entries = study({"SE": list(range(60)), "US": [0, 10, 37, 50]}, {"t": {"SE": 11, "US": 37}}).open()
    assert counts(pair(entries, "SE", "US", window=7)) == (0, 1, 0)


def test_a_long_gap_ends_waits_and_follow_up_and_begins_a_new_washout() -> None:
    # the United States: days 0 … 49 and, 29 days later, 78 … 120
    observed = {"SE": list(range(121)), "US": [*range(50), *range(78, 121)]}
    late = study(observed, {"t": {"SE": 40, "US": 100}}, washout=14)
    assert [(row["span"], row["first_date"], row["last_date"]) for row in late.spans[1:]] == [
        (1, day(0), day(49)),
        (2, day(78), day(120)),
    ]
    assert waits_of(late.open()) == {("t", "US"): (0, 9, False)}  # censored on day 49
    assert counts(pair(late.open(), "SE", "US")) == (0, 0, 1)
    assert pair(late.open(), "SE", "US")["rate"] == 0
    # an entry in the new washout has no true date: all that is known is that it did not come by day 49
    washed = study(observed, {"t": {"SE": 40, "US": 91}}, washout=14)
    assert [row["left_censored"] for row in washed.entries] == [False, True]
    assert waits_of(washed.open()) == {("t", "US"): (0, 9, False)}
    assert washed.open().arrow("lags", window=60).to_pylist() == [
        {"source": "SE", "target": "US", "days": 9, "entered": 0, "censored": 1}
    ]
    # a debut in the gap or in the new washout: at risk from day 92 on, the 32nd after the debut
    for debut, start in ((60, 31), (85, 6), (91, 0), (95, 0)):
        entries = study(observed, {"t": {"SE": debut, "US": 100}}, washout=14).open()
        assert waits_of(entries) == {("t", "US"): (start, 100 - debut, True)}


def test_a_gap_of_28_days_is_bridged_and_one_of_29_is_long() -> None:
    for gap, spans in ((28, 1), (29, 2)):
        charts = study({"SE": [0, 1, 1 + gap, 2 + gap]}, {"t": {"SE": 1 + gap}}, washout=1)
        calendar = charts.open().calendar
        assert len(calendar.spans()) == spans == len(charts.spans)
        assert charts.entries[0]["left_censored"] is (spans == 2)


def test_the_window_and_the_horizon_include_their_bound() -> None:
    daily = list(range(90))
    entries = study({"SE": daily, "US": daily}, {"t": {"SE": 10, "US": 40}}).open()
    assert counts(pair(entries, "SE", "US", window=30)) == (1, 0, 1)
    assert counts(pair(entries, "SE", "US", window=29)) == (0, 0, 1)
    assert waits_of(entries, horizon=30) == {("t", "US"): (0, 30, True)}
    assert waits_of(entries, horizon=29) == {("t", "US"): (0, 29, False)}


def test_a_wait_takes_a_day_past_the_washout_and_within_the_horizon() -> None:
    # the United States are washed out on day 28, 18 days after the debut, if they are observed so long
    for last, horizon, waits in (
        (60, 18, {("t", "US"): (17, 18, False)}),
        (60, 17, {}),
        (28, 60, {("t", "US"): (17, 18, False)}),
        (27, 60, {}),
    ):
        entries = study({"SE": list(range(-30, 90)), "US": list(range(last + 1))}, {"t": {"SE": 10}}, washout=28).open()
        assert waits_of(entries, horizon=horizon) == waits


def test_a_stretch_shorter_than_the_washout_is_passed_over() -> None:
    # the United States: days 0 … 20, then 60 … 120, washed out on day 88, the 78th after the debut
    observed = {"SE": list(range(-30, 121)), "US": [*range(21), *range(60, 121)]}
    assert waits_of(study(observed, {"t": {"SE": 10, "US": 100}}, washout=28).open()) == {("t", "US"): (77, 90, True)}
    assert waits_of(study(observed, {"t": {"SE": 10, "US": 15}}, washout=28).open()) == {}


def test_a_footprint_with_one_market_in_washout_is_timed_and_that_market_is_no_sender() -> None:
    observed = {"SE": list(range(100)), "US": list(range(30, 100)), "FI": list(range(100))}
    entries = study(observed, {"t": {"SE": 40, "US": 40, "FI": 60}}, washout=28).open()
    (debut,) = entries.arrow("debuts").to_pylist()
    assert (debut["footprint"], debut["left_censored"], debut["markets"]) == (2, False, 3)
    assert [(row["market"], row["left_censored"]) for row in entries.arrow("footprints").to_pylist()] == [
        ("SE", False),
        ("US", True),
    ]
    assert counts(pair(entries, "SE", "FI")) == (1, 0, 1)
    assert counts(pair(entries, "US", "FI")) == (0, 0, 0)
    assert counts(pair(entries, "SE", "US")) == (0, 0, 0)  # no tie: one of the entries is not timed
    assert waits_of(entries) == {("t", "FI"): (0, 20, True)}


def test_a_track_whose_debut_is_left_censored_takes_no_part() -> None:
    daily = list(range(100))
    observed = dict.fromkeys(("SE", "US", "FI", "MT"), daily)  # nobody sees the track in Malta
    entries = study(observed, {"t": {"SE": 10, "US": 50, "FI": 50}}, washout=28).open()
    assert [row["left_censored"] for row in entries.arrow("debuts").to_pylist()] == [True]
    assert entries.waits().empty and entries.lags(window=60).empty and entries.ties().empty
    assert {counts(row) for row in entries.arrow("transitions").to_pylist()} == {(0, 0, 0)}


def test_a_track_first_seen_in_a_new_washout_is_followed_to_the_gap() -> None:
    # the United States end on day 69 and come back on day 100; one track enters before, one in the new washout
    observed = {"SE": list(range(140)), "US": [*range(70), *range(100, 140)]}
    entered = {"in time": {"SE": 40, "US": 60}, "washed": {"SE": 40, "US": 110}, "never": {"SE": 40}}
    entries = study(observed, entered, washout=28).open()
    assert counts(pair(entries, "SE", "US")) == (1, 0, 3)
    assert entries.arrow("lags", window=60).to_pylist() == [
        {"source": "SE", "target": "US", "days": 20, "entered": 1, "censored": 0},
        {"source": "SE", "target": "US", "days": 29, "entered": 0, "censored": 2},
    ]
    assert waits_of(entries)["washed", "US"] == (0, 29, False)
    # where its source was entered in the gap or in the new washout, nobody was watching
    late = study(observed, {"gap": {"SE": 80, "US": 110}, "new washout": {"SE": 105, "US": 110}}, washout=28).open()
    assert counts(pair(late, "SE", "US")) == (0, 0, 0)


def test_a_left_censored_entry_takes_the_market_out_of_the_exposed() -> None:
    observed = {"SE": list(range(140)), "US": list(range(20, 140))}  # washed out on day 48
    entered = {"washed": {"SE": 50, "US": 40, "FI": 30}, "never": {"SE": 50, "FI": 30}}
    entries = study({**observed, "FI": list(range(140))}, entered, washout=28).open()
    assert counts(pair(entries, "SE", "US")) == (0, 0, 1)
    assert counts(pair(entries, "US", "SE")) == (0, 0, 0)


def test_the_rate_is_kaplan_meier_where_follow_up_ends_early() -> None:
    # The United States end on day 60. Followed for days: 10 (entered), 20 (censored), 30 (entered), 40 (censored).
    # Survival: 3/4 after day 10, then 1/2 of it after day 30, when two are left.
    observed = {"SE": list(range(100)), "US": list(range(61))}
    entered = {"a": {"SE": 40, "US": 50}, "b": {"SE": 40}, "c": {"SE": 20, "US": 50}, "d": {"SE": 20}}
    row = pair(study(observed, entered).open(), "SE", "US")
    assert counts(row) == (2, 0, 4)
    assert row["rate"] == pytest.approx(1 - 3 / 4 * 1 / 2, rel=0, abs=RATE_TOLERANCE)
    assert (row["lag_q25"], row["lag_median"], row["lag_q75"]) == (15, 20, 25)
    # with every follow-up complete it is the share
    complete = pair(study({**observed, "US": list(range(101))}, entered).open(), "SE", "US")
    assert (complete["rate"], counts(complete)) == (0.5, (2, 0, 4))


def test_the_day_of_the_debut_in_a_market_on_its_last_day_is_exposed_for_no_day() -> None:
    entries = study({"SE": list(range(100)), "US": list(range(61))}, {"t": {"SE": 60}}).open()
    assert entries.arrow("lags", window=60).to_pylist() == [
        {"source": "SE", "target": "US", "days": 0, "entered": 0, "censored": 1}
    ]
    assert waits_of(entries) == {}


def test_a_withheld_market_is_no_risk_whether_the_track_went_there_or_not() -> None:
    charts = study({"SE": list(range(40)), "US": list(range(40))}, {"a": {"SE": 9}, "b": {"SE": 9, "US": 19}})
    withheld = pa.table({"track_id": ["a", "b"], "market": ["US", "US"]})
    assert waits_of(replace(charts.open(), withheld=withheld)) == {}
    assert waits_of(charts.open()) == {("a", "US"): (0, 30, False), ("b", "US"): (0, 10, True)}


def test_a_journey_counts_dates_and_ties_share_a_step() -> None:
    daily = list(range(60))
    entries = study(dict.fromkeys(("SE", "FI", "US"), daily), {"t": {"SE": 30, "US": 30, "FI": 45}}).open()
    assert [(row["market"], row["step"], row["days"]) for row in entries.arrow("journeys").to_pylist()] == [
        ("FI", 2, 15),
        ("SE", 1, 0),
        ("US", 1, 0),
    ]


def chart_day(number: int, *track_ids: str | None) -> list[Row]:
    """Return one Swedish chart with the tracks in order of rank; None leaves a rank out."""
    blank = {"available_markets": None, "streams": None, "market": "Sweden", "chart": "top200"}
    place = {**blank, "date": str(day(number))}
    return [
        {**place, "rank": str(rank), "track_id": track_id, "title": track_id, "artist": "A"}
        for rank, track_id in enumerate(track_ids, 1)
        if track_id
    ]


def test_an_event_is_the_day_on_which_a_run_was_first_long_enough() -> None:
    # on the chart on days 1, 3, 4, in the top 1 on days 4, 5, 6; day 2 was observed, days 7 … 9 were not
    days = [chart_day(0, "x"), chart_day(1, "x", "t"), chart_day(2, "x"), chart_day(3, "x", "t")]
    days += [chart_day(number, "t", "x") for number in (4, 5, 6)] + [chart_day(10, "x")]
    rows = [row for rows in days for row in rows]

    def entry(**rules: int) -> list[tuple[date, date | None, int]]:
        with opened(rows) as charts:
            table = charts.entries(washout=0, **rules).table.to_pylist()
        return [(row["entry"], row["last_without"], row["rank"]) for row in table if row["track_id"] == "t"]

    assert entry() == [(day(1), day(0), 2)]
    assert entry(min_periods=2) == [(day(4), day(3), 1)]
    assert entry(min_periods=3) == [(day(5), day(4), 1)]
    assert entry(top=1) == [(day(4), day(3), 1)]
    assert entry(top=1, min_periods=3) == [(day(6), day(5), 1)]
    assert entry(min_periods=5) == []


def test_nothing_after_the_date_of_a_stay_changes_it() -> None:
    # a later chart makes the stay longer, or ends it: the entry was known on the day that it is dated
    rows = [row for number in range(5) for row in chart_day(number, "x", *(["t"] if number else []))]
    found = []
    for last in (3, 4):
        until = [row for row in rows if row["date"] <= str(day(last))]
        with opened(until) as charts:
            (own,) = charts.entries(min_periods=3, washout=0).table.filter(pc.field("track_id") == "t").to_pylist()
        found.append(own)
    assert found[0] == found[1]
    assert (found[0]["entry"], found[0]["last_without"]) == (day(3), day(2))
    with opened([row for row in rows if row["date"] < str(day(3))]) as charts:
        known = charts.entries(min_periods=3, washout=0).table["track_id"].to_pylist()
    assert known == ["x"]


def test_the_washout_of_stays_counts_from_the_first_date_that_can_show_one() -> None:
    # thirty weekly charts; stays of six can be seen from day 35 on and are washed out on day 63
    def rows(first: int) -> list[Row]:
        own = [chart_day(7 * number, "x", "t" if number >= first else None) for number in range(30)]
        return [row for chart in own for row in chart]

    for first, entered, left_censored in ((0, 35, True), (1, 42, True), (3, 56, True), (4, 63, False)):
        with opened(rows(first)) as charts:
            entries = charts.entries(min_periods=6, washout=28)
        (own,) = entries.table.filter(pc.field("track_id") == "t").to_pylist()
        assert (own["entry"], own["last_without"]) == (day(entered), day(entered - 7))
        assert own["left_censored"] is left_censored
        assert entries.timelines.span_first.tolist() == [(day(35) - date(1970, 1, 1)).days]
    # a stretch that is too short for a stay has no part in which one can be dated
    with opened(rows(0)) as charts:
        assert charts.calendar().spans(min_periods=31).empty
        assert len(charts.calendar().spans()) == 1


def test_a_run_bridges_a_short_gap_and_not_a_long_one() -> None:
    for gap, entered in ((28, day(1 + 28)), (29, day(2 + 29))):
        rows = chart_day(0, "x") + chart_day(1, "x", "t")
        rows += chart_day(1 + gap, "x", "t") + chart_day(2 + gap, "x", "t") + chart_day(3 + gap, "x")
        with opened(rows) as charts:
            (entry,) = charts.entries(min_periods=2, washout=0).table.filter(pc.field("track_id") == "t").to_pylist()
        assert entry["entry"] == entered


def in_market(rows: list[Row], market: str) -> list[Row]:
    """Return the rows as those of another market."""
    return [{**row, "market": market} for row in rows]


def test_a_track_has_left_on_its_third_chart_without_it() -> None:
    # Sweden and Malta daily to day 9, Finland but for days 3 and 4; the track is in Sweden on days 0 and 1, in Finland
    # on day 6, and then in none
    rows = [row for number in range(10) for row in chart_day(number, "x", "t" if number < 2 else None)]
    rows += in_market([row for number in range(10) for row in chart_day(number, "x")], "Malta")
    finland = [chart_day(number, "x", "t" if number == 6 else None) for number in range(10) if number not in (3, 4)]
    rows += in_market([row for chart in finland for row in chart], "Finland")

    def away(rows: list[Row], periods: int) -> list[tuple[date, date, date | None]]:
        with opened(rows) as charts:
            found = charts.absences(periods=periods).table.filter(pc.field("track_id") == "t").to_pylist()
        return [(row["last_on"], row["left_on"], row["back_on"]) for row in found]

    assert away(rows, 3) == [(day(1), day(4), day(6)), (day(6), day(9), None)]
    assert away(rows, 4) == [(day(1), day(5), day(6))]
    assert away(rows, 5) == []
    # days on which two of four markets were observed are no periods: they make no absence longer, but may end one
    fourth = in_market([row for number in (0, 1, 2, 5, 6, 7, 8, 9) for row in chart_day(number, "x")], "usa")
    assert away(rows + fourth, 3) == [(day(6), day(9), None)]
    back = chart_day(4, None, "t")
    assert away(rows + fourth + back, 1) == [(day(1), day(2), day(4)), (day(4), day(5), day(6)), (day(6), day(7), None)]


def test_a_recording_is_away_when_all_its_ids_are() -> None:
    rows = [chart_day(number, "x", ("a", "b", None, None)[number]) for number in range(4)]
    titled = [{**row, "title": "X" if row["track_id"] == "x" else "T"} for chart in rows for row in chart]
    with opened(titled) as charts:
        apart, joined = (charts.absences(periods=2, identity=identity) for identity in ("track", "recording"))
    assert [(row["track_id"], row["left_on"]) for row in apart.table.to_pylist()] == [("a", day(2)), ("b", day(3))]
    assert [(row["track_id"], row["left_on"]) for row in joined.table.to_pylist()] == [("a", day(3))]


def test_absences_are_of_28_days_where_nothing_else_is_said() -> None:
    for cadence, periods in ((1, 28), (7, 4), (40, 1)):
        rows = [row for number in range(40) for row in chart_day(cadence * number, "x", None if number else "t")]
        with opened(rows) as charts:
            found = charts.absences()
        assert (found.periods, [row["left_on"] for row in found.table.to_pylist()]) == (
            periods,
            [day(cadence * periods)],
        )


def test_absences_that_cannot_be_are_refused() -> None:
    apart = [
        row
        for at, market in enumerate(("Sweden", "Finland", "usa"))
        for row in in_market([row for number in range(at, 35, 7) for row in chart_day(number, "x")], market)
    ]
    with (
        opened(apart) as charts,
        pytest.raises(diffusion.DataSaysNoError, match="observed together on 2 dates only, each of them on 5"),
    ):
        charts.absences(periods=2)
    with opened(chart_day(0, "x")) as charts:
        for wrong, words in (({"periods": 0}, "periods is 0"), ({"identity": "artist"}, "identity is 'artist'")):
            with pytest.raises(diffusion.SettingError, match=words):
                charts.absences(**wrong)
        assert len(charts.absences(periods=3)) == 0


def test_a_stale_chart_equals_the_one_before_ranks_and_all() -> None:
    rows = chart_day(0, "a", "b") + chart_day(1, "a", "b") + chart_day(2, "b", "a") + chart_day(3, "b")
    rows += chart_day(5, "b") + chart_day(6, None, "b") + chart_day(7, "c", "b")
    with opened(rows) as charts:
        stale = charts.calendar().coverage.to_pydict()["stale"]
    assert stale == [False, True, False, False, True, False, False]


def test_ids_of_one_recording_enter_once_and_best_placed() -> None:
    rows = chart_day(0, "x") + chart_day(1, "x", "old") + chart_day(2, "x", "new", "old")
    titles = {"x": "X", "old": "Cafe\u0301 - 2011 Remaster", "new": "CAFÉ (feat. Ö)"}
    rows = [{**row, "title": titles[row["track_id"]]} for row in rows]
    with opened(rows) as charts:
        apart = charts.entries(washout=0).table.to_pylist()
        joined = charts.entries(washout=0, identity="recording").table.to_pylist()
    assert [(row["track_id"], row["entry"]) for row in apart] == [("new", day(2)), ("old", day(1)), ("x", day(0))]
    assert [(row["track_id"], row["entry"], row["rank"]) for row in joined] == [("new", day(1), 2), ("x", day(0), 1)]


def test_a_recording_enters_at_the_best_rank_of_its_ids() -> None:
    rows = [{**row, "title": "T"} for row in chart_day(0, "b", "a")]
    with opened(rows) as charts:
        (entry,) = charts.entries(identity="recording").table.to_pylist()
    assert (entry["track_id"], entry["rank"]) == ("a", 1)


def test_a_worse_rank_brings_no_streams() -> None:
    rows = [row for number in range(1, 60) for row in chart_day(number, "a", "b")]
    better, worse = chart_day(0, "a", "a")
    with opened([*rows, {**better, "streams": "50"}, {**worse, "streams": "70"}]) as charts:
        first, *_ = charts._engine.fetch("chart_rows").to_pylist()
        assert charts.account.set_aside == {"same track again, at another rank or with other streams": 1}
    assert (first["rank"], first["streams"]) == (1, 50)


def test_the_streams_of_a_recording_are_those_of_its_best_placed_id() -> None:
    better, worse = chart_day(0, "a", "b")
    with opened([{**better, "title": "T", "streams": "50"}, {**worse, "title": "T", "streams": "70"}]) as charts:
        (entry,) = charts.entries(identity="recording").table.to_pylist()
    assert (entry["rank"], entry["streams"]) == (1, 50)


def test_a_recording_is_withheld_where_every_id_of_it_is() -> None:
    rows = chart_day(0, "a", "b", "c", "d")
    rows += [{**row, "market": "usa"} for row in chart_day(0, "c")]
    licences = {"a": "['US']", "b": "['US', 'FI']", "c": "['SE']", "d": None}
    rows = [{**row, "title": "T", "available_markets": licences[row["track_id"]]} for row in rows]

    def withheld(identity: diffusion.Identity, *alone: str) -> list[tuple[str, str]]:
        apart = [{**row, "title": row["track_id"] if row["track_id"] in alone else "T"} for row in rows]
        with opened(apart) as charts:
            table = charts.entries(identity=identity).withheld.to_pylist()
        return [(row["track_id"], row["market"]) for row in table]

    assert withheld("track") == [("a", "SE"), ("b", "SE"), ("c", "US")]
    assert withheld("recording", "c", "d") == [("a", "SE"), ("c", "US")]
    assert withheld("recording", "d") == []  # one id has Sweden, two have the United States
    assert withheld("recording", "b", "c") == [("b", "SE"), ("c", "US")]  # of one id of "a" nothing is known


def test_every_row_of_a_source_is_accounted_for() -> None:
    rows = [row for number in range(150) for row in chart_day(number, "a", "b", "c", "d", "e", "f")]
    first = rows[:6]
    rows += [
        first[0],  # the same again
        {**first[1], "rank": "7"},  # the same track at a worse rank
        {**first[5], "rank": "3"},  # … and at a better one, where "c" is: both "c" and "f" are set aside
        {**first[0], "market": "Global"},
        {**first[0], "market": None},
        {**first[0], "date": "yesterday"},
        {**first[0], "rank": "0"},
        {**first[0], "track_id": None},
        {**first[4], "date": "2021-06-01", "streams": "a lot"},
    ]
    with opened(rows) as charts:
        account = charts.account
        kept = [row["track_id"] for row in charts._engine.fetch("chart_rows").to_pylist() if row["date"] == day(0)]
    assert kept == ["a", "b", "d", "e"]
    assert (account.read, account.kept, account.duplicates, account.aggregate) == (909, 898, 1, 1)
    assert account.set_aside == {
        "no market": 1,
        "no track id": 1,
        "rank is not a whole number from 1": 1,
        "same track again, at another rank or with other streams": 2,
        "two tracks on one rank": 2,
        "unreadable date": 1,
        "unreadable streams": 1,
    }

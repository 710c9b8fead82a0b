"""The SQL relations against their plain-Python twins."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from importlib import resources
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

import diffusion
from diffusion import contracts
from tests import twins, twins_compared
from tests.random_charts import (
    EXAMPLES,
    LIFELINES_TOLERANCE,
    RATE_TOLERANCE,
    RULES,
    Rules,
    Study,
    examples,
    market_of,
    opened,
    padding,
    sources,
    studies,
    tied_sources,
)
from tests.twins import Row
from tests.twins_features import WORLD


def agree(table: pa.Table, twin: Sequence[Row], contract: contracts.Contract) -> None:
    """Assert that a relation's rows are the twin's, in the same order."""
    assert table.schema.names == contract.names
    assert table.to_pylist() == [{name: row[name] for name in contract.names} for row in twin]


def agree_on_events(entries: diffusion.Entries, table: Sequence[Row], spans: Sequence[Row], rules: Rules) -> None:
    """Assert that everything made from entries is what the twins make of them."""
    washout, window, horizon = rules.washout, rules.window, rules.horizon
    unlicensed = [(row["track_id"], row["market"]) for row in entries.withheld.to_pylist()]
    waiting = twins.waits(table, spans, unlicensed, washout=washout, horizon=horizon)
    there = twins.footprints(table)
    agree(entries.arrow("debuts"), twins.debuts(table), contracts.DEBUTS)
    agree(entries.arrow("footprints"), there, contracts.FOOTPRINTS)
    agree(entries.arrow("journeys"), twins.journeys(table), contracts.JOURNEYS)
    agree(entries.arrow("waits", horizon=horizon), waiting, contracts.WAITS)
    agree(
        entries.arrow("lags", window=window), twins.lags(table, spans, washout=washout, window=window), contracts.LAGS
    )
    agree(entries.arrow("ties"), twins.ties(table), contracts.TIES)
    agree_on_transitions(
        entries.arrow("transitions", window=window),
        twins.transitions(table, spans, entries.calendar.markets, washout=washout, window=window),
    )


def agree_on_transitions(table: pa.Table, twin: Sequence[Row]) -> None:
    """Assert that counts are equal, and rates and quantiles equal but for rounding; bounds are tested with pairs."""
    assert table.schema.names == contracts.TRANSITIONS.names
    names = [name for name in contracts.TRANSITIONS.names if name not in ("rate_low", "rate_high", "rate_if_ties")]
    rows = table.to_pylist()
    assert [[row[name] for name in names[:5]] for row in rows] == [[row[name] for name in names[:5]] for row in twin]
    for row, other in zip(rows, twin, strict=True):
        for name in names[5:]:
            assert (row[name] is None) == (other[name] is None), (row, other)
            assert row[name] is None or math.isclose(row[name], other[name], rel_tol=0, abs_tol=RATE_TOLERANCE)


def agree_on_source(charts: diffusion.Charts, rows: Sequence[Row]) -> None:
    """Assert that a file's rows are cleaned and accounted for as the twin does it."""
    twin, outcomes = twins.chart_rows(rows, market_of)
    agree(charts._engine.fetch("chart_rows"), twin, contracts.CHART_ROWS)
    agree(charts._engine.fetch("source_markets"), twins.source_markets(rows), contracts.SOURCE_MARKETS)
    agree(charts._engine.fetch("charts_present"), twins.charts_present(twin), contracts.CHARTS_PRESENT)
    for chart in charts.present["chart"]:
        agree(charts._engine.fetch("peaks", chart=chart), twins.peaks(twin, chart), contracts.PEAKS)
    agree_on_tracks(charts.arrow("tracks"), twins.tracks(rows))
    nulls = charts.arrow("nulls")
    own = nulls.filter(pc.not_equal(nulls["market"], "Global"))
    agree(own, twins.nulls(twin, twins.tracks(rows), contracts.NULLABLE), contracts.NULLS)
    accounts = charts._engine.fetch("accounts").to_pylist()
    account = charts.account
    counted = {row["outcome"]: row["source_rows"] - row["global_rows"] for row in accounts if row["outcome"] == "kept"}
    counted |= {row["outcome"]: row["source_rows"] for row in accounts if row["outcome"] != "kept"}
    aggregate = sum(row["global_rows"] for row in accounts if row["outcome"] == "kept")
    assert account.tied == outcomes.pop(twins.TIED, 0)
    assert Counter(counted) + Counter(aggregate=aggregate) == outcomes
    assert account.read == len(rows)
    assert account.read == account.kept + account.duplicates + account.aggregate + sum(account.set_aside.values())
    assert account.set_aside == {reason: outcomes[reason] for reason in twins.SET_ASIDE if outcomes[reason]}
    assert (account.kept, account.duplicates) == (outcomes["kept"], outcomes["duplicate"])
    assert account.aggregate == outcomes["aggregate"]


def agree_on_tracks(table: pa.Table, twin: Sequence[Row]) -> None:
    """Assert that tracks have the twin's codes and particulars."""
    assert table.schema.names == contracts.TRACKS.names
    names = ("track", "track_id", "title", "artist")
    assert table.select(names).to_pylist() == [{name: row[name] for name in names} for row in twin]


@examples(20)
@given(rows=sources())
def test_source_rows_are_cleaned_and_accounted_for(rows: list[Row]) -> None:
    """And those of `test_events_of_charts_are_what_the_twins_say`."""
    rows = rows + padding(rows)
    with opened(rows) as charts:
        agree_on_source(charts, rows)


@examples(20)
@given(rows=tied_sources())
def test_rows_of_which_some_are_tied_are_cleaned_and_accounted_for(rows: list[Row]) -> None:
    rows = rows + padding(rows)
    with opened(rows) as charts:
        agree_on_source(charts, rows)


@examples(20)
@given(rows=sources())
def test_rows_of_csv_files_are_cleaned_and_accounted_for(rows: list[Row]) -> None:
    rows = rows + padding(rows)
    with opened(rows, "csv") as charts:
        agree_on_source(charts, rows)


@examples(20)
@given(rows=sources())
def test_a_source_with_too_much_set_aside_is_refused(rows: list[Row]) -> None:
    twin, outcomes = twins.chart_rows(rows, market_of)
    wrong = sum(outcomes[reason] for reason in (*twins.SET_ASIDE, twins.TIED))
    assume(twin and 100 * wrong > len(rows))
    refused = pytest.raises(diffusion.DataSaysNoError, match=r"had to be set aside|are tied")
    with refused, opened(rows, accept=["holes"]):
        pass


@examples(15)
@given(rows=sources(), rules=RULES)
def test_events_of_charts_are_what_the_twins_say(rows: list[Row], rules: Rules) -> None:
    rows = rows + padding(rows)
    every, _ = twins.chart_rows(rows, market_of)
    own = [row for row in every if row["chart"] == "top200"]
    assume(own)
    covered, tracks = twins.coverage(own), twins.tracks(rows)
    spans = twins.spans(covered)
    stands_for = twins.identities(tracks, rules.identity)
    table = twins.entries(own, stands_for, top=rules.top, min_periods=rules.min_periods, washout=rules.washout)
    with opened(rows) as charts:
        agree_on_source(charts, rows)
        agree(charts.calendar().coverage, covered, contracts.COVERAGE)
        agree(charts.calendar().arrow("spans"), spans, contracts.SPANS)
        if not table:
            with pytest.raises(diffusion.DataSaysNoError, match="no track has an event"):
                charts.entries(**rules.event)
            return
        entries = charts.entries(**rules.event)
    agree(entries.table, table, contracts.ENTRIES)
    agree(
        entries.withheld, twins.withheld(tracks, stands_for, sorted({row["market"] for row in own})), contracts.WITHHELD
    )
    agree_on_events(entries, table, twins.spans(twins.datable(covered, rules.min_periods)), rules)


@examples(25)
@given(rows=sources(), identity=st.sampled_from(["track", "recording"]), periods=st.sampled_from([1, 1, 2, 3, 4, 40]))
def test_absences_are_what_the_twin_says(rows: list[Row], identity: str, periods: int) -> None:
    rows = rows + padding(rows)
    own = [row for row in twins.chart_rows(rows, market_of)[0] if row["chart"] == "top200"]
    assume(own)
    dates = twins.calendar_periods(twins.coverage(own))
    with opened(rows) as charts:
        agree(charts.calendar().arrow("periods"), dates, contracts.PERIODS)
        dates_each = Counter(row["market"] for row in twins.coverage(own))
        if 2 * sum(row["counts"] for row in dates) < int(median(dates_each.values())):
            with pytest.raises(diffusion.DataSaysNoError, match="absences are counted in dates that markets share"):
                charts.absences(periods=periods, identity=identity)
            return
        found = charts.absences(periods=periods, identity=identity)
    twin = twins.absences(own, twins.identities(twins.tracks(rows), identity), periods=periods)
    agree(found.table, twin, contracts.ABSENCES)


@examples(25)
@given(
    rows=sources(),
    identity=st.sampled_from(["track", "recording"]),
    every=st.sampled_from([1, 1, 2, 7]),
    recent=st.sampled_from([1, 2, 3]),
)
def test_charts_of_some_dates_are_compared_as_the_twins_say(
    rows: list[Row], identity: str, every: int, recent: int
) -> None:
    rows = rows + padding(rows)
    own = [row for row in twins.chart_rows(rows, market_of)[0] if row["chart"] == "top200"]
    assume(own)
    dates = {row["date"] for row in own if row["date"].toordinal() % every == 0} | {date(1999, 1, 1)}
    tracks = twins.tracks(rows)
    held = twins_compared.held_on(own, twins.identities(tracks, identity), dates)
    with opened(rows) as charts:
        depths = charts.depths_on(dates, identity=identity)
        agree(depths, twins_compared.depths_on(held), contracts.DEPTHS_ON)
        some = depths.filter(pa.array([number % 4 != 3 for number in range(depths.num_rows)], pa.bool_()))
        found = charts.compared(some, recent=recent, identity=identity)
    kept = {(row["market"], row["date"]): held[row["market"], row["date"]] for row in some.to_pylist()}
    agree(found.shared, twins_compared.shared_tracks(kept), contracts.SHARED_TRACKS)
    agree(found.stayed, twins_compared.stayed_tracks(kept), contracts.STAYED_TRACKS)
    agree(found.local, twins_compared.local_places(kept, tracks, recent=recent), contracts.LOCAL_PLACES)


@examples(25)
@given(rows=sources(), identity=st.sampled_from(["track", "recording"]), every=st.sampled_from([1, 2, 3]))
def test_rows_with_global_and_their_sums_are_what_the_twins_say(rows: list[Row], identity: str, every: int) -> None:
    rows = rows + padding(rows)
    kept, _ = twins.chart_rows(rows, lambda name: WORLD if name == "Global" else market_of(name))
    named = [{**row, "market": "Global" if row["market"] == WORLD else row["market"]} for row in kept]
    own = [row for row in named if row["chart"] == "top200"]
    assume(any(row["market"] != "Global" for row in own))
    tracks = twins.tracks(rows)
    codes = {row["track_id"]: row["track"] for row in tracks}
    dates = {row["date"] for row in own if row["date"].toordinal() % every == 0}
    asked = {(code, day) for code in codes.values() for day in dates if (code + day.toordinal()) % 2}
    days = {"track": pa.array([code for code, _ in asked], pa.int32()), "date": pa.array([day for _, day in asked])}
    with opened(rows) as charts:
        agree(charts.arrow("first_dates"), twins.first_dates(own, codes), contracts.FIRST_DATES)
        ends = twins.chart_ends(own, twins.identities(tracks, identity))
        agree(charts.chart_ends(identity=identity), ends, contracts.CHART_ENDS)
        agree(charts.track_rows(dates), twins.track_rows(own, codes, dates), contracts.TRACK_ROWS)
        found = charts.asked_positions(pa.table(days, schema=pa.schema({"track": pa.int32(), "date": pa.date32()})))
    agree(found, twins.asked_positions(own, codes, asked), contracts.ASKED_POSITIONS)


@examples(30)
@given(drawn=studies(), rules=RULES)
def test_events_of_a_bare_frame_are_what_the_twins_say(drawn: Study, rules: Rules) -> None:
    agree_on_events(drawn.open(), drawn.entries, drawn.spans, replace(rules, washout=drawn.washout))


@examples(60)
@given(drawn=studies(), window=st.sampled_from([7, 30, 60]))
def test_kaplan_meier_of_the_twin_is_that_of_lifelines(drawn: Study, window: int) -> None:
    followed = twins.exposures(drawn.entries, drawn.spans, washout=drawn.washout, window=window)
    for exposed in followed.values():
        lengths, arrived = zip(*exposed, strict=True)
        # lifelines takes an event on day 0 for one before it; there are none
        fitted = KaplanMeierFitter().fit(lengths, arrived)
        assert twins.kaplan_meier(exposed) == pytest.approx(1 - fitted.predict(window), rel=0, abs=LIFELINES_TOLERANCE)


# ── do the random charts reach what matters? ─────────────────────────────────────────────────────────────────────────

REACHED = settings(EXAMPLES, max_examples=300, phases=[Phase.generate])


def facts_of_events(table: Sequence[Row], spans: Sequence[Row], rules: Rules) -> Iterator[str]:
    """Yield what an example puts to the test."""
    washout, window = rules.washout, rules.window
    followed = twins.exposures(table, spans, washout=washout, window=window)
    waiting = twins.waits(table, spans, washout=washout, horizon=rules.horizon)
    markets = sorted({row["market"] for row in spans})
    pairs = twins.transitions(table, spans, markets, washout=washout, window=window)
    debuts = {row["track_id"]: row for row in twins.debuts(table)}
    first_spans = {row["market"]: row for row in reversed(spans)}
    if len(first_spans) == 1:
        yield "one market"
    if len(spans) > len(first_spans):
        yield "a long gap"
    if all(row["left_censored"] for row in table):
        yield "all left-censored"
    for row in table:
        if row["left_censored"] and row["entry"] > debuts[row["track_id"]]["debut"]:
            yield "a left-censored later entry"
        if not row["left_censored"] and row["last_without"] is None:
            yield "a timed entry without a date before"
    for wait in waiting:
        yield "a wait that ends with entry" if wait["entered"] else "a censored wait"
        if wait["start"] > 0:
            yield "a delayed wait"
        if wait["entered"] and wait["days"] == wait["start"] + 1 and wait["start"] > 0:
            yield "an entry on the day the washout ends"
        if wait["debut"] > first_spans[wait["market"]]["last_date"]:
            yield "a wait after a long gap"
        own = [r for r in table if (r["track_id"], r["market"]) == (wait["track_id"], wait["market"])]
        if own and not wait["entered"]:
            yield "an entry after the end of a wait"
    for row in pairs:
        if row["tracks"]:
            yield "a transition"
        if row["tracks"] > 1 and row["lag_q25"] < row["lag_q75"]:
            yield "lags that differ"
        if row["joint"]:
            yield "a tie"
        if row["rate"] is None:
            yield "nobody exposed"
        elif not math.isclose(row["rate"], row["tracks"] / row["exposed"]):
            yield "a rate under censoring"
    for exposed in followed.values():
        for days, entered in exposed:
            if entered and days == window:
                yield "an arrival on the last day of the window"
            if not entered and days == 0:
                yield "an entry into the source on the last day of the target"
    for track_id, own in twins.by_track(table).items():
        debut = debuts[track_id]
        if debut["left_censored"] and any(not row["left_censored"] for row in own.values()):
            yield "a timed entry after a left-censored debut"
        if not debut["left_censored"] and any(row["left_censored"] for row in own.values()):
            yield "a left-censored entry of a timed track"
    for own in twins.timed_journeys(table):
        for one in own.values():
            for other in own.values():
                if one["entry"] < other["entry"] and twins.is_tie(one, other):
                    yield "a tie on different dates"
                covered = twins.is_covered(spans, other["market"], one["entry"], washout)
                later = other["left_censored"] and one["entry"] < other["entry"]
                if not one["left_censored"] and covered and later:
                    yield "a left-censored entry after the follow-up of an exposed track"


EVENT_FACTS = {
    "one market",
    "a long gap",
    "all left-censored",
    "a left-censored later entry",
    "a left-censored entry of a timed track",
    "a timed entry after a left-censored debut",
    "a timed entry without a date before",
    "a wait that ends with entry",
    "a censored wait",
    "a delayed wait",
    "an entry on the day the washout ends",
    "a wait after a long gap",
    "an entry after the end of a wait",
    "a transition",
    "lags that differ",
    "a tie",
    "nobody exposed",
    "a rate under censoring",
    "an arrival on the last day of the window",
    "an entry into the source on the last day of the target",
    "a tie on different dates",
    "a left-censored entry after the follow-up of an exposed track",
}


def facts_of_source(rows: Sequence[Row], rules: Rules) -> Iterator[str]:
    """Yield what an example puts to the test before it comes to entries."""
    every, outcomes = twins.chart_rows(rows, market_of)
    yield from +outcomes
    own = [row for row in every if row["chart"] == "top200"]
    if len(own) < len(every):
        yield "several charts"
    covered, tracks = twins.coverage(own), twins.tracks(rows)
    if any(row["stale"] for row in covered):
        yield "a stale chart"
    gaps = {(row["date"] - row["previous"]).days for row in covered if row["previous"]}
    if 28 in gaps:
        yield "a gap of 28 days"
    if 29 in gaps:
        yield "a gap of 29 days"
    stands_for = twins.identities(tracks, rules.identity)
    table = twins.entries(own, stands_for, top=rules.top, min_periods=rules.min_periods, washout=rules.washout)
    if not table:
        yield "no event"
    plain = {(r["track_id"], r["market"]): r["entry"] for r in twins.entries(own, stands_for, washout=0)}
    if any(row["entry"] > plain[row["track_id"], row["market"]] for row in table):
        yield "an event after the first appearance"
    if len(table) < len(plain):
        yield "an appearance without event"
    places = Counter((stands_for[row["track_id"]], row["market"], row["date"]) for row in own)
    if any(places[row["track_id"], row["market"], row["entry"]] > 1 for row in table):
        yield "two ids of a recording on the chart of its entry"
    spans = twins.spans(twins.datable(covered, rules.min_periods))
    if any(row["entry"] in {s["first_date"] for s in spans if s["market"] == row["market"]} for row in table):
        yield "a stay since the first chart" if rules.min_periods > 1 else "an entry on the first chart"
    withheld = {(r["track_id"], r["market"]) for r in twins.withheld(tracks, stands_for, {r["market"] for r in own})}
    open_to_all = twins.waits(table, spans, washout=rules.washout, horizon=rules.horizon)
    for wait in open_to_all:
        if (wait["track_id"], wait["market"]) in withheld:
            yield "an entry where the track is unlicensed" if wait["entered"] else "a wait that a licence rules out"
    if not all(row["counts"] for row in twins.calendar_periods(covered)):
        yield "a date that is no period"
    away = twins.absences(own, stands_for, periods=rules.min_periods)
    yield from ("an absence for good" if row["back_on"] is None else "an absence with return" for row in away)
    apart = twins.withheld(tracks, {track: track for track in stands_for}, {row["market"] for row in own})
    if any((stands_for[row["track_id"]], row["market"]) not in withheld for row in apart):
        yield "a recording licensed by one of its ids"


SOURCE_FACTS = {
    "kept",
    "duplicate",
    "aggregate",
    *twins.SET_ASIDE,
    "several charts",
    "a stale chart",
    "a gap of 28 days",
    "a gap of 29 days",
    "no event",
    "a date that is no period",
    "an absence for good",
    "an absence with return",
    "an event after the first appearance",
    "an entry on the first chart",
    "a stay since the first chart",
    "an appearance without event",
    "two ids of a recording on the chart of its entry",
    "an entry where the track is unlicensed",
    "a wait that a licence rules out",
    "a recording licensed by one of its ids",
}


def test_random_entries_reach_every_rule() -> None:
    seen: Counter[str] = Counter()

    @REACHED
    @given(drawn=studies(), rules=RULES)
    def look(drawn: Study, rules: Rules) -> None:
        seen.update(set(facts_of_events(drawn.entries, drawn.spans, replace(rules, washout=drawn.washout))))

    look()
    assert {fact for fact in EVENT_FACTS if not seen[fact]} == set(), seen


def test_random_charts_reach_every_rule() -> None:
    seen: Counter[str] = Counter()

    @REACHED
    @given(rows=sources(), rules=RULES)
    def look(rows: list[Row], rules: Rules) -> None:
        seen.update(set(facts_of_source(rows, rules)))

    look()
    assert {fact for fact in SOURCE_FACTS if not seen[fact]} == set(), seen


SQL = {file.name.removesuffix(".sql"): file for file in resources.files("diffusion").joinpath("sql").iterdir()}


def test_every_contract_has_its_sql_and_every_sql_its_contract() -> None:
    names = [contract.name for contract in contracts.RELATIONS]
    counted = [contract.name for contract in contracts.ARRAY_RELATIONS]
    assert len(set(names + counted)) == len(names + counted)
    assert set(SQL) == set(names) | set(contracts.ENGINE_STEPS)
    assert not set(names) & set(contracts.ENGINE_STEPS)


@pytest.mark.parametrize("name", sorted(SQL))
def test_a_relation_is_one_select_that_says_what_a_row_is(name: str) -> None:
    text = SQL[name].read_text(encoding="utf-8")
    code = re.sub(r"--[^\n]*|'[^']*'", "", text)
    assert re.match(r"-- One row per \w", text)
    assert re.match(r"\s*(SELECT|WITH)\b", code)
    assert not re.search(r"[{};]|\b(INSERT|CREATE|UPDATE|DELETE|COPY|ATTACH)\b", code)


@pytest.mark.parametrize(
    "contract", [*contracts.RELATIONS, *contracts.ARRAY_RELATIONS], ids=lambda contract: contract.name
)
def test_a_contract_names_each_column_once_and_its_key_among_them(contract: contracts.Contract) -> None:
    assert len(set(contract.names)) == len(contract.names)
    assert contract.key
    assert set(contract.key) <= set(contract.names)
    assert all(column.meaning for column in contract.columns)

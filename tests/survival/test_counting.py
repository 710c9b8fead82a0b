"""Waits by cells of variables: against a plain twin for every clock, row by row, and by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion
from diffusion import DataSaysNoError, SettingError
from survival import Waits, frame_waits, waits
from survival.counting import source
from survival.counting.clusters import SpanClusters
from survival.counting.counted import CountedWaits
from survival.counting.frame import FrameClusters
from tests import twins
from tests.random_charts import Study, day, examples, studies, study
from tests.twins import Row

EXACT = 1e-9
"""Both sides add the same few hundred numbers of size 1, in another order."""


@dataclass(frozen=True)
class Question:
    """Settings of `waits` in one example; days count from the start of the clock."""

    clock: str
    horizon: int
    landmark: int
    until: int | None
    complete: bool
    updated: bool
    cadence: int = 1

    def ask(self, entries: diffusion.Entries, released: dict[str, date]) -> Waits:
        tracks = pd.DataFrame({"track_id": [*released], "release_date": [*released.values()]})
        until = None if self.until is None else day(self.until)
        return waits(
            entries, clock=self.clock, horizon=self.horizon, landmark=self.landmark, until=until,
            complete=self.complete, updated=self.updated, tracks=tracks,
        )  # fmt: skip


QUESTIONS = st.builds(
    Question,
    clock=st.sampled_from(["debut", "debut", "release", "SE", "US"]),
    horizon=st.sampled_from([8, 30, 60, 180]),
    landmark=st.sampled_from([0, 0, 1, 7]),
    until=st.sampled_from([None, None, 20, 60]),
    complete=st.booleans(),
    updated=st.booleans(),
).filter(lambda question: not (question.complete and question.updated))


# ── the twin ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def twin_rows(drawn: Study, question: Question, released: dict[str, date], barred: set[tuple[str, str]]) -> list[Row]:
    """Return the waits one by one, each in the stages of the markets entered so far."""
    entered, spans = list(drawn.entries), list(drawn.spans)
    if question.until is not None:
        last = day(question.until)
        entered = [row for row in entered if row["entry"] <= last]
        seen = {market: [day(number) for number in numbers] for market, numbers in drawn.observed.items()}
        spans = [
            {**span, "last_date": max(date for date in seen[span["market"]] if date <= min(span["last_date"], last))}
            for span in spans
            if span["first_date"] <= last
        ]
    own, table = twins.by_track(entered), []
    for debut in twins.debuts(entered):
        track, day_0 = debut["track_id"], debut["debut"]
        if debut["left_censored"]:
            continue
        anchor, passed = day_0, 0
        if question.clock == "release":
            if track not in released or released[track] > day_0:
                continue
            passed = (day_0 - released[track]).days
        elif question.clock != "debut":
            entry = own[track].get(question.clock)
            if entry is None or entry["left_censored"]:
                continue
            anchor = entry["entry"]
        for market in sorted({span["market"] for span in spans}):
            if (track, market) not in barred:
                table += one_wait(own[track], market, spans, drawn.washout, question, anchor, passed)
    return table


def one_wait(
    own: dict[str, Row], market: str, spans: Sequence[Row], washout: int, question: Question, anchor: date, passed: int
) -> list[Row]:
    """Return the stages of one wait, as the docstring of `waits` has it."""
    span = twins.first_at_risk(spans, market, anchor, washout, question.horizon)
    if span is None:
        return []
    start = max(0, (span["first_date"] - anchor).days + washout - 1)
    end = min((span["last_date"] - anchor).days, question.horizon)
    followed, days, entry, went, after = end, end, own.get(market), False, None
    if entry is not None:
        lag = (entry["entry"] - anchor).days
        before = entry["last_without"]
        there = lag if question.clock in ("debut", "release") else -1 if before is None else (before - anchor).days + 1
        if min(there, lag) <= start:
            return []
        if lag <= end:
            days, went, after = lag, True, before
    begin = max(question.landmark, passed)
    first, cadence = max(start + passed, begin), question.cadence
    horizon = (question.horizon - passed) // cadence * cadence + passed
    if passed >= horizon or (question.complete and (start + passed > begin or followed + passed < horizon)):
        return []
    went &= days + passed <= horizon
    stop, lags = min(days + passed, horizon), [(row["entry"] - anchor).days + passed for row in own.values()]
    cuts = sorted({lag for lag in lags if begin < lag < horizon}) if question.updated else []
    table = []
    for low, high in zip([begin, *cuts], [*cuts, horizon], strict=True):
        if max(first, low) < min(stop, high):
            ends = went and stop <= high
            before = min(stop, high) if not ends else (after - anchor).days + passed if after else 0
            table.append(
                {
                    "track_id": next(iter(own.values()))["track_id"],
                    "market": market,
                    "start": max(first, low),
                    "after": max(max(first, low), before),
                    "days": min(stop, high),
                    "entered": ends,
                    "entered_markets": sum(lag <= low for lag in lags),
                }
            )
    return table


@examples(80)
@given(drawn=studies(), question=QUESTIONS, seed=st.integers(0, 99))
def test_rows_counts_and_sums_of_clusters_are_those_of_the_twin(drawn: Study, question: Question, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracks = sorted({row["track_id"] for row in drawn.entries})
    debuts = {row["track_id"]: row["debut"] for row in twins.debuts(drawn.entries)}
    released = {track: debuts[track] - timedelta(int(rng.integers(-2, 12))) for track in tracks if rng.random() < 0.8}
    barred = {(track, market) for track in tracks for market in drawn.observed if rng.random() < 0.1}
    entries = drawn.open()
    withheld = pa.table({"track_id": [t for t, _ in barred], "market": [m for _, m in barred]})
    artists = pa.table({"track_id": tracks, "artist": [f"a{rng.integers(3)}" for _ in tracks]})
    entries = replace(entries, withheld=withheld.cast(entries.withheld.schema), described=artists)
    try:
        known = entries if question.until is None else entries.until(day(question.until))
        question = replace(question, cadence=known.calendar.cadence)
    except DataSaysNoError:
        return
    expected = twin_rows(drawn, question, released, barred)
    try:
        asked = question.ask(entries, released)
        rows = asked.rows(("entered_markets", "market"))
    except (DataSaysNoError, SettingError):
        known = [
            market for market, days in drawn.observed.items() if question.until is None or min(days) <= question.until
        ]
        assert question.clock not in ("debut", "release", *known) or not expected
        return
    columns = ["track_id", "market", "start", "after", "days", "entered", "entered_markets"]
    assert rows[columns].to_dict("records") == sorted(
        expected, key=lambda row: (row["track_id"], row["market"], row["start"])
    )
    for cluster in ("artist", "track"):
        counted = asked.counted(("market", "entered_markets"), cluster=cluster)
        agrees(counted, rows, rows["artist" if cluster == "artist" else "track_id"], rng)


def agrees(counted: CountedWaits, rows: pd.DataFrame, cluster: "pd.Series[Any]", rng: np.random.Generator) -> None:
    """Assert that counts by cell, and sums and counts by cluster, are those of the rows."""
    own = frame_waits(rows.assign(cluster=cluster), days="days", entered="entered", start="start", after="after",
                      cluster="cluster").counted(tuple(counted.values))  # fmt: skip
    length = own.opened.shape[1]
    pd.testing.assert_frame_equal(own.values, counted.values, check_dtype=False)
    for mine, theirs in ((counted.opened, own.opened), (counted.closed, own.closed)):
        assert mine[:, :length].tolist() == theirs.tolist()
        assert not mine[:, length:].any()
    for name in ("cell", "after", "days", "count"):
        assert getattr(counted.events, name).tolist() == getattr(own.events, name).tolist()
    assert counted.clusters is not None
    assert own.clusters is not None
    assert counted.clusters.number == own.clusters.number
    risk = rng.random((*counted.opened.shape, 2)).cumsum(axis=1)
    event = rng.random((len(counted.events.cell), 2))
    sums = [part.sums(risk, event) for part in (counted.clusters, own.clusters)]
    sums = [part[np.argsort(part[:, 0])] for part in sums]
    np.testing.assert_allclose(*sums, atol=EXACT)
    assert listed(counted) == listed(own)


def listed(counted: CountedWaits) -> list[tuple[Any, ...]]:
    """Return the times at risk and entries of each cluster, whatever its number, in order."""
    assert isinstance(counted.clusters, SpanClusters | FrameClusters)
    found = []
    for block in counted.clusters.waits():
        spans = pd.DataFrame({name: getattr(block, name) for name in ("cluster", "cell", "start", "days", "count")})
        spans = spans.groupby(["cluster", "cell", "start", "days"], as_index=False)["count"].sum()
        spans = spans[spans["count"] != 0]
        events = pd.DataFrame({"cluster": block.event_cluster, "cell": block.event_cell, "days": block.event_days})
        for cluster in np.unique(block.cluster):
            own = spans[spans["cluster"] == cluster].drop(columns="cluster").itertuples(index=False, name=None)
            went = events[events["cluster"] == cluster].drop(columns="cluster").itertuples(index=False, name=None)
            found.append((sorted(own), sorted(went)))
    return sorted(entry for entry in found if entry[0])


# ── variables, by hand ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def two_artists() -> diffusion.Entries:
    """Sweden, Finland and the US, observed on days 0 to 60; artist a has two tracks, b has one."""
    every_day = range(61)
    drawn = study(
        {"SE": every_day, "FI": every_day, "US": every_day},
        {"x": {"US": 5, "SE": 8}, "y": {"SE": 10, "FI": 14, "US": 20}, "z": {"SE": 10, "FI": 10}},
        washout=3,
    )
    artists = pa.table({"track_id": ["x", "y", "z"], "artist": ["A, C", "a", "B"]})
    return replace(drawn.open(), described=artists)


def values_of(asked: Waits, *names: str) -> dict[tuple[str, str, int], Any]:
    """Return track, market and start → values."""
    rows = asked.rows(names)
    return {
        (row.track_id, row.market, row.start): tuple(getattr(row, name) for name in names) for row in rows.itertuples()
    }


def test_variables_of_the_track_and_its_artist(two_artists: diffusion.Entries) -> None:
    """x is the first track of its artist and enters the US and Sweden before the debut of y."""
    found = values_of(waits(two_artists, horizon=30), "footprint", "artist_tracks", "artist_here", "debut_month")
    assert found == {
        ("x", "FI", 0): (1, 0, "no", 1),
        ("x", "SE", 0): (1, 0, "no", 1),
        ("y", "FI", 0): (1, 1, "no", 1),
        ("y", "US", 0): (1, 1, "yes", 1),
        ("z", "US", 0): (2, 0, "no", 1),
    }


def test_variables_of_the_markets_entered_so_far(two_artists: diffusion.Entries) -> None:
    """Sweden and Finland share Swedish and are 397 km apart; a market is known from the day after the entry on."""
    pairs = diffusion.pair_table().set_index(["source", "target"])["distance_km"]
    updated = values_of(
        waits(two_artists, horizon=30, updated=True), "entered_markets", "language_match", "distance_km"
    )
    assert updated[("x", "FI", 0)] == (1, "no", pairs["US", "FI"])
    assert updated[("x", "FI", 3)] == (2, "yes", pairs["SE", "FI"])
    assert updated[("y", "US", 4)] == (2, "no", min(pairs["SE", "US"], pairs["FI", "US"]))
    assert ("y", "FI", 4) not in updated
    later = values_of(waits(two_artists, horizon=30, landmark=3), "entered_markets", "single_origin")
    assert later == {
        ("x", "FI", 3): (2, "several"),
        ("y", "FI", 3): (1, "SE"),
        ("y", "US", 3): (1, "SE"),
        ("z", "US", 3): (2, "several"),
    }


def test_a_wait_is_counted_for_each_origin(two_artists: diffusion.Entries) -> None:
    rows = waits(two_artists, horizon=30).rows(("origin",))
    assert rows[rows["track_id"] == "z"][["market", "origin"]].to_numpy().tolist() == [["US", "FI"], ["US", "SE"]]


def test_variables_of_ones_own(two_artists: diffusion.Entries) -> None:
    pairs = pd.DataFrame({"source": ["SE", "FI", "US"], "target": ["US", "US", "FI"], "ties": [3.0, 5.0, 1.0]})
    asked = waits(
        two_artists,
        horizon=30,
        markets=pd.DataFrame({"market": ["FI", "US", "SE"], "team": ["n", "w", "n"]}),
        tracks=pd.DataFrame({"track_id": ["x", "y", "z"], "explicit": [True, False, True]}),
        artists=pd.DataFrame({"artist": ["a", "B "], "label": ["major", "indie"]}),
        pairs=pairs,
    )
    found = values_of(asked, "team", "explicit", "label", "ties")
    assert found[("z", "US", 0)] == ("w", "yes", "indie", 8.0)
    assert found[("x", "FI", 0)] == ("n", "yes", "major", 1.0)
    assert np.isnan(found[("x", "SE", 0)][3])
    for combine, value in (("mean", 4.0), ("smallest", 3.0), ("largest", 5.0)):
        one = waits(two_artists, horizon=30, pairs=pairs, combine={"ties": combine})  # type: ignore[dict-item]
        assert values_of(one, "ties")[("z", "US", 0)] == (value,)


def test_waits_without_a_value_are_left_out_when_asked(two_artists: diffusion.Entries) -> None:
    team = pd.DataFrame({"market": ["FI"], "team": ["n"]})
    names = ("team", "footprint")
    every, known = (waits(two_artists, markets=team, leave_out_missing=out) for out in (False, True))
    rows = every.rows(names)
    assert rows["team"].isna().sum() == every.missing(names)["team"] == known.missing(names)["team"] == 3
    assert every.missing(names)["footprint"] == 0
    pd.testing.assert_frame_equal(known.rows(names), rows.dropna(ignore_index=True))
    counted = known.counted(names)
    assert counted.values["team"].tolist() == ["n"]
    assert counted.opened.sum() == 2
    agrees(counted, known.rows(names), known.rows(names)["artist"], np.random.default_rng(1))


def test_many_numbers_are_put_in_classes_with_their_mean() -> None:
    with diffusion.open_sample() as charts:
        entries = charts.entries()
    exact = waits(entries, horizon=30, classes=10_000).rows(("distance_km",))
    classed = waits(entries, horizon=30, classes=4).rows(("distance_km",))
    means = exact["distance_km"].groupby(classed["distance_km"]).agg(["min", "max", "size"])
    assert len(means) == 4
    assert (means["min"] <= means.index).all()
    assert (means["max"] >= means.index).all()
    assert (means["max"].to_numpy()[:-1] <= means["min"].to_numpy()[1:]).all()
    assert means["size"].min() > 0.15 * len(exact)


def test_settings_that_cannot_be_are_named(two_artists: diffusion.Entries, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"horizon": 0}, "horizon is 0 days"),
        ({"landmark": 180}, "landmark is day 180"),
        ({"classes": 1}, "classes is 1"),
        ({"complete": True, "updated": True}, "without 'updated'"),
        ({"debut": (date(2021, 2, 1), date(2021, 1, 1))}, "the first date is after the last"),
        ({"markets": pd.DataFrame({"code": ["SE"]})}, "the table of markets has no column 'market'"),
        ({"tracks": pd.DataFrame({"track_id": ["x", "x"]})}, "the table of tracks has x more than once"),
        ({"combine": {"ties": "product"}}, "combined by sum, mean, smallest, largest, not by 'product'"),
    ]
    for settings, text in refused:
        with pytest.raises(SettingError, match=text):
            waits(two_artists, **settings)
    with pytest.raises(SettingError, match="unknown variable 'continnent'; did you mean 'continent'"):
        waits(two_artists).counted(("continnent",))
    with pytest.raises(SettingError, match="market 'NO' is not on this chart"):
        waits(two_artists, clock="NO").counted()
    with pytest.raises(SettingError, match="needs a table of tracks"):
        waits(two_artists, clock="release").counted()
    with pytest.raises(DataSaysNoError, match="followed for 180 days"):
        waits(two_artists, complete=True).counted()
    with pytest.raises(DataSaysNoError, match="debut from 2022-01-01 to 2022-02-01"):
        waits(two_artists, debut=(date(2022, 1, 1), date(2022, 2, 1))).counted()
    with pytest.raises(DataSaysNoError, match="no track has a release on or before its debut"):
        tracks = pd.DataFrame({"track_id": ["x"], "release_date": ["2021-02-01"]})
        waits(two_artists, clock="release", tracks=tracks).counted()
    monkeypatch.setattr(source, "CELLS", 100)
    with pytest.raises(DataSaysNoError, match="3 combinations of market and 180 days are too many to count"):
        waits(two_artists).counted(("market",))


# ── a frame ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_frame_that_cannot_be_waits_is_refused() -> None:
    good = pd.DataFrame({"days": [3, 5], "entered": [1, 0], "start": [0, 2], "after": [1, 0], "sex": ["f", None]})
    refused: list[tuple[pd.DataFrame, str]] = [
        (good.assign(days=[3, -5]), "row 1 of the column 'days' is -5"),
        (good.assign(days=[3.5, 5]), "row 0 of the column 'days' is 3.5"),
        (good.assign(days=[3, None]), "row 1 of the column 'days' is nan"),
        (good.assign(days=[0, 5]), "row 0 is at risk after day 0 until day 0"),
        (good.assign(start=[3, 2]), "row 0 is at risk after day 3 until day 3"),
        (good.assign(entered=[1, 2]), "'entered' must be true or false"),
        (good.assign(after=[3, 0]), "'after' has a day that is not before that of 'days'"),
        (good.drop(columns="after"), "no column 'after'"),
    ]
    for frame, text in refused:
        with pytest.raises(SettingError, match=text):
            frame_waits(frame, days="days", entered="entered", start="start", after="after")
    with pytest.raises(DataSaysNoError, match="no row"):
        frame_waits(good[:0], days="days", entered="entered")
    made = frame_waits(good, days="days", entered="entered")
    with pytest.raises(SettingError, match="'sex' has 1 missing"):
        made.counted(("sex",))
    with pytest.raises(SettingError, match="no column 'age'"):
        made.counted(("age",))

"""Look-alikes against a plain twin, and what they say where first steps tell nothing of the next ones."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

import diffusion
from diffusion import Calendar, Entries, EventRules
from diffusion.contracts import COVERAGE, ENTRIES
from graphs import artist_journey, look_alikes
from graphs.look_alikes import share_interval, share_test

START = date(2021, 1, 1)
MARKETS = ["DK", "FI", "NO", "SE", "US"]
SETTINGS = {"days": 7, "horizon": 14, "most": 6, "least": 0.4}


def calendar(days: dict[str, list[int]]) -> Calendar:
    """Return the calendar of markets that were observed on some days."""
    rows = []
    for market, numbers in days.items():
        span = 1
        for at, number in enumerate(numbers):
            span += at > 0 and number - numbers[at - 1] > 28
            before = None if at == 0 else START + timedelta(numbers[at - 1])
            rows.append((market, "top", START + timedelta(number), 50, before, span, False))
    columns = zip(*rows, strict=True)
    return Calendar(pa.table(dict(zip(COVERAGE.names, columns, strict=True)), schema=COVERAGE.schema))


def entries_of(known: Calendar, days: dict[str, dict[str, int]], artists: dict[str, str], washout: int) -> Entries:
    """Return the entries of tracks by market → number of the day, with artists."""
    spans = known.arrow("spans").to_pylist()
    dates = {market: sorted(d.as_py() for d in _dates(known, market)) for market in known.markets}
    rows = []
    for track, own in sorted(days.items()):
        for market, number in own.items():
            entry = START + timedelta(number)
            first = max(s["first_date"] for s in spans if s["market"] == market and s["first_date"] <= entry)
            before = [day for day in dates[market] if day < entry]
            censored = (entry - first).days < washout
            rows.append((track, market, "top", entry, before[-1] if before else None, 1, None, censored))
    table = pa.table(dict(zip(ENTRIES.names, zip(*rows, strict=True), strict=True)), schema=ENTRIES.schema)
    names = pa.table({"track_id": list(artists), "artist": list(artists.values())})
    return Entries(table, known, EventRules("top", washout=washout), described=names)


def _dates(known: Calendar, market: str) -> pa.ChunkedArray:
    coverage = known.coverage
    return coverage["date"].filter(pa.compute.equal(coverage["market"], market))


def drawn(seed: int, tracks: int = 60) -> tuple[Entries, str]:
    """Return random entries of charts with a late market and one with a long gap, and a track with a timed debut."""
    rng = np.random.default_rng(seed)
    whole = list(range(120))
    seen = dict.fromkeys(MARKETS, whole) | {"FI": whole[20:], "US": whole[:50] + whole[85:]}
    days: dict[str, dict[str, int]] = {}
    for number in range(tracks):
        own = {market: int(rng.integers(0, 25)) + (begin := int(rng.integers(5, 90))) for market in MARKETS[:1]}
        for market in MARKETS:
            if rng.random() < 0.5:
                own[market] = begin + int(rng.integers(0, 30))
        days[f"t{number:02}"] = {market: day for market, day in own.items() if day in set(seen[market])} or {
            "SE": begin
        }
    artists = {track: f"a{int(rng.integers(0, tracks // 2))}" for track in days}
    entries = entries_of(calendar(seen), days, artists, washout=10)
    timed = entries.timelines.track_ids[~entries.timelines.debut_censored]
    return entries, str(timed[int(rng.integers(len(timed)))])


def twin(entries: Entries, track: str, *, days: int, horizon: int, most: int, least: float) -> tuple[Any, Any]:
    """Return the look-alikes as they are defined, track by track: their numbers, and the counts of every market."""
    rows = entries.to_pandas()
    artist = dict(zip(entries.described["track_id"].to_pylist(), entries.described["artist"].to_pylist(), strict=True))
    spans = entries.calendar.arrow("spans").to_pylist()
    last = max(span["last_date"] for span in spans)
    lags, debut = {}, {}
    for name, own in rows.groupby("track_id"):
        first = own["entry"].min()
        if own[own["entry"] == first]["left_censored"].all():
            continue
        debut[name] = first.date()
        lags[name] = {market: (entry - first).days for market, entry in zip(own["market"], own["entry"], strict=True)}
    days = min(days, (last - debut[track]).days)
    mine = {market: lag for market, lag in lags[track].items() if lag <= days}
    near, compared = [], []
    for name, own in lags.items():
        if name == track or debut[name] + timedelta(days + horizon) > last:
            continue
        compared.append(name)
        early = {market for market, lag in own.items() if lag <= days}
        both = early & set(mine)
        similarity = len(both) / len(early | set(mine))
        apart = sum(abs(own[market] - mine[market]) for market in both) / max(len(both), 1)
        if similarity >= least:
            near.append((-similarity, apart, name))
    near.sort()
    near = [one for one in near if one[:2] <= near[min(most, len(near)) - 1][:2]]
    counts = {}
    for market in sorted(set(entries.calendar.markets) - set(mine)):
        tally: Counter[str] = Counter()
        who: Counter[str] = Counter()
        for name in compared:
            start = debut[name] + timedelta(days)
            if lags[name].get(market, 10**6) <= days or not any(
                span["market"] == market
                and span["first_date"] + timedelta(entries.rules.washout) <= start
                and start + timedelta(horizon) <= span["last_date"]
                for span in spans
            ):
                continue
            came = lags[name].get(market, 10**6) <= days + horizon
            tally.update({"base_followed": 1, "base_entered": came})
            if name in {one[2] for one in near}:
                tally.update({"followed": 1, "entered": came})
                who[artist[name]] += 1
        if tally["followed"]:
            effective = tally["followed"] ** 2 / sum(number**2 for number in who.values())
            base = tally["base_entered"] / tally["base_followed"]
            counts[market] = (tally["entered"], tally["followed"], effective, base, tally["base_followed"])
    return near, counts


def test_look_alikes_are_those_of_the_twin() -> None:
    reached: Counter[str] = Counter()
    for seed in range(10):
        entries, track = drawn(seed)
        near, counts = twin(entries, track, **SETTINGS)
        found = look_alikes(entries, [track], **SETTINGS)
        columns = found.tracks[["similarity", "lag_difference", "track_id"]].to_numpy().tolist()
        assert columns == [[pytest.approx(-one[0]), pytest.approx(one[1]), one[2]] for one in near]
        names = ["entered", "followed", "artists", "base_share", "base_followed"]
        got = {row["market"]: tuple(row[name] for name in names) for row in found.next.to_dict("records")}
        assert got == {market: pytest.approx(values) for market, values in counts.items()}
        known = entries.described.to_pandas().set_index("track_id")["artist"]
        same = [known[name] == known[track] for name in found.tracks["track_id"]]
        assert found.tracks["same_artist"].tolist() == same
        reached["the same artist"] += any(same)
        reached["ties beyond the most"] += len(near) > SETTINGS["most"]
        reached["not all followed"] += any(value[1] < len(near) for value in counts.values())
        reached["several tracks of an artist"] += any(value[2] < value[1] for value in counts.values())
    assert min(reached.values()) > 0


def test_first_steps_end_with_the_charts_and_nothing_alike_is_said() -> None:
    known = calendar({market: list(range(100)) for market in MARKETS})
    days = {"a": {"SE": 97, "NO": 99}, "b": {"SE": 30, "NO": 33, "US": 41}, "c": {"DK": 30}, "d": {"NO": 80}}
    entries = entries_of(known, days, {name: name for name in days}, washout=10)
    found = look_alikes(entries, ["a"], horizon=10)
    assert (found.days, found.candidates) == (2, 3)
    assert found.tracks[["track_id", "similarity"]].to_numpy().tolist() == [["b", 0.5], ["d", 0.5]]
    assert found.next.set_index("market")["entered"].to_dict() == {"US": 1, "DK": 0, "FI": 0}
    with pytest.raises(diffusion.DataSaysNoError, match=r"of the tracks compared \(1\) none has 50% of its"):
        look_alikes(entries, ["c"], horizon=10)
    with pytest.raises(diffusion.SettingError, match="ids is 'abc'; give a list of one id"):
        look_alikes(entries, "abc")


def _debut(entries: Entries, track: str) -> date:
    rows = entries.to_pandas()
    return rows[rows["track_id"] == track]["entry"].min().date()


def test_the_later_entries_of_the_track_and_its_licence_change_nothing_and_that_of_others_does() -> None:
    entries, track = drawn(3)
    found = look_alikes(entries, [track], **SETTINGS)
    debut = pd.Timestamp(_debut(entries, track))
    rows = entries.to_pandas()
    later = (rows["track_id"] == track) & (rows["entry"] > debut + pd.Timedelta(days=SETTINGS["days"]))
    cut = replace(entries, table=entries.table.filter(pa.array(~later)))
    pd.testing.assert_frame_equal(look_alikes(cut, [track], **SETTINGS).next, found.next)
    first = found.next.iloc[0]
    withheld = pa.table({"track_id": [track, found.tracks["track_id"][0]], "market": [first["market"]] * 2})
    without = look_alikes(replace(entries, withheld=withheld), [track], **SETTINGS).next.set_index("market")
    followed = without["followed"].get(first["market"], 0)
    assert followed in (first["followed"] - 1, first["followed"])
    assert without["base_followed"].get(first["market"], 0) in (first["base_followed"] - 1, first["base_followed"])


def test_ids_of_one_recording_are_one_track_and_none_of_its_look_alikes() -> None:
    known = calendar({market: list(range(100)) for market in MARKETS})
    days = {"a": {"SE": 30, "NO": 33}, "b": {"NO": 31}, "c": {"SE": 40, "NO": 41, "US": 50}, "d": {"SE": 40, "NO": 43}}
    entries = entries_of(known, days, dict.fromkeys(days, "x"), washout=10)
    found = look_alikes(entries, ["a", "b"])
    assert found.first[["market", "days"]].to_numpy().tolist() == [["SE", 0], ["NO", 1]]
    columns = ["track_id", "lag_difference", "next_markets"]
    assert found.tracks[columns].to_numpy().tolist() == [["d", 1, 0], ["c", 0, 0]]
    assert look_alikes(entries, ["a"]).tracks["track_id"].tolist() == ["d", "c", "b"]
    assert look_alikes(entries, ["a", "b"], days=5).tracks["next_markets"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"days": -1}, "days is -1"),
        ({"horizon": 0}, "horizon is 0"),
        ({"most": 0}, "most is 0"),
        ({"least": 0}, "least is 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    entries, track = drawn(1)
    with pytest.raises(diffusion.SettingError, match=message):
        look_alikes(entries, [track], **settings)


@pytest.mark.parametrize("ids", ["a", []])
def test_ids_that_are_no_list_are_refused(ids: Any) -> None:
    with pytest.raises(diffusion.SettingError, match="give a list of one id or more"):
        look_alikes(drawn(1)[0], ids)


def test_a_track_of_unknown_first_steps_is_refused() -> None:
    known = calendar({market: list(range(60)) for market in MARKETS})
    entries = entries_of(known, {"a": {"SE": 3}, "b": {"SE": 30}}, {"a": "x", "b": "y"}, washout=10)
    with pytest.raises(diffusion.DataSaysNoError, match=r"track 'a' may have been on the charts before 2021-01-04"):
        look_alikes(entries, ["a"])
    with pytest.raises(diffusion.DataSaysNoError, match="'z' has no entry"):
        look_alikes(entries, ["z"])


def test_of_whole_numbers_interval_and_test_are_those_of_scipy() -> None:
    for entered, number in ((0, 12), (3, 12), (12, 12)):
        outside = stats.binomtest(entered, number).proportion_ci(method="exact")
        low, high = share_interval(np.array([entered / number]), np.array([float(number)]))
        assert (low[0], high[0]) == pytest.approx((outside.low, outside.high))
        tails = [stats.binomtest(entered, number, 0.3, alternative=way).pvalue for way in ("less", "greater")]
        p = share_test(np.array([entered / number]), np.array([float(number)]), np.array([0.3]))
        assert p[0] == pytest.approx(min(1, 2 * min(tails)))


def world(seed: int, follows: float, tracks: int = 1_500) -> Entries:
    """Return tracks that enter each market with a probability of its own; US follows SE so much more often."""
    rng = np.random.default_rng(seed)
    artist = rng.integers(0, tracks // 3, tracks)
    pull = rng.random((tracks // 3, len(MARKETS)))  # tracks of one artist go to the same markets
    days: dict[str, dict[str, int]] = {}
    for number in range(tracks):
        begin = int(rng.integers(40, 300))
        own = {"DK": begin} | ({"SE": begin + 2} if pull[artist[number], 3] < 0.4 else {})
        chance = np.array([0, 0.1, 0.2, 0, 0.2 + follows * ("SE" in own)])
        goes = pull[artist[number]] < chance
        own |= {market: begin + int(rng.integers(20, 40)) for market, yes in zip(MARKETS, goes, strict=True) if yes}
        days[f"t{number:04}"] = own
    known = calendar({market: list(range(400)) for market in MARKETS})
    return entries_of(
        known, days, {name: f"a{who}" for name, who in zip(sorted(days), artist, strict=True)}, washout=28
    )


def claims(follows: float, worlds: int) -> Counter[str]:
    """Return how often markets are called different in worlds of which one track is asked."""
    said: Counter[str] = Counter()
    for seed in range(worlds):
        entries = world(seed, follows)
        track = next(name for name, both in _both(entries) if both)
        found = look_alikes(entries, [track], most=200).next
        said.update(found[found["differs"] & (found["share"] > found["base_share"])]["market"].tolist())
        said["any"] += bool(found["differs"].any())
    return said


def _both(entries: Entries) -> list[tuple[str, bool]]:
    rows = entries.to_pandas()
    return [(str(name), "SE" in set(own)) for name, own in rows.groupby("track_id")["market"]]


def test_a_market_that_follows_is_found_and_none_where_first_steps_tell_nothing() -> None:
    assert claims(0.5, 2)["US"] == 2
    assert claims(0.0, 4)["any"] <= 1


@pytest.mark.slow
def test_silence_where_first_steps_tell_nothing_holds_at_its_rate() -> None:
    worlds = 60
    assert claims(0.0, worlds)["any"] <= stats.binom.ppf(0.999, worlds, 0.05)


def test_an_artists_journey_joins_ids_counts_debuts_and_lags() -> None:
    known = calendar({market: list(range(100)) for market in MARKETS})
    days = {
        "a": {"SE": 30, "NO": 33}, "b": {"NO": 31, "US": 40}, "c": {"SE": 50, "DK": 50}, "d": {"FI": 3},
        "e": {"US": 60},
    }  # fmt: skip
    credits = {"a": "Zoë", "b": "ZOE, Max", "c": "Zoe & Max", "d": "Zoë", "e": "Max, Zoe"}
    entries = entries_of(known, days, credits, washout=10)
    titles = pa.array(["One", "One (feat. Max)", "Two", "Three", "Four"])
    entries = replace(entries, described=entries.described.append_column("title", titles))
    found = artist_journey(entries, "zoé")
    assert found.timed == 2
    assert found.tracks[["track_id", "ids", "left_censored", "markets"]].to_numpy().tolist() == [
        ["d", ("d",), True, 1], ["a", ("a", "b"), False, 3], ["c", ("c",), False, 2],
    ]  # fmt: skip
    assert found.steps[["title", "step", "market", "days"]].to_numpy().tolist() == [
        ["Three", 1, "FI", 0], ["One", 1, "SE", 0], ["One", 2, "NO", 1], ["One", 3, "US", 10],
        ["Two", 1, "DK", 0], ["Two", 1, "SE", 0],
    ]  # fmt: skip
    counted = found.markets[["market", "tracks", "debuts", "alone"]].to_numpy().tolist()
    assert counted == [["SE", 2, 2, 1], ["DK", 1, 1, 0], ["FI", 1, 0, 0], ["NO", 1, 0, 0], ["US", 1, 0, 0]]
    assert found.markets["lag_median"].fillna(-1).tolist() == [-1, -1, -1, 1, 10]
    assert artist_journey(entries, "Zoe", credited=True).tracks["title"].tolist() == ["Three", "One", "Two", "Four"]
    assert artist_journey(entries, "zoe & max").tracks["title"].tolist() == ["Two"]
    with pytest.raises(diffusion.DataSaysNoError, match="no track is by 'Ben', named first in the credits"):
        artist_journey(entries, "Ben")

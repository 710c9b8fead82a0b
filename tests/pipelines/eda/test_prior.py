"""The earlier study: quantities against plain counts of their definitions, and what is said of differences."""

import re
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from statistics import mean, median, stdev
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import diffusion
from pipelines.contracts.prior import PRIOR
from pipelines.eda.prior.comparing import beside, compared, facts, rounding
from pipelines.eda.prior.quantities import LEFT_OUT, quantities
from pipelines.eda.prior.spread import AUDIO, COLLINEAR

MARKETS = ("SE", "NO", "US", "BR", "LU", "KR")
START, DAYS = date(2019, 11, 1), 150
CLOSE = 1e-9
"""Sums in another order."""


def made() -> pd.DataFrame:
    """Return rows of both charts and Global, of tracks with all fields, drawn at random."""
    rng = np.random.default_rng(7)
    tracks = [
        {
            "track_id": f"t{number}",
            "title": f"T{number}",
            "artist": ["A", "B", "A, B", "C & D"][number % 4],
            "album": None if number % 9 == 0 else "L",
            "explicit": ["true", "false"][number % 2],
            "release_date": None if number % 7 == 0 else str(START + timedelta(int(rng.integers(-200, DAYS)))),
            "duration_ms": "200000",
            "popularity": str(number % 50),
            **{f"af_{name}": str(round(float(rng.uniform(0.1, 1)), 3)) for name in AUDIO},
        }
        for number in range(50)
    ]
    tracks[3] |= dict.fromkeys([f"af_{name}" for name in AUDIO])
    stays: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for number in range(len(tracks)):
        debut = int(rng.integers(0, DAYS - 5))
        for chart, reach in (("top200", 0.6), ("viral50", 0.3)):
            for market in (*MARKETS, "Global"):
                if rng.random() < reach:
                    first = debut + int(rng.choice([0, 0, 1, 5, 20, 45, 80])) - 3 * (chart == "viral50")
                    for day in range(max(first, 0), min(first + int(rng.integers(1, 9)), DAYS)):
                        stays[chart, market, day].append(number)
    rows = []
    for (chart, market, day), there in stays.items():
        for rank, number in enumerate(rng.permutation(sorted(there)), 1):
            streams = None if chart == "viral50" else str(1000 + int(rng.integers(0, 500)) + 900 // rank)
            place = {"chart": chart, "market": market, "date": str(START + timedelta(day)), "rank": str(rank)}
            rows.append({**tracks[number], **place, "streams": streams})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return made()


@pytest.fixture(scope="module")
def found(frame: pd.DataFrame) -> dict[str, float]:
    with diffusion.open_charts(frame) as charts:
        return quantities(charts)


class Twin:
    """The same by loops over rows."""

    def __init__(self, rows: list[dict[str, Any]], left_out: tuple[str, ...]) -> None:
        self.rows = [
            row | {"day": date.fromisoformat(row["date"])}
            for row in rows
            if row["market"] != "Global" and row["market"] not in left_out
        ]
        self.first: dict[str, dict[str, date]] = defaultdict(dict)
        self.viral: dict[str, date] = {}
        self.viral_days: dict[str, set[date]] = defaultdict(set)
        for row in self.rows:
            track, market, day = row["track_id"], row["market"], row["day"]
            if row["chart"] == "top200":
                self.first[track][market] = min(day, self.first[track].get(market, day))
            else:
                self.viral[track] = min(day, self.viral.get(track, day))
                self.viral_days[track].add(day)
        self.rank = {
            (row["track_id"], row["market"]): int(row["rank"])
            for row in self.rows
            if row["chart"] == "top200" and self.first[row["track_id"]][row["market"]] == row["day"]
        }
        self.field = {row["track_id"]: row for row in self.rows}
        self.debut = {track: min(own.values()) for track, own in self.first.items()}
        self.lags = {
            track: {market: (day - self.debut[track]).days for market, day in own.items()}
            for track, own in self.first.items()
        }
        self.markets = len({row["market"] for row in self.rows})

    def extra(self, track: str) -> int:
        return sum(0 < lag <= 60 for lag in self.lags[track].values())

    def footprint(self, track: str) -> list[str]:
        return [market for market, lag in self.lags[track].items() if lag == 0]

    def share(self, tracks: list[str]) -> float:
        return 100 * sum(self.extra(track) > 0 for track in tracks) / len(tracks) if tracks else np.nan

    def counts(self) -> dict[str, float]:
        tracks = list(self.first)
        later = [lag for own in self.lags.values() for lag in own.values() if lag > 0]
        day_0 = sum(len(self.footprint(track)) for track in tracks)
        single = [track for track in tracks if len(self.footprint(track)) == 1]
        moves = {track: min(lag for lag in self.lags[track].values() if lag) for track in tracks if self.moved(track)}
        pairs = self.markets * len(tracks) - day_0
        within = sum(lag <= 60 for lag in later)
        stays = Counter((r["track_id"], r["market"]) for r in self.rows if r["chart"] == "top200")
        found = {
            "tracks": len(tracks), "entries": day_0 + len(later), "day_0": day_0, "later": len(later),
            "within": within, "within_share": 100 * within / len(later), "pairs": pairs,
            "base_rate": 100 * within / pairs, "spread_tracks": sum(self.extra(track) > 0 for track in tracks),
            "spread_share": self.share(tracks), "single": len(single), "single_share": 100 * len(single) / len(tracks),
            "moved": len(moves), "moved.single": sum(track in moves for track in single),
            "one_day": sum(count == 1 for count in stays.values()),
            "one_day_tracks": len({track for (track, _), count in stays.items() if count == 1}),
            "first_extra.day_1": sum(lag == 1 for lag in moves.values()),
            "lag.mean": mean(later), "lag.sd": stdev(later), "lag.q50": median(later), "lag.max": max(later),
            "lag60.mean": mean(lag for lag in later if lag <= 60), "lag_share.8-30": self.between(later, 8, 30),
            "rank_0.mean": mean(self.rank[track, market] for track in tracks for market in self.footprint(track)),
            "reach.mean": mean(map(len, self.first.values())),
            "one_market": sum(len(own) == 1 for own in self.first.values()),
            "reach_share.2-3": self.between([len(own) for own in self.first.values()], 2, 3),
            "reach_least.3": self.between([len(own) for own in self.first.values()], 3, 99),
        }  # fmt: skip
        for days in (1, 7, 30):
            own = [lag for track, lag in moves.items() if track in single]
            found[f"first_extra.single.{days}"] = self.between(own, 1, days)
        for number in (1, 2, 3):
            found[f"size.{number}"] = sum(len(self.footprint(track)) == number for track in tracks)
            found[f"extra.{number}"] = sum(self.extra(track) == number for track in tracks)
        return found | self.by_year(tracks) | self.by_market(tracks) | self.by_kind(tracks)

    def moved(self, track: str) -> bool:
        return any(self.lags[track].values())

    @staticmethod
    def between(values: list[int], low: int, high: int) -> float:
        return 100 * sum(low <= value <= high for value in values) / len(values)

    def by_year(self, tracks: list[str]) -> dict[str, float]:
        found = {}
        for year in (2019, 2020):
            own = [track for track in tracks if self.debut[track].year == year]
            pairs = self.markets * len(own) - sum(len(self.footprint(track)) for track in own)
            found |= {
                f"tracks.{year}": len(own), f"within.{year}": sum(map(self.extra, own)), f"pairs.{year}": pairs,
                f"base_rate.{year}": 100 * sum(map(self.extra, own)) / pairs, f"spread_share.{year}": self.share(own),
                f"reach_least_5.{year}": self.between([len(self.first[track]) for track in own], 5, 99),
            }  # fmt: skip
        return found

    def by_market(self, tracks: list[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        for market in sorted({market for own in self.first.values() for market in own}):
            own = [self.lags[track][market] for track in tracks if market in self.lags[track]]
            found[f"origins.{market}"] = sum(lag == 0 for lag in own)
            found[f"entries_of.{market}"] = len(own)
            found[f"first_share.{market}"] = 100 * sum(lag == 0 for lag in own) / len(own)
        flows = Counter(
            f"flow.{origin}-{market}"
            for track in tracks
            for origin in self.footprint(track)
            for market, lag in self.lags[track].items()
            if 0 < lag <= 30
        )
        return found | flows

    def by_kind(self, tracks: list[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        best = {track: min(self.rank[track, market] for market in self.footprint(track)) for track in tracks}
        prior = {
            track: sum(
                self.field[other]["artist"] == self.field[track]["artist"] and self.debut[other] < self.debut[track]
                for other in tracks
            )
            for track in tracks
        }
        for name, value, low, high, key in (
            ("best", best, 1, 10, "1-10"), ("prior", prior, 0, 0, "0-0"), ("prior", prior, 1, 5, "1-5"),
        ):  # fmt: skip
            own = [track for track in tracks if low <= value[track] <= high]
            found |= {f"{name}.{key}": self.share(own), f"{name}_n.{key}": len(own)}
        viral = [track for track in tracks if self.viral.get(track, date.max) <= self.debut[track]]
        found |= {"viral_n": len(viral), "viral_share": self.share(viral), "with_prior": sum(map(bool, prior.values()))}
        signs = re.compile(r"feat\.|, | & | x ")
        together = {track: bool(signs.search(self.field[track]["artist"])) for track in tracks}
        found["together"] = 100 * mean(together.values())
        loud = [track for track in tracks if self.field[track]["explicit"] == "true"]
        found["explicit"] = 100 * len(loud) / len(tracks)
        found["extra.explicit_1_together_0"] = mean(self.extra(track) for track in loud if not together[track])
        release = {
            t: date.fromisoformat(self.field[t]["release_date"]) for t in tracks if self.field[t]["release_date"]
        }
        fridays = [track for track, day in release.items() if day.isoweekday() == 5]
        sundays = [track for track, day in release.items() if day.isoweekday() == 7]
        ages = {track: (self.debut[track] - day).days for track, day in release.items()}
        found |= {
            "dated": len(release), "fridays": len(fridays), "weekday.5": 100 * len(fridays) / len(release),
            "weekday.0": 100 * len(sundays) / len(release), "weekday_extra.5": mean(map(self.extra, fridays)),
            "age.mean": mean(ages.values()), "age.min": min(ages.values()),
            "age_extra.31-180": mean(self.extra(track) for track, age in ages.items() if 31 <= age <= 180),
        }  # fmt: skip
        known = [track for track in tracks if self.field[track]["af_energy"] is not None]
        energy = [float(self.field[track]["af_energy"]) for track in known]
        found["sound.energy"] = np.corrcoef(energy, [self.extra(track) > 0 for track in known])[0, 1]
        sounds = np.array([[float(self.field[track][f"af_{name}"]) for name in COLLINEAR] for track in known])
        rest, own = np.delete(sounds, 1, axis=1), sounds[:, 1]
        left = own - rest @ np.linalg.lstsq(rest, own, rcond=None)[0]
        found["vif.energy"] = (own @ own) / (left @ left)
        return found


@pytest.mark.parametrize(("scope", "left_out"), [("A", ()), ("B", LEFT_OUT)])
def test_spread_is_that_of_a_plain_count(
    frame: pd.DataFrame, found: dict[str, float], scope: str, left_out: tuple[str, ...]
) -> None:
    twin = Twin(frame.to_dict("records"), left_out)
    # pairs count the markets of all charts less the seven, whether or not they are there
    twin.markets = len(MARKETS) - len(left_out) if left_out else twin.markets
    counts = twin.counts()
    assert len(counts) > 90
    for name, value in counts.items():
        assert found[f"{scope}.{name}"] == pytest.approx(value, rel=CLOSE, abs=CLOSE), name


def test_viral_on_the_day_is_that_of_a_plain_count(frame: pd.DataFrame, found: dict[str, float]) -> None:
    twin = Twin(frame.to_dict("records"), LEFT_OUT)
    on_day = sum(twin.debut[track] in twin.viral_days[track] for track in twin.debut)
    assert found["B.viral_on_day"] == on_day > 0


def test_rows_and_streams_are_those_of_a_plain_count(frame: pd.DataFrame, found: dict[str, float]) -> None:
    rows = frame.assign(year=frame["date"].str[:4], number=pd.to_numeric(frame["streams"]))
    main, local = rows["chart"] == "top200", rows["market"] != "Global"
    own = rows[main & local]
    artists = own.groupby("artist")["market"].nunique()
    log = np.log(own["number"])
    expected = {
        "rows": len(rows), "regions": 7, "tracks": rows["track_id"].nunique(), "dates": rows["date"].nunique(),
        "rows.2020": (rows["year"] == "2020").sum(), "rows.viral50.2019": ((rows["year"] == "2019") & ~main).sum(),
        "share.top200": 100 * main.mean(), "global_rows": (~local).sum(),
        "market_rows.BR": (rows["market"] == "BR").sum(),
        "market_tracks.BR": rows.loc[rows["market"] == "BR", "track_id"].nunique(),
        "null.streams": rows["number"].isna().sum(), "null.album": rows["album"].isna().sum(),
        "null.audio": rows["af_energy"].isna().sum(), "null.audio.top200": rows.loc[main, "af_energy"].isna().sum(),
        "null.audio.2020": rows.loc[local & (rows["year"] == "2020"), "af_energy"].isna().sum(),
        "null.audio.share.SE": 100 * rows.loc[rows["market"] == "SE", "af_energy"].isna().mean(),
        "A.rows": len(own), "A.markets": 6, "viral_tracks": rows.loc[~main & local, "track_id"].nunique(),
        "rows_per_market.std": own.groupby("market").size().std(),
        "rows_per_market.25%": own.groupby("market").size().quantile(0.25),
        "streams.p50": own["number"].quantile(0.5), "streams.p99_9": own["number"].quantile(0.999),
        "streams.most": own["number"].max(), "mean_streams.NO": own.loc[own["market"] == "NO", "number"].mean(),
        "median_streams.US": own.loc[own["market"] == "US", "number"].median(),
        "global_streams.2020": rows.loc[main & ~local & (rows["year"] == "2020"), "number"].sum(),
        "streams.mean_energy": pd.to_numeric(own["af_energy"]).mean(),
        "streams.log_streams_rank": np.corrcoef(log, own["rank"].astype(int))[0, 1],
        "artists": 4, "artists.reach.2-3": 100 * artists.between(2, 3).mean(),
        "artist_rows.A": (own["artist"] == "A").sum(),
        "artist_tracks.A": own.loc[own["artist"] == "A", "track_id"].nunique(),
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=CLOSE), name


def test_every_fact_is_a_number_with_its_scope_and_what_is_not_computed_says_why(found: dict[str, float]) -> None:
    known = facts()
    assert len(known) > 400
    computed = [fact for fact in known if fact.quantity]
    assert len(computed) > 2 / 3 * len(known)
    for fact in known:
        assert np.isfinite(float(fact.value)), fact
        assert fact.scope, fact
        assert fact.source, fact
        assert fact.quantity or fact.note, fact
    # what no charts give is a wrong name; markets, years, artists and ranks differ between charts
    kinds = {re.sub(r"\.([A-Z]{2}(-[A-Z]{2})?|20\d\d|[A-Z][\w ]*|\d+(-\d+)?|q\d\d)$", "", name) for name in found}
    for fact in computed:
        kind = re.sub(r"\.([A-Z]{2}(-[A-Z]{2})?|20\d\d|[A-Z][\w ]*|\d+(-\d+)?|q\d\d)$", "", fact.quantity)
        assert kind in kinds, fact


def test_other_charts_are_named_as_such(frame: pd.DataFrame) -> None:
    with diffusion.open_charts(frame) as charts:
        result = compared(charts)
    assert result.other.startswith(f"other charts: {len(frame):,} rows from 2019-11-01 to ")
    table = result.table
    PRIOR.conform(pa.Table.from_pandas(table, preserve_index=False))
    assert set(table["verdict"]) <= {"equal", "differs", "not computed"}
    assert table.loc[table["verdict"] == "differs", "why"].str.startswith("other charts").all()
    assert (table.loc[table["verdict"] == "not computed", "why"] != "").all()


def test_numbers_are_equal_but_for_the_rounding_of_the_print() -> None:
    fact = replace(facts()[0], quantity="x", value="73.14", note="")
    assert [rounding(printed) for printed in ("73.14", "201", "7.525e10", "-0.0342")] == [0.005, 0.5, 5e6, 5e-5]

    def verdict(ours: dict[str, float], other: str = "", note: str = "") -> tuple[str, str]:
        row = beside([replace(fact, note=note)], ours, other).iloc[0]
        return row["verdict"], row["why"]

    assert verdict({"x": 73.1449}) == ("equal", "")
    assert verdict({"x": 73.146}) == ("differs", "")
    assert verdict({"x": 73.146}, note="of other tracks") == ("differs", "of other tracks")
    assert verdict({"x": 80.0}, other="other charts: 5 rows") == ("differs", "other charts")
    assert verdict({})[0] == "not computed"

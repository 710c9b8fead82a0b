"""Slow plain-Python twins of the features and of what they stand on: loops over rows, each as of a day.

Whatever a twin returns as of a day is made from rows up to that day alone.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from tests import twins
from tests.random_charts import Rules, market_of
from tests.twins import Row

WORLD = "World"
"""Stands for Global, whose rows the twin of charts leaves out."""


@dataclass(frozen=True, eq=False)
class Charts:
    """The rows of one chart up to a day, Global apart, and what the source says of the tracks."""

    rows: Sequence[Row]
    world: Sequence[Row]
    tracks: Sequence[Row]
    stands_for: Mapping[str, str]
    rules: Rules

    @classmethod
    def of(cls, source: Sequence[Row], rules: Rules) -> "Charts":
        """Return the charts of source rows; the rows of all ids of a recording are rows of its id."""
        kept, _ = twins.chart_rows(source, lambda name: WORLD if name == "Global" else market_of(name))
        described = twins.tracks(source)
        rows = [row for row in kept if row["chart"] == "top200"]
        return cls(
            [row for row in rows if row["market"] != WORLD],
            [row for row in rows if row["market"] == WORLD],
            described,
            twins.identities(described, rules.identity),
            rules,
        )

    @cache  # noqa: B019
    def until(self, day: date) -> "Charts":
        """Return what was charted by a day."""
        rows, world = ([row for row in part if row["date"] <= day] for part in (self.rows, self.world))
        return Charts(rows, world, self.tracks, self.stands_for, self.rules)

    @cache  # noqa: B019
    def positions(self) -> list[tuple[date, str, str, int, int | None]]:
        """Return date, market, id, rank and streams of every row; of several ids of a recording the best placed."""
        placed: dict[tuple[date, str, str], Row] = {}
        for row in [*self.rows, *self.world]:
            place = row["date"], row["market"], self.stands_for[row["track_id"]]
            if place not in placed or row["rank"] < placed[place]["rank"]:
                placed[place] = row
        return [(*place, row["rank"], row["streams"]) for place, row in sorted(placed.items())]

    @cache  # noqa: B019
    def firsts(self) -> dict[str, Row]:
        """Return the fields of each track: those of its id that charted first, the smallest of several."""
        first: dict[str, tuple[date, str]] = {}
        for row in [*self.rows, *self.world]:
            own, seen = self.stands_for[row["track_id"]], (row["date"], row["track_id"])
            first[own] = min(first.get(own, seen), seen)
        fields = {track["track_id"]: track for track in self.tracks}
        order = sorted(first, key=lambda own: (first[own][0], own))
        return {own: fields[first[own][1]] | {"seen": first[own][0]} for own in order}

    @cache  # noqa: B019
    def coverage(self) -> list[Row]:
        """Return the calendar."""
        return twins.coverage(self.rows)

    @cache  # noqa: B019
    def entries(self) -> list[Row]:
        """Return the entries, and on every row its day."""
        rules = self.rules
        return twins.entries(
            self.rows, self.stands_for, top=rules.top, min_periods=rules.min_periods, washout=rules.washout
        )

    def withheld(self, markets: Sequence[str]) -> set[tuple[str, str]]:
        """Return the pairs of track and market without a licence."""
        table = twins.withheld(self.tracks, self.stands_for, markets)
        return {(row["track_id"], row["market"]) for row in table}

    @cache  # noqa: B019
    def is_open(self, market: str, day: date) -> bool:
        """Return whether a market is in coverage on a day, as known then, past the washout of its stretch."""
        covered = [row for row in self.coverage() if row["market"] == market]
        if not covered or (day - covered[-1]["date"]).days > twins.LONG_GAP:
            return False
        stretch = [row["date"] for row in covered if row["span"] == covered[-1]["span"]]
        datable = stretch[self.rules.min_periods - 1 :]
        return bool(datable) and datable[0] + timedelta(self.rules.washout) <= day

    @cache  # noqa: B019
    def latest(self, market: str, day: date) -> dict[str, tuple[int, int | None]]:
        """Return id → rank and streams on a market's latest chart up to a day, if it is at most 28 days old."""
        own = [place for place in self.positions() if place[1] == market]
        if market != WORLD:
            days = [row["date"] for row in self.coverage() if row["market"] == market]
        else:
            days = [place[0] for place in own]
        if not days or (day - max(days)).days > twins.LONG_GAP:
            return {}
        return {place[2]: place[3:] for place in own if place[0] == max(days)}

    @cache  # noqa: B019
    def credits(self) -> dict[str, list[str]]:
        """Return the artists of every track: the first named, the others, then guests in the title, each once."""
        found = {}
        for own, track in self.firsts().items():
            names = [name.strip() for name in (track["artist"] or "").lower().split(",")]
            names = [name or f"unknown artist of {own}" for name in names]
            guests = re.search(
                r"(?:\b(?:feat\.?|ft\.|featuring)|[([](?:with|con))\s+([^)\]\-]+)", track["title"] or "", re.IGNORECASE
            )
            if guests:
                more = [name.strip() for name in re.split(r",|&|\s+and\s+", guests[1].lower())]
                names += [name for name in more if name]
            found[own] = list(dict.fromkeys(names))
        return found

    @cache  # noqa: B019
    def entered(self) -> dict[str, dict[str, Row]]:
        """Return track → market → its entry, for every track, also without any."""
        own = twins.by_track(self.entries())
        return {track: own.get(track, {}) for track in self.firsts()}


def candidates(charts: Charts, track: str, day: date, markets: Sequence[str]) -> list[str]:
    """Return the markets that a track may enter: open on the day, licensed, and not entered by it."""
    known = charts.until(day)
    banned, entered = charts.withheld(markets), known.entered()[track]
    return [
        market
        for market in markets
        if known.is_open(market, day) and market not in entered and (track, market) not in banned
    ]


def outcome(charts: Charts, track: str, market: str, day: date, horizon: int) -> tuple[int | None, bool]:
    """Return the days to an entry after a day and within the horizon, and whether it is known if there was one.

    It is known when the track entered, or when the stretch of coverage that holds the day goes on to the horizon.
    """
    entry = charts.entered()[track].get(market)
    days = None if entry is None else (entry["entry"] - day).days
    if days is not None and 0 < days <= horizon:
        return days, True
    last = [
        span["last_date"]
        for span in twins.spans(charts.coverage())
        if span["market"] == market and span["first_date"] <= day <= span["last_date"]
    ]
    return None, bool(last) and last[0] >= day + timedelta(horizon)


# ── features ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def track_features(charts: Charts, track: str, day: date) -> dict[str, float | None]:
    """Return features of one track as of a day; None where missing."""
    known = charts.until(day)
    own = known.entered()[track]
    debut = min((row["entry"] for row in own.values()), default=day)
    markets = sorted({row["market"] for row in known.rows})
    ranks = [chart[track][0] for market in markets if track in (chart := known.latest(market, day))]
    return {
        "age": (day - debut).days,
        "footprint_size": sum(row["entry"] == debut for row in own.values()),
        "markets_entered": len(own),
        "markets_now": len(ranks),
        "best_rank_now": min(ranks, default=None),
        "mean_rank_now": sum(ranks) / len(ranks) if ranks else None,
        "global_rank_now": known.latest(WORLD, day).get(track, (None,))[0],
        "appearances": sum(place[2] == track and place[1] != WORLD for place in known.positions()),
        "days_since_entry": min(((day - row["entry"]).days for row in own.values()), default=None),
    }


def artist_features(charts: Charts, track: str, market: str, day: date) -> dict[str, float | None]:
    """Return features of the artists of one track, and of a market, as of a day."""
    known = charts.until(day)
    credits, entered = known.credits(), known.entered()
    primary = credits[track][0]

    def others(artist: str) -> list[str]:
        return [other for other in credits if other != track and artist in credits[other]]

    def here(artist: str) -> int:
        return sum(market in entered[other] for other in others(artist))

    debuts = {other: min((r["entry"] for r in rows.values()), default=None) for other, rows in entered.items()}
    debut = debuts[track] or day
    siblings = [other for other in others(primary) if debuts[other] == debut]
    chart = known.latest(market, day)
    last = [entered[other][market]["entry"] for other in others(primary) if market in entered[other]]
    return {
        "artist_tracks": len(others(primary)),
        "artist_entries_here": here(primary),
        "artist_days_here": min(((day - entry).days for entry in last), default=None),
        "artist_now_here": sum(other in chart for other in others(primary)),
        "artist_markets": len({name for other in others(primary) for name in entered[other]}),
        "siblings": len(siblings),
        "siblings_here": sum(market in entered[other] for other in siblings),
        "credited": len(credits[track]),
        "credited_tracks_most": max(len(others(artist)) for artist in credits[track]),
        "credited_entries_here_most": max(here(artist) for artist in credits[track]),
        "credited_entries_here_sum": sum(here(artist) for artist in credits[track]),
    }


@dataclass(frozen=True)
class Window:
    """A debut whose horizon is over: its timed and its whole footprint, and markets at risk → whether entered."""

    senders: frozenset[str]
    footprint: frozenset[str]
    at_risk: Mapping[str, bool]


def windows(charts: Charts, day: date, horizon: int, markets: Sequence[str]) -> Iterator[Window]:
    """Yield the windows of timed debuts that were over by a day."""
    known = charts.until(day)
    banned = charts.withheld(markets)
    for track, own in known.entered().items():
        debut = min((row["entry"] for row in own.values()), default=day)
        end = debut + timedelta(horizon)
        footprint = {market for market, row in own.items() if row["entry"] == debut}
        senders = {market for market in footprint if not own[market]["left_censored"]}
        if end > day or not senders:
            continue
        at_risk = {}
        for market in set(markets) - footprint:
            entered = market in own and own[market]["entry"] <= end
            then = known.until(debut)
            if not then.is_open(market, debut) or (track, market) in banned:
                continue
            if entered or stretch_of(then, market, debut) == stretch_of(known.until(end), market, end):
                at_risk[market] = entered
        yield Window(frozenset(senders), frozenset(footprint), at_risk)


def stretch_of(charts: Charts, market: str, day: date) -> int | None:
    """Return the number of the stretch that a market's latest chart is in, if that is at most 28 days old."""
    covered = [row for row in charts.coverage() if row["market"] == market and row["date"] <= day]
    return covered[-1]["span"] if covered and (day - covered[-1]["date"]).days <= twins.LONG_GAP else None


def transition_rates(
    over: Sequence[Window], markets: Sequence[str], prior: float
) -> dict[str, dict[tuple[str, ...], float]]:
    """Return rates of markets and of pairs: `market` by (b,), `pair` and `credit` by (a, b), each shrunk upwards."""
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for window in over:
        for b, entered in window.at_risk.items():
            counts["at risk"][b,] += 1
            counts["entered"][b,] += entered
            for a in window.senders:
                counts["exposed"][a, b] += 1
                counts["pair"][a, b] += entered
                counts["credit"][a, b] += entered / len(window.footprint)  # type: ignore[assignment]
    overall = counts["entered"].total() / max(counts["at risk"].total(), 1)
    market = {(b,): (counts["entered"][b,] + prior * overall) / (counts["at risk"][b,] + prior) for b in markets}
    rates = {"market": market}
    for name in ("pair", "credit"):
        rates[name] = {
            (a, b): (counts[name][a, b] + prior * market[b,]) / (counts["exposed"][a, b] + prior)
            for a in markets
            for b in markets
        }
    return rates

"""Slow plain-Python twins of the relations in ``diffusion/sql``, kept for tests.

Each follows the words of the definitions and not the SQL: loops over lists of dicts, nothing clever. Tables are lists
of rows in order of their key; a row has the columns of its contract in `diffusion.contracts`.
"""

import ast
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Any

import numpy as np

Row = dict[str, Any]

LONG_GAP = 28

NO_MARKET = "no market"
BAD_DATE = "unreadable date"
BAD_RANK = "rank is not a whole number from 1"
NO_TRACK = "no track id"
TOO_DEEP = "rank beyond the chart's depth"
NEGATIVE = "negative streams"
BAD_STREAMS = "unreadable streams"
AGAIN = "same track again, at another rank or with other streams"
CONTESTED = "two tracks on one rank"
TIED = "tied"
SET_ASIDE = (NO_MARKET, BAD_DATE, BAD_RANK, TOO_DEEP, NO_TRACK, NEGATIVE, BAD_STREAMS, AGAIN, CONTESTED)
"""Why a row is not believed."""


def days_between(first: date, last: date) -> int:
    """Return the days from `first` to `last`."""
    return (last - first).days


def ordered(rows: Iterable[Row], *key: str) -> list[Row]:
    """Return the rows in order of `key`."""
    return sorted(rows, key=lambda row: tuple(row[name] for name in key))


# ── source rows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def is_blank(text: str | None) -> bool:
    """Return whether there is nothing to read."""
    return text is None or not text.strip()


def whole_number(text: str | None) -> int | None:
    """Return the whole number that `text` says, also as ``253019.0``; None where it says none."""
    if text is None or not re.fullmatch(r"-?[0-9]+(\.0*)?", text.strip()):
        return None
    return int(text.strip().split(".")[0])


def iso_date(text: str | None) -> date | None:
    """Return the date that `text` says, None where it says none."""
    if text is None or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def flaw(raw: Row) -> str | None:
    """Return why a source row cannot be read, None where it can: the first reason that holds, in this order."""
    rank, streams = whole_number(raw["rank"]), whole_number(raw["streams"])
    if is_blank(raw["market"]):
        return NO_MARKET
    if iso_date(raw["date"]) is None:
        return BAD_DATE
    if rank is None or rank < 1:
        return BAD_RANK
    if rank > {"top200": 200, "viral50": 55}.get(raw["chart"], rank):
        return TOO_DEEP
    if is_blank(raw["track_id"]):
        return NO_TRACK
    if streams is not None and streams < 0:
        return NEGATIVE
    return BAD_STREAMS if streams is None and not is_blank(raw["streams"]) else None


def chart_rows(source: Sequence[Row], market_of: Callable[[str], str]) -> tuple[list[Row], Counter[str]]:
    """Return the rows that can be believed, and what became of each source row.

    "`chart_rows`: one track on one market's chart on one date" and "read = kept + duplicates + aggregate + set aside".
    A row that cannot be read is set aside. Of the rows of one track on one chart, market and date that with the best
    rank stays, of those at one rank that with the most streams; of the others those that say the same are duplicates,
    and those that say otherwise are set aside. Where several tracks then claim one rank of a chart, they are tied if
    the next ranks are left out, as many as there are further tracks, and a later rank is not; otherwise none of them is
    believed. `Global` is no market: its rows are judged like others and counted apart. "tied" counts tied rows, which
    have another outcome too.
    """
    outcomes: Counter[str] = Counter()
    places: dict[tuple[str, str, date, str], list[Row]] = defaultdict(list)
    ranks: dict[tuple[str, str, date], set[int]] = defaultdict(set)
    for raw in source:
        reason = flaw(raw)
        rank, day = whole_number(raw["rank"]), iso_date(raw["date"])
        if not is_blank(raw["market"]) and day is not None and rank is not None and rank >= 1:
            ranks[raw["chart"], market_of(raw["market"]), day].add(rank)
        if reason is not None:
            outcomes[reason] += 1
            continue
        row = {
            "chart": raw["chart"],
            "market": market_of(raw["market"]),
            "date": iso_date(raw["date"]),
            "track_id": raw["track_id"],
            "rank": whole_number(raw["rank"]),
            "streams": whole_number(raw["streams"]),
        }
        places[row["chart"], row["market"], row["date"], row["track_id"]].append(row)
    best = []
    for rows in places.values():
        first, *others = sorted(rows, key=preference)
        best.append(first)
        for other in others:
            outcomes["duplicate" if other == first else AGAIN] += 1
    claims = Counter((row["chart"], row["market"], row["date"], row["rank"]) for row in best)
    kept = []
    for row in best:
        chart = row["chart"], row["market"], row["date"]
        shared = claims[*chart, row["rank"]]
        later = min((rank for rank in ranks[chart] if rank > row["rank"]), default=0)
        tied = later >= row["rank"] + shared
        outcomes[TIED] += shared > 1 and tied
        if shared > 1 and not tied:
            outcomes[CONTESTED] += 1
        elif row["market"] == "Global":
            outcomes["aggregate"] += 1
        else:
            outcomes["kept"] += 1
            kept.append(row)
    return ordered(kept, "chart", "market", "date", "track_id"), outcomes


def preference(row: Row) -> tuple[int, int]:
    """Return what orders rows of one track, the row to keep first: rank, then streams from the most to none known."""
    return row["rank"], 1 if row["streams"] is None else -row["streams"]


def tracks(source: Sequence[Row]) -> list[Row]:
    """Return "one track id of the source", coded in order of first appearance.

    Its title, artist and licence list are those of its first row that has a title, or of its first row.
    """
    firsts: dict[str, Row] = {}
    for row in source:
        if not is_blank(row["track_id"]):
            first = firsts.setdefault(row["track_id"], row)
            if is_blank(first["title"]) and not is_blank(row["title"]):
                firsts[row["track_id"]] = row
    columns = ("track_id", "title", "artist", "available_markets")
    return [{"track": code, **{name: row[name] for name in columns}} for code, row in enumerate(firsts.values())]


def source_markets(source: Sequence[Row]) -> list[Row]:
    """Return "one market name of the source", as it is written, and its rows."""
    counts = Counter(row["market"] for row in source if not is_blank(row["market"]))
    return [{"name": name, "source_rows": rows} for name, rows in sorted(counts.items())]


def charts_present(rows: Sequence[Row]) -> list[Row]:
    """Return "one chart of the source": rows kept, markets, tracks, first and last observed date."""
    table = []
    for chart in sorted({row["chart"] for row in rows}):
        own = [row for row in rows if row["chart"] == chart]
        table.append(
            {
                "chart": chart,
                "chart_rows": len(own),
                "markets": len({row["market"] for row in own}),
                "tracks": len({row["track_id"] for row in own}),
                "first_date": min(row["date"] for row in own),
                "last_date": max(row["date"] for row in own),
            }
        )
    return table


def nulls(rows: Sequence[Row], described: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """Return "one chart, market and year: what its rows lack", and on which dates no row of the chart has it."""
    of = {row["track_id"]: row for row in described}
    values = [
        {
            "streams": row["streams"],
            "title": None if is_blank(of[row["track_id"]]["title"]) else 1,
            "artist": None if is_blank(of[row["track_id"]]["artist"]) else 1,
            "licences": of[row["track_id"]]["available_markets"],
        }
        for row in rows
    ]
    table = []
    for chart, market, year in sorted({(row["chart"], row["market"], row["date"].year) for row in rows}):
        chosen = [
            at
            for at, row in enumerate(rows)
            if (row["chart"], row["market"], row["date"].year) == (chart, market, year)
        ]
        own: Row = {"chart": chart, "market": market, "year": year, "chart_rows": len(chosen)}
        for name in names:
            lacking = [at for at in chosen if values[at].get(name) is None]
            having = {rows[at]["date"] for at in chosen if values[at].get(name) is not None}
            own[f"{name}_missing"] = len(lacking)
            own[f"{name}_absent"] = sum(rows[at]["date"] not in having for at in lacking)
        table.append(own)
    return table


def peaks(rows: Sequence[Row], chart: str) -> list[Row]:
    """Return "one track id and market of one chart: when it was first there, and how high it came"."""
    dates: dict[tuple[str, str], list[date]] = defaultdict(list)
    ranks: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        if row["chart"] == chart:
            dates[row["track_id"], row["market"]].append(row["date"])
            ranks[row["track_id"], row["market"]].append(row["rank"])
    return [
        {"track_id": track, "market": market, "first_date": min(days), "best_rank": min(ranks[track, market])}
        for (track, market), days in sorted(dates.items())
    ]


def identities(tracks: Iterable[Row], identity: str) -> dict[str, str]:
    """Return for every track id the id that stands for it.

    "`recording`: ids of one normalised title + primary artist joined": the title in lower case, without accents, guest
    credits and remaster notes; the first of the credited artists "A, B". Where titles and artists are the same in
    another order, the artist who is first in the alphabet of those named first counts for all. The smallest id stands
    for all; an id without title or artist stays alone.
    """
    works: dict[str, tuple[str, list[str]]] = {}
    for track in tracks:
        title, artist = (fold(track[name] or "") for name in ("title", "artist"))
        notes = (
            r"\s*[(\[](feat\.?|ft\.?|featuring|with|con)\s[^)\]]*[)\]]",
            r"\s+-\s+[^-]*\bremaster(ed)?\b[^-]*$",
            r"\s*[(\[][^)\]]*\bremaster(ed)?\b[^)\]]*[)\]]",
        )
        title = without(title, "|".join(notes))
        title = without(title, r"\s+(- )?(feat\.|ft\.|featuring )[^()\[\]]*?(?=\s- |\s*[(\[]|$)")
        names = re.split(r" ?[,;&] ?| [x×] | (?:feat\.?|ft\.?|featuring|with|vs\.?) ", artist)
        works[track["track_id"]] = title, [name for name in names if name]
    ids: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for track_id, (title, names) in works.items():
        if identity == "track" or not title or not names:
            ids[(track_id,)].append(track_id)
            continue
        same = [other for what, other in works.values() if what == title and sorted(other) == sorted(names)]
        ids[title, min(other[0] for other in same)].append(track_id)
    return {track_id: min(own) for own in ids.values() for track_id in own}


def without(title: str, notes: str) -> str:
    """Return a title without notes, or as it is where the notes name another version of the recording."""
    versions = r"\b(remix|rmx|live|acoustic|instrumental|demo|karaoke|unplugged|sped up|slowed|cover)\b"
    short = fold(re.sub(notes, "", title))
    return short if len(re.findall(versions, short)) == len(re.findall(versions, title)) else title


def fold(text: str) -> str:
    """Return `text` in compatible form, lower case, with single spaces, without accents on Latin and Greek letters."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).lower())
    kept: list[str] = []
    for sign in apart:
        over = "\u0300" <= sign <= "\u036f"
        if not (over and kept and unicodedata.name(kept[-1], "").startswith(("LATIN", "GREEK"))):
            kept.append(sign)
    whole = unicodedata.normalize("NFKC", "".join(kept))
    for written, plain in zip("ςøđłıßæœ’‘", ("σ", "o", "d", "l", "i", "ss", "ae", "oe", "'", "'"), strict=True):
        whole = whole.replace(written, plain)
    return " ".join(whole.split())


def withheld(tracks: Iterable[Row], stands_for: Mapping[str, str], markets: Iterable[str]) -> list[Row]:
    """Return "one track and market whose licence list is known and leaves the market out".

    An unknown list means available. A recording is withheld only where every id of it is.
    """
    lists: dict[str, list[set[str] | None]] = defaultdict(list)
    for track in tracks:
        licences = track["available_markets"]
        lists[stands_for[track["track_id"]]].append(None if licences is None else set(ast.literal_eval(licences)))
    table = [
        {"track_id": track_id, "market": market}
        for track_id, licences in lists.items()
        for market in markets
        if all(known is not None and market not in known for known in licences)
    ]
    return ordered(table, "track_id", "market")


def chart_depths(rows: Sequence[Row]) -> list[Row]:
    """Return "one chart of one market, or of Global, on one date": its rows, best and deepest rank, and missing ranks.

    "Ranks from 1 to the deepest that are missing, other than those left out after ties": a rank is there for every row.
    """
    charts: dict[tuple[str, str, date], list[int]] = defaultdict(list)
    for row in rows:
        charts[row["chart"], row["market"], row["date"]].append(row["rank"])
    return [
        {
            "chart": chart,
            "market": market,
            "date": day,
            "chart_rows": len(ranks),
            "best_rank": min(ranks),
            "deepest_rank": max(ranks),
            "missing": max(max(ranks) - len(ranks), 0),
        }
        for (chart, market, day), ranks in sorted(charts.items())
    ]


def wholeness(depths: Sequence[Row], hole_share: float) -> list[Row]:
    """Return "one chart and market, or Global: how whole its charts are".

    The cadence is the most frequent number of days from one date to the next, the smallest of equals.
    """
    charts: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in depths:
        charts[row["chart"], row["market"]].append(row)
    table = []
    for (chart, market), own in sorted(charts.items()):
        days = [row["date"] for row in own]
        steps = Counter(map(days_between, days, days[1:]))
        table.append(
            {
                "chart": chart,
                "market": market,
                "first_date": days[0],
                "last_date": days[-1],
                "dates": len(days),
                "cadence": min(steps, key=lambda step: (-steps[step], step), default=None),
                "longest_step": max(steps, default=None),
                "chart_rows": sum(row["chart_rows"] for row in own),
                "depth_median": float(median(row["deepest_rank"] for row in own)),
                "depth_most": max(row["deepest_rank"] for row in own),
                "missing": sum(row["missing"] for row in own),
                "with_holes": sum(row["missing"] > hole_share * row["deepest_rank"] for row in own),
                "without_first": sum(row["best_rank"] > 1 for row in own),
            }
        )
    return table


# ── the calendar ─────────────────────────────────────────────────────────────────────────────────────────────────────


def coverage(rows: Sequence[Row]) -> list[Row]:
    """Return "which (market, chart, date) was observed, how deep, and which charts are stale", of one chart.

    A stale chart is "identical to the previous one, ranks and all". "A gap is long when nothing was observed in the
    market for more than 28 days"; a stretch without one is a span, counted from 1.
    """
    charts: dict[str, dict[date, set[tuple[str, int]]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        charts[row["market"]][row["date"]].add((row["track_id"], row["rank"]))
    table = []
    for market, by_date in sorted(charts.items()):
        previous, span = None, 1
        for day in sorted(by_date):
            if previous is not None and days_between(previous, day) > LONG_GAP:
                span += 1
            table.append(
                {
                    "market": market,
                    "chart": rows[0]["chart"],
                    "date": day,
                    "depth": len(by_date[day]),
                    "previous": previous,
                    "span": span,
                    "stale": previous is not None and by_date[day] == by_date[previous],
                }
            )
            previous = day
    return table


def spans(covered: Sequence[Row]) -> list[Row]:
    """Return "one stretch of a market's coverage without a long gap": its dates, depths and stale charts."""
    stretches: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in covered:
        stretches[row["market"], row["span"]].append(row)
    return [
        {
            "market": market,
            "chart": rows[0]["chart"],
            "span": span,
            "first_date": min(row["date"] for row in rows),
            "last_date": max(row["date"] for row in rows),
            "dates": len(rows),
            "depth_least": min(row["depth"] for row in rows),
            "depth_median": float(median(row["depth"] for row in rows)),
            "stale": sum(row["stale"] for row in rows),
        }
        for (market, span), rows in sorted(stretches.items())
    ]


def calendar_periods(covered: Sequence[Row]) -> list[Row]:
    """Return every observed date, and whether more than half of the markets in coverage were observed on it."""
    stretches, table, periods = spans(covered), [], 0
    for day in sorted({row["date"] for row in covered}):
        observed = sum(row["date"] == day for row in covered)
        expected = sum(span["first_date"] <= day <= span["last_date"] for span in stretches)
        counts = observed > expected / 2
        periods += counts
        table.append({"date": day, "observed": observed, "covered": expected, "counts": counts, "periods": periods})
    return table


def datable(covered: Sequence[Row], min_periods: int) -> list[Row]:
    """Return the dates on which a stay of so many charts can be seen: all but the first few of each stretch."""
    seen: Counter[tuple[str, int]] = Counter()
    table = []
    for row in covered:
        seen[row["market"], row["span"]] += 1
        if seen[row["market"], row["span"]] >= min_periods:
            table.append(row)
    return table


def is_covered(stretches: Sequence[Row], market: str, day: date, washout: int) -> Row | None:
    """Return the span of `market` in which `day` is past the washout, None where there is none.

    "in coverage and past its washout (first date of b + washout ≤ day ≤ last date of b)"; "the washout begins again"
    after a long gap.
    """
    for span in stretches:
        if span["market"] == market and span["first_date"] + timedelta(washout) <= day <= span["last_date"]:
            return span
    return None


# ── entries and debuts ───────────────────────────────────────────────────────────────────────────────────────────────


def entries(
    rows: Sequence[Row],
    stands_for: Mapping[str, str],
    *,
    top: int | None = None,
    min_periods: int = 1,
    washout: int,
) -> list[Row]:
    """Return every track's first event in every market.

    "Event: first appearance at rank ≤ `top`, optionally staying ≥ `min_periods`": a run of at least that many
    consecutive observed charts of the market, not across a long gap. "It is dated at its k-th period." `last_without`
    is the market's observed date before. "`left_censored` when it falls within `washout` (entry < first date +
    washout)" of its span, of which the first date that could show a run counts. Of several ids of a recording the best
    placed counts.
    """
    covered = coverage(rows)
    first_dates = {(span["market"], span["span"]): span["first_date"] for span in spans(datable(covered, min_periods))}
    placed: dict[tuple[str, str, date], Row] = {}
    for row in rows:
        place = (stands_for[row["track_id"]], row["market"], row["date"])
        if (top is None or row["rank"] <= top) and (place not in placed or row["rank"] < placed[place]["rank"]):
            placed[place] = row
    table = []
    for track_id in sorted({track_id for track_id, _, _ in placed}):
        for market in sorted({row["market"] for row in covered}):
            dates = [row for row in covered if row["market"] == market]
            for at, first in enumerate(dates):
                run = [row for row in dates[at : at + min_periods] if row["span"] == first["span"]]
                if len(run) == min_periods and all((track_id, market, row["date"]) in placed for row in run):
                    last = run[-1]
                    row = placed[track_id, market, last["date"]]
                    washed = first_dates[market, last["span"]] + timedelta(washout)
                    table.append(
                        {
                            "track_id": track_id,
                            "market": market,
                            "chart": row["chart"],
                            "entry": last["date"],
                            "last_without": last["previous"],
                            "rank": row["rank"],
                            "streams": row["streams"],
                            "left_censored": last["date"] < washed,
                        }
                    )
                    break
    return table


def absences(rows: Sequence[Row], stands_for: Mapping[str, str], *, periods: int) -> list[Row]:
    """Return every track's absences from all charts.

    "Left every chart for ≥ n periods", "dated when it becomes known (the n-th absent period)". A period is a date on
    which more than half of the markets in coverage were observed; a track that is seen on another date is there too.
    """
    shared = {row["date"] for row in calendar_periods(coverage(rows)) if row["counts"]}
    seen: dict[str, set[date]] = defaultdict(set)
    for row in rows:
        seen[stands_for[row["track_id"]]].add(row["date"])
    table = []
    for track_id, own in sorted(seen.items()):
        last_on, missed, left_on = None, 0, None
        for day in sorted(shared | own):
            if day in own:
                if left_on is not None:
                    table.append({"track_id": track_id, "last_on": last_on, "left_on": left_on, "back_on": day})
                last_on, missed, left_on = day, 0, None
            elif last_on is not None:
                missed += 1
                left_on = day if missed == periods else left_on
        if left_on is not None:
            table.append({"track_id": track_id, "last_on": last_on, "left_on": left_on, "back_on": None})
    return table


def first_dates(rows: Sequence[Row], codes: Mapping[str, int]) -> list[Row]:
    """Return every track's first date on one chart."""
    first: dict[int, date] = {}
    for row in rows:
        track = codes[row["track_id"]]
        first[track] = min(row["date"], first.get(track, row["date"]))
    return [{"track": track, "first_date": day} for track, day in sorted(first.items())]


def chart_ends(rows: Sequence[Row], stands_for: Mapping[str, str]) -> list[Row]:
    """Return last position and streams of every chart; of several ids of a recording the best placed counts."""
    best: dict[tuple[date, str, str], Row] = {}
    for row in rows:
        place = row["date"], row["market"], stands_for[row["track_id"]]
        if place not in best or row["rank"] < best[place]["rank"]:
            best[place] = row
    held: dict[tuple[date, str], list[Row]] = defaultdict(list)
    for (day, market, _), row in best.items():
        held[day, market].append(row)
    return [
        {
            "date": day,
            "market": market,
            "last_rank": max(row["rank"] for row in held[day, market]),
            "streams": float(sum(row["streams"] or 0 for row in held[day, market])),
        }
        for day, market in sorted(held)
    ]


def track_rows(rows: Sequence[Row], codes: Mapping[str, int], dates: set[date]) -> list[Row]:
    """Return the number of rows of every track on some dates, and the first of them by date and market."""
    own: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for row in rows:
        if row["date"] in dates:
            own[codes[row["track_id"]]].append((row["date"], row["market"]))
    return [
        {"track": track, "first_date": min(places)[0], "first_market": min(places)[1], "chart_rows": len(places)}
        for track, places in sorted(own.items())
    ]


def asked_positions(rows: Sequence[Row], codes: Mapping[str, int], asked: set[tuple[int, date]]) -> list[Row]:
    """Return the rows of one chart of some tracks on some dates each."""
    found = [{**row, "track": codes[row["track_id"]]} for row in rows]
    kept = [row for row in found if (row["track"], row["date"]) in asked]
    return sorted(kept, key=lambda row: (row["date"], row["market"], row["track"]))


def by_track(entered: Sequence[Row]) -> dict[str, dict[str, Row]]:
    """Return track → market → its entry."""
    table: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in entered:
        table[row["track_id"]][row["market"]] = row
    return dict(sorted(table.items()))


def debuts(entered: Sequence[Row]) -> list[Row]:
    """Return the day 0 of every track.

    "Debut = day 0: a track's earliest entry over all markets; footprint = the markets entered on day 0. A debut is
    left-censored when every entry of its footprint is."
    """
    table = []
    for track_id, own in by_track(entered).items():
        debut = min(row["entry"] for row in own.values())
        footprint = [row for row in own.values() if row["entry"] == debut]
        table.append(
            {
                "track_id": track_id,
                "debut": debut,
                "footprint": len(footprint),
                "left_censored": all(row["left_censored"] for row in footprint),
                "markets": len(own),
            }
        )
    return table


def footprints(entered: Sequence[Row]) -> list[Row]:
    """Return "the markets entered on day 0" of every track."""
    day_0 = {row["track_id"]: row["debut"] for row in debuts(entered)}
    table = [
        {
            "track_id": row["track_id"],
            "market": row["market"],
            "debut": row["entry"],
            "left_censored": row["left_censored"],
        }
        for row in entered
        if row["entry"] == day_0[row["track_id"]]
    ]
    return ordered(table, "track_id", "market")


def journeys(entered: Sequence[Row]) -> list[Row]:
    """Return "a track's entries in order with ties as sets": the steps are the dates in order, from 1."""
    table = []
    for own in by_track(entered).values():
        dates = sorted({row["entry"] for row in own.values()})
        for market, row in sorted(own.items()):
            table.append(
                {
                    "track_id": row["track_id"],
                    "step": dates.index(row["entry"]) + 1,
                    "market": market,
                    "entry": row["entry"],
                    "last_without": row["last_without"],
                    "days": days_between(dates[0], row["entry"]),
                    "rank": row["rank"],
                    "left_censored": row["left_censored"],
                }
            )
    return table


# ── waits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def waits(
    entered: Sequence[Row],
    stretches: Sequence[Row],
    unlicensed: Iterable[tuple[str, str]] = (),
    *,
    washout: int,
    horizon: int,
) -> list[Row]:
    """Return how long each track was at risk of entering each market outside its footprint.

    "The clock starts at day 0, or when the market's washout ends (delayed entry); it ends at entry (event), at a
    coverage end or long gap, at the horizon, or at the end of the data (censored). A market in the footprint has no
    wait. `available_markets`, where known, restricts the risk set." Left-censored debuts are kept out. There is one
    wait for a track and market: in the first span in which the track can be at risk. It is so on day t when
    start < t ≤ days.
    """
    own = by_track(entered)
    unlicensed = set(unlicensed)
    table = []
    for debut in debuts(entered):
        if debut["left_censored"]:
            continue
        track_id, day_0 = debut["track_id"], debut["debut"]
        for market in sorted({span["market"] for span in stretches}):
            entry = own[track_id][market]["entry"] if market in own[track_id] else None
            if entry == day_0 or (track_id, market) in unlicensed:
                continue
            span = first_at_risk(stretches, market, day_0, washout, horizon)
            if span is None:
                continue
            clock = max(day_0, span["first_date"] + timedelta(washout))
            if entry is not None and entry < clock:
                continue
            end = min(span["last_date"], day_0 + timedelta(horizon))
            if entry is not None and entry <= end:
                end = entry
            table.append(
                {
                    "track_id": track_id,
                    "market": market,
                    "debut": day_0,
                    "footprint": debut["footprint"],
                    "start": max(0, days_between(day_0, span["first_date"]) + washout - 1),
                    "days": days_between(day_0, end),
                    "entered": end == entry,
                }
            )
    return table


def first_at_risk(stretches: Sequence[Row], market: str, day_0: date, washout: int, horizon: int) -> Row | None:
    """Return the first span of `market` that has a day after `day_0`, past its washout and up to the horizon."""
    for span in ordered((span for span in stretches if span["market"] == market), "first_date"):
        washed = span["first_date"] + timedelta(washout)
        if span["last_date"] > day_0 and washed <= span["last_date"] and washed <= day_0 + timedelta(horizon):
            return span
    return None


# ── transitions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def order_observed(first: Row, then: Row) -> bool:
    """Return whether one entry was seen to come before another.

    "Order must be observed: entry_a ≤ `last_without` of b." Without a date before, it was not.
    """
    return then["last_without"] is not None and first["entry"] <= then["last_without"]


def is_tie(one: Row, other: Row) -> bool:
    """Return whether two entries of a track are tied: "both entries timed and neither order observed"."""
    timed = not one["left_censored"] and not other["left_censored"]
    return timed and not order_observed(one, other) and not order_observed(other, one)


def timed_journeys(entered: Sequence[Row]) -> list[dict[str, Row]]:
    """Return market → entry of every track with a timed debut: others "are kept out of every timed analysis"."""
    own = by_track(entered)
    return [own[debut["track_id"]] for debut in debuts(entered) if not debut["left_censored"]]


def ties(entered: Sequence[Row]) -> list[Row]:
    """Return by ordered pair the tracks with a tie: "counted on its own, never dropped and never split at random"."""
    joint: Counter[tuple[str, str]] = Counter()
    for own in timed_journeys(entered):
        for source in own:
            for target in own:
                if source != target and is_tie(own[source], own[target]):
                    joint[source, target] += 1
    return [{"source": a, "target": b, "joint": tracks} for (a, b), tracks in sorted(joint.items())]


def exposures(
    entered: Sequence[Row], stretches: Sequence[Row], *, washout: int, window: int
) -> dict[tuple[str, str], list[tuple[int, bool]]]:
    """Return by ordered pair the follow-up of every exposed track: days, and whether it ended with the target.

    "`exposed`: tracks with a timed debut and a timed entry into a on a day when b is in coverage and past its washout,
    b not entered by then and not tied, and b's own entry, if any, not left-censored within the stretch of coverage that
    holds entry_a (left-censored after a later long gap: follow-up ends at the gap). `tracks`: those of them with
    0 < entry_b − entry_a ≤ w." Follow-up ends with the window, or with b's coverage if that is earlier.
    """
    followed: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
    for own in timed_journeys(entered):
        for a, entry_a in own.items():
            for b in {span["market"] for span in stretches} - {a}:
                entry_b = own.get(b)
                span = is_covered(stretches, b, entry_a["entry"], washout)
                if entry_a["left_censored"] or span is None:
                    continue
                days = min(window, days_between(entry_a["entry"], span["last_date"]))
                if entry_b is None:
                    followed[a, b].append((days, False))
                    continue
                lag = days_between(entry_a["entry"], entry_b["entry"])
                within = span["first_date"] <= entry_b["entry"] <= span["last_date"]
                if lag <= 0 or (entry_b["left_censored"] and within) or is_tie(entry_a, entry_b):
                    continue
                followed[a, b].append((min(lag, days), lag <= days))
    return followed


def lags(entered: Sequence[Row], stretches: Sequence[Row], *, washout: int, window: int) -> list[Row]:
    """Return by ordered pair and day of follow-up how many exposed tracks entered or were censored then."""
    table = []
    for (a, b), followed in sorted(exposures(entered, stretches, washout=washout, window=window).items()):
        for day in sorted({days for days, _ in followed}):
            arrived = [entered_b for days, entered_b in followed if days == day]
            table.append(
                {
                    "source": a,
                    "target": b,
                    "days": day,
                    "entered": arrived.count(True),
                    "censored": arrived.count(False),
                }
            )
    return table


def kaplan_meier(followed: Sequence[tuple[int, bool]]) -> float:
    """Return the probability of the event by the end of follow-up: "one minus Kaplan–Meier among the exposed"."""
    survival = 1.0
    for day in sorted({days for days, event in followed if event}):
        at_risk = sum(days >= day for days, _ in followed)
        survival *= 1 - sum(days == day and event for days, event in followed) / at_risk
    return 1 - survival


def transitions(
    entered: Sequence[Row], stretches: Sequence[Row], markets: Sequence[str], *, washout: int, window: int
) -> list[Row]:
    """Return the counts, rate and lag quantiles of every ordered pair of observed markets, which are in order."""
    followed = exposures(entered, stretches, washout=washout, window=window)
    joint = {(row["source"], row["target"]): row["joint"] for row in ties(entered)}
    table = []
    for a in markets:
        for b in markets:
            if a == b:
                continue
            exposed = followed.get((a, b), [])
            arrived = [days for days, event in exposed if event]
            quantiles = [float(q) for q in np.quantile(arrived, [0.25, 0.5, 0.75])] if arrived else [None] * 3
            table.append(
                {
                    "source": a,
                    "target": b,
                    "tracks": len(arrived),
                    "joint": joint.get((a, b), 0),
                    "exposed": len(exposed),
                    "rate": kaplan_meier(exposed) if exposed else None,
                    "lag_q25": quantiles[0],
                    "lag_median": quantiles[1],
                    "lag_q75": quantiles[2],
                    "followed_to": max(days for days, _ in exposed) if exposed else None,
                }
            )
    return table

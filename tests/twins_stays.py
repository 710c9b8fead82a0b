"""Slow plain-Python twins of the relations of stays and of streams in ``diffusion/sql``; see `tests.twins`."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from tests import twins
from tests.twins import Row, days_between, ordered

Place = tuple[str, str]
"""Track and market."""


def whole_sum(numbers: Sequence[int | None]) -> int | None:
    """Return a sum, or None where one of the numbers is missing."""
    return (
        None if any(number is None for number in numbers) else sum(number for number in numbers if number is not None)
    )


def placed(rows: Sequence[Row], stands_for: Mapping[str, str], top: int | None) -> dict[Place, dict[date, Row]]:
    """Return track and market → date → its best rank and all its streams."""
    found: dict[Place, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if top is None or row["rank"] <= top:
            found[stands_for[row["track_id"]], row["market"]][row["date"]].append(row)
    return {
        place: {
            day: {"rank": min(row["rank"] for row in own), "streams": whole_sum([row["streams"] for row in own])}
            for day, own in sorted(by_date.items())
        }
        for place, by_date in found.items()
    }


def spells(rows: Sequence[Row], stands_for: Mapping[str, str], *, top: int | None) -> list[Row]:
    """Return "a stay on observed charts in a row, without a long gap".

    The charts of the market are read one after the other: a track that is there goes on, or begins anew; one that is
    not, or a long gap, ends its spell.
    """
    covered = twins.coverage(rows)
    table = []
    for (track_id, market), by_date in placed(rows, stands_for, top).items():
        dates = [row for row in covered if row["market"] == market]
        own: list[list[Row]] = []
        there = False
        for chart in dates:
            goes_on = there and own[-1][-1]["span"] == chart["span"]
            there = chart["date"] in by_date
            if there and not goes_on:
                own.append([])
            if there:
                own[-1].append({**chart, **by_date[chart["date"]]})
        for number, charts in enumerate(own, start=1):
            best = min(row["rank"] for row in charts)
            at_best = [row["date"] for row in charts if row["rank"] == best]
            stretch = [row["date"] for row in dates if row["span"] == charts[0]["span"]]
            before = own[number - 2][-1] if number > 1 else None
            together = before is not None and before["span"] == charts[0]["span"]
            table.append(
                {
                    "track_id": track_id,
                    "market": market,
                    "spell": number,
                    "first_date": charts[0]["date"],
                    "last_date": charts[-1]["date"],
                    "charts": len(charts),
                    "best_rank": best,
                    "best_on": at_best[0],
                    "best_until": at_best[-1],
                    "streams": whole_sum([row["streams"] for row in charts]),
                    "left_censored": charts[0]["date"] == stretch[0],
                    "right_censored": charts[-1]["date"] == stretch[-1],
                    "away": days_between(before["date"], charts[0]["date"]) if before and together else None,
                }
            )
    return ordered(table, "track_id", "market", "spell")


def trajectories(stays: Sequence[Row], stretches: Sequence[Row], *, washout: int) -> list[Row]:
    """Return "the track's spells in a market put together"."""
    own: dict[Place, list[Row]] = defaultdict(list)
    for row in stays:
        own[row["track_id"], row["market"]].append(row)
    table = []
    for (track_id, market), charts in sorted(own.items()):
        first, last = charts[0], charts[-1]
        best = min(row["best_rank"] for row in charts)
        (stretch,) = [
            span
            for span in stretches
            if span["market"] == market and span["first_date"] <= first["first_date"] <= span["last_date"]
        ]
        best_on = min(row["best_on"] for row in charts if row["best_rank"] == best)
        table.append(
            {
                "track_id": track_id,
                "market": market,
                "entry": first["first_date"],
                "left_censored": first["first_date"] < stretch["first_date"] + timedelta(washout),
                "charts": sum(row["charts"] for row in charts),
                "best_rank": best,
                "best_on": best_on,
                "best_until": max(row["best_until"] for row in charts if row["best_rank"] == best),
                "days_to_best": days_between(first["first_date"], best_on),
                "last_date": last["last_date"],
                "right_censored": last["right_censored"],
                "spells": len(charts),
                "returns": sum(row["away"] is not None for row in charts),
                "first_charts": first["charts"],
                "first_until": first["last_date"],
                "first_ended": not first["right_censored"],
                "away": charts[1]["away"] if len(charts) > 1 else None,
                "followed": days_between(first["last_date"], stretch["last_date"]),
                "one_chart": sum(row["charts"] for row in charts) == 1,
                "streams": whole_sum([row["streams"] for row in charts]),
            }
        )
    return table


def profiles(
    ways: Sequence[Row], rows: Sequence[Row], stands_for: Mapping[str, str], *, top: int | None, charts: int
) -> list[Row]:
    """Return how many trajectories had each value some charts after a point, of those whose charts were all observed.

    The ratio of streams is cut down to hundredths of log10.
    """
    covered, seen = twins.coverage(rows), placed(rows, stands_for, top)
    counts: Counter[tuple[str, int, str, int]] = Counter()
    followed: Counter[str] = Counter()
    for way in ways:
        dates = [row for row in covered if row["market"] == way["market"]]
        for aligned, point, back in (("entry", way["entry"], 0), ("best rank", way["best_on"], charts)):
            (at,) = [place for place, row in enumerate(dates) if row["date"] == point]
            window = dates[max(at - back, 0) : at + charts + 1]
            whole = len(window) == back + charts + 1 and len({row["span"] for row in window}) == 1
            if way["left_censored"] or not whole:
                continue
            followed[aligned] += 1
            own = seen[way["track_id"], way["market"]]
            values = {place - back: own[row["date"]] for place, row in enumerate(window) if row["date"] in own}
            most = max((row["streams"] for row in values.values() if row["streams"] is not None), default=0)
            for offset, row in values.items():
                counts[aligned, offset, "rank", row["rank"]] += 1
                if row["streams"]:
                    ratio = 43.42944819032518 * (math.log(row["streams"]) - math.log(most))
                    counts[aligned, offset, "streams", math.floor(ratio)] += 1
    table = [
        {
            "aligned": aligned,
            "charts": offset,
            "measure": measure,
            "value": value,
            "trajectories": number,
            "followed": followed[aligned],
        }
        for (aligned, offset, measure, value), number in counts.items()
    ]
    return ordered(table, "aligned", "charts", "measure", "value")


def in_ten_thousandths(number: int) -> int:
    """Return log10 of a number in ten-thousandths, cut down."""
    return math.floor(4342.944819032518 * math.log(number))


def stream_counts(rows: Sequence[Row]) -> list[Row]:
    """Return how many rows have each number of streams."""
    counts = Counter(row["streams"] for row in rows if row["streams"] is not None)
    return [{"streams": streams, "chart_rows": number} for streams, number in sorted(counts.items())]


def chart_sums(rows: Sequence[Row]) -> list[Row]:
    """Return the sums of every chart, over its rows with streams."""
    charts: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for row in rows:
        charts[row["market"], row["date"]].append(row)
    table = []
    for (market, day), own in sorted(charts.items()):
        streamed = [row for row in own if row["streams"]]
        table.append(
            {
                "market": market,
                "date": day,
                "chart_rows": len(own),
                "streamed_rows": len(streamed),
                "streams": sum(row["streams"] for row in streamed),
                "log": sum(in_ten_thousandths(row["streams"]) for row in streamed),
                "log_rank": sum(in_ten_thousandths(row["rank"]) for row in streamed),
            }
        )
    return table


def track_sums(rows: Sequence[Row], codes: Mapping[str, int]) -> list[Row]:
    """Return the sums of every track, over its rows with streams; charts' means are whole ten-thousandths."""
    levels = {
        (row["market"], row["date"]): tuple(
            round(row[name] / max(row["streamed_rows"], 1)) for name in ("log", "log_rank")
        )
        for row in chart_sums(rows)
    }
    tracks: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        tracks[row["track_id"]].append(row)
    table = []
    for track_id, own in tracks.items():
        sums: Counter[str] = Counter(chart_rows=len(own))
        for row in own:
            if not row["streams"]:
                continue
            log, log_rank, rank = in_ten_thousandths(row["streams"]), in_ten_thousandths(row["rank"]), row["rank"]
            level, lower_level = levels[row["market"], row["date"]]
            above, lower = log - level, log_rank - lower_level
            sums.update(streamed_rows=1, log=log, log_log=log * log, above=above, above_above=above * above)
            sums.update(rank=rank, rank_rank=rank * rank, rank_log=rank * log, rank_above=rank * above)
            sums.update(log_rank=log_rank, log_rank_log_rank=log_rank * log_rank, log_rank_log=log_rank * log)
            sums.update(log_rank_above=log_rank * above, lower_lower=lower * lower, lower_above=lower * above)
        table.append({"track": codes[track_id], **sums})
    return ordered(table, "track")

"""The slow twin of groups of markets: day by day and member by member, as `Entries.group_markets` defines them."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from tests import twins
from tests.twins import Row


def coverage(covered: Sequence[Row], name: str, members: Sequence[str], min_periods: int) -> list[Row]:
    """Return the calendar with a group in place of its members.

    "A group is in coverage while all its members on the charts are": on a day within one stretch of each, of the dates
    on which an event can be dated. It is observed on the days on which some member is.
    """
    stretches = twins.spans(twins.datable(covered, min_periods))
    table = [row for row in covered if row["market"] not in members]
    previous, place, number = None, None, 0
    for day in sorted({row["date"] for row in covered if row["market"] in members}):
        there = [twins.is_covered(stretches, market, day, 0) for market in members]
        if None in there:
            continue
        own = tuple(span["span"] for span in there if span is not None)
        number += own != place
        charts = [row for row in covered if row["market"] in members and row["date"] == day]
        table.append(
            {
                "market": name,
                "chart": charts[0]["chart"],
                "date": day,
                "depth": sum(row["depth"] for row in charts),
                "previous": previous,
                "span": number,
                "stale": all(row["stale"] for row in charts),
            }
        )
        previous, place = day, own
    return twins.ordered(table, "market", "date")


def entries(
    entered: Sequence[Row],
    covered: Sequence[Row],
    stretches: Sequence[Row],
    name: str,
    members: Sequence[str],
    washout: int,
) -> list[Row]:
    """Return the entries with a group in place of its members.

    Parameters
    ----------
    covered
        The calendar of the members.
    stretches
        The spans of the grouped calendar.
    """
    table = [row for row in entered if row["market"] not in members]
    for track_id, own in twins.by_track(entered).items():
        mine = [own[market] for market in members if market in own]
        if not mine:
            continue
        first = min(mine, key=lambda row: (row["entry"], row["rank"], row["market"]))
        timed = twins.is_covered(stretches, name, first["entry"], washout) is not None
        before = [row["last_without"] for row in mine]
        if timed:
            last_without = last_day_without(first["entry"], {row["market"]: row["entry"] for row in mine}, covered)
        else:
            last_without = None if None in before else min(before)
        table.append(
            {**first, "market": name, "track_id": track_id, "last_without": last_without, "left_censored": not timed}
        )
    return twins.ordered(table, "track_id", "market")


def last_day_without(entry: date, entered: dict[str, date], covered: Sequence[Row]) -> date | None:
    """Return the last day before an entry by which no member entered had its event, as far as its charts show."""
    day, begin = entry - timedelta(1), min(row["date"] for row in covered)
    while day >= begin:
        free = [
            any(row["market"] == market and day <= row["date"] < own for row in covered)
            for market, own in entered.items()
        ]
        if all(free):
            return day
        day -= timedelta(1)
    return None


def withheld(unlicensed: Iterable[Row], name: str, members: Sequence[str]) -> list[Row]:
    """Return the pairs without licence: of the group, where it is lacking in every member."""
    rows = list(unlicensed)
    table = [row for row in rows if row["market"] not in members]
    for track_id in {row["track_id"] for row in rows}:
        if {row["market"] for row in rows if row["track_id"] == track_id} >= set(members):
            table.append({"track_id": track_id, "market": name})
    return twins.ordered(table, "track_id", "market")

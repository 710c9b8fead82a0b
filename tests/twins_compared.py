"""Slow twins, in plain Python, of what is counted over charts of some dates that are held against each other."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from tests.twins import Row

Held = dict[tuple[str, date], dict[str, int]]
"""Market and date → track → its best rank."""


def held_on(rows: Sequence[Row], stands_for: Mapping[str, str], dates: set[date]) -> Held:
    """Return the charts of some dates, ids of one recording as one track with the best rank."""
    held: Held = defaultdict(dict)
    for row in rows:
        if row["date"] in dates:
            own, track = held[row["market"], row["date"]], stands_for[row["track_id"]]
            own[track] = min(row["rank"], own.get(track, row["rank"]))
    return dict(sorted(held.items()))


def depths_on(held: Held) -> list[Row]:
    """Return how many tracks every chart has."""
    return [{"market": market, "date": day, "depth": len(own)} for (market, day), own in held.items()]


def shared_tracks(held: Held) -> list[Row]:
    """Return how many tracks two charts of one date have in common, where they have any."""
    table = [
        {"date": day, "market": market, "other": other, "tracks": len(own.keys() & held[other, later].keys())}
        for (market, day), own in held.items()
        for other, later in held
        if day == later and market < other
    ]
    return sorted((row for row in table if row["tracks"]), key=lambda row: (row["date"], row["market"], row["other"]))


def stayed_tracks(held: Held) -> list[Row]:
    """Return how many tracks of a chart were on the market's chart of the date before, and how far they moved."""
    table, dates = [], sorted({day for _, day in held})
    for market in sorted({market for market, _ in held}):
        for before, day in pairwise(dates):
            old, new = held.get((market, before), {}), held.get((market, day), {})
            if both := old.keys() & new.keys():
                ranks = sum(abs(old[track] - new[track]) for track in both)
                table.append({"market": market, "date": day, "tracks": len(both), "ranks": ranks})
    return table


def local_places(held: Held, tracks: Sequence[Row], *, recent: int) -> list[Row]:
    """Return how many places are held by artists who have half of their recent places, or more, in the market.

    The artist is the one named first; a track without one has an artist of its own.
    """
    singer = {}
    for track in tracks:
        name = (track["artist"] or "").lower().split(",")[0].strip()
        singer[track["track_id"]] = name or ("nobody", track["track_id"])
    table, dates = [], sorted({day for _, day in held})
    for (market, day), own in held.items():
        here = dates.index(day)
        quarter = dates[max(here - recent + 1, 0) : here + 1]
        places = Counter((singer[track], code) for (code, when), on in held.items() if when in quarter for track in on)
        of_all = Counter({artist: 0 for artist, _ in places})
        for (artist, _), number in places.items():
            of_all[artist] += number
        number = sum(2 * places[singer[track], market] >= of_all[singer[track]] for track in own)
        if number:
            table.append({"market": market, "date": day, "places": number})
    return table

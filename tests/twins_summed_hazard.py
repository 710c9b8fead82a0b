"""The likelihood of the summed hazard, written as it is said: track by track, interval by interval, day by day."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise

import diffusion


@dataclass(frozen=True)
class Chances:
    """All that sets the hazards of one target: α and median lag by source, background by (year, age class)."""

    alpha: Mapping[str, float]
    median: Mapping[str, float]
    hazard: Mapping[tuple[int, int], float]


@cache
def rate(median: float, window: int) -> float:
    """Return the rate of the exponential, cut off at the window, that has this median: found by bisection."""
    low, high = 1e-9, 100 / median
    for _ in range(200):
        theta = (low + high) / 2
        reached = (1 - math.exp(-theta * median)) / (1 - math.exp(-theta * window))
        low, high = (theta, high) if reached < 0.5 else (low, theta)
    return low


def share_reached(days: float, median: float, window: int) -> float:
    """Return F, the share of transmissions that are over after so many days."""
    theta = rate(median, window)
    return (1 - math.exp(-theta * min(max(days, 0), window))) / (1 - math.exp(-theta * window))


def chain(dates: Sequence[int], span: tuple[int, int], debut: int, washout: int, horizon: int) -> list[tuple[int, int]]:
    """Return the intervals between observed days of one stretch in which a track is at risk."""
    inside = [day for day in dates if span[0] <= day <= span[1]]
    pairs = pairwise(inside)
    return [(left, right) for left, right in pairs if right >= span[0] + washout and debut < right <= debut + horizon]


def log_likelihood(
    entries: diffusion.Entries, target: str, chances: Chances, *, window: int, horizon: int, ages: Sequence[int]
) -> tuple[float, int]:
    """Return the log-likelihood of the entries into one market, and how many were events."""
    washout = entries.rules.washout
    dates = sorted(row["date"].toordinal() for row in entries.calendar.coverage.to_pylist() if row["market"] == target)
    spans = sorted(
        (row["first_date"].toordinal(), row["last_date"].toordinal())
        for row in entries.calendar.arrow("spans").to_pylist()
        if row["market"] == target
    )
    withheld = {(row["track_id"], row["market"]) for row in entries.withheld.to_pylist()}
    journeys: dict[str, dict[str, tuple[int, bool]]] = {}
    for row in entries.table.to_pylist():
        journeys.setdefault(row["track_id"], {})[row["market"]] = (row["entry"].toordinal(), row["left_censored"])
    total, events = 0.0, 0
    for track, journey in journeys.items():
        debut = min(day for day, _ in journey.values())
        if all(censored for day, censored in journey.values() if day == debut) or (track, target) in withheld:
            continue
        able = [span for span in spans if span[1] > debut and span[0] + washout <= span[1]]
        if not able or able[0][0] + washout > debut + horizon:
            continue
        entered = journey.get(target, (10**9, False))[0]
        if entered <= max(debut, able[0][0], able[0][0] + washout - 1):
            continue
        for left, right in chain(dates, able[0], debut, washout, horizon):
            hazard = 0.0
            for day in range(max(left, debut) + 1, right + 1):
                age = max(start for start in ages if start < day - debut)
                hazard += chances.hazard[date.fromordinal(day).year, age]
            for source, (day, censored) in journey.items():
                if source != target and not censored and day <= left:
                    over = share_reached(right - day, chances.median[source], window)
                    hazard += chances.alpha[source] * (over - share_reached(left - day, chances.median[source], window))
            if entered == right:
                total, events = total + math.log(-math.expm1(-hazard)), events + 1
                break
            total -= hazard
    return total, events

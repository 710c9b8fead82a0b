"""Slow plain twins of the baseline: steps and markets at risk row by row, sums pair by pair."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import numpy as np

from tests.random_charts import Study
from tests.twins import Row


@dataclass(frozen=True)
class Step:
    """One timed entry after a debut: market → days since its previous chart, of those at risk; sender → days."""

    track: str
    market: str
    day: date
    age: int
    since: Mapping[str, int | None]
    lag: Mapping[str, int]
    entered: frozenset[str]


def steps(study: Study, withheld: set[tuple[str, str]], *, horizon: int) -> list[Step]:
    """Return the steps of all tracks."""
    own: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in study.entries:
        own[row["track_id"]][row["market"]] = row
    found = []
    for track, rows in own.items():
        debut = min(row["entry"] for row in rows.values())
        if all(row["left_censored"] for row in rows.values() if row["entry"] == debut):
            continue
        for market, row in rows.items():
            age = (row["entry"] - debut).days
            if row["left_censored"] or not 0 < age <= horizon:
                continue
            before = {b: r for b, r in rows.items() if r["entry"] < row["entry"]}
            since = {}
            for chart in study.coverage:
                other = chart["market"]
                if chart["date"] != row["entry"] or other in before or (track, other) in withheld:
                    continue
                if followed(study, other, debut, chart["date"], horizon):
                    previous = chart["previous"]
                    since[other] = None if previous is None else (chart["date"] - previous).days
            if market in since:
                lag = {b: (row["entry"] - r["entry"]).days for b, r in before.items() if not r["left_censored"]}
                found.append(Step(track, market, row["entry"], age, since, lag, frozenset(before)))
    return found


def followed(study: Study, market: str, debut: date, day: date, horizon: int) -> bool:
    """Return whether a market is past the washout of the first stretch that can follow a track of this debut."""
    for span in study.spans:
        begin = span["first_date"] + timedelta(study.washout)
        if span["market"] != market or begin > span["last_date"] or span["last_date"] <= debut:
            continue
        return bool(begin <= day <= span["last_date"] and begin <= debut + timedelta(horizon))
    return False


def language_class(shared: int, entered: int) -> str:
    """Return the name of the class of a market that shares its language with some of the markets entered."""
    if not shared:
        return "none"
    share = shared / entered
    part = "all" if share >= 0.99 else "half or more" if share >= 0.5 else "few"
    return f"{shared if shared < 3 else '3 or more'}, {part}"


def past_class(study: Study, artists: Mapping[str, str], step: Step, market: str) -> str:
    """Return the name of the class of what the artist's other tracks did in a market before the day."""
    mine = [
        row
        for row in study.entries
        if artists.get(row["track_id"], row["track_id"]) == artists.get(step.track, step.track)
        and row["market"] == market
        and row["entry"] < step.day
    ]
    return ("none", "once", "more often")[min(len(mine), 2)]


Term = tuple[str, float, float, float]
"""Track of a step, and what it adds to observed, expected and the model's variance."""


def terms(
    found: Sequence[Step],
    chances: Sequence[Mapping[str, float]],
    a: str,
    b: str,
    *,
    window: int,
    kernel: str = "indicator",
    ties: str = "apart",
) -> list[Term]:
    """Return the steps that follow an entry into `a`, and how each counts for `b`."""
    counted = []
    for step, chance in zip(found, chances, strict=True):
        if follows(step, a, b, window):
            weight = 2 ** (-4 * step.lag[a] / window) if kernel == "decaying" else 1.0
            counted.append((step, weight, chance[b]))
        comes_after = {"apart": False, "first": a < b, "last": a > b}[ties]
        if comes_after and step.market != a and any(is_tied(step, other, a) for other in found):
            counted.append((step, 1.0, chance[b] / (1 - chance[a])))
    return [(s.track, w * (s.market == b), w * p, w**2 * p * (1 - p)) for s, w, p in counted]


def is_tied(step: Step, other: Step, market: str) -> bool:
    """Return whether another step of the same track and date went into a market."""
    return (other.track, other.day, other.market) == (step.track, step.day, market)


def pair_sums(own: Sequence[Term], artists: Mapping[str, str]) -> dict[str, float]:
    """Return observed, expected, model and clustered variance of one ordered pair."""
    excess: dict[str, float] = defaultdict(float)
    for track, observed, expected, _ in own:
        excess[artists.get(track, track)] += observed - expected
    return {
        "observed": sum(term[1] for term in own),
        "expected": sum(term[2] for term in own),
        "model": sum(term[3] for term in own),
        "clustered": sum(value**2 for value in excess.values()),
    }


def order_variance(
    own: Sequence[Term], back: Sequence[Term], artists: Mapping[str, str], *, lift: float, share: float
) -> float:
    """Return the variance by artist of what goes one way beyond its share of what goes either way."""
    excess: dict[str, float] = defaultdict(float)
    for side, weight in ((own, 1 - share), (back, -share)):
        for track, observed, expected, _ in side:
            excess[artists.get(track, track)] += weight * (observed - lift * expected)
    return sum(value**2 for value in excess.values())


def lead_artists(own: Sequence[Term], back: Sequence[Term], artists: Mapping[str, str]) -> float:
    """Return the effective number of artists of the tracks that go either way."""
    tracks: dict[str, float] = defaultdict(float)
    for track, observed, *_ in (*own, *back):
        tracks[artists.get(track, track)] += observed
    return sum(tracks.values()) ** 2 / max(sum(number**2 for number in tracks.values()), 1)


def follows(step: Step, a: str, b: str, window: int) -> bool:
    """Return whether an entry into `b` at a step would follow one into `a` within the window, in observed order."""
    lag, since = step.lag.get(a), step.since.get(b)
    return lag is not None and since is not None and since <= lag <= window


def log_likelihood(found: Sequence[Step], weights: Sequence[Mapping[str, float]]) -> float:
    """Return the log-likelihood of steps under weights by step and market, those of longer intervals being larger."""
    total = 0.0
    for step, own in zip(found, weights, strict=True):
        days = {b: step.age if since is None else min(since, step.age) for b, since in step.since.items()}
        total += math.log(own[step.market] * days[step.market] / sum(own[b] * d for b, d in days.items()))
    return total


def kernel(lag: int, halving: float, cadence: int) -> float:
    """Return how strongly an entry acts after some days."""
    return float(2 ** (-max(lag - cadence, 0) / halving))


@dataclass(frozen=True)
class Senders:
    """What the entries before a step add: window and half-life in days, days between charts."""

    window: int
    halving: float
    cadence: int

    def value(self, step: Step, a: str, b: str) -> float:
        """Return what an entry into `a` counts for an entry into `b` at a step, 0 where none came before in order."""
        return kernel(step.lag[a], self.halving, self.cadence) if follows(step, a, b, self.window) else 0.0

    def added(self, step: Step, b: str, effects: Mapping[tuple[str, str], float]) -> float:
        """Return the sum of the effects on a market at a step."""
        return sum(self.value(step, a, b) * effects[a, b] for a in step.lag)


def block_variance(
    found: Sequence[Step],
    chances: Sequence[Mapping[str, float]],
    terms: Sequence[Mapping[str, Sequence[float]]],
    artists: Mapping[str, str],
    markets: Sequence[str],
    *,
    ridge: float,
) -> dict[tuple[str, str], float]:
    """Return the larger of both variances of every effect; terms by step and market, senders first."""
    inverse, moved = {}, defaultdict(float)
    for b in markets:
        own = [(step, chance[b], np.array(x[b])) for step, chance, x in zip(found, chances, terms, strict=True)]
        block = sum((p * (1 - p) * np.outer(x, x) for _, p, x in own), ridge * np.eye(len(terms[0][b])))
        inverse[b] = np.linalg.inv(block)
        for step, p, x in own:
            for a, value in zip(markets, inverse[b] @ x, strict=False):
                who = artists.get(step.track, step.track)
                moved[who, a, b] += float(value) * (float(step.market == b) - p)
    variance, share = {}, 1 / (len(markets) - 1)
    for (i, a), b in product(enumerate(markets), markets):
        if a == b:
            continue
        alone = {c: float(inverse[c][i, i]) for c in markets}
        model = alone[b] * (1 - 2 * share) + sum(share**2 * alone[c] for c in markets if c != a)
        clustered = 0.0
        for who in {key[0] for key in moved}:
            mean = sum(share * moved[who, a, c] for c in markets if c != a)
            clustered += (moved[who, a, b] - mean) ** 2
        variance[a, b] = max(model, clustered)
    return variance


def additive_update(
    found: Sequence[Step],
    bases: Sequence[Mapping[str, float]],
    ages: Sequence[int],
    alpha: Mapping[tuple[str, str], float],
    size: Mapping[tuple[int, str], float],
    senders: Senders,
) -> tuple[dict[tuple[str, str], float], dict[tuple[int, str], float], float]:
    """Return α and sizes after one update of the additive likelihood, and the log-likelihood before it."""
    gets, would = defaultdict(float), defaultdict(float)
    log_likelihood = 0.0
    for step, base, age in zip(found, bases, ages, strict=True):
        days = {b: step.age if since is None else min(since, step.age) for b, since in step.since.items()}
        weights = {b: size[age, b] * base[b] + senders.added(step, b, alpha) for b in days}
        total = sum(weights[b] * d for b, d in days.items())
        log_likelihood += math.log(weights[step.market] * days[step.market] / total)
        for b, d in days.items():
            parts = {(a, b): senders.value(step, a, b) for a in step.lag} | {(age, b): base[b]}
            for key, value in parts.items():
                gets[key] += value / weights[b] * (b == step.market)
                would[key] += value * d / total
    new = {key: value * gets[key] / would[key] if would[key] > 0 else 0.0 for key, value in alpha.items()}
    sizes = {key: max(value * gets[key] / would[key], 1e-9) if would[key] > 0 else 1.0 for key, value in size.items()}
    return new, sizes, log_likelihood

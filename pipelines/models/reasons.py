"""Why a probability is high or low: what the features of the candidate say, in words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.features.registry import Feature
from pipelines.formatting import cell, many, percent
from pipelines.models.forecaster import Forecaster

SENTENCES: Final[Mapping[str, str]] = {
    "age": "it debuted {days} before",
    "footprint_size": "it debuted in {markets}",
    "markets_entered": "it has entered {markets}",
    "markets_now": "it is on the charts of {markets} now",
    "best_rank_now": "its best position now is {value}",
    "global_rank_now": "its position on the Global chart is {value}",
    "same_language": "{part} of the {entered} entered share an official language with {market}",
    "same_continent": "{part} of the {entered} entered lie on the continent of {market}",
    "neighbours": "it has entered {markets} with a border to {market}",
    "distance_least": "the nearest market entered is {value} km from {market}",
    "artist_tracks": "the artist has {tracks} besides this one",
    "artist_entries_here": "{tracks} of the artist, besides this one, entered {market}",
    "artist_now_here": "{tracks} of the artist, besides this one, are on the chart of {market} now",
    "artist_markets": "other tracks of the artist entered {markets}",
    "market_rate": "{percent} of all tracks at risk entered {market} in time",
    "transition_chance": "by the markets entered before, the transition table gives {market} {percent}",
    "choice_share": "of the next entries, the choice model gives {market} {percent}",
    "hazard_chance": "tracks of this age and reach enter {market} with {percent}, by the hazards",
}
"""Feature → what its value says; for all others, the meaning in the registry and the value."""

REFERS: Final = re.compile(r"^(That|Those|The same|The least of)\b|\b(that|those|such)\b|`|[a-z]_[a-z]")
"""Meanings that cannot be read without the others of their family; the name stands for them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Attributes
    ----------
    words
        What the number says.
    feature
        Name of the feature with the largest part in its family.
    family
        Family of features.
    value
        Value of the feature, NaN where missing.
    effect
        What the whole family adds to the log-odds: above 0 it speaks for an entry.
    """

    words: str
    feature: str
    family: str
    value: float
    effect: float

    def __str__(self) -> str:
        return f"{'for' if self.effect > 0 else 'against'}: {self.words}"


def reasons(
    forecaster: Forecaster,
    features: Sequence[Feature],
    values: NDArray[np.float32],
    markets: Sequence[str],
    entered: int,
    *,
    most: int = 3,
) -> list[list[Reason]]:
    """Return the main reasons of candidates of one track, those with the largest effect first.

    The parts that features add to the log-odds (TreeSHAP) are summed within families. Each of the families with the
    largest sums gives one reason: its feature with the largest part in the same direction.

    Parameters
    ----------
    forecaster
        Fitted forecaster.
    features, values
        The f features and, (k, f), their values.
    markets
        Names of the k markets.
    entered
        Number of markets that the track has entered.
    most
        Number of reasons per candidate.
    """
    parts = forecaster.contributions(values)
    families = [feature.family for feature in features]
    found = []
    for row, market in enumerate(markets):
        sums = {family: sum(parts[row, at] for at, own in enumerate(families) if own == family) for family in families}
        chosen = sorted(sums, key=lambda family: -abs(sums[family]))[:most]
        one = []
        for family in chosen:
            if not sums[family]:
                continue
            sign = np.sign(sums[family])
            at = max((at for at, own in enumerate(families) if own == family), key=lambda at: sign * parts[row, at])
            value = float(values[row, at])
            words = sentence(features[at], value, market, entered)
            one.append(Reason(words, features[at].name, family, value, float(sums[family])))
        found.append(one)
    return found


def sentence(feature: Feature, value: float, market: str, entered: int) -> str:
    """Return what the value of a feature says of a market.

    Examples
    --------
    >>> share = Feature("same_language", "share", "Share of the markets entered …", (), "as of", "regional")
    >>> sentence(share, 4 / 6, "Mexico", 6)
    '4 of the 6 markets entered share an official language with Mexico'
    >>> sentence(Feature("peak", "rank", "Best position so far.", (), "as of", "track"), 3.0, "Mexico", 6)
    'best position so far: 3 (rank)'
    """
    meaning = feature.meaning.rstrip(".")
    meaning = feature.name.replace("_", " ") if REFERS.search(meaning) else meaning[:1].lower() + meaning[1:]
    if not np.isfinite(value):
        return f"{meaning}: not known"
    count, whole = value * entered, bool(np.isclose(value * entered, round(value * entered), atol=1e-3))
    known = feature.name in SENTENCES
    template = SENTENCES[feature.name] if known else "{meaning}: {value} ({unit})"
    return template.format(
        meaning=meaning,
        unit=feature.unit,
        market=market,
        value=_number(value),
        percent=percent(value),
        part=f"{round(count)}" if whole else percent(value),
        entered=many(entered, "market"),
        days=many(round(value), "day"),
        markets=many(round(value), "market"),
        tracks=many(round(value), "track"),
    )


def _number(value: float) -> str:
    return f"{round(value):,}" if float(value).is_integer() else cell(value)

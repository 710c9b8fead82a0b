"""Training of the default forecaster on charts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats
from diffusion.conventions import LONGEST, WINDOW_DAILY, WINDOW_WEEKLY
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.observations import Observations, Outcomes
from pipelines.features.own import Own, OwnColumns
from pipelines.features.registry import Family
from pipelines.features.table import advance, features
from pipelines.models.draws import chances
from pipelines.models.examples import Examples
from pipelines.models.forecaster import Forecaster, Recipe
from pipelines.models.trained import TrainedModel, digest
from pipelines.progress import Report, quiet

POINTS: Final = (0, 1, 3, 7, 14, 28)
"""Days after the debut at which tracks are observed."""

MOST_CANDIDATES: Final = 1_500_000
"""Candidates that a model is fitted on; of more observations some are drawn."""


def train(
    history: History,
    *,
    horizon: int | None = None,
    until: int | None = None,
    publication_lag: int = 0,
    own: OwnColumns | None = None,
    recipe: Recipe | None = None,
    points: Sequence[int] = POINTS,
    most: int = MOST_CANDIDATES,
    seed: int = 0,
    threads: int = 1,
    sources: Sequence[dict[str, Any]] = (),
    tell: Report = quiet,
) -> TrainedModel:
    """Return the default forecaster, trained on what was published by a day.

    Tracks are observed on some days after their debut, as far as the horizon was over by the last chart. Of too many
    observations some are drawn, and count for as many as they stand for; those with an entry may be half of them.

    Parameters
    ----------
    history
        Charts.
    horizon
        Days within which entries count (default 60 on daily charts, 56 on weekly ones).
    until
        Last day of training, since 1970-01-01 (default: that of the charts).
    publication_lag
        Days after its date on which a chart is published (default 0).
    own
        Columns of the user's own (default: none).
    recipe
        Settings of the forecaster (default: `Recipe()`).
    points
        Days after the debut at which tracks are observed; those within the horizon are used.
    most
        Most candidates to fit on.
    seed, threads
        Seed of the random numbers, and number of threads.
    sources
        Path, size and SHA-256 of the chart files, for the model's facts.
    tell
        Function that is told what is being done.

    Raises
    ------
    SettingError
        When a setting is out of range.
    DataSaysNoError
        When the charts are too short, or no track enters anything.
    """
    if publication_lag < 0:
        raise SettingError(f"publication lag is {publication_lag} days; give 0 or more")
    last = (history.last_day if until is None else until) - publication_lag
    if last < history.first_day:
        raise DataSaysNoError(f"no chart is published by the end of training; they begin on {_iso(history.first_day)}")
    known = history.until(last)
    if horizon is None:
        horizon = WINDOW_WEEKLY if known.cadence == 7 else WINDOW_DAILY
    if not 1 <= horizon <= LONGEST:
        raise SettingError(f"horizon is {horizon} days; give 1 to {LONGEST:,}")
    inside = tuple(point for point in points if point < horizon)
    observations = _observations(known, inside, horizon)
    outcomes = Outcomes.of(known, observations, horizon)
    if not (outcomes.entered & observations.candidates).any():
        raise DataSaysNoError(
            f"none of the tracks that debuted by {_iso(known.last_day - horizon)} entered another market within "
            f"{horizon} days; nothing can be learned"
        )
    drawn, weight = _drawn(observations, outcomes, most, seed)
    made: tuple[Family, ...] = (*families(horizon), *(() if own is None else (Own(own),)))
    table = features(known, drawn, made, tell=lambda share: tell("making features", share))
    advance(known, made, after=int(drawn.day[-1]), until=known.last_day)
    examples = Examples.of(known, drawn, table, Outcomes.of(known, drawn, horizon), horizon)
    if weight is not None:
        examples = replace(examples, weight=weight[examples.observation].astype(np.float32))
    tell("fitting")
    forecaster = Forecaster(recipe or Recipe(), seed, threads).fit(examples)
    facts = {
        "horizon": horizon,
        "publication_lag": publication_lag,
        "points": list(inside),
        "first_debut": _iso(int(examples.debut.min())),
        "last_debut": _iso(int(examples.debut.max())),
        "known_until": _iso(known.last_day),
        "observations": len(drawn),
        "candidates": len(examples),
        "entries": int(examples.entered.sum()),
        "share_drawn": len(drawn) / len(observations),
        "charts": digest(known),
        "sources": list(sources),
    }
    return TrainedModel(forecaster, made, known, facts)


def _observations(known: History, points: Sequence[int], horizon: int) -> Observations:
    """Return the landmarks whose horizon was over by the last chart."""
    if known.last_day - horizon < known.first_day:
        raise DataSaysNoError(
            f"the charts known cover {known.last_day - known.first_day + 1} days, too few for a horizon of {horizon}; "
            "give more charts or a shorter --horizon"
        )
    found = Observations.landmarks(known, points, last=known.last_day - horizon)
    over = found.day + horizon <= known.last_day
    return Observations(found.track[over], found.day[over], found.candidates[over])


def _drawn(observations: Observations, outcomes: Outcomes, most: int, seed: int) -> tuple[Observations, Floats | None]:
    """Return observations with about `most` candidates, and the number that each stands for; None if all are kept."""
    usable = observations.candidates & outcomes.followed
    size, enters = usable.sum(axis=1), np.asarray((usable & outcomes.entered).any(axis=1))
    if int(size.sum()) <= most:
        return observations, None
    chance = chances(size, enters, most)
    kept = np.random.default_rng(seed).random(len(size)) < chance
    chosen = Observations(observations.track[kept], observations.day[kept], observations.candidates[kept])
    return chosen, 1 / chance[kept]


def _iso(day: int) -> str:
    return str(np.datetime64(day, "D"))

"""Worlds drawn from processes in continuous time: entries as charts show them, and the truth beside them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from diffusion import Entries
from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import HORIZON, WASHOUT
from diffusion.simulation.processes import (
    Christmas,
    Fridays,
    Hazards,
    Onset,
    Rhythm,
    Season,
    Steady,
    Surges,
    first_entries,
    is_friday,
)
from diffusion.simulation.recipes import Recipe
from diffusion.simulation.spread import followed
from diffusion.simulation.structures import DAYS, START, Structure, draw_structure

AT_ONCE: Final = 0.15
"""Entries on the day of release, beside the first market, per expected entry after it."""

PER_ARTIST: Final = 4
"""Mean tracks per artist, and most tracks per album."""

TASTE: Final = 1.0
"""Spread of a track's hidden tastes: standard deviation of their logarithm."""

OWN_TASTE: Final = 0.5
"""Spread of an artist's tastes for markets, likewise."""

HOME: Final = 8.0
"""Factor of the hazards in an artist's home market."""

CLIMB: Final = 5.0
"""Days: mean time from an entry to the upper half of a chart."""

REISSUE: Final = 30.0
"""Days: mean time from a release to its second id."""

SWITCH: Final = 3.0
"""Days: mean time from the release of a second id to its entry where the first id is already."""


@dataclass(frozen=True, slots=True)
class Influence:
    """Who influences whom, by source (row) and target (column).

    Attributes
    ----------
    alpha
        (m, m): expected entries into the target caused by an entry into the source, if nothing else leads there first.
    """

    alpha: Floats

    @property
    def through(self) -> Floats:
        """(m, m): the same caused by way of one third market."""
        through: Floats = self.alpha @ self.alpha
        np.fill_diagonal(through, 0.0)
        return through

    @property
    def any_way(self) -> Flags:
        """(m, m): whether the source influences the target, by itself or by way of one third market."""
        any_way: Flags = (self.alpha > 0) | (self.through > 0)
        return any_way


@dataclass(frozen=True, slots=True)
class ProcessWorld:
    """One simulation of a named world.

    Attributes
    ----------
    structure
        What all samples of the world have in common.
    entries
        What charts show.
    artists
        (n,): number of each track's artist; artists are the clusters.
    debut
        (n,) days after the start: time of release. A second id has that of the first.
    entered
        (n, m) days after the start when tracks entered, observed or not; infinite where they did not.
    """

    structure: Structure
    entries: Entries
    artists: Ints
    debut: Floats
    entered: Floats

    @property
    def truth(self) -> Influence:
        """Who influences whom; markets are in the order of `entries.calendar.markets`."""
        return Influence(self.structure.network.alpha)

    @property
    def languages(self) -> dict[str, str]:
        """The language of every market."""
        return self.structure.languages

    @property
    def pairs(self) -> pd.DataFrame:
        """Likeness of all ordered pairs, as `Structure.pairs`."""
        return self.structure.pairs


def world(
    name: str,
    *,
    tracks: int = 2_000,
    markets: int = 12,
    days: int = DAYS,
    alike: bool = False,
    seed: int = 0,
) -> ProcessWorld:
    """Return one simulation of a named world; parameters as those of `draw_structure`.

    Examples
    --------
    >>> drawn = world("falling", tracks=200, markets=6, seed=1)
    >>> len(drawn.entries.calendar.markets), bool(drawn.truth.alpha.any())
    (6, False)
    """
    own, sample = np.random.default_rng(seed).spawn(2)
    return draw_sample(draw_structure(name, own, markets=markets, days=days, alike=alike), sample, tracks=tracks)


def draw_sample(structure: Structure, rng: np.random.Generator, *, tracks: int, samples: int = 1) -> ProcessWorld:
    """Return a sample of tracks from a structure; artists and their tastes are drawn anew each time.

    Parameters
    ----------
    tracks
        Number of tracks of a sample, before any second ids.
    samples
        Samples that are put together, with artists of their own each (default 1). Shares and rates of many samples
        together are what one sample has on average.
    """
    drawn = [_drawn(rng, structure, tracks) for _ in range(samples)]
    many = np.cumsum([0, *(int(artists.max()) + 1 for artists, _, _ in drawn[:-1])])
    artists = np.concatenate([own + before for (own, _, _), before in zip(drawn, many, strict=True)])
    debut, entered = (np.concatenate([part[place] for part in drawn]) for place in (1, 2))
    shown = structure.charts.entries(_upper_half(rng, structure, entered), artists)
    return ProcessWorld(structure, shown, artists, debut, entered)


def _drawn(rng: np.random.Generator, structure: Structure, tracks: int) -> tuple[Ints, Floats, Floats]:
    """Return artists, releases and entries of the tracks of one sample."""
    recipe, days = structure.recipe, structure.days
    artists, album = _catalogue(rng, recipe, tracks)
    debut = _releases(rng, structure, int(album.max()) + 1)[album]
    pull = _pulls(rng, structure, artists, album)
    hazards = Hazards(debut, pull * _pace(structure), structure.fall, _rhythm(rng, structure, debut))
    due = np.where(_released(rng, recipe, pull), debut[:, None], first_entries(rng, hazards, end=days))
    entered = followed(rng, structure.network, due, end=days) if recipe.density else due
    if recipe.reissues:
        again, entered = _reissued(rng, recipe.reissues, debut, entered)
        artists, debut = np.append(artists, artists[again]), np.append(debut, debut[again])
    return artists, debut, entered


def _catalogue(rng: np.random.Generator, recipe: Recipe, tracks: int) -> tuple[Ints, Ints]:
    """Return, (n,), the artist and the album of every track, artists in order; most worlds have an album per track."""
    prominence = rng.gamma(0.5, size=max(2, tracks // PER_ARTIST))
    prominence /= prominence[1:].sum()
    if recipe.giant:
        prominence *= 1 - recipe.giant
        prominence[0] = recipe.giant
    artists = np.sort(rng.choice(len(prominence), tracks, p=prominence / prominence.sum()))
    if not recipe.homes:
        return artists, np.arange(tracks)
    place = np.arange(tracks) - np.searchsorted(artists, artists)
    return artists, np.unique(artists * tracks + place // PER_ARTIST, return_inverse=True)[1].astype(np.int64)


def _releases(rng: np.random.Generator, structure: Structure, albums: int) -> Floats:
    """Return times of release, after the washout of the first charts; in one world 9 of 10 are on Fridays."""
    first = np.arange(WASHOUT, structure.days)
    weight = np.ones(len(first))
    if structure.recipe.rhythm == "fridays":
        friday = is_friday(START, first.astype(np.float64))
        weight = np.where(friday, 0.9 / friday.sum(), 0.1 / (~friday).sum())
    return rng.choice(first, albums, p=weight / weight.sum()) + rng.random(albums)


def _pulls(rng: np.random.Generator, structure: Structure, artists: Ints, album: Ints) -> Floats:
    """Return, (n, m), how strongly markets draw tracks: size, popularity and tastes; the mean track has 1 in total."""
    recipe, many = structure.recipe, int(artists.max()) + 1
    pull = np.tile(structure.share, (len(artists), 1))
    if recipe.popularity is not None:
        pull *= rng.gamma(recipe.popularity, 1 / recipe.popularity, int(album.max()) + 1)[album, None]
    if recipe.taste != "none":
        pull *= _tastes(rng, (len(artists), int(structure.group.max()) + 1), TASTE)[:, structure.group]
    if recipe.homes or recipe.giant:
        pull *= _tastes(rng, (many, pull.shape[1]), OWN_TASTE)[artists]
    if recipe.homes:
        home = rng.integers(0, pull.shape[1], many)[artists]
        pull[np.arange(len(artists)), home] *= HOME
    return pull


def _tastes(rng: np.random.Generator, shape: tuple[int, int], spread: float) -> Floats:
    """Return log-normal factors of mean 1."""
    return np.exp(rng.normal(-(spread**2) / 2, spread, shape))


def _pace(structure: Structure) -> Floats:
    """Return, (m,) per day, the hazard at age 0 per pull that makes the recipe's steps in a horizon."""
    with np.errstate(divide="ignore", invalid="ignore"):
        falling = -np.expm1(-structure.fall * HORIZON) / structure.fall
    return np.asarray(structure.recipe.steps / np.where(structure.fall > 0, falling, HORIZON))


def _rhythm(rng: np.random.Generator, structure: Structure, debut: Floats) -> Rhythm:
    if structure.recipe.shapes:
        return Onset(debut, structure.onset)
    match structure.recipe.rhythm:
        case "surges":
            return Surges(debut + rng.uniform(0, 120, len(debut)), floor=0.1, height=20.0, width=4.0)
        case "season":
            return Season(days=120, swing=0.9)
        case "christmas":
            return Christmas(START, structure.celebrated, peak=5.0)
        case "fridays":
            return Fridays(START, peak=4.0)
        case "steady":
            return Steady()


def _released(rng: np.random.Generator, recipe: Recipe, pull: Floats) -> Flags:
    """Return, (n, m), the markets of release: one by its pull, and any others with a small chance each."""
    first = (rng.standard_exponential(pull.shape) / pull).argmin(axis=1)
    released: Flags = rng.standard_exponential(pull.shape) < AT_ONCE * recipe.steps * pull
    released[np.arange(len(pull)), first] = True
    return released


def _reissued(rng: np.random.Generator, share: float, debut: Floats, entered: Floats) -> tuple[Ints, Floats]:
    """Return the tracks that come out again, and entries with those of the second ids below.

    In half the markets the second id takes over: it enters soon after its release where the first id is already, and
    in place of it elsewhere.
    """
    again = np.flatnonzero(rng.random(len(debut)) < share)
    first = entered[again]
    release = (debut[again] + rng.exponential(REISSUE, len(again)))[:, None]
    taken = rng.random(first.shape) < 0.5
    switched = release + rng.exponential(SWITCH, first.shape)
    second = np.where(taken, np.where(first < release, switched, first), np.inf)
    kept = entered.copy()
    kept[again] = np.where(taken & (first >= release), np.inf, first)
    return again, np.vstack([kept, second])


def _upper_half(rng: np.random.Generator, structure: Structure, entered: Floats) -> Floats:
    """Return times as charts of unequal depth show them: half the entries reach the upper half, and later."""
    if not structure.recipe.half:
        return entered
    upper = np.where(rng.random(entered.shape) < 0.5, entered + rng.exponential(CLIMB, entered.shape), np.inf)
    return np.where(structure.charts.depth < np.max(structure.charts.depth), upper, entered)

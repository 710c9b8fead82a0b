"""Days of the week: effect of every weekday, and what chance makes of weeks, of days in them, and of artists."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from diffusion.arrays import Flags, Floats, Ints
from pipelines.eda.seasons.cycles import DAYS, DRAWS, LEAST_BLOCKS, Pattern, flipped

SINGULAR: Final = 1e-10
"""Eigenvalue, of the largest, below which one is 0: effects say nothing of the level of all weekdays together."""


@dataclass(frozen=True, slots=True)
class DatedTracks:
    """n tracks whose means by day are looked at.

    Attributes
    ----------
    value
        (n,): value of each.
    day
        (n,): day from 1970-01-01.
    artist
        (n,): number of the artist.
    """

    value: Floats
    day: Ints
    artist: Ints


def weekdays_pattern(
    value: Floats,
    weight: Floats,
    first_day: int,
    *,
    ratio: bool,
    generator: np.random.Generator,
    tracks: DatedTracks | None = None,
) -> Pattern:
    """Return the pattern of the days of the week, Monday first.

    Parameters
    ----------
    value
        (t,): value of every day in order.
    weight
        (t,): weight of every day, such as tracks; 0 where it is not known.
    first_day
        Day, from 1970-01-01, of the first.
    ratio
        Whether deviations are relative to the week's mean, or differences from it.
    generator
        Source of chance.
    tracks
        The tracks that the values are means of, where they are; all on known days (default: none).

    Notes
    -----
    Weeks are blocks: effects of weekdays are fitted beside those of weeks by weighted least squares, after the mean
    slope from week to week (of logarithms for ratios) is taken out. Tested is whether weekdays differ more than when
    every week's deviations keep their size and get a random sign; so days of one week may depend on each other. A
    second test is made beside it, and the pattern is that of the larger p. Of means of tracks, it draws a sign for each
    artist, because artists keep to a day and their tracks are alike. Of other values, it turns every week around its
    circle by a random number of days, because a single day that stands out makes signs look too sure.
    """
    before = (first_day + 3) % DAYS
    weeks = -(-(before + len(value)) // DAYS)
    known, values = np.zeros((2, weeks * DAYS))
    own = slice(before, before + len(value))
    known[own] = np.where(np.isfinite(value), weight, 0)
    values[own] = np.where(known[own] > 0, value, 0)
    known, values = known.reshape(weeks, DAYS), values.reshape(weeks, DAYS)
    whole = (known > 0).sum(axis=1) >= (DAYS // 2 + 1 if ratio else 2)
    if ratio:
        whole &= (values * known).sum(axis=1) > 0
    known, values, number = known[whole], values[whole], np.flatnonzero(whole)
    nothing = np.full(DAYS, np.nan)
    if not len(known):
        return Pattern(nothing, nothing, np.empty((0, DAYS)), 0)
    total = known.sum(axis=1)
    mean = (values * known).sum(axis=1) / total
    if ratio:
        values, mean = values / mean[:, None], np.log(mean)
    slope = _slope(mean, total, number)
    fit = _Fit.of(values - slope * np.arange(DAYS), known)
    found = fit.pattern(fit.by_week, len(known), generator)
    if not found.tested:
        return found
    if tracks is None:
        turned = fit.turned(values - slope * np.arange(DAYS), known, generator) if fit.there.all() else found
        return found if found.p > turned.p else turned
    week, day = np.divmod(tracks.day - first_day + before, DAYS)
    kept = whole[week]
    row = (np.cumsum(whole) - 1)[week[kept]]
    parts = fit.by_artist(tracks.value[kept] - slope * day[kept], row, day[kept], tracks.artist[kept])
    sizes = np.bincount(tracks.artist[kept]).astype(np.float64)
    by_artist = fit.pattern(parts, len(known), generator, effective=sizes.sum() ** 2 / (sizes**2).sum())
    return found if found.p > by_artist.p else by_artist


def _slope(mean: Floats, total: Floats, week: Ints) -> float:
    """Return by how much the means of weeks rise in a day."""
    beyond = week - np.average(week, weights=total)
    spread = float((total * beyond**2).sum())
    return float((total * beyond * mean).sum() / spread / DAYS) if spread > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Fit:
    """The weighted two-way fit of w weeks and the weekdays.

    Attributes
    ----------
    mean
        (w,): mean of every week.
    inverse
        (7, 7): what a unit above the mean of its week, on a weekday, adds to the effects.
    there
        (7,): whether the weekday has values.
    by_week
        (w, 7): what every week adds to the effects.
    """

    mean: Floats
    inverse: Floats
    there: Flags
    by_week: Floats

    @classmethod
    def of(cls, values: Floats, weight: Floats) -> Self:
        """Return the fit of values, (w, 7), with weights."""
        total = weight.sum(axis=1)
        mean = (values * weight).sum(axis=1) / total
        moments = np.diag(weight.sum(axis=0)) - (weight / total[:, None]).T @ weight
        there, inverse = weight.sum(axis=0) > 0, np.linalg.pinv(moments, rcond=SINGULAR, hermitian=True)
        return cls(mean, inverse, there, _centred((weight * (values - mean[:, None])) @ inverse, there))

    def by_artist(self, value: Floats, week: Ints, day: Ints, artist: Ints) -> Floats:
        """Return what every artist adds to the effects, (a, 7), from the values, weeks and weekdays of n tracks."""
        parts = np.zeros((int(artist.max(initial=-1)) + 1, DAYS))
        np.add.at(parts, artist, (value - self.mean[week])[:, None] * self.inverse[day])
        return _centred(parts, self.there)

    def turned(self, values: Floats, weight: Floats, generator: np.random.Generator) -> Pattern:
        """Return the pattern of values, (w, 7), by turning weeks; weights are 0 or 1, and every weekday has some."""
        weeks, total = len(values), weight.sum(axis=1)
        inner = weight * (values - self.mean[:, None])
        by = np.vstack([np.zeros((1, weeks), np.int64), generator.integers(0, DAYS, (DRAWS, weeks))])
        at = (np.arange(DAYS) + by[..., None]) % DAYS
        weights, beyond = (np.take_along_axis(np.broadcast_to(part, at.shape), at, axis=2) for part in (weight, inner))
        own = np.eye(DAYS) * weights.sum(axis=1)[:, None]
        moments = own - np.einsum("rwi,w,rwj->rij", weights, 1 / total, weights)
        inverse = np.linalg.pinv(moments, rcond=SINGULAR, hermitian=True)
        score = beyond.sum(axis=1)
        effect = np.einsum("ri,rij->rj", score, inverse)
        left = (inner * (values - self.mean[:, None])).sum() - (score * effect).sum(axis=1)
        degrees = max(int((weight > 0).sum()) - weeks - DAYS + 1, 1)
        error = np.sqrt(np.maximum(left, 0)[:, None] / degrees * np.einsum("rii->ri", inverse))
        drawn = np.divide(effect, error, out=np.zeros(effect.shape), where=error > 0)
        return Pattern(effect[0], error[0], drawn[1:], weeks)

    def pattern(
        self, parts: Floats, weeks: int, generator: np.random.Generator, *, effective: float = np.inf
    ) -> Pattern:
        """Return the pattern with what blocks add to the effects, (b, 7), of which so many count in effect."""
        effect = np.where(self.there, self.by_week.sum(axis=0), np.nan)
        if min(weeks, effective) < LEAST_BLOCKS:
            return Pattern(effect, np.full(DAYS, np.nan), np.empty((0, DAYS)), weeks)
        error, drawn = flipped(parts, generator)
        return Pattern(effect, np.where(self.there, error, np.nan), drawn, weeks)


def _centred(parts: Floats, there: Flags) -> Floats:
    """Return parts of effects less those of the mean weekday; 0 for weekdays without values."""
    return np.where(there, parts - parts[:, there].mean(axis=1, keepdims=True), 0)

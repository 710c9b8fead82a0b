"""The baseline: which market a track enters next, if no market follows another."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from diffusion.arrays import Days, Flags, Floats
from diffusion.conventions import HORIZON
from diffusion.display import Displayed
from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.parts import Arrays
from graphs.baseline.chances import Chances, Version
from graphs.baseline.likeness import CLASSES, Kinds, Likeness, kind_design, sizes
from graphs.baseline.step_parts import Choice, StepPart, StepParts, step_parts
from graphs.baseline.steps import Steps
from graphs.baseline.weights import AGES, RIDGE, Weights, fitted_weights

STEPS_PER_MARKET: Final = 10
"""Steps per market that a period has on average, at least; the finest of quarters, half-years and years that has is
taken."""

MOST_SIZES: Final = 4_000
"""Effects of markets, ages and periods that are fitted at most; periods are coarser where there would be more."""


@dataclass(frozen=True, slots=True, repr=False)
class Baseline(Displayed):
    """Which market a track enters next, given that it enters one: fitted weights, and the steps they were fitted to.

    ``P(b | R) = w_b / Σ_{c ∈ R} w_c`` with R the markets at risk on the date. What all markets have in common at a time
    (the track's popularity, its age, a season) cancels out.

    Attributes
    ----------
    entries
        The entries that the baseline is of.
    parts
        Their steps, and the kind of every market at every step, in parts where the entries have workers.
    likeness
        What is known of pairs of markets.
    sizes
        Weights fitted with sizes alone.
    full
        Weights fitted with sizes and likeness together.
    horizon
        Days after the debut within which steps count.

    Examples
    --------
    >>> base  # = graphs.baseline.baseline(entries)
    <Baseline of top50: 892 steps, 67 markets>
    >>> base.factor_table().head(2)
          trait    kind    factor  steps
    0  language    none  1.000000    508
    1  language  1, few  1.307828     82
    """

    entries: Entries
    parts: StepParts
    likeness: Likeness
    sizes: Weights
    full: Weights
    horizon: int

    def _facts(self) -> str:
        return f" of {self.entries.rules.chart}: {len(self.parts):,} steps, {len(self.markets)} markets"

    def _shown(self) -> pd.DataFrame:
        return self.factor_table()

    @property
    def markets(self) -> tuple[str, ...]:
        """Codes of the m markets."""
        return self.parts.markets

    @property
    def artists(self) -> int:
        """Number of artists with steps."""
        return int(self.parts.summed(_artists)["artists"])

    @property
    def steps(self) -> Steps:
        """All k steps, in this process also where there are workers."""
        return self.parts.whole.steps

    @property
    def kinds(self) -> Kinds:
        """(k, m): kind of every market at every step, as `likeness` numbers kinds; in this process as `steps`."""
        return self.parts.whole.kinds

    def chances(self, version: Version = "likeness") -> Chances:
        """Return what P(b | R) of steps is computed from; versions as in `probabilities`."""
        if version == "uniform":
            return Chances(None, False)
        weights = self.full if version == "likeness" else self.sizes
        return Chances(weights.without_precision(), version == "likeness")

    def probabilities(self, *, version: Version = "likeness") -> Floats:
        """Return P(b | R) of all steps, (k, m), 0 for markets that are not at risk.

        Parameters
        ----------
        version
            ``uniform``: all markets at risk alike; ``sizes``: sizes alone; ``likeness``: with likeness.
        """
        return self.chances(version).of_all(self.parts.whole)

    def other_steps(self, entries: Entries) -> tuple[Steps, Kinds]:
        """Return the steps of other entries into the same markets, and their kinds: for `log_scores`."""
        whole = self.other_parts(entries).whole
        return whole.steps, whole.kinds

    def other_parts(self, entries: Entries) -> StepParts:
        """Return the steps of other entries into the same markets, in parts where these have workers."""
        if tuple(entries.calendar.markets) != self.markets:
            raise DataSaysNoError("a baseline says nothing of other markets than those it was fitted to")
        return step_parts(entries, self.likeness, horizon=self.horizon)

    def log_scores(self, version: Version, others: tuple[Steps, Kinds] | None = None) -> Floats:
        """Return log P of the market that was entered, of every step, (k,).

        Parameters
        ----------
        others
            Steps and kinds that the baseline was not fitted to, as `other_steps` returns them (default: its own).
        """
        return self.chances(version).log_scores(self.parts.whole if others is None else StepPart(*others))

    def log_score(self) -> pd.DataFrame:
        """Return the mean log P of a step: `version`, `steps`, `log_score` (nats) and `bits` gained on ``uniform``."""
        versions: tuple[Version, ...] = ("uniform", "sizes", "likeness")
        work = partial(_score_sums, {version: self.chances(version) for version in versions})
        sums, number = self.parts.summed(work), len(self.parts)
        score = np.array([float(sums[version]) / number for version in versions])
        gained = (score - score[0]) / np.log(2)
        return pd.DataFrame({"version": versions, "steps": number, "log_score": score, "bits": gained})

    def weight_table(self) -> pd.DataFrame:
        """Return one row per market, class of age and period: `weight`, of mean 1 over the markets, with likeness.

        Returns
        -------
        DataFrame
            `market`, `age_from` (days after the debut), `period_from` (first date), `weight`.
        """
        age, period, market = (index.ravel() for index in np.indices(self.full.size.shape))
        weight = np.exp(self.full.size - self.full.size.max(axis=2, keepdims=True))
        weight /= weight.mean(axis=2, keepdims=True)
        return pd.DataFrame(
            {
                "market": np.array(self.markets, object)[market],
                "age_from": np.array(self.full.ages)[age],
                "period_from": self.full.starts.astype("datetime64[D]")[period],
                "weight": weight.ravel(),
            }
        )

    def likeness_table(self) -> pd.DataFrame:
        """Return one row per ordered pair: `source`, `target`, `likeness`.

        `likeness` is the factor of the target's weight for a track that has entered the source alone, 1 where nothing
        makes the two alike.
        """
        markets = np.array(self.markets, object)
        alone = np.eye(len(markets), dtype=np.bool_)
        factor = np.exp(kind_design() @ self.full.classes)[self.likeness.kinds(alone, np.zeros(alone.shape, np.int64))]
        source, target = np.nonzero(~alone)
        return pd.DataFrame({"source": markets[source], "target": markets[target], "likeness": factor[source, target]})

    def factor_table(self) -> pd.DataFrame:
        """Return one row per class of likeness: `trait`, `kind`, `factor` (1 for the first of its trait), `steps`.

        `steps` counts those that entered a market of the class.
        """
        entered = self.parts.summed(_entered_kinds)["steps"].reshape(sizes())
        rows, place = [], 0
        for trait, (name, kinds) in enumerate(CLASSES.items()):
            factor = np.exp(np.append(0.0, self.full.classes[place : place + len(kinds) - 1]))
            place += len(kinds) - 1
            counts = entered.sum(axis=tuple(other for other in range(len(CLASSES)) if other != trait))
            rows += [(name, *values) for values in zip(kinds, factor, counts, strict=True)]
        return pd.DataFrame(rows, columns=["trait", "kind", "factor", "steps"])


def baseline(
    entries: Entries,
    *,
    horizon: int = HORIZON,
    pairs: pd.DataFrame | None = None,
    before: date | None = None,
    ridge: float = RIDGE,
    start: Baseline | None = None,
) -> Baseline:
    """Return the baseline of entries, weights fitted with sizes alone and with likeness.

    Parameters
    ----------
    horizon
        Days after a track's debut within which its entries count (default 180).
    pairs
        What makes markets alike, as `Likeness.of` takes it (default: language, distance and continent as packaged).
    before
        Fit to the steps before this date only; `Baseline.other_steps` of the same entries has the later ones too, to be
        scored out of sample (default: all).
    ridge
        Precision of the normal prior of the logarithms of weights (default ½).
    start
        A baseline of like entries: where the fit starts from, which saves time and changes nothing.

    Raises
    ------
    SettingError
        When the horizon is not between 1 and 36,500 days, or the ridge not above 0.
    DataSaysNoError
        When there is one market only, or no track enters a market after its debut.

    References
    ----------
    Butts, C. T. (2008). A relational event framework for social action. Sociological Methodology 38, 155–200. doi
    10.1111/j.1467-9531.2008.00203.x.

    Stadtfeld, C. & Block, P. (2017). Interactions, actors, and time: dynamic network actor models for relational
    events. Sociological Science 4, 318–352. doi 10.15195/v4.a14.

    Examples
    --------
    >>> graphs.baseline.baseline(entries, horizon=28)
    <Baseline of top50: 822 steps, 67 markets>
    """
    if not ridge > 0:
        raise SettingError(f"ridge is {ridge:g}; it must be above 0")
    markets = tuple(entries.calendar.markets)
    likeness = Likeness.of(markets, pairs, groups=entries.groups)
    taken = step_parts(entries, likeness, horizon=horizon)
    if before is not None:
        taken = taken.only(partial(in_days, last=int(np.datetime64(before, "D").astype(np.int32)) - 1))
    if len(markets) < 2 or not len(taken):
        raise DataSaysNoError(
            f"no track enters a market within {horizon} days after its debut ({len(markets)} markets, "
            f"{len(entries):,} entries), so nothing can be said of which market comes next"
        )
    return _fitted(entries, taken, likeness, horizon, ridge=ridge, start=start)


def fitted_again(
    fit: Baseline, *, entries: Entries | None = None, kept: Choice | None = None, ages: tuple[int, ...] = AGES
) -> Baseline:
    """Return a baseline with the likeness and horizon of another, of other steps or with other classes of age.

    Parameters
    ----------
    entries
        Entries into the same markets, such as those drawn from the baseline (default: its own).
    kept
        Which of its own steps to fit to (default: all).
    ages
        Days after the debut at which the classes of age begin, the first being 1.

    Raises
    ------
    DataSaysNoError
        When there is no step.
    """
    taken = fit.parts if entries is None else fit.other_parts(entries)
    if kept is not None:
        taken = taken.only(kept)
    if not len(taken):
        raise DataSaysNoError("no step is left to fit a baseline to")
    return _fitted(entries or fit.entries, taken, fit.likeness, fit.horizon, ages=ages, start=fit)


def _fitted(
    entries: Entries,
    taken: StepParts,
    likeness: Likeness,
    horizon: int,
    *,
    ages: tuple[int, ...] = AGES,
    ridge: float = RIDGE,
    start: Baseline | None = None,
) -> Baseline:
    """Return the baseline of steps."""
    starts = period_starts(taken)
    begin = start.sizes if start else None
    alone = fitted_weights(taken, starts, likeness=False, ages=ages, ridge=ridge, start=begin)
    near = start.full if start and len(start.full.effects) == len(alone.effects) else alone
    full = fitted_weights(taken, starts, likeness=True, ages=ages, ridge=ridge, start=near)
    return Baseline(entries, taken, likeness, alone, full, horizon)


def in_days(steps: Steps, *, first: int = -(1 << 30), last: int = 1 << 30) -> Flags:
    """Return the steps from a day to another, both included, (k,) flags; days count from 1970-01-01."""
    within: Flags = (first <= steps.day) & (steps.day <= last)
    return within


def period_starts(taken: StepParts) -> Days:
    """Return the first day of every period: quarters, half-years, years or all in one, as the steps allow."""
    days, _ = taken.days
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    for months in (3, 6, 12):
        found = np.unique(month // months)
        enough = len(taken) >= STEPS_PER_MARKET * len(taken.markets) * len(found)
        if enough and len(taken.markets) * (1 + len(AGES) + len(found)) <= MOST_SIZES:
            return (found * months).astype("datetime64[M]").astype("datetime64[D]").astype(np.int32)
    return days[:1]


def _score_sums(chances: dict[Version, Chances], own: StepPart) -> Arrays:
    """Return the sum of log P of the markets entered, by version."""
    return {version: chance.log_scores(own).sum() for version, chance in chances.items()}


def _artists(own: StepPart) -> Arrays:
    """Return the number of artists of a part."""
    return {"artists": np.array(len(np.unique(own.steps.artist)))}


def _entered_kinds(own: StepPart) -> Arrays:
    """Return the number of steps into markets of every kind."""
    entered = own.kinds[np.arange(len(own.steps)), own.steps.market].astype(np.int64)
    return {"steps": np.bincount(entered, minlength=int(np.prod(sizes())))}

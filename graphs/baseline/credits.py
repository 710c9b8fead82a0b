"""To which earlier entries every entry is attributed: the conditional likelihood with influence that adds up."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from diffusion.arrays import Floats, Ints
from diffusion.display import Displayed
from graphs.baseline.fit import Baseline
from graphs.baseline.joint import JointFit
from graphs.baseline.steps import blocks_of
from graphs.baseline.terms import Columns, Terms
from graphs.baseline.weights import AGES

NOBODY: Final = -1
"""Number of the sender that stands for the baseline."""

LEAST_GAIN: Final = 1e-6
"""Gain of the mean log-likelihood of a step, in one turn, at which the fit has converged."""

TURNS: Final = 60
"""Accelerated turns at most, of three updates each; credits hardly move after 10."""

LEAST: Final = 1e-9
"""Least size; the mean is about 1."""


@dataclass(frozen=True, slots=True, repr=False)
class EntryCredits(Displayed):
    """Credits of all steps, one element for each credit above 0.

    Attributes
    ----------
    baseline
        The baseline whose steps are attributed.
    alpha
        (m, m): what an entry into the source adds to the weight of the target on the next chart, relative to the mean
        weight of a market at risk; rows are senders. Only contrasts are identified.
    step
        (c,): number of the step, ascending.
    source
        (c,): number of the market; `NOBODY` for the baseline.
    credit
        (c,): share of the step attributed to the source; those of one step add up to 1.

    Examples
    --------
    >>> credits = graphs.baseline.entry_credits(graphs.baseline.joint_fit(base))
    >>> list(credits.table())
    ['track_id', 'market', 'source', 'credit']
    """

    baseline: Baseline
    alpha: Floats
    step: Ints
    source: Ints
    credit: Floats

    def _facts(self) -> str:
        return f": {len(self.baseline.steps):,} entries, {self.pairs.sum():,.0f} attributed to others"

    @property
    def pairs(self) -> Floats:
        """Entries attributed, (m, m): rows are senders, columns the markets entered."""
        m, sent = len(self.baseline.markets), self.source != NOBODY
        place = self.source[sent] * m + self.baseline.steps.market[self.step[sent]]
        pairs: Floats = np.bincount(place, self.credit[sent], minlength=m * m).reshape(m, m).astype(np.float64)
        return pairs

    def lag_medians(self) -> Floats:
        """Return the median lag in days of the attributed entries of every pair, by credit, (m, m); NaN where none."""
        m, sent = len(self.baseline.markets), self.source != NOBODY
        step, source, credit = self.step[sent], self.source[sent], self.credit[sent]
        place, lag = source * m + self.baseline.steps.market[step], self.baseline.steps.lag[step, source]
        order = np.lexsort((lag, place))
        place, lag, summed = place[order], lag[order], np.cumsum(credit[order])
        heads = np.flatnonzero(np.diff(place, prepend=-1))
        ends = np.append(heads[1:], len(place)) - 1
        before = np.append(0.0, summed)[heads]
        middle = np.searchsorted(summed, (before + summed[ends]) / 2) if len(heads) else heads
        medians = np.full(m * m, np.nan)
        medians[place[heads]] = lag[np.minimum(middle, ends)]
        return medians.reshape(m, m)

    def table(self) -> pd.DataFrame:
        """Return the credits as `graphs.contracts.CREDITS` says: entries after a debut only, first ones have none."""
        lines, steps = self.baseline.entries.timelines, self.baseline.steps
        codes = np.array([*steps.markets, None], dtype=object)
        return pd.DataFrame(
            {
                "track_id": lines.track_ids[steps.track[self.step]],
                "market": codes[steps.market[self.step]],
                "source": codes[self.source],
                "credit": self.credit,
            }
        )


def entry_credits(joint: JointFit) -> EntryCredits:
    """Return to which earlier entries every entry after a debut is attributed.

    ``w_b = size[age class, b] · w⁰_b + Σ_a α_ab · f(days since the entry into a)``, all α ≥ 0, with w⁰ the baseline's
    weight; the credit of a is its share of the weight of the market that was entered. Of the joint fit, only the
    kernel f and the window are taken.

    Notes
    -----
    Each update raises the likelihood: credits are shared out, and every parameter is multiplied by the credits it gets
    over those it would get by P. Every three updates are drawn out to a longer step where that is better (SQUAREM).

    What a market adds to all others alike leaves P as it is, so credits say how entries are shared out if the baseline
    explains as much as it can; they are no proof of influence. They are ranks and sizes beside a verdict that comes
    from `graphs.baseline.direct`.

    References
    ----------
    Varadhan, R. & Roland, C. (2008). Simple and globally convergent methods for accelerating the convergence of any EM
    algorithm. Scandinavian Journal of Statistics 35, 335–353. doi 10.1111/j.1467-9469.2007.00585.x.

    Examples
    --------
    >>> graphs.baseline.entry_credits(graphs.baseline.joint_fit(base))  # base = graphs.baseline.baseline(entries)
    <EntryCredits: 892 entries, 757 attributed to others>
    """
    with threadpool_limits(limits=1, user_api="blas"):
        problem = _Additive.of(joint)
        alpha, size = np.split(_climbed(problem), [len(joint.beta)])
        parts = [problem.credits(alpha, size, rows) for rows in blocks_of(len(joint.baseline.steps))]
    step, source, credit = (np.concatenate([part[number] for part in parts]) for number in range(3))
    return EntryCredits(joint.baseline, alpha, step, source, credit)


@dataclass(frozen=True, slots=True)
class _Additive:
    """The likelihood; parameters are α (m, m) and sizes (ages, m), one below the other.

    Attributes
    ----------
    terms
        Kernels of senders.
    acting
        (k, m): kernels of the senders on the market entered; 0 where they are not in observed order.
    weight
        (k, m): the baseline's weights, of mean 1 over the markets at risk of all steps; 0 where not at risk.
    age
        (k,): class of age.
    market
        (k,): market entered.
    days
        (k, m): days within which the entry into every market would fall.
    """

    terms: Terms
    acting: Columns
    weight: Columns
    age: Ints
    market: Ints
    days: Columns

    @classmethod
    def of(cls, joint: JointFit) -> "_Additive":
        fit, steps = joint.baseline, joint.baseline.steps
        terms = Terms.of(steps, window=joint.window, halving=joint.halving, cadence=fit.entries.calendar.cadence)
        acting = terms.columns.copy()
        lost = steps.market[terms.row] == terms.market
        acting[terms.row[lost], terms.sender[lost]] = 0
        days = steps.exposure(slice(None)).astype(np.float32)
        weight = np.empty(days.shape, np.float32)
        for rows in blocks_of(len(steps)):
            log = fit.full.size[fit.full.cell(steps.day[rows], steps.age[rows])] + fit.full.factor[fit.kinds[rows]]
            weight[rows] = np.where(days[rows] > 0, np.exp(log), 0)
        weight /= weight[days > 0].mean()
        return cls(terms, acting, weight, fit.full.cell(steps.day, steps.age)[0], steps.market, days)

    def start(self) -> Floats:
        """Return sizes of 1, and α of a twentieth of a mean weight."""
        m = self.weight.shape[1]
        return np.concatenate([(1 - np.eye(m)) / 20, np.ones((len(AGES), m))])

    def updated(self, now: Floats) -> tuple[Floats, float]:
        """Return the parameters after one update, and the log-likelihood before it.

        Senders in no observed order are subtracted from sums over all of them, which leaves rounding behind: what
        cannot be below 0, or below what the markets entered add to it, is held there.
        """
        m, log_likelihood = self.weight.shape[1], 0.0
        gets, would = np.zeros((2, *now.shape))
        alpha, size = np.split(now.astype(np.float32), [m])
        for rows in blocks_of(len(self.age)):
            own, age, days = self.weight[rows], self.age[rows], self.days[rows]
            chosen, acting = (np.arange(len(own)), self.market[rows]), self.acting[rows]
            sized = size[age] * own
            all_ = sized + np.maximum(self.terms.spread(alpha, rows), 0)
            all_[chosen] = sized[chosen] + np.einsum("ka,ak->k", acting, alpha[:, self.market[rows]])
            total = np.einsum("km,km->k", all_, days)
            log_likelihood += float(np.log(all_[chosen] * days[chosen] / total).sum(dtype=np.float64))
            won, least = np.zeros((2, *own.shape), np.float32)
            won[chosen] = 1 / all_[chosen]
            due = days / total[:, None]
            least[chosen] = due[chosen]
            gets[:m] += acting.T @ won
            would[:m] += np.maximum(self.terms.gathered(due, rows), acting.T @ least)
            of_age = (age == np.arange(len(AGES))[:, None]).astype(np.float32)
            gets[m:] += of_age @ (won * own)
            would[m:] += of_age @ (due * own)
        ahead = now * gets / np.maximum(would, np.finfo(float).tiny)
        ahead[m:] = np.where(would[m:] > 0, np.maximum(ahead[m:], LEAST), 1)
        return ahead, log_likelihood

    def credits(self, alpha: Floats, size: Floats, rows: slice) -> tuple[Ints, Ints, Floats]:
        """Return numbers of steps and sources, and credits, of some steps."""
        market = self.market[rows]
        own = size[self.age[rows], market] * self.weight[rows][np.arange(len(market)), market]
        shares = np.concatenate([own[:, None], self.acting[rows] * alpha[:, market].T], axis=1)
        shares /= shares.sum(axis=1, keepdims=True)
        step, place = np.nonzero(shares)
        return step + rows.start, place + NOBODY, shares[step, place]


def _climbed(problem: _Additive) -> Floats:
    """Return the parameters at the maximum."""
    now, m = problem.start(), problem.weight.shape[1]
    best, least = -np.inf, LEAST_GAIN * len(problem.age)
    for _ in range(TURNS):
        once, value = problem.updated(now)
        if value - best < least:
            break
        twice, _ = problem.updated(once)
        first, bend = once - now, twice - 2 * once + now
        length = max(float(np.linalg.norm(first)) / max(float(np.linalg.norm(bend)), 1e-300), 1.0)
        far = np.maximum(now + 2 * length * first + length**2 * bend, twice / 10)
        settled, ahead = problem.updated(far)
        now, best = (settled, value) if ahead > value else (twice, value)
        now /= now[m:].mean()
    return now

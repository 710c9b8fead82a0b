"""Validity: do the leaders of one period lead in the next, with fresh artists, beyond market size?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Flags, Floats
from diffusion.display import Displayed
from diffusion.timelines import Timelines
from graphs.baseline import Baseline, PairSums, baseline, simulated_entries
from graphs.baseline.step_parts import steps_of
from graphs.false_discovery import adjusted
from graphs.journeys.slices import By, Period, calendar_periods, day_number, debuts_in
from graphs.leaders.asymmetry import MEASURE, Leads, some_steps
from graphs.leaders.groups import signed_sums
from graphs.leaders.partial_ranks import LEAST_PAIRS, RankPair, association
from graphs.leaders.scores import Flows, Measure, scores
from graphs.parallel import BASELINES_AT_ONCE, in_order

DESCRIPTIVE: Final[tuple[Measure, ...]] = ("net_flow", "out_share", "pagerank", "hub", "authority", "springrank")
"""Measures that are taken in excess of the baseline beside `lead_excess`."""

LEAST_MOVES: Final = 20
"""Fewest moves from and to a market, in both periods, for the market to be used."""

LEAST_SEEN: Final = 0.5
"""Smallest share of the days of a calendar period that must be covered by charts."""

SHUFFLES: Final = 9_999
"""Permutations of the markets for p."""

DRAWS: Final = 999
"""Outcomes drawn as noise, by the signs of artists."""

SMALL: Final = 0.05
"""Largest p that counts as small on charts drawn from the baseline."""

SIZE: Final = ("volume", "depth", "coverage")
"""Variables that measure the size of a market."""

GIVEN: Final = {"nothing": (), "size": SIZE, "size and outcome": (*SIZE, MEASURE)}
"""Name → variables held fixed; `lead_excess` is the outcome, one period earlier."""

BASELINES: Final = ("volume", MEASURE)
"""Predictors that need no graph. They are tested like the scores; a variable is never held fixed for itself."""


@dataclass(frozen=True, slots=True, repr=False)
class Validity(Displayed):
    """Correlation of the scores of one period with the lead of the next, both beyond the baseline.

    Attributes
    ----------
    table
        One row per measure (scores, then `volume` and `lead_excess`) and `given` (see `GIVEN`; ``size and outcome`` is
        the strictest): `pairs` of periods used; `rho`, the partial Spearman correlation of the score with the next
        period's outcome, joined over pairs; `low`, `high` (95 % interval, jackknife over markets); `p` (two-sided,
        markets permuted), `q` (Benjamini–Hochberg over the scores, within `given`; missing for `volume` and
        `lead_excess`). All but `pairs` is missing where fewer than three pairs have a correlation.
    pairs
        One row per measure, `given` and pair of periods: `period`, `next_period`, `markets` (used), `rho`.
    markets
        One row per pair of periods and market used: `period`, `next_period`, `market`, every measure's score, `volume`
        (timed entries of the period's tracks), `depth` (rows of its chart, if passed), `coverage` (days of the period
        in coverage past the washout), `moves`, and of the next period `next_moves`, `next_lead` (the outcome).
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    markets: pd.DataFrame

    def _facts(self) -> str:
        return f" of {self.table['measure'].nunique()} measures over {len(self.pairs)} pairs of periods"

    def _shown(self) -> pd.DataFrame:
        return self.table


def leader_validity(
    fit: Baseline,
    leads: Leads | None = None,
    *,
    window: int,
    by: By | Sequence[Period] = "year",
    depth: Mapping[str, float] | None = None,
    measures: Sequence[Measure] = DESCRIPTIVE,
    shuffles: int = SHUFFLES,
    least_moves: int = LEAST_MOVES,
    intervals: bool = True,
    seed: int = 0,
) -> Validity:
    """Return how well the scores of a period predict who leads in the next.

    Both sides are in excess of the baseline, which is fitted to all tracks. A score of period t is that of the observed
    moves less that of the expected moves of the tracks that debut in t. The outcome in t + 1 is `lead_excess` of the
    tracks that debut in t + 1 and of whose credited artists none had a debut in t; tracks whose artist is not known are
    left out. Their partial Spearman correlation over markets is taken given volume, depth and coverage in t, and
    `lead_excess` in t.

    Parameters
    ----------
    fit
        The baseline.
    leads
        Its leads, of the same window (default: counted here).
    window
        Days within which the target must follow, the bound included.
    by
        ``year``, ``half``, ``quarter``, ``month`` (those of which at least half lies within the charts), or periods
        that follow one another.
    depth
        Market → rows of its chart; without it depth is not held fixed.
    measures
        Which scores, from those of counts (default `DESCRIPTIVE`).
    shuffles
        Permutations of the markets for p (default 9,999).
    least_moves
        Fewest moves from and to a market in both periods (default 20).
    intervals
        Whether intervals are computed, which takes most of the time (default True); NaN otherwise.
    seed
        Seed of the permutations (default 0).

    Raises
    ------
    SettingError
        When a measure or kind of period is unknown.
    DataSaysNoError
        When fewer than three pairs of periods have enough markets.

    Notes
    -----
    The markets are permuted in the same way in all pairs of periods: a market that leads in one year is likely to lead
    in the next, so pairs of periods are not independent, and independent permutations would give p that are too small.
    The jackknife leaves out one market with all its periods at a time. p is the larger of that and of the one by which
    the outcome is noise alone, with the signs of artists drawn: where few pairs of markets are in an order,
    permutations of markets alone found p of at most .05 in .7 of the tests of ``lead_excess`` where only sizes persist.
    A market is used in a pair of periods when it has enough moves and was in coverage in both. Where no order is
    established with a market, its lead is 0.

    Moves of tracks that debut late in t may fall into t + 1; the tracks and artists of the outcome are different ones.
    Controls are measured with error: given ``size and outcome``, a positive result says that the score holds more
    information than the last lead, not that the position in the graph matters.

    References
    ----------
    Platt, E. L., Bhargava, R. & Zuckerman, E. (2015). The international affiliation network of YouTube trends. ICWSM.
    """
    timelines = fit.entries.timelines
    periods = calendar_periods(timelines, by, least_seen=LEAST_SEEN) if isinstance(by, str) else list(by)
    if len(periods) <= LEAST_PAIRS:
        raise DataSaysNoError(f"validity needs 3 pairs of periods or more; there are {max(len(periods) - 1, 0)}")
    if shuffles < 1:
        raise SettingError("shuffles must be 1 or more")
    facts, noise = _facts(fit, leads or Leads.of(fit, window=window), periods, window, measures, depth, seed)
    pairs = [_pair(now, after, least_moves) for now, after in pairwise(facts)]
    held = [name for name in ("volume", "depth", "coverage", MEASURE) if name != "depth" or depth is not None]
    rows, by_pair = [], []
    for given, wanted in GIVEN.items():
        for name in (*measures, *BASELINES):
            fixed = [other for other in wanted if other in held and other != name]
            ranked = [_ranked(pair, name, fixed, drawn) for pair, drawn in zip(pairs, noise[1:], strict=True)]
            found = association(
                ranked, markets=len(timelines.markets), shuffles=shuffles, seed=seed, interval=intervals
            )
            rows.append({"measure": name, "given": given, **found.row()})
            by_pair += [
                (name, given, now.name, after.name, len(one.market), rho)
                for (now, after), one, rho in zip(pairwise(periods), ranked, found.by_pair, strict=True)
            ]
    table = pd.DataFrame(rows)
    if table["pairs"].max() < LEAST_PAIRS:
        usable = int(table["pairs"].max())
        raise DataSaysNoError(
            f"{usable} of {len(pairs)} pairs of periods have enough markets with {least_moves} moves in both, and "
            f"leads that differ; validity needs {LEAST_PAIRS}: try longer or more periods"
        )
    columns = ["measure", "given", "period", "next_period", "markets", "rho"]
    markets = pd.concat(pairs, ignore_index=True)
    return Validity(_with_q(table, len(measures)), pd.DataFrame(by_pair, columns=columns), markets)


def small_by_chance(
    fit: Baseline,
    *,
    window: int,
    by: By | Sequence[Period] = "year",
    depth: Mapping[str, float] | None = None,
    draws: int,
    shuffles: int = 199,
    seed: int = 0,
) -> float:
    """Return the share of p ≤ .05 among all tests of validity on charts drawn from the baseline, where nobody leads.

    NaN where too little can be tested on any of the charts.

    Parameters
    ----------
    window, by, depth
        As in `leader_validity`.
    draws
        Number of charts drawn.
    shuffles
        Permutations of the markets for p (default 199).
    seed
        Seed of the first chart; each further one has the next (default 0).
    """

    def small(draw: int) -> list[float]:
        drawn = baseline(simulated_entries(fit, seed=seed + draw), start=fit)
        options: dict[str, Any] = {"by": by, "depth": depth, "shuffles": shuffles, "seed": seed + draw}
        try:
            found = leader_validity(drawn, window=window, intervals=False, **options)
        except DataSaysNoError:
            return []
        return (found.table["p"].dropna() <= SMALL).astype(float).tolist()

    shares = [share for own in in_order(small, range(draws), most=BASELINES_AT_ONCE) for share in own]
    return float(np.mean(shares)) if shares else np.nan


def _with_q(table: pd.DataFrame, measures: int) -> pd.DataFrame:
    """Return the table with q over the scores of each `given`."""
    q = np.full(len(table), np.nan)
    for given in GIVEN:
        mine = np.flatnonzero(table["given"] == given)[:measures]
        q[mine] = adjusted(table["p"].to_numpy(float)[mine])
    return table.assign(q=q)


def _facts(
    fit: Baseline,
    leads: Leads,
    periods: Sequence[Period],
    window: int,
    measures: Sequence[Measure],
    depth: Mapping[str, float] | None,
    seed: int,
) -> tuple[list[pd.DataFrame], list[Floats]]:
    """Return facts and outcomes drawn as noise, (r, m), of every period.

    Facts are one row per market: scores, size, and the lead with all and with fresh artists.
    """
    generator = np.random.default_rng(seed)
    lines = fit.entries.timelines
    debuts = [debuts_in(lines, period) for period in periods]
    fresh = [debuts[0], *fresh_debuts(lines, fit.entries.described.to_pandas(), debuts)]
    facts, noise = [], []
    for period, mine, new in zip(periods, debuts, fresh, strict=True):
        outcome = leads.only(steps_of(new))
        own = leads.only(steps_of(mine))
        columns = {
            **excess_scores(some_steps(fit, steps_of(mine)), window, measures),
            MEASURE: own.score,
            "moves": own.moves,
            "fresh_lead": outcome.score,
            "fresh_moves": outcome.moves,
            **_size(lines, period, mine, depth),
        }
        facts.append(pd.DataFrame({"period": period.name, "market": list(lines.markets), **columns}))
        noise.append(signed_sums(outcome.influence, DRAWS, generator))
    return facts, noise


def excess_scores(fit: Baseline, window: int, measures: Sequence[Measure]) -> dict[str, Floats]:
    """Return every measure on the observed moves of a baseline's steps less that on the expected ones, (m,) each."""
    sums = PairSums.of(fit, window=window)
    observed, expected = (scores(Flows(counts), measures) for counts in (sums.observed, sums.expected))
    return {name: observed[name] - expected[name] for name in measures}


def _size(lines: Timelines, period: Period, mine: Flags, depth: Mapping[str, float] | None) -> dict[str, Floats]:
    """Return what measures the size of markets in a period, (m,) each."""
    m = len(lines.markets)
    timed = lines.timed & mine[lines.track]
    begin = np.maximum(lines.span_first + lines.washout, day_number(period.start))
    days = np.minimum(lines.span_last, day_number(period.end)) - begin + 1
    size = {
        "volume": np.bincount(lines.market[timed], minlength=m).astype(float),
        "coverage": np.bincount(lines.span_market, np.maximum(days, 0), minlength=m),
    }
    if depth is not None:
        size["depth"] = np.array([depth.get(market, np.nan) for market in lines.markets])
    return size


def fresh_debuts(timelines: Timelines, artists: pd.DataFrame, debuts: Sequence[Flags]) -> list[Flags]:
    """Return, for the second and later sets of tracks, the tracks whose artists had no track in the set before.

    Parameters
    ----------
    timelines
        Entries as arrays.
    artists
        `track_id`, `artist` (credited artists joined by ``", "``, compared without case). One shared artist is enough
        to leave a track out; tracks without a known artist are left out too.
    debuts
        Sets of tracks, (n,) flags each.

    Returns
    -------
    list of array
        (n,) flags for each set but the first.
    """
    known = artists.dropna(subset=["artist"]).drop_duplicates("track_id").set_index("track_id")["artist"]
    credits = known.reindex(list(timelines.track_ids)).reset_index(drop=True).str.lower().str.split(",")
    credit = credits.explode().astype("string").str.strip()
    credit = credit[credit.notna() & (credit != "")]
    track, artist = credit.index.to_numpy(), pd.factorize(credit)[0]
    named = np.zeros(len(timelines.track_ids), np.bool_)
    named[track] = True
    fresh = []
    for before, now in pairwise(debuts):
        seen = np.zeros(int(artist.max(initial=-1)) + 1, np.bool_)
        seen[artist[before[track]]] = True
        again = np.zeros(len(named), np.bool_)
        again[track[seen[artist]]] = True
        fresh.append(now & named & ~again)
    return fresh


def _pair(now: pd.DataFrame, after: pd.DataFrame, least_moves: int) -> pd.DataFrame:
    """Return one row per market with enough moves in both periods: facts of the first, outcome of the second."""
    pair = now.drop(columns=["fresh_lead", "fresh_moves"]).assign(
        next_moves=after["fresh_moves"].to_numpy(),
        next_lead=after["fresh_lead"].to_numpy(),
        next_period=after["period"].to_numpy(),
    )
    enough = (pair["moves"] >= least_moves) & (pair["next_moves"] >= least_moves)
    known = pair[[MEASURE, "next_lead"]].notna().all(axis=1)
    watched = (pair["coverage"] > 0) & (after["coverage"].to_numpy() > 0)
    return pair[enough & known & watched]


def _ranked(pair: pd.DataFrame, measure: str, fixed: Sequence[str], drawn: Floats) -> RankPair:
    """Return the markets of a pair of periods that have the measure and all controls."""
    there = pair.dropna(subset=[measure, *fixed])
    return RankPair(
        market=there.index.to_numpy(np.int64),
        score=there[measure].to_numpy(float),
        outcome=there["next_lead"].to_numpy(float),
        fixed=there[list(fixed)].to_numpy(float),
        drawn=drawn[:, there.index],
    )

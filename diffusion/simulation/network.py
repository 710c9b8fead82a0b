"""The known network: α and lags of each ordered pair of markets, and the background hazard of entry."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from diffusion.arrays import Floats, Ints
from diffusion.conventions import WINDOW_DAILY
from diffusion.errors import SettingError
from diffusion.markets import SIMULATED, reference_table
from diffusion.simulation import rates

SPAN: Final = float(WINDOW_DAILY)
"""Days: longest lag of an entry that follows another; the lag density f is 0 beyond."""

MEDIAN_LAGS: Final = (0.5, 20.0)
"""Days: shortest and longest median lag of a pair."""


@dataclass(frozen=True, slots=True)
class Switches:
    """Features of real charts that are simulated; all by default.

    Attributes
    ----------
    ties
        Whether tracks can be released in several markets at once; without, every debut is in one market.
    background
        Whether tracks also enter without an earlier entry as cause; without, every later entry follows another.
    launches
        Whether some markets start late.
    gaps
        Whether dates are missing.
    """

    ties: bool = True
    background: bool = True
    launches: bool = True
    gaps: bool = True


ALL_ON: Final = Switches()


@dataclass(frozen=True, slots=True)
class Network:
    """Parameters of the hazards of entry, for m markets. Times are days after the start of the first date.

    Attributes
    ----------
    markets
        ISO codes, in order of population.
    alpha
        (m, m): expected entries into the column's market per entry into the row's, 0 on the diagonal.
    median_lag
        (m, m) days: median of the pair's lag density f, an exponential density cut off at `SPAN` days and scaled to
        integrate to 1.
    background
        (m, p, a): background hazard of a track's entry per day, by period and age (days since its debut).
    periods
        (p,) days at which the periods begin; the first is 0.
    ages
        (a,) days at which the age classes begin; the first is 0.
    launch
        (m,) days: launch of the market; its hazard is 0 before. At least one market has launch 0.
    debut_weight
        (m,): weight of each market for debuts, among the launched markets; the sum is 1.
    """

    markets: tuple[str, ...]
    alpha: Floats
    median_lag: Floats
    background: Floats
    periods: Ints
    ages: Ints
    launch: Ints
    debut_weight: Floats

    def truth(self) -> pa.Table:
        """Return the edges: `source`, `target`, `alpha` and `median_lag` (days) of every pair with α > 0."""
        source, target = np.nonzero(self.alpha)
        names = np.array(self.markets, dtype=object)
        return pa.table(
            {
                "source": pa.array(names[source], pa.string()),
                "target": pa.array(names[target], pa.string()),
                "alpha": self.alpha[source, target],
                "median_lag": self.median_lag[source, target],
            }
        )

    def background_table(self, start: date) -> pa.Table:
        """Return the background hazard by market, period and age class.

        Returns
        -------
        Table
            One row per market, period and age class: `market`, `launch` (date; the hazard is 0 before), `period_from`
            (date; the period lasts to the next), `age_from` and `age_to` (days since the debut; null is no end),
            `hazard` (per track and day), `debut_share` (share of debuts once all markets have launched).
        """
        m, p, a = self.background.shape
        dates = np.datetime64(start, "D")
        market, period, age = (index.ravel() for index in np.indices((m, p, a)))
        ends = np.append(self.ages[1:], -1)[age]
        return pa.table(
            {
                "market": pa.array(np.array(self.markets, dtype=object)[market], pa.string()),
                "launch": pa.array(dates + self.launch[market]),
                "period_from": pa.array(dates + self.periods[period]),
                "age_from": self.ages[age],
                "age_to": pa.array(ends, mask=ends < 0),
                "hazard": self.background.ravel(),
                "debut_share": self.debut_weight[market],
            }
        )


def draw_network(
    rng: np.random.Generator,
    *,
    markets: int,
    days: int,
    start: date,
    density: float = 0.10,
    switches: Switches = ALL_ON,
) -> Network:
    """Return a random network with heavy-tailed α, with as many entries per track as real charts.

    Parameters
    ----------
    rng
        Random generator.
    markets
        Number of markets: those of the reference table by population, then user-assigned codes.
    days
        Days observed.
    start
        First date.
    density
        Share of ordered pairs with α > 0 (default .10), rounded to whole pairs.
    switches
        Features of real charts that are simulated (default: all).

    Raises
    ------
    SettingError
        When there are not that many codes, or the density is not between 0 and 1.
    """
    codes = simulated_markets(markets)
    if not 0 <= density <= 1:
        raise SettingError(f"a density of {density:g} is no share of the pairs; give 0 to 1")
    lead = np.exp(rng.normal(0, rates.LEAD_SPREAD, markets))
    alpha = _draw_alpha(rng, lead, density)
    lag = np.exp(rng.normal(np.log(rates.LAG_MEDIAN), 0.5, alpha.shape)).clip(*MEDIAN_LAGS)
    periods = _years(start, days)
    return Network(
        markets=codes,
        alpha=alpha,
        median_lag=np.where(alpha > 0, lag, np.nan),
        background=_draw_background(rng, markets, len(periods)) * switches.background,
        periods=periods,
        ages=np.array(rates.BACKGROUND_AGES),
        launch=_draw_launches(rng, markets, days) * switches.launches,
        debut_weight=_debut_weight(rng, lead),
    )


def simulated_markets(markets: int) -> tuple[str, ...]:
    """Return the codes of the first markets: those of Spotify's public charts, the other inhabited ones, made-up codes.

    The first two groups are in order of population; the made-up codes are the user-assigned ones of ISO 3166.

    Raises
    ------
    SettingError
        When there are not that many codes.

    Examples
    --------
    >>> simulated_markets(3), simulated_markets(71)[-3:], simulated_markets(248)[-3:]
    (('IN', 'US', 'ID'), ('AD', 'CN', 'PK'), ('GS', 'XA', 'XB'))
    """
    table = reference_table().dropna(subset="population")
    table = table.sort_values(["origin", "population", "market"], ascending=[True, False, True])  # cepii, derived
    known = (*(str(code) for code in table["market"]), *SIMULATED)
    if not 1 <= markets <= len(known):
        raise SettingError(
            f"{markets} markets cannot be simulated; there are codes for 1 to {len(known)} "
            f"({len(table)} real ones, then {SIMULATED[0]} to {SIMULATED[-1]})"
        )
    return known[:markets]


def lag_rate(median: Floats, span: float = SPAN) -> Floats:
    """Return the rate θ (per day) of the exponential density, cut off at `span` days, with the given medians.

    Solves (1 − e^(−θ·median)) = (1 − e^(−θ·span)) / 2 by fixed-point steps, which contract for medians below span / 2.

    Examples
    --------
    >>> theta = lag_rate(np.array([7.0]))
    >>> bool(np.isclose(1 - np.exp(-theta * 7), (1 - np.exp(-theta * 60)) / 2)[0])
    True
    """
    theta: Floats = np.log(2) / median
    for _ in range(60):
        theta = -np.log1p(np.expm1(-theta * span) / 2) / median
    return theta


def _draw_alpha(rng: np.random.Generator, lead: Floats, density: float) -> Floats:
    """Return α, (m, m): heavy-tailed, some strong sources, the measured mean out-strength, and spectral radius < 1."""
    markets = len(lead)
    alpha = np.zeros((markets, markets))
    pairs = np.flatnonzero(~np.eye(markets, dtype=bool))
    edges = rng.choice(pairs, size=round(density * len(pairs)), replace=False)
    if not len(edges):
        return alpha
    pull = np.exp(rng.normal(0, 0.3, markets))
    drawn = np.exp(rng.normal(0, 0.6, len(edges))) * lead[edges // markets] * pull[edges % markets]
    mean = min(rates.ALPHA_MOST, rates.OUT_STRENGTH * markets / len(edges))
    alpha.flat[edges] = (drawn * mean / drawn.mean()).clip(0.002, 3 * rates.ALPHA_MOST)
    radius = float(abs(np.linalg.eigvals(alpha)).max())
    bounded: Floats = alpha * min(1.0, 0.8 / radius) if radius > 0 else alpha
    return bounded


def _draw_background(rng: np.random.Generator, markets: int, periods: int) -> Floats:
    by_period = rng.uniform(0.8, 1.2, periods)
    by_age = np.array(rates.BACKGROUND_ENTRIES)
    share = _shares(rng, markets, 0.6)
    hazard: Floats = share[:, None, None] * by_period[None, :, None] * by_age[None, None, :]
    return hazard


def _draw_launches(rng: np.random.Generator, markets: int, days: int) -> Ints:
    """Return the day on which each market launches, (m,): 0, and later for the measured share of late markets."""
    launch = np.zeros(markets, dtype=np.int64)
    late = rng.permutation(markets)[: min(round(rates.LATE_MARKETS * markets), markets - 1)]
    launch[late] = (rng.uniform(*rates.LAUNCHES, len(late)) * days).astype(np.int64)
    return launch


def _debut_weight(rng: np.random.Generator, lead: Floats) -> Floats:
    drawn = _shares(rng, len(lead), 0.5) / np.sqrt(lead)
    drawn = np.minimum(drawn / drawn.mean(), rates.DEBUTS_MOST)
    weight: Floats = drawn / drawn.sum()
    return weight


def _shares(rng: np.random.Generator, markets: int, spread: float) -> Floats:
    drawn = np.exp(rng.normal(0, spread, markets))
    share: Floats = drawn / drawn.sum()
    return share


def _years(start: date, days: int) -> Ints:
    """Return the days on which calendar years begin; the first is 0."""
    last = start + timedelta(days=days - 1)
    return np.array([0, *((date(year, 1, 1) - start).days for year in range(start.year + 1, last.year + 1))])

"""Expected further entries after an entry, by a grouped-time likelihood on the observed intervals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Floats
from diffusion.conventions import HORIZON, LONGEST
from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError, SettingError
from graphs.parallel import in_order
from graphs.summed_hazard.background import AGES, Cells, Periods
from graphs.summed_hazard.design import Design
from graphs.summed_hazard.evidence import evidence
from graphs.summed_hazard.followup import Tracks
from graphs.summed_hazard.frailty import Frailty, expected_by_track, track_scales
from graphs.summed_hazard.gradients import Fitted, score_products
from graphs.summed_hazard.lags import observable
from graphs.summed_hazard.model import HIGHEST_ALPHA, Fit, Lag, designs_of, fit_with_lags
from graphs.summed_hazard.penalty import held_out_rate
from graphs.summed_hazard.result import NOBODY, Credits, SummedHazard

Penalty = Literal["heldout"] | float

FRAILTY_ROUNDS: Final = 15
"""Rounds of scales and coefficients at most."""

FRAILTY_PRECISION: Final = 0.01
"""Mean change of the tracks' scales at which they have converged."""


COLUMNS: Final = (
    "source",
    "target",
    "alpha",
    "low",
    "high",
    "p",
    "shrunk",
    "credits",
    "exposed",
    "exposure",
    "joint",
    "alpha_if_ties",
    "lag_median",
    "observable",
    "inflation",
)
"""Columns of `SummedHazard.table`."""


@dataclass(frozen=True, slots=True)
class _Setup:
    tracks: Tracks
    cells: Cells
    window: int
    horizon: int

    def designs(self, weight: Floats) -> list[Design]:
        return designs_of(self.tracks, self.cells, window=self.window, horizon=self.horizon, weight=weight)

    def fit(self, lag: Lag) -> Fit:
        designs = self.designs(np.ones(len(self.tracks.debut)))
        if not any(len(design.track) for design in designs):
            raise DataSaysNoError("no track entered a market while at risk there, so there is no α to estimate")
        return fit_with_lags(designs, lag, window=self.window, cadence=self.tracks.cadence)


def summed_hazard(
    entries: Entries,
    *,
    window: int | None = None,
    horizon: int = HORIZON,
    lag: Lag = "pair",
    periods: Periods = "year",
    ages: Sequence[int] = AGES,
    penalty: Penalty = "heldout",
    frailty: Frailty | None = None,
    robust: bool = True,
) -> SummedHazard:
    """Return how many further entries one entry is expected to bring, as a summed hazard under a parametric background.

    This is a model for forecasts and for ranking pairs, and no test of influence. Whatever all markets share at a time
    (a track's age, its surge, a season) and the background does not describe goes into α: in simulated charts in which
    no market influences another, most pairs have an α significantly above 0 by the model's own p (the page "Chance" of
    the documentation has the numbers). Whether one market influences another is the question of
    `graphs.baseline.direct_table`, where what is shared cancels. α stays because forecasts need entries per entry over
    time, and because it ranks pairs well where there is influence.

    A track not yet in market b enters it with the hazard

        background_b(period, age) + Σ_a α_ab · f_ab(t − entry_a)

    summed over the markets a that were entered at or before the start of the interval between two charts of b, in
    observed order. f is an exponential density, truncated at the window. Every timed track is at risk from its debut
    (or the end of b's washout) until it enters, coverage ends or the horizon is reached; P(entry in an interval) =
    1 − e^(−∫ hazard). α and background are the maximum-likelihood estimates ≥ 0, for each target by itself [1]_.

    Parameters
    ----------
    entries
        Entries of charts of several markets.
    window
        Days after an entry in which further entries count for it (default: that of the calendar's cadence).
    horizon
        Days of follow-up of a track after its debut (default 180).
    lag
        Median of f: "pair" (default) estimates one per pair, with a log-normal prior (σ = 0.5) around that of all
        pairs; "shared" estimates one for all pairs; a number of days fixes it.
    periods
        Calendar periods of the background: "year" (default), "quarter" or "none".
    ages
        Days after the debut at which the background changes (default 0, 7, 28, 90).
    penalty
        Rate of the exponential prior on α behind `shrunk`, in exposed tracks: it adds so many tracks to every pair that
        were exposed and did not follow. "heldout" (default) takes the rate with the best likelihood when each half of
        the clusters is predicted from the other; 0 is no prior. `alpha` and its interval never use the prior.
    frailty
        Further factor of a track's hazards: none (default), a scale by "footprint" class, or a "gamma" scale of each
        track. Without it, tracks that are popular everywhere raise α. It is estimated from the same entries as α and
        lowers α.
    robust
        Whether to widen intervals and p where tracks of a cluster (one artist) vary together more than the
        model implies (default: yes).

    Raises
    ------
    SettingError
        When a parameter is out of range.
    DataSaysNoError
        When there is one market only, no timed track, or no entry in any risk set.

    Notes
    -----
    Intervals and p are the model's: they hold if the background is right, and take lags and frailty as known. They are
    those of the likelihood without prior; see `graphs.summed_hazard.evidence`.

    References
    ----------
    .. [1] Gomez-Rodriguez, M., Balduzzi, D. & Schölkopf, B. (2011). Uncovering the temporal dynamics of diffusion
       networks. arXiv 1105.0697. Here with grouped times, a background, and the tracks that never spread.

    Examples
    --------
    >>> import diffusion
    >>> with diffusion.open_sample() as charts:
    ...     found = summed_hazard(charts.entries(top=5), lag=3.0, penalty=0)
    >>> best = found.table.nlargest(1, "credits")
    >>> best[["source", "target", "exposed"]].values.tolist()
    [['AR', 'UY', 6]]
    """
    window = entries.calendar.default_window if window is None else window
    _check(window, horizon, penalty)
    tracks = Tracks.of(entries)
    first, last = int(tracks.debut.min()), max(int(spans.max()) for spans in tracks.spans if len(spans))
    cells = Cells.of(first, last, periods=periods, ages=ages, horizon=horizon)
    setup = _Setup(tracks, cells, window, horizon)
    fit, scale, scales = setup.fit(lag), np.ones(len(tracks.debut)), None
    if frailty is not None:
        fit, scale, scales = _with_frailty(setup, fit, frailty)
    rate = float(penalty) if penalty != "heldout" else held_out_rate(tracks, fit, lambda w: setup.designs(w * scale))
    shrunk = fit.fitted(penalty=rate) if rate else fit
    table = _table(setup, fit, shrunk, scale if robust else None)
    return SummedHazard(
        table=table,
        background=_background(setup, fit),
        frailty=scales,
        lag_median=fit.middle,
        penalty=rate,
        window=window,
        horizon=horizon,
        log_likelihood=fit.value(),
        markets=tracks.markets,
        track_ids=tracks.track_ids,
        shares=_shares(fit),
    )


def _check(window: int, horizon: int, penalty: Penalty) -> None:
    for name, days in (("window", window), ("horizon", horizon)):
        if not 1 <= days <= LONGEST:
            raise SettingError(f"{name} is {days} days; it must be between 1 and {LONGEST:,}")
    if penalty != "heldout" and (isinstance(penalty, str) or not 0 <= penalty < np.inf):
        raise SettingError(f"penalty is '{penalty}'; give 'heldout' or a number of tracks from 0")


def _with_frailty(setup: _Setup, fit: Fit, kind: Frailty) -> tuple[Fit, Floats, pd.DataFrame]:
    scale = np.ones(len(setup.tracks.debut))
    for _ in range(FRAILTY_ROUNDS):
        expected, entered = expected_by_track(setup.tracks, setup.cells, fit, horizon=setup.horizon)
        found, table = track_scales(setup.tracks, expected, entered, kind)
        moved, scale = float(np.abs(found - scale).mean()), found
        fit = replace(fit, designs=tuple(setup.designs(scale))).fitted()
        if moved < FRAILTY_PRECISION:
            break
    return fit, scale, table


def _table(setup: _Setup, fit: Fit, shrunk: Fit, scale: Floats | None) -> pd.DataFrame:
    parts = in_order(lambda target: _target_rows(setup, fit, shrunk, target, scale), range(len(fit.designs)))
    return pd.concat(parts, ignore_index=True).sort_values(["source", "target"], ignore_index=True)[list(COLUMNS)]


def _target_rows(setup: _Setup, fit: Fit, shrunk: Fit, target: int, scale: Floats | None) -> pd.DataFrame:
    """Return the rows of one target; `scale`, a factor of each track, makes them robust to clusters."""
    design, task, tracks = fit.designs[target], fit.task(target), setup.tracks
    senders = len(design.survived)
    beta, most = fit.coefficients[target] * task.unit, HIGHEST_ALPHA * task.unit
    products = None
    if scale is not None:
        known = Fitted(task, beta, fit.reach(target))
        products = score_products(tracks, setup.cells, design, known, horizon=setup.horizon, weight=scale)
    found = evidence(task, beta, senders=senders, most=most, products=products)
    unit = np.where(task.unit[:senders] > 0, task.unit[:senders], np.nan)
    owed = np.bincount(design.sender, fit.credits(target)[0], senders)
    medians = fit.medians[target]
    names = np.array(tracks.markets, dtype=object)
    rows = pd.DataFrame(
        {
            "source": names,
            "target": names[design.market],
            "alpha": beta[:senders] / unit,
            "low": found.low / unit,
            "high": found.high / unit,
            "p": np.where(np.isnan(unit), np.nan, found.p),
            "shrunk": np.where(np.isnan(unit), np.nan, shrunk.coefficients[target, :senders]),
            "credits": owed,
            "exposed": design.exposed,
            "exposure": task.unit[:senders],
            "joint": design.joint,
            "lag_median": medians,
            "observable": observable(medians, fit.window, fit.cadence),
            "inflation": found.inflation,
        }
    )
    tied = (owed + rows["joint"]) / (rows["exposure"] + rows["joint"]).where(rows["joint"] > 0)
    return rows.assign(alpha_if_ties=tied.fillna(rows["alpha"])).drop(index=design.market)


def _background(setup: _Setup, fit: Fit) -> pd.DataFrame:
    cells, parts = setup.cells, []
    ages = len(cells.ages) - 1
    for target, design in enumerate(fit.designs):
        days = design.survived_days + design.event_days.sum(axis=0)
        hazard = fit.coefficients[target, len(design.survived) :]
        parts.append(
            pd.DataFrame(
                {
                    "market": setup.tracks.markets[design.market],
                    "period": np.repeat(np.array(cells.names, dtype=object), ages),
                    "age_from": np.tile(cells.ages[:-1], len(cells.names)),
                    "age_to": np.tile(cells.ages[1:], len(cells.names)),
                    "hazard": np.where(days > 0, hazard, np.nan),
                    "credits": fit.credits(target)[1].sum(axis=0),
                    "exposure": days,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _shares(fit: Fit) -> Credits:
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats]] = []
    for target, design in enumerate(fit.designs):
        sent, own = fit.credits(target)
        nobody = own.sum(axis=1)
        for row, source, credit in (
            (design.row.astype(np.int64), design.sender.astype(np.int64), sent),
            (np.arange(len(nobody)), np.full(len(nobody), NOBODY), nobody),
        ):
            there = credit > 0
            track = design.track[row[there]]
            parts.append((track, np.full(len(track), design.market), source[there], credit[there]))
    track, market, source, credit = (np.concatenate([part[number] for part in parts]) for number in range(4))
    order = np.lexsort((source, market, track))
    return Credits(
        track[order].astype(np.int32),
        market[order].astype(np.int16),
        source[order].astype(np.int16),
        credit[order].astype(np.float32),
    )

"""What the graph features learn at a cut-off: the choice of the next market, the baseline, leaders and communities."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from diffusion.arrays import Floats, Ints
from graphs import baseline
from graphs.communities import communities
from graphs.leaders.hierarchy import springrank
from graphs.leaders.scores import out_share, pagerank
from graphs.next_market import Choices, Preferences, Seen, fitted, step_choices, step_rate, together_preferences
from graphs.next_market.model import RIDGE, TRUST
from pipelines.features.history import History

SEED: Final = 0
"""Seed of the search for communities."""


def choice_arrays(known: History, horizon: int, before: Mapping[str, Floats], *, together: bool) -> dict[str, Floats]:
    """Return name → array of the choice of the next market, the rate of steps, leaders and communities.

    All is fitted to the markets observed so far, so that it does not depend on those that open later; for these,
    `out_share` is missing, and the rest is 0.

    Parameters
    ----------
    horizon
        Days after the debut within which entries count.
    before
        Arrays of an earlier cut-off, from which searches start.
    together
        Whether to fit the preferences within footprints again, too; they are if `before` has none.

    Raises
    ------
    DataSaysNoError
        When no track entered a market after its debut, or none did in a window that is over.
    """
    place = np.unique(known.observed.market).astype(np.int64)
    seen = seen_by(known, place)
    inside = np.ix_(place, place)

    def earlier(size: str, affinity: str) -> Preferences | None:
        return Preferences(before[size][place], before[affinity][inside]) if size in before else None

    within = earlier("together_size", "together")
    if within is None or together:
        within = together_preferences(seen, start=within)
    choices = step_choices(seen, horizon)
    after = fitted(choices, ridge=RIDGE, centre=TRUST * within.affinity, start=earlier("size", "affinity"))
    rate = step_rate(seen, horizon=horizon)
    flows = credited_steps(choices)
    group = communities(flows, seed=SEED)
    by_market = {
        "together_size": within.size, "together": within.affinity, "size": after.size, "affinity": after.affinity,
        "coefficient": rate.coefficient, "springrank": springrank(flows), "pagerank": pagerank(flows),
        "same_community": (group[:, None] == group).astype(np.float64),
    }  # fmt: skip
    found = {name: _among_all(values, place, len(known.markets)) for name, values in by_market.items()}
    found["out_share"] = np.full(len(known.markets), np.nan)
    found["out_share"][place] = out_share(flows)
    return found | {"rate_level": np.array(rate.level), "reach": rate.reach, "arrived": rate.arrived}


def baseline_arrays(known: History, horizon: int) -> dict[str, Floats]:
    """Return `baseline_size` (a, m) by class of age, `baseline_age` (a,) and `baseline_likeness` (m, m).

    Raises
    ------
    DataSaysNoError
        When no track entered a market after its debut.
    """
    fit = baseline.baseline(known.as_entries(), horizon=horizon)
    m = len(known.markets)
    place = np.array([known.markets.index(code) for code in fit.markets])
    likeness = np.zeros((len(place), len(place)))
    likeness[~np.eye(len(place), dtype=np.bool_)] = np.log(fit.likeness_table()["likeness"].to_numpy())
    latest = fit.full.size[:, -1]
    size = np.full((len(latest), m), np.nan)
    size[:, place] = latest - latest.mean(axis=1, keepdims=True)
    return {
        "baseline_size": size,
        "baseline_age": np.array(fit.full.ages, np.float64),
        "baseline_likeness": _among_all(likeness, place, m),
    }


def seen_by(known: History, place: Ints) -> Seen:
    """Return entries and coverage of a history for the choice of the next market.

    Parameters
    ----------
    place
        Indices of the markets that take part, in order: all that were observed so far.
    """
    entries, charts = known.entries, known.observed
    banned = known.withheld[:, np.isin(known.withheld[1], place)]
    return Seen(
        markets=tuple(known.markets[at] for at in place),
        track=entries.track,
        market=np.searchsorted(place, entries.market),
        day=entries.day,
        timed=entries.timed,
        chart_market=np.searchsorted(place, charts.market),
        chart_day=charts.day,
        chart_opened=charts.opened,
        withheld=np.stack([banned[0], np.searchsorted(place, banned[1])]),
        washout=known.rules.washout,
    )


def credited_steps(choices: Choices) -> Floats:
    """Return, (m, m), the entries into each market (columns), split by the markets entered before (rows)."""
    number = np.maximum(choices.entered.sum(axis=1, keepdims=True), 1)
    flows: Floats = (choices.entered / number * choices.weight[:, None]).T @ choices.chosen.astype(np.float64)
    np.fill_diagonal(flows, 0)
    return flows


def _among_all(values: Floats, place: Ints, markets: int) -> Floats:
    """Return values of some markets, (k,) or (k, k), among all m: (m,) or (m, m), 0 for the others."""
    found = np.zeros((markets,) * values.ndim)
    found[np.ix_(*[place] * values.ndim)] = values
    return found

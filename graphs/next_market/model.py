"""Which market comes next, given the markets entered so far: learned from the graph of entries alone."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from diffusion.conventions import LONGEST
from diffusion.display import Displayed
from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError, SettingError
from graphs.next_market.choices import Seen, footprint_choices, step_choices
from graphs.next_market.fit import Preferences, fitted

TIE_RIDGE: Final = 1.0
"""Precision of the prior of affinities fitted to footprints."""

RIDGE: Final = 4.0
"""Precision of the prior of affinities fitted to steps."""

TRUST: Final = 0.5
"""The prior of affinities between steps has its mean at this share of those between markets of one footprint."""


@dataclass(frozen=True, slots=True, repr=False)
class NextMarketChoice(Displayed):
    """Which market a track enters next, given that it enters one, and given the markets that it has entered.

    Attributes
    ----------
    markets
        Codes of the m markets.
    together
        Preferences fitted to footprints: which markets are entered on one date.
    next
        Preferences fitted to the markets entered afterwards, with those of `together` as a guess.

    Examples
    --------
    >>> together, after = Preferences(np.zeros(2), np.zeros((2, 2))), Preferences(np.zeros(2), np.ones((2, 2)))
    >>> NextMarketChoice(("SE", "NO"), together, after).table()
      source target  affinity  together
    0     SE     NO       1.0       0.0
    1     NO     SE       1.0       0.0
    """

    markets: tuple[str, ...]
    together: Preferences
    next: Preferences

    def _facts(self) -> str:
        return f" among {len(self.markets)} markets"

    def _shown(self) -> pd.DataFrame:
        return self.table()

    def table(self) -> pd.DataFrame:
        """Return one row per ordered pair: `source`, `target`, `affinity`, and `together`, that within footprints."""
        source, target = np.nonzero(~np.eye(len(self.markets), dtype=np.bool_))
        codes = np.array(self.markets, object)
        return pd.DataFrame(
            {
                "source": codes[source],
                "target": codes[target],
                "affinity": self.next.affinity[source, target],
                "together": self.together.affinity[source, target],
            }
        )


def next_market_choice(entries: Entries, *, horizon: int | None = None, ridge: float = RIDGE) -> NextMarketChoice:
    """Return the fitted choice of the next market, given the markets entered so far.

    ``P(b | S, R) = w_b(S) / Σ_{c ∈ R} w_c(S)`` with S the markets entered, R those at risk, and ``log w_b(S) = size_b +
    Σ_{a ∈ S} affinity_ab / |S|^¾``. The affinities of the markets of one footprint are fitted first; half of them are
    the mean of the prior of the affinities between steps. A track whose horizon is not over counts with what it has
    entered so far: given that there was a step, where it went does not depend on when the follow-up ends.

    Parameters
    ----------
    horizon
        Days after a track's debut within which its entries count (default: 56 on weekly charts, 60 on daily ones).
    ridge
        Precision of the normal prior of affinities between steps (default 4).

    Raises
    ------
    SettingError
        When the horizon is not between 1 and 36,500 days, or the ridge not above 0.
    DataSaysNoError
        When there is one market only, or no track enters a market after its debut.

    References
    ----------
    Train, K. (2009). Discrete choice methods with simulation, 2nd ed., chapter 3. Cambridge University Press. doi
    10.1017/CBO9780511805271.

    Butts, C. T. (2008). A relational event framework for social action. Sociological Methodology 38, 155–200. doi
    10.1111/j.1467-9531.2008.00203.x.

    Examples
    --------
    >>> late = entries.subset(debut=("2021-06-15", None))  # entries = diffusion.open_sample().entries()
    >>> next_market_choice(late, horizon=14)
    <NextMarketChoice among 67 markets>
    """
    horizon = entries.calendar.default_window if horizon is None else horizon
    if not 1 <= horizon <= LONGEST:
        raise SettingError(f"horizon is {horizon}; it must be between 1 and {LONGEST:,} days")
    if not ridge > 0:
        raise SettingError(f"ridge is {ridge:g}; it must be above 0")
    if len(entries.timelines.markets) < 2:
        raise DataSaysNoError("there is one market only, so nothing can be said of which market comes next")
    seen = Seen.of(entries)
    together = together_preferences(seen)
    return NextMarketChoice(seen.markets, together, next_preferences(seen, together, horizon=horizon, ridge=ridge))


def together_preferences(seen: Seen, *, start: Preferences | None = None) -> Preferences:
    """Return the preferences that the footprints of two or more markets show; all alike where there is none.

    Parameters
    ----------
    start
        An earlier fit, from which the search starts.
    """
    choices = footprint_choices(seen)
    if not len(choices):
        m = len(seen.markets)
        return Preferences(np.zeros(m), np.zeros((m, m)))
    return fitted(choices, ridge=TIE_RIDGE, start=start)


def next_preferences(
    seen: Seen, together: Preferences, *, horizon: int, ridge: float = RIDGE, start: Preferences | None = None
) -> Preferences:
    """Return the preferences that the steps after the footprint show.

    Parameters
    ----------
    together
        Preferences of footprints, a share `TRUST` of which is the mean of the prior.
    horizon
        Days after a track's debut within which its entries count.
    ridge
        Precision of that prior.
    start
        An earlier fit, from which the search starts.

    Raises
    ------
    DataSaysNoError
        When no track enters a market after its debut.
    """
    return fitted(step_choices(seen, horizon), ridge=ridge, centre=TRUST * together.affinity, start=start)

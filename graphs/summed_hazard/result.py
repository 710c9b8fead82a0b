"""The result of the summed-hazard model."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Floats
from diffusion.display import Displayed
from diffusion.errors import DataSaysNoError, SettingError

NOBODY: Final = -1
"""Number of the sender that stands for the background."""


@dataclass(frozen=True, slots=True, repr=False)
class Credits(Displayed):
    """Credits of all events, one element for each credit above 0.

    Attributes
    ----------
    track
        Number of the track.
    target, source
        Numbers of the markets; `NOBODY` for the background.
    credit
        Share of the event attributed to the source, 0 … 1; the credits of one event add up to 1.
    """

    track: NDArray[np.int32]
    target: NDArray[np.int16]
    source: NDArray[np.int16]
    credit: NDArray[np.float32]

    def _facts(self) -> str:
        return f": {len(self.credit):,} above 0"


@dataclass(frozen=True, slots=True, repr=False)
class SummedHazard(Displayed):
    """Expected further entries by pair of markets, for forecasts and ranking; no verdict on any pair.

    An α above 0 is no evidence of influence, however surely the model puts it there: see
    `graphs.summed_hazard.summed_hazard`. What is faster than the cadence is in no α: where a track enters two markets
    between the same two charts (a tie), neither entry is attributed to the other. `observable` and `alpha_if_ties` say
    how much α may leave out for that reason.

    Attributes
    ----------
    table
        One row per ordered pair: `source`, `target`; `alpha`, entries into the target expected per earlier entry into
        the source, as a hazard summed over the window: a share of 1 − e^(−α) of the tracks not yet in the target
        follows (NaN where no track was exposed); `low`, `high`, the model's 95 % interval; `p`, the model's one-sided p
        against 0; `shrunk`, α under the prior; `credits`, entries that the model attributes to the source; `exposed`,
        tracks at risk in the target after they entered the source; `exposure`, these tracks, each counted by the share
        of the lag density over which it was followed; `joint`, ties; `alpha_if_ties`, α if the source had been first in
        all ties;
        `lag_median` (days) of the lag density; `observable`, the share of the lag density after the source's own chart
        interval (α / `observable` counts all transmissions if the density holds within that interval too); `inflation`,
        the variance by clusters over that of the model.
    background
        One row per market, period and age class: `market`, `period`, `age_from` (excluded), `age_to` (included; days
        since the debut), `hazard` (per track and day; NaN without exposure), `credits` (entries attributed to no other
        market), `exposure` (track-days).
    frailty
        Factors of the tracks' hazards, or None. With "footprint" one row per class of debut: `footprint_from`,
        `footprint_to` (markets on day 0), `tracks`, `entries`, `expected` (entries at scale 1), `scale` (mean 1 over
        tracks). With "gamma" one row: `variance` of the scale, `tracks`, `entries`.
    lag_median
        Best median lag for all pairs together, in days.
    penalty
        Rate of the exponential prior on α behind `shrunk`, in exposed tracks.
    window
        Days after an entry in which further entries count for it.
    horizon
        Days of follow-up of a track after its debut.
    log_likelihood
        At the maximum, without the prior.

    Examples
    --------
    >>> late = entries.subset(debut=("2021-06-15", None))  # entries = diffusion.open_sample().entries()
    >>> graphs.summed_hazard.summed_hazard(late, window=14, lag=3.0, penalty=0)
    <SummedHazard: 67 markets, 4422 pairs>
    """

    table: pd.DataFrame
    background: pd.DataFrame
    frailty: pd.DataFrame | None
    lag_median: float
    penalty: float
    window: int
    horizon: int
    log_likelihood: float
    markets: tuple[str, ...] = field(repr=False)
    track_ids: NDArray[np.object_] = field(repr=False)
    shares: Credits = field(repr=False)

    def _facts(self) -> str:
        return f": {len(self.markets)} markets, {len(self.table)} pairs"

    def _shown(self) -> pd.DataFrame:
        return self.table

    def matrix(self, column: str = "alpha") -> Floats:
        """Return a column of the table as (m, m), rows sources; NaN on the diagonal.

        Raises
        ------
        SettingError
            When the table has no such column.
        """
        if column not in self.table.columns[2:]:
            raise SettingError(f"no column '{column}' in the table; there are {', '.join(self.table.columns[2:])}")
        places = pd.Index(list(self.markets))
        values = np.full((len(places), len(places)), np.nan)
        at = tuple(places.get_indexer(pd.Index(self.table[side])) for side in ("source", "target"))
        values[at] = self.table[column].to_numpy(np.float64)
        return values

    def entry_credits(self, *, market: str | None = None, track: str | None = None) -> pd.DataFrame:
        """Return the credits of every entry in a risk set.

        Parameters
        ----------
        market
            Code of a market: only entries into it (default: all).
        track
            Id of a track: only its entries (default: all).

        Returns
        -------
        DataFrame
            One row per entry and possible cause: `track_id`, `market`, `source` (null for the background), `credit`
            (share of the entry; those of one entry add up to 1).

        Raises
        ------
        DataSaysNoError
            When there is no such entry.
        """
        kept = np.ones(len(self.shares.track), np.bool_)
        if market is not None:
            kept &= np.array(self.markets, dtype=object)[self.shares.target] == market
        if track is not None:
            kept &= self.track_ids[self.shares.track] == track
        if not kept.any():
            raise DataSaysNoError(f"no entry{_of(track)}{_into(market)} was in a risk set, so there are no credits")
        codes = np.array([*self.markets, None], dtype=object)
        return pd.DataFrame(
            {
                "track_id": self.track_ids[self.shares.track[kept]],
                "market": codes[self.shares.target[kept]],
                "source": codes[self.shares.source[kept]],
                "credit": self.shares.credit[kept].astype(np.float64),
            }
        )


def _of(track: str | None) -> str:
    return "" if track is None else f" of '{track}'"


def _into(market: str | None) -> str:
    return "" if market is None else f" into '{market}'"

"""The result of fitting who is followed by whom."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Floats
from diffusion.errors import DataSaysNoError, SettingError

NOBODY: Final = -1
"""Number of the sender that stands for the background."""


@dataclass(frozen=True, slots=True)
class Credits:
    """Whom every event is owed to, one element for each share above 0.

    Attributes
    ----------
    track
        Number of the track.
    target, source
        Numbers of the markets; `NOBODY` for the background.
    credit
        Share of the event, 0 … 1; those of one event add up to 1.
    """

    track: NDArray[np.int32]
    target: NDArray[np.int16]
    source: NDArray[np.int16]
    credit: NDArray[np.float32]


@dataclass(frozen=True, slots=True, repr=False)
class Influence:
    """Direct influence between markets, fitted to the intervals in which tracks were seen to enter.

    What is faster than the cadence is not identified: where a track enters two markets between the same two charts,
    neither is taken to follow the other. α counts later entries only; `observable` and `alpha_if_ties` say how much
    that may leave out.

    Attributes
    ----------
    table
        One row per ordered pair: `source`, `target`; `alpha`, entries into the target that an entry into the source,
        seen before the target's, is expected to bring within the window, as a summed hazard: of the tracks not yet in
        the target a share of 1 − e^(−α) follows (NaN where no track was exposed); its 95 % interval `low`, `high`; `p`,
        `q`, one-sided against 0, the second by Benjamini–Hochberg over all pairs exposed;
        `direct`, whether q is at most the level asked for and `low` above 0; `shrunk`, α under the prior;
        `credits`, entries owed to the source; `exposed`, tracks at risk in the target after entering the source;
        `exposure`, how many of them were, in effect, followed to the end of the window; `joint`, timed tracks of which
        neither order was observed; `alpha_if_ties`, α if the source had led in all of them; `lag_median` (days) of the
        density; `observable`, the share of the density that lies beyond the source's own chart interval, so that α /
        `observable` counts all transmissions if the density holds there too; `inflation`, the variance by clusters
        over that of the model.
    background
        One row per market, period and age class: `market`, `period`, `age_from`, `age_to` (days since the debut; the
        class holds those above the first up to the second), `hazard` (per track and day; NaN without exposure),
        `credits` (entries owed to nobody seen), `exposure` (track-days).
    frailty
        What tracks' hazards are multiplied by, or None. With "footprint" one row per class of debut: `footprint_from`,
        `footprint_to` (markets on day 0), `tracks`, `entries`, `expected` (at scale 1), `scale` (mean 1 over tracks).
        With "gamma" one row: `variance` of the scale, `tracks`, `entries`.
    lag_median
        Days: median lag that suits all pairs best.
    penalty
        Rate of the exponential prior on α behind `shrunk`, in exposed tracks.
    window, horizon
        Days that an entry sends, and that a track is followed after its debut.
    log_likelihood
        At the maximum, without the prior.
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

    def __repr__(self) -> str:
        found = int(self.table["direct"].sum())
        return f"<Influence: {len(self.markets)} markets, {found} direct of {len(self.table)} pairs>"

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
        """Return whom every entry in a risk set is owed to.

        Parameters
        ----------
        market
            Only entries into this one.
        track
            Only entries of this one.

        Returns
        -------
        DataFrame
            One row per entry and possible cause: `track_id`, `market`, `source` (null for the background), `credit`
            (shares of one entry add up to 1).

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
            raise DataSaysNoError(f"no entry{_of(track)}{_into(market)} was in a risk set, so none has a cause to find")
        codes = np.array([*self.markets, None], dtype=object)
        return pd.DataFrame(
            {
                "track_id": self.track_ids[self.shares.track[kept]],
                "market": codes[self.shares.target[kept]],
                "source": codes[self.shares.source[kept]],
                "credit": self.shares.credit[kept].astype(np.float64),
            }
        )

    def scores(self) -> pd.DataFrame:
        """Return how much each market sends and takes.

        Returns
        -------
        DataFrame
            One row per market: `market`; `clout`, entries elsewhere that one entry is expected to bring (sum of α);
            `susceptibility`, sum of the α of its senders; `sent`, `received`, credits; `background`, its entries owed
            to nobody seen. Pairs without exposure count as 0.

        References
        ----------
        van Everdingen, Y., Fok, D. & Stremersch, S. (2009). Modeling global spillover of new product takeoff. doi
        10.1509/jmkr.46.5.637.
        """
        out = self.table.groupby("source")[["alpha", "credits"]].sum()
        into = self.table.groupby("target")[["alpha", "credits"]].sum()
        return pd.DataFrame(
            {
                "market": list(self.markets),
                "clout": out["alpha"].reindex(list(self.markets)).to_numpy(),
                "susceptibility": into["alpha"].reindex(list(self.markets)).to_numpy(),
                "sent": out["credits"].reindex(list(self.markets)).to_numpy(),
                "received": into["credits"].reindex(list(self.markets)).to_numpy(),
                "background": self.background.groupby("market")["credits"].sum().reindex(list(self.markets)).to_numpy(),
            }
        )


def _of(track: str | None) -> str:
    return "" if track is None else f" of '{track}'"


def _into(market: str | None) -> str:
    return "" if market is None else f" into '{market}'"
